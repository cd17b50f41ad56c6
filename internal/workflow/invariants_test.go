package workflow_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// A flow is a rendered workflow as somebody else reads it.
type flow struct {
	Name        string            `yaml:"name"`
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]struct {
		Needs       []string          `yaml:"needs"`
		If          string            `yaml:"if"`
		RunsOn      any               `yaml:"runs-on"`
		Timeout     int               `yaml:"timeout-minutes"`
		Environment string            `yaml:"environment"`
		Permissions map[string]string `yaml:"permissions"`
		Env         map[string]string `yaml:"env"`
		Strategy    struct {
			Matrix map[string][]string `yaml:"matrix"`
		} `yaml:"strategy"`
		Concurrency struct {
			Group  string `yaml:"group"`
			Cancel bool   `yaml:"cancel-in-progress"`
		} `yaml:"concurrency"`
		Steps []flowStep `yaml:"steps"`
	} `yaml:"jobs"`
}

type flowStep struct {
	ID   string            `yaml:"id"`
	Name string            `yaml:"name"`
	Uses string            `yaml:"uses"`
	With map[string]string `yaml:"with"`
	Env  map[string]string `yaml:"env"`
	Run  string            `yaml:"run"`
}

// A tester is a test, or one run of a property.
type tester interface {
	Errorf(format string, args ...any)
	Error(args ...any)
	Fatalf(format string, args ...any)
}

func read(t tester, text string) flow {
	var f flow
	if err := yaml.Unmarshal([]byte(text), &f); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return f
}

var pinnedAction = regexp.MustCompile(`^[a-z0-9-]+/[a-z0-9/-]+@[0-9a-f]{40}$`)

// safe is what every rendered workflow is, whatever was asked.
func safe(t tester, s pipeline.Spec, text string) flow {
	f := read(t, text)
	if f.Permissions == nil || len(f.Permissions) > 0 {
		t.Errorf("the workflow's own permissions are %v, want none", f.Permissions)
	}
	if _, ok := f.On["pull_request_target"]; ok {
		t.Error("the workflow runs on pull_request_target")
	}
	for id, j := range f.Jobs {
		if j.Timeout < 1 || j.Permissions == nil || len(j.Steps) == 0 {
			t.Errorf("job %s: timeout %d, permissions %v, %d steps", id, j.Timeout, j.Permissions, len(j.Steps))
		}
		if strings.HasPrefix(id, "deploy-") && (j.Concurrency.Group == "" || j.Concurrency.Cancel) {
			t.Errorf("job %s: a deploy could be cancelled by another, or run beside it: %+v", id, j.Concurrency)
		}
		writes := slices.Contains(slices.Collect(values(j.Permissions)), "write")
		for _, step := range j.Steps {
			if strings.Contains(step.Run, "${{") {
				t.Errorf("job %s: an expression is in a script: %s", id, step.Run)
			}
			if step.Uses != "" && !pinnedAction.MatchString(step.Uses) && !strings.HasPrefix(step.Uses, "./") && !strings.HasPrefix(step.Uses, "docker://") {
				t.Errorf("job %s: %s is not pinned", id, step.Uses)
			}
			if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != "false" {
				t.Errorf("job %s: the checkout leaves its token in the folder", id)
			}
			if step.With["cache"] != "" && (writes || id != "test" && id != "test-matrix") {
				t.Errorf("job %s: a cache could bring in what was not reviewed", id)
			}
		}
	}
	if _, ok := f.On["pull_request"]; ok != s.Triggers.PullRequest && s.YAML == "" {
		t.Errorf("on is %v", f.On)
	}
	return f
}

func values(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func TestEveryRenderedWorkflowIsSafe(t *testing.T) {
	t.Parallel()
	for name, s := range specs() {
		if name == "own-yaml" {
			continue // its author's
		}
		safe(t, s, render(t, s))
	}
}

func TestRenderingIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	for name, s := range specs() {
		first := render(t, s)
		for range 20 { // maps have another order each time
			if again := render(t, s); again != first {
				t.Fatalf("%s is rendered in two ways", name)
			}
		}
	}
}

func TestTheFileSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	for name, s := range specs() {
		lines := strings.Split(render(t, s), "\n")
		if !strings.HasPrefix(lines[0], "# ") || lines[1] != pipeline.Marker+s.Path || !strings.Contains(lines[2], "Terraform writes this file") {
			t.Errorf("%s begins with %q", name, lines[:3])
		}
	}
}

func TestAnActionWithoutPinIsAnError(t *testing.T) {
	t.Parallel()
	p := pins()
	delete(p, workflow.Own)
	p["actions/checkout"] = workflow.Pin{Commit: "v7"}
	_, err := workflow.Render(full(), p)
	if err == nil {
		t.Fatal("an action is not pinned")
	}
	for _, want := range []string{"actions/checkout", workflow.Own, "pins"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said: %v", want, err)
		}
	}
}

func TestAFolderOfAnActionHasItsRepositorysPin(t *testing.T) {
	t.Parallel()
	p := pins()
	p["anchore/scan-action"] = p["anchore/scan-action/download-grype"]
	delete(p, "anchore/scan-action/download-grype")
	if got, err := workflow.Render(specs()["scan"], p); err != nil || got != render(t, specs()["scan"]) {
		t.Errorf("%v:\n%s", err, got)
	}
}

func TestActionsAreThoseOfTheWorkflow(t *testing.T) {
	t.Parallel()
	for name, s := range specs() {
		actions, err := workflow.Actions(s)
		if err != nil {
			t.Fatal(err)
		}
		p := workflow.Pins{}
		for action := range actions {
			p[action] = pins()["actions/checkout"]
		}
		if _, err := workflow.Render(s, p); err != nil {
			t.Errorf("%s: what Actions names is not enough: %v", name, err)
		}
		for action := range actions {
			fewer := workflow.Pins{}
			for a, pin := range p {
				if a != action {
					fewer[a] = pin
				}
			}
			if _, err := workflow.Render(s, fewer); err == nil {
				t.Errorf("%s: Actions names %s, which is not used", name, action)
			}
		}
	}
}

// GitHub takes a skipped check for a passed one, and skips a job when one that it needs has failed.
func TestAJobThatJudgesAPullRequestIsNeverSkipped(t *testing.T) {
	t.Parallel()
	for name, s := range specs() {
		if !s.Triggers.PullRequest {
			continue
		}
		text := render(t, s)
		checks, err := workflow.Checks(text)
		if err != nil {
			t.Fatal(err)
		}
		f := read(t, text)
		for _, check := range checks {
			j := f.Jobs[check]
			if len(j.Needs) == 0 {
				continue
			}
			first := j.Steps[0].Name
			if !strings.Contains(j.If, "always()") && !strings.Contains(j.If, "!cancelled()") || !strings.HasPrefix(first, "Fail unless ") {
				t.Errorf("%s: job %s is skipped when %v fail: if %q, first step %q", name, check, j.Needs, j.If, first)
			}
			for _, n := range j.Needs {
				if !strings.Contains(first, n) {
					t.Errorf("%s: job %s does not ask for %s", name, check, n)
				}
			}
		}
	}
}

func TestForksGetNeitherSecretsNorMachines(t *testing.T) {
	t.Parallel()
	refuses := func(t *testing.T, s pipeline.Spec, id string, want bool) {
		t.Helper()
		j := read(t, render(t, s)).Jobs[id]
		got := slices.ContainsFunc(j.Steps[:2], func(s flowStep) bool { return s.Name == "Refuse pull requests from forks" })
		if got != want {
			t.Errorf("job %s refuses forks: %v, want %v", id, got, want)
		}
	}
	s := ownSteps()
	refuses(t, s, "test", true)
	s.Test.Env = map[string]string{"TOKEN": "${{ secrets.GITHUB_TOKEN }}"}
	refuses(t, s, "test", false)
	refuses(t, selfHosted(), "test-matrix", true)
	refuses(t, selfHosted(), "train", true)
	refuses(t, full(), "train", true)
	refuses(t, full(), "data", false)
	for _, label := range []string{"ubuntu-24.04-arm", "macos-15", "windows-latest", "ubuntu-slim"} {
		s := full()
		s.Train.RunsOn = []string{label}
		refuses(t, s, "train", label == "ubuntu-slim")
	}
	s = full()
	s.Triggers.PullRequest, s.RequiredChecks = false, nil
	refuses(t, s, "train", false)
}

