package githubhub_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// ask asks the API and decodes what it answers.
func ask(t *testing.T, hub *githubhub.Hub, token, method, path string, in, out any) int {
	t.Helper()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, hub.APIURL+path, &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Close = true // else Go itself asks again where a used connection was dropped
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			t.Fatalf("%s: %v in %.200s", path, err, b)
		}
	}
	return res.StatusCode
}

type object = map[string]any

func TestPullRequestsAreMergedAsGitHubMerges(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	for _, method := range []githubhub.Method{githubhub.MergeCommit, githubhub.Squash, githubhub.Rebase} {
		repo := hub.Repository("acme/"+string(method), githubhub.Files{"main.tf": "a\n"})
		head := repo.Push(githubhub.Commit{Branch: "change", Files: githubhub.Files{"main.tf": "b\n", "raw": "\xff\x00"}})
		pull := repo.Open(githubhub.NewPull{Head: "change"})
		if pull.HeadSHA != head || pull.BaseSHA != repo.SHA || pull.State != "open" || repo.Resolve("refs/pull/1/merge") != pull.MergeSHA {
			t.Fatalf("%s: opened %+v", method, pull)
		}
		moved := repo.Push(githubhub.Commit{Files: githubhub.Files{"other.tf": "c\n"}})
		sha := repo.Merge(pull.Number, method)
		if got := repo.Pull(pull.Number); !got.Merged || got.MergeSHA != sha || repo.Resolve("main") != sha || sha == moved || sha == head {
			t.Errorf("%s: %s, %+v", method, sha, got)
		}
		dir := repo.Clone(sha)
		for file, want := range map[string]string{"main.tf": "b\n", "other.tf": "c\n", "raw": "\xff\x00"} {
			if b, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(b) != want {
				t.Errorf("%s: %s is %q, %v", method, file, b, err)
			}
		}
	}
}

func TestForksBranchesAndTitlesChangeByHand(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.PrivateRepository("acme/infra", nil)
	fork := repo.Fork("mallory")
	fork.Push(githubhub.Commit{Branch: "gift", Author: "mallory", Message: "Gift", Files: githubhub.Files{"x": "x"}, Remove: []string{"README.md"}})
	pull := repo.Open(githubhub.NewPull{Head: "mallory:gift", Title: "A gift", Author: "mallory"})
	fork.Delete()
	repo.Push(githubhub.Commit{Files: githubhub.Files{"elsewhere": "x"}})
	var lists []struct {
		Head struct {
			SHA  string
			Repo *struct{}
		}
	}
	token := hub.Token(githubhub.Token{Kind: githubhub.ActionsToken})
	if got := ask(t, hub, token, "GET", "/repos/acme/infra/pulls", nil, &lists); got != 200 || len(lists) != 1 || lists[0].Head.Repo != nil || lists[0].Head.SHA != pull.HeadSHA {
		t.Errorf("the pull request of a fork that is gone: %d, %+v", got, lists)
	}
	repo.Retitle(pull.Number, "**bold**")
	repo.Close(pull.Number)
	if got := repo.Pull(pull.Number); got.Title != "**bold**" || got.State != "closed" || got.Merged {
		t.Errorf("%+v", got)
	}
	repo.Push(githubhub.Commit{Branch: "short", Files: githubhub.Files{"y": "y"}})
	other := repo.Open(githubhub.NewPull{Head: "short"})
	first := other.HeadSHA
	repo.Push(githubhub.Commit{Branch: "short", From: "main", Force: true, Files: githubhub.Files{"z": "z"}})
	if got := repo.Pull(other.Number); got.HeadSHA == first || got.HeadSHA != repo.Resolve("short") {
		t.Errorf("after a force push: %+v", got)
	}
	repo.DeleteBranch("short")
	if got := repo.Pull(other.Number); got.State != "closed" {
		t.Errorf("its branch is gone: %+v", got)
	}
	repo.Protect("main")
	repo.SHA = repo.Resolve("main")
	if run := repo.Run(githubhub.NewRun{}); !run.Protected || run.SHA != repo.SHA {
		t.Errorf("%+v", run)
	}
	run := repo.Run(githubhub.NewRun{Number: pull.Number})
	if run.Protected || run.SHA != pull.HeadSHA {
		t.Errorf("%+v", run)
	}
	if got := ask(t, hub, run.Token, "POST", "/repos/acme/infra/issues/1/comments", object{"body": "b"}, nil); got != 403 {
		t.Errorf("the workflow of a fork's pull request may write: %d", got)
	}
}

