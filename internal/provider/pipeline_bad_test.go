package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// What the configuration alone reveals is said at plan, at the attribute and with the value.
func TestBadPipelinesAreRefusedAtPlan(t *testing.T) {
	s := newYard(t) // where the repository is there
	deploys := func(a, b string) string {
		return "deploy {\n name = \"one\"\n root = \"infra/one\"\n" + a + "\n}\ndeploy {\n name = \"two\"\n root = \"infra/two\"\n" + b + "\n}"
	}
	test := func(more string) string { return "test {\n run = \"make test\"\n" + more + "\n}" }
	var bad []badPipeline
	for _, c := range []badPipeline{
		{"test {}", "run is empty: want a command"},
		{test("runs_on = \",\""), `",": want the label of a runner`},
		{test("timeout_minutes = 0"), "0: want a whole number from 1 to 7200"},
		{test("timeout_minutes = 1.5"), "1.5: want a whole number"},
		{test("env = { A = null }"), `It is null: want a value`},
		{test("matrix = { python = [] }"), "matrix of python has no values"},
		{test("step {\n name = \"x\"\n}"), "Set run, a script, or uses, an action"},
		{test("step {\n run = \"x\"\n uses = \"acme/x@v1\"\n}"), "Set run, a script, or uses, an action, and not both"},
		{test("permissions = { contents = \"admin\" }"), `permissions of contents is "admin"`},
		{"test {\n run = \"echo $${{ github.head_ref }}\"\n}", "An expression in a script is code from outside"},
		{"triggers {\n push = [\"main\"]\n schedule = [\"0 0 30 2 *\"]\n}\n" + test(""), "This cron never fires"},
		{"triggers {\n push = [\"main\"]\n schedule = [\"every day\"]\n}\n" + test(""), `"every day": want five fields`},
		{deploys(`needs = ["two"]`, `needs = ["one"]`), `needs of "one" has "two", which waits for "one"`},
		{deploys(`needs = ["three"]`, ""), `needs of "one" has "three": want two`},
		{strings.ReplaceAll(deploys("", ""), `"two"`, `"one"`), `deploy 1 and 2 are both called "one"`},
		{"deploy {\n name = \"a b\"\n root = \"x\"\n}", `name is "a b": want 1 to 50 lower-case letters`},
		{"deploy {\n name = \"a\"\n root = \"../x\"\n}", `root is "../x": want a path inside of the repository`},
		{"deploy {\n name = \"a\"\n root = \"x\"\n aws {}\n}", `role_arn is "": want one such as`},
		{"scan {\n fail_on = \"nothing\"\n}", `"nothing": want ["negligible"`},
		{"package {}", `image is "": want REGISTRY/NAME`},
		{"train {}", "run is empty"},
		{"evaluate {}", `metrics is ""`},
		{"monitor {}", `schedule`},
		{"package {\n image = \"ghcr.io/acme/fraud\"\n model = \"out\"\n sbom = \"all\"\n}", `"all": want ["spdx-json" "cyclonedx-json" "none"]`},
		{"deploy {\n name = \"a\"\n root = \"x\"\n gcp {}\n}", `workload_identity_provider is ""`},
		{"deploy {\n name = \"a\"\n root = \"x\"\n azure {}\n}", `client_id is ""`},
		{"monitor {\n schedule = \"61 * * * *\"\n}", `schedule has "61 * * * *"`},
		{"workflow_yaml = \"jobs: [\"", "workflow_yaml cannot be read"},
		{"workflow_yaml = \"on: push\\njobs:\\n  a:\\n    runs-on: ubuntu-latest\\n    steps:\\n      - rum: x\\n\"", "line 9, column 9"},
		{"workflow_yaml = \"on: push\\njobs: {}\\n\"\n" + test(""), "Both workflow_yaml and test are set"},
		{"pins = { \"actions/checkout\" = \"\" }\n" + test(""), `pins of actions/checkout is "": want a tag`},
		{"environment {\n name = \"p\"\n secrets_wo = { A = \"b\" }\n}", "Missing secrets_wo_version"},
		{"environment {\n name = \"p\"\n secrets_wo_version = 1\n}", "secrets_wo_version without secrets_wo"},
		{"environment {\n name = \"p\"\n secrets_wo_version = 1\n secrets_wo = { GITHUB_KEY = \"b\" }\n}", "names that begin with GITHUB_ are its own"},
		{"environment {\n name = \"p\"\n reviewers = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"]\n}", "GitHub takes at most 6"},
		{"environment {\n name = \"p\"\n wait_minutes = 43201\n}", "wait_minutes is 43201: want 0 to 43200"},
		{"environment {\n name = \"p\"\n}\nenvironment {\n name = \"P\"\n}", "environment 1 and 2 are both called"},
	} {
		bad = append(bad, badPipeline{"  repository = \"acme/fraud\"\n  path = \"" + fraudFile + "\"\n" + c.hcl, c.want})
	}
	for _, c := range []badPipeline{
		{`path = ".github/workflows/fraud.yml"`, "Missing repository"},
		{"repository = \"acme/fraud\"\ndirectory = \"fraud\"\npath = \".github/workflows/fraud.yml\"", "Both repository and directory"},
		{"repository = \"https://github.com/acme/fraud\"\npath = \".github/workflows/fraud.yml\"", `repository is "https://github.com/acme/fraud": want OWNER/NAME`},
		{"repository = \"acme/fraud\"\npath = \"workflows/fraud.yml\"", `path is "workflows/fraud.yml": want .github/workflows/NAME.yml`},
		{"repository = \"acme/fraud\"\npath = \".github/workflows/../fraud.yml\"", "want .github/workflows/NAME.yml"},
		{"repository = \"acme/fraud\"\npath = \".github/workflows/sub/fraud.yml\"", "want .github/workflows/NAME.yml"},
		{"repository = \"acme/fraud\"\npath = \".github/workflows/fraud.txt\"", "want .github/workflows/NAME.yml"},
		{"directory = \"fraud\"\npath = \".github/workflows/fraud.yml\"\nrequired_checks = [\"test\"]", "A folder has no required checks"},
	} {
		bad = append(bad, badPipeline{c.hcl + "\n test {\n run = \"make test\"\n}", c.want})
	}
	s.refuses(bad)
	s.config("resource \"tidegate_pipeline\" \"fraud\" {\n  trian {\n run = \"x\"\n}\n}")
	s.plan().fails().says(`Blocks of type "trian" are not expected here`)
}

