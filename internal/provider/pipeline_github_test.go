package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// A yard is a stage beside a GitHub that has a repository for pipelines.
type yard struct {
	*stage
	hub  *githubhub.Hub
	repo *githubhub.Repository

	token string // of the environment
}

func newYard(t *testing.T) *yard {
	t.Helper()
	s := newStage(t)
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/fraud", githubhub.Files{"README.md": "# fraud\n"})
	y := &yard{stage: s, hub: hub, repo: repo}
	y.as(hub.Token(githubhub.Token{Kind: githubhub.PersonalToken}))
	return y
}

// as makes token that of the environment.
func (y *yard) as(token string) {
	y.token = token
	y.env = append(y.env, "GITHUB_API_URL="+y.hub.APIURL, "GITHUB_SERVER_URL="+y.hub.ServerURL, "GITHUB_TOKEN="+token)
}

// hosted is a pipeline in the yard's repository.
func hosted(hcl ...string) string {
	return "resource \"tidegate_pipeline\" \"fraud\" {\n  repository = \"acme/fraud\"\n  path       = \"" + fraudFile + "\"\n" + strings.Join(hcl, "\n") + "\n}\n"
}

const byCommit = "delivery {\n  mode = \"commit\"\n}\n"

// content is the workflow at a ref; "" for none.
func (y *yard) content(ref string) string {
	y.t.Helper()
	b, err := os.ReadFile(filepath.Join(y.repo.Clone(ref), filepath.FromSlash(fraudFile)))
	if err != nil && !os.IsNotExist(err) {
		y.t.Fatal(err)
	}
	return string(b)
}

func TestAPipelineIsCommittedReadAndRemoved(t *testing.T) {
	y := newYard(t)
	y.config(hosted(byCommit, testStage))
	y.plan().changes().says("+ commit = (known after apply)", "run: make test")
	y.apply().ok()
	if got := y.content("main"); got != y.text(pipelineName, "workflow") || y.text(pipelineName, "commit") != y.repo.Resolve("main") {
		t.Errorf("main is at %s and has\n%s", y.repo.Resolve("main"), got)
	}
	y.plan().ok()

	y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraudFile: strings.ReplaceAll(y.content("main"), "make test", "make tset")}})
	y.plan().changes().says("- run: make tset", "+ run: make test")
	y.apply().ok()
	y.plan().ok()
	y.destroy().ok()
	if y.content("main") != "" {
		t.Error("the file is left")
	}
}

func TestAPullRequestIsNoDriftUntilItIsClosed(t *testing.T) {
	y := newYard(t)
	y.config(hosted(testStage))
	y.apply().ok().says("waits for its pull request", "/acme/fraud/pull/1")
	if y.content("main") != "" {
		t.Fatal("it was pushed to main")
	}
	y.plan().ok()
	y.config(hosted(strings.ReplaceAll(testStage, "make test", "make lint test")))
	y.apply().ok()
	if url := y.text(pipelineName, "pull_request_url"); !strings.HasSuffix(url, "/pull/1") || y.text(pipelineName, "merged") != "false" {
		t.Errorf("%s, merged %s", url, y.text(pipelineName, "merged"))
	}
	y.repo.Merge(1, githubhub.Squash)
	y.plan().ok()
	y.terraform("apply", "-refresh-only", "-auto-approve").ok()
	if y.text(pipelineName, "merged") != "true" || !strings.Contains(y.content("main"), "make lint test") {
		t.Error("the merge is not seen")
	}

	y.config(hosted(strings.ReplaceAll(testStage, "make test", "make again")))
	y.apply().ok().says("/acme/fraud/pull/2")
	y.repo.Close(2)
	y.plan().changes().says("- run: make lint test", "+ run: make again")
	y.apply().ok().says("/acme/fraud/pull/")
	y.plan().ok()
}

func TestRemovalByPullRequestSaysWhatItWaitsFor(t *testing.T) {
	y := newYard(t)
	y.config(hosted(testStage))
	y.apply().ok()
	y.repo.Merge(1, githubhub.Squash)
	y.destroy().ok().says("waits in a pull request", "The workflow runs until", "/acme/fraud/pull/2 is merged")
	if y.content("main") == "" {
		t.Error("it was removed without being merged")
	}
	y.repo.Merge(2, githubhub.Squash)
	if y.content("main") != "" {
		t.Error("the file is left")
	}
}

