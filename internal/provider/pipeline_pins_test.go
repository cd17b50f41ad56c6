package provider

import (
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

func (s *stage) pin(action string) string {
	s.t.Helper()
	pins, _ := s.state(pipelineName)["pinned_actions"].(map[string]any)
	text, _ := pins[action].(string)
	return text
}

func TestPinsStayUntilTheyAreMoved(t *testing.T) {
	y := newYard(t)
	checkout := y.hub.Repository("actions/checkout", githubhub.Files{"action.yml": "name: a\n"})
	tag := func(name string) string {
		sha := checkout.Push(githubhub.Commit{Files: githubhub.Files{"version": name}})
		checkout.Tag(githubhub.Tag{Name: name})
		return sha
	}
	first := tag("v7.1.0")
	y.config(hosted(byCommit, testStage))
	y.apply().ok()
	table, _ := workflow.Known("actions/checkout")
	if got := y.pin("actions/checkout"); got != table.Commit+" "+table.Version {
		t.Errorf("pinned to %s, want the built-in pin", got)
	}
	y.plan().ok()

	y.config(hosted(byCommit, testStage, `pins = { "actions/checkout" = "v7.1.0" }`))
	y.plan().changes().says("+ - uses: actions/checkout@" + first + " # v7.1.0")
	y.apply().ok()
	second := tag("v7.2.0")
	_ = tag("v8.0.0")
	y.config(hosted(byCommit, testStage))
	y.apply().ok()
	if got := y.pin("actions/checkout"); got != first+" v7.1.0" {
		t.Errorf("pinned to %s: it moved by itself", got)
	}
	y.config(hosted(byCommit, testStage, "pins_version = 2"))
	y.plan().changes().says("+ - uses: actions/checkout@" + second + " # v7.2.0")
	y.apply().ok()
	y.plan().ok()
	commit := strings.Repeat("c", 40)
	y.config(hosted(byCommit, testStage, "pins_version = 3", `pins = { "actions/checkout" = "`+commit+`" }`))
	y.apply().ok()
	if got := y.pin("actions/checkout"); got != commit {
		t.Errorf("pinned to %s", got)
	}
	y.config(hosted(byCommit, testStage, "pins_version = 3", `pins = { "actions/checkout" = "v9" }`))
	y.plan().fails().says("Action actions/checkout cannot be pinned", "v9")
}

func TestPinsThatGitHubDoesNotTellAreThoseThatAreKnown(t *testing.T) {
	y := newYard(t) // without repositories of actions
	step := func(pins string) string {
		return folder(y.stage, strings.Replace(testStage, "run = \"make test\"", "run = \"make test\"\n step {\n uses = \"acme/setup@v1\"\n }", 1), pins)
	}
	y.config(step(""))
	y.plan().fails().says("Action acme/setup cannot be pinned", `pins = { "acme/setup" = "..." }`)
	commit := strings.Repeat("a", 40)
	y.config(step(`pins = { "acme/setup" = "` + commit + `", "acme/none" = "v1" }`))
	y.plan().changes().says("uses: acme/setup@"+commit, "Nothing uses action acme/none")
	y.apply().ok()
	y.config(step("pins_version = \"2\"\n pins = { \"acme/setup\" = \"" + commit + "\" }"))
	y.plan().changes().says("GitHub could not be asked for newer versions", "actions/checkout").neverSays("~ workflow")
	y.apply().ok()
	y.plan().ok()
}

func TestTheExampleOfAPipelineWorks(t *testing.T) {
	y := newYard(t)
	y.hub.Team("acme", "ml-leads", "lead")
	hcl := example(t, "resources", "tidegate_pipeline", "resource.tf")
	y.config(hcl + strings.ReplaceAll(example(t, "resources", "tidegate_pipeline", "resource_folder.tf"), "../fraud", "fraud"))
	folder(y.stage)
	y.env = append(y.env, "TF_VAR_api_key=s3cr3t-one")
	y.apply().ok().says("/acme/fraud/pull/1").neverSays("s3cr3t-one")
	y.repo.Merge(1, githubhub.Squash)
	y.plan().ok()
	if !strings.Contains(y.content("main"), "uses: tidegatehq/terraform-provider-tidegate@"+strings.Repeat("7", 40)) {
		t.Error("the Action is not pinned to what the provider was built from")
	}
	y.terraform("state", "rm", pipelineName).ok()
	y.config(hcl, example(t, "resources", "tidegate_pipeline", "import-by-string-id.tf"))
	y.apply().ok().says("1 imported, 0 added, 1 changed")
	y.plan().ok()
}
