package workflow_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

func TestEveryActionThatIsRenderedHasABuiltInPinOrIsOurOwn(t *testing.T) {
	t.Parallel()
	for name, s := range specs() {
		actions, err := workflow.Actions(s)
		if err != nil {
			t.Fatal(err)
		}
		if len(actions) == 0 {
			t.Errorf("%s uses no action", name)
		}
		for action, ref := range actions {
			if _, ok := workflow.Known(action); !ok && action != workflow.Own && ref == "" {
				t.Errorf("%s uses %s, which is not in the table of known pins", name, action)
			}
		}
	}
}

func TestActionsAreThoseOfStagesAndStepsWithTheRefsThatUsersWrote(t *testing.T) {
	t.Parallel()
	s := pipeline.Spec{
		Place: pipeline.Place{Path: where},
		Test: &pipeline.Test{Run: "make", Stage: pipeline.Stage{Steps: []pipeline.Step{
			{Uses: "acme/tools/setup@v1"}, {Uses: "./local"}, {Uses: "docker://alpine:3"}, {Run: "true"}, {Uses: "acme/fixed@" + someCommit, After: true},
		}}},
		Pins: map[string]string{"actions/checkout": "v6.0.0", "acme/unused": "v1"},
	}
	got, err := workflow.Actions(s)
	want := map[string]string{"actions/checkout": "v6.0.0", "acme/tools/setup": "v1", "acme/fixed": someCommit}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	s.Pins = map[string]string{"acme/tools": "v2"}
	if got, err = workflow.Actions(s); err != nil || got["acme/tools/setup"] != "v2" {
		t.Errorf("a pin of a repository is none of its folders: %v, %v", got, err)
	}
}

func TestActionsOfOnesOwnWorkflowAreThoseThatItDoesNotPin(t *testing.T) {
	t.Parallel()
	s := pipeline.Spec{
		YAML: steps("- uses: actions/checkout@v4", "- uses: acme/fixed@"+someCommit, "- uses: ./local", "- uses: docker://alpine:3", "- uses: actions/checkout@v4"),
		Test: &pipeline.Test{Run: "make"},
	}
	got, err := workflow.Actions(s)
	if diff := cmp.Diff(map[string]string{"actions/checkout": "v4"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for yaml, want := range map[string]string{
		steps("- uses: actions/checkout@v4", "- uses: actions/checkout@v5"): "line 8: actions/checkout@v4 and actions/checkout@v5 are in one workflow",
		"a: [": "did not find",
	} {
		if _, err := workflow.Actions(pipeline.Spec{YAML: yaml}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
