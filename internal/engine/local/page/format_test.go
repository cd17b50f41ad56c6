package page

import (
	"math"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

func TestNumbersAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		evidence(0.00001):               "0",
		evidence(1.3):                   "1.3",
		evidence(200):                   "200",
		evidence(81422.7):               "81,422",
		evidence(math.MaxFloat64):       "over 1,000,000",
		short(sha("3f2a")).Short:        "3f2a3f2a3f2a",
		short("odd").Short:              "odd",
		plural(1, "rollout"):            "1 rollout",
		plural(0, "rollout"):            "0 rollouts",
		meter("", 0, 200, "").Width:     "0.0",
		meter("", 200, 200, "").Width:   "100.0",
		meter("", 1e300, 200, "").Width: "100.0",
		meter("", 10, 100, "").Width:    "50.0",
		meter("", 10, 0, "").Width:      "0.0",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAPolicyThatCannotBeReadShowsTheStepWithoutThem(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"", "null", "[]", `{"steps":3}`, `{`} {
		r := rollout.Record{Phase: rollout.Holding, Policy: []byte(policy), Step: 1, Weight: 25}
		v := viewRollout("local/here/penguins", r, nil)
		if v.Where != "Step 2 at 25% of the traffic." || len(v.Steps) != 0 {
			t.Errorf("policy %s: %q %v", policy, v.Where, v.Steps)
		}
	}
}
