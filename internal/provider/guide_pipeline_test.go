package provider

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// guidePermissions are what the guide's table says that a fine-grained token needs.
func guidePermissions(t *testing.T) githubhub.Permissions {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "templates", "guides", "pipelines.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| for | fine-grained token or App | classic token |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	all := githubhub.Permissions{}
	for _, row := range strings.Split(table, "\n") {
		cells := strings.Split(row, "|")
		if len(cells) < 3 {
			continue
		}
		for _, m := range regexp.MustCompile(`([a-z][a-z ]*): (read|write)`).FindAllStringSubmatch(cells[2], -1) {
			all[strings.ReplaceAll(m[1], " ", "_")] = m[2]
		}
	}
	return all
}

// What the guide says that a token needs is enough for the whole root, and all of it is needed.
func TestTheGuideNamesThePermissionsThatAreNeeded(t *testing.T) {
	need := guidePermissions(t)
	if len(need) < 7 {
		t.Fatalf("the guide's table has %v", need)
	}
	try := func(t *testing.T, has githubhub.Permissions) outcome {
		s := newStage(t)
		hub := githubhub.Start(t)
		hub.PrivateRepository("acme/fraud", githubhub.Files{"README.md": "# fraud\n"})
		hub.Team("acme", "ml-leads", "lead")
		s.env = append(s.env, "GITHUB_API_URL="+hub.APIURL, "GITHUB_SERVER_URL="+hub.ServerURL, "GITHUB_TOKEN="+hub.Token(githubhub.Token{Kind: githubhub.AppToken, Permissions: has}))
		s.githubRoot()
		return s.apply()
	}
	t.Run("all", func(t *testing.T) { try(t, need).ok() })
	for name := range need {
		t.Run("without-"+name, func(t *testing.T) {
			has := maps.Clone(need)
			delete(has, name)
			try(t, has).fails()
		})
	}
}

// The guide's table of bad moments is tried where no other test does.
func TestBadMomentsEndAsTheGuideSays(t *testing.T) {
	y := newYard(t)
	y.config(hosted(testStage, "environment {\n  name = \"staging\"\n  branches = [\"main\"]\n}\n", `required_checks = ["test"]`))
	y.apply().ok()
	const from = "tidegate/github-workflows-fraud-yml"
	y.repo.Push(githubhub.Commit{Branch: from, Files: githubhub.Files{"NOTES.md": "by people\n"}})
	y.plan().ok()
	y.repo.Push(githubhub.Commit{Branch: from, Files: githubhub.Files{fraudFile: strings.Replace(y.content(from), "make test", "true", 1)}})
	y.plan().changes().says(notApplied, "- run: make test + run: true")
	y.apply().ok()
	y.plan().ok()
	if !exists(filepath.Join(y.repo.Clone(from), "NOTES.md")) || !strings.Contains(y.content(from), "make test") {
		t.Error("what people added is gone, or what they changed is not put right")
	}

	// The state is lost: what carries the pipeline's mark is taken up.
	y.repo.Merge(1, githubhub.Squash)
	commit := y.repo.Resolve("main")
	for _, again := range []func() outcome{
		func() outcome { return y.apply() },
		func() outcome { return y.terraform("import", "-input=false", pipelineName, "acme/fraud:"+fraudFile) },
	} {
		y.terraform("state", "rm", pipelineName).ok()
		again().ok()
		y.apply().ok()
		y.plan().ok()
	}
	if now, rules := y.repo.Resolve("main"), y.repo.Rulesets(); now != commit || len(rules) != 1 {
		t.Errorf("main moved, or rules were made again: %+v", rules)
	}

	y.env = append(y.env, "GITHUB_TOKEN="+y.hub.Token(githubhub.Token{Kind: githubhub.PersonalToken, Permissions: githubhub.Permissions{"contents": "read"}}))
	y.config(hosted(strings.ReplaceAll(testStage, "make test", "make lint test")))
	y.apply().fails().says("acme/fraud", "write")
	revoked := y.hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	y.hub.Revoke(revoked)
	y.env = append(y.env, "GITHUB_TOKEN="+revoked)
	y.plan().fails().says("acme/fraud", "It is expired, was revoked, or is of another server")
}

func TestAnImportTakesSomebodyElsesFileOver(t *testing.T) {
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraudFile: "on: push\njobs: {}\n"}})
	y.config(hosted(byCommit, testStage))
	y.plan().fails().says("adopt = true")
	y.terraform("import", pipelineName, "acme/fraud:"+fraudFile).ok()
	y.plan().changes().says("- jobs: {}", "+ run: make test")
	y.apply().ok()
	y.destroy().ok()
	if y.content("main") == "" {
		t.Error("somebody else's file was removed")
	}
}
