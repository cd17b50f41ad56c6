package action

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

const (
	ourAction      = "tidegatehq/terraform-provider-tidegate@v1"
	setupTerraform = "hashicorp/setup-terraform@b9cd54a3c349d3f38e8881555d616ced269862dd"
)

// source is the Action as a workflow gets it at a commit that was not released: the project without its tests.
func source(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	parts, err := filepath.Glob(filepath.Join("..", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"action.yml", "VERSION", "go.mod", "go.sum", "action", "internal"} {
		parts = append(parts, filepath.Join("..", name))
	}
	for _, from := range parts {
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			to := filepath.Join(dir, strings.TrimPrefix(path, ".."))
			switch {
			case d.IsDir() && (d.Name() == "githubtest" || d.Name() == "acttool" || d.Name() == "ocitest"):
				return filepath.SkipDir // modules of their own, of tests
			case d.IsDir():
				return os.MkdirAll(to, 0o750)
			case strings.HasSuffix(path, "_test.go"):
				return nil
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			return os.WriteFile(to, b, info.Mode())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// workflows is a repository with the workflows that users copy.
func workflows(t *testing.T) (hub *githubhub.Hub, repo *githubhub.Repository, run func(workflow string, e githubhub.Event, ref string) githubhub.Result, infra func(...string) githubhub.Files) {
	t.Helper()
	need(t, "bash", "go", "git")
	needTerraform(t)
	hub = githubhub.Start(t)
	state := filepath.Join(t.TempDir(), "state")
	infra = func(inputs ...string) githubhub.Files {
		return githubhub.Files{"infra/main.tf": strings.Replace(configured(inputs...), `"local" {}`, fmt.Sprintf("\"local\" {\n    path = %q\n  }", state), 1)}
	}
	files := infra(`"1"`)
	for _, name := range []string{"plan.yml", "apply.yml", "apply-saved.yml", "evaluate.yml"} {
		b, err := os.ReadFile(filepath.Join("..", "examples", "workflows", name))
		if err != nil {
			t.Fatal(err)
		}
		files[".github/workflows/"+name] = string(b)
	}
	files["models/metrics.json"] = `{"test": {"accuracy": 0.95, "loss": 0.2}, "latency_p95_seconds": 0.1}`
	files["models/reference.json"] = `{"test": {"accuracy": 0.94, "loss": 0.2}}`
	repo = hub.Repository("acme/infra", files)
	repo.Protect("main")

	nothing := t.TempDir()
	noop := "name: stand-in\ndescription: Terraform is on this machine\ninputs:\n  terraform_wrapper:\n    description: w\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      run: terraform version\n"
	if err := os.WriteFile(filepath.Join(nothing, "action.yml"), []byte(noop), 0o600); err != nil {
		t.Fatal(err)
	}
	// One folder for all jobs: the first builds the program, as the first step of a job does.
	env := map[string]string{"RUNNER_TEMP": t.TempDir(), "TF_CLI_CONFIG_FILE": os.Getenv("TF_CLI_CONFIG_FILE"), "CHECKPOINT_DISABLE": "1"}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOFLAGS"} {
		out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env[name] = strings.TrimSpace(string(out))
	}
	actions := map[string]string{ourAction: source(t), setupTerraform: nothing}
	run = func(workflow string, e githubhub.Event, ref string) githubhub.Result {
		t.Helper()
		return hub.Act(githubhub.Job{
			Repo: repo, Dir: repo.Clone(ref), Workflow: ".github/workflows/" + workflow, Event: e, Actions: actions, Env: env,
			Secrets: map[string]string{"TIDEGATE_KEY": testKey}, Timeout: 10 * time.Minute,
		})
	}
	return hub, repo, run, infra
}

func succeeded(t *testing.T, r githubhub.Result, said ...string) {
	t.Helper()
	if r.ExitCode != 0 {
		t.Fatalf("exit code %d:\n%s", r.ExitCode, r.Log)
	}
	for _, text := range said {
		if !strings.Contains(r.Log, text) {
			t.Errorf("it does not say %q:\n%s", text, r.Log)
		}
	}
}

// The workflows that users copy, from a pull request to what is applied, run as a runner runs them: the Action builds
// itself and is started by exec.
func TestWholeWorkflows(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds the program as a runner does")
	}
	_, repo, run, infra := workflows(t)
	repo.Push(githubhub.Commit{Branch: "more", Files: infra(`"1"`, `"2"`)})
	pull := repo.Open(githubhub.NewPull{Head: "more"})
	onPull := githubhub.Event{Name: "pull_request", Number: pull.Number}
	merge := fmt.Sprintf("refs/pull/%d/merge", pull.Number)
	planned := run("plan.yml", onPull, merge)
	succeeded(t, planned, "2 to add, 0 to change, 0 to destroy")
	if !strings.Contains(planned.Summary, "terraform_data.b") {
		t.Errorf("the summary: %s", planned.Summary)
	}
	first := repo.Comments(pull.Number)
	if len(first) != 1 || !strings.Contains(first[0].Body, "terraform_data.b") {
		t.Fatalf("comments: %+v", first)
	}
	repo.Push(githubhub.Commit{Branch: "more", Files: infra(`"1"`, `"2"`, `"3"`)})
	succeeded(t, run("plan.yml", onPull, merge), "3 to add")
	if second := repo.Comments(pull.Number); len(second) != 1 || second[0].ID != first[0].ID || !strings.Contains(second[0].Body, "terraform_data.c") {
		t.Fatalf("comments: %+v", second)
	}
	succeeded(t, run("evaluate.yml", onPull, merge), "4 of 4 rules hold")
	repo.Push(githubhub.Commit{Files: githubhub.Files{"README.md": "main moved\n"}})
	sha := repo.Merge(pull.Number, githubhub.Squash)
	applied := run("apply.yml", githubhub.Event{Name: "push"}, "main")
	succeeded(t, applied, "Apply complete! Resources: 3 added")
	if d := repo.Deployments(); len(d) != 1 || d[0].SHA != sha || d[0].Environment != "infra" {
		t.Errorf("deployments: %+v", d)
	}

	direct := repo.Push(githubhub.Commit{Files: infra(`"1"`, `"2"`, `"3"`, `"4"`)})
	refused := run("apply.yml", githubhub.Event{Name: "push"}, "main")
	if refused.ExitCode == 0 || !strings.Contains(refused.Log, "No pull request brought "+direct[:7]) {
		t.Errorf("what nobody reviewed: exit code %d\n%s", refused.ExitCode, refused.Log)
	}
	saved := run("apply-saved.yml", githubhub.Event{Name: "workflow_dispatch"}, "main")
	succeeded(t, saved, "1 to add", "Apply complete! Resources: 1 added")
}
