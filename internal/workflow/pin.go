package workflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// eachUse calls do with every field of a tree that names an action.
func eachUse(tree fields, do func(f *field)) {
	for i := range tree {
		switch v := tree[i].value.(type) {
		case fields:
			eachUse(v, do)
		case list:
			for _, element := range v {
				if fs, ok := element.(fields); ok {
					eachUse(fs, do)
				}
			}
		case string:
			if tree[i].name == "uses" {
				do(&tree[i])
			}
		}
	}
}

// pin puts commits behind all actions of a tree.
func pin(tree fields, pins Pins) error {
	var missing []string
	eachUse(tree, func(f *field) {
		u := parseUses(f.value.(string))
		if u.local || u.image && u.pinned() {
			return
		}
		p, ok := pinOf(pins, u)
		if !ok && u.pinned() {
			return
		}
		if !ok || !fullCommit.MatchString(p.Commit) {
			missing = append(missing, u.name)
			return
		}
		f.value, f.note = u.name+"@"+p.Commit, p.Version
	})
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	var errs []error
	for _, name := range slices.Compact(missing) {
		errs = append(errs, fmt.Errorf("action %s has no commit to be pinned to: set pins = { %q = \"v1.2.3\" }, or a commit of 40 digits", name, name))
	}
	return errors.Join(errs...)
}

// pinOf returns the pin of an action, which may be a folder of a repository that has one.
func pinOf(pins Pins, u used) (Pin, bool) {
	if p, ok := pins[u.name]; ok {
		return p, true
	}
	parts := strings.SplitN(u.name, "/", 3)
	if len(parts) < 3 {
		return Pin{}, false
	}
	p, ok := pins[parts[0]+"/"+parts[1]]
	return p, ok
}

// renderedActions are the actions of the stages' jobs and of the steps that users added, by their names. None has a ref.
func renderedActions(s pipeline.Spec) map[string]string {
	names := map[string]string{}
	eachUse(build(s), func(f *field) {
		if u := parseUses(f.value.(string)); !u.local && !u.image {
			names[u.name] = ""
		}
	})
	return names
}
