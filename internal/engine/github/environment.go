package github

import (
	"context"
	"errors"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// EnvironmentLabel is the variable of an environment that says which pipeline made it; its value is the workflow's path.
// An environment that was adopted has none.
const EnvironmentLabel = "TIDEGATE_PIPELINE"

// Environments are those of a repository, as one list said. What the list does not say of one (branch patterns,
// variables, secrets) is asked for when it is looked at, and once only: a list can be shared by all who read at the same
// time. It is safe for use by many at once, and does not see what is written after it was read.
type Environments struct{}

// Environments lists them, with their protections: one request for 100.
func (r *Repository) Environments(ctx context.Context) (*Environments, error) {
	return nil, errors.ErrUnsupported
}

// Has says whether there is one of that name; GitHub does not tell upper from lower case in it.
func (l *Environments) Has(name string) bool { return false }

// Status is one environment as far as known speaks of it: its protections, with reviewers in known's spelling; the variables
// that known has, with the values they have now; the secrets of known.SecretNames that are there, and when they were written.
// What is not there is missing from it. false if there is no such environment. At most three requests, none of which is
// for what known does not have.
func (l *Environments) Status(ctx context.Context, known pipeline.Environment) (pipeline.EnvironmentStatus, bool, error) {
	return pipeline.EnvironmentStatus{}, false, errors.ErrUnsupported
}

// All is one environment with all of its variables but our label, and all of its secrets: for an import.
func (l *Environments) All(ctx context.Context, name string) (pipeline.EnvironmentStatus, bool, error) {
	return pipeline.EnvironmentStatus{}, false, errors.ErrUnsupported
}

// MadeBy are the names of environments that carry the label of the pipeline at path. One request each, so it is for an import.
func (l *Environments) MadeBy(ctx context.Context, path string) ([]string, error) {
	return nil, errors.ErrUnsupported
}

// An EnvironmentChange is what is asked of one environment.
type EnvironmentChange struct {
	Path  string // of the workflow, for the label
	Adopt bool
	Want  pipeline.Environment
	// Before is what the last Apply left, nil if it knew no such environment: then one that is there already may be taken if it has
	// our label, if Adopt says so, or if it is what an unfinished create leaves.
	Before *pipeline.EnvironmentStatus
}

// Claim says whether c may take its environment: nil if there is none or it may, an error of kind pipeline.ErrExists if it
// may not, another one if that could not be found out. Apply asks it by itself; Check can. None to three requests.
func (l *Environments) Claim(ctx context.Context, c EnvironmentChange) error {
	return errors.ErrUnsupported
}

// ApplyEnvironment makes an environment what c wants, and does nothing where it is already: its protections, which are read
// back (one that GitHub did not keep is an error of kind pipeline.ErrNotProtected, and no secret is written then), then
// variables, then secrets. Variables and secrets of c.Before that c.Want does not have go; those of others stay. l is a list that was
// read after the last write. made is true if the environment came into being by this pipeline, now or by an earlier
// Apply: it is for Status.Made. On error the status is what is true by then, zero if there is no environment.
func (r *Repository) ApplyEnvironment(ctx context.Context, l *Environments, c EnvironmentChange) (st pipeline.EnvironmentStatus, made bool, err error) {
	return pipeline.EnvironmentStatus{}, false, errors.ErrUnsupported
}

// DeleteEnvironment removes an environment that this pipeline made, with all that is in it. One that carries another
// pipeline's label is an error of kind pipeline.ErrExists; it succeeds if there is none.
func (r *Repository) DeleteEnvironment(ctx context.Context, name, path string) error {
	return errors.ErrUnsupported
}

// ReleaseEnvironment takes out of an adopted environment what we put into it: the variables and secrets of known. The
// protections stay. It succeeds if there is none.
func (r *Repository) ReleaseEnvironment(ctx context.Context, known pipeline.EnvironmentStatus) error {
	return errors.ErrUnsupported
}
