package githubtest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

// A merging says how a pull request is merged.
type merging struct {
	method         string // "merge", "squash" or "rebase"
	title, message string // "": GitHub's own
	sha            string // that the head must be at; "": any
	by             *account
}

// mergePull merges a pull request as GitHub does, and returns the commit that the base branch is at then.
//
// may is asked about the base branch's new commit before it gets there; nil: anything goes.
func (w *World) mergePull(p *pull, m merging, may func(change) error) (string, error) {
	if !p.merged.IsZero() || !p.open() {
		return "", &problem{status: http.StatusMethodNotAllowed, message: "Pull Request is not mergeable"}
	}
	if m.sha != "" && m.sha != p.headSHA {
		return "", &problem{status: http.StatusConflict, message: "Head branch was modified. Review and try the merge again."}
	}
	if p.draft {
		return "", &problem{status: http.StatusMethodNotAllowed, message: "Pull Request is still a draft"}
	}
	base := p.repo.git.Ref("refs/heads/" + p.baseRef)
	var sha string
	var introduced []string
	var err error
	switch m.method {
	case "", "merge":
		sha, introduced, err = p.mergeCommit(base, m)
	case "squash":
		sha, introduced, err = p.squash(base, m)
	case "rebase":
		sha, introduced, err = p.rebase(base)
	default:
		return "", invalid("PullRequest", "merge_method", "invalid", "")
	}
	if errors.Is(err, bare.ErrConflict) {
		return "", &problem{status: http.StatusMethodNotAllowed, message: "Pull Request is not mergeable"}
	}
	if err != nil {
		return "", err
	}
	ref := "refs/heads/" + p.baseRef
	if may != nil {
		if err := may(change{ref: ref, old: base, new: sha, pull: p}); err != nil {
			return "", err
		}
	}
	if err := p.repo.git.SetRef(ref, sha); err != nil {
		return "", err
	}
	p.mergedAs(sha, introduced, m.by)
	return sha, w.pushed(p.repo, m.by)
}

// mergeCommit has both as its parents: the pull request's own commits come with it.
func (p *pull) mergeCommit(base string, m merging) (string, []string, error) {
	own, err := p.commits()
	if err != nil {
		return "", nil, err
	}
	tree, err := p.repo.git.Merge(base, p.headSHA)
	if err != nil {
		return "", nil, err
	}
	title, body := m.title, m.message
	if title == "" {
		title = fmt.Sprintf("Merge pull request #%d from %s/%s", p.number, p.head.owner.login, p.headRef)
	}
	if body == "" {
		body = p.title
	}
	sha, err := p.repo.git.Write(bare.Commit{
		Tree: tree, Parents: []string{base, p.headSHA}, Author: signature(m.by), Committer: hubSignature(),
		Message: title + "\n\n" + body,
	})
	return sha, append(own, sha), err
}

// squash makes one commit of all; only it gets onto the base branch.
func (p *pull) squash(base string, m merging) (string, []string, error) {
	own, err := p.commits()
	if err != nil {
		return "", nil, err
	}
	tree, err := p.repo.git.Merge(base, p.headSHA)
	if err != nil {
		return "", nil, err
	}
	title, body, err := p.squashWords(own)
	if err != nil {
		return "", nil, err
	}
	if m.title != "" {
		title = m.title
	}
	if m.message != "" {
		body = m.message
	}
	sha, err := p.repo.git.Write(bare.Commit{
		Tree: tree, Parents: []string{base}, Author: signature(p.author), Committer: hubSignature(),
		Message: strings.TrimSpace(title + "\n\n" + body),
	})
	return sha, []string{sha}, err
}

// squashWords are GitHub's: of a single commit its own, else the title with the commits' messages as a list.
func (p *pull) squashWords(own []string) (title, body string, err error) {
	var messages []string
	for _, sha := range own {
		c, err := p.repo.git.Commit(sha)
		if err != nil {
			return "", "", err
		}
		messages = append(messages, c.Message)
	}
	if len(messages) == 1 {
		title, body, _ = strings.Cut(messages[0], "\n")
		return fmt.Sprintf("%s (#%d)", title, p.number), strings.TrimSpace(body), nil
	}
	return fmt.Sprintf("%s (#%d)", p.title, p.number), "* " + strings.Join(messages, "\n\n* "), nil
}

// rebase puts each commit anew onto the base branch, even where a fast forward would do: GitHub always makes new ones.
func (p *pull) rebase(base string) (string, []string, error) {
	own, err := p.commits()
	if err != nil {
		return "", nil, err
	}
	tip := base
	var introduced []string
	for _, sha := range own {
		c, err := p.repo.git.Commit(sha)
		if err != nil {
			return "", nil, err
		}
		if len(c.Parents) > 1 { // rebase leaves merges out
			continue
		}
		if tip, err = p.repo.git.Replay(sha, tip, hubSignature()); err != nil {
			return "", nil, err
		}
		introduced = append(introduced, tip)
	}
	return tip, introduced, nil
}
