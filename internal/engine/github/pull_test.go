package github

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestTheMergedCommitLeadsToItsPullRequest(t *testing.T) {
	t.Parallel()
	for _, method := range []githubhub.Method{githubhub.MergeCommit, githubhub.Squash, githubhub.Rebase} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.repo.Push(githubhub.Commit{Files: githubhub.Files{"other.tf": "# main moved\n"}})
			sha := w.repo.Merge(w.pull.Number, method)
			w.repo.Push(githubhub.Commit{Files: githubhub.Files{"other.tf": "# and again\n"}})

			got, err := w.open(t, w.token).PullRequestsOf(t.Context(), sha)
			if err != nil {
				t.Fatal(err)
			}
			want := []PullRequest{{
				Number: w.pull.Number, Title: "Make it bigger", Author: "octocat", HeadSHA: w.pull.HeadSHA, HeadRef: "bigger", Base: "main",
				Merged: true, Closed: true, MergeSHA: sha, URL: w.ServerURL + "/acme/infra/pull/1",
			}}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if n := w.Count(); len(n) != 1 || n["repos/list-pull-requests-associated-with-commit"] != 1 {
				t.Errorf("asked %v, want one request", n)
			}
		})
	}
}

func TestACommitPushedPastAllPullRequestsHasNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, err := w.open(t, w.token).PullRequestsOf(t.Context(), w.repo.Push(githubhub.Commit{Files: githubhub.Files{"a": "b"}}))
	if err != nil || len(got) != 0 {
		t.Fatalf("got %v, %v; want none and no error", got, err)
	}
}

func TestTheMergedPullRequestComesBeforeOthersOfItsCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// The same branch in three pull requests: one closed, one open, one merged.
	w.repo.Push(githubhub.Commit{Branch: "release"})
	w.repo.Close(w.pull.Number)
	other := w.repo.Open(githubhub.NewPull{Head: "bigger", Base: "release"})
	merged := w.repo.Open(githubhub.NewPull{Head: "bigger"})
	w.repo.Merge(merged.Number, githubhub.MergeCommit)

	got, err := w.open(t, w.token).PullRequestsOf(t.Context(), w.pull.HeadSHA)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, p := range got {
		numbers = append(numbers, p.Number)
	}
	if len(got) == 0 || got[0].Number != merged.Number || !got[0].Merged {
		t.Fatalf("got %v, want #%d first", numbers, merged.Number)
	}
	for _, p := range got[1:] {
		if p.Merged || p.MergeSHA != "" {
			t.Errorf("#%d was not merged, and is said to be by %q", p.Number, p.MergeSHA)
		}
	}
	t.Logf("merged #%d, open #%d, closed #%d: %v", merged.Number, other.Number, w.pull.Number, numbers)
}

func TestPullRequestsAreRankedByWhatTheyHaveToDoWithTheCommit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pull PullRequest
		want int
	}{
		{PullRequest{Merged: true, Closed: true, MergeSHA: "a"}, 0},
		{PullRequest{Merged: true, Closed: true, MergeSHA: "b"}, 1},
		{PullRequest{}, 2},
		{PullRequest{Closed: true}, 3},
	} {
		if got := c.pull.rank("a"); got != c.want {
			t.Errorf("%+v ranks %d, want %d", c.pull, got, c.want)
		}
	}
}

func TestAForkIsToldFromABranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fork := w.repo.Fork("mallory")
	fork.Push(githubhub.Commit{Branch: "evil", Author: "mallory", Files: githubhub.Files{"main.tf": "# three\n"}})
	pull := w.repo.Open(githubhub.NewPull{Head: "mallory:evil", Author: "mallory", Draft: true})

	r := w.open(t, w.token)
	theirs, err := r.PullRequest(t.Context(), pull.Number)
	if err != nil {
		t.Fatal(err)
	}
	if !theirs.Fork || !theirs.Draft || theirs.Author != "mallory" || theirs.HeadSHA != pull.HeadSHA {
		t.Errorf("got %+v", theirs)
	}
	ours, err := r.PullRequest(t.Context(), w.pull.Number)
	if err != nil || ours.Fork || ours.Closed {
		t.Errorf("got %+v, %v", ours, err)
	}
}

func TestOnlyFullCommitsAreAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, commit := range []string{"", "main", "abc1234", "../../../user", w.pull.HeadSHA + "/x"} {
		_, err := w.open(t, w.token).PullRequestsOf(t.Context(), commit)
		wantError(t, err, ErrRefused, "full sha")
	}
	if n := len(w.Requests()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}
