package github

import (
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// A plan run and an apply run, as the Action makes them. The goal is at most 8 and 10 requests.
func TestAPlanRunAndAnApplyRunStayWithinTheirRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()

	plan := func(text string) (review CheckRun, comment Comment, requests int) {
		t.Helper()
		r := w.open(t, w.token) // the pull request is in the event
		review = check(t, r, CheckRun{Name: "tidegate", Commit: w.pull.HeadSHA})
		write(t, r, w.sticky("planning"))
		review.Annotations = annotations(60)
		comment = write(t, r, w.sticky(text))
		review.Conclusion, review.Text = Success, "fingerprint"
		review, err := r.UpdateCheckRun(ctx, review)
		if err != nil {
			t.Fatal(err)
		}
		return review, comment, r.c.Usage().Requests
	}
	_, first, n := plan("1 to add")
	if n > 8 {
		t.Errorf("the first plan took %d requests", n)
	}
	_, second, n := plan("2 to add")
	if n > 8 || second.ID != first.ID {
		t.Errorf("the second plan took %d requests, comments %d and %d", n, first.ID, second.ID)
	}
	t.Logf("plan: %d requests", n)

	sha := w.repo.Merge(w.pull.Number, githubhub.Squash)
	r := w.open(t, w.token)
	run := check(t, r, CheckRun{Name: "tidegate apply", Commit: sha})
	pulls, err := r.PullRequestsOf(ctx, sha)
	if err != nil || len(pulls) != 1 {
		t.Fatalf("%+v, %v", pulls, err)
	}
	reviews, err := r.CheckRuns(ctx, pulls[0].HeadSHA, "tidegate")
	if err != nil || len(reviews) != 2 || reviews[0].AppID != run.AppID || reviews[0].Text != "fingerprint" {
		t.Fatalf("%+v, %v", reviews, err)
	}
	d, err := r.CreateDeployment(ctx, Deployment{Commit: sha, Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []State{InProgress, Succeeded} {
		if err := r.SetDeploymentStatus(ctx, d.ID, DeploymentStatus{State: state}); err != nil {
			t.Fatal(err)
		}
	}
	applied := w.sticky("applied")
	applied.ID = first.ID // as the check run says
	if c := write(t, r, applied); c.ID != first.ID {
		t.Errorf("the result went to comment %d, want %d", c.ID, first.ID)
	}
	run.Conclusion = Success
	if _, err := r.UpdateCheckRun(ctx, run); err != nil {
		t.Fatal(err)
	}
	if n := r.c.Usage().Requests; n > 10 {
		t.Errorf("the apply took %d requests", n)
	}
	t.Logf("apply: %d requests", r.c.Usage().Requests)
}

func TestLinksLeadToPages(t *testing.T) {
	t.Parallel()
	for api, server := range map[string]string{
		"":                                  "https://github.com",
		"https://api.github.com":            "https://github.com",
		"https://github.example.com/api/v3": "https://github.example.com",
		"https://api.acme.ghe.com/":         "https://acme.ghe.com",
	} {
		c, err := Open(Config{APIURL: api})
		if err != nil {
			t.Fatal(err)
		}
		r := repository(t, c, "acme/infra")
		for got, want := range map[string]string{
			r.RunURL(1, 0):   "/acme/infra/actions/runs/1",
			r.RunURL(1, 2):   "/acme/infra/actions/runs/1/attempts/2",
			r.JobURL(1, 2):   "/acme/infra/actions/runs/1/job/2",
			r.CommitURL("a"): "/acme/infra/commit/a",
			r.PullURL(3):     "/acme/infra/pull/3",
		} {
			if got != server+want {
				t.Errorf("%s is for %s, want %s", got, api, server+want)
			}
		}
	}
}
