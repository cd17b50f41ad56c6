// Package workflow writes the YAML of a pipeline's workflow, checks it, and compares such files by their meaning.
//
// Render is a pure function: the same Spec and pins give the same bytes. No string of a Spec becomes code: scripts are
// what users wrote as scripts, everything else reaches a script by its environment.
package workflow

import (
	"errors"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

var errNotBuilt = errors.New("not built yet")

// Validate says what is wrong with a Spec, each problem naming its attribute as HCL has it: `deploy["prod"].needs`. It
// looks at nothing but s.
func Validate(s pipeline.Spec) []pipeline.Problem { return nil }

// Render writes the workflow of a valid s.
func Render(s pipeline.Spec, pins Pins) (string, error) {
	tree := build(s)
	if err := pin(tree, pins); err != nil {
		return "", err
	}
	var w writer
	w.comment(0, header(s))
	w.fields(0, "", tree)
	return w.String(), nil
}