// A badPipeline has something wrong in it, of which an error says want.
type badPipeline struct{ hcl, want string }

// refuses plans them all at once: Terraform reports what is wrong with each. What is found while planning comes once nothing else
// is wrong any more.
func (s *stage) refuses(all []badPipeline) {
	s.t.Helper()
	var text string
	for left := -1; left != len(all); {
		left = len(all)
		var hcl strings.Builder
		for i, c := range all {
			fmt.Fprintf(&hcl, "resource \"tidegate_pipeline\" \"n%d\" {\n%s\n}\n", i, c.hcl)
		}
		s.config(hcl.String())
		text = s.plan().text
		errors := strings.Split(text, "Error: ")
		var still []badPipeline
		for i, c := range all {
			if !slices.ContainsFunc(errors, func(e string) bool {
				return strings.Contains(e, fmt.Sprintf("with tidegate_pipeline.n%d,", i)) && strings.Contains(e, plain(c.want))
			}) {
				still = append(still, c)
			}
		}
		all = still
	}
	for _, c := range all {
		s.t.Errorf("%s\nis not refused with %q", c.hcl, c.want)
	}
	if len(all) > 0 {
		s.t.Log(text)
	}
}

// What only GitHub knows is said at plan, too, where it can be asked.
func TestPlacesThatCannotBeAreRefusedAtPlan(t *testing.T) {
	y := newYard(t)
	y.hub.Repository("acme/old", githubhub.Files{"a": "a"}).Archive()
	y.repo.SetRole("reader", "read")
	config := func(repository, delivery, more string) {
		y.config(strings.Replace(hosted(delivery, testStage, more), `"acme/fraud"`, `"`+repository+`"`, 1))
	}
	plan := func(wants ...string) {
		t.Helper()
		out := y.plan()
		for _, want := range wants {
			if out.code != 1 || !strings.Contains(out.text, plain(want)) {
				t.Errorf("exit code %d; want an error with %q in:\n%s", out.code, want, tail(out.text, 1500))
			}
		}
	}
	config("acme/none", byCommit, "")
	plan("acme/none")
	config("acme/old", byCommit, "")
	plan("acme/old", "archived")
	config("acme/fraud", "delivery {\n branch = \"none\"\n}", "")
	plan("none", "branch")
	config("acme/fraud", byCommit, "environment {\n name = \"p\"\n reviewers = [\"nobody-of-this-name\"]\n}")
	plan("nobody-of-this-name")
	config("acme/fraud", byCommit, "deploy {\n name = \"one\"\n root = \"infra\"\n environment = \"nowhere\"\n}\npins = { \"tidegatehq/terraform-provider-tidegate\" = \""+strings.Repeat("a", 40)+"\" }")
	plan("nowhere")

	config("acme/fraud", byCommit, "")
	expired := y.hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	y.hub.Revoke(expired)
	y.as(expired)
	plan("The token was not accepted")
	y.as(y.hub.Token(githubhub.Token{Kind: githubhub.PersonalToken, User: "reader"}))
	plan("acme/fraud")
	y.as(y.hub.Token(githubhub.Token{Kind: githubhub.PersonalToken, Scopes: []string{}}))
	plan("acme/fraud", "scope")
	// Without a token, and with that of a workflow, plans are made; an apply says what it takes.
	y.as(y.hub.Token(githubhub.Token{Kind: githubhub.ActionsToken}))
	y.apply().fails().says("workflow")
	y.as("")
	y.plan().changes().says("No token was given")
	y.apply().fails().says("no token was given", "GITHUB_TOKEN")
}

func TestARateLimitThatLastsLongerThanTheTimeoutIsSaid(t *testing.T) {
	y := newYard(t)
	token := y.hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	y.as(token)
	y.config(hosted(byCommit, testStage, "timeouts {\n create = \"2s\"\n}"))
	y.plan("-out=plan").changes()
	y.hub.SetQuota(token, 0, time.Hour)
	y.terraform("apply", "plan").fails().says("rate limit")
}
