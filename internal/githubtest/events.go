package githubtest

import (
	"fmt"
	"strings"
)

// eventIn is what an event is built of; its fields are those of githubhub.Event.
type eventIn struct {
	Repo, Name, Action string
	Number             int
	Branch             string
	Inputs             map[string]string
	Sender, Cron       string
	Before             string
}

// controlPayload builds what a runner has at GITHUB_EVENT_PATH, of the present state.
func (w *World) controlPayload(in eventIn) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	repo, err := w.api.Fill("repos/get", 200, w.renderRepo(r))
	if err != nil {
		return nil, err
	}
	out := object{"repository": repo, "sender": w.renderAccount(w.account(orDefault(in.Sender, "octocat")))}
	branch := orDefault(in.Branch, r.branch)
	switch in.Name {
	case "pull_request", "pull_request_target":
		return out, w.pullPayload(out, r, in)
	case "push":
		return out, w.pushPayload(out, r, branch, in.Before)
	case "workflow_dispatch":
		out["ref"], out["workflow"] = "refs/heads/"+branch, ".github/workflows/ci.yml"
		inputs := object{}
		for k, v := range in.Inputs {
			inputs[k] = v
		}
		out["inputs"] = inputs
		return out, nil
	case "schedule":
		return object{"schedule": orDefault(in.Cron, "0 5 * * *"), "repository": repo}, nil
	}
	return nil, fmt.Errorf("event %q: want pull_request, pull_request_target, push, workflow_dispatch or schedule", in.Name)
}

func (w *World) pullPayload(out object, r *repository, in eventIn) error {
	p := r.pull(in.Number)
	if p == nil {
		return fmt.Errorf("%s has no pull request %d", in.Repo, in.Number)
	}
	full, err := w.renderPullFully(p)
	if err != nil {
		return err
	}
	filled, err := w.api.Fill("pulls/get", 200, full)
	if err != nil {
		return err
	}
	action := in.Action
	if action == "" {
		action = "opened"
		if !p.open() {
			action = "closed"
		}
	}
	out["action"], out["number"], out["pull_request"] = action, p.number, filled
	if action == "synchronize" {
		out["after"] = p.headSHA
		if c, err := r.git.Commit(p.headSHA); err == nil && len(c.Parents) > 0 {
			out["before"] = c.Parents[0]
		}
	}
	return nil
}

func (w *World) pushPayload(out object, r *repository, branch, before string) error {
	sha := r.git.Ref("refs/heads/" + branch)
	if sha == "" {
		return fmt.Errorf("%s has no branch %s", r.fullName(), branch)
	}
	c, err := r.git.Commit(sha)
	if err != nil {
		return err
	}
	if before == "" {
		before = strings.Repeat("0", 40)
		if len(c.Parents) > 0 {
			before = c.Parents[0]
		}
	}
	// In a push alone, GitHub has these of the repository, from before there was an API.
	repo, _ := out["repository"].(object)
	repo["master_branch"], repo["stargazers"] = r.branch, 0
	owner, _ := repo["owner"].(object)
	owner["name"], owner["email"] = r.owner.login, r.owner.email()
	head := object{
		"id": sha, "tree_id": c.Tree, "distinct": true, "message": c.Message, "timestamp": stamp(c.Committer.When),
		"url": w.url + "/" + r.fullName() + "/commit/" + sha, "author": object{"name": c.Author.Name, "email": c.Author.Email},
		"committer": object{"name": c.Committer.Name, "email": c.Committer.Email}, "added": []any{}, "removed": []any{}, "modified": []any{},
	}
	for key, x := range map[string]any{
		"ref": "refs/heads/" + branch, "before": before, "after": sha, "created": strings.Trim(before, "0") == "", "deleted": false,
		"forced": false, "base_ref": nil, "compare": w.url + "/" + r.fullName() + "/compare/" + before[:12] + "..." + sha[:12],
		"commits": []any{head}, "head_commit": head, "pusher": object{"name": "octocat", "email": "octocat@users.noreply.github.com"},
	} {
		out[key] = x
	}
	return nil
}
