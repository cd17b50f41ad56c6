package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A run of a workflow, with one job. The job is a check run of its commit too, and has its id.
type run struct {
	check             *checkRun
	id, job, workflow int64
	number            int
	file, event       string
	branch, sha       string
	pull              *pull
	actor             *account
	created           time.Time
}

// An artifact of a run.
type artifact struct {
	id      int64
	run     *run
	repo    *repository
	name    string
	zip     []byte
	digest  string // "sha256:..."
	created time.Time
	expired bool
}

var actionsOperations = map[string]func(*call) (answer, error){
	"actions/get-workflow-run":            (*call).getRun,
	"actions/list-jobs-for-workflow-run":  (*call).listJobs,
	"actions/get-job-for-workflow-run":    (*call).getJob,
	"actions/list-workflow-run-artifacts": (*call).listArtifacts,
	"actions/list-artifacts-for-repo":     (*call).listArtifacts,
	"actions/get-artifact":                (*call).getArtifact,
	"actions/download-artifact":           (*call).downloadArtifact,
	"actions/delete-artifact":             (*call).deleteArtifact,
}

func (r *repository) run(id int64) *run {
	for _, x := range r.runs {
		if x.id == id {
			return x
		}
	}
	return nil
}

func (c *call) getRun() (answer, error) {
	x := c.repo.run(c.number("run_id"))
	if x == nil {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, value: c.w.renderRun(c.repo, x)}, nil
}

func (c *call) listJobs() (answer, error) {
	x := c.repo.run(c.number("run_id"))
	if x == nil {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, value: object{"total_count": 1, "jobs": []any{c.w.renderJob(c.repo, x)}}}, nil
}

func (c *call) getJob() (answer, error) {
	for _, x := range c.repo.runs {
		if x.job == c.number("job_id") {
			return answer{status: http.StatusOK, value: c.w.renderJob(c.repo, x)}, nil
		}
	}
	return answer{}, notFound()
}

// listArtifacts are those of a run, or of the repository; newest first, as GitHub has them.
func (c *call) listArtifacts() (answer, error) {
	of := c.number("run_id")
	if of != 0 && c.repo.run(of) == nil {
		return answer{}, notFound()
	}
	var found []*artifact
	for _, a := range slices.Backward(c.repo.artifacts) {
		if name := c.query("name"); (of == 0 || a.run.id == of) && (name == "" || name == a.name) {
			found = append(found, a)
		}
	}
	return answer{status: http.StatusOK, value: object{"total_count": len(found), "artifacts": each(page(c, found), c.w.renderArtifact)}}, nil
}

// artifact is the one that the path names.
func (c *call) artifact() (*artifact, error) {
	for _, a := range c.repo.artifacts {
		if a.id == c.number("artifact_id") {
			return a, nil
		}
	}
	return nil, notFound()
}

func (c *call) getArtifact() (answer, error) {
	a, err := c.artifact()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderArtifact(a)}, nil
}

// downloadArtifact sends the client to a signed address elsewhere, which takes no token.
func (c *call) downloadArtifact() (answer, error) {
	a, err := c.artifact()
	if err != nil {
		return answer{}, err
	}
	if a.expired {
		return answer{}, &problem{status: http.StatusGone, message: "Artifact has expired"}
	}
	if c.at.Params["archive_format"] != "zip" {
		return answer{}, notFound()
	}
	key := secret()
	c.w.downloads[key] = a
	c.header.Set("Location", c.w.url+"/_blob/"+key)
	return answer{status: http.StatusFound}, nil
}

func (c *call) deleteArtifact() (answer, error) {
	a, err := c.artifact()
	if err != nil {
		return answer{}, err
	}
	c.repo.artifacts = slices.DeleteFunc(c.repo.artifacts, func(x *artifact) bool { return x == a })
	return answer{status: http.StatusNoContent}, nil
}

