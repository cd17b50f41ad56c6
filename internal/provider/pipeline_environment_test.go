package provider

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

const secretVariable = `
variable "api_key" {
  type      = string
  sensitive = true
}
`

const production = `
  environment {
    name                = "production"
    reviewers           = ["@acme/ml-leads", "octocat"]
    wait_minutes        = 10
    prevent_self_review = true
    branches            = ["main"]
    variables           = { REGION = "eu-west-1" }
    secrets_wo          = { API_KEY = var.api_key, OTHER = "0th3r-v4lue" }
    secrets_wo_version  = 3
  }
`

// upProduction applies a pipeline with an environment, whose API_KEY is the value.
func (y *yard) upProduction(value string) (hcl string) {
	y.t.Helper()
	y.hub.Team("acme", "ml-leads", "lead")
	hcl = hosted(byCommit, testStage, production) + secretVariable
	y.env = append(y.env, "TF_VAR_api_key="+value)
	y.config(hcl)
	y.apply().ok()
	return hcl
}

func TestAnEnvironmentIsWhatTheConfigurationSays(t *testing.T) {
	y := newYard(t)
	y.upProduction("s3cr3t-one")
	got := y.repo.Environments()
	if len(got) != 1 || got[0].WaitMinutes != 10 || !got[0].PreventSelfReview || got[0].AdminsBypass || !slices.Equal(got[0].Branches, []string{"main"}) ||
		len(got[0].Reviewers) != 2 {
		t.Errorf("environments %+v", got)
	}
	if v := y.repo.Variables("production"); v["REGION"] != "eu-west-1" {
		t.Errorf("variables %v", v)
	}
	if s := y.repo.Secrets("production"); !maps.Equal(s, map[string]string{"API_KEY": "s3cr3t-one", "OTHER": "0th3r-v4lue"}) {
		t.Errorf("secrets %v", s)
	}
	y.plan().ok()

	y.repo.SetEnvironment(githubhub.Environment{Name: "production", Reviewers: []string{"octocat"}, AdminsBypass: true})
	y.repo.SetVariable("production", "REGION", "us-east-1")
	y.plan().changes().says(`+ "@acme/ml-leads"`, `wait_minutes = 0 -> 10`, `prevent_self_review = false -> true`, `+ "main"`, `"us-east-1" -> "eu-west-1"`).
		neverSays("~ workflow", "~ secrets")
	y.apply().ok()
	y.plan().ok()
	y.repo.DeleteEnvironment("production")
	y.plan().changes().says("+ environment {")
	y.apply().ok()
	y.plan().ok()
	if s := y.repo.Secrets("production"); s["API_KEY"] != "s3cr3t-one" {
		t.Errorf("secrets %v", s)
	}
	y.destroy().ok()
	if got := y.repo.Environments(); len(got) != 0 {
		t.Errorf("left: %+v", got)
	}
}

func TestSecretsMoveWithTheirVersionAndComeBackWhenDeleted(t *testing.T) {
	y := newYard(t)
	hcl := y.upProduction("s3cr3t-one")
	is := func(want string) {
		t.Helper()
		if got := y.repo.Secrets("production")["API_KEY"]; got != want {
			t.Errorf("API_KEY is %q, want %q", got, want)
		}
	}
	y.env = append(y.env, "TF_VAR_api_key=s3cr3t-two")
	y.plan().ok() // the version says when
	y.config(strings.Replace(hcl, "= 3", "= 4", 1))
	y.plan().changes().says(`secrets_wo_version = "3" -> "4"`)
	y.apply().ok()
	is("s3cr3t-two")
	y.plan().ok()

	y.repo.SetSecret("production", "API_KEY", "by hand")
	y.plan().ok()
	y.repo.DeleteSecret("production", "API_KEY")
	y.repo.SetSecret("production", "OTHER", "by hand")
	y.plan().changes().says(`Secret API_KEY of environment "production" is not there any more`, `+ "API_KEY"`).neverSays(`+ "OTHER"`)
	y.apply().ok()
	is("s3cr3t-two")
	if got := y.repo.Secrets("production")["OTHER"]; got != "by hand" {
		t.Errorf("OTHER was written again: %s", got)
	}
	y.plan().ok()

	y.config(strings.Replace(strings.Replace(hcl, "= 3", "= 4", 1), `, OTHER = "0th3r-v4lue"`, "", 1))
	y.plan().changes().says(`- "OTHER"`)
	y.apply().ok()
	if got := y.repo.Secrets("production"); len(got) != 1 {
		t.Errorf("secrets %v", slices.Sorted(maps.Keys(got)))
	}
}

