package action

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// A lister is a forge that has pull requests and check runs, and nothing else.
type lister struct {
	forge
	pulls  []github.PullRequest
	checks []github.CheckRun
	err    error
}

func (l lister) PullRequestsOf(context.Context, string) ([]github.PullRequest, error) {
	return l.pulls, l.err
}

func (l lister) CheckRuns(context.Context, string, string) ([]github.CheckRun, error) {
	return l.checks, l.err
}

func TestThePullRequestOfACommitIsCertain(t *testing.T) {
	t.Parallel()
	merged := func(number int, sha, base string) github.PullRequest {
		return github.PullRequest{Number: number, Merged: true, Closed: true, MergeSHA: sha, Base: base}
	}
	down := errors.New("GitHub is down")
	for name, c := range map[string]struct {
		pulls []github.PullRequest
		err   error
		want  int
		why   string
	}{
		"one":                         {pulls: []github.PullRequest{merged(1, "x", "main")}, want: 1},
		"one beside an open one":      {pulls: []github.PullRequest{merged(1, "x", "main"), {Number: 2, Base: "main"}}, want: 1},
		"two, one by this commit":     {pulls: []github.PullRequest{merged(1, "x", "main"), merged(2, "abc1234567", "main")}, want: 2},
		"two, one into another":       {pulls: []github.PullRequest{merged(1, "x", "main"), merged(2, "y", "release")}, want: 1},
		"two":                         {pulls: []github.PullRequest{merged(1, "x", "main"), merged(2, "y", "main")}, why: "belongs to pull requests #1, #2, and which plan was reviewed is not certain"},
		"only into another branch":    {pulls: []github.PullRequest{merged(2, "y", "release")}, why: "was not merged into main"},
		"one that was closed":         {pulls: []github.PullRequest{{Number: 3, Closed: true, Base: "main"}}, why: "#3, which was not merged"},
		"none":                        {why: "No pull request brought abc1234 to main"},
		"nobody knows":                {err: down, why: "GitHub is down"},
		"two that merged this commit": {pulls: []github.PullRequest{merged(1, "abc1234567", "main"), merged(2, "abc1234567", "main")}, why: "not certain"},
	} {
		r := &run{event: event{SHA: "abc1234567", Branch: "main"}, forge: lister{pulls: c.pulls, err: c.err}}
		p, err := r.pullOf(t.Context())
		if c.why != "" {
			if err == nil || !strings.Contains(err.Error(), c.why) || isRefusal(err) != (c.err == nil) {
				t.Errorf("%s: %+v, %v, want %q", name, p, err, c.why)
			}
			continue
		}
		if err != nil || p.Number != c.want {
			t.Errorf("%s: #%d, %v, want #%d", name, p.Number, err, c.want)
		}
	}
}

