package action

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

const testKey = "an-old-key-for-tests"

// A world is a repository on a GitHub of the test's own, with a root module whose state is beside it.
type world struct {
	t     *testing.T
	hub   *githubhub.Hub
	repo  *githubhub.Repository
	state string
	key   string
}

// configured is a root module with resources of Terraform's own, each with its input.
func configured(inputs ...string) string {
	var b strings.Builder
	b.WriteString("terraform {\n  backend \"local\" {}\n}\n\nvariable \"password\" {\n  type      = string\n  default   = \"\"\n  sensitive = true\n}\n")
	for i, input := range inputs {
		_, _ = fmt.Fprintf(&b, "\nresource \"terraform_data\" %q {\n  input = %s\n}\n", string(rune('a'+i)), input)
	}
	return b.String()
}

func newWorld(t *testing.T, files githubhub.Files) *world {
	t.Helper()
	needTerraform(t)
	hub := githubhub.Start(t)
	w := &world{t: t, hub: hub, key: testKey, state: filepath.Join(t.TempDir(), "state")}
	w.repo = hub.Repository("acme/infra", files)
	return w
}

// propose opens a pull request with a change.
func (w *world) propose(branch string, files githubhub.Files) githubhub.Pull {
	w.t.Helper()
	w.repo.Push(githubhub.Commit{Branch: branch, Files: files})
	return w.repo.Open(githubhub.NewPull{Head: branch, Title: "Change " + branch})
}

// A step is a step of a workflow, and what it left.
type step struct {
	*runner
	out Outcome
}

// run runs the Action as a step of a run, in a fresh checkout of ref.
func (w *world) run(ctx context.Context, ref string, e githubhub.Event, n githubhub.NewRun, inputs map[string]string) step {
	w.t.Helper()
	run := w.repo.Run(n)
	env := map[string]string{
		"GITHUB_WORKSPACE": w.repo.Clone(ref), "GITHUB_REPOSITORY": w.repo.FullName, "GITHUB_EVENT_NAME": e.Name,
		"GITHUB_EVENT_PATH": w.repo.EventFile(e), "GITHUB_SHA": run.SHA, "GITHUB_RUN_ID": fmt.Sprint(run.ID),
		"GITHUB_API_URL": w.hub.APIURL, "GITHUB_SERVER_URL": w.hub.ServerURL, "GITHUB_REF": "refs/heads/main",
		"INPUT_BACKEND_CONFIG": "path=" + w.state, "INPUT_KEY": w.key, "INPUT_TOKEN": run.Token,
	}
	if e.Number != 0 {
		env["GITHUB_REF"] = fmt.Sprintf("refs/pull/%d/merge", e.Number)
	}
	for name, value := range inputs {
		env[name] = value
	}
	r := newRunner(w.t, env)
	return step{r, Main(ctx, r.stage())}
}

// plan is the plan of a pull request as it is now.
func (w *world) plan(number int, inputs map[string]string) step {
	w.t.Helper()
	return w.run(w.t.Context(), fmt.Sprintf("refs/pull/%d/merge", number), githubhub.Event{Name: "pull_request", Number: number},
		githubhub.NewRun{Event: "pull_request", Number: number}, with(inputs, "INPUT_MODE", "plan"))
}

// apply is the apply of a commit that main is at.
func (w *world) apply(sha string, inputs map[string]string) step {
	w.t.Helper()
	return w.run(w.t.Context(), sha, githubhub.Event{Name: "push"}, githubhub.NewRun{Event: "push", SHA: sha}, with(inputs, "INPUT_MODE", "apply"))
}

func with(inputs map[string]string, name, value string) map[string]string {
	out := map[string]string{name: value}
	for k, v := range inputs {
		out[k] = v
	}
	return out
}

// expect fails the test unless a step ended so and said so.
func (s step) expect(out Outcome, said ...string) step {
	s.t.Helper()
	log := s.log.String()
	if s.out != out {
		s.t.Fatalf("it ended as %v, want %v\n%s", s.out, out, log)
	}
	for _, text := range said {
		if !strings.Contains(log, text) {
			s.t.Errorf("it does not say %q:\n%s", text, log)
		}
	}
	return s
}

// applied fails the test unless the state has these resources and no others.
func (w *world) applied(names ...string) {
	w.t.Helper()
	b, err := os.ReadFile(w.state)
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		want := strings.Contains(strings.Join(names, " "), name)
		if got := strings.Contains(string(b), fmt.Sprintf(`"name": %q`, name)); got != want {
			w.t.Errorf("terraform_data.%s in the state: %v, want %v", name, got, want)
		}
	}
}

// comment is the pull request's only one.
func (w *world) comment(number int) githubhub.Comment {
	w.t.Helper()
	comments := w.repo.Comments(number)
	if len(comments) != 1 {
		w.t.Fatalf("pull request #%d has %d comments, want 1", number, len(comments))
	}
	return comments[0]
}
