// Package workflow writes the YAML of a pipeline's workflow, checks it, and compares such files by their meaning.
//
// Render is a pure function: the same Spec and pins give the same bytes. No string of a Spec becomes code: scripts are
// what users wrote as scripts, everything else reaches a script by its environment.
package workflow

import (
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Render writes the workflow of a valid s. A workflow in the user's own words stays what it is, with a header, and with pins
// in place of refs.
func Render(s pipeline.Spec, pins Pins) (string, error) {
	if s.YAML != "" {
		pinned, err := PinYAML(s.YAML, pins)
		if err != nil {
			return "", err
		}
		return comment(header(s)) + strings.TrimPrefix(pinned, "\ufeff"), nil
	}
	tree := build(s)
	if err := pin(tree, pins); err != nil {
		return "", err
	}
	return comment(header(s)) + text(tree), nil
}
