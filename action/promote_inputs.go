package action

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

var onPromote = []Mode{ModePromote}

// promoteInputs are those of promote alone. The command line's promote has flags of its own.
func promoteInputs() []Input {
	return []Input{
		{Name: "endpoint", Usage: "endpoints whose staged rollouts are driven, by name or id, one a line, or the output staged of an apply", Modes: onPromote, Where: OnlyGitHub, Many: true,
			set: setEndpoints},
		{Name: "on_cancel", Usage: "what a cancelled job or timeout does: rollback or freeze", Modes: onPromote, Where: OnlyGitHub,
			set: func(in *Inputs, v string) error { in.OnCancel = v; return ValidOnCancel(v) }},
		{Name: "no_wait", Usage: "true leaves where an approval is needed", Modes: onPromote, Where: OnlyGitHub, Bool: true,
			set: func(in *Inputs, v string) (err error) { in.NoWait, err = strconv.ParseBool(v); return err }},
		{Name: "timeout", Usage: "longest time to drive, such as 2h", Modes: onPromote, Where: OnlyGitHub, set: setTimeout},
	}
}

// A stagedEntry is an element of the output staged.
type stagedEntry struct {
	Root     string `json:"root"`
	Endpoint string `json:"endpoint"`
	Model    string `json:"model"`
}

// setEndpoints takes names, or what an apply says that it staged.
func setEndpoints(in *Inputs, v string) error {
	v = strings.TrimSpace(v)
	in.Named = true
	if !strings.HasPrefix(v, "[") {
		in.Endpoints = append(in.Endpoints, lines(v)...)
		return nil
	}
	var staged []stagedEntry
	if err := json.Unmarshal([]byte(v), &staged); err != nil {
		return fmt.Errorf("%q: want names, one a line, or the output staged of an apply: %w", v, err)
	}
	for _, s := range staged {
		if s.Endpoint == "" {
			return fmt.Errorf("%q: an element has no endpoint: want the output staged of an apply", v)
		}
		in.Endpoints = append(in.Endpoints, s.Endpoint)
		in.stagedRoots = append(in.stagedRoots, s.Root)
	}
	return nil
}

func setTimeout(in *Inputs, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q: want a duration such as 2h", v)
	}
	in.Timeout = d
	return nil
}

// checkPromote finds what does not go together.
func (in *Inputs) checkPromote() error {
	if len(in.Roots) == 0 {
		in.Roots = []string{"."}
	}
	if len(in.Roots) > 1 || strings.ContainsAny(in.Roots[0], "*?!") {
		return fmt.Errorf("root %s: promote takes one folder: use a step or a job of a matrix for each root", strings.Join(in.Roots, " "))
	}
	if !inside(clean(in.Roots[0])) {
		return fmt.Errorf("root %q: want a folder inside of the repository", in.Roots[0])
	}
	for i, root := range in.stagedRoots {
		if clean(root) != clean(in.Roots[0]) {
			return fmt.Errorf("endpoint: %s was staged by root %s, and this is a promote of root %s: use a job of a matrix for each root", in.Endpoints[i], root, in.Roots[0])
		}
	}
	return nil
}
