package githubtest

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

var workflowOperations = map[string]func(*call) (answer, error){
	"actions/list-repo-workflows":         (*call).listWorkflows,
	"actions/get-workflow":                (*call).getWorkflow,
	"actions/list-workflow-runs":          (*call).listRuns,
	"actions/list-workflow-runs-for-repo": (*call).listRuns,
}

// A workflow is a file that is on the default branch, or that ran.
type workflow struct {
	id   int64
	path string // ".github/workflows/plan.yml"
	name string // of the file's first line that says one, else the path
}

// workflowID is the id of a workflow's file, which comes into being by being asked for.
func (w *World) workflowID(r *repository, file string) int64 {
	if r.workflowIDs[file] == 0 {
		r.workflowIDs[file] = w.id()
	}
	return r.workflowIDs[file]
}

// workflows are those of the default branch and those that ran, by path.
func (w *World) workflows(r *repository) ([]workflow, error) {
	names := map[string]string{}
	for _, x := range r.runs {
		names[x.file] = x.file
	}
	entries, err := r.git.Tree("refs/heads/"+r.branch, true)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !isWorkflow(e.Path) || path.Ext(e.Path) != ".yml" && path.Ext(e.Path) != ".yaml" {
			continue
		}
		b, err := r.git.Blob(e.SHA)
		if err != nil {
			return nil, err
		}
		names[e.Path] = orDefault(workflowName(string(b)), e.Path)
	}
	var out []workflow
	for file, name := range names {
		out = append(out, workflow{w.workflowID(r, file), file, name})
	}
	slices.SortFunc(out, func(a, b workflow) int { return strings.Compare(a.path, b.path) })
	return out, nil
}

func workflowName(text string) string {
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "name:"); ok {
			return strings.Trim(strings.TrimSpace(name), `"'`)
		}
	}
	return ""
}

// workflow is the one that the path names, by id or by the name of its file.
func (c *call) workflow() (workflow, error) {
	all, err := c.w.workflows(c.repo)
	if err != nil {
		return workflow{}, err
	}
	which := c.at.Params["workflow_id"]
	for _, f := range all {
		if strconv.FormatInt(f.id, 10) == which || path.Base(f.path) == which {
			return f, nil
		}
	}
	return workflow{}, notFound()
}

func (c *call) renderWorkflow(f workflow) object {
	return object{
		"id": f.id, "node_id": node("W", f.id), "name": f.name, "path": f.path, "state": "active",
		"created_at": stamp(c.repo.created), "updated_at": stamp(c.repo.created),
		"url":       c.w.link("/repos/%s/actions/workflows/%d", c.repo.fullName(), f.id),
		"html_url":  fmt.Sprintf("%s/%s/blob/%s/%s", c.w.url, c.repo.fullName(), c.repo.branch, f.path),
		"badge_url": fmt.Sprintf("%s/%s/workflows/%d/badge.svg", c.w.url, c.repo.fullName(), f.id),
	}
}

func (c *call) listWorkflows() (answer, error) {
	all, err := c.w.workflows(c.repo)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: object{"total_count": len(all), "workflows": each(page(c, all), c.renderWorkflow)}}, nil
}

func (c *call) getWorkflow() (answer, error) {
	f, err := c.workflow()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.renderWorkflow(f)}, nil
}

// listRuns are those of a workflow, or of the repository; newest first.
func (c *call) listRuns() (answer, error) {
	var file string
	if c.at.Params["workflow_id"] != "" {
		f, err := c.workflow()
		if err != nil {
			return answer{}, err
		}
		file = f.path
	}
	if c.query("created") != "" || c.query("check_suite_id") != "" {
		return answer{}, &problem{status: http.StatusNotImplemented, message: "runs by created or check_suite_id are not built into the GitHub of this test"}
	}
	is := func(parameter, have string) bool { want := c.query(parameter); return want == "" || want == have }
	var found []*run
	for _, x := range c.repo.runs {
		status := is("status", x.check.status) || is("status", x.check.conclusion)
		if (file == "" || x.file == file) && status && is("branch", x.branch) && is("event", x.event) && is("actor", x.actor.login) && is("head_sha", x.sha) {
			found = append(found, x)
		}
	}
	slices.SortStableFunc(found, func(a, b *run) int {
		if n := b.created.Compare(a.created); n != 0 {
			return n
		}
		return b.number - a.number
	})
	render := func(x *run) object {
		out := c.w.renderRun(c.repo, x)
		if c.query("exclude_pull_requests") == "true" {
			out["pull_requests"] = []any{}
		}
		return out
	}
	return answer{status: http.StatusOK, value: object{"total_count": len(found), "workflow_runs": each(page(c, found), render)}}, nil
}

// timing says when a run was, and how it ended.
type timing struct {
	Created    time.Time
	Duration   time.Duration
	Status     string
	Conclusion string
}

// at gives a run its times: with a conclusion it is over.
func (x *run) at(t timing) error {
	if !t.Created.IsZero() {
		x.created = t.Created.UTC().Truncate(time.Second)
	}
	x.check.started = x.created
	switch {
	case t.Conclusion != "":
		if t.Created.IsZero() {
			x.created = x.created.Add(-t.Duration)
			x.check.started = x.created
		}
		x.check.status, x.check.conclusion, x.check.completed = "completed", t.Conclusion, x.created.Add(t.Duration)
	case t.Status != "":
		if !slices.Contains([]string{"queued", "in_progress", "waiting"}, t.Status) {
			return fmt.Errorf("status %q of a run: want queued, in_progress or waiting, or a conclusion", t.Status)
		}
		x.check.status = t.Status
	}
	return nil
}
