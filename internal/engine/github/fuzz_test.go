package github

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A stub answers every request alike.
type stub struct {
	status int
	header http.Header
	body   string
}

func (s stub) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Header: s.header.Clone(), Body: io.NopCloser(strings.NewReader(s.body)), Request: req, ProtoMajor: 1}, nil
}

// Whatever comes in place of GitHub's answers: it is an *Error of one line without the token, or fine, and never a panic.
func FuzzAnswers(f *testing.F) {
	const secret = "ghs_averysecrettoken"
	for _, body := range []string{
		`{"number": 1, "id": 1}`, `[{"number": 1, "user": null, "body": "m"}]`, `{"message": "rate limit ` + secret + `"}`, `{"errors": [{"field": "x"}, "y", null]}`,
		`{"check_runs": [{"id": 1, "output": null}], "artifacts": [{"id": 1}]}`, `[null, 1]`, `{"environments": [{"name": "e", "protection_rules": [null, {"type": "required_reviewers", "reviewers": [{"type": "Bot"}, null]}], "deployment_branch_policy": {"custom_branch_policies": true}}]}`, `[{"id": 1, "name": "tidegate: p", "rules": [null, 7, {"type": "required_status_checks"}], "ref": "refs/tags/v1.2.3", "object": {"type": "tag"}}]`, "\x00\xff", `{"message": 7, "errors": {}}`,
	} {
		for _, status := range []int{200, 201, 204, 304, 401, 403, 404, 422, 429, 500} {
			f.Add(status, "Retry-After", "99999999999999999999", "Link", `<x?page=2>; rel="next"`, body)
			f.Add(status, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "-1", body)
			f.Add(status, "ETag", `"1"`, "Location", "http://[::1", body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, name1, value1, name2, value2, body string) {
		if status < 200 || status > 599 {
			t.Skip()
		}
		h := http.Header{}
		h.Set(name1, value1)
		h.Set(name2, value2)
		s := settings{pause: time.Microsecond, patience: time.Millisecond}
		c, err := open(Config{APIURL: "http://127.0.0.1:1/api/v3", Token: secret}, s, stub{status, h, body})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		for _, err := range everything(ctx, repository(t, c, "acme/infra")) {
			var e *Error
			if err == nil || errors.Is(err, ErrUnknownIdentity) {
				continue
			}
			if !errors.As(err, &e) || e.Kind == nil || e.Doing == "" {
				t.Errorf("%T %v is no *Error", err, err)
			}
			if text := err.Error(); strings.Contains(text, secret) || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("%q", text)
			}
		}
	})
}

// everything is each operation once.
func everything(ctx context.Context, r *Repository) []error {
	const sha = "0123456789012345678901234567890123456789"
	_, err1 := r.PullRequestsOf(ctx, sha)
	_, err2 := r.PullRequest(ctx, 1)
	_, err3 := r.WriteComment(ctx, Sticky{Number: 1, ID: 1, Marker: "m", Body: "m"})
	_, err4 := r.CreateCheckRun(ctx, CheckRun{Name: "plan", Commit: sha, Annotations: annotations(51)})
	_, err5 := r.UpdateCheckRun(ctx, CheckRun{ID: 1, Name: "plan", Commit: sha})
	_, err6 := r.CheckRuns(ctx, sha, "plan")
	_, err7 := r.CreateDeployment(ctx, Deployment{Commit: sha, Environment: "x"})
	err8 := r.SetDeploymentStatus(ctx, 1, DeploymentStatus{State: Succeeded})
	_, err9 := r.Artifacts(ctx, 1)
	_, err10 := r.Artifact(ctx, 1)
	_, err11 := r.DownloadArtifact(ctx, Artifact{ID: 1}, 100)
	_, err12 := r.c.Identity(ctx)
	return append([]error{err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11, err12}, ofPipelines(ctx, r)...)
}

// ofPipelines is each operation that pipelines need, once.
func ofPipelines(ctx context.Context, r *Repository) []error {
	e := pipeline.EnvironmentStatus{Environment: pipeline.Environment{
		Name: "e", Reviewers: []string{"octocat", "@acme/ml"}, Branches: []string{"main"}, Variables: map[string]string{"V": "v"}, Secrets: map[string]string{"S": "s"}, SecretNames: []string{"S"},
	}}
	l, err1 := r.Environments(ctx)
	if err1 != nil {
		l = &Environments{r: r, listed: map[string]wireEnvironment{"e": {Name: "e"}}}
	}
	_, _, err2 := r.ApplyEnvironment(ctx, l, EnvironmentChange{Path: "p", Want: e.Environment, Before: &e, Made: true})
	_, _, err3 := l.All(ctx, "e")
	err4 := r.DeleteEnvironment(ctx, "e", "p")
	err5 := r.ReleaseEnvironment(ctx, e)
	_, err6 := r.ApplyRuleset(ctx, "p", "", []string{"test"})
	_, _, err7 := r.Ruleset(ctx, "p")
	err8 := r.DeleteRuleset(ctx, 1, "p")
	_, err9 := r.c.Resolve(ctx, "actions/checkout", "v1")
	_, err10 := r.c.Newest(ctx, "actions/checkout", "v1")
	_, err11 := r.IDs(ctx)
	_, err12 := r.Runs(ctx, RunQuery{Path: "p.yml", Limit: 1})
	return []error{err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11, err12}
}
