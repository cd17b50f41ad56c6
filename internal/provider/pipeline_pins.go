package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

var fullCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// A pinner says what the actions of a workflow are pinned to.
type pinner struct {
	hub   func() (*github.Client, error)
	own   string        // commit that this program was built from; "" if it is not known
	old   workflow.Pins // of the state
	moved bool          // whether the old ones are to be left behind
	away  error         // why GitHub cannot be asked, from the first time on
	why   error         // why one of them was not moved, the last one
}

// pins returns one for each action of s, and says at pins which there cannot be one for.
func (p *pinner) pins(ctx context.Context, s pipeline.Spec, diags *diag.Diagnostics) workflow.Pins {
	used, err := workflow.Actions(s)
	if err != nil {
		at := path.Root("workflow_yaml")
		if s.YAML == "" {
			at = path.Empty()
		}
		diags.AddAttributeError(at, "Which actions the workflow uses is not clear", sentence(err))
		return nil
	}
	all := workflow.Pins{}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		want := used[name]
		at := path.Root("pins")
		if user, ok := s.Pins[name]; ok {
			want, at = user, at.AtMapKey(name)
		}
		pin, err := p.pin(ctx, name, want)
		if err != nil {
			diags.AddAttributeError(at, "Action "+name+" cannot be pinned", sentence(err)+fmt.Sprintf(
				"\nSay which commit it is to be: pins = { %q = \"...\" }, with the 40 digits of a commit that you have looked at, or give a token with which GitHub can be asked.", name))
			continue
		}
		all[name] = pin
	}
	for _, name := range slices.Sorted(maps.Keys(s.Pins)) {
		if _, ok := used[name]; !ok {
			diags.AddAttributeWarning(path.Root("pins").AtMapKey(name), "Nothing uses action "+name,
				"The workflow has no step with it, so its pin has no effect. It uses "+strings.Join(slices.Sorted(maps.Keys(used)), ", ")+".")
		}
	}
	if p.why != nil {
		diags.AddAttributeWarning(path.Root("pins_version"), "GitHub could not be asked for newer versions of actions",
			sentence(p.why)+"\nThe actions of which that is so are pinned to what this version of Tidegate knows, or stay as they are.")
	}
	return all
}

// pin is that of one action; want is what the user asks for, "" for nothing.
func (p *pinner) pin(ctx context.Context, name, want string) (workflow.Pin, error) {
	old, had := p.old[name]
	table, known := workflow.Known(name)
	switch {
	case fullCommit.MatchString(want):
		for _, same := range []workflow.Pin{old, table} {
			if same.Commit == want {
				return same, nil
			}
		}
		return workflow.Pin{Commit: want}, nil
	case had && !p.moved && (want == "" || old.Version == want):
		return old, nil
	case want != "" && known && table.Version == want:
		return table, nil
	case want != "":
		return p.ask(ctx, name, want)
	case name == workflow.Own && fullCommit.MatchString(p.own):
		return workflow.Pin{Commit: p.own}, nil
	case p.moved && (known || had):
		pin, err := p.newest(ctx, name, old, table)
		if err == nil {
			return pin, nil
		}
		if p.why = err; known {
			return table, nil
		}
		return old, nil
	case known:
		return table, nil
	}
	return workflow.Pin{}, errors.New("this version of Tidegate has no pin of its own for it")
}

// ask resolves a version that the user wants.
func (p *pinner) ask(ctx context.Context, name, ref string) (workflow.Pin, error) {
	c, err := p.client()
	if err != nil {
		return workflow.Pin{}, err
	}
	found, err := c.Resolve(ctx, name, ref)
	if err != nil {
		return workflow.Pin{}, p.lost(err)
	}
	return workflow.Pin{Commit: found.Commit, Version: ref}, nil
}

// newest is the newest pin of the major version that was there, or that is known.
func (p *pinner) newest(ctx context.Context, name string, old, table workflow.Pin) (workflow.Pin, error) {
	like := table.Version
	if like == "" {
		like = old.Version
	}
	if like == "" {
		return workflow.Pin{}, fmt.Errorf("find the newest version of %s: which one it has now is not known", name)
	}
	c, err := p.client()
	if err != nil {
		return workflow.Pin{}, err
	}
	found, err := c.Newest(ctx, name, like)
	if err != nil {
		return workflow.Pin{}, p.lost(err)
	}
	return workflow.Pin{Commit: found.Commit, Version: found.Version}, nil
}

func (p *pinner) client() (*github.Client, error) {
	if p.away != nil {
		return nil, p.away
	}
	c, err := p.hub()
	return c, p.lost(err)
}

// lost remembers that GitHub cannot be reached: each try takes its time.
func (p *pinner) lost(err error) error {
	if unreachable(err) {
		p.away = err
	}
	return err
}

// pinsOf reads the attribute pinned_actions.
func pinsOf(m types.Map) workflow.Pins {
	all := workflow.Pins{}
	for name, text := range pairs(m) {
		commit, version, _ := strings.Cut(text, " ")
		all[name] = workflow.Pin{Commit: commit, Version: version}
	}
	return all
}

// pinsValue is pins as the attribute pinned_actions.
func pinsValue(pins workflow.Pins) types.Map {
	all := map[string]attr.Value{}
	for name, p := range pins {
		all[name] = types.StringValue(strings.TrimSpace(p.Commit + " " + p.Version))
	}
	return types.MapValueMust(types.StringType, all)
}

var pinnedUse = regexp.MustCompile(`(?m)^[ \t-]*uses:[ \t]*["']?([^@\s"'#]+)@([0-9a-f]{40})["']?(?:[ \t]+#[ \t]*(\S+))?`)

// pinsIn are the pins that a workflow has, for an import: the next plan keeps them.
func pinsIn(yaml string) workflow.Pins {
	all := workflow.Pins{}
	for _, m := range pinnedUse.FindAllStringSubmatch(yaml, -1) {
		all[m[1]] = workflow.Pin{Commit: m[2], Version: m[3]}
	}
	return all
}
