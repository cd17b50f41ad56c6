package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// actionOf reads the actions of a change, which Terraform lists in their order.
func actionOf(actions tfjson.Actions) (a Action, createFirst bool, err error) {
	switch words := fmt.Sprint(actions); words {
	case "[no-op]":
		return NoOp, false, nil
	case "[create]":
		return Create, false, nil
	case "[read]":
		return Read, false, nil
	case "[update]":
		return Update, false, nil
	case "[delete]":
		return Delete, false, nil
	case "[forget]":
		return Forget, false, nil
	case "[delete create]", "[forget create]":
		return Replace, false, nil
	case "[create delete]", "[create forget]":
		return Replace, true, nil
	default:
		return "", false, fmt.Errorf("actions %.60q: want create, read, update, delete, forget, no-op, or create with delete or forget; a newer Tidegate may know them", words)
	}
}

// change tells what a plan does to a resource, and adds it to the fingerprint if print is set.
func (p *parser) change(rc *tfjson.ResourceChange, print bool) (Change, error) {
	if rc.Address == "" || rc.Change == nil {
		return Change{}, errors.New("a resource change has no address or no change")
	}
	action, first, err := actionOf(rc.Change.Actions)
	if err != nil {
		return Change{}, fmt.Errorf("%s: %w", blot(rc.Address), err)
	}
	c := Change{
		Address: rc.Address, Module: rc.ModuleAddress, Type: rc.Type, Name: rc.Name,
		Provider: rc.ProviderName, Deposed: rc.DeposedKey, Action: action, CreateFirst: first, Reason: string(rc.ActionReason),
	}
	if rc.Mode == tfjson.DataResourceMode {
		c.Type = "data." + c.Type
	}
	if rc.PreviousAddress != rc.Address {
		c.Previous = rc.PreviousAddress
	}
	if i := rc.Change.Importing; i != nil {
		c.Imported = imported(i)
	}
	before := side{rc.Change.Before, rc.Change.BeforeSensitive, nil}
	after := side{rc.Change.After, rc.Change.AfterSensitive, rc.Change.AfterUnknown}
	if action == NoOp && c.Previous == "" && c.Imported == "" {
		p.conceal(marked(before)...)
		return c, nil // nothing is done to it
	}
	red := newRedaction(rc.Type, before.value, after.value)
	forced := replacePaths(rc.Change.ReplacePaths)
	leaves := p.prints.leaves()
	walk(before, after, func(l leaf) {
		p.note(l, red)
		if print {
			leaves.add(l, red)
		}
		c.Attributes = show(c.Attributes, l, red, forced)
	})
	c.Note = explain(rc.Type, action, before, after)
	if print {
		p.prints.resource(rc, leaves)
	}
	return c, nil
}

// imported names what a resource is imported by.
func imported(i *tfjson.Importing) string {
	switch {
	case i.ID != "":
		return i.ID
	case i.Identity != nil:
		return inline(i.Identity)
	case i.Unknown:
		return "(known after apply)"
	}
	return "(unnamed)"
}

// output tells how a root module's output changes.
func (p *parser) output(name string, c *tfjson.Change) (OutputChange, error) {
	action, _, err := actionOf(c.Actions)
	if err != nil {
		return OutputChange{}, fmt.Errorf("output %s: %w", blot(name), err)
	}
	// An output is shown whole, so one mark anywhere in it hides it.
	o := OutputChange{Name: name, Action: action}
	l := leaf{path: trail{name}, before: whole(c.Before, c.BeforeSensitive, nil), after: whole(c.After, c.AfterSensitive, c.AfterUnknown)}
	red := newRedaction("output")
	p.note(l, red)
	if action == NoOp {
		return o, nil
	}
	o.Before, o.After = shown(l.path, l.before, red), shown(l.path, l.after, red)
	leaves := p.prints.leaves()
	leaves.add(l, red)
	p.prints.add("output "+name, string(action), leaves.bytes)
	return o, nil
}

func whole(value, sensitive, unknown any) cell {
	switch c := (cell{value: value, kind: Known, marked: holds(sensitive)}); {
	case holds(unknown):
		c.kind = Unknown
		return c
	case value == nil:
		return cell{}
	case c.marked:
		c.kind = Sensitive
		return c
	default:
		return c
	}
}

// note keeps what is secret in a leaf, so that it can be scrubbed elsewhere.
func (p *parser) note(l leaf, r redaction) {
	for _, c := range []cell{l.before, l.after} {
		if c.marked {
			p.conceal(c.value)
			continue
		}
		if s, ok := c.value.(string); ok && (secretName(lastName(l.path)) || r.place(l.path) && r.secret) {
			p.conceal(s)
		}
	}
}

// conceal adds all texts and long numbers in values.
func (p *parser) conceal(values ...any) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			if len(v) >= leastSecret {
				p.secrets[v] = struct{}{}
			}
		case json.Number:
			p.conceal(v.String())
		case []any:
			p.conceal(v...)
		case map[string]any:
			for _, e := range v {
				p.conceal(e)
			}
		}
	}
}

// marked are the values in s that the plan marks sensitive.
func marked(s side) (out []any) {
	if !holds(s.sensitive) {
		return nil
	}
	walk(s, side{}, func(l leaf) {
		if l.before.marked {
			out = append(out, l.before.value)
		}
	})
	return out
}

// replacePaths writes the paths that force a replacement.
func replacePaths(paths []any) []string {
	var out []string
	for _, path := range paths {
		elements, _ := path.([]any)
		var t trail
		for _, e := range elements {
			switch e := e.(type) {
			case string:
				t = append(t, e)
			case json.Number:
				if i, err := e.Int64(); err == nil {
					t = append(t, int(i))
				}
			}
		}
		out = append(out, t.String())
	}
	return out
}

// forces reports whether a path is one of those that force a replacement, or below one.
func forces(forced []string, path string) bool {
	return slices.ContainsFunc(forced, func(f string) bool {
		rest, ok := strings.CutPrefix(path, f)
		return ok && f != "" && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}
