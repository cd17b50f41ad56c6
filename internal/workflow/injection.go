package workflow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// injections finds scripts that people write who are not to write any: GitHub puts the value of an expression into a script
// before a shell reads it, and whoever chooses a title or the name of a branch chooses commands. actionlint knows a list of
// such values; here everything of an event is one that is not known to be harmless, and so are names of refs and inputs.
// Called without a workflow that can be read, it finds nothing: actionlint says what is wrong with it.
func injections(text string) (found []Finding) {
	root, err := parse(text)
	if err != nil {
		return nil
	}
	lines := strings.Split(text, "\n")
	eachJob(root, func(_, job *yaml.Node) {
		for _, step := range items(lookup(job, "steps")) {
			found = append(found, injected(lookup(step, "run"), lines)...)
			if uses := lookup(step, "uses"); uses != nil && strings.EqualFold(parseUses(uses.Value).name, "actions/github-script") {
				found = append(found, injected(lookup(lookup(step, "with"), "script"), lines)...)
			}
			found = append(found, checksOutStrangers(root, step)...)
		}
	})
	return found
}

func eachJob(root *yaml.Node, do func(id, job *yaml.Node)) {
	if jobs := lookup(root, "jobs"); jobs != nil {
		pairs(jobs, do)
	}
}

// injected looks at the expressions of one script.
func injected(script *yaml.Node, lines []string) (found []Finding) {
	if script == nil || script.Kind != yaml.ScalarNode {
		return nil
	}
	p := placer{lines: lines, line: script.Line - 1}
	for rest := script.Value; ; {
		_, after, ok := strings.Cut(rest, "${{")
		if !ok {
			return found
		}
		l := actionlint.NewExprLexer(after)
		tree, err := actionlint.NewExprParser().Parse(l)
		if err != nil {
			return found // actionlint says so
		}
		end := min(max(l.Offset(), 0), len(after))
		line, column := p.place("${{" + after[:end])
		if line == 0 {
			line, column = script.Line, script.Column
		}
		if name := strangers(tree); name != "" {
			found = append(found, Finding{Line: line, Column: column, Kind: "injection", Message: fmt.Sprintf(
				"whoever chooses %s chooses what is run here: its text is put into the script before a shell reads it. Put it into env, NAME: ${{ %s }}, and write \"$NAME\" in the script", name, name)})
		}
		rest = after[end:]
	}
}

// A placer finds texts in the lines of a file, each behind the one before.
type placer struct {
	lines        []string
	line, column int // from 0
}

// place is line and column of a text, from 1; 0 if it is nowhere, as one that is folded over lines.
func (p *placer) place(text string) (line, column int) {
	for n := p.line; n < len(p.lines); n++ {
		from := 0
		if n == p.line {
			from = min(p.column, len(p.lines[n]))
		}
		if at := strings.Index(p.lines[n][from:], text); at >= 0 {
			p.line, p.column = n, from+at+len(text)
			return n + 1, from + at + 1
		}
	}
	return 0, 0
}

// strangers is the first value in an expression that others choose; "" for none. What only says yes or no is no text of theirs.
func strangers(n actionlint.ExprNode) string {
	switch n := n.(type) {
	case *actionlint.LogicalOpNode:
		if name := strangers(n.Right); name != "" {
			return name
		}
		return strangers(n.Left)
	case *actionlint.FuncCallNode:
		if slices.Contains([]string{"contains", "startswith", "endswith", "hashfiles", "always", "success", "failure", "cancelled"}, strings.ToLower(n.Callee)) {
			return ""
		}
		for _, a := range n.Args {
			if name := strangers(a); name != "" {
				return name
			}
		}
		return ""
	case *actionlint.VariableNode, *actionlint.ObjectDerefNode, *actionlint.IndexAccessNode, *actionlint.ArrayDerefNode:
		if name := property(n); chosen(name) {
			return name
		}
	}
	return ""
}

// property writes a value of a context as it is taken: github.event.issue.title, * for what is not a name.
func property(n actionlint.ExprNode) string {
	switch n := n.(type) {
	case *actionlint.VariableNode:
		return strings.ToLower(n.Name)
	case *actionlint.ObjectDerefNode:
		return property(n.Receiver) + "." + strings.ToLower(n.Property)
	case *actionlint.IndexAccessNode:
		if s, ok := n.Index.(*actionlint.StringNode); ok {
			return property(n.Operand) + "." + strings.ToLower(s.Value)
		}
		return property(n.Operand) + ".*"
	case *actionlint.ArrayDerefNode:
		return property(n.Receiver) + ".*"
	}
	return "*"
}

// harmless are values of an event that are numbers, commits, words of GitHub's own, or names made of letters and digits.
var harmless = regexp.MustCompile(`\.(number|id|[a-z]+_id|sha|before|after|action|merged|draft|forced|created|deleted|[a-z]+_at|login|full_name|state|schedule|count|size)$`)

func chosen(name string) bool {
	switch name {
	case "github.event.repository.default_branch":
		return false
	case "github", "github.event", "github.head_ref", "github.base_ref", "github.ref", "github.ref_name", "inputs":
		return true
	}
	return strings.HasPrefix(name, "github.*") || strings.HasPrefix(name, "inputs.") || strings.HasPrefix(name, "github.event.inputs.") ||
		strings.HasPrefix(name, "github.event.client_payload.") ||
		strings.HasPrefix(name, "github.event.") && !harmless.MatchString(name)
}

// checksOutStrangers finds code of a pull request that runs with the secrets of its target.
func checksOutStrangers(root, step *yaml.Node) []Finding {
	if !triggered(root, "pull_request_target") && !triggered(root, "workflow_run") && !triggered(root, "issue_comment") {
		return nil
	}
	uses := lookup(step, "uses")
	if uses == nil || !strings.EqualFold(parseUses(uses.Value).name, "actions/checkout") {
		return nil
	}
	for _, input := range []string{"ref", "repository"} {
		v := lookup(lookup(step, "with"), input)
		if v == nil || !strings.Contains(v.Value, "${{") {
			continue
		}
		if said := strings.ToLower(v.Value); strings.Contains(said, "head") || strings.Contains(said, "pull_request") || strings.Contains(said, "pull/") {
			return []Finding{{Line: v.Line, Column: v.Column, Kind: "injection", Message: "the event that starts this workflow gives it secrets and a token that writes, and here it checks out " +
				"what anybody sent as a pull request: let pull_request start it, or check out nothing of the pull request's"}}
		}
	}
	return nil
}

// triggered reports whether an event starts a workflow.
func triggered(root *yaml.Node, event string) bool {
	on := lookup(root, "on")
	if on == nil {
		return false
	}
	if on.Kind == yaml.ScalarNode {
		return on.Value == event
	}
	return lookup(on, event) != nil || slices.ContainsFunc(items(on), func(n *yaml.Node) bool { return resolve(n).Value == event })
}
