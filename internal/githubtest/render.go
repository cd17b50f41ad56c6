package githubtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func node(kind string, id int64) string { return fmt.Sprintf("%s_kwDO%08d", kind, id) }

// link is an address of the API.
func (w *World) link(format string, args ...any) string {
	return w.url + "/api/v3" + fmt.Sprintf(format, args...)
}

func (w *World) renderAccount(a *account) object {
	if a == nil {
		return nil
	}
	api := w.link("/users/%s", a.login)
	return object{
		"login": a.login, "id": a.id, "node_id": node("U", a.id), "type": a.kind, "site_admin": false, "gravatar_id": "",
		"url": api, "html_url": w.url + "/" + a.login, "avatar_url": w.url + "/avatars/" + a.login,
		"followers_url": api + "/followers", "following_url": api + "/following{/other_user}",
		"gists_url": api + "/gists{/gist_id}", "starred_url": api + "/starred{/owner}{/repo}",
		"subscriptions_url": api + "/subscriptions", "organizations_url": api + "/orgs", "repos_url": api + "/repos",
		"events_url": api + "/events{/privacy}", "received_events_url": api + "/received_events",
	}
}

func (w *World) renderRepo(r *repository) object {
	if r == nil {
		return nil
	}
	out := w.renderRepoShort(r)
	out["parent"], out["source"] = w.renderParent(r), w.renderParent(r)
	return out
}

func (w *World) renderParent(r *repository) any {
	if r.parent == nil {
		return nil
	}
	return w.renderRepoShort(r.parent)
}

// renderRepoShort leaves out where a fork is from.
func (w *World) renderRepoShort(r *repository) object {
	visibility := "public"
	if r.private {
		visibility = "private"
	}
	web := w.url + "/" + r.fullName()
	return object{
		"id": r.id, "node_id": node("R", r.id), "name": r.name, "full_name": r.fullName(), "owner": w.renderAccount(r.owner),
		"private": r.private, "visibility": visibility, "fork": r.parent != nil, "default_branch": r.branch,
		"url": w.link("/repos/%s", r.fullName()), "html_url": web, "clone_url": web + ".git",
		"git_url": web + ".git", "ssh_url": "git@localhost:" + r.fullName() + ".git",
		"created_at": stamp(r.created), "updated_at": stamp(r.pushed), "pushed_at": stamp(r.pushed),
		"description": nil, "homepage": nil, "language": nil, "license": nil, "mirror_url": nil, "size": 0,
		"archived": r.archived, "disabled": false, "has_issues": true, "has_projects": true, "has_wiki": true,
		"has_pages": false, "has_downloads": true, "has_discussions": false, "topics": []any{},
		"allow_merge_commit": true, "allow_squash_merge": true, "allow_rebase_merge": true,
		"allow_auto_merge": false, "allow_forking": true, "allow_update_branch": false, "delete_branch_on_merge": false,
		"is_template": false, "web_commit_signoff_required": false,
		"forks": 0, "forks_count": 0, "watchers": 0, "watchers_count": 0, "stargazers_count": 0,
		"open_issues": len(r.pulls), "open_issues_count": len(r.pulls),
		"contents_url":    w.link("/repos/%s/contents/{+path}", r.fullName()),
		"compare_url":     w.link("/repos/%s/compare/{base}...{head}", r.fullName()),
		"pulls_url":       w.link("/repos/%s/pulls{/number}", r.fullName()),
		"deployments_url": w.link("/repos/%s/deployments", r.fullName()),
	}
}

// renderPull is what lists have; renderPullFully what a single one has.
func (w *World) renderPull(p *pull) object {
	web := fmt.Sprintf("%s/%s/pull/%d", w.url, p.repo.fullName(), p.number)
	api := w.link("/repos/%s/pulls/%d", p.repo.fullName(), p.number)
	issue := w.link("/repos/%s/issues/%d", p.repo.fullName(), p.number)
	side := func(r *repository, ref, sha string) object {
		out := object{"label": r.owner.login + ":" + ref, "ref": ref, "sha": sha, "user": w.renderAccount(r.owner), "repo": nil}
		if !r.gone {
			out["repo"] = w.renderRepoShort(r)
		}
		return out
	}
	return object{
		"id": p.id, "node_id": node("PR", p.id), "number": p.number, "state": p.state(), "locked": false, "title": p.title,
		"body": orNull(p.body), "user": w.renderAccount(p.author), "draft": p.draft, "labels": []any{},
		"created_at": stamp(p.created), "updated_at": stamp(p.updated), "closed_at": stamp(p.closed), "merged_at": stamp(p.merged),
		"merge_commit_sha": orNull(p.merge), "assignee": nil, "assignees": []any{}, "requested_reviewers": []any{},
		"requested_teams": []any{}, "milestone": nil, "auto_merge": nil, "active_lock_reason": nil,
		"author_association": "CONTRIBUTOR",
		"head":               side(p.head, p.headRef, p.headSHA), "base": side(p.repo, p.baseRef, p.baseSHA),
		"url": api, "html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch", "issue_url": issue,
		"commits_url": api + "/commits", "review_comments_url": api + "/comments",
		"review_comment_url": w.link("/repos/%s/pulls/comments{/number}", p.repo.fullName()), "comments_url": issue + "/comments",
		"statuses_url": w.link("/repos/%s/statuses/%s", p.repo.fullName(), p.headSHA),
		"_links": object{
			"self": href(api), "html": href(web), "issue": href(issue), "comments": href(issue + "/comments"),
			"review_comments": href(api + "/comments"), "review_comment": href(api + "/comments{/number}"),
			"commits":  href(api + "/commits"),
			"statuses": href(w.link("/repos/%s/statuses/%s", p.repo.fullName(), p.headSHA)),
		},
	}
}

