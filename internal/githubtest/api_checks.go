package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// A checkRun belongs to a commit and to the app that wrote it.
type checkRun struct {
	id                  int64
	job                 bool // a job of a workflow, which GitHub makes one of the same app as what the job itself writes
	app                 *app
	sha, name           string
	status, conclusion  string
	externalID, details string
	started, completed  time.Time
	title, summary      string
	text                string
	annotations         []object
}

// checkInput is what is sent to create or change one; nil: not said.
type checkInput struct {
	Name        *string
	HeadSHA     *string `json:"head_sha"`
	DetailsURL  *string `json:"details_url"`
	ExternalID  *string `json:"external_id"`
	Status      *string
	StartedAt   *time.Time `json:"started_at"`
	Conclusion  *string
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct {
		Title, Summary, Text *string
		Annotations          []object
	}
}

var checkOperations = map[string]func(*call) (answer, error){
	"checks/create":           (*call).createCheck,
	"checks/update":           (*call).updateCheck,
	"checks/get":              (*call).getCheck,
	"checks/list-annotations": (*call).listAnnotations,
	"checks/list-for-ref":     (*call).listChecks,
}

func (c *call) createCheck() (answer, error) {
	var in checkInput
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if in.Name == nil || in.HeadSHA == nil {
		return answer{}, invalid("CheckRun", "name", "missing_field", "")
	}
	if len(*in.HeadSHA) != 40 || c.repo.git.Type(*in.HeadSHA) != "commit" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "No commit found for SHA: " + *in.HeadSHA}
	}
	run := &checkRun{id: c.w.id(), app: c.who.app, sha: *in.HeadSHA, status: "queued"}
	if err := run.set(in); err != nil {
		return answer{}, err
	}
	c.repo.checks = append(c.repo.checks, run)
	return answer{status: http.StatusCreated, value: c.w.renderCheck(c.repo, run)}, nil
}

// set takes over what was sent. A conclusion completes; annotations add up.
func (k *checkRun) set(in checkInput) error {
	put(&k.name, in.Name)
	put(&k.details, in.DetailsURL)
	put(&k.externalID, in.ExternalID)
	put(&k.status, in.Status)
	if in.StartedAt != nil {
		k.started = *in.StartedAt
	}
	if k.started.IsZero() && k.status != "queued" {
		k.started = now()
	}
	if in.Conclusion != nil {
		k.conclusion, k.status, k.completed = *in.Conclusion, "completed", now()
	}
	if in.CompletedAt != nil {
		k.completed = *in.CompletedAt
	}
	if k.status == "completed" && k.conclusion == "" {
		return invalid("CheckRun", "conclusion", "missing_field", "")
	}
	if k.status != "completed" {
		k.conclusion, k.completed = "", time.Time{}
	}
	if in.Output == nil {
		return nil
	}
	for _, text := range []*string{in.Output.Summary, in.Output.Text} {
		if text != nil && utf8.RuneCountInString(*text) > 65535 {
			return &problem{status: http.StatusUnprocessableEntity, message: fmt.Sprintf("Invalid request.\n\nOnly 65535 characters are allowed; %d were supplied.", utf8.RuneCountInString(*text))}
		}
	}
	put(&k.title, in.Output.Title)
	put(&k.summary, in.Output.Summary)
	put(&k.text, in.Output.Text)
	k.annotations = append(k.annotations, in.Output.Annotations...)
	return nil
}

func put[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// check is the one that the path names.
func (c *call) check() (*checkRun, error) {
	id := c.number("check_run_id")
	for _, k := range c.repo.checks {
		if k.id == id {
			return k, nil
		}
	}
	return nil, notFound()
}

func (c *call) updateCheck() (answer, error) {
	k, err := c.check()
	if err != nil {
		return answer{}, err
	}
	if k.app != c.who.app {
		return answer{}, &problem{status: http.StatusForbidden, message: fmt.Sprintf("Invalid app_id `%d` - check run can only be modified by the GitHub App that created it.", c.who.app.id)}
	}
	var in checkInput
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := k.set(in); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderCheck(c.repo, k)}, nil
}

func (c *call) getCheck() (answer, error) {
	k, err := c.check()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderCheck(c.repo, k)}, nil
}

func (c *call) listAnnotations() (answer, error) {
	k, err := c.check()
	if err != nil {
		return answer{}, err
	}
	render := func(a object) object {
		out := object{
			"start_column": nil, "end_column": nil, "title": nil, "raw_details": nil,
			"blob_href": fmt.Sprintf("%s/%s/blob/%s/%v", c.w.url, c.repo.fullName(), k.sha, a["path"]),
		}
		for name, x := range a {
			out[name] = x
		}
		return out
	}
	return answer{status: http.StatusOK, value: each(page(c, k.annotations), render)}, nil
}

func (c *call) listChecks() (answer, error) {
	ref := c.at.Params["ref"]
	sha := c.repo.git.Resolve(ref)
	if sha == "" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "No commit found for SHA: " + ref}
	}
	var found []*checkRun
	newest := map[string]bool{}
	for _, k := range slices.Backward(c.repo.checks) {
		if k.sha != sha || !c.asked(k) {
			continue
		}
		key := fmt.Sprintf("%d %s", k.app.id, k.name)
		if c.query("filter") != "all" && newest[key] { // the default is the latest of each name
			continue
		}
		newest[key] = true
		found = append(found, k)
	}
	render := func(k *checkRun) object { return c.w.renderCheck(c.repo, k) }
	return answer{status: http.StatusOK, value: object{"total_count": len(found), "check_runs": each(page(c, found), render)}}, nil
}

func (c *call) asked(k *checkRun) bool {
	name, status, id := c.query("check_name"), c.query("status"), c.query("app_id")
	return (name == "" || name == k.name) && (status == "" || status == k.status) && (id == "" || id == fmt.Sprint(k.app.id))
}

func (w *World) renderCheck(r *repository, k *checkRun) object {
	key := fmt.Sprintf("%d %s", k.app.id, k.sha)
	if r.suites[key] == 0 {
		r.suites[key] = w.id()
	}
	api := w.link("/repos/%s/check-runs/%d", r.fullName(), k.id)
	web := fmt.Sprintf("%s/%s/runs/%d", w.url, r.fullName(), k.id)
	details := k.details
	if details == "" {
		details = web
	}
	return object{
		"id": k.id, "node_id": node("CR", k.id), "head_sha": k.sha, "name": k.name, "external_id": k.externalID,
		"url": api, "html_url": web, "details_url": details, "status": k.status, "conclusion": orNull(k.conclusion),
		"started_at": stamp(k.started), "completed_at": stamp(k.completed), "app": w.renderApp(k.app),
		"check_suite": object{"id": r.suites[key]}, "pull_requests": []any{},
		"output": object{
			"title": orNull(k.title), "summary": orNull(k.summary), "text": orNull(k.text),
			"annotations_count": len(k.annotations), "annotations_url": api + "/annotations",
		},
	}
}
