package workflow

import (
	"strings"

	"github.com/rhysd/actionlint"
)

// An answer to a condition on a pull request.
type answer int

const (
	perhaps answer = iota // only a run can say
	never
	always
)

// pullContext is what is known of every run on a pull request.
var pullContext = map[string]string{"github.event_name": "pull_request"}

// onPull answers the if of a job for pull requests. It answers what can be read from the event's name and from refs of
// branches and tags, which a pull request's run never has.
func onPull(condition string) answer {
	if len(condition) > maxExpression {
		return perhaps
	}
	s := strings.TrimSpace(condition)
	if inner, ok := strings.CutPrefix(s, "${{"); ok {
		inner, ok = strings.CutSuffix(inner, "}}")
		if !ok || strings.Contains(inner, "${{") {
			return perhaps
		}
		s = inner
	}
	expression, err := actionlint.NewExprParser().Parse(actionlint.NewExprLexer(s + "}}"))
	if err != nil {
		return perhaps
	}
	return decide(expression)
}

func decide(n actionlint.ExprNode) answer {
	switch n := n.(type) {
	case *actionlint.BoolNode:
		return truth(n.Value)
	case *actionlint.NotOpNode:
		return not(decide(n.Operand))
	case *actionlint.LogicalOpNode:
		left, right := decide(n.Left), decide(n.Right)
		if n.Kind == actionlint.LogicalOpNodeKindOr {
			return not(both(not(left), not(right)))
		}
		return both(left, right)
	case *actionlint.CompareOpNode:
		return compare(n)
	case *actionlint.FuncCallNode:
		return call(n)
	}
	return perhaps
}

func compare(n *actionlint.CompareOpNode) answer {
	subject, text := n.Left, n.Right
	if _, ok := subject.(*actionlint.StringNode); ok {
		subject, text = text, subject
	}
	literal, ok := text.(*actionlint.StringNode)
	if !ok {
		return perhaps
	}
	equal := perhaps
	name := contextName(subject)
	if is, known := pullContext[name]; known {
		equal = truth(strings.EqualFold(is, literal.Value)) // GitHub compares so
	}
	if otherRef(name, literal.Value) {
		equal = never
	}
	switch n.Kind {
	case actionlint.CompareOpNodeKindEq:
		return equal
	case actionlint.CompareOpNodeKindNotEq:
		return not(equal)
	default:
		return perhaps
	}
}

// call knows functions of a job's status: those before it may have gone well or not, but startsWith with a branch is never true.
func call(n *actionlint.FuncCallNode) answer {
	switch strings.ToLower(n.Callee) {
	case "always":
		return always
	case "startswith":
		if len(n.Args) == 2 {
			if prefix, ok := n.Args[1].(*actionlint.StringNode); ok && otherRef(contextName(n.Args[0]), prefix.Value) {
				return never
			}
		}
	}
	return perhaps
}

// otherRef reports whether a ref is one of a branch or a tag. That of a pull request's run is refs/pull/NUMBER/merge.
func otherRef(name, ref string) bool {
	ref = strings.ToLower(ref)
	return name == "github.ref" && (strings.HasPrefix(ref, "refs/heads/") || strings.HasPrefix(ref, "refs/tags/"))
}

// contextName writes github.event_name as it is, "" for what is no property of a context.
func contextName(n actionlint.ExprNode) string {
	if d, ok := n.(*actionlint.ObjectDerefNode); ok {
		if v, ok := d.Receiver.(*actionlint.VariableNode); ok {
			return strings.ToLower(v.Name + "." + d.Property)
		}
	}
	return ""
}

// asksForStatus reports whether a condition has a function of status, without which a job waits for the success of all
// that it needs.
func asksForStatus(condition string) bool {
	s := strings.ToLower(condition)
	for _, f := range []string{"always", "failure", "cancelled"} {
		if strings.Contains(s, f) {
			return true
		}
	}
	return false
}

func truth(b bool) answer {
	if b {
		return always
	}
	return never
}

func not(a answer) answer {
	switch a {
	case always:
		return never
	case never:
		return always
	default:
		return perhaps
	}
}

func both(a, b answer) answer {
	switch {
	case a == never || b == never:
		return never
	case a == always && b == always:
		return always
	}
	return perhaps
}
