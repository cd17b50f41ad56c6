package github

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	gh "github.com/google/go-github/v60/github"
)

// CommentLimit is how many characters a comment holds.
const CommentLimit = 65_536

// A Sticky is a comment of which a pull request has one: it is found again by its marker and its author, and updated in
// place.
type Sticky struct {
	Number int    // of the pull request
	ID     int64  // of the comment, if it is remembered (in a check run): saves looking through all; 0: not
	Marker string // Body begins with it: "<!-- tidegate:infra -->"
	Body   string // at most CommentLimit characters
}

// A Comment that was written.
type Comment struct {
	ID      int64
	URL     string
	Author  string
	Created bool
	// Duplicates are further comments with the marker by the same author that were seen on the way. They are left alone.
	Duplicates []int64
}

// A commentPlace is where one sticky comment is.
type commentPlace struct {
	repository string
	number     int
	marker     string
}

// WriteComment writes a sticky comment: over our own that there is, or anew if there is none or it was deleted. What
// others wrote is left alone, whatever it begins with, and whatever the ID says. Two requests, and one for each further
// hundred comments before it; one where this Client wrote it before.
func (r *Repository) WriteComment(ctx context.Context, s Sticky) (Comment, error) {
	t := task{doing: fmt.Sprintf("comment on pull request #%d", s.Number), needs: "pull-requests: write", write: true}
	if err := r.checkSticky(t, s); err != nil {
		return Comment{}, err
	}
	place := commentPlace{r.String(), s.Number, s.Marker}
	r.c.mu.Lock()
	own := r.c.comments[place]
	r.c.mu.Unlock()

	out := Comment{ID: own}
	if own == 0 {
		old, duplicates, err := r.findComment(ctx, t, s)
		if err != nil {
			return Comment{}, err
		}
		out = Comment{ID: old.GetID(), URL: old.GetHTMLURL(), Author: old.GetUser().GetLogin(), Duplicates: duplicates}
		if len(duplicates) > 0 {
			r.c.notice(fmt.Sprintf("Pull request #%d has %d more comments of ours beside the one that is kept up to date (%s): %v. They can be deleted.",
				s.Number, len(duplicates), out.URL, duplicates))
		}
		if old.GetBody() == s.Body { // nothing new; the marker is never empty
			r.remember(place, out.ID)
			return out, nil
		}
	}
	written, err := r.updateOrCreate(ctx, t, s, out.ID)
	if err != nil {
		return Comment{}, err
	}
	out.Created = written.GetID() != out.ID
	out.ID, out.URL, out.Author = written.GetID(), written.GetHTMLURL(), written.GetUser().GetLogin()
	r.c.learn(userIdentity(written.GetUser()))
	r.remember(place, out.ID)
	return out, nil
}

func (r *Repository) remember(place commentPlace, id int64) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.c.comments[place] = id
}

// checkSticky refuses what could not be found again or would not be taken.
func (r *Repository) checkSticky(t task, s Sticky) error {
	var why string
	switch n := utf8.RuneCountInString(s.Body); {
	case s.Number <= 0:
		why = "pull requests are numbered from 1"
	case s.Marker == "" || !strings.HasPrefix(s.Body, s.Marker):
		why = fmt.Sprintf("its text must begin with its marker %q", s.Marker)
	case n > CommentLimit:
		why = fmt.Sprintf("its text has %d characters, and GitHub takes %d", n, CommentLimit)
	default:
		return r.mayWrite(t)
	}
	return r.failed(t, &Error{Kind: ErrRefused, Message: why})
}

// updateOrCreate writes over a comment, or a new one if there is none, also since a moment ago.
func (r *Repository) updateOrCreate(ctx context.Context, t task, s Sticky, id int64) (*gh.IssueComment, error) {
	body := &gh.IssueComment{Body: &s.Body}
	if id != 0 {
		written, _, err := r.c.api.Issues.EditComment(mayRepeat(ctx), r.owner, r.name, id, body)
		if err == nil && written.GetID() != id {
			err = strange(t)
		}
		err = r.failed(t, err)
		if err == nil || !errors.Is(err, ErrNotFound) {
			return written, err
		}
	}
	began := time.Now().Add(-10 * time.Minute) // clocks differ
	return once(ctx, r.c.pause, func() (*gh.IssueComment, error) {
		written, _, err := r.c.api.Issues.CreateComment(ctx, r.owner, r.name, s.Number, body)
		if err == nil && written.GetID() == 0 {
			err = strange(t)
		}
		return written, r.failed(t, err)
	}, func() (*gh.IssueComment, bool, error) {
		opts := &gh.IssueListCommentsOptions{Since: &began, ListOptions: gh.ListOptions{PerPage: 100}}
		recent, _, err := r.c.api.Issues.ListComments(ctx, r.owner, r.name, s.Number, opts)
		for _, c := range recent {
			if c.GetBody() == s.Body {
				return c, true, nil
			}
		}
		return nil, false, err
	})
}

// findComment finds our comment, or nil: the one that is remembered if it is what it should be, else the first of all.
func (r *Repository) findComment(ctx context.Context, t task, s Sticky) (*gh.IssueComment, []int64, error) {
	ours, err := r.authors(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	if s.ID != 0 {
		c, _, err := r.c.api.Issues.GetComment(ctx, r.owner, r.name, s.ID)
		if err = r.failed(t, err); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, nil, err
		}
		// Its number may have been made up: it could be anybody's, and of any issue.
		if err == nil && ours(c) && strings.HasPrefix(c.GetBody(), s.Marker) && strings.HasSuffix(c.GetIssueURL(), fmt.Sprintf("/issues/%d", s.Number)) {
			return c, nil, nil
		}
	}
	var found []*gh.IssueComment
	err = pages(func(page int) (int, error) {
		opts := &gh.IssueListCommentsOptions{ListOptions: gh.ListOptions{PerPage: 100, Page: page}}
		list, res, err := r.c.api.Issues.ListComments(ctx, r.owner, r.name, s.Number, opts)
		if err != nil {
			return 0, err
		}
		for _, c := range list {
			if ours(c) && strings.HasPrefix(c.GetBody(), s.Marker) {
				found = append(found, c)
			}
		}
		if len(found) > 0 {
			return 0, nil
		}
		return res.NextPage, nil
	})
	if err != nil || len(found) == 0 {
		return nil, nil, r.failed(t, err)
	}
	return found[0], ids(found[1:]), nil
}

// actionsBot is who GITHUB_TOKEN writes as.
const actionsBot = "github-actions" + botSuffix

// authors says whose comments are ours. Where GitHub does not tell whose token it is, they are those of GITHUB_TOKEN, since
// tokens of other apps are opened as an App, or write a check run first, which tells.
func (r *Repository) authors(ctx context.Context, t task) (func(*gh.IssueComment) bool, error) {
	login := actionsBot
	who, err := r.c.Identity(ctx)
	switch {
	case err == nil:
		login = who.Login
	case !errors.Is(err, ErrUnknownIdentity):
		return nil, r.failed(t, err)
	}
	return func(c *gh.IssueComment) bool { return strings.EqualFold(c.GetUser().GetLogin(), login) }, nil
}

func ids(comments []*gh.IssueComment) []int64 {
	var out []int64
	for _, c := range comments {
		out = append(out, c.GetID())
	}
	return out
}