func TestDeploysAreWrittenAfterThoseTheyWaitFor(t *testing.T) {
	t.Parallel()
	s := full()
	s.Deploys[0], s.Deploys[1] = s.Deploys[1], s.Deploys[0]
	f := read(t, render(t, s))
	if got := f.Jobs["plan-prod-eu"].Needs; !slices.Equal(got, []string{"deploy-staging"}) {
		t.Errorf("prod-eu waits for %v", got)
	}
}

func TestPublishingWaitsForTheBranch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		push   []string
		branch string
		want   string
	}{
		{[]string{"main"}, "", "github.event_name == 'push' || github.ref == 'refs/heads/main'"},
		{[]string{"release/**"}, "", "github.event_name == 'push' || startsWith(github.ref, 'refs/heads/release/')"},
		{[]string{"v[0-9]"}, "", "github.event_name == 'push'"},
		{[]string{"main", "release/**", "!release/old"}, "", "github.event_name == 'push'"},
		{nil, "trunk", "github.ref == 'refs/heads/trunk'"},
		{nil, "", "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"},
	} {
		s := dockerfile()
		s.Triggers.Push, s.Delivery.Branch = tt.push, tt.branch
		if got := read(t, render(t, s)).Jobs["package"].If; got != tt.want {
			t.Errorf("%v %s: %s, want %s", tt.push, tt.branch, got, tt.want)
		}
	}
}

// Whatever may be sensitive is for jobs that no pull request starts, on branches whose pushes start the workflow.
func TestPullRequestsAndOtherBranchesReachNothingThatWrites(t *testing.T) {
	t.Parallel()
	for name, s := range rendered() {
		s.Triggers.PullRequest = true
		text := render(t, s)
		f := read(t, text)
		var guarded func(id string) bool // it, or a job that it needs, asks where it runs
		guarded = func(id string) bool {
			j := f.Jobs[id]
			return strings.Contains(j.If, "github.ref ==") || strings.Contains(j.If, "github.event_name == 'schedule'") ||
				!strings.Contains(j.If, "always()") && !strings.Contains(j.If, "cancelled()") && slices.ContainsFunc(j.Needs, guarded)
		}
		for id, j := range f.Jobs {
			pulls, err := workflow.MayReport(text, id)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Builder{}
			for _, step := range j.Steps {
				for v := range values(step.With) {
					text.WriteString(v)
				}
			}
			asked := name == "own-steps" && id == "test" // by the user
			writes := slices.Contains(slices.Collect(values(j.Permissions)), "write") && !asked
			if (writes || j.Environment != "" || strings.Contains(text.String(), "secrets.")) && (pulls || !guarded(id)) {
				t.Errorf("%s, job %s: on pull requests %v, else only on branches that are released from %v", name, id, pulls, guarded(id))
			}
		}
	}
}

func TestPipelinesOfOneNameDoNotEndEachOther(t *testing.T) {
	t.Parallel()
	groups := map[string]bool{}
	for _, path := range []string{where, ".github/workflows/other.yml"} {
		s := full()
		s.Name, s.Path = "ci", path
		var w struct {
			Concurrency struct{ Group string }
		}
		if err := yaml.Unmarshal([]byte(render(t, s)), &w); err != nil {
			t.Fatal(err)
		}
		groups[w.Concurrency.Group] = true
	}
	if len(groups) != 2 {
		t.Errorf("a run of one ends those of the other: %v", groups)
	}
	s := full()
	s.Deploys[0].Root = "./infra/prod-eu/"
	f := read(t, render(t, s))
	if a, b := f.Jobs["deploy-staging"].Concurrency, f.Jobs["deploy-prod-eu"].Concurrency; a != b {
		t.Errorf("one root, written in two ways, is deployed twice at a time: %v, %v", a, b)
	}
}
