package github

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

func TestARunsTimeIsThatOfItsLastAttempt(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return time.Date(2026, 11, 24, 12, minute, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		run  wireRun
		want time.Duration
	}{
		"completed":                   {wireRun{Status: "completed", Created: at(0), Started: at(10), Updated: at(13)}, 3 * time.Minute},
		"still running":               {wireRun{Status: "in_progress", Created: at(0), Started: at(10), Updated: at(11)}, 20 * time.Minute},
		"an older server":             {wireRun{Status: "completed", Created: at(1), Updated: at(3)}, 2 * time.Minute},
		"a clock that runs backwards": {wireRun{Status: "queued", Created: at(40), Started: at(40)}, 0},
	} {
		if got := c.run.run(at(30)).Duration; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTheLastRunsOfAWorkflowAreRead(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	asked := make(chan string, 9)
	mux.HandleFunc("GET /api/v3/repos/acme/infra/actions/workflows/{file}/runs", func(w http.ResponseWriter, r *http.Request) {
		asked <- r.PathValue("file") + "?" + r.URL.RawQuery
		page := r.URL.Query().Get("page")
		w.Header().Set("Date", "Tue, 24 Nov 2026 12:30:00 GMT")
		if page == "1" {
			w.Header().Set("Link", `<http://`+r.Host+`/api/v3/x?page=2>; rel="next"`)
		}
		var runs []string
		for i := range 100 {
			runs = append(runs, fmt.Sprintf(`{"id": %s%03d, "run_number": %d, "event": "push", "head_branch": "main", "head_sha": "abc", "status": "in_progress", "conclusion": null,
				"created_at": "2026-11-24T12:00:00Z", "run_started_at": "2026-11-24T12:29:00Z", "html_url": "https://x/%d"}`, page, i, i, i))
		}
		_, _ = w.Write([]byte(`{"total_count": 200, "workflow_runs": [` + strings.Join(runs, ",") + `]}`))
	})
	r := repository(t, answering(t, mux), "acme/infra")
	got, err := r.Runs(t.Context(), RunQuery{Path: fraudPath, Branch: "a&b", Event: "push", Status: "in_progress", Limit: 101})
	if err != nil || len(got) != 101 || got[100].ID != 2000 {
		t.Fatalf("%d, %v", len(got), err)
	}
	want := pipeline.Run{ID: 1000, Event: "push", Branch: "main", Commit: "abc", Status: "in_progress", Created: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), Duration: time.Minute, URL: "https://x/0"}
	if got[0] != want {
		t.Errorf("%+v\nwant %+v", got[0], want)
	}
	for i := range 2 {
		if q := <-asked; q != fmt.Sprintf("fraud.yml?branch=a%%26b&event=push&page=%d&per_page=100&status=in_progress", i+1) {
			t.Errorf("asked %s", q)
		}
	}
	if got, err := r.Runs(t.Context(), RunQuery{Path: fraudPath, Limit: 3}); err != nil || len(got) != 3 {
		t.Errorf("%d, %v", len(got), err)
	}
	if q := <-asked; q != "fraud.yml?page=1&per_page=3" {
		t.Errorf("asked %s", q)
	}
}

func TestAWorkflowThatGitHubDoesNotKnowIsSaidWhy(t *testing.T) {
	t.Parallel()
	r := repository(t, answering(t, http.NotFoundHandler()), "acme/infra")
	_, err := r.Runs(t.Context(), RunQuery{Path: fraudPath, Limit: 1})
	wantError(t, err, ErrNotFound, fraudPath, "comes onto the default branch, or first runs", "actions: read")
	for _, q := range []RunQuery{{Path: fraudPath}, {Path: fraudPath, Limit: 1001}, {Limit: 1}, {Path: "..", Limit: 1}} {
		_, err := r.Runs(t.Context(), q)
		wantError(t, err, ErrRefused, "want")
	}
}

func TestARepositoryHasTheIDsOfItsSubjects(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	r := repository(t, reading(t, hub, ""), "acme/infra")
	got, err := r.IDs(t.Context())
	if err != nil || got.Repository != repo.ID || got.Owner == 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	_, err = repository(t, reading(t, hub, ""), "acme/nothing").IDs(t.Context())
	wantError(t, err, ErrNotFound, "acme/nothing")
}

func FuzzRunsThatAServerSends(f *testing.F) {
	f.Add(`{"workflow_runs": [{"id": 1, "status": "completed", "updated_at": "2026-11-24T12:00:00Z"}]}`)
	f.Add(`{"workflow_runs": [null]}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		c, err := open(Config{APIURL: "http://example.invalid"}, fast, stub{200, http.Header{}, body})
		if err != nil {
			t.Fatal(err)
		}
		got, err := repository(t, c, "acme/infra").Runs(t.Context(), RunQuery{Path: fraudPath, Limit: 5})
		if len(got) > 5 || (err != nil && got != nil) {
			t.Errorf("%d runs, %v", len(got), err)
		}
		for _, run := range got {
			if run.Duration < 0 {
				t.Errorf("%s", run.Duration)
			}
		}
	})
}

func TestRunsOfAHubAreFilteredAndTimed(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	repo.Push(githubhub.Commit{Branch: "other", Files: githubhub.Files{"a": "b"}})
	failed := repo.Run(githubhub.NewRun{Workflow: fraudPath, Conclusion: "failure", Duration: 3 * time.Minute, Created: time.Now().Add(-time.Hour)})
	queued := repo.Run(githubhub.NewRun{Workflow: fraudPath, Status: "queued", Branch: "other"})
	repo.Run(githubhub.NewRun{Workflow: ".github/workflows/other.yml", Conclusion: "success"})
	r := repository(t, reading(t, hub, hub.Token(githubhub.Token{Kind: githubhub.AppToken})), "acme/infra")
	for name, c := range map[string]struct {
		q    RunQuery
		want []int64
	}{
		"all":        {RunQuery{}, []int64{queued.ID, failed.ID}},
		"a branch":   {RunQuery{Branch: "other"}, []int64{queued.ID}},
		"an outcome": {RunQuery{Status: "failure"}, []int64{failed.ID}},
		"an event":   {RunQuery{Event: "schedule"}, nil},
	} {
		c.q.Path, c.q.Limit = fraudPath, 10
		got, err := r.Runs(t.Context(), c.q)
		if err != nil {
			t.Fatal(err)
		}
		var ids []int64
		for _, run := range got {
			ids = append(ids, run.ID)
			if run.ID == failed.ID && (run.Duration != 3*time.Minute || run.Conclusion != "failure" || run.Commit != repo.SHA || run.Branch != "main" || !strings.HasPrefix(run.URL, hub.ServerURL)) {
				t.Errorf("%+v", run)
			}
		}
		if !slices.Equal(ids, c.want) {
			t.Errorf("%s: %v, want %v", name, ids, c.want)
		}
	}
	_, err := r.Runs(t.Context(), RunQuery{Path: ".github/workflows/never.yml", Limit: 1})
	wantError(t, err, ErrNotFound, "never.yml", "comes onto the default branch")
}
