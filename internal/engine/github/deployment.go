package github

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// describeLimit is how long a description may be. GitHub says characters; bytes are on the safe side.
const describeLimit = 140

func describe(s string) *string {
	if len(s) <= describeLimit {
		return text(s)
	}
	s = strings.ToValidUTF8(s[:describeLimit-3], "") + "..."
	return &s
}

// A Deployment of a commit to an environment.
type Deployment struct {
	ID          int64 // read only
	Commit      string
	Environment string
	Description string // cut at 140 bytes
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
	Description    string // cut at 140 bytes
	LogURL         string
	EnvironmentURL string
}

// CreateDeployment writes one, whatever the commit's checks say, and merges nothing. One request.
func (r *Repository) CreateDeployment(ctx context.Context, d Deployment) (Deployment, error) {
	t := task{doing: fmt.Sprintf("create a deployment of %s to %q", short(d.Commit), d.Environment), needs: "deployments: write", write: true}
	if err := r.checkCommit(t, d.Commit); err != nil {
		return Deployment{}, err
	}
	if err := r.mayWrite(t); err != nil {
		return Deployment{}, err
	}
	key := rand.Text() // by which it is found again if the answer is lost
	opts := &gh.DeploymentRequest{
		Ref: &d.Commit, Environment: &d.Environment, Description: describe(d.Description), Payload: map[string]string{"key": key},
		AutoMerge: new(bool), RequiredContexts: &[]string{}, ProductionEnvironment: &d.Production, TransientEnvironment: &d.Transient,
	}
	made, err := once(ctx, r.c.pause, func() (*gh.Deployment, error) {
		made, _, err := r.c.api.Repositories.CreateDeployment(ctx, r.owner, r.name, opts)
		if err == nil && made.GetID() == 0 {
			err = strange(t)
		}
		return made, r.failed(t, err)
	}, func() (*gh.Deployment, bool, error) {
		opts := &gh.DeploymentsListOptions{SHA: d.Commit, Environment: d.Environment, ListOptions: gh.ListOptions{PerPage: 100}}
		found, _, err := r.c.api.Repositories.ListDeployments(ctx, r.owner, r.name, opts)
		for _, f := range found {
			if f != nil && strings.Contains(string(f.Payload), key) { // an object, or one in a string
				return f, true, nil
			}
		}
		return nil, false, err
	})
	if err != nil {
		return Deployment{}, err
	}
	r.c.learn(userIdentity(made.GetCreator()))
	d.ID, d.URL = made.GetID(), made.GetURL()
	return d, nil
}

// SetDeploymentStatus says how a deployment goes. One request.
func (r *Repository) SetDeploymentStatus(ctx context.Context, id int64, s DeploymentStatus) error {
	t := task{doing: fmt.Sprintf("set deployment %d to %s", id, s.State), needs: "deployments: write", write: true}
	if err := r.mayWrite(t); err != nil {
		return err
	}
	// The same status twice does no harm.
	_, _, err := r.c.api.Repositories.CreateDeploymentStatus(mayRepeat(ctx), r.owner, r.name, id, &gh.DeploymentStatusRequest{
		State: text(string(s.State)), Description: describe(s.Description), LogURL: text(s.LogURL), EnvironmentURL: text(s.EnvironmentURL),
	})
	return r.failed(t, err)
}
