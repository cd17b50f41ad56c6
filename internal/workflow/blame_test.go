package workflow_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// blamed is a configuration with something of each kind.
func blamed() pipeline.Spec {
	return pipeline.Spec{
		Place: pipeline.Place{Repository: "acme/fraud", Path: where}, Name: "the name",
		Triggers: pipeline.Triggers{Push: []string{"main"}, PullRequest: true},
		Test: &pipeline.Test{
			Run: "make the-test", Matrix: map[string][]string{"flavour": {"a", "b"}},
			Stage: pipeline.Stage{
				RunsOn: []string{"test-runner"}, TimeoutMinutes: 77, Env: map[string]string{"TEST_ENV": "x"}, Permissions: map[string]string{"packages": "read"},
				Steps: []pipeline.Step{{Uses: "acme/setup@v1", With: map[string]string{"an-input": "x"}}, {Name: "after", Run: "echo a step", After: true, Env: map[string]string{"STEP_ENV": "x"}}},
			},
		},
		Data:  &pipeline.Data{Validate: "make the-data", Dataset: "file:data.csv"},
		Train: &pipeline.Train{Run: "make the-model"},
		Deploys: []pipeline.Deploy{
			{Name: "one", Root: "infra/one"},
			{Name: "two", Root: "infra/two", Environment: "the-environment", Needs: []string{"one"}, Stage: pipeline.Stage{RunsOn: []string{"deploy-runner"}}},
		},
	}
}

func TestAFindingIsToldAtTheArgumentThatItIsAbout(t *testing.T) {
	t.Parallel()
	s := blamed()
	yaml := render(t, s)
	for _, c := range []struct{ text, want string }{
		{"name: the name", "name"},
		{"branches: [main]", "triggers"},
		{"flavour:", "test/matrix/flavour"},
		{"timeout-minutes: 77", "test/timeout_minutes"},
		{"TEST_ENV: x", "test/env/TEST_ENV"},
		{"packages: read", "test/permissions/packages"},
		{"uses: acme/setup@", "test/step/0/uses"},
		{"an-input: x", "test/step/0/with/an-input"},
		{"echo a step", "test/step/1/run"},
		{"name: after", "test/step/1/name"},
		{"STEP_ENV: x", "test/step/1/env/STEP_ENV"},
		{"make the-test", "test/run"},
		{"make the-data", "data/validate"},
		{"make the-model", "train/run"},
		{"environment: the-environment", "deploy/1/environment"},
		{"deploy-runner", "deploy/1/runs_on"},
		{"infra/two\n", "deploy/1"},
		{"DATASET: data.csv", "data"},
		{"permissions: {}", ""},
		{"cancel-in-progress: true", ""},
	} {
		at := strings.Index(yaml, c.text)
		if at < 0 {
			t.Errorf("%q is not rendered", c.text)
			continue
		}
		line := strings.Count(yaml[:at], "\n") + 1
		column := at - strings.LastIndex(yaml[:at], "\n")
		var got []string
		for _, part := range workflow.Blame(s, yaml, workflow.Finding{Line: line, Column: column}) {
			got = append(got, fmt.Sprint(part))
		}
		if diff := cmp.Diff(c.want, strings.Join(got, "/")); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
	if t.Failed() {
		t.Log(yaml)
	}
}

func TestAFindingOfLintIsToldAtItsArgument(t *testing.T) {
	t.Parallel()
	s := blamed()
	s.Test.Steps[1].Run = "echo ${{ github.event.pull_request.title }}"
	yaml := render(t, s)
	findings, err := workflow.Lint(where, yaml)
	if err != nil || len(findings) != 1 {
		t.Fatalf("found %v, %v; want the injection", findings, err)
	}
	if diff := cmp.Diff([]any{"test", "step", 1, "run"}, workflow.Blame(s, yaml, findings[0])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"workflow_yaml"}, workflow.Blame(pipeline.Spec{YAML: yaml}, yaml, findings[0])); diff != "" {
		t.Error(diff)
	}
}

func FuzzBlame(f *testing.F) {
	f.Add("jobs: {test: {steps: [{run: x}], env: {A: b}, strategy: {matrix: {flavour: [a]}}}}", 1, 20)
	f.Add("jobs: [test]", 1, 8)
	f.Add("jobs:\n  deploy-two:\n    steps: &a [*a]", 3, 1)
	f.Fuzz(func(_ *testing.T, yaml string, line, column int) {
		workflow.Blame(blamed(), yaml, workflow.Finding{Line: line, Column: column})
	})
}
