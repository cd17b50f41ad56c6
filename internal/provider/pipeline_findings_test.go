package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

func TestAFindingOfTheWorkflowIsToldAtTheArgumentThatItComesFrom(t *testing.T) {
	t.Parallel()
	s := pipeline.Spec{
		Place:    pipeline.Place{Repository: "acme/fraud", Path: ".github/workflows/fraud.yml"},
		Triggers: pipeline.Triggers{PullRequest: true},
		Train: &pipeline.Train{Run: "make", Stage: pipeline.Stage{Steps: []pipeline.Step{
			{Name: "Title", Run: "true"}, {Name: "Hello", Run: "echo ${{ github.event.pull_request.title }}"},
		}}},
	}
	actions, err := workflow.Actions(s)
	if err != nil {
		t.Fatal(err)
	}
	pins := workflow.Pins{}
	for name := range actions {
		pins[name], _ = workflow.Known(name)
	}
	yaml, err := workflow.Render(s, pins)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := workflow.Lint(s.Path, yaml)
	if err != nil {
		t.Fatal(err)
	}
	var diags diag.Diagnostics
	explainFindings(s, yaml, findings, path.Root("workflow"), &diags)
	if len(diags) != 1 {
		t.Fatalf("got %v, want one finding", diags)
	}
	d, ok := diags[0].(diag.DiagnosticWithPath)
	if want := path.Root("train").AtName("step").AtListIndex(1).AtName("run"); !ok || !d.Path().Equal(want) {
		t.Errorf("got %v, want it at %s", diags[0], want)
	}
	if !strings.Contains(diags[0].Detail(), "| ") || !strings.Contains(diags[0].Detail(), "pull_request.title") {
		t.Errorf("the line is not shown: %s", diags[0].Detail())
	}
}
