package action

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// reviewed is a world in which a pull request was planned and not merged yet.
func reviewed(t *testing.T) (*world, githubhub.Pull) {
	t.Helper()
	w := newWorld(t, githubhub.Files{"main.tf": configured(`"1"`)})
	pull := w.propose("more", githubhub.Files{"main.tf": configured(`"1"`, `"2"`)})
	w.plan(pull.Number, nil).expect(Done)
	return w, pull
}

func TestACommentEditedByHandHasNoEffect(t *testing.T) {
	t.Parallel()
	w, pull := reviewed(t)
	comment := w.comment(pull.Number)
	other := w.propose("other", githubhub.Files{"main.tf": configured(`"1"`, `"2"`, `"3"`)})
	w.plan(other.Number, nil).expect(Done)
	// The comment of a plan that does more, put into the place of the reviewed one.
	w.repo.EditComment(comment.ID, w.comment(other.Number).Body)
	w.repo.Push(githubhub.Commit{Branch: "more", Files: githubhub.Files{"main.tf": configured(`"1"`, `"2"`, `"3"`)}})
	sha := w.repo.Merge(pull.Number, githubhub.Squash)
	w.apply(sha, nil).expect(Refused, `has no check run "Tidegate plan: ."`)
	w.applied()
}

func TestACheckRunOfAnotherAppIsNotBelieved(t *testing.T) {
	t.Parallel()
	w, pull := reviewed(t)
	app := w.hub.Token(githubhub.Token{Kind: githubhub.AppToken, App: "acme-deployer"})
	sha := w.repo.Merge(pull.Number, githubhub.Squash)
	w.apply(sha, map[string]string{"INPUT_TOKEN": app}).expect(Refused, "was written by another app (github-actions) than this token's")
	w.applied()
	w.apply(sha, nil).expect(Done)
	w.applied("a", "b")
}

func TestAReviewByAnotherKeyIsNotBelieved(t *testing.T) {
	t.Parallel()
	w, pull := reviewed(t)
	sha := w.repo.Merge(pull.Number, githubhub.Squash)
	w.apply(sha, map[string]string{"INPUT_KEY": "the-key-that-is-new"}).expect(Refused, "its code is not of this key")
	w.apply(sha, map[string]string{"INPUT_KEY": ""}).expect(Refused, "the input key is not given here")
	w.applied()
}

func TestWithoutOneMergedPullRequestNothingIsApplied(t *testing.T) {
	t.Parallel()
	w, pull := reviewed(t)
	direct := w.repo.Push(githubhub.Commit{Files: githubhub.Files{"other.tf": "resource \"terraform_data\" \"d\" {}\n"}})
	w.apply(direct, nil).expect(Refused, "No pull request brought "+direct[:7]+" to main: it was pushed there")
	w.apply(direct, map[string]string{"INPUT_VERIFY": "none"}).expect(Done, "without having been reviewed")
	w.applied("a", "d")

	w.repo.Close(pull.Number)
	closed := w.run(t.Context(), pull.HeadSHA, githubhub.Event{Name: "pull_request", Action: "closed", Number: pull.Number},
		githubhub.NewRun{Event: "pull_request", Number: pull.Number}, map[string]string{"INPUT_MODE": "apply"})
	closed.expect(Refused, "closed without having been merged")

	other := w.propose("third", githubhub.Files{"main.tf": configured(`"1"`, `"2"`, `"3"`)})
	w.apply(other.HeadSHA, nil).expect(Refused, fmt.Sprintf("belongs to pull requests #%d, which was not merged", other.Number))
	w.applied("a", "d")
}

func TestAPlanThatFailedIsNotApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubhub.Files{"main.tf": configured(`"1"`)})
	pull := w.propose("more", githubhub.Files{"main.tf": configured(`"1"`, `"2"`)})
	w.plan(pull.Number, map[string]string{"INPUT_FORBID": "terraform_data"}).expect(Refused, "guard forbid")
	if body := w.comment(pull.Number).Body; !strings.Contains(body, "terraform_data") {
		t.Errorf("%s", body)
	}
	w.apply(w.repo.Merge(pull.Number, githubhub.Squash), nil).expect(Refused, `ended with "action_required"`)
	w.applied()
}

