package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Where a value with expressions is, and so which contexts it may name. GitHub knows fewer before a job begins.
var (
	inJob  = []string{"github", "secrets", "vars"}
	inStep = []string{"github", "secrets", "vars", "steps", "runner"}
)

// expressions looks at the expressions of a value of env or with. They are wanted there: a secret, a variable, what GitHub
// knows of the run. Refused is what gives away more than it names, such as all secrets at once, and in with what people
// from outside have written: some actions take an input for code.
func expressions(value string, contexts []string, with bool) error {
	for rest := value; ; {
		_, after, found := strings.Cut(rest, "${{")
		if !found {
			return nil
		}
		l := actionlint.NewExprLexer(after)
		tree, err := actionlint.NewExprParser().Parse(l)
		if err != nil {
			return fmt.Errorf("it cannot be read: %s", err.Message)
		}
		if err := allowed(tree, contexts); err != nil {
			return err
		}
		if with {
			if err := trusted(tree); err != nil {
				return err
			}
		}
		rest = after[min(max(l.Offset(), 0), len(after)):]
	}
}

// allowed checks that contexts are named with what is wanted of them.
func allowed(tree actionlint.ExprNode, contexts []string) (err error) {
	fail := func(format string, args ...any) {
		if err == nil {
			err = fmt.Errorf(format, args...)
		}
	}
	actionlint.VisitExprNode(tree, func(n, parent actionlint.ExprNode, entering bool) {
		if !entering {
			return
		}
		switch n := n.(type) {
		case *actionlint.VariableNode:
			if !slices.Contains(contexts, n.Name) {
				fail("%s is not known there: want %s", n.Name, or(contexts))
			}
			if !takenByName(n, parent) {
				fail("all of %s is more than anybody needs: want one value of it, such as %s.NAME", n.Name, n.Name)
			}
		case *actionlint.ArrayDerefNode:
			fail("* takes all values of something: want one by its name")
		case *actionlint.IndexAccessNode:
			if _, ok := n.Index.(*actionlint.StringNode); !ok {
				fail("an index that is computed could name anything: want a name")
			}
		}
	})
	return err
}

// takenByName reports whether a value of a context is taken by name.
func takenByName(n, parent actionlint.ExprNode) bool {
	switch p := parent.(type) {
	case *actionlint.ObjectDerefNode:
		return p.Receiver == n
	case *actionlint.IndexAccessNode:
		_, ok := p.Index.(*actionlint.StringNode)
		return p.Operand == n && ok
	}
	return false
}

// trusted refuses what people from outside of the repository write: titles, names of branches, texts of commits.
func trusted(tree actionlint.ExprNode) error {
	checker := actionlint.NewUntrustedInputChecker(actionlint.BuiltinUntrustedInputs)
	actionlint.VisitExprNode(tree, func(n, _ actionlint.ExprNode, entering bool) {
		if entering {
			checker.OnVisitNodeEnter(n)
			return
		}
		checker.OnVisitNodeLeave(n)
	})
	checker.OnVisitEnd()
	if len(checker.Errs()) > 0 {
		return fmt.Errorf("people from outside write that, and an action may take its input for code: give it to a script by env")
	}
	return nil
}

// usesSecrets reports whether a stage's job is given secrets. The job's own token is none: on a pull request from a fork it
// may only read.
func usesSecrets(s pipeline.Stage) bool {
	given := func(m map[string]string) bool {
		for _, v := range m {
			if rest := strings.ToLower(v); strings.Contains(rest, "${{") &&
				strings.Contains(strings.ReplaceAll(rest, "secrets.github_token", ""), "secrets") {
				return true
			}
		}
		return false
	}
	return given(s.Env) || slices.ContainsFunc(s.Steps, func(step pipeline.Step) bool { return given(step.Env) || given(step.With) })
}
