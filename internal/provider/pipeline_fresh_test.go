package provider

import (
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

const staging = "environment {\n  name = \"staging\"\n  branches = [\"main\"]\n}\n"

func TestAFileThatGetsAnotherNameKeepsItsEnvironments(t *testing.T) {
	for name, delivery := range map[string]string{"commit": byCommit, "pull request": ""} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t)
			y.config(hosted(delivery, testStage, staging))
			y.apply().ok()
			if delivery == "" {
				y.repo.Merge(1, githubhub.Squash)
			}
			y.config(strings.Replace(hosted(delivery, testStage, staging), "fraud.yml", "moved.yml", 1))
			y.plan().changes().says("forces replacement")
			y.apply().ok()
			y.plan().ok()
			if e := y.repo.Environments(); len(e) != 1 || len(e[0].Branches) != 1 || y.repo.Variables("staging")["TIDEGATE_PIPELINE"] != ".github/workflows/moved.yml" {
				t.Errorf("environments %+v", e)
			}
		})
	}
}

func TestPipelinesOfOneApplyMayShareAnEnvironment(t *testing.T) {
	y := newYard(t)
	deploy := func(environment string) string {
		return "deploy {\n name = \"one\"\n root = \"infra\"\n environment = " + environment +
			"\n}\npins = { \"tidegatehq/terraform-provider-tidegate\" = \"" + strings.Repeat("a", 40) + "\" }"
	}
	other := strings.Replace(hosted(byCommit, testStage, deploy("tidegate_pipeline.fraud.environment[0].name")), `"fraud" {`, `"other" {`, 1)
	y.config(hosted(byCommit, testStage, staging, deploy(`"staging"`)), strings.Replace(other, "fraud.yml", "other.yml", 1))
	y.apply().ok()
	y.plan().ok()
	y.config(hosted(byCommit, testStage, deploy(`"staging"`)))
	y.plan().fails().says("The environment would go", `"staging"`, "Keep the block")
}

// What plans need is no token, whatever is in the state.
func TestAPlanWithoutATokenKeepsWhatIsKnown(t *testing.T) {
	y := newYard(t)
	y.hub.PrivateRepository("acme/private", githubhub.Files{"README.md": "# private\n"})
	staging := strings.Replace(staging, "branches", "variables = { A = \"b\" }\n  branches", 1) // which nobody else may read
	private := strings.NewReplacer("acme/fraud", "acme/private", `"fraud" {`, `"private" {`).Replace(hosted(byCommit, testStage, staging))
	y.config(hosted(byCommit, testStage, staging), private)
	y.apply().ok()
	y.as("")
	y.plan().ok().says("acme/fraud could not be looked at", "acme/private could not be looked at", "no token was given")
}

func TestTheFirstPlanAfterAnImportSaysThatTheFileIsNotWritten(t *testing.T) {
	y := newYard(t)
	hcl := y.upProduction("s3cr3t-one")
	y.terraform("state", "rm", pipelineName).ok()
	y.terraform("import", pipelineName, "acme/fraud:"+fraudFile).ok()
	y.plan().changes().says("The workflow was imported, and is what the configuration says", "The file is not written", "Secrets are written once").
		neverSays("commit = (known after apply)", "pull_request_url")
	y.config(strings.Replace(hcl, "make test", "make other", 1))
	y.plan().changes().neverSays("The file is not written")
	y.config(hcl)
	y.apply().ok()
	y.plan().ok().neverSays("The file is not written")
}