func TestWhatWasWrittenByTheAPICanBeSeen(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	sha := repo.Push(githubhub.Commit{Branch: "change", Files: githubhub.Files{"x": "x"}})
	pull := repo.Open(githubhub.NewPull{Head: "change"})
	token := hub.Token(githubhub.Token{Kind: githubhub.ActionsToken, Permissions: githubhub.Permissions{"checks": "write", "deployments": "write", "pull_requests": "write"}, Repos: []string{"acme/infra"}})
	at := "/repos/acme/infra"
	check := object{"name": "plan", "head_sha": sha, "conclusion": "success", "external_id": "e", "details_url": "http://d", "output": object{
		"title": "t", "summary": "s", "text": "x", "annotations": []object{{"path": "x", "start_line": 1, "end_line": 2, "annotation_level": "failure", "message": "m"}}}}
	deployment := object{"ref": sha, "environment": "prod", "required_contexts": []string{}, "auto_merge": false, "description": "d"}
	var made struct{ ID int64 }
	if got := ask(t, hub, token, "POST", at+"/check-runs", check, nil); got != 201 {
		t.Errorf("check run: %d", got)
	}
	if got := ask(t, hub, token, "POST", at+"/deployments", deployment, &made); got != 201 {
		t.Errorf("deployment: %d", got)
	}
	if got := ask(t, hub, token, "POST", fmt.Sprintf("%s/deployments/%d/statuses", at, made.ID), object{"state": "failure", "log_url": "http://l"}, nil); got != 201 {
		t.Errorf("status: %d", got)
	}
	runs := repo.CheckRuns(sha)
	if len(runs) != 1 || runs[0].AppID != githubhub.ActionsApp || runs[0].AppSlug != "github-actions" || runs[0].ExternalID != "e" ||
		runs[0].Conclusion != "success" || runs[0].Status != "completed" || runs[0].DetailsURL != "http://d" || runs[0].Text != "x" ||
		len(runs[0].Annotations) != 1 || runs[0].Annotations[0].EndLine != 2 || runs[0].Annotations[0].Level != "failure" {
		t.Errorf("%+v", runs)
	}
	d := repo.Deployments()
	if len(d) != 1 || d[0].SHA != sha || d[0].Environment != "prod" || d[0].Creator != "github-actions[bot]" || len(d[0].Statuses) != 1 ||
		d[0].Statuses[0].State != "failure" || d[0].Statuses[0].LogURL != "http://l" {
		t.Errorf("%+v", d)
	}
	c := repo.Comment(pull.Number, "octocat", "a")
	repo.EditComment(c.ID, "b")
	repo.Comment(pull.Number, "github-actions[bot]", "c")
	if got := repo.Comments(pull.Number); len(got) != 2 || got[0].Body != "b" || !got[0].UpdatedAt.After(got[0].CreatedAt) || got[1].Author != "github-actions[bot]" {
		t.Errorf("%+v", got)
	}
	repo.DeleteComment(c.ID)
	if got := repo.Comments(pull.Number); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if n := hub.Count(); n["checks/create"] != 1 || n["repos/create-deployment-status"] != 1 || len(n) != 3 {
		t.Errorf("%v", n)
	}
	last := hub.Requests()[2]
	if last.Actor != "github-actions[bot]" || last.Status != 201 || !strings.Contains(string(last.Body), "failure") {
		t.Errorf("%+v", last)
	}
	hub.ForgetRequests()
	if n := hub.Count(); len(n) != 0 {
		t.Errorf("%v", n)
	}
	app := hub.App("acme-plans")
	if app.ID == 0 || app.Installation == 0 || !strings.Contains(app.PrivateKey, "PRIVATE KEY") {
		t.Errorf("%+v", app)
	}
}

