package githubtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

type gitRepository = bare.Repository

// A pull is a pull request.
type pull struct {
	id               int64
	number           int
	repo             *repository // it is of, that of its base
	head             *repository // the same, or a fork
	headRef, baseRef string
	headSHA          string
	baseSHA          string // of the base branch when the head last moved, as GitHub tells it
	tried            string // of the base branch that the merge was last tried with
	title, body      string
	author           *account
	draft            bool
	created, updated time.Time
	closed, merged   time.Time // zero while open
	mergedBy         *account
	// merge is the trial merge while it is open and can be merged; then the commit that brought it in.
	merge string
	// introduced are the commits that its merge put on the base branch.
	introduced []string
	comments   []*comment
}

func (p *pull) open() bool { return p.closed.IsZero() }

func (p *pull) state() string {
	if p.open() {
		return "open"
	}
	return "closed"
}

// pull returns a pull request by its number, nil if there is none.
func (r *repository) pull(number int) *pull {
	i := slices.IndexFunc(r.pulls, func(p *pull) bool { return p.number == number })
	if i < 0 {
		return nil
	}
	return r.pulls[i]
}

// newPull opens a pull request from "branch" or "owner:branch".
func (w *World) newPull(r *repository, p pull, from string) (*pull, error) {
	p.head, p.headRef = r, from
	if owner, branch, ok := strings.Cut(from, ":"); ok {
		p.headRef = branch
		p.head = w.forkOf(r, owner)
	}
	if p.baseRef == "" {
		p.baseRef = r.branch
	}
	if r.git.Ref("refs/heads/"+p.baseRef) == "" {
		return nil, invalid("PullRequest", "base", "invalid", "")
	}
	if p.head == nil || p.head.git.Ref("refs/heads/"+p.headRef) == "" {
		return nil, invalid("PullRequest", "head", "invalid", "")
	}
	for _, other := range r.pulls {
		if other.open() && other.head == p.head && other.headRef == p.headRef && other.baseRef == p.baseRef {
			return nil, invalid("PullRequest", "", "custom", fmt.Sprintf("A pull request already exists for %s:%s.", p.head.owner.login, p.headRef))
		}
	}
	r.number++
	p.id, p.number, p.repo, p.created = w.id(), r.number, r, now()
	if err := p.refresh(); err != nil {
		return nil, err
	}
	if p.headSHA == p.baseSHA || r.git.IsAncestor(p.headSHA, p.baseSHA) {
		return nil, invalid("PullRequest", "", "custom", fmt.Sprintf("No commits between %s and %s", p.baseRef, p.headRef))
	}
	r.pulls = append(r.pulls, &p)
	return &p, nil
}

func (w *World) forkOf(r *repository, owner string) *repository {
	if strings.EqualFold(r.owner.login, owner) {
		return r
	}
	for _, f := range w.repos {
		if f.parent == r && strings.EqualFold(f.owner.login, owner) {
			return f
		}
	}
	return nil
}

// headNow is where the head branch is; of a repository that is gone, where it was.
func (p *pull) headNow() string {
	if p.head.gone {
		return p.headSHA
	}
	return p.head.git.Ref("refs/heads/" + p.headRef)
}

// refresh takes over where head and base are now, and tries the merge.
func (p *pull) refresh() error {
	git := p.repo.git
	p.tried = git.Ref("refs/heads/" + p.baseRef)
	if sha := p.headNow(); sha != "" && sha != p.headSHA {
		p.headSHA, p.baseSHA = sha, p.tried
	}
	ref := fmt.Sprintf("refs/pull/%d/", p.number)
	if p.head != p.repo && !p.head.gone {
		if err := git.Fetch(p.head.git, p.headSHA, ref+"head"); err != nil {
			return err
		}
	}
	if err := git.SetRef(ref+"head", p.headSHA); err != nil {
		return err
	}
	p.updated = now()
	p.merge = ""
	tree, err := git.Merge(p.tried, p.headSHA)
	if errors.Is(err, bare.ErrConflict) {
		_ = git.DeleteRef(ref + "merge")
		return nil
	}
	if err != nil {
		return err
	}
	p.merge, err = git.Write(bare.Commit{
		Tree: tree, Parents: []string{p.tried, p.headSHA}, Author: signature(p.author), Committer: hubSignature(),
		Message: "Merge " + p.headSHA + " into " + p.tried,
	})
	if err != nil {
		return err
	}
	return git.SetRef(ref+"merge", p.merge)
}

func signature(a *account) bare.Signature {
	return bare.Signature{Name: a.login, Email: a.email(), When: now()}
}

func hubSignature() bare.Signature {
	return bare.Signature{Name: "GitHub", Email: "noreply@github.com", When: now()}
}

// pushed is called when branches of a repository may have moved: open pull requests of them move along, and those
// whose commits the base branch has by now are merged.
func (w *World) pushed(r *repository, by *account) error {
	r.pushed = now()
	for _, base := range w.repos {
		for _, p := range base.pulls {
			if !p.open() || p.repo != r && p.head != r {
				continue
			}
			if err := w.follow(p, by); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *World) follow(p *pull, by *account) error {
	head := p.headNow()
	base := p.repo.git.Ref("refs/heads/" + p.baseRef)
	if base == "" || head == "" { // a branch is gone: GitHub closes the pull request
		p.closed, p.updated = now(), now()
		return nil
	}
	if head == p.headSHA && base == p.tried {
		return nil
	}
	if p.repo.git.IsAncestor(p.headSHA, base) && head == p.headSHA {
		introduced, err := p.repo.git.Between(p.tried, base)
		if err != nil {
			return err
		}
		p.mergedAs(base, introduced, by)
		return nil
	}
	return p.refresh()
}

func (p *pull) mergedAs(sha string, introduced []string, by *account) {
	p.merged, p.closed, p.updated = now(), now(), now()
	p.merge, p.introduced, p.mergedBy = sha, introduced, by
	_ = p.repo.git.DeleteRef(fmt.Sprintf("refs/pull/%d/merge", p.number))
}

// commits are those of the pull request, oldest first.
func (p *pull) commits() ([]string, error) {
	base := p.tried
	if !p.merged.IsZero() {
		if common := p.repo.git.MergeBase(p.headSHA, base); common != "" {
			base = common
		}
	}
	return p.repo.git.Between(base, p.headSHA)
}

// pullsOf lists the pull requests that GitHub associates with a commit: on the default branch the merged ones that
// brought it there, elsewhere the merged and open ones that have it. One that was closed without being merged is in
// neither list.
func (r *repository) pullsOf(sha string) ([]*pull, error) {
	landed := r.git.IsAncestor(sha, r.git.Ref("refs/heads/"+r.branch))
	var found []*pull
	for _, p := range r.pulls {
		merged := !p.merged.IsZero()
		if landed && (!merged || p.baseRef != r.branch) || !merged && !p.open() {
			continue
		}
		commits, err := p.commits()
		if err != nil {
			return nil, err
		}
		if slices.Contains(p.introduced, sha) || slices.Contains(commits, sha) || sha == p.merge && merged {
			found = append(found, p)
		}
	}
	return found, nil
}
