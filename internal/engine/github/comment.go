package github

import (
	"context"
	"fmt"

	gh "github.com/google/go-github/v60/github"
)

// CommentLimit is how many characters a comment holds.
const CommentLimit = 65_536

// A Sticky is a comment of which a pull request has one: it is found again by its marker and its author, and updated in
// place.
type Sticky struct {
	Number int    // of the pull request
	ID     int64  // of the comment, if it is remembered (in a check run): saves looking through all; 0: not
	Marker string // the body begins with it: "<!-- tidegate:infra -->"
	Body   string // at most CommentLimit characters
}

// A Comment that was written.
type Comment struct {
	ID      int64
	URL     string
	Author  string
	Created bool
	// Duplicates are other comments with the marker by the same author, which are left alone.
	Duplicates []int64
}

// WriteComment writes a sticky comment: over our own that there is, or anew. What others wrote is left alone, whatever
// it begins with. Two requests; one where this Client wrote it before.
func (r *Repository) WriteComment(ctx context.Context, s Sticky) (Comment, error) {
	t := task{doing: fmt.Sprintf("comment on pull request #%d", s.Number), needs: "pull-requests: write", write: true}
	made, _, err := r.c.api.Issues.CreateComment(ctx, r.owner, r.name, s.Number, &gh.IssueComment{Body: &s.Body})
	if err != nil {
		return Comment{}, r.failed(t, err)
	}
	return Comment{ID: made.GetID(), URL: made.GetHTMLURL(), Author: made.GetUser().GetLogin(), Created: true}, nil
}
