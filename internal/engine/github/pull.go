package github

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// A PullRequest as it is.
type PullRequest struct {
	Number  int
	Title   string // untrusted text
	Author  string // login
	HeadSHA string
	HeadRef string // branch; untrusted text
	Base    string // branch
	// Fork is true if the head is not of this repository, or of one that is gone.
	Fork     bool
	Draft    bool
	Merged   bool
	Closed   bool   // merged ones are closed too
	MergeSHA string // of a merged one: the commit on Base by which it was merged
	URL      string
}

// PullRequestsOf returns the pull requests that brought a commit to where it is, by merge commit, squash or rebase, and
// those that hold it in their branch: merged ones first, of these the one that ended with this very commit; then open
// ones, then those that were closed unmerged; the newest first. None is no error. One request.
func (r *Repository) PullRequestsOf(ctx context.Context, commit string) ([]PullRequest, error) {
	t := task{doing: "find the pull request of commit " + short(commit), needs: "pull-requests: read"}
	if err := r.checkCommit(t, commit); err != nil {
		return nil, err
	}
	var found []*gh.PullRequest
	for n := 0; n < 3 && len(found) == 0; n++ {
		err := sleep(ctx, r.c.pause*time.Duration(2*n))
		if err == nil {
			found, _, err = r.c.api.PullRequests.ListPullRequestsWithCommit(ctx, r.owner, r.name, commit, &gh.ListOptions{PerPage: 100})
		}
		if err != nil {
			return nil, r.failed(t, err)
		}
	}
	var pulls []PullRequest
	for _, p := range found {
		pulls = append(pulls, pullRequest(p))
	}
	slices.SortStableFunc(pulls, func(a, b PullRequest) int {
		return cmp.Or(cmp.Compare(a.rank(commit), b.rank(commit)), cmp.Compare(b.Number, a.Number))
	})
	return pulls, nil
}

// rank orders pull requests by how much they have to do with a commit that is to be applied.
func (p PullRequest) rank(commit string) int {
	switch {
	case p.Merged && p.MergeSHA == commit:
		return 0
	case p.Merged:
		return 1
	case !p.Closed:
		return 2
	}
	return 3
}

// PullRequest returns one. One request.
func (r *Repository) PullRequest(ctx context.Context, number int) (PullRequest, error) {
	t := task{doing: fmt.Sprintf("read pull request #%d", number), needs: "pull-requests: read"}
	p, _, err := r.c.api.PullRequests.Get(ctx, r.owner, r.name, number)
	if err == nil && p.GetNumber() != number {
		err = strange(t)
	}
	if err != nil {
		return PullRequest{}, r.failed(t, err)
	}
	return pullRequest(p), nil
}

func pullRequest(p *gh.PullRequest) PullRequest {
	head, base := p.GetHead(), p.GetBase()
	out := PullRequest{
		Number: p.GetNumber(), Title: p.GetTitle(), Author: p.GetUser().GetLogin(), Draft: p.GetDraft(), URL: p.GetHTMLURL(),
		HeadSHA: head.GetSHA(), HeadRef: head.GetRef(), Base: base.GetRef(),
		// A fork that was deleted has no repository any more, and two nothings are not the same one.
		Fork:   head.GetRepo() == nil || head.GetRepo().GetID() != base.GetRepo().GetID(),
		Merged: !p.GetMergedAt().IsZero(), // lists do not say "merged"
		Closed: p.GetState() == "closed",
	}
	if out.Merged {
		out.MergeSHA = p.GetMergeCommitSHA() // before, it is that of a trial
	}
	return out
}

var fullSHA = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// checkCommit keeps anything but a commit out of addresses; a branch's name would also be another commit tomorrow.
func (r *Repository) checkCommit(t task, commit string) error {
	if fullSHA.MatchString(commit) {
		return nil
	}
	return r.failed(t, &Error{Kind: ErrRefused, Message: "a commit is told by its full sha, 40 hexadecimal digits"})
}

// short is a commit as people know it.
func short(commit string) string {
	if fullSHA.MatchString(commit) {
		return commit[:7]
	}
	return fmt.Sprintf("%q", commit)
}
