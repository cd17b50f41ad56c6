package workflow_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

const (
	checkoutCommit = "3d3c42e5aac5ba805825da76410c181273ba90b1"
	someCommit     = "0123456789abcdef0123456789abcdef01234567"
)

// steps is a workflow of one job with these steps.
func steps(lines ...string) string {
	return "on: push\npermissions: {}\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      " +
		strings.Join(lines, "\n      ") + "\n"
}

// lint tells findings as "line:column kind: message".
func lint(t *testing.T, yaml string) []string {
	t.Helper()
	findings, err := workflow.Lint(".github/workflows/test.yml", yaml)
	if err != nil {
		t.Fatal(err)
	}
	told := []string{}
	for _, f := range findings {
		told = append(told, fmt.Sprintf("%d:%d %s: %s", f.Line, f.Column, f.Kind, f.Message))
	}
	return told
}

func TestAGoodWorkflowHasNoFindings(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"a pinned action":         steps("- uses: actions/checkout@" + checkoutCommit + " # v7.0.1"),
		"a local action":          steps("- uses: ./.github/actions/setup"),
		"an image by digest":      steps("- uses: docker://alpine@sha256:" + strings.Repeat("ab", 32)),
		"an unusual runner":       strings.Replace(steps("- run: 'true'"), "ubuntu-latest", "gpu-large", 1),
		"an odd runner":           strings.Replace(steps("- run: 'true'"), "ubuntu-latest", "[self-hosted, acme/gpu, a/b/c]", 1),
		"a called pinned flow":    "on: push\njobs:\n  call:\n    uses: acme/ci/.github/workflows/test.yml@" + someCommit + "\n",
		"a called local workflow": "on: push\njobs:\n  call:\n    uses: ./.github/workflows/other.yml\n",
	}
	for name, yaml := range good {
		if diff := cmp.Diff([]string{}, lint(t, yaml)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAFindingNamesItsPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, yaml, want string }{
		{"a tag", steps("- uses: actions/checkout@v4"), `7:15 pinned: "actions/checkout@v4" is not pinned to a commit`},
		{"a short commit", steps("- uses: actions/checkout@3d3c42e"), `7:15 pinned: "actions/checkout@3d3c42e" is not pinned`},
		{"a branch in quotes", steps(`- uses: "acme/deploy@main"`), `7:15 pinned: "acme/deploy@main" is not pinned`},
		{"no ref", steps("- uses: actions/checkout"), `7:15 action: specifying action "actions/checkout" in invalid format because ref is missing`},
		{"an image's tag", steps("- uses: docker://alpine:3"), `7:15 pinned: image "docker://alpine:3" can be replaced behind its name`},
		{"a called workflow", "on: push\njobs:\n  call:\n    uses: acme/ci/.github/workflows/test.yml@v1\n", `4:11 pinned: "acme/ci/.github/workflows/test.yml@v1" is not pinned`},
		{"an unknown key", steps("- run: 'true'\n        shel: bash"), `8:9 syntax-check: unexpected key "shel"`},
		{"an unknown need", strings.Replace(steps("- run: 'true'"), "    steps:", "    needs: build\n    steps:", 1), `job-needs: job "test" needs job "build" which does not exist`},
		{"a wrong expression", steps("- run: echo", "  if: github.evnt == 'push'"), `expression: property "evnt" is not defined`},
		{"an injection", steps("- run: echo ${{ github.event.issue.title }}"), "7:19 injection: whoever chooses github.event.issue.title chooses what is run here"},
		{"contradicting runners", strings.Replace(steps("- run: 'true'"), "ubuntu-latest", "[ubuntu-latest, windows-latest]", 1), `runner-label: label "windows-latest" conflicts`},
		{"an unknown input behind a commit", steps("- uses: actions/setup-python@"+someCommit+" # v6.1.0", "  with: {pyton-version: '3.13'}"),
			`input "pyton-version" is not defined in action "actions/setup-python@v6"`},
		{"no YAML", "on: [push\njobs: {}\n", "syntax-check: "},
		{"nothing", "", "syntax-check: "},
		{"a list", "- a\n", "syntax-check: "},
		{"two documents", steps("- run: 'true'") + "---\non: push\n", "8:1 syntax-check: a second YAML document begins here"},
		{"an alias in itself", "on: push\njobs: &a [*a]\n", `2:11 syntax-check: alias "a" stands for what it is in`},
		{"a bomb", bomb(9), "syntax-check: the workflow has more than 100000 values"},
		{"a well", strings.Repeat("[", 200) + strings.Repeat("]", 200), "syntax-check: the workflow is nested more than 100 levels deep"},
		{"a well of aliases", well(200), "syntax-check: the workflow is nested more than 100 levels deep"},
		{"an endless expression", steps("- run: echo", "  if: ${{ "+strings.Repeat("(", 900_000)), "8:13 syntax-check: a text with an expression in it has more than 21000"},
		{"an endless condition", steps("- run: echo", "  if: "+strings.Repeat("f(", 400_000)), "8:13 syntax-check: a text with an expression in it has more than 21000"},
		{"a deep expression", steps("- run: echo", "  if: "+strings.Repeat("(", 20_000)), "expression: unexpected end of input"},
		{"a very long text", "on: push # " + strings.Repeat("x", 2<<20), "1:1 syntax-check: the workflow has 2097163 bytes"},
	} {
		found := lint(t, c.yaml)
		if !strings.Contains(strings.Join(found, "\n"), c.want) {
			t.Errorf("%s: found %q, want %q", c.name, found, c.want)
		}
	}
}

// bomb is a text that has 10^n values with its aliases followed.
func bomb(n int) string {
	b := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range n - 1 {
		b += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return b
}

// well is a text that is n levels deep with its aliases followed.
func well(n int) string {
	b := "a0: &a0 [x]\n"
	for i := range n {
		b += fmt.Sprintf("a%d: &a%d [*a%d]\n", i+1, i+1, i)
	}
	return b
}

func TestLintReadsNoConfigurationOfTheMachine(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{".git", ".github/workflows"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	config := "paths:\n  .github/workflows/*.yml:\n    ignore: ['.*']\n"
	if err := os.WriteFile(filepath.Join(dir, ".github", "actionlint.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if found := lint(t, steps("- uses: actions/checkout@v4")); len(found) != 1 {
		t.Errorf("found %q, want the action that is not pinned", found)
	}
}

func TestLintIsFast(t *testing.T) {
	t.Parallel()
	yaml := steps(strings.Split(strings.Repeat("- uses: actions/checkout@"+checkoutCommit+" # v7.0.1\n- run: echo hello\n", 100), "\n")...)
	start := time.Now()
	lint(t, yaml)
	wrong := steps(strings.Split(strings.Repeat("- uses: actions/checkout@v4\n", 2_000), "\n")...)
	if n := len(lint(t, wrong)); n != 2_000 {
		t.Errorf("%d findings", n)
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("2,200 steps took %v", took)
	}
}

func FuzzLint(f *testing.F) {
	for _, seed := range []string{"", "on: push\njobs: {}\n", bomb(3), well(5), steps("- uses: a/b@v1", "- uses: &x docker://a", "- uses: *x", "- run: ${{ a.b }}")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, yaml string) {
		if _, err := workflow.Lint("x.yml", yaml); err != nil {
			t.Fatal(err)
		}
	})
}
