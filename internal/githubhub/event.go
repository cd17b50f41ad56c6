package githubhub

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// An Event is what made a workflow run: its payload is what a runner has at GITHUB_EVENT_PATH.
type Event struct {
	Name   string            // "pull_request", "push", "workflow_dispatch", "schedule"
	Action string            // of a pull_request: "opened", "synchronize", "closed", ...; "": what its state says
	Number int               // of the pull request
	Branch string            // of the others; "": the default branch
	Inputs map[string]string // of a workflow_dispatch
	Sender string            // login; "": "octocat"
	Cron   string            // of a schedule; "": "0 5 * * *"
	Before string            // of a push: the sha that the branch was at; "": the first parent
}

// Payload builds an event's payload of the repository's present state.
func (r *Repository) Payload(e Event) json.RawMessage {
	r.hub.t.Helper()
	var out json.RawMessage
	r.hub.call("payload", struct {
		Repo string
		Event
	}{r.FullName, e}, &out)
	return out
}

// EventFile writes an event's payload into a file of the test and returns its path.
func (r *Repository) EventFile(e Event) string {
	r.hub.t.Helper()
	path := filepath.Join(r.hub.t.TempDir(), "event.json")
	if err := os.WriteFile(path, r.Payload(e), 0o600); err != nil {
		r.hub.t.Fatal(err)
	}
	return path
}

// Clone is a folder of the test with the repository at ref ("main", "refs/pull/1/merge", a sha), cloned from CloneURL with a
// token that may do all.
func (r *Repository) Clone(ref string) string {
	t := r.hub.t
	t.Helper()
	dir := filepath.Join(t.TempDir(), "checkout")
	token := r.hub.Token(Token{Kind: ActionsToken})
	git(t, "", "init", "--quiet", "--initial-branch", "main", dir)
	git(t, dir, "remote", "add", "origin", r.CloneURL)
	git(t, dir, "-c", "http.extraHeader=Authorization: Bearer "+token, "fetch", "--quiet", "origin",
		"+refs/heads/*:refs/remotes/origin/*", "+"+ref+":refs/tidegate/checkout")
	git(t, dir, "checkout", "--quiet", "--detach", "refs/tidegate/checkout")
	return dir
}

// git runs git without the settings of the person who runs the tests.
func git(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_TERMINAL_PROMPT=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
}