func TestAnImportFromARepositoryFindsFileAndEnvironments(t *testing.T) {
	y := newYard(t)
	hcl := y.upProduction("s3cr3t-one")
	commit := y.repo.Resolve("main")
	for _, id := range []string{"acme/fraud:" + fraudFile, "github/acme/fraud/" + fraudFile} {
		y.terraform("state", "rm", pipelineName).ok()
		y.config(hcl)
		y.terraform("import", pipelineName, id).ok()
		y.plan().changes().says("0 to add, 1 to change, 0 to destroy", "+ test {", `+ secrets_wo_version = "3"`).
			neverSays("~ workflow", "wait_minutes =", "reviewers =", "REGION", "~ pinned_actions", "~ checks")
		y.apply().ok()
		y.plan().ok()
	}
	if now := y.repo.Resolve("main"); now != commit {
		t.Errorf("the branch moved to %s", now)
	}
	y.destroy().ok()
	if y.content("main") != "" || len(y.repo.Environments()) > 0 {
		t.Error("what the pipeline made is left")
	}
}

func TestWhatSomebodyElseMadeIsAdoptedOnRequestAndStays(t *testing.T) {
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraudFile: "on: push\njobs: {}\n"}})
	y.repo.SetEnvironment(githubhub.Environment{Name: "staging", WaitMinutes: 5})
	y.repo.SetVariable("staging", "THEIRS", "1")
	const staging = "environment {\n  name = \"staging\"\n  variables = { OURS = \"1\" }\n}\n"
	y.config(hosted(byCommit, testStage, staging))
	y.plan().fails().says("adopt = true", fraudFile, `"staging"`)
	y.config(hosted(byCommit, testStage, staging, "adopt = true"))
	y.apply().ok()
	y.plan().ok()
	y.destroy().ok()
	if v := y.repo.Variables("staging"); y.content("main") == "" || v["THEIRS"] != "1" || v["OURS"] != "" {
		t.Errorf("variables %v, file\n%s", v, y.content("main"))
	}
}

func TestTheBranchThatMovedBetweenPlanAndApplyIsLeftAlone(t *testing.T) {
	y := newYard(t)
	y.config(hosted(byCommit, testStage))
	y.apply().ok()
	y.config(hosted(byCommit, strings.ReplaceAll(testStage, "make test", "make lint test")))
	y.plan("-out=plan").changes()
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{"README.md": "# more\n"}})
	y.terraform("apply", "plan").ok() // another file
	y.config(hosted(byCommit, testStage))
	y.plan("-out=plan").changes()
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraudFile: strings.ReplaceAll(y.content("main"), "make", "gmake")}})
	y.terraform("apply", "plan").fails().says("changed after the plan", "Make a new plan")
	y.plan().changes().says("- run: gmake lint test", "+ run: make test")
	y.apply().ok()
	y.plan().ok()
}

// What was done is found again by its marks, and not done twice.
func TestAnApplyThatBrokeOffIsFinishedByTheNext(t *testing.T) {
	for _, operation := range []string{"repos/create-or-update-environment", "actions/create-environment-variable", "actions/create-or-update-environment-secret",
		"git/create-tree", "git/create-commit", "git/update-ref"} {
		t.Run(strings.ReplaceAll(operation, "/", "-"), func(t *testing.T) {
			y := newYard(t)
			y.hub.Team("acme", "ml-leads", "lead")
			y.env = append(y.env, "TF_VAR_api_key=s3cr3t-one")
			y.config(hosted(byCommit, testStage, production) + secretVariable)
			y.hub.Fail(githubhub.Fault{Operation: operation, Status: 422})
			y.apply().fails().says("422")
			y.hub.Heal()
			y.apply().ok().says("1 added")
			y.plan().ok()
			if got := y.repo.Secrets("production")["API_KEY"]; got != "s3cr3t-one" {
				t.Errorf("API_KEY is %q", got)
			}
		})
	}
}

