package github

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func check(t *testing.T, r *Repository, run CheckRun) CheckRun {
	t.Helper()
	made, err := r.CreateCheckRun(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestACheckRunSaysWhichAppWroteIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	started := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	r := w.open(t, w.token)
	made := check(t, r, CheckRun{
		Name: "tidegate", Commit: w.pull.HeadSHA, Conclusion: Success, ExternalID: "42", DetailsURL: "https://example.com/1",
		StartedAt: started, Title: "1 to add", Summary: "A table.", Text: "data",
	})
	check(t, w.open(t, w.Token(githubhub.Token{Kind: githubhub.AppToken, App: "other-app"})), CheckRun{
		Name: "tidegate", Commit: w.pull.HeadSHA, Conclusion: Success, Text: "forged",
	})

	runs, err := w.open(t, w.token).CheckRuns(t.Context(), w.pull.HeadSHA, "tidegate")
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 2 || runs[0].AppSlug != "other-app" || runs[0].AppID == githubhub.ActionsApp {
		t.Fatalf("got %+v, want the other app's first: it is newer", runs)
	}
	want := CheckRun{
		ID: made.ID, Name: "tidegate", Commit: w.pull.HeadSHA, Conclusion: Success, ExternalID: "42", DetailsURL: "https://example.com/1",
		StartedAt: started, Title: "1 to add", Summary: "A table.", Text: "data", AppID: githubhub.ActionsApp, AppSlug: "github-actions", URL: made.URL,
	}
	for what, got := range map[string]CheckRun{"listed": runs[1], "created": made} {
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
}

func TestACheckRunRunsUntilItHasAConclusion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open(t, w.token)
	made := check(t, r, CheckRun{Name: "plan", Commit: w.pull.HeadSHA})
	if got := w.repo.CheckRuns(w.pull.HeadSHA)[0]; got.Status != "in_progress" || got.Conclusion != "" {
		t.Errorf("got %+v", got)
	}
	made.Title, made.Summary, made.Conclusion = "Failed", "Because.", Failure
	if _, err := r.UpdateCheckRun(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	got := w.repo.CheckRuns(w.pull.HeadSHA)[0]
	if got.Status != "completed" || got.Conclusion != "failure" || got.Title != "Failed" || got.Summary != "Because." {
		t.Errorf("got %+v", got)
	}
}

func annotations(n int) []Annotation {
	var all []Annotation
	for i := range n {
		all = append(all, Annotation{Path: "main.tf", StartLine: i + 1, Level: Warning, Title: fmt.Sprint("finding ", i), Message: "not formatted"})
	}
	return all
}

func TestAnnotationsGoFiftyARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open(t, w.token)
	made := check(t, r, CheckRun{Name: "plan", Commit: w.pull.HeadSHA, Text: "data", Annotations: annotations(120)})
	if n := w.Count(); n["checks/create"] != 1 || n["checks/update"] != 2 {
		t.Errorf("asked %v", n)
	}
	made.Annotations, made.Conclusion = annotations(3), Neutral
	if _, err := r.UpdateCheckRun(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	got := w.repo.CheckRuns(w.pull.HeadSHA)[0]
	if len(got.Annotations) != 123 || got.Annotations[119].Title != "finding 119" || got.Annotations[119].EndLine != 120 {
		t.Errorf("%d annotations, the 120th is %+v", len(got.Annotations), got.Annotations[119])
	}
	if got.Conclusion != "neutral" || got.Text != "data" {
		t.Errorf("got %s, %q", got.Conclusion, got.Text)
	}
}

func TestAnnotationsAreNotAddedTwiceWhenAnAnswerIsLost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]githubhub.Fault{
		"done":     {Operation: "checks/update", Times: 1, Status: 502, Applied: true},
		"not done": {Operation: "checks/update", Times: 1, Drop: true},
		"created":  {Operation: "checks/create", Times: 1, Cut: true, Applied: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Fail(f)
			check(t, w.open(t, w.token), CheckRun{Name: "plan", Commit: w.pull.HeadSHA, Annotations: annotations(70)})
			runs := w.repo.CheckRuns(w.pull.HeadSHA)
			if len(runs) != 1 || len(runs[0].Annotations) != 70 {
				t.Errorf("%d check runs, the first with %d annotations; want 1 with 70", len(runs), len(runs[0].Annotations))
			}
		})
	}
}

func TestLongSummariesAreCutAndLongDataIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open(t, w.token)
	check(t, r, CheckRun{Name: "plan", Commit: w.pull.HeadSHA, Summary: strings.Repeat("ä", CheckTextLimit+1)})
	if got := w.repo.CheckRuns(w.pull.HeadSHA)[0].Summary; !strings.HasSuffix(got, "no room for the rest.*") {
		t.Errorf("it ends in %q", got[len(got)-40:])
	}
	_, err := r.CreateCheckRun(t.Context(), CheckRun{Name: "plan", Commit: w.pull.HeadSHA, Text: strings.Repeat("ä", CheckTextLimit+1)})
	wantError(t, err, ErrRefused, "65536 characters")
	check(t, r, CheckRun{Name: "plan", Commit: w.pull.HeadSHA, Text: strings.Repeat("ä", CheckTextLimit)})
}

func TestOddAnnotationsAreMadeToFit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	check(t, w.open(t, w.token), CheckRun{Name: "plan", Commit: w.pull.HeadSHA, Annotations: []Annotation{
		{Path: "a.tf", Level: Notice, Title: strings.Repeat("t", 300), Message: strings.Repeat("😀", 20_000)},
		{Path: "b.tf", StartLine: 7, EndLine: 3, Level: Failed},
	}})
	got := w.repo.CheckRuns(w.pull.HeadSHA)[0].Annotations
	if got[0].StartLine != 1 || len([]rune(got[0].Title)) != 255 || len(got[0].Message) > 64<<10 {
		t.Errorf("line %d, title of %d, message of %d bytes", got[0].StartLine, len([]rune(got[0].Title)), len(got[0].Message))
	}
	if got[1].EndLine != 7 || got[1].Message == "" {
		t.Errorf("got %+v", got[1])
	}
}

func TestOnlyAppsWriteCheckRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.Token(githubhub.Token{Kind: githubhub.PersonalToken})
	_, err := w.open(t, token).CreateCheckRun(t.Context(), CheckRun{Name: "plan", Commit: w.pull.HeadSHA})
	wantError(t, err, ErrPermission, `create check run "plan" on `+w.pull.HeadSHA[:7], "GITHUB_TOKEN, or an App", "checks: write")

	token = w.Token(githubhub.Token{Kind: githubhub.ActionsToken, Permissions: githubhub.Permissions{"checks": "read"}})
	_, err = w.open(t, token).CreateCheckRun(t.Context(), CheckRun{Name: "plan", Commit: w.pull.HeadSHA})
	wantError(t, err, ErrPermission, `It takes "checks: write"`)

	made := check(t, w.open(t, w.token), CheckRun{Name: "plan", Commit: w.pull.HeadSHA})
	other := w.open(t, w.Token(githubhub.Token{Kind: githubhub.AppToken}))
	_, err = other.UpdateCheckRun(t.Context(), CheckRun{ID: made.ID, Name: "plan", Commit: w.pull.HeadSHA, Conclusion: Success})
	wantError(t, err, ErrPermission, "can only be modified by the GitHub App that created it")
}