func TestArtifactsOfARunExpire(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	run := repo.Run(githubhub.NewRun{Workflow: ".github/workflows/plan.yml"})
	a := repo.Upload(run.ID, "plan", githubhub.Files{"a": "b\xff\x00"})
	if got := repo.Artifacts(run.ID); len(got) != 1 || got[0].ID != a.ID || got[0].Files["a"] != "b\xff\x00" {
		t.Errorf("%+v", got)
	}
	url := fmt.Sprintf("/repos/acme/infra/actions/artifacts/%d/zip", a.ID)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, hub.APIURL+url, nil)
	req.Header.Set("Authorization", "Bearer "+run.Token)
	res, err := http.DefaultTransport.RoundTrip(req) // the storage behind the redirection takes no token
	if err != nil || res.StatusCode != http.StatusFound {
		t.Fatalf("%v, %v", res, err)
	}
	_ = res.Body.Close()
	if res, err = http.Get(res.Header.Get("Location")); err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if z, err := zip.NewReader(bytes.NewReader(b), int64(len(b))); err != nil || len(z.File) != 1 || z.File[0].Name != "a" {
		t.Errorf("%v, %v", z, err)
	}
	repo.ExpireArtifact(a.ID)
	if got := ask(t, hub, run.Token, "GET", url, nil, nil); got != 410 {
		t.Errorf("after its end: %d", got)
	}
}

func TestFaultsComeWhenTheyAreOrdered(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	hub.Repository("acme/infra", nil)
	token := hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	get := func() int { return ask(t, hub, token, "GET", "/repos/acme/infra", nil, nil) }
	hub.Fail(githubhub.Fault{Operation: "repos/*", Skip: 1, Times: 1, Status: 500})
	hub.Fail(githubhub.Fault{Operation: "repos/get", Skip: 1, Times: 1, Drop: true})
	if got := []int{get(), get(), get(), get()}; got[0] != 200 || got[1] != 500 || got[2] != 0 || got[3] != 200 {
		t.Errorf("%v", got)
	}
	hub.Fail(githubhub.Fault{Status: 429, RetryAfter: time.Second})
	if got := get(); got != 429 {
		t.Errorf("%d", got)
	}
	hub.Heal()
	hub.Fail(githubhub.Fault{Operation: "repos/list-branches", Times: 1, Empty: true})
	for i, want := range []int{0, 1} {
		var branches []object
		if got := ask(t, hub, token, "GET", "/repos/acme/infra/branches", nil, &branches); got != 200 || len(branches) != want {
			t.Errorf("time %d: %d, %v", i, got, branches)
		}
	}
	hub.SetQuota(token, 1, time.Hour)
	if got := []int{get(), get()}; got[0] != 200 || got[1] != 403 || hub.Quota(token) != 0 {
		t.Errorf("with a quota of one: %v", got)
	}
	hub.Revoke(token)
	if got := get(); got != 401 {
		t.Errorf("revoked: %d", got)
	}
	slow := hub.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	hub.Fail(githubhub.Fault{Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, hub.APIURL+"/repos/acme/infra", nil)
	req.Header.Set("Authorization", "Bearer "+slow)
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Error("an answer that takes an hour came")
	}
}

func TestViolationsAreTold(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	token := hub.Token(githubhub.Token{Kind: githubhub.ActionsToken})
	if got := ask(t, hub, token, "POST", "/repos/acme/infra/check-runs", object{"name": "plan", "head_sha": repo.SHA, "conclusion": "fine"}, nil); got != 422 {
		t.Errorf("%d", got)
	}
	v := hub.TakeViolations()
	if len(v) != 1 || v[0].Side != "request" || v[0].Operation != "checks/create" || !strings.Contains(v[0].String(), "conclusion") {
		t.Errorf("%v", v)
	}
	if v := hub.TakeViolations(); len(v) != 0 {
		t.Errorf("taken, and still there: %v", v)
	}
}

func TestEventFileIsWhatARunnerHas(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	repo.Push(githubhub.Commit{Branch: "change", Files: githubhub.Files{"x": "x"}})
	pull := repo.Open(githubhub.NewPull{Head: "change"})
	for _, e := range []githubhub.Event{
		{Name: "pull_request", Number: pull.Number}, {Name: "push", Before: repo.SHA}, {Name: "schedule"},
		{Name: "workflow_dispatch", Inputs: map[string]string{"root": "."}, Sender: "hubot"},
	} {
		b, err := os.ReadFile(repo.EventFile(e))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Number     int
			Repository struct {
				FullName string `json:"full_name"`
			}
			PullRequest struct{ Head struct{ SHA string } } `json:"pull_request"`
		}
		if err := json.Unmarshal(b, &got); err != nil || got.Repository.FullName != "acme/infra" || e.Number != 0 && got.PullRequest.Head.SHA != pull.HeadSHA {
			t.Errorf("%s: %+v, %v", e.Name, got, err)
		}
	}
}