func TestOnlyItsOwnReviewIsBelieved(t *testing.T) {
	t.Parallel()
	const app = 7
	pull := github.PullRequest{Number: 5, HeadSHA: "head", Merged: true}
	good := review{Version: reviewVersion, Repository: "acme/infra", Commit: "head", Pull: 5, Roots: []reviewedRoot{{Root: ".", Fingerprint: "f"}}}
	sealed := func(change func(*review), key string) string {
		r := good
		if change != nil {
			change(&r)
		}
		if err := r.seal(key); err != nil {
			t.Fatal(err)
		}
		text, err := r.text()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	check := func(id int64, app int64, how github.Conclusion, text string) github.CheckRun {
		return github.CheckRun{ID: id, AppID: app, Name: "Tidegate plan: .", Conclusion: how, Text: text}
	}
	true1 := check(1, app, github.Success, sealed(nil, testKey))
	for name, c := range map[string]struct {
		checks []github.CheckRun
		why    string
	}{
		"its own":                     {[]github.CheckRun{true1}, ""},
		"its own beside another's":    {[]github.CheckRun{check(9, 8, github.Success, sealed(nil, testKey)), true1}, ""},
		"its own, and a newer failed": {[]github.CheckRun{check(2, app, github.Failure, ""), true1}, `ended with "failure"`},
		"its own after one failed":    {[]github.CheckRun{check(0, app, github.Failure, ""), true1}, ""},
		"none":                        {nil, "has no check run"},
		"one that is going on":        {[]github.CheckRun{check(1, app, "", "")}, "was not done when it was merged"},
		"another app's":               {[]github.CheckRun{check(1, 8, github.Success, sealed(nil, testKey))}, "by another app"},
		"another key's":               {[]github.CheckRun{check(1, app, github.Success, sealed(nil, "another-key-of-16"))}, "not of this key"},
		"without a key":               {[]github.CheckRun{check(1, app, github.Success, sealed(nil, ""))}, "made without a key"},
		"another commit's":            {[]github.CheckRun{check(1, app, github.Success, sealed(func(r *review) { r.Commit = "old" }, testKey))}, "it is of acme/infra#5 at old"},
		"another pull request's":      {[]github.CheckRun{check(1, app, github.Success, sealed(func(r *review) { r.Pull = 6 }, testKey))}, "it is of acme/infra#6"},
		"another repository's":        {[]github.CheckRun{check(1, app, github.Success, sealed(func(r *review) { r.Repository = "mallory/infra" }, testKey))}, "it is of mallory/infra"},
		"another version's":           {[]github.CheckRun{check(1, app, github.Success, sealed(func(r *review) { r.Version = 2 }, testKey))}, "it is of version 2"},
		"no review":                   {[]github.CheckRun{check(1, app, github.Success, "hello")}, "it holds no plan"},
		"changed after it was made":   {[]github.CheckRun{check(1, app, github.Success, strings.Replace(true1.Text, `"f"`, `"g"`, 1))}, "not of this key"},
	} {
		r := &run{in: Inputs{Key: testKey, Roots: []string{"."}}, event: event{Owner: "acme", Repo: "infra"}, forge: lister{checks: c.checks}}
		_, err := r.reviewOf(t.Context(), pull, app)
		if c.why == "" && err != nil || c.why != "" && (!isRefusal(err) || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v, want %q", name, err, c.why)
		}
	}
	r := &run{in: Inputs{Roots: []string{"."}}, forge: lister{checks: []github.CheckRun{check(1, 0, github.Success, sealed(nil, ""))}}}
	if _, err := r.reviewOf(t.Context(), pull, 0); err == nil {
		t.Error("a check run of no app was believed by a token of no app")
	}
}

func TestManyRootsShareTheRoomOfACheckRun(t *testing.T) {
	t.Parallel()
	var plans []*rootPlan
	for range maxRoots {
		p := &rootPlan{Path: "infra/" + strings.Repeat("long/", 10)}
		for i := range 500 {
			p.Plan.Fingerprint.Parts = append(p.Plan.Fingerprint.Parts, terraform.Part{Name: "resource terraform_data.x" + strings.Repeat("y", i), Sum: "0123456789abcdef"})
		}
		p.Plan.Fingerprint.Version, p.Plan.Fingerprint.Sum = terraform.FingerprintVersion, strings.Repeat("0", 64)
		plans = append(plans, p)
	}
	rev, err := newReview(plans, textLimit)
	if err != nil {
		t.Fatal(err)
	}
	if err := rev.seal(testKey); err != nil {
		t.Fatal(err)
	}
	text, err := rev.text()
	if err != nil || len(text) > github.CheckTextLimit {
		t.Errorf("%d characters, %v, want at most %d", len(text), err, github.CheckTextLimit)
	}
	again, err := parseReview(text, testKey)
	if err != nil || len(again.Roots) != maxRoots {
		t.Errorf("%v: it is not read back", err)
	}
}

func TestStagedRolloutsAreToldOnceTheyAreStaged(t *testing.T) {
	t.Parallel()
	change := func(address, kind, actions, before, after string) string {
		return `{"address": "` + address + `", "type": "` + kind + `", "change": {"actions": [` + actions + `], "before": ` + before + `, "after": ` + after + `}}`
	}
	old := `{"id": "local/here/fraud", "model_digest": "1", "model": {"uri": "file://v1"}, "rollout": {"run": "staged"}}`
	staged := `{"id": "local/here/fraud", "model_digest": "2", "model": [{"uri": "file://v2"}], "rollout": [{"run": "staged"}]}`
	plan := `{"format_version": "1.2", "resource_changes": [` + strings.Join([]string{
		change("a", endpointType, `"update"`, old, staged),
		change("b", endpointType, `"update"`, old, strings.Replace(staged, `"staged"`, `"inline"`, 1)),
		change("c", endpointType, `"update"`, old, strings.Replace(staged, `"2"`, `"1"`, 1)),
		change("d", endpointType, `"create"`, `null`, staged),
		change("e", "terraform_data", `"update"`, `[]`, `"x"`),
		change("f", endpointType, `"update"`, old, `{"model_digest": null, "model": null, "rollout": {"run": "staged"}}`),
	}, ",") + `]}`
	found, err := findStaged(strings.NewReader(plan))
	if err != nil || len(found) != 2 || found[0].address != "a" || found[0].Endpoint != "local/here/fraud" || found[0].Model != "file://v2" {
		t.Fatalf("%+v, %v", found, err)
	}
	result := terraform.Applied{Done: []terraform.AppliedChange{{Address: "a"}, {Address: "b"}}, Failed: []terraform.AppliedChange{{Address: "f"}}}
	if got := done(found, result); len(got) != 1 || got[0].Next != "tidegate promote local/here/fraud" {
		t.Errorf("%+v", got)
	}
	for _, odd := range []string{"", "[]", `{"resource_changes": [{"type": "` + endpointType + `", "change": {"actions": ["update"], "before": 3, "after": {}}}]}`} {
		if _, err := findStaged(strings.NewReader(odd)); err == nil {
			t.Errorf("%q was read", odd)
		}
	}
}

func TestARollbackIsAFailedApplyWithANameOfItsOwn(t *testing.T) {
	t.Parallel()
	for summary, want := range map[string]bool{
		`Rollout of endpoint "penguins" was rolled back by gate "errors"`: true,
		`Rollout of endpoint "penguins" was rolled back on request`:       true,
		`Cannot apply endpoint penguins`:                                  false,
		`Error: Rollout of something else`:                                false,
	} {
		if got := rolledBack(terraform.Diagnostic{Summary: summary}); got != want {
			t.Errorf("%s: %v", summary, got)
		}
	}
}
