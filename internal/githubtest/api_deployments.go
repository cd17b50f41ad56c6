package githubtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

// A deployment of a commit to an environment.
type deployment struct {
	id                    int64
	sha, ref, task        string
	environment, words    string
	payload               any
	transient, production bool
	creator               *account
	app                   *app
	created, updated      time.Time
	statuses              []*deploymentStatus
}

type deploymentStatus struct {
	id                        int64
	state, words, environment string
	logURL, targetURL, envURL string
	creator                   *account
	created                   time.Time
}

var deploymentOperations = map[string]func(*call) (answer, error){
	"repos/create-deployment":        (*call).createDeployment,
	"repos/get-deployment":           (*call).getDeployment,
	"repos/list-deployments":         (*call).listDeployments,
	"repos/create-deployment-status": (*call).createDeploymentStatus,
	"repos/get-deployment-status":    (*call).getDeploymentStatus,
	"repos/list-deployment-statuses": (*call).listDeploymentStatuses,
}

func (c *call) createDeployment() (answer, error) {
	in := struct {
		Ref, Task, Environment string
		Description            string
		AutoMerge              *bool     `json:"auto_merge"`
		RequiredContexts       *[]string `json:"required_contexts"`
		Payload                json.RawMessage
		Transient              bool  `json:"transient_environment"`
		Production             *bool `json:"production_environment"`
	}{Task: "deploy", Environment: "production"}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	sha := c.repo.git.Resolve(in.Ref)
	if sha == "" {
		return answer{}, &problem{status: http.StatusUnprocessableEntity, message: "No ref found for: " + in.Ref}
	}
	if in.AutoMerge == nil || *in.AutoMerge {
		if merged, err := c.autoMerge(in.Ref); merged || err != nil {
			return answer{status: http.StatusAccepted, value: object{"message": fmt.Sprintf("Auto-merged %s into %s on deployment.", c.repo.branch, in.Ref)}}, err
		}
	}
	if err := c.contexts(sha, in.RequiredContexts); err != nil {
		return answer{}, err
	}
	d := &deployment{
		id: c.w.id(), sha: sha, ref: in.Ref, task: in.Task, environment: in.Environment, words: in.Description,
		transient: in.Transient, production: in.Environment == "production", creator: c.who.who, app: c.who.app,
		payload: object{}, created: now(), updated: now(),
	}
	put(&d.production, in.Production)
	if len(in.Payload) > 0 {
		_ = json.Unmarshal(in.Payload, &d.payload)
	}
	c.repo.deployments = append(c.repo.deployments, d)
	c.w.newEnvironment(c.repo, in.Environment) // GitHub makes one that is not there
	return answer{status: http.StatusCreated, value: c.w.renderDeployment(c.repo, d)}, nil
}

// autoMerge merges the default branch into a branch that is behind it, which is GitHub's default.
func (c *call) autoMerge(ref string) (bool, error) {
	git := c.repo.git
	branch := strings.TrimPrefix(ref, "refs/heads/")
	tip, base := git.Ref("refs/heads/"+branch), git.Ref("refs/heads/"+c.repo.branch)
	if tip == "" || branch == c.repo.branch || git.IsAncestor(base, tip) {
		return false, nil
	}
	tree, err := git.Merge(tip, base)
	if errors.Is(err, bare.ErrConflict) {
		return false, &problem{status: http.StatusConflict, message: fmt.Sprintf("Conflict merging %s into %s", c.repo.branch, branch)}
	}
	if err != nil {
		return false, err
	}
	sha, err := git.Write(bare.Commit{
		Tree: tree, Parents: []string{tip, base}, Author: signature(c.who.who), Committer: hubSignature(),
		Message: fmt.Sprintf("Merge branch '%s' into %s", c.repo.branch, branch),
	})
	if err != nil {
		return false, err
	}
	if err := git.SetRef("refs/heads/"+branch, sha); err != nil {
		return false, err
	}
	return true, c.w.pushed(c.repo, c.who.who)
}

// contexts refuses a commit whose checks have not all passed, unless the caller says which of them count.
func (c *call) contexts(sha string, required *[]string) error {
	for _, k := range c.repo.checks {
		if k.sha != sha || required != nil && !slices.Contains(*required, k.name) {
			continue
		}
		if !slices.Contains([]string{"success", "neutral", "skipped"}, k.conclusion) {
			return &problem{status: http.StatusConflict, message: "Conflict: Commit status checks failed for " + sha + "."}
		}
	}
	if required == nil {
		return nil
	}
	for _, name := range *required {
		if !slices.ContainsFunc(c.repo.checks, func(k *checkRun) bool { return k.sha == sha && k.name == name }) {
			return &problem{status: http.StatusConflict, message: "Conflict: Commit status checks failed for " + sha + "."}
		}
	}
	return nil
}

// deployment is the one that the path names.
func (c *call) deployment() (*deployment, error) {
	id := c.number("deployment_id")
	for _, d := range c.repo.deployments {
		if d.id == id {
			return d, nil
		}
	}
	return nil, notFound()
}

