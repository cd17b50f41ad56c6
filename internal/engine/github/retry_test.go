package github

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestReadingIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]githubhub.Fault{
		"500": {Status: 500}, "502": {Status: 502}, "503": {Status: 503, RetryAfter: time.Second}, "504": {Status: 504},
		"cut": {Cut: true}, "dropped": {Drop: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f.Times = 2
			if f.RetryAfter > 0 {
				f.Times = 1
			}
			w.Fail(f)
			c := w.client(t, Config{Token: w.token})
			p, err := repository(t, c, "acme/infra").PullRequest(within(t, time.Minute), 1)
			if err != nil || p.HeadSHA != w.pull.HeadSHA {
				t.Errorf("got %+v, %v", p, err)
			}
			if u := c.Usage(); u.Retries != f.Times || u.Requests != f.Times+1 {
				t.Errorf("usage %+v", u)
			}
		})
	}
}

func TestGitHubDownIsSaidAfterSomeTriesWithWhatIsSafe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Fail(githubhub.Fault{Status: 503})
	r := w.open(t, w.token)
	_, err := r.PullRequest(within(t, time.Minute), 1)
	e := wantError(t, err, ErrUnavailable, "503", "Nothing was changed", "run again")
	if e.Unsure || len(w.Requests()) != tries {
		t.Errorf("unsure %v after %d requests", e.Unsure, len(w.Requests()))
	}
	_, err = r.CreateCheckRun(within(t, time.Minute), CheckRun{Name: "plan", Commit: w.pull.HeadSHA})
	if e := wantError(t, err, ErrUnavailable, "may have been done all the same", "found and taken up"); !e.Unsure {
		t.Error("it is sure")
	}
	if n := w.Count()["checks/create"]; n != 1 {
		t.Errorf("it was sent %d times without knowing what became of it", n)
	}
}

func TestWhatWasRefusedIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.open(t, w.token).CreateCheckRun(within(t, time.Minute), CheckRun{Name: "plan", Commit: "0123456789012345678901234567890123456789"})
	wantError(t, err, ErrRefused, "422", "No commit found")
	if n := len(w.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestAServerThatIsNotThereIsSureToHaveDoneNothing(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c, err := open(Config{APIURL: s.URL + "/api/v3", Token: "test-token"}, fast, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	err = repository(t, c, "acme/infra").SetDeploymentStatus(within(t, time.Minute), 1, DeploymentStatus{State: Succeeded})
	if e := wantError(t, err, ErrUnavailable, "connect to 127.0.0.1", "refused", "Nothing was changed"); e.Unsure {
		t.Error("it is unsure")
	}
	_, err = repository(t, c, "acme/infra").CreateDeployment(within(t, time.Minute), Deployment{Commit: "0123456789012345678901234567890123456789"})
	if e := wantError(t, err, ErrUnavailable); e.Unsure || c.Usage().Retries != 2*(tries-1) {
		t.Errorf("unsure %v, usage %+v", e.Unsure, c.Usage())
	}
}

func TestACancelledRunStopsWaiting(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"for a limit": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "20")
			say(w, 429, message("slow down"))
		},
		"for a secondary limit": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "20")
			say(w, 403, message("You have exceeded a secondary rate limit"))
		},
		"to try again": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "20")
			say(w, 503, message("down"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(within(t, 5*time.Minute))
			_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, req *http.Request) {
				answer(w, req)
				time.AfterFunc(50*time.Millisecond, cancel)
			})
			_, err := r.PullRequest(ctx, 1)
			wantError(t, err, context.Canceled, "read pull request #1")
		})
	}
}

func TestAServerThatSaysNothingIsNotWaitedForBeyondTheDeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	_, r := serve(t, Config{Token: "test-token"}, func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-release:
		case <-req.Context().Done():
		}
	})
	defer close(release)
	_, err := r.PullRequest(within(t, 100*time.Millisecond), 1)
	wantError(t, err, ErrUnavailable, "time for it ran out")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no DeadlineExceeded", err)
	}
}

func TestAnEndlessAnswerIsCutShort(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		for blanks := make([]byte, 1<<20); ; {
			n, err := w.Write(blanks)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	})
	r.c.pause = time.Millisecond
	_, err := r.PullRequest(within(t, time.Minute), 1)
	wantError(t, err, ErrUnavailable, "more than 64 MiB")
}

func TestNonsenseIsAnErrorAndNeverAPanic(t *testing.T) {
	t.Parallel()
	const sha = "0123456789012345678901234567890123456789"
	for _, text := range []string{
		"", "<html>hello</html>", `{"number": "seven"}`, `[]`, `[null]`, `null`, `{}`, `{"id": 0, "number": 0}`, `7`,
		`{"number": 3, "head": null, "base": {"repo": null}}`, `{"check_runs": [null], "artifacts": [{}]}`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
			ctx := within(t, time.Minute)
			_, err := r.PullRequest(ctx, 1)
			wantError(t, err, ErrUnavailable)
			_, err = r.WriteComment(ctx, Sticky{Number: 1, Marker: marker, Body: marker})
			wantError(t, err, ErrUnavailable)
			_, err = r.CreateCheckRun(ctx, CheckRun{Name: "plan", Commit: sha})
			wantError(t, err, ErrUnavailable)
			_, err = r.UpdateCheckRun(ctx, CheckRun{ID: 1, Name: "plan", Commit: sha})
			wantError(t, err, ErrUnavailable)
			_, err = r.CreateDeployment(ctx, Deployment{Commit: sha, Environment: "x"})
			wantError(t, err, ErrUnavailable)
			_, err = r.Artifact(ctx, 1)
			wantError(t, err, ErrUnavailable)
			// Lists may be of nothing: these must not panic.
			_, _ = r.PullRequestsOf(ctx, sha)
			_, _ = r.CheckRuns(ctx, sha, "plan")
			_, _ = r.Artifacts(ctx, 1)
			_, _ = r.DownloadArtifact(ctx, Artifact{ID: 1}, 10)
			_, _ = r.c.Identity(ctx)
		})
	}
}
