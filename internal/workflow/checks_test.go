package workflow_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

func TestChecksAreNamedAsGitHubNamesThem(t *testing.T) {
	t.Parallel()
	const pull = "on: {pull_request: }\njobs:\n"
	for _, c := range []struct {
		name, yaml string
		want       []string
	}{
		{"ids", pull + "  test: {runs-on: x}\n  scan: {runs-on: x}", []string{"test", "scan"}},
		{"names", pull + "  test: {name: The tests}", []string{"The tests"}},
		{"the short form of triggers", "on: [push, pull_request]\njobs: {a: {}}", []string{"a"}},
		{"a matrix", pull + "  test: {strategy: {matrix: {python: ['3.10', '3.12'], os: [a]}}}", []string{"test (3.10, a)", "test (3.12, a)"}},
		{"a number of a matrix", pull + "  test: {strategy: {matrix: {python: [3.10]}}}", []string{"test (3.1)"}},
		{"a matrix with a name", pull + "  test: {name: T, strategy: {matrix: {v: [1, true]}}}", []string{"T (1)", "T (true)"}},
		{"a name with values", pull + "  test: {name: 'v${{ matrix.v }} on ${{matrix.os}}', strategy: {matrix: {v: [1, 2], os: [x]}}}", []string{"v1 on x", "v2 on x"}},
		{"an exclude", pull + "  test: {strategy: {matrix: {v: [1, 2], w: [3, 4], exclude: [{v: 1, w: 3}]}}}", []string{"test (1, 4)", "test (2, 3)", "test (2, 4)"}},
		{"an include that adds", pull + "  test: {strategy: {matrix: {v: [1, 2], include: [{v: 2, new: yes}]}}}", []string{"test (1)", "test (2, yes)"}},
		{"an include of its own", pull + "  test: {strategy: {matrix: {v: [1], include: [{v: 9, new: x}]}}}", []string{"test (1)", "test (9, x)"}},
		{"nothing but includes", pull + "  test: {strategy: {matrix: {include: [{v: 1}, {v: 2}]}}}", []string{"test (1)", "test (2)"}},
		{"an object", pull + "  test: {strategy: {matrix: {v: [{a: 1, b: 2}]}}}", []string{"test (1, 2)"}},
		{"a matrix that only a run knows", pull + "  test: {strategy: {matrix: '${{ fromJSON(needs.a.outputs.b) }}'}}\n  b: {}", []string{"b"}},
		{"a name that only a run knows", pull + "  test: {name: '${{ vars.NAME }}'}", nil},
		{"a called workflow", pull + "  call: {uses: ./.github/workflows/x.yml}\n  b: {}", []string{"b"}},
		{"no pull requests", "on: push\njobs: {a: {}}", nil},
		{"no jobs", "on: pull_request", nil},
	} {
		got, err := workflow.Checks(c.yaml)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
	}
}

func TestACheckThatOnlyARunCanNameMayBeReported(t *testing.T) {
	t.Parallel()
	const yaml = `
on: [pull_request]
jobs:
  plain: {}
  call: {uses: ./.github/workflows/x.yml}
  dynamic: {strategy: {matrix: '${{ fromJSON(vars.M) }}'}}
  named: {name: 'Test (${{ vars.WHERE }})', runs-on: x}
  push: {if: github.event_name == 'push'}
`
	for check, want := range map[string]bool{
		"plain": true, "plain (1)": false, "call / test": true, "call": false, "dynamic (3.12)": true, "dynamics": false,
		"Test (here)": true, "Test here": false, "push": false, "": false, "x.*": false,
	} {
		if got, err := workflow.MayReport(yaml, check); err != nil || got != want {
			t.Errorf("%q: %v, %v", check, got, err)
		}
	}
	if got, err := workflow.MayReport("a: [", "x"); err == nil || got {
		t.Errorf("what cannot be read: %v, %v", got, err)
	}
}

func TestARequiredCheckOfACalledWorkflowIsNoMistake(t *testing.T) {
	t.Parallel()
	s := pipeline.Spec{
		Place: pipeline.Place{Repository: "acme/fraud", Path: where}, RequiredChecks: []string{"call / test"},
		YAML: "on: [pull_request]\njobs:\n  call:\n    uses: ./.github/workflows/x.yml\n",
	}
	if problems := workflow.Validate(s); len(problems) > 0 {
		t.Errorf("%+v", problems)
	}
	s.RequiredChecks = []string{"call / test", "other"}
	if problems := workflow.Validate(s); len(problems) != 1 || !strings.Contains(problems[0].Detail, `"other"`) {
		t.Errorf("%+v, want one about other", problems)
	}
}