func TestASecretThatSomebodyWroteIsDriftWhereItIsAskedFor(t *testing.T) {
	y := newYard(t)
	hcl := strings.Replace(y.upProduction("s3cr3t-one"), "secrets_wo_version", "secrets_drift = \"updated\"\n    secrets_wo_version", 1)
	y.config(hcl)
	y.apply().ok()
	y.plan().ok()
	y.repo.SetSecret("production", "API_KEY", "by hand")
	y.plan().changes().says(`Secret API_KEY of environment "production" was written by somebody else`, `+ "API_KEY"`)
	y.apply().ok()
	if got := y.repo.Secrets("production")["API_KEY"]; got != "s3cr3t-one" {
		t.Errorf("API_KEY is %q", got)
	}
	y.plan().ok()
}

func TestSecretsMayBeEphemeral(t *testing.T) {
	y := newYard(t)
	y.hub.Team("acme", "ml-leads", "lead")
	y.env = append(y.env, "TF_VAR_api_key=s3cr3t-one")
	y.config(hosted(byCommit, testStage, production), strings.Replace(secretVariable, "sensitive", "ephemeral", 1))
	y.plan("-out=plan").changes().says(`+ secrets = [ + "API_KEY", + "OTHER", ]`)
	y.terraform("apply", "plan").ok()
	if got := y.repo.Secrets("production")["API_KEY"]; got != "s3cr3t-one" {
		t.Errorf("API_KEY is %q", got)
	}
	y.plan().ok()
}

func TestAProtectionThatGitHubDropsIsAnErrorAndNoSecretFollows(t *testing.T) {
	y := newYard(t)
	y.hub.Team("acme", "ml-leads", "lead")
	y.hub.SetPlan(githubhub.DroppingPlan)
	private := y.hub.PrivateRepository("acme/private", githubhub.Files{"README.md": "# private\n"})
	y.env = append(y.env, "TF_VAR_api_key=s3cr3t-one")
	y.config(strings.Replace(hosted(byCommit, testStage, production), "acme/fraud", "acme/private", 1), secretVariable)
	y.apply().fails().says("A protection is not in place", `"production"`, "plan")
	if got := private.Secrets("production"); len(got) > 0 {
		t.Error("secrets were written into an environment without its protections")
	}
}

// The value is in the environment of Terraform and nowhere else: not in a file of it, nor in what it logs at the most talkative.
func TestSecretsAreInNoFileAndNoLog(t *testing.T) {
	y := newYard(t)
	const value = "s3cr3t-v4lue-that-is-nowhere"
	log := filepath.Join(y.dir, "terraform.log")
	y.env = append(y.env, "TF_LOG=TRACE", "TF_LOG_PATH="+log)
	hcl := y.upProduction(value)
	y.config(strings.Replace(hcl, "= 3", "= 4", 1))
	y.plan("-out=plan").changes().neverSays(value)
	y.terraform("show", "plan").ok().neverSays(value)
	y.hub.Fail(githubhub.Fault{Operation: "actions/create-or-update-environment-secret", Status: 422})
	y.terraform("apply", "plan").fails().neverSays(value)
	y.hub.Heal()
	y.apply().ok().neverSays(value)
	if got := y.repo.Secrets("production")["API_KEY"]; got != value {
		t.Fatalf("API_KEY is %q", got)
	}
	looked, encoded := 0, base64.StdEncoding.EncodeToString([]byte(value))
	err := filepath.WalkDir(y.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		looked++
		for what, secret := range map[string]string{"the secret": value, "the secret in base64": encoded[:len(encoded)-4], "the token": y.token} {
			if at := bytes.Index(b, []byte(secret)); at >= 0 {
				t.Errorf("%s has %s: %s", path, what, b[max(0, at-300):at])
			}
		}
		return err
	})
	if info, statErr := os.Stat(log); err != nil || statErr != nil || info.Size() == 0 || looked < 4 {
		t.Fatal(err, statErr, looked)
	}
}

func TestRequiredChecksAreARulesetOfItsOwn(t *testing.T) {
	y := newYard(t)
	hcl := hosted(byCommit, testStage, `required_checks = ["test"]`)
	y.config(hcl)
	y.apply().ok()
	rules := y.repo.Rulesets()
	if len(rules) != 1 || len(rules[0].Checks()) != 1 {
		t.Fatalf("rulesets %+v", rules)
	}
	y.plan().ok()
	y.repo.DeleteRuleset(rules[0].ID)
	y.plan().changes().says(`+ required_checks = [ + "test"`)
	y.apply().ok()
	y.config(hosted(byCommit, testStage))
	y.apply().ok()
	if rules := y.repo.Rulesets(); len(rules) != 0 {
		t.Errorf("rulesets %+v", rules)
	}
	y.plan().ok()
}
