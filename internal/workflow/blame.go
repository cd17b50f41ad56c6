package workflow

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Blame returns the attribute of s that a finding in its rendered workflow is about, as pipeline.Problem has it, as near
// as can be told: {"train", "step", 0, "uses"}, {"deploy", 1}. It is nil for what the renderer added by itself.
func Blame(s pipeline.Spec, text string, f Finding) []any {
	if s.YAML != "" {
		return []any{"workflow_yaml"}
	}
	root, err := parse(text)
	if err != nil {
		return nil
	}
	at, nodes := placeOf(root, f)
	switch {
	case len(at) == 0:
		return nil
	case at[0] == "name":
		return []any{"name"}
	case at[0] == "on":
		return []any{"triggers"}
	case at[0] != "jobs" || len(at) < 2:
		return nil
	}
	job, _ := at[1].(string)
	stage, prefix := stageOf(s, job)
	if stage == nil {
		return nil
	}
	return append(prefix, stageAttribute(stage, scriptOf(s, prefix), at[2:], nodes[2:])...)
}

// placeOf follows a finding from the root of a tree: keys and numbers of elements, and the value at each.
func placeOf(n *yaml.Node, f Finding) (at []any, nodes []*yaml.Node) {
	before := func(n *yaml.Node) bool { return n.Line < f.Line || n.Line == f.Line && n.Column <= max(f.Column, 1) }
	for {
		last := -1
		for i, c := range n.Content {
			if before(c) && (n.Kind != yaml.MappingNode || i%2 == 0) {
				last = i
			}
		}
		if last < 0 {
			return at, nodes
		}
		if n.Kind == yaml.MappingNode {
			at, n = append(at, n.Content[last].Value), n.Content[last+1]
		} else {
			at, n = append(at, last), n.Content[last]
		}
		nodes = append(nodes, n)
	}
}

// stageOf returns the stage that a job is of, and the path of its block.
func stageOf(s pipeline.Spec, job string) (*pipeline.Stage, []any) {
	name, rest, _ := strings.Cut(job, "-")
	switch {
	case (job == "test" || job == "test-matrix") && s.Test != nil:
		return &s.Test.Stage, []any{"test"}
	case job == "data" && s.Data != nil:
		return &s.Data.Stage, []any{"data"}
	case job == "train" && s.Train != nil:
		return &s.Train.Stage, []any{"train"}
	case job == "evaluate" && s.Evaluate != nil:
		return &s.Evaluate.Stage, []any{"evaluate"}
	case (job == "package" || job == "sbom" || job == "attest") && s.Package != nil:
		return &s.Package.Stage, []any{"package"}
	case name == "scan" && s.Scan != nil:
		return &s.Scan.Stage, []any{"scan"}
	case name == "monitor" && s.Monitor != nil:
		return &s.Monitor.Stage, []any{"monitor"}
	case name == "plan" || name == "deploy":
		i := slices.IndexFunc(s.Deploys, func(d pipeline.Deploy) bool { return d.Name == rest })
		if i >= 0 {
			return &s.Deploys[i].Stage, []any{"deploy", i}
		}
	}
	return nil, nil
}

// A stageScript is what a stage runs, and the argument that says so.
type stageScript struct{ argument, text string }

func scriptOf(s pipeline.Spec, block []any) stageScript {
	switch block[0] {
	case "test":
		return stageScript{"run", s.Test.Run}
	case "data":
		return stageScript{"validate", s.Data.Validate}
	case "train":
		return stageScript{"run", s.Train.Run}
	case "monitor":
		return stageScript{"run", s.Monitor.Run}
	}
	return stageScript{}
}

// stageAttribute is the argument of a stage that a place in its job comes from; nil where the renderer chose it.
func stageAttribute(stage *pipeline.Stage, script stageScript, at []any, nodes []*yaml.Node) []any {
	if len(at) == 0 {
		return nil
	}
	switch at[0] {
	case "runs-on":
		return []any{"runs_on"}
	case "timeout-minutes":
		return []any{"timeout_minutes"}
	case "environment":
		return []any{"environment"}
	case "strategy":
		return keyed("matrix", at, 2)
	case "env":
		return keyedIn("env", stage.Env, at[1:])
	case "permissions":
		return keyedIn("permissions", stage.Permissions, at[1:])
	case "steps":
		if len(at) > 1 {
			return stepAttribute(stage, script, at[2:], nodes[1])
		}
	}
	return nil
}

// stepAttribute finds a step among those that the user added.
func stepAttribute(stage *pipeline.Stage, script stageScript, at []any, step *yaml.Node) []any {
	value := func(key string) string {
		if n := lookup(step, key); n != nil {
			return n.Value
		}
		return ""
	}
	same := func(a, b string) bool { return strings.TrimRight(a, "\n") == strings.TrimRight(b, "\n") }
	i := slices.IndexFunc(stage.Steps, func(s pipeline.Step) bool {
		return s.Name == value("name") && same(s.Run, value("run")) && parseUses(s.Uses).name == parseUses(value("uses")).name
	})
	switch {
	case i < 0 && script.text != "" && same(script.text, value("run")):
		return []any{script.argument}
	case i < 0:
		return nil
	}
	found := []any{"step", i}
	if len(at) == 0 {
		return found
	}
	switch at[0] {
	case "uses", "run", "name":
		return append(found, at[0])
	case "with":
		return append(found, keyedIn("with", stage.Steps[i].With, at[1:])...)
	case "env":
		return append(found, keyedIn("env", stage.Steps[i].Env, at[1:])...)
	}
	return found
}

// keyed is an argument that is a map, with the key that is at a place, if there is one.
func keyed(argument string, at []any, i int) []any {
	if len(at) <= i {
		return []any{argument}
	}
	return []any{argument, at[i]}
}

// keyedIn is the same for a map in which the renderer has entries as well: of those nobody is to blame.
func keyedIn(argument string, of map[string]string, at []any) []any {
	if len(at) == 0 {
		return []any{argument}
	}
	if key, _ := at[0].(string); key != "" {
		if _, ok := of[key]; ok {
			return []any{argument, key}
		}
	}
	return nil
}