func href(url string) object { return object{"href": url} }

func (w *World) renderPullFully(p *pull) (object, error) {
	own, err := p.commits()
	if err != nil {
		return nil, err
	}
	base := p.repo.git.MergeBase(p.tried, p.headSHA)
	files, err := p.repo.git.Diff(base, p.headSHA)
	if err != nil {
		return nil, err
	}
	added, removed := lines(files)
	out := w.renderPull(p)
	out["merged"], out["merged_by"] = !p.merged.IsZero(), any(nil)
	if p.mergedBy != nil {
		out["merged_by"] = w.renderAccount(p.mergedBy)
	}
	out["mergeable"], out["rebaseable"], out["mergeable_state"] = any(nil), any(nil), "unknown"
	if p.open() {
		out["mergeable"], out["rebaseable"], out["mergeable_state"] = p.merge != "", p.merge != "", "clean"
		switch {
		case p.merge == "":
			out["mergeable_state"] = "dirty"
		case p.repo.held(p):
			out["mergeable_state"] = "blocked"
		}
	}
	out["comments"], out["review_comments"], out["maintainer_can_modify"] = len(p.comments), 0, false
	out["commits"], out["additions"], out["deletions"], out["changed_files"] = len(own), added, removed, len(files)
	return out, nil
}

func lines(files []bare.File) (added, removed int) {
	for _, f := range files {
		added += f.Additions
		removed += f.Deletions
	}
	return added, removed
}

func (w *World) renderComment(r *repository, p *pull, c *comment) object {
	out := object{
		"id": c.id, "node_id": node("IC", c.id), "body": c.body, "user": w.renderAccount(c.author),
		"created_at": stamp(c.created), "updated_at": stamp(c.updated), "author_association": "CONTRIBUTOR",
		"url":       w.link("/repos/%s/issues/comments/%d", r.fullName(), c.id),
		"issue_url": w.link("/repos/%s/issues/%d", r.fullName(), p.number),
		"html_url":  fmt.Sprintf("%s/%s/pull/%d#issuecomment-%d", w.url, r.fullName(), p.number, c.id),
	}
	if c.app != nil {
		out["performed_via_github_app"] = w.renderApp(c.app)
	}
	return out
}

func (w *World) renderApp(a *app) object {
	return object{
		"id": a.id, "slug": a.slug, "node_id": node("A", a.id), "name": a.name, "client_id": fmt.Sprintf("Iv23li%014d", a.id),
		"owner": w.renderAccount(a.owner), "description": "", "external_url": w.url + "/apps/" + a.slug,
		"html_url": w.url + "/apps/" + a.slug, "created_at": stamp(a.created), "updated_at": stamp(a.created),
		"permissions": object{"checks": "write", "contents": "read", "metadata": "read", "pull_requests": "write"}, "events": []any{},
	}
}

// renderCommit is a commit as the repositories API has it.
func (w *World) renderCommit(r *repository, sha string) (object, error) {
	c, err := r.git.Commit(sha)
	if err != nil {
		return nil, err
	}
	api := w.link("/repos/%s/commits/%s", r.fullName(), sha)
	parents := []any{}
	for _, p := range c.Parents {
		parents = append(parents, object{
			"sha": p, "url": w.link("/repos/%s/commits/%s", r.fullName(), p), "html_url": w.url + "/" + r.fullName() + "/commit/" + p,
		})
	}
	return object{
		"sha": sha, "node_id": "C_" + sha, "url": api, "html_url": w.url + "/" + r.fullName() + "/commit/" + sha,
		"comments_url": api + "/comments", "parents": parents,
		"author": w.whoIs(c.Author), "committer": w.whoIs(c.Committer),
		"commit": object{
			"url": w.link("/repos/%s/git/commits/%s", r.fullName(), sha), "message": c.Message, "comment_count": 0,
			"author": person(c.Author), "committer": person(c.Committer),
			"tree":         object{"sha": c.Tree, "url": w.link("/repos/%s/git/trees/%s", r.fullName(), c.Tree)},
			"verification": unsigned(),
		},
	}, nil
}

// whoIs finds the account of a signature by its address; none is null, as for people whom GitHub does not know.
func (w *World) whoIs(s bare.Signature) any {
	if s.Email == "noreply@github.com" {
		return w.renderAccount(w.account("web-flow"))
	}
	_, login, _ := strings.Cut(strings.TrimSuffix(s.Email, "@users.noreply.github.com"), "+")
	if a := w.accounts[strings.ToLower(login)]; a != nil {
		return w.renderAccount(a)
	}
	return nil
}

func person(s bare.Signature) object {
	return object{"name": s.Name, "email": s.Email, "date": stamp(s.When)}
}

func unsigned() object {
	return object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
}

func (w *World) renderFile(r *repository, f bare.File) object {
	out := object{
		"sha": f.SHA, "filename": f.Path, "status": f.Status, "additions": f.Additions, "deletions": f.Deletions,
		"changes":      f.Additions + f.Deletions,
		"blob_url":     w.url + "/" + r.fullName() + "/blob/" + f.SHA + "/" + f.Path,
		"raw_url":      w.url + "/" + r.fullName() + "/raw/" + f.SHA + "/" + f.Path,
		"contents_url": w.link("/repos/%s/contents/%s", r.fullName(), f.Path),
	}
	if f.Patch != "" {
		out["patch"] = f.Patch
	}
	if f.Previous != "" {
		out["previous_filename"] = f.Previous
	}
	return out
}