func TestJobsThatPullRequestsSkipAreNoChecks(t *testing.T) {
	t.Parallel()
	for condition, runs := range map[string]bool{
		"github.event_name == 'push'":                false,
		"${{ github.event_name != 'pull_request' }}": false,
		"'PULL_REQUEST' == github.event_name":        true,
		"!(github.event_name == 'push')":             true,
		"github.event_name == 'push' && (github.ref == 'refs/heads/main' || startsWith(github.ref, 'refs/heads/release/'))": false,
		"github.event_name == 'push' || github.event_name == 'pull_request'":                                                true,
		"github.ref == 'refs/heads/main'":                                     false,
		"startsWith(github.ref, 'refs/tags/')":                                false,
		"github.ref == 'refs/pull/1/merge'":                                   true,
		"github.event.schedule != '1 2 3 4 5'":                                true,
		"${{ !cancelled() && github.event_name == 'schedule' }}":              false,
		"always() && github.event.pull_request.draft":                         true,
		"github.event.schedule != '1 2 3 4 5' && github.event_name == 'push'": false,
		"false":                                false,
		"nonsense((":                           true,
		"${{ github.event_name == 'push' }} x": true,
		"github.event_name == format('push')":  true,
		"contains('push', github.event_name)":  true,
		strings.Repeat("(", 30_000):            true,
	} {
		got, err := workflow.Checks("on: {pull_request: }\njobs:\n  a:\n    if: >-\n      " + condition + "\n    runs-on: x\n")
		if len(condition) > 21_000 {
			if err == nil {
				t.Error("an endless condition is read")
			}
			continue
		}
		if err != nil || (len(got) == 1) != runs {
			t.Errorf("%s: got %v, %v; want it to run: %v", condition, got, err, runs)
		}
	}
}

func TestAJobAfterASkippedOneIsSkippedUnlessItSaysOtherwise(t *testing.T) {
	t.Parallel()
	got, err := workflow.Checks(`
on: [pull_request]
jobs:
  last: {needs: [after]}
  after: {needs: push}
  push: {if: github.event_name == 'push'}
  anyway: {needs: [push], if: always()}
  free: {}
`)
	if diff := cmp.Diff([]string{"anyway", "free"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestChecksOfARenderedWorkflow(t *testing.T) {
	t.Parallel()
	got, err := workflow.Checks(render(t, blamed()))
	if diff := cmp.Diff([]string{"test-matrix (a)", "test-matrix (b)", "test", "data", "train"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestChecksOfWhatCannotBeReadAreAnError(t *testing.T) {
	t.Parallel()
	matrix := strings.TrimSuffix(strings.Repeat("1,", 300), ",")
	for yaml, want := range map[string]string{
		"a: [":         "did not find",
		"on: x\non: y": `key "on" is there twice`,
		bomb(9):        "more than 100000 values",
		"on: [pull_request]\njobs: {a: {strategy: {matrix: {v: [" + matrix + "], w: [" + matrix + "], x: [" + matrix + "]}}}}": `job "a": its matrix has more than 256`,
	} {
		if _, err := workflow.Checks(yaml); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: error %v, want %q", yaml, err, want)
		}
	}
}

func FuzzChecks(f *testing.F) {
	f.Add(like)
	f.Add("on: [pull_request]\njobs: {a: {strategy: {matrix: {v: [1, 2], include: [{v: 2, new: yes}], exclude: [{v: 1}]}}, if: a == 'b'}}")
	f.Fuzz(func(t *testing.T, yaml string) {
		one, err := workflow.Checks(yaml)
		other, again := workflow.Checks(yaml)
		for _, name := range one {
			if may, err := workflow.MayReport(yaml, name); err != nil || !may {
				t.Errorf("%q is a check and may not be one: %v", name, err)
			}
		}
		if (err == nil) != (again == nil) || !cmp.Equal(one, other) {
			t.Errorf("%v, then %v", one, other)
		}
	})
}
