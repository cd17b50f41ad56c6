package provider

import (
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// The default branch has a file of that path, by which a pipeline on another branch is not to be judged.
func TestAPipelineOnAnotherBranchIsMadeAgainstThatBranch(t *testing.T) {
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Branch: "release"})
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraudFile: "on: push\n"}})
	y.config(hosted("delivery {\n  mode   = \"commit\"\n  branch = \"release\"\n}\n", testStage))
	y.apply().ok()
	if y.content("release") != y.text(pipelineName, "workflow") || y.content("main") != "on: push\n" {
		t.Errorf("release has %q, main %q", y.content("release"), y.content("main"))
	}
	y.plan().ok()
}