func (w *World) renderArtifact(a *artifact) object {
	api := w.link("/repos/%s/actions/artifacts/%d", a.repo.fullName(), a.id)
	return object{
		"id": a.id, "node_id": node("A", a.id), "name": a.name, "size_in_bytes": len(a.zip), "url": api,
		"archive_download_url": api + "/zip", "expired": a.expired, "digest": a.digest, "created_at": stamp(a.created),
		"updated_at": stamp(a.created), "expires_at": stamp(a.created.Add(90 * 24 * time.Hour)),
		"workflow_run": object{
			"id": a.run.id, "repository_id": a.repo.id, "head_repository_id": w.headOf(a.repo, a.run).id,
			"head_branch": a.run.branch, "head_sha": a.run.sha,
		},
	}
}

// headOf is the repository that a run's code is from: a fork, for its pull request.
func (w *World) headOf(r *repository, x *run) *repository {
	if x.pull != nil {
		return x.pull.head
	}
	return r
}

// moved is when the run last changed: when it ended.
func (x *run) moved() time.Time {
	if x.check.completed.IsZero() {
		return x.created
	}
	return x.check.completed
}

func (w *World) renderRun(r *repository, x *run) object {
	api := w.link("/repos/%s/actions/runs/%d", r.fullName(), x.id)
	workflow := w.link("/repos/%s/actions/workflows/%d", r.fullName(), x.workflow)
	pulls := []any{}
	if x.pull != nil && x.pull.head == r { // GitHub leaves this empty for forks
		side := func(ref, sha string) object {
			return object{"ref": ref, "sha": sha, "repo": object{"id": r.id, "name": r.name, "url": w.link("/repos/%s", r.fullName())}}
		}
		pulls = append(pulls, object{
			"id": x.pull.id, "number": x.pull.number, "url": w.link("/repos/%s/pulls/%d", r.fullName(), x.pull.number),
			"head": side(x.pull.headRef, x.pull.headSHA), "base": side(x.pull.baseRef, x.pull.baseSHA),
		})
	}
	return object{
		"id": x.id, "node_id": node("WFR", x.id), "name": x.file, "path": x.file, "display_title": x.file, "event": x.event,
		"head_branch": x.branch, "head_sha": x.sha, "run_number": x.number, "run_attempt": 1, "status": x.check.status,
		"conclusion": orNull(x.check.conclusion), "workflow_id": x.workflow, "check_suite_id": x.id, "pull_requests": pulls,
		"created_at": stamp(x.created), "updated_at": stamp(x.moved()), "run_started_at": stamp(x.check.started),
		"actor": w.renderAccount(x.actor), "triggering_actor": w.renderAccount(x.actor),
		"repository": w.renderRepoShort(r), "head_repository": w.renderRepoShort(w.headOf(r, x)), "head_commit": nil,
		"url": api, "html_url": fmt.Sprintf("%s/%s/actions/runs/%d", w.url, r.fullName(), x.id),
		"jobs_url": api + "/jobs", "logs_url": api + "/logs", "check_suite_url": api + "/check-suite",
		"artifacts_url": api + "/artifacts", "cancel_url": api + "/cancel", "rerun_url": api + "/rerun",
		"previous_attempt_url": nil, "workflow_url": workflow,
	}
}

func (w *World) renderJob(r *repository, x *run) object {
	return object{
		"id": x.job, "node_id": node("CR", x.job), "run_id": x.id, "run_attempt": 1, "name": x.check.name, "head_sha": x.sha,
		"head_branch": x.branch, "workflow_name": x.file, "status": x.check.status, "conclusion": orNull(x.check.conclusion), "labels": []any{"ubuntu-latest"},
		"created_at": stamp(x.created), "started_at": stamp(x.created), "completed_at": stamp(x.check.completed), "steps": []any{},
		"url": w.link("/repos/%s/actions/jobs/%d", r.fullName(), x.job), "run_url": w.link("/repos/%s/actions/runs/%d", r.fullName(), x.id),
		"html_url":      fmt.Sprintf("%s/%s/actions/runs/%d/job/%d", w.url, r.fullName(), x.id, x.job),
		"check_run_url": w.link("/repos/%s/check-runs/%d", r.fullName(), x.job),
		"runner_id":     1, "runner_name": "act", "runner_group_id": 1, "runner_group_name": "Default",
	}
}
