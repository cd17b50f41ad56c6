// Package workflow writes the YAML of a pipeline's workflow, checks it, and compares such files by their meaning.
//
// Render is a pure function: the same Spec and pins give the same bytes. No string of a Spec becomes code: scripts are
// what users wrote as scripts, everything else reaches a script by its environment.
package workflow

import (
	"errors"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Pins are what actions are pinned to, by their name: "actions/checkout".
type Pins map[string]Pin

// A Pin is a full commit and the version that people know it by.
type Pin struct {
	Commit  string // 40 hex digits
	Version string // "v7.0.1"; "" where none is known
}

// Own is the name of Tidegate's own Action.
const Own = "tidegatehq/terraform-provider-tidegate"

// A Finding is something wrong with a workflow.
type Finding struct {
	Line, Column int // of the YAML, from 1; 0 where it is about the Spec
	Kind         string
	Message      string
}

var errNotBuilt = errors.New("not built yet")

// Actions returns the names of the actions that the workflow of s uses, each once, sorted, with the ref that the user wrote
// ("" where the renderer chose it): what has to be pinned before Render.
func Actions(s pipeline.Spec) (map[string]string, error) { return nil, errNotBuilt }

// Known returns the built-in pin of an action.
func Known(action string) (Pin, bool) { return Pin{}, false }

// Validate says what is wrong with a Spec, each problem naming its attribute as HCL has it: `deploy["prod"].needs`. It
// looks at nothing but s.
func Validate(s pipeline.Spec) []pipeline.Problem { return nil }

// Render writes the workflow of a valid s.
func Render(s pipeline.Spec, pins Pins) (string, error) { return "", errNotBuilt }

// Lint checks a workflow as actionlint does, without its external tools, and that every action is pinned.
func Lint(path, yaml string) ([]Finding, error) { return nil, errNotBuilt }

// Same reports whether two workflows mean the same: comments, quoting and order of keys do not count. What does not
// parse is the same only as itself.
func Same(a, b string) bool { return a == b }

// Checks returns the names of the checks that a workflow's jobs report on a pull request.
func Checks(yaml string) ([]string, error) { return nil, errNotBuilt }
