package provider

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// githubRoot puts examples/github into the stage, as it stands there.
func (s *stage) githubRoot() {
	s.t.Helper()
	for _, name := range []string{"main.tf", "outputs.tf"} {
		s.write(name, example(s.t, "github", name))
	}
	s.env = append(s.env, "TF_VAR_api_key=s3cr3t-of-the-example")
}

// The root that users copy, from its first apply to a red main.
func TestTheRootForGitHubIsAppliedAsItIsWritten(t *testing.T) {
	y := newYard(t)
	y.hub.Team("acme", "ml-leads", "lead")
	y.githubRoot()
	out := y.apply().ok().says("acme/fraud:"+fraudFile+" waits for its pull request", "minutes = []")
	out.neverSays("s3cr3t-of-the-example")
	y.plan().ok()

	y.repo.Merge(1, githubhub.Squash)
	y.plan().ok()
	if got := y.content("main"); got != y.text(pipelineName, "workflow") {
		t.Errorf("main has\n%s", got)
	}
	if got := y.repo.Secrets("production"); got["API_KEY"] != "s3cr3t-of-the-example" {
		t.Errorf("secrets %v", got)
	}
	rules := y.repo.Rulesets()
	if len(rules) != 1 || !slices.ContainsFunc(rules[0].Checks(), func(c githubhub.Check) bool { return c.Name == "evaluate" && c.App == githubhub.ActionsApp }) {
		t.Errorf("rulesets %+v", rules)
	}

	y.repo.Run(githubhub.NewRun{Workflow: fraudFile, Conclusion: "failure", Duration: 7 * time.Minute})
	y.apply().ok().says("The last run on main failed: "+y.hub.ServerURL, "minutes = [ 7, ]")
	y.destroy().ok().says("waits in a pull request")
}

// Nobody is asked, and the trust policy is there: it needs GitHub no more than the workflow does.
func TestTheRootForGitHubIsPlannedWithoutGitHub(t *testing.T) {
	s := newStage(t)
	s.githubRoot()
	s.env = append(s.env, "GITHUB_API_URL=http://127.0.0.1:1/api/v3")
	s.plan().changes().says("acme/fraud could not be looked at", "run: make lint test", "Plan: 1 to add",
		`"repo:acme/fraud:ref:refs/heads/main"`, `"repo:acme@123456/fraud@456789:environment:production"`).neverSays("s3cr3t-of-the-example")
	if exists(filepath.Join(s.dir, "terraform.tfstate")) {
		t.Error("a plan made a state")
	}
}
