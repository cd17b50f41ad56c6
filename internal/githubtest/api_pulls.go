package githubtest

import (
	"net/http"
	"slices"
	"strings"
)

// operations are what the API can do, by GitHub's names.
var operations map[string]func(*call) (answer, error)

func init() {
	operations = map[string]func(*call) (answer, error){}
	for _, group := range []map[string]func(*call) (answer, error){
		metaOperations, appOperations, repoOperations, gitOperations, pullOperations, issueOperations, checkOperations,
		deploymentOperations, actionsOperations, tagOperations, protectionOperations, environmentOperations,
		secretOperations, variableOperations, orgOperations, rulesetOperations, workflowOperations, collaboratorOperations,
	} {
		for id, do := range group {
			operations[id] = do
		}
	}
}

var pullOperations = map[string]func(*call) (answer, error){
	"pulls/get":             (*call).getPull,
	"pulls/list":            (*call).listPulls,
	"pulls/create":          (*call).createPull,
	"pulls/update":          (*call).updatePull,
	"pulls/merge":           (*call).merge,
	"pulls/list-commits":    (*call).pullCommits,
	"pulls/list-files":      (*call).pullFiles,
	"pulls/check-if-merged": (*call).isMerged,

	"repos/list-pull-requests-associated-with-commit": (*call).pullsOfCommit,
}

// pull is the pull request that the path names.
func (c *call) pull() (*pull, error) {
	if p := c.repo.pull(int(c.number("pull_number"))); p != nil {
		return p, nil
	}
	return nil, notFound()
}

func (c *call) getPull() (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	full, err := c.w.renderPullFully(p)
	return answer{status: http.StatusOK, value: full}, err
}

func (c *call) listPulls() (answer, error) {
	state, head, base := c.query("state"), c.query("head"), c.query("base")
	if state == "" {
		state = "open"
	}
	var found []*pull
	for _, p := range slices.Backward(c.repo.pulls) { // newest first
		label := p.head.owner.login + ":" + p.headRef
		if state != "all" && p.state() != state || base != "" && p.baseRef != base || head != "" && !strings.EqualFold(label, head) {
			continue
		}
		found = append(found, p)
	}
	if c.query("direction") == "asc" {
		slices.Reverse(found)
	}
	return answer{status: http.StatusOK, value: each(page(c, found), c.w.renderPull)}, nil
}

func (c *call) createPull() (answer, error) {
	var in struct {
		Title, Head, Base, Body string
		Draft                   bool
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	p, err := c.w.newPull(c.repo, pull{title: in.Title, body: in.Body, baseRef: in.Base, draft: in.Draft, author: c.who.who}, in.Head)
	if err != nil {
		return answer{}, err
	}
	full, err := c.w.renderPullFully(p)
	return answer{status: http.StatusCreated, value: full}, err
}

func (c *call) updatePull() (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	var in struct{ Title, Body, State, Base *string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if in.Title != nil {
		p.title = *in.Title
	}
	if in.Body != nil {
		p.body = *in.Body
	}
	if in.Base != nil && *in.Base != p.baseRef {
		if c.repo.git.Ref("refs/heads/"+*in.Base) == "" {
			return answer{}, invalid("PullRequest", "base", "invalid", "")
		}
		p.baseRef = *in.Base
		if err := p.refresh(); err != nil {
			return answer{}, err
		}
	}
	if in.State != nil && p.merged.IsZero() {
		if err := p.setOpen(*in.State == "open"); err != nil {
			return answer{}, err
		}
	}
	p.updated = now()
	full, err := c.w.renderPullFully(p)
	return answer{status: http.StatusOK, value: full}, err
}

func (p *pull) setOpen(open bool) error {
	if open == p.open() {
		return nil
	}
	p.updated = now()
	if !open {
		p.closed = now()
		return nil
	}
	p.closed = p.merged // zero: it is not merged
	return p.refresh()
}

func (c *call) merge() (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	var in struct {
		CommitTitle   string `json:"commit_title"`
		CommitMessage string `json:"commit_message"`
		SHA           string
		MergeMethod   string `json:"merge_method"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	sha, err := c.w.mergePull(p, merging{in.MergeMethod, in.CommitTitle, in.CommitMessage, in.SHA, c.who.who}, c.mayMerge)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: object{"sha": sha, "merged": true, "message": "Pull Request successfully merged"}}, nil
}

func (c *call) isMerged() (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	if p.merged.IsZero() {
		return answer{}, notFound()
	}
	return answer{status: http.StatusNoContent}, nil
}

func (c *call) pullCommits() (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	own, err := p.commits()
	if err != nil {
		return answer{}, err
	}
	return c.commits(own)
}

// commits answers a page of commits.
func (c *call) commits(shas []string) (answer, error) {
	out := []any{}
	for _, sha := range page(c, shas) {
		one, err := c.w.renderCommit(c.repo, sha)
		if err != nil {
			return answer{}, err
		}
		out = append(out, one)
	}
	return answer{status: http.StatusOK, value: out}, nil
}

func (c *call) pullFiles() (answer, error) {
	p, err := c.pull()
	if err != nil {
		return answer{}, err
	}
	files, err := c.repo.git.Diff(c.repo.git.MergeBase(p.tried, p.headSHA), p.headSHA)
	if err != nil {
		return answer{}, err
	}
	out := []any{}
	for _, f := range page(c, files) {
		out = append(out, c.w.renderFile(c.repo, f))
	}
	return answer{status: http.StatusOK, value: out}, nil
}

func (c *call) pullsOfCommit() (answer, error) {
	sha := c.repo.git.Resolve(c.at.Params["commit_sha"])
	if sha == "" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "No commit found for SHA: " + c.at.Params["commit_sha"]}
	}
	found, err := c.repo.pullsOf(sha)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: each(page(c, found), c.w.renderPull)}, nil
}
