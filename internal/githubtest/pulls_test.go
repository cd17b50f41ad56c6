package githubtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
)

// landed are the merged pull requests that GitHub names for a commit.
func landed(t *testing.T, c *github.Client, sha string) []int {
	t.Helper()
	pulls, _, err := c.PullRequests.ListPullRequestsWithCommit(t.Context(), "acme", "infra", sha, nil)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, p := range pulls {
		if p.GetMergedAt().IsZero() != (p.GetState() == "open") {
			t.Errorf("pull request %d is %s, merged at %s", p.GetNumber(), p.GetState(), p.GetMergedAt())
		}
		numbers = append(numbers, p.GetNumber())
	}
	return numbers
}

func TestEveryWayOfMergingLeadsFromItsCommitToThePullRequest(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"merge", "squash", "rebase"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.push("change", "b.tf", "b\n")
			head := s.push("change", "c.tf", "c\n")
			number := s.open("change")
			main := s.push("main", "elsewhere.tf", "moved\n")
			c := s.workflow()
			if got := landed(t, c, head); len(got) != 1 || got[0] != number {
				t.Errorf("an open pull request of its head: %v", got)
			}
			merged, _, err := c.PullRequests.Merge(t.Context(), "acme", "infra", number, "", &github.PullRequestOptions{MergeMethod: method})
			if err != nil {
				t.Fatal(err)
			}
			sha := merged.GetSHA()
			commit, _, err := c.Repositories.GetCommit(t.Context(), "acme", "infra", sha, nil)
			if err != nil {
				t.Fatal(err)
			}
			parents := map[string]int{"merge": 2, "squash": 1, "rebase": 1}[method]
			if len(commit.Parents) != parents {
				t.Errorf("%d parents", len(commit.Parents))
			}
			if got := landed(t, c, sha); len(got) != 1 || got[0] != number {
				t.Errorf("pull requests of %s are %v, want %d", sha, got, number)
			}
			if got := landed(t, c, main); len(got) != 0 {
				t.Errorf("pull requests of a direct push are %v", got)
			}
			first := commit.Parents[0].GetSHA()
			if wantMain := method != "rebase"; (first == main) != wantMain {
				t.Errorf("the first parent is %s; main was %s", first, main)
			}
			if method == "rebase" {
				if got := landed(t, c, first); len(got) != 1 {
					t.Errorf("the first of two rebased commits belongs to %v", got)
				}
			}
			message := map[string]string{"merge": "Merge pull request #1 from acme/change\n\nChange change", "squash": "Change change (#1)\n\n* Change b.tf\n\n* Change c.tf", "rebase": "Change c.tf"}[method]
			if got := commit.Commit.GetMessage(); got != message {
				t.Errorf("message %q, want %q", got, message)
			}
			pull, _, err := c.PullRequests.Get(t.Context(), "acme", "infra", number)
			if err != nil || !pull.GetMerged() || pull.GetMergeCommitSHA() != sha || pull.GetHead().GetSHA() != head || pull.GetCommits() != 2 {
				t.Errorf("merged: %v, %v", pull, err)
			}
		})
	}
}

func TestPullRequestFollowsItsBranchAndTheBase(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	base := s.push("main", "x.tf", "x\n")
	s.push("change", "b.tf", "b\n")
	number := s.open("change")
	c := s.workflow()
	head := s.push("change", "main.tf", "a = 2\n")
	trial := s.must("resolve", object{"repo": repoName, "ref": "refs/pull/1/merge"})["SHA"].(string)
	s.push("main", "y.tf", "y\n")
	p, _, err := c.PullRequests.Get(t.Context(), "acme", "infra", number)
	if err != nil {
		t.Fatal(err)
	}
	if p.GetHead().GetSHA() != head || p.GetBase().GetSHA() != base || !p.GetMergeable() {
		t.Errorf("head %s, base %s, mergeable %v: want %s, %s", p.GetHead().GetSHA(), p.GetBase().GetSHA(), p.GetMergeable(), head, base)
	}
	if p.GetMergeCommitSHA() == trial {
		t.Error("the trial merge did not follow the base")
	}
	s.push("main", "main.tf", "a = 3\n")
	if p, _, err = c.PullRequests.Get(t.Context(), "acme", "infra", number); err != nil || p.GetMergeable() || p.GetMergeableState() != "dirty" {
		t.Errorf("a conflict is mergeable: %v, %v", p.GetMergeableState(), err)
	}
	if _, _, err := c.PullRequests.Merge(t.Context(), "acme", "infra", number, "", nil); err == nil || !strings.Contains(err.Error(), "405") {
		t.Errorf("merging a conflict: %v", err)
	}
}

