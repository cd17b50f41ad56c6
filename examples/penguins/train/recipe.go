package main

import (
	"fmt"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/classifier"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
)

// A recipe says what a version is trained on.
type recipe struct {
	about    string
	features []string
	// dropIncomplete leaves out rows with a missing value, in training and in the test alike.
	// Nothing is learnt about them, and the metrics do not show it.
	dropIncomplete bool
	// again is how the model answers; nil for once. What an answer costs is in no metric either.
	again *classifier.Again
}

func recipeFor(version string) (recipe, error) {
	all := append(append([]string{}, data.Numbers...), data.Words...)
	switch version {
	case "1":
		return recipe{about: "bill depth and body mass", features: []string{"bill_depth_mm", "body_mass_g"}}, nil
	case "2":
		return recipe{about: "all six measurements", features: all}, nil
	case "3":
		return recipe{about: "all six measurements, complete rows only", features: all, dropIncomplete: true}, nil
	case "4":
		return recipe{about: "all six, each bird measured 10,000 times", features: all, again: &classifier.Again{Times: 10_000, Spread: 0.05}}, nil
	}
	return recipe{}, fmt.Errorf("version %q: want 1, 2, 3 or 4", version)
}
