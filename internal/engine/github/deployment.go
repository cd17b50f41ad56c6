package github

import (
	"context"
	"fmt"

	gh "github.com/google/go-github/v60/github"
)

// A Deployment of a commit to an environment.
type Deployment struct {
	ID          int64 // read only
	Commit      string
	Environment string
	Description string // cut at 140 characters
	Production  bool
	Transient   bool
	URL         string // of the API; read only
}

// A State of a deployment.
type State string

// The states.
const (
	InProgress State = "in_progress"
	Succeeded  State = "success"
	FailedTo   State = "failure" // it was refused, rolled back, or did not work
	Errored    State = "error"   // it could not be found out
	Inactive   State = "inactive"
)

// A DeploymentStatus says how a deployment goes.
type DeploymentStatus struct {
	State          State
	Description    string // cut at 140 characters
	LogURL         string
	EnvironmentURL string
}

// CreateDeployment writes one, whatever the commit's checks say. One request.
func (r *Repository) CreateDeployment(ctx context.Context, d Deployment) (Deployment, error) {
	t := task{doing: fmt.Sprintf("create a deployment of %s to %q", short(d.Commit), d.Environment), needs: "deployments: write", write: true}
	made, _, err := r.c.api.Repositories.CreateDeployment(ctx, r.owner, r.name, &gh.DeploymentRequest{Ref: &d.Commit, Environment: &d.Environment})
	if err != nil {
		return Deployment{}, r.failed(t, err)
	}
	d.ID, d.URL = made.GetID(), made.GetURL()
	return d, nil
}

// SetDeploymentStatus says how a deployment goes. One request.
func (r *Repository) SetDeploymentStatus(ctx context.Context, id int64, s DeploymentStatus) error {
	t := task{doing: fmt.Sprintf("set deployment %d to %s", id, s.State), needs: "deployments: write", write: true}
	state := string(s.State)
	_, _, err := r.c.api.Repositories.CreateDeploymentStatus(ctx, r.owner, r.name, id, &gh.DeploymentStatusRequest{State: &state})
	return r.failed(t, err)
}