func (c *call) getDeployment() (answer, error) {
	d, err := c.deployment()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderDeployment(c.repo, d)}, nil
}

func (c *call) listDeployments() (answer, error) {
	var found []*deployment
	fits := func(name, value string) bool { q := c.query(name); return q == "" || q == "none" || q == value }
	for _, d := range slices.Backward(c.repo.deployments) {
		if fits("sha", d.sha) && fits("ref", d.ref) && fits("task", d.task) && fits("environment", d.environment) {
			found = append(found, d)
		}
	}
	render := func(d *deployment) object { return c.w.renderDeployment(c.repo, d) }
	return answer{status: http.StatusOK, value: each(page(c, found), render)}, nil
}

func (c *call) createDeploymentStatus() (answer, error) {
	d, err := c.deployment()
	if err != nil {
		return answer{}, err
	}
	var in struct {
		State, Description, Environment string
		LogURL                          string `json:"log_url"`
		TargetURL                       string `json:"target_url"`
		EnvironmentURL                  string `json:"environment_url"`
		AutoInactive                    *bool  `json:"auto_inactive"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if len(in.Description) > 140 {
		return answer{}, invalid("DeploymentStatus", "description", "custom", "description is too long (maximum is 140 characters)")
	}
	if in.Environment != "" {
		d.environment = in.Environment
	}
	s := c.w.addStatus(d, deploymentStatus{
		state: in.State, words: in.Description, logURL: in.LogURL, targetURL: in.TargetURL, envURL: in.EnvironmentURL, creator: c.who.who,
	})
	if in.State == "success" && (in.AutoInactive == nil || *in.AutoInactive) {
		c.inactivate(d)
	}
	return answer{status: http.StatusCreated, value: c.w.renderStatus(c.repo, d, s)}, nil
}

func (w *World) addStatus(d *deployment, s deploymentStatus) *deploymentStatus {
	s.id, s.environment, s.created = w.id(), d.environment, now()
	d.statuses = append(d.statuses, &s)
	d.updated = now()
	return &s
}

// inactivate ends what was deployed to the same environment before, if it was neither transient nor production.
func (c *call) inactivate(d *deployment) {
	for _, other := range c.repo.deployments {
		if other == d || other.environment != d.environment || other.transient || other.production || len(other.statuses) == 0 {
			continue
		}
		if other.statuses[len(other.statuses)-1].state == "success" {
			c.w.addStatus(other, deploymentStatus{state: "inactive", creator: c.who.who})
		}
	}
}

func (c *call) getDeploymentStatus() (answer, error) {
	d, err := c.deployment()
	if err != nil {
		return answer{}, err
	}
	for _, s := range d.statuses {
		if s.id == c.number("status_id") {
			return answer{status: http.StatusOK, value: c.w.renderStatus(c.repo, d, s)}, nil
		}
	}
	return answer{}, notFound()
}

func (c *call) listDeploymentStatuses() (answer, error) {
	d, err := c.deployment()
	if err != nil {
		return answer{}, err
	}
	newest := slices.Clone(d.statuses)
	slices.Reverse(newest)
	render := func(s *deploymentStatus) object { return c.w.renderStatus(c.repo, d, s) }
	return answer{status: http.StatusOK, value: each(page(c, newest), render)}, nil
}

func (w *World) renderDeployment(r *repository, d *deployment) object {
	api := w.link("/repos/%s/deployments/%d", r.fullName(), d.id)
	out := object{
		"id": d.id, "node_id": node("DE", d.id), "sha": d.sha, "ref": d.ref, "task": d.task, "payload": d.payload,
		"environment": d.environment, "original_environment": d.environment, "description": orNull(d.words),
		"creator": w.renderAccount(d.creator), "created_at": stamp(d.created), "updated_at": stamp(d.updated),
		"transient_environment": d.transient, "production_environment": d.production,
		"url": api, "statuses_url": api + "/statuses", "repository_url": w.link("/repos/%s", r.fullName()),
	}
	if d.app != nil {
		out["performed_via_github_app"] = w.renderApp(d.app)
	}
	return out
}

func (w *World) renderStatus(r *repository, d *deployment, s *deploymentStatus) object {
	api := w.link("/repos/%s/deployments/%d", r.fullName(), d.id)
	log := s.logURL
	if log == "" {
		log = s.targetURL
	}
	return object{
		"id": s.id, "node_id": node("DES", s.id), "state": s.state, "description": s.words, "environment": s.environment,
		"creator": w.renderAccount(s.creator), "log_url": log, "target_url": log, "environment_url": s.envURL,
		"created_at": stamp(s.created), "updated_at": stamp(s.created), "url": fmt.Sprintf("%s/statuses/%d", api, s.id),
		"deployment_url": api, "repository_url": w.link("/repos/%s", r.fullName()),
	}
}