func TestAForkIsPlannedWithoutSecretsAndNeverApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubhub.Files{"main.tf": configured(`"1"`)})
	fork := w.repo.Fork("mallory")
	fork.Push(githubhub.Commit{Branch: "evil", Files: githubhub.Files{"main.tf": configured(`"1"`, `"2"`)}})
	pull := w.repo.Open(githubhub.NewPull{Head: "mallory:evil", Author: "mallory"})
	w.hub.ForgetRequests()
	none := map[string]string{"INPUT_TOKEN": "", "INPUT_KEY": ""}
	s := w.plan(pull.Number, none).expect(Done, "comes from a fork", "2 to add")
	if !strings.Contains(s.file("GITHUB_STEP_SUMMARY"), "terraform_data.b") {
		t.Errorf("the summary: %s", s.file("GITHUB_STEP_SUMMARY"))
	}
	if n := w.hub.Requests(); len(n) != 0 {
		t.Errorf("requests with a token that may only read: %+v", n)
	}
	s = w.run(t.Context(), pull.HeadSHA, githubhub.Event{Name: "pull_request", Number: pull.Number},
		githubhub.NewRun{Event: "pull_request", Number: pull.Number}, with(none, "INPUT_MODE", "apply"))
	s.expect(Refused, "plans from forks are never applied")
	sha := w.repo.Merge(pull.Number, githubhub.MergeCommit)
	w.apply(sha, nil).expect(Refused, "comes from a fork, whose plans are never applied")
	w.applied()
}

func TestEventsThatRunStrangersCodeWithSecretsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubhub.Files{"main.tf": configured(`"1"`)})
	for _, name := range []string{"pull_request_target", "workflow_run", "issue_comment"} {
		w.run(t.Context(), "main", githubhub.Event{Name: "push"}, githubhub.NewRun{}, map[string]string{"INPUT_MODE": "plan", "GITHUB_EVENT_NAME": name}).
			expect(Failed, "event "+name+": it runs with the repository's secrets")
	}
}

func TestATokenThatMayNotIsToldWhichPermissionItTakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubhub.Files{"main.tf": configured(`"1"`)})
	pull := w.propose("more", githubhub.Files{"main.tf": configured(`"1"`, `"2"`)})
	may := func(p githubhub.Permissions) map[string]string {
		return map[string]string{"INPUT_TOKEN": w.hub.Token(githubhub.Token{Kind: githubhub.ActionsToken, Permissions: p})}
	}
	w.plan(pull.Number, may(githubhub.Permissions{"contents": "read", "pull_requests": "write"})).expect(Failed, "checks: write")
	w.plan(pull.Number, may(githubhub.Permissions{"contents": "read", "checks": "write", "pull_requests": "read"})).expect(Failed, "pull-requests: write", "the plan is in the job's summary")
	expired := w.hub.Token(githubhub.Token{Kind: githubhub.ActionsToken})
	w.hub.Revoke(expired)
	s := w.plan(pull.Number, map[string]string{"INPUT_TOKEN": expired}).expect(Failed)
	if strings.Contains(strings.ReplaceAll(s.log.String(), "::add-mask::"+expired, ""), expired) {
		t.Errorf("the token is shown: %s", s.log.String())
	}
	w.plan(pull.Number, map[string]string{"INPUT_TOKEN": ""}).expect(Failed, "token: it is empty")
}

