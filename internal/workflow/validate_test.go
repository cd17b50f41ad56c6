package workflow_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// A refusal is a Spec that is refused, and what is said of it.
type refusal struct {
	name string
	spec func(s *pipeline.Spec) // changes the full one
	path string                 // "deploy 1 needs 0"
	says []string
}

func (r refusal) test(t *testing.T) {
	s := full()
	r.spec(&s)
	problems := workflow.Validate(s)
	if len(problems) != 1 {
		t.Fatalf("want one problem, got %d: %+v", len(problems), problems)
	}
	p := problems[0]
	if got := strings.Trim(fmt.Sprint(p.Path), "[]"); got != r.path {
		t.Errorf("the problem is at %q, want %q", got, r.path)
	}
	if p.Warning || p.Summary == "" {
		t.Errorf("want an error with a summary: %+v", p)
	}
	for _, word := range r.says {
		if !strings.Contains(p.Summary+"\n"+p.Detail, word) {
			t.Errorf("%q is not said: %s: %s", word, p.Summary, p.Detail)
		}
	}
}

func refused(t *testing.T, refusals []refusal) {
	t.Helper()
	t.Parallel()
	for _, r := range refusals {
		t.Run(r.name, r.test)
	}
}

func TestGoodSpecsHaveNoProblems(t *testing.T) {
	t.Parallel()
	for name, s := range specs() {
		for _, p := range workflow.Validate(s) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAPlaceIsOneThatGitHubLooksAt(t *testing.T) {
	refused(t, []refusal{
		{"no place", func(s *pipeline.Spec) { s.Repository = "" }, "repository", []string{"OWNER/NAME"}},
		{"an address", func(s *pipeline.Spec) { s.Repository = "https://github.com/acme/fraud" }, "repository", []string{`"https://github.com/acme/fraud"`, "acme/fraud"}},
		{"another folder", func(s *pipeline.Spec) { s.Path = "ci/fraud.yml" }, "path", []string{`"ci/fraud.yml"`, ".github/workflows/NAME.yml"}},
		{"a folder below", func(s *pipeline.Spec) { s.Path = ".github/workflows/ml/fraud.yml" }, "path", []string{"none below"}},
		{"a way out", func(s *pipeline.Spec) { s.Path = ".github/workflows/../../x.yml" }, "path", nil},
		{"a hidden way out", func(s *pipeline.Spec) { s.Path = ".github/workflows/a..yml" }, "path", nil},
		{"another ending", func(s *pipeline.Spec) { s.Path = ".github/workflows/fraud.json" }, "path", nil},
		{"a line break", func(s *pipeline.Spec) { s.Path = ".github/workflows/a\nb.yml" }, "path", nil},
		{"a name with a line break", func(s *pipeline.Spec) { s.Name = "a\nname: b" }, "name", []string{"one line"}},
		{"a name with an expression", func(s *pipeline.Spec) { s.Name = "${{ secrets.X }}" }, "name", []string{"${{", "env and with"}},
		{"no delivery of that kind", func(s *pipeline.Spec) { s.Delivery.Mode = "push" }, "delivery mode", []string{`"push"`, "pull_request", "commit"}},
		{"no branch", func(s *pipeline.Spec) { s.Delivery.Branch = "refs/heads/main" }, "delivery branch", []string{`"main"`}},
		{"a branch that git refuses", func(s *pipeline.Spec) { s.Delivery.Branch = "a..b" }, "delivery branch", nil},
	})
}

func TestAFolderHasNoneOfGitHubsThings(t *testing.T) {
	t.Parallel()
	s := full()
	s.Repository, s.Directory, s.Delivery.Mode = "", "/checkout", pipeline.Commit
	var paths []string
	for _, p := range workflow.Validate(s) {
		paths = append(paths, fmt.Sprint(p.Path...))
		if !strings.Contains(p.Detail, "is only for a repository") {
			t.Errorf("%+v", p)
		}
	}
	if got := strings.Join(paths, " "); got != "delivery environment required_checks" {
		t.Errorf("problems at %s", got)
	}
	s = penguins()
	s.Repository = "acme/fraud"
	if p := workflow.Validate(s); len(p) != 1 || p[0].Summary != "The pipeline has two places" {
		t.Errorf("%+v", p)
	}
	s = penguins()
	s.Directory = "checkout"
	if p := workflow.Validate(s); len(p) != 1 || p[0].Summary != "This is no folder" {
		t.Errorf("%+v", p)
	}
}

func TestTriggersAreOnesThatFire(t *testing.T) {
	cron := func(c string) func(*pipeline.Spec) {
		return func(s *pipeline.Spec) { s.Triggers.Schedule = []string{"0 3 * * 1", c} }
	}
	const at = "triggers schedule 1"
	refused(t, []refusal{
		{"30 February", cron("0 0 30 2 *"), at, []string{`"0 0 30 2 *"`, "never fires"}},
		{"31 April and June", cron("0 0 31 4,6 *"), at, []string{"never fires"}},
		{"minute 60", cron("60 * * * *"), at, []string{`"60 * * * *"`, "five fields"}},
		{"six fields", cron("0 0 3 * * 1"), at, []string{"five fields"}},
		{"a word", cron("@daily"), at, []string{"five fields"}},
		{"a zone", cron("TZ=UTC 3 * * 1"), at, []string{"UTC"}},
		{"two spaces", cron("0 3  * * 2"), at, []string{"single spaces"}},
		{"each minute", cron("* * * * *"), at, []string{"5 minutes"}},
		{"twice within minutes", cron("0,3 4 * * *"), at, []string{"5 minutes"}},
		{"over midnight", cron("0,58 0,23 * * *"), at, []string{"5 minutes"}},
		{"twice", cron("0 3 * * 1"), at, []string{"twice"}},
		{"an expression", cron("${{ vars.CRON }} * * * *"), at, []string{"${{"}},
		{"that of the monitor", cron("17 5 * * *"), at, []string{"monitor"}},
		{"the monitor's own", func(s *pipeline.Spec) { s.Monitor.Schedule = "0 0 31 11 *" }, "monitor schedule", []string{"never fires"}},
		{"no branch", func(s *pipeline.Spec) { s.Triggers.Push = []string{"main", "a b"} }, "triggers push 1", []string{`"a b"`}},
		{"a ref", func(s *pipeline.Spec) { s.Triggers.Push = []string{"refs/heads/main"} }, "triggers push 0", []string{`"main"`}},
		{"a branch twice", func(s *pipeline.Spec) { s.Triggers.Push = []string{"main", "main"} }, "triggers push 1", nil},
		{"only exceptions", func(s *pipeline.Spec) { s.Triggers.Push = []string{"!main"} }, "triggers push", []string{`"**"`}},
	})
}

func TestOddCronsThatFireAreTaken(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"0 0 29 2 *", "*/5 * * * *", "0 0 31 * *", "17 5 * JAN-JUN MON,WED", "5-55/10 0 * * 0"} {
		s := full()
		s.Triggers.Schedule = []string{c}
		if p := workflow.Validate(s); len(p) > 0 {
			t.Errorf("%s: %+v", c, p)
		}
	}
}

func TestScriptsAreScriptsAndNothingElseIs(t *testing.T) {
	refused(t, []refusal{
		{"nothing to run", func(s *pipeline.Spec) { s.Test.Run = " \n" }, "test run", []string{"make test"}},
		{"an expression", func(s *pipeline.Spec) { s.Train.Run = "echo ${{ github.event.pull_request.title }}" }, "train run", []string{"env", `"$NAME"`}},
		{"an expression in a step", func(s *pipeline.Spec) { s.Scan.Steps = []pipeline.Step{{Run: "echo ${{ github.sha }}"}} }, "scan step 0 run", []string{"env"}},
		{"lines of Windows", func(s *pipeline.Spec) { s.Data.Validate = "make a\r\nmake b\r\n" }, "data validate", []string{"Unix"}},
		{"NUL", func(s *pipeline.Spec) { s.Train.Run = "a\x00b" }, "train run", nil},
		{"no UTF-8", func(s *pipeline.Spec) { s.Train.Run = "a\xffb" }, "train run", nil},
		{"very long", func(s *pipeline.Spec) { s.Train.Run = strings.Repeat("a", 70_000) }, "train run", []string{"70000", "65536"}},
		{"an escape in a path", func(s *pipeline.Spec) { s.Evaluate.Metrics = "m\x1b[0m.json" }, "evaluate metrics", nil},
	})
}

func TestExpressionsAreTakenWhereTheyAreText(t *testing.T) {
	env := func(v string) func(*pipeline.Spec) {
		return func(s *pipeline.Spec) { s.Train.Env = map[string]string{"X": v} }
	}
	with := func(v string) func(*pipeline.Spec) {
		return func(s *pipeline.Spec) {
			s.Train.Steps = []pipeline.Step{{Uses: "acme/setup@v1", With: map[string]string{"x": v}}}
		}
	}
	refused(t, []refusal{
		{"a name", func(s *pipeline.Spec) { s.Train.Steps = []pipeline.Step{{Name: "${{ github.sha }}", Run: "a"}} }, "train step 0 name", []string{"env and with"}},
		{"a path", func(s *pipeline.Spec) { s.Evaluate.Metrics = "${{ secrets.X }}.json" }, "evaluate metrics", nil},
		{"a root", func(s *pipeline.Spec) { s.Deploys[0].Root = "infra/${{ github.head_ref }}" }, "deploy 0 root", nil},
		{"a runner", func(s *pipeline.Spec) { s.Train.RunsOn = []string{"${{ vars.RUNNER }}"} }, "train runs_on", nil},
		{"an image", func(s *pipeline.Spec) { s.Package.Image = "ghcr.io/${{ github.repository }}" }, "package image", nil},
		{"a matrix", func(s *pipeline.Spec) { s.Test.Matrix["os"] = []string{"${{ github.head_ref }}"} }, "test matrix os 0", nil},
		{"all secrets", env("${{ toJSON(secrets) }}"), "train env X", []string{"secrets.NAME"}},
		{"all that GitHub knows", env("${{ toJSON(github) }}"), "train env X", []string{"github.NAME"}},
		{"any secret", env("${{ secrets[github.head_ref] }}"), "train env X", nil},
		{"all secrets by a star", env("${{ join(secrets.*, ' ') }}"), "train env X", nil},
		{"another context", env("${{ needs.test.outputs.x }}"), "train env X", []string{"github", "secrets"}},
		{"a second one", env("${{ github.sha }} ${{ toJSON(secrets) }}"), "train env X", nil},
		{"not closed", env("${{ github.sha"), "train env X", []string{"cannot be read"}},
		{"no matrix", env("${{ matrix.python }}"), "train env X", nil},
		{"a title for an action", with("${{ github.event.pull_request.title }}"), "train step 0 with x", []string{"people from outside"}},
		{"a branch for an action", with("${{ format('{0}', github.head_ref) }}"), "train step 0 with x", []string{"people from outside"}},
		{"code for an action", func(s *pipeline.Spec) {
			s.Train.Steps = []pipeline.Step{{Uses: "actions/github-script@v8", With: map[string]string{"script": "console.log('${{ vars.X }}')"}}}
		}, "train step 0 with script", []string{"env"}},
	})
}

func TestGoodExpressionsAreTaken(t *testing.T) {
	t.Parallel()
	for _, v := range []string{
		"${{ secrets.TOKEN }}", "${{vars.A}}-${{ vars['B'] }}", "${{ github.event.pull_request.title }}", "${{ github.token }}",
		"${{ format('{0}/{1}', github.sha, vars.X) || 'none' }}", "$ {{ no }}", "}} {{",
	} {
		s := full()
		s.Train.Env = map[string]string{"X": v}
		s.Test.Env = map[string]string{"Y": "${{ matrix.python }}"}
		if p := workflow.Validate(s); len(p) > 0 {
			t.Errorf("%s: %+v", v, p)
		}
		if findings, err := workflow.Lint(where, render(t, s)); err != nil || len(findings) > 0 {
			t.Errorf("%s: %+v, %v", v, findings, err)
		}
	}
}

func TestStagesSayWhatCanBe(t *testing.T) {
	refused(t, []refusal{
		{"nothing", func(s *pipeline.Spec) { *s = pipeline.Spec{Place: s.Place, Triggers: s.Triggers} }, "test", []string{"at least one of", "workflow_yaml"}},
		{"no label", func(s *pipeline.Spec) { s.Train.RunsOn = []string{"gpu", "big one"} }, "train runs_on", []string{`"big one"`}},
		{"too long for GitHub's machines", func(s *pipeline.Spec) { s.Test.TimeoutMinutes = 361 }, "test timeout_minutes", []string{"361", "360", "7200"}},
		{"too long for any", func(s *pipeline.Spec) { s.Train.TimeoutMinutes = 7201 }, "train timeout_minutes", nil},
		{"less than nothing", func(s *pipeline.Spec) { s.Scan.TimeoutMinutes = -1 }, "scan timeout_minutes", nil},
		{"a number as a version", func(s *pipeline.Spec) { s.Test.Python = "3.1" }, "test python", []string{`"3.1"`, `"3.10"`}},
		{"a number as a version in a matrix", func(s *pipeline.Spec) { s.Test.Matrix["python"] = []string{"3.1"} }, "test matrix python 0", []string{`"3.10"`}},
		{"no version", func(s *pipeline.Spec) { s.Test.Python = "latest" }, "test python", nil},
		{"a name of GitHub's", func(s *pipeline.Spec) { s.Test.Env = map[string]string{"GITHUB_PATH": "x"} }, "test env GITHUB_PATH", nil},
		{"a name of ours", func(s *pipeline.Spec) { s.Test.Env = map[string]string{"train_run_id": "x"} }, "test env train_run_id", nil},
		{"a name that bash runs", func(s *pipeline.Spec) { s.Test.Env = map[string]string{"BASH_ENV": "x"} }, "test env BASH_ENV", []string{"what to run"}},
		{"no name", func(s *pipeline.Spec) { s.Test.Env = map[string]string{"A B": "x"} }, "test env A B", nil},
		{"names that differ by case", func(s *pipeline.Spec) { s.Test.Env = map[string]string{"A": "x", "a": "x"} }, "test env a", nil},
		{"no permission", func(s *pipeline.Spec) { s.Test.Permissions = map[string]string{"repo": "write"} }, "test permissions repo", []string{"pull-requests", "contents"}},
		{"no level", func(s *pipeline.Spec) { s.Test.Permissions = map[string]string{"id-token": "read"} }, "test permissions id-token", []string{"want write"}},
		{"models to write", func(s *pipeline.Spec) { s.Test.Permissions = map[string]string{"models": "write"} }, "test permissions models", []string{"want read"}},
		{"a step of nothing", func(s *pipeline.Spec) { s.Test.Steps = []pipeline.Step{{Name: "x"}} }, "test step 0", nil},
		{"a step of two", func(s *pipeline.Spec) { s.Test.Steps = []pipeline.Step{{Run: "x", Uses: "a/b@v1"}} }, "test step 0", nil},
		{"a script with inputs", func(s *pipeline.Spec) {
			s.Test.Steps = []pipeline.Step{{Run: "x", With: map[string]string{"a": "b"}}}
		}, "test step 0 with", nil},
		{"an action without version", func(s *pipeline.Spec) { s.Test.Steps = []pipeline.Step{{Uses: "acme/setup"}} }, "test step 0 uses", []string{`"acme/setup@v1"`}},
		{"an image by its tag", func(s *pipeline.Spec) { s.Test.Steps = []pipeline.Step{{Uses: "docker://alpine:3"}} }, "test step 0 uses", []string{"sha256"}},
		{"an action of elsewhere", func(s *pipeline.Spec) { s.Test.Steps = []pipeline.Step{{Uses: "./../x"}} }, "test step 0 uses", nil},
		{"no action", func(s *pipeline.Spec) { s.Test.Steps = []pipeline.Step{{Uses: "a b@v1 # x"}} }, "test step 0 uses", nil},
		{"an action twice", func(s *pipeline.Spec) {
			s.Test.Steps = []pipeline.Step{{Uses: "a/b@v1"}, {Uses: "a/b@v2"}}
		}, "pins", []string{"a/b@v1", "a/b@v2"}},
		{"a pin of nothing", func(s *pipeline.Spec) { s.Pins = map[string]string{"checkout": "v7"} }, "pins checkout", nil},
		{"a short commit", func(s *pipeline.Spec) { s.Pins = map[string]string{"actions/checkout": "3d3c42e"} }, "pins actions/checkout", []string{"40"}},
		{"no ref", func(s *pipeline.Spec) { s.Pins = map[string]string{"actions/checkout": "v 7"} }, "pins actions/checkout", nil},
		{"an empty matrix", func(s *pipeline.Spec) { s.Test.Matrix["os"] = nil }, "test matrix os", nil},
		{"a matrix by GitHub's word", func(s *pipeline.Spec) { s.Test.Matrix["include"] = []string{"a"} }, "test matrix include", nil},
		{"a matrix twice", func(s *pipeline.Spec) { s.Test.Matrix["a-b"], s.Test.Matrix["a_b"] = []string{"1"}, []string{"1"} }, "test matrix a_b", []string{"MATRIX_A_B"}},
		{"too large a matrix", func(s *pipeline.Spec) { s.Test.Matrix["n"] = numbers(129) }, "test matrix", []string{"258", "256"}},
		{"no dataset", func(s *pipeline.Spec) { s.Data.Dataset, s.Data.Validate = "", "" }, "data", nil},
		{"no kind of dataset", func(s *pipeline.Spec) { s.Data.Dataset = "s3://bucket/x" }, "data dataset", []string{"dvc:PATH"}},
		{"a dataset elsewhere", func(s *pipeline.Spec) { s.Data.Dataset = "file:../x" }, "data dataset", nil},
		{"no output", func(s *pipeline.Spec) { s.Train.Outputs = []string{"run id"} }, "train outputs 0", nil},
		{"an output of ours", func(s *pipeline.Spec) { s.Train.Outputs = []string{"model-sha256"} }, "train outputs 0", nil},
		{"an output twice", func(s *pipeline.Spec) { s.Train.Outputs = []string{"run_id", "run-id"} }, "train outputs 1", []string{"TRAIN_RUN_ID"}},
	})
}

func TestModelsAreJudgedAndPackaged(t *testing.T) {
	refused(t, []refusal{
		{"no metrics", func(s *pipeline.Spec) { s.Evaluate.Metrics = "" }, "evaluate metrics", nil},
		{"no rules", func(s *pipeline.Spec) { *s.Evaluate = pipeline.Evaluate{Metrics: "m.json"} }, "evaluate", []string{"min, max and max_regression"}},
		{"no reference", func(s *pipeline.Spec) { s.Evaluate.Reference = "" }, "evaluate reference", []string{"metrics/stable.json"}},
		{"a reference for nothing", func(s *pipeline.Spec) { s.Evaluate.MaxRegression = nil }, "evaluate reference", nil},
		{"no sign", func(s *pipeline.Spec) { s.Evaluate.MaxRegression["f1"] = "0.01" }, "evaluate max_regression f1", []string{`"-0.01"`, `"+0.01"`}},
		{"two signs", func(s *pipeline.Spec) { s.Evaluate.Max["auc"] = 1 }, "evaluate max_regression auc", []string{"which side"}},
		{"no number", func(s *pipeline.Spec) { s.Evaluate.MaxRegression["auc"] = "-x" }, "evaluate max_regression auc", []string{`"-x"`}},
		{"two numbers", func(s *pipeline.Spec) { s.Evaluate.MaxRegression["auc"] = "-1,p95_ms=+1" }, "evaluate max_regression auc", nil},
		{"not finite", func(s *pipeline.Spec) { s.Evaluate.Min["auc"] = math.Inf(1) }, "evaluate min auc", nil},
		{"a metric with a comma", func(s *pipeline.Spec) { s.Evaluate.Min["a,b"] = 1 }, "evaluate min a,b", nil},
		{"a metric with a line break", func(s *pipeline.Spec) { s.Evaluate.Min["a\nb"] = 1 }, "evaluate min a\nb", nil},
		{"what nothing can be", func(s *pipeline.Spec) { s.Evaluate.Min["x"], s.Evaluate.Max["x"] = 2, 1 }, "evaluate min x", []string{"at least 2", "at most 1"}},
		{"no model", func(s *pipeline.Spec) { s.Package.Model = "" }, "package model", nil},
		{"all of the repository", func(s *pipeline.Spec) { s.Package.Model = "./" }, "package model", nil},
		{"a model elsewhere", func(s *pipeline.Spec) { s.Package.Model = "/models" }, "package model", nil},
		{"an option", func(s *pipeline.Spec) { s.Package.Model = "--checkpoint-action=exec=id" }, "package model", nil},
		{"a pattern", func(s *pipeline.Spec) { s.Evaluate.Metrics = "out/*.json" }, "evaluate metrics", nil},
		{"git's own", func(s *pipeline.Spec) { s.Package.Model = ".git/hooks" }, "package model", nil},
		{"an image with a tag", func(s *pipeline.Spec) { s.Package.Image = "ghcr.io/acme/fraud:v1" }, "package image", []string{`want "ghcr.io/acme/fraud"`}},
		{"an image with a digest", func(s *pipeline.Spec) { s.Package.Image = "ghcr.io/acme/fraud@sha256:abc" }, "package image", []string{`want "ghcr.io/acme/fraud"`}},
		{"an image without registry", func(s *pipeline.Spec) { s.Package.Image = "acme/fraud" }, "package image", []string{"ghcr.io/acme/fraud"}},
		{"an image in capitals", func(s *pipeline.Spec) { s.Package.Image = "ghcr.io/Acme/fraud" }, "package image", []string{"lower case"}},
		{"no such bill", func(s *pipeline.Spec) { s.Package.SBOM = "spdx" }, "package sbom", []string{"spdx-json or cyclonedx-json"}},
		{"no such signature", func(s *pipeline.Spec) { s.Package.Sign = "gpg" }, "package sign", []string{"keyless"}},
		{"no such severity", func(s *pipeline.Spec) { s.Scan.FailOn = "severe" }, "scan fail_on", []string{`"severe"`, "high or critical"}},
	})
}

func TestDeploysHaveAnOrder(t *testing.T) {
	refused(t, []refusal{
		{"odd characters", func(s *pipeline.Spec) { s.Deploys[1].Name = "prod eu" }, "deploy 1 name", []string{`"prod eu"`, `"prod-eu"`}},
		{"two of a name", func(s *pipeline.Spec) { s.Deploys[1].Name, s.Deploys[1].Needs = "staging", nil }, "deploy 1 name", nil},
		{"waiting for none", func(s *pipeline.Spec) { s.Deploys[1].Needs = []string{"test"} }, "deploy 1 needs 0", []string{`"test"`, "staging"}},
		{"waiting for itself", func(s *pipeline.Spec) { s.Deploys[1].Needs = []string{"staging", "prod-eu"} }, "deploy 1 needs 1", []string{"itself"}},
		{"waiting twice", func(s *pipeline.Spec) { s.Deploys[1].Needs = []string{"staging", "staging"} }, "deploy 1 needs 1", nil},
		{"a root elsewhere", func(s *pipeline.Spec) { s.Deploys[0].Root = "infra/../../x" }, "deploy 0 root", nil},
		{"an environment with a line break", func(s *pipeline.Spec) { s.Deploys[0].Environment = "a\nb" }, "deploy 0 environment", nil},
		{"an image without package", func(s *pipeline.Spec) { s.Package, s.Deploys[0].ImageVariable, s.Monitor = nil, "image", nil }, "deploy 0 image_variable", []string{"package"}},
		{"no endpoint", func(s *pipeline.Spec) { s.Deploys[0].Promote = []string{"[]"} }, "deploy 0 promote 0", nil},
		{"no role", func(s *pipeline.Spec) { s.Deploys[1].AWS.RoleARN = "deploy" }, "deploy 1 aws role_arn", []string{"arn:aws:iam::"}},
		{"no region", func(s *pipeline.Spec) { s.Deploys[1].AWS.Region = "Ireland" }, "deploy 1 aws region", []string{"eu-west-1"}},
		{"no provider", func(s *pipeline.Spec) { s.Deploys[0].GCP = &pipeline.GCP{WorkloadIdentityProvider: "github"} }, "deploy 0 gcp workload_identity_provider", nil},
		{"no account", func(s *pipeline.Spec) {
			s.Deploys[0].GCP = &pipeline.GCP{WorkloadIdentityProvider: "projects/1/locations/global/workloadIdentityPools/pool/providers/acme", ServiceAccount: "me"}
		}, "deploy 0 gcp service_account", nil},
		{"no role to plan as", func(s *pipeline.Spec) { s.Deploys[1].AWS.PlanRoleARN = "plan" }, "deploy 1 aws plan_role_arn", []string{"arn:aws:iam::"}},
		{"no account to plan as", func(s *pipeline.Spec) {
			s.Deploys[0].GCP = &pipeline.GCP{WorkloadIdentityProvider: "projects/1/locations/global/workloadIdentityPools/pool/providers/acme", PlanServiceAccount: "me"}
		}, "deploy 0 gcp plan_service_account", nil},
		{"no application to plan as", func(s *pipeline.Spec) {
			const id = "00000000-0000-0000-0000-000000000000"
			s.Deploys[0].Azure = &pipeline.Azure{ClientID: id, TenantID: id, SubscriptionID: id, PlanClientID: "plan"}
		}, "deploy 0 azure plan_client_id", nil},
		{"nothing to monitor", func(s *pipeline.Spec) { s.Deploys = nil }, "monitor", nil},
	})
}

func TestDeploysThatWaitForEachOtherAreAllNamed(t *testing.T) {
	t.Parallel()
	s := full()
	s.Deploys[0].Needs = []string{"prod-eu"}
	problems := workflow.Validate(s)
	if len(problems) != 2 {
		t.Fatalf("%+v", problems)
	}
	for _, p := range problems {
		if p.Summary != "Deploys wait for each other" || !strings.Contains(p.Detail, "staging") || !strings.Contains(p.Detail, "prod-eu") {
			t.Errorf("%+v", p)
		}
	}
}

func TestEnvironmentsAreWhatGitHubKeeps(t *testing.T) {
	environment := func(change func(e *pipeline.Environment)) func(*pipeline.Spec) {
		return func(s *pipeline.Spec) { change(&s.Environments[0]) }
	}
	refused(t, []refusal{
		{"no name", environment(func(e *pipeline.Environment) { e.Name = "" }), "environment 0 name", nil},
		{"two of a name", func(s *pipeline.Spec) { s.Environments[1].Name = "Production" }, "environment 1 name", nil},
		{"seven reviewers", environment(func(e *pipeline.Environment) { e.Reviewers = numbers(7) }), "environment 0 reviewers", []string{"7", "at most 6", "@ORGANIZATION/TEAM"}},
		{"nobody", environment(func(e *pipeline.Environment) { e.Reviewers = []string{"octo cat"} }), "environment 0 reviewers 0", []string{`"octo cat"`}},
		{"a team elsewhere", environment(func(e *pipeline.Environment) { e.Reviewers = []string{"@other/team"} }), "environment 0 reviewers 0", []string{"acme"}},
		{"one twice", environment(func(e *pipeline.Environment) { e.Reviewers = []string{"octocat", "Octocat"} }), "environment 0 reviewers 1", nil},
		{"a long wait", environment(func(e *pipeline.Environment) { e.WaitMinutes = 43201 }), "environment 0 wait_minutes", []string{"43201", "43200"}},
		{"no review", environment(func(e *pipeline.Environment) { e.Reviewers = nil }), "environment 0 prevent_self_review", nil},
		{"no branch", environment(func(e *pipeline.Environment) { e.Branches = []string{"a b"} }), "environment 0 branches 0", nil},
		{"a variable of GitHub's", environment(func(e *pipeline.Environment) { e.Variables["github_x"] = "x" }), "environment 0 variables github_x", []string{"GITHUB_"}},
		{"our label", environment(func(e *pipeline.Environment) { e.Variables["TIDEGATE_PIPELINE"] = "x" }), "environment 0 variables TIDEGATE_PIPELINE", nil},
		{"a secret that begins with a digit", environment(func(e *pipeline.Environment) { e.SecretNames = []string{"1KEY"} }), "environment 0 secrets_wo 1KEY", []string{"no digit first"}},
		{"a secret with a dash", environment(func(e *pipeline.Environment) { e.SecretNames = []string{"API-KEY"} }), "environment 0 secrets_wo API-KEY", nil},
		{"a secret of GitHub's", environment(func(e *pipeline.Environment) { e.SecretNames = []string{"GITHUB_TOKEN"} }), "environment 0 secrets_wo GITHUB_TOKEN", nil},
		{"secrets that differ by case", environment(func(e *pipeline.Environment) { e.SecretNames = []string{"KEY", "key"} }), "environment 0 secrets_wo key", nil},
	})
}

func TestASecretIsNeverTold(t *testing.T) {
	t.Parallel()
	s := full()
	secret := strings.Repeat("hunter2", 10_000)
	s.Environments[0].Secrets = map[string]string{"API_KEY": secret, "OTHER": ""}
	problems := workflow.Validate(s)
	if len(problems) != 2 {
		t.Fatalf("%+v", problems)
	}
	if strings.Contains(fmt.Sprint(problems), "hunter2") {
		t.Error("a problem has the secret's value")
	}
}

func TestRequiredChecksAreReported(t *testing.T) {
	refused(t, []refusal{
		{"no such job", func(s *pipeline.Spec) { s.RequiredChecks = []string{"test", "lint"} }, "required_checks 1", []string{`"lint"`, "test", "scan"}},
		{"not on pull requests", func(s *pipeline.Spec) { s.RequiredChecks = []string{"package"} }, "required_checks 0", nil},
		{"by the clock", func(s *pipeline.Spec) { s.RequiredChecks = []string{"monitor-staging"} }, "required_checks 0", nil},
		{"twice", func(s *pipeline.Spec) { s.RequiredChecks = []string{"test", "test"} }, "required_checks 1", nil},
		{"no pull requests", func(s *pipeline.Spec) { s.Triggers.PullRequest = false }, "required_checks", []string{"pull_request = true"}},
		{"of a workflow of one's own", func(s *pipeline.Spec) {
			*s = pipeline.Spec{Place: s.Place, YAML: ownYAML, RequiredChecks: []string{"test"}}
		}, "required_checks", []string{"wait forever"}},
	})
}

func TestAWorkflowIsSaidOnce(t *testing.T) {
	refused(t, []refusal{
		{"with stages", func(s *pipeline.Spec) { s.RequiredChecks, s.YAML = nil, ownYAML }, "workflow_yaml", []string{"triggers", "test", "monitor"}},
		{"with a name", func(s *pipeline.Spec) { *s = pipeline.Spec{Place: s.Place, Name: "x", YAML: ownYAML} }, "name", nil},
		{"no YAML", func(s *pipeline.Spec) { *s = pipeline.Spec{Place: s.Place, YAML: "on: push\njobs: [\n"} }, "workflow_yaml", []string{"cannot be read", "line 2"}},
	})
}

func TestWhatIsOnlyOddIsAWarning(t *testing.T) {
	t.Parallel()
	s := full()
	s.Pins = map[string]string{"acme/unused": "v1"}
	s.Deploys[0].ImageVariable = "image"
	problems := workflow.Validate(s)
	if len(problems) != 2 || !problems[0].Warning || !problems[1].Warning {
		t.Fatalf("%+v", problems)
	}
	if !strings.Contains(render(t, s), "monitor-prod-eu:") || strings.Contains(render(t, s), "monitor-staging:") {
		t.Error("want a monitor of the root that can be planned, and of no other")
	}
}

func numbers(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("n%d", i)
	}
	return all
}
