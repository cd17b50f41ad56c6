package workflow

import (
	"fmt"
	"maps"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Actions returns what has to be pinned before Render and PinYAML: the names of the actions that the workflow of s uses,
// each with the ref that the user wants ("" where the renderer chose the action and nobody said more). A workflow in the
// user's own words has what it does not pin itself.
func Actions(s pipeline.Spec) (map[string]string, error) {
	refs, err := yamlActions(s.YAML)
	if s.YAML == "" {
		refs, err = stepActions(s)
	}
	if err != nil {
		return nil, err
	}
	for name := range refs {
		for _, wanted := range []string{repositoryOf(name), name} {
			if ref, ok := s.Pins[wanted]; ok {
				refs[name] = ref
			}
		}
	}
	return refs, nil
}

// yamlActions are the actions of a workflow that it does not pin itself.
func yamlActions(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	refs := refs{}
	for _, n := range usesOf(root) {
		u := parseUses(resolve(n).Value)
		if !u.action() || u.pinned() {
			continue // Lint says what is wrong with others
		}
		if err := refs.add(u); err != nil {
			return nil, fmt.Errorf("line %d: %w", n.Line, err)
		}
	}
	return refs, nil
}

// stepActions are the actions of the stages' rendered jobs and of the steps that users added to them.
func stepActions(s pipeline.Spec) (map[string]string, error) {
	refs := refs{}
	for _, stage := range stagesOf(s) {
		for _, step := range stage.Steps {
			u := parseUses(step.Uses)
			if !u.action() {
				continue
			}
			if err := refs.add(u); err != nil {
				return nil, err
			}
		}
	}
	all := renderedActions(s)
	maps.Copy(all, refs)
	return all, nil
}

// refs are what users want of actions, by their names.
type refs map[string]string

// add remembers an action. A pipeline has one version of each: two would be told apart by nothing that people see.
func (r refs) add(u used) error {
	if before, ok := r[u.name]; ok && before != u.ref {
		return fmt.Errorf("%s@%s and %s@%s are in one workflow: a pipeline pins one version of an action; write the same ref for both, or full commits",
			u.name, before, u.name, u.ref)
	}
	r[u.name] = u.ref
	return nil
}

// stagesOf are the stages that are asked for.
func stagesOf(s pipeline.Spec) []*pipeline.Stage {
	var all []*pipeline.Stage
	if s.Test != nil {
		all = append(all, &s.Test.Stage)
	}
	if s.Data != nil {
		all = append(all, &s.Data.Stage)
	}
	if s.Train != nil {
		all = append(all, &s.Train.Stage)
	}
	if s.Evaluate != nil {
		all = append(all, &s.Evaluate.Stage)
	}
	if s.Package != nil {
		all = append(all, &s.Package.Stage)
	}
	if s.Scan != nil {
		all = append(all, &s.Scan.Stage)
	}
	for i := range s.Deploys {
		all = append(all, &s.Deploys[i].Stage)
	}
	if s.Monitor != nil {
		all = append(all, &s.Monitor.Stage)
	}
	return all
}
