package provider

import (
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

const notApplied = fraudFile + " is not what was applied"

// Terraform shows all of a text of which one line changed.
func TestThePlanShowsWhichLinesSomebodyChanged(t *testing.T) {
	s := newStage(t)
	hcl := s.upFolder()
	s.edit("  # The project's own tests.\n", "  # By people.\n")
	s.plan().ok().neverSays("is not what was applied")
	s.config(strings.ReplaceAll(hcl, "make test", "make lint test"))
	s.plan().changes().neverSays("is not what was applied") // it is the configuration that changed
	s.config(hcl)
	s.edit("run: make test", "run: make test || true")
	s.plan().changes().says(notApplied, "It changed like this since:", "@@", "- run: make test + run: make test || true")
	s.terraform("apply", "-refresh-only", "-auto-approve").ok()
	s.plan().changes().neverSays("is not what was applied") // people have seen it
	s.apply().ok()
	s.plan().ok()
}

func TestThePlanShowsWhatAClosedPullRequestDidNotBring(t *testing.T) {
	y := newYard(t)
	y.config(hosted(testStage))
	y.apply().ok()
	y.repo.Merge(1, githubhub.Squash)
	y.plan().ok().neverSays("is not what was applied")
	y.config(hosted(strings.ReplaceAll(testStage, "make test", "make lint test")))
	y.apply().ok().says("waits for its pull request")
	y.repo.Close(2)
	y.plan().changes().says(notApplied, "- run: make lint test + run: make test")
}
