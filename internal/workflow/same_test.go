package workflow_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// like is a workflow with an odd mixture of styles.
const like = `# The tests.
name: fraud
on:
  push: {branches: [main, 'release/**']}
  pull_request:
env: {FAST: true, PYTHON: "3.10"}
jobs:
  test:
    runs-on: [self-hosted, gpu]
    needs: [a, b]
    timeout-minutes: 30
    strategy: {matrix: {python: ["3.10", "3.12"]}}
    steps:
      - uses: actions/checkout@v4 # the code
        with: {persist-credentials: false}
      - run: |
          make
`

func TestWhatMeansTheSameIsTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, from, to string }{
		{"a comment", "# The tests.\n", ""},
		{"quotes", "name: fraud", `"name": 'fraud'`},
		{"escapes", "name: fraud", `name: "\x66raud"`},
		{"the trap of YAML 1.1", "on:\n", "\"on\":\n"},
		{"order of keys", "    timeout-minutes: 30\n    strategy: {matrix: {python: [\"3.10\", \"3.12\"]}}\n", "    strategy: {matrix: {python: [\"3.10\", \"3.12\"]}}\n    timeout-minutes: 30\n"},
		{"block style", "push: {branches: [main, 'release/**']}", "push:\n    branches:\n      - main\n      - release/**"},
		{"an anchor", "env: {FAST: true, PYTHON: \"3.10\"}", "env: {FAST: true, PYTHON: &py \"3.10\"}"},
		{"a boolean that becomes a text", "FAST: true", `FAST: "true"`},
		{"a boolean in other letters", "persist-credentials: false", "persist-credentials: False"},
		{"a boolean of an action in quotes", "persist-credentials: false", "persist-credentials: 'false'"},
		{"an event without a value", "pull_request:\n", "pull_request: {}\n"},
		{"a null in words", "pull_request:\n", "pull_request: ~\n"},
		{"labels in another order", "[self-hosted, gpu]", "[gpu, self-hosted]"},
		{"needs in another order", "[a, b]", "[b, a]"},
		{"a number with a sign", "timeout-minutes: 30", "timeout-minutes: +30"},
		{"a block of text", "run: |\n          make\n", "run: \"make\\n\"\n"},
		{"line ends of Windows", "\n", "\r\n"},
		{"a tag that says what is", "name: fraud", "name: !!str fraud"},
	} {
		if other := strings.ReplaceAll(like, c.from, c.to); other == like || !workflow.Same(like, other) || !workflow.Same(other, like) {
			t.Errorf("%s: not the same as\n%s", c.name, other)
		}
	}
	for short, long := range map[string]string{
		"on: push\njobs: {a: {needs: b, runs-on: c, concurrency: d, environment: e, container: f}}": "on: {push: }\njobs: {a: {needs: [b], runs-on: [c], concurrency: {group: d}, environment: {name: e}, container: {image: f}}}",
		"on: [push, pull_request]":     "on: {pull_request: {}, push: null}",
		"on: {push: {branches: main}}": "on: {push: {branches: [main]}}",
		"a: &x {b: c}\nd: *x":          "d: {b: c}\na: {b: c}",
	} {
		if !workflow.Same(short, long) {
			t.Errorf("%s\nis not\n%s", short, long)
		}
	}
}

func TestWhatMeansSomethingElseIsNotTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, from, to string }{
		{"a version that becomes a number", `PYTHON: "3.10"`, "PYTHON: 3.10"},
		{"a version of a matrix that becomes a number", `"3.10", "3.12"`, "3.10, \"3.12\""},
		{"even one that is written alike", `"3.10", "3.12"`, `"3.10", 3.12`},
		{"a number that becomes a text", "timeout-minutes: 30", `timeout-minutes: "30"`},
		{"a boolean of YAML 1.1", "persist-credentials: false", "persist-credentials: no"},
		{"the key true instead of on", "on:\n", "true:\n"},
		{"an order of branches", "[main, 'release/**']", "['release/**', main]"},
		{"an order of a matrix", `["3.10", "3.12"]`, `["3.12", "3.10"]`},
		{"another action", "checkout@v4", "checkout@v5"},
		{"a job less", "jobs:\n  test:", "jobs:\n  other:"},
		{"another script", "make\n", "make all\n"},
		{"a line end in a script", "run: |\n", "run: |-\n"},
		{"a second document", "          make\n", "          make\n---\na: b\n"},
		{"a key twice", "name: fraud\n", "name: fraud\nname: fraud\n"},
		{"an own tag", "name: fraud", "name: !x fraud"},
		{"what does not parse", "name: fraud", "name: [fraud"},
	} {
		if other := strings.ReplaceAll(like, c.from, c.to); other == like || workflow.Same(like, other) || workflow.Same(other, like) {
			t.Errorf("%s: the same as\n%s", c.name, other)
		}
	}
	steps := "jobs: {a: {steps: [{run: a}, {run: b}]}}"
	if workflow.Same(steps, strings.NewReplacer("run: a", "run: b", "run: b", "run: a").Replace(steps)) {
		t.Error("steps in another order are the same")
	}
}

func TestWhatCannotBeReadIsTheSameOnlyAsItself(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "a: [", "a: b\na: b", "[a]: b", "--- a\n--- b", bomb(9), "a: &a [*a]"} {
		if !workflow.Same(bad, bad) || workflow.Same(bad, bad+" ") || workflow.Same(bad, "a: b") {
			t.Errorf("%.80q", bad)
		}
	}
}

func TestGoldenWorkflowsStayTheSameWithoutTheirComments(t *testing.T) {
	t.Parallel()
	for name := range specs() {
		b, err := os.ReadFile(golden(name))
		if err != nil {
			t.Fatal(err)
		}
		var plain any
		if err := yaml.Unmarshal(b, &plain); err != nil {
			t.Fatal(err)
		}
		other, err := json.Marshal(plain) // which is YAML in another style
		if err != nil {
			t.Fatal(err)
		}
		// A line end of YAML that JSON does not escape.
		other = bytes.ReplaceAll(other, []byte("\u0085"), []byte(`\u0085`))
		if !workflow.Same(string(b), string(other)) {
			t.Errorf("%s is not the same as\n%s", name, other)
		}
	}
}

func TestComparingIsBounded(t *testing.T) {
	t.Parallel()
	start := time.Now()
	workflow.Same(bomb(9), bomb(9)+"#")
	workflow.Same(strings.Repeat("{a: ", 200_000), strings.Repeat("[", 200_000))
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzSame(f *testing.F) {
	f.Add(like, steps("- run: x"))
	f.Add("on: push", "on: [push]")
	f.Add("a: 0x1F", "a: 31")
	f.Add("a: .inf", "a: -.INF")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !workflow.Same(a, a) {
			t.Error("not the same as itself")
		}
		if workflow.Same(a, b) != workflow.Same(b, a) {
			t.Error("the same in one direction")
		}
	})
}
