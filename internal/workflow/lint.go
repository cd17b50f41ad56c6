package workflow

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// A Finding is something wrong with a workflow.
type Finding struct {
	Line, Column int // of the YAML, from 1; 0 where it is about the Spec
	Kind         string
	Message      string
}

// Lint checks a workflow as actionlint does, without its external tools, that every action is pinned, and that nobody from outside
// can choose what a script does (injections). It reads nothing
// but yaml: no configuration of actionlint, and no local action. path is for errors, which say that there was no checking.
//
// Labels of runners are taken as they are: which runners an organization has is not in the file.
func Lint(path, yaml string) (findings []Finding, err error) {
	// actionlint reads what people write, and is not ours: what it cannot stand shall not end the program.
	defer func() {
		if p := recover(); p != nil {
			findings, err = nil, fmt.Errorf("lint %s: actionlint panicked: %v", path, p)
		}
	}()
	at := new(positionError)
	if _, err := parse(yaml); errors.As(err, &at) { // what is no YAML, actionlint says with its place
		return []Finding{{Line: at.line, Column: at.column, Kind: "syntax-check", Message: at.message}}, nil
	}
	pinned := newPinRule(yaml)
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{
		Oneline: true, // else it looks for the line of each finding, to print it to nobody
		OnRulesCreated: func(rules []actionlint.Rule) []actionlint.Rule {
			return slices.Insert(rules, 0, actionlint.Rule(pinned))
		},
	})
	if err != nil {
		return nil, fmt.Errorf("lint %s: %w", path, err)
	}
	found, err := linter.Lint("<stdin>", []byte(yaml), nil) // actionlint looks for no project around this name
	if err != nil {
		return nil, fmt.Errorf("lint %s: %w", path, err)
	}
	findings = injections(yaml)
	for _, f := range found {
		if f.Kind == "expression" && strings.Contains(f.Message, "potentially untrusted") {
			continue // injections has it, and more, but for questions about such a text, whose answer is yes or no
		}
		if f.Kind == "runner-label" && strings.Contains(f.Message, "is unknown") {
			continue // that labels of one job contradict each other is still found
		}
		findings = append(findings, Finding{Line: f.Line, Column: f.Column, Kind: f.Kind, Message: f.Message})
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	return findings, nil
}

// pinRule finds what is used by a name that can be moved to other code: a tag, a branch, a short commit.
type pinRule struct {
	actionlint.RuleBase
	lines []string
}

func newPinRule(yaml string) *pinRule {
	return &pinRule{actionlint.NewRuleBase("pinned", "Checks that actions are pinned to commits"), strings.Split(yaml, "\n")}
}

// VisitJobPre looks at a called workflow.
func (r *pinRule) VisitJobPre(j *actionlint.Job) error {
	if j.WorkflowCall != nil {
		r.check(j.WorkflowCall.Uses)
	}
	return nil
}

// VisitStep looks at an action. It goes before actionlint's own rules, which know actions by their major version: they are
// told the version that stands behind a commit, so that inputs and outputs are checked.
func (r *pinRule) VisitStep(s *actionlint.Step) error {
	if e, ok := s.Exec.(*actionlint.ExecAction); ok && r.check(e.Uses) {
		e.Uses.Value = r.spoken(e.Uses)
	}
	return nil
}

// check reports what is not pinned. It is true for an action that is pinned to a commit.
func (r *pinRule) check(uses *actionlint.String) bool {
	if uses == nil || uses.Value == "" {
		return false // actionlint says so
	}
	switch u := parseUses(uses.Value); {
	case u.local, u.image && u.pinned():
		return false
	case u.pinned():
		return true
	case u.image:
		r.Errorf(uses.Pos, "image %q can be replaced behind its name: write its digest, docker://IMAGE@sha256:...", uses.Value)
	default:
		r.Errorf(uses.Pos, "%q is not pinned to a commit, and can become other code: write %s@ and all 40 digits of a commit, with its version in a comment",
			uses.Value, u.name)
	}
	return false
}

var majorBehind = regexp.MustCompile(`@[0-9a-fA-F]{40}["']?\s+#\s*(v[0-9]+)\b`)

// spoken names a pinned action as actionlint knows it, "actions/checkout@v6", where the line has the version in a comment.
func (r *pinRule) spoken(uses *actionlint.String) string {
	if uses.Pos == nil || uses.Pos.Line > len(r.lines) {
		return uses.Value
	}
	m := majorBehind.FindStringSubmatch(r.lines[uses.Pos.Line-1])
	if m == nil {
		return uses.Value
	}
	known := parseUses(uses.Value).name + "@" + m[1]
	if _, ok := actionlint.PopularActions[known]; !ok {
		return uses.Value // an outdated one is what the commit says, not the comment
	}
	return known
}
