package githubtest

import (
	"net/http"
	"time"
)

var issueOperations = map[string]func(*call) (answer, error){
	"issues/get":            (*call).getIssue,
	"issues/list-comments":  (*call).listComments,
	"issues/get-comment":    (*call).getComment,
	"issues/create-comment": (*call).createComment,
	"issues/update-comment": (*call).updateComment,
	"issues/delete-comment": (*call).deleteComment,
}

// issue is the pull request that the path names as an issue: there are no other issues here.
func (c *call) issue() (*pull, error) {
	if p := c.repo.pull(int(c.number("issue_number"))); p != nil {
		return p, nil
	}
	return nil, notFound()
}

func (c *call) getIssue() (answer, error) {
	p, err := c.issue()
	if err != nil {
		return answer{}, err
	}
	full := c.w.renderPull(p)
	api := c.w.link("/repos/%s/issues/%d", c.repo.fullName(), p.number)
	return answer{status: http.StatusOK, value: object{
		"id": p.id, "node_id": full["node_id"], "number": p.number, "state": p.state(), "locked": false, "title": p.title,
		"body": p.body, "user": full["user"], "labels": []any{}, "assignee": nil, "assignees": []any{}, "milestone": nil,
		"comments": len(p.comments), "created_at": full["created_at"], "updated_at": full["updated_at"],
		"closed_at": full["closed_at"], "author_association": "CONTRIBUTOR", "url": api, "html_url": full["html_url"],
		"comments_url": api + "/comments", "labels_url": api + "/labels{/name}", "events_url": api + "/events",
		"repository_url": c.w.link("/repos/%s", c.repo.fullName()),
		"pull_request": object{
			"url": full["url"], "html_url": full["html_url"], "diff_url": full["diff_url"], "patch_url": full["patch_url"],
			"merged_at": full["merged_at"],
		},
	}}, nil
}

func (c *call) listComments() (answer, error) {
	p, err := c.issue()
	if err != nil {
		return answer{}, err
	}
	since, _ := time.Parse(time.RFC3339, c.query("since"))
	var found []*comment
	for _, x := range p.comments {
		if !x.updated.Before(since) {
			found = append(found, x)
		}
	}
	render := func(x *comment) object { return c.w.renderComment(c.repo, p, x) }
	return answer{status: http.StatusOK, value: each(page(c, found), render)}, nil
}

func (c *call) createComment() (answer, error) {
	p, err := c.issue()
	if err != nil {
		return answer{}, err
	}
	var in struct{ Body string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	x, err := c.w.newComment(p, c.who.who, c.who.app, in.Body)
	if err != nil {
		return answer{}, err
	}
	out := c.w.renderComment(c.repo, p, x)
	c.header.Set("Location", out["url"].(string))
	return answer{status: http.StatusCreated, value: out}, nil
}

// comment is the one that the path names, with its pull request.
func (c *call) comment() (*pull, *comment, error) {
	p, x := c.repo.comment(c.number("comment_id"))
	if x == nil {
		return nil, nil, notFound()
	}
	return p, x, nil
}

func (c *call) getComment() (answer, error) {
	p, x, err := c.comment()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderComment(c.repo, p, x)}, nil
}

func (c *call) updateComment() (answer, error) {
	p, x, err := c.comment()
	if err != nil {
		return answer{}, err
	}
	var in struct{ Body string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := x.edit(in.Body); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderComment(c.repo, p, x)}, nil
}

func (c *call) deleteComment() (answer, error) {
	p, x, err := c.comment()
	if err != nil {
		return answer{}, err
	}
	p.remove(x)
	return answer{status: http.StatusNoContent}, nil
}