func TestWhatWasAppliedStaysAppliedWhenGitHubIsDown(t *testing.T) {
	t.Parallel()
	w, pull := reviewed(t)
	sha := w.repo.Merge(pull.Number, githubhub.Squash)
	w.hub.Fail(githubhub.Fault{Operation: "issues/*", Status: 503})
	w.hub.Fail(githubhub.Fault{Operation: "checks/update", Status: 503})
	w.apply(sha, nil).expect(Done, "GitHub was not told how this apply ended (done)")
	w.applied("a", "b")
	if body := w.comment(pull.Number).Body; strings.Contains(body, "Applied") {
		t.Errorf("the test proves nothing: %s", body)
	}
	w.hub.Heal()
	w.apply(sha, nil).expect(Done, "There is nothing to apply")
	if body := w.comment(pull.Number).Body; !strings.Contains(body, "No changes") {
		t.Errorf("the comment was not caught up: %s", body)
	}
}

func TestAPullRequestThatGitHubListsLateIsFound(t *testing.T) {
	t.Parallel()
	w, pull := reviewed(t)
	sha := w.repo.Merge(pull.Number, githubhub.Squash)
	w.hub.Fail(githubhub.Fault{Operation: "repos/list-pull-requests-associated-with-commit", Times: 1, Empty: true})
	w.hub.ForgetRequests()
	w.apply(sha, nil).expect(Done)
	w.applied("a", "b")
	if n := w.hub.Count()["repos/list-pull-requests-associated-with-commit"]; n != 2 {
		t.Errorf("it was asked %d times, want 2", n)
	}
}

func TestTheNewerCommitsRunWritesTheComment(t *testing.T) {
	t.Parallel()
	w, pull := reviewed(t)
	before := w.comment(pull.Number)
	old := w.repo.EventFile(githubhub.Event{Name: "pull_request", Number: pull.Number})
	w.repo.Push(githubhub.Commit{Branch: "more", Files: githubhub.Files{"main.tf": configured(`"1"`, `"2"`, `"3"`)}})
	w.plan(pull.Number, map[string]string{"GITHUB_EVENT_PATH": old}).expect(Done, "has a newer commit")
	if w.comment(pull.Number).Body != before.Body {
		t.Error("a run of an older commit wrote the comment")
	}
}

func TestASavedPlanIsTheRunsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubhub.Files{"main.tf": configured(`"1"`)})
	w.repo.Protect("main")
	sealed := filepath.Join(t.TempDir(), "plan.sealed")
	event, run := githubhub.Event{Name: "workflow_dispatch"}, githubhub.NewRun{Event: "workflow_dispatch"}
	plan := w.run(t.Context(), "main", event, run, map[string]string{"INPUT_MODE": "plan", "INPUT_SAVE": sealed}).expect(Done)
	if plan.outputs()["saved"] != sealed {
		t.Errorf("%q", plan.outputs())
	}
	b, err := os.ReadFile(sealed)
	if err != nil {
		t.Fatal(err)
	}
	apply := func(out Outcome, said string, artifact int64, inputs map[string]string) {
		t.Helper()
		in := map[string]string{"INPUT_MODE": "apply", "INPUT_VERIFY": "saved", "INPUT_ARTIFACT": fmt.Sprint(artifact), "GITHUB_REF_PROTECTED": "true",
			"GITHUB_RUN_ID": plan.env["GITHUB_RUN_ID"]}
		for k, v := range inputs {
			in[k] = v
		}
		w.run(t.Context(), "main", event, run, in).expect(out, said)
	}
	var id int64
	_, _ = fmt.Sscan(plan.env["GITHUB_RUN_ID"], &id)
	own := w.repo.Upload(id, "plan", githubhub.Files{"plan.sealed": string(b)})
	elsewhere := w.repo.Upload(w.repo.Run(run).ID, "plan", githubhub.Files{"plan.sealed": string(b)})
	two := w.repo.Upload(id, "plan", githubhub.Files{"plan.sealed": string(b), "x": ""})
	forged := w.repo.Upload(id, "plan", githubhub.Files{"plan.sealed": "forged"})
	apply(Refused, "is not protected", own.ID, map[string]string{"GITHUB_REF_PROTECTED": "false"})
	apply(Refused, "not of this one", elsewhere.ID, nil)
	apply(Refused, "holds 2 files", two.ID, nil)
	apply(Refused, "this key does not open it", forged.ID, nil)
	apply(Failed, "artifact", 424242, nil)
	w.applied()
	apply(Done, "Apply complete", own.ID, nil)
	w.applied("a")
	w.repo.ExpireArtifact(own.ID)
	apply(Refused, "has expired", own.ID, nil)
}

func TestRequestsToGitHubAreFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubhub.Files{"main.tf": configured(`"1"`)})
	pull := w.propose("more", githubhub.Files{"main.tf": configured(`"1"`, `"2"`)})
	w.hub.ForgetRequests()
	w.plan(pull.Number, nil).expect(Done)
	if n := w.hub.Count(); total(n) > 8 {
		t.Errorf("plan: %d requests, want at most 8: %v", total(n), n)
	}
	sha := w.repo.Merge(pull.Number, githubhub.Squash)
	w.hub.ForgetRequests()
	w.apply(sha, map[string]string{"INPUT_ENVIRONMENT": "infra"}).expect(Done)
	if n := w.hub.Count(); total(n) > 10 {
		t.Errorf("apply: %d requests, want at most 10: %v", total(n), n)
	}
}

func total(n map[string]int) int {
	sum := 0
	for _, m := range n {
		sum += m
	}
	return sum
}

// A watcher passes on what is written, and says when it has seen a text.
type watcher struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	text string
	seen chan struct{}
	once sync.Once
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.buf.Write(p)
	if strings.Contains(w.buf.String(), w.text) {
		w.once.Do(func() { close(w.seen) })
	}
	return n, err
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

const slow = "resource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" {\n    command = \"exec sleep 120\"\n  }\n}\n"

func TestACancelledApplyLetsGoOfTheLockAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubhub.Files{"main.tf": "terraform {\n  backend \"local\" {}\n}\n"})
	pull := w.propose("slow", githubhub.Files{"main.tf": "terraform {\n  backend \"local\" {}\n}\n\n" + slow})
	w.plan(pull.Number, nil).expect(Done)
	sha := w.repo.Merge(pull.Number, githubhub.Squash)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run := w.repo.Run(githubhub.NewRun{Event: "push", SHA: sha})
	r := newRunner(t, map[string]string{
		"GITHUB_WORKSPACE": w.repo.Clone(sha), "GITHUB_REPOSITORY": w.repo.FullName, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main",
		"GITHUB_EVENT_PATH": w.repo.EventFile(githubhub.Event{Name: "push"}), "GITHUB_SHA": sha, "GITHUB_RUN_ID": fmt.Sprint(run.ID),
		"GITHUB_API_URL": w.hub.APIURL, "GITHUB_SERVER_URL": w.hub.ServerURL,
		"INPUT_MODE": "apply", "INPUT_BACKEND_CONFIG": "path=" + w.state, "INPUT_KEY": w.key, "INPUT_TOKEN": run.Token,
	})
	log := &watcher{text: "Provisioning with 'local-exec'", seen: make(chan struct{})}
	go func() {
		select {
		case <-log.seen:
		case <-time.After(2 * time.Minute):
		}
		cancel()
	}()
	s := OnGitHub(log, r.getenv, append(os.Environ(), "GITHUB_ACTIONS=true"), "dev")
	if out := Main(ctx, s); out != Cancelled {
		t.Fatalf("%v\n%s", out, log)
	}
	if got := r.outputs()["result"]; got != "cancelled" {
		t.Errorf("result is %q", got)
	}
	if body := w.comment(pull.Number).Body; !strings.Contains(strings.ToLower(body), "cancel") && !strings.Contains(strings.ToLower(body), "interrupt") {
		t.Errorf("the comment does not say so: %s", body)
	}
	if locks, _ := filepath.Glob(filepath.Join(filepath.Dir(w.state), ".*.lock.info")); len(locks) != 0 {
		t.Errorf("the lock is held: %v", locks)
	}
}
