package github

import (
	"net/http"
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

func TestAMergeThatGitHubHasNotEverywhereYetIsAskedForAgain(t *testing.T) {
	t.Parallel()
	const sha = "0123456789012345678901234567890123456789"
	asked := 0
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			say(w, 200, []any{})
			return
		}
		say(w, 200, []map[string]any{{"number": 1, "state": "closed", "merge_commit_sha": sha, "merged_at": "2026-11-24T12:00:00Z"}})
	})
	got, err := r.PullRequestsOf(t.Context(), sha)
	if err != nil || len(got) != 1 || got[0].Number != 1 {
		t.Fatalf("got %+v, %v after asking %d times", got, err, asked)
	}
	if !got[0].Fork { // its repository is gone
		t.Error("a head without a repository is said to be ours")
	}
}

func TestPullRequestsAreOrderedByWhatTheyHaveToDoWithTheCommit(t *testing.T) {
	t.Parallel()
	const sha, other = "0123456789012345678901234567890123456789", "9876543210987654321098765432109876543210"
	merged := "2026-11-24T12:00:00Z"
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		say(w, 200, []map[string]any{
			{"number": 1, "state": "closed", "merge_commit_sha": sha}, // of a trial merge
			{"number": 2, "state": "closed", "merge_commit_sha": other, "merged_at": merged},
			{"number": 3, "state": "open"},
			{"number": 4, "state": "closed"},
			{"number": 5, "state": "closed", "merge_commit_sha": sha, "merged_at": merged},
			{"number": 6, "state": "open"},
		})
	})
	got, err := r.PullRequestsOf(t.Context(), sha)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, p := range got {
		numbers = append(numbers, p.Number)
		if (p.MergeSHA != "") != p.Merged {
			t.Errorf("#%d: merged %v by %q", p.Number, p.Merged, p.MergeSHA)
		}
	}
	if d := cmp.Diff([]int{5, 2, 6, 3, 4, 1}, numbers); d != "" {
		t.Error(d)
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