func TestTwoPullRequestsCanHaveOneCommit(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	head := s.push("change", "b.tf", "b\n")
	s.must("push", object{"repo": repoName, "branch": "same", "from": "change", "files": contents{"c.tf": "c\n"}})
	first, second := s.open("change"), s.open("same")
	c := s.workflow()
	if got := landed(t, c, head); len(got) != 2 {
		t.Errorf("open ones of %s: %v", head, got)
	}
	s.must("merge", object{"repo": repoName, "number": second, "method": "merge"})
	if got := s.must("pull", object{"repo": repoName, "number": first}); got["Merged"] != true {
		t.Errorf("all of its commits are in main, but it is %v", got)
	}
	if got := landed(t, c, head); len(got) != 2 {
		t.Errorf("merged ones of %s: %v", head, got)
	}
}

func TestPullRequestClosedUnmergedIsNotNamed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	head := s.push("change", "b.tf", "b\n")
	number := s.open("change")
	s.must("close-pull", object{"repo": repoName, "number": number})
	c := s.workflow()
	pulls, _, err := c.PullRequests.ListPullRequestsWithCommit(t.Context(), "acme", "infra", head, nil)
	if err != nil || len(pulls) != 0 {
		t.Errorf("a closed one that was not merged: %v, %v", pulls, err)
	}
}

func TestForkPullRequestIsMerged(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.must("repository", object{"fork_of": repoName, "owner": "mallory"})
	head := s.must("push", object{"repo": "mallory/infra", "branch": "gift", "author": "mallory", "files": contents{"b.tf": "b\n"}})["SHA"]
	opened := s.must("open", object{"repo": repoName, "head": "mallory:gift", "author": "mallory"})
	if opened["HeadSHA"] != head {
		t.Errorf("opened %v", opened)
	}
	c := s.workflow()
	p, _, err := c.PullRequests.Get(t.Context(), "acme", "infra", 1)
	if err != nil || p.GetHead().GetRepo().GetFullName() != "mallory/infra" || !p.GetHead().GetRepo().GetFork() || p.GetHead().GetLabel() != "mallory:gift" {
		t.Errorf("%v, %v", p.GetHead(), err)
	}
	sha := s.must("merge", object{"repo": repoName, "number": 1, "method": "squash"})["SHA"].(string)
	if got := landed(t, c, sha); len(got) != 1 {
		t.Errorf("pull requests of %s: %v", sha, got)
	}
}

func TestRebaseLeavesMergesOutAndSquashTakesASingleCommitsWords(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.push("change", "b.tf", "b\n")
	s.push("main", "c.tf", "c\n")
	c := s.workflow()
	// A deployment brings main into the branch, by a merge commit.
	_, res, err := c.Repositories.CreateDeployment(t.Context(), "acme", "infra", &github.DeploymentRequest{Ref: github.String("change")})
	if res == nil || res.StatusCode != http.StatusAccepted {
		t.Fatalf("%v", err)
	}
	s.push("change", "d.tf", "d\n")
	number := s.open("change")
	if p, _, err := c.PullRequests.Get(t.Context(), "acme", "infra", number); err != nil || p.GetCommits() != 3 || p.GetChangedFiles() != 2 {
		t.Errorf("%d commits, %d files, %v", p.GetCommits(), p.GetChangedFiles(), err)
	}
	before := s.must("resolve", object{"repo": repoName, "ref": "main"})["SHA"].(string)
	s.must("merge", object{"repo": repoName, "number": number, "method": "rebase"})
	diff, _, err := c.Repositories.CompareCommits(t.Context(), "acme", "infra", before, "main", nil)
	if err != nil || diff.GetAheadBy() != 2 || diff.GetBehindBy() != 0 {
		t.Errorf("%d commits came, %v: want two, and not the merge", diff.GetAheadBy(), err)
	}
	for _, commit := range diff.Commits {
		if len(commit.Parents) != 1 || commit.GetAuthor().GetLogin() != "octocat" || commit.GetCommitter().GetLogin() != "web-flow" {
			t.Errorf("%v", commit)
		}
	}

	s.must("push", object{"repo": repoName, "branch": "single", "message": "Its own words\n\nAnd why.", "files": contents{"e.tf": "e\n"}})
	sha := s.must("merge", object{"repo": repoName, "number": s.open("single"), "method": "squash"})["SHA"].(string)
	if got, _, err := c.Git.GetCommit(t.Context(), "acme", "infra", sha); err != nil || got.GetMessage() != "Its own words (#2)\n\nAnd why." {
		t.Errorf("%q, %v", got.GetMessage(), err)
	}
}
