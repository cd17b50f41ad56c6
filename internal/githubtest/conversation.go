package githubtest

import (
	"slices"
	"time"
	"unicode/utf8"
)

// A comment of a pull request's conversation.
type comment struct {
	id               int64
	author           *account
	app              *app // by which it was written
	body             string
	created, updated time.Time
}

// longest is what GitHub takes as a comment, in characters.
const longest = 65536

func (w *World) newComment(p *pull, author *account, by *app, body string) (*comment, error) {
	if err := checkBody(body); err != nil {
		return nil, err
	}
	c := &comment{id: w.id(), author: author, app: by, body: body, created: now(), updated: now()}
	p.comments = append(p.comments, c)
	p.updated = now()
	return c, nil
}

// edit changes the text; the author stays, whoever edits.
func (c *comment) edit(body string) error {
	if err := checkBody(body); err != nil {
		return err
	}
	c.body = body
	if c.updated = now(); !c.updated.After(c.created) {
		c.updated = c.created.Add(time.Second) // one can see that it was edited
	}
	return nil
}

func checkBody(body string) error {
	if body == "" {
		return invalid("IssueComment", "body", "missing_field", "")
	}
	if utf8.RuneCountInString(body) > longest {
		return invalid("IssueComment", "data", "unprocessable", "Body is too long (maximum is 65536 characters)")
	}
	return nil
}

// comment finds a comment in any conversation of the repository.
func (r *repository) comment(id int64) (*pull, *comment) {
	for _, p := range r.pulls {
		for _, c := range p.comments {
			if c.id == id {
				return p, c
			}
		}
	}
	return nil, nil
}

func (p *pull) remove(c *comment) {
	p.comments = slices.DeleteFunc(p.comments, func(x *comment) bool { return x == c })
}