// An update that broke off leaves in the state what is true: the next plan shows the rest, and only that.
func TestAnUpdateThatBrokeOffShowsWhatIsLeft(t *testing.T) {
	y := newYard(t)
	hcl := y.upProduction("s3cr3t-one")
	y.config(strings.NewReplacer("= 10\n", "= 20\n", "make test", "make lint test").Replace(hcl))
	y.hub.Fail(githubhub.Fault{Operation: "git/create-commit", Status: 422})
	y.apply().fails()
	y.hub.Heal()
	y.plan().changes().says("- run: make test", "+ run: make lint test").neverSays("wait_minutes = 10 -> 20")
	y.apply().ok()
	y.plan().ok()
}

func TestARepositoryThatIsMadeInTheSameApply(t *testing.T) {
	y := newYard(t)
	y.config(strings.Replace(hosted(byCommit, testStage, "environment {\n  name = \"staging\"\n  variables = { ID = terraform_data.repository.id }\n}"),
		`"acme/fraud"`, "terraform_data.repository.output", 1), `
resource "terraform_data" "repository" {
  input = "acme/fraud"
}`)
	y.plan().changes().says("run: make test", "+ repository = (known after apply)", "+ id = (known after apply)")
	y.apply().ok()
	y.plan().ok()
	if y.repo.Variables("staging")["ID"] == "" {
		t.Error("the variable is not there")
	}
}

func TestAPlanWithoutGitHubWarnsOnce(t *testing.T) {
	y := newYard(t)
	hcl := hosted(byCommit, testStage) + strings.NewReplacer(`"fraud" {`, `"other" {`, "fraud.yml", "other.yml").Replace(hosted(byCommit, testStage))
	y.config(hcl)
	y.apply().ok()
	y.env = append(y.env, "GITHUB_API_URL=http://127.0.0.1:1/api/v3")
	y.config(strings.ReplaceAll(hcl, "make test", "make lint test"))
	out := y.plan().changes().says("acme/fraud could not be looked at", "+ run: make lint test")
	if n := strings.Count(out.text, "could not be looked at"); n != 1 {
		t.Errorf("%d warnings", n)
	}
}

func TestAnotherBranchIsAnotherPipeline(t *testing.T) {
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Branch: "release", Files: githubhub.Files{"README.md": "# release\n"}})
	y.config(hosted(byCommit, testStage))
	y.apply().ok()
	y.config(hosted("delivery {\n  mode = \"commit\"\n  branch = \"main\"\n}", testStage))
	y.apply().ok().says("0 to add, 1 to change")
	y.config(hosted("delivery {\n  mode = \"commit\"\n  branch = \"release\"\n}", testStage))
	y.plan().changes().says("# forces replacement", "1 to add, 0 to change, 1 to destroy")
	y.apply().ok()
	if y.content("main") != "" || y.content("release") == "" {
		t.Error("the file is not where it should be")
	}
	y.plan().ok()
}

func TestARepositoryOfTheProvidersOwner(t *testing.T) {
	y := newYard(t)
	y.config("provider \"tidegate\" {\n  github {\n    owner = \"acme\"\n  }\n}\n", strings.Replace(hosted(byCommit, testStage), `"acme/fraud"`, `"fraud"`, 1))
	y.apply().ok()
	if id := y.text(pipelineName, "id"); id != "github/acme/fraud/"+fraudFile {
		t.Errorf("id %s", id)
	}
	y.plan().ok()
	y.destroy().ok()
}

func TestAnImportFromAnotherBranchLooksThere(t *testing.T) {
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Branch: "team/release"})
	y.config(hosted("delivery {\n  mode = \"commit\"\n  branch = \"team/release\"\n}", testStage))
	y.apply().ok()
	y.terraform("state", "rm", pipelineName).ok()
	y.terraform("import", pipelineName, "acme/fraud:"+fraudFile).fails().says("non-existent")
	commit := y.repo.Resolve("team/release")
	y.terraform("import", pipelineName, "acme/fraud:"+fraudFile+"@team/release").ok()
	y.plan().changes().says("0 to add, 1 to change, 0 to destroy").neverSays("~ workflow")
	y.apply().ok()
	y.plan().ok()
	if now := y.repo.Resolve("team/release"); now != commit {
		t.Errorf("the branch moved to %s", now)
	}
}
