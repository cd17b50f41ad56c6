// Package endpoint is one address that serves one model to users, wherever it runs.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A Spec is what a user asks of an endpoint, as the user wrote it: relative paths are
// relative to Root.
type Spec struct {
	Cluster string `json:"cluster"` // name of the cluster, not its id
	Name    string `json:"name"`
	Root    string `json:"root"` // absolute: the root module's folder

	Model    Model    `json:"model"`
	Runtime  Runtime  `json:"runtime"`
	Replicas int      `json:"replicas"`
	Routing  Routing  `json:"routing"`
	Rollout  Rollout  `json:"rollout"`
	Env      Env      `json:"env"`
	Expected Revision `json:"expected"` // what the plan said; Apply refuses bytes that are not these

	DeletionProtection bool `json:"deletion_protection,omitempty"`
}

// A Model names model bytes.
type Model struct {
	URI string `json:"uri"` // "file://models/penguins-v1.json"
}

// A Runtime is what serves a model.
type Runtime struct {
	// Command may hold {port}, {model} and {name}. Where its first word is a path (it holds a
	// slash), the file is captured with the model; else it is looked up in PATH.
	Command  []string `json:"command"`
	Files    []string `json:"files,omitempty"` // further files that are captured: paths below Root
	Protocol string   `json:"protocol"`        // "v2" or "http"
	// ReadyPath is asked for readiness by "http"; any 2xx means ready. "v2" asks v2/health/ready
	// and v2/models/NAME/ready.
	ReadyPath    string        `json:"ready_path,omitempty"`
	StartTimeout time.Duration `json:"start_timeout"` // from start to ready
}

// Env is what a model server finds in its environment. It changes in place, on both slots.
type Env struct {
	Values map[string]string `json:"values,omitempty"`
	// Secrets never leave the engine again: not in a Status, not in a log. Nil means: as they are.
	Secrets map[string]string `json:"secrets,omitempty"`
	// SecretsVersion is the user's number for Secrets: another one means other secrets.
	SecretsVersion string `json:"secrets_version,omitempty"`
}

// Routing says which arm gets a request. The zero value splits by request.
type Routing struct {
	StickyHeader string        `json:"sticky_header,omitempty"` // at most one of the two
	StickyCookie string        `json:"sticky_cookie,omitempty"`
	Timeout      time.Duration `json:"timeout"` // for an answer to begin; later counts as bad
}

// Rollout says how a new revision gets its traffic.
type Rollout struct {
	Policy string `json:"policy"` // canonical JSON of a rollout.Policy
	// Run says who drives: "inline", whoever changes the endpoint, at once; "staged", whoever promotes it, later.
	// "" is inline.
	Run   string `json:"run,omitempty"`
	Retry string `json:"retry,omitempty"` // another value lets a rejected revision try again
	// OnCancel is what a runner does when it is told to stop: "rollback" or "freeze".
	OnCancel string `json:"on_cancel"`
}

// The values of Rollout.Run.
const (
	Inline = "inline"
	Staged = "staged"
)

// A Revision is what an endpoint runs, immutable. Its zero value is none, or unknown.
type Revision struct {
	// Digest names the revision: "sha256:..." over the fields below and the runtime's words.
	Digest  string `json:"digest"`
	Model   string `json:"model"`             // the model's bytes, "sha256:..."
	Command string `json:"command,omitempty"` // the executable's bytes, "" when it comes from PATH
	Files   string `json:"files,omitempty"`   // all further files together
}

// A Rejection remembers a revision that a rollout turned away.
type Rejection struct {
	Revision string    `json:"revision"` // Revision.Digest
	Model    string    `json:"model"`    // its model's digest
	Gate     string    `json:"gate"`     // or "candidate", "inconclusive", "blind"
	Reason   string    `json:"reason"`
	Retry    string    `json:"retry"` // Rollout.Retry at the time
	At       time.Time `json:"at"`
}

// A Status is an endpoint as it is. Its Spec is the one of the revision that serves: what
// changes in place is as last applied, model and runtime are those of the stable revision.
// Secrets are left out.
type Status struct {
	Spec     Spec        `json:"spec"`
	URL      string      `json:"url"` // "http://127.0.0.1:PORT"
	Stable   Revision    `json:"stable"`
	Rejected []Rejection `json:"rejected,omitempty"` // newest first, at most 20
	Ready    bool        `json:"ready"`              // the stable revision answers
	// Candidate is on trial, or staged for one; nil while no rollout is under way.
	Candidate *Candidate `json:"candidate,omitempty"`
	// Previous served before the last promotion, and is kept warm for as long as the policy says; nil if none is.
	Previous *Previous `json:"previous,omitempty"`
	Problem  string    `json:"problem,omitempty"` // why not, in a sentence
}

// A Candidate is a revision on trial, with the words that the user made it of.
type Candidate struct {
	Revision Revision `json:"revision"`
	Model    Model    `json:"model"`
	Runtime  Runtime  `json:"runtime"`
}

// A Previous revision is what a promotion can be taken back to, without waiting for a start.
type Previous struct {
	Revision Revision  `json:"revision"`
	Model    Model     `json:"model"`
	Until    time.Time `json:"until"` // then it is stopped
}

// ID returns the endpoint's address, "local/CLUSTER/NAME".
func ID(clusterName, name string) string { return "local/" + clusterName + "/" + name }

// What an Engine may answer. Errors are wrapped with a sentence; use errors.Is and errors.As.
var (
	// ErrNotFound: there is no such endpoint.
	ErrNotFound = errors.New("no such endpoint")
	// ErrExists: the endpoint is there and somebody else made it.
	ErrExists = errors.New("the endpoint exists already")
	// ErrBusy: a rollout is under way and somebody drives it.
	ErrBusy = errors.New("a rollout is under way")
	// ErrChanged: the bytes are not those that were planned.
	ErrChanged = errors.New("the bytes changed after the plan")
	// ErrProtected: deletion protection is on.
	ErrProtected = errors.New("deletion protection is on")
)

// A RejectedError refuses a revision that an earlier rollout turned away.
type RejectedError struct{ Rejection Rejection }

func (e *RejectedError) Error() string {
	return fmt.Sprintf("this revision was rejected on %s: %s", e.Rejection.At.Format(time.RFC3339), e.Rejection.Reason)
}

// An Engine runs endpoints somewhere.
type Engine interface {
	// Create makes an endpoint and returns when it serves. What fails is undone. Create
	// finishes one that was begun with the same Spec and whose maker died; owner tells makers
	// apart. ErrExists for any other that is there.
	Create(ctx context.Context, s Spec, owner string) (Status, error)
	// Update changes an endpoint. What changes in place is done when it returns. A new revision
	// becomes a candidate at weight 0, with a record in the phase "preparing", staged where the Spec
	// says so: Update never moves traffic. The stable revision asked for again ends a rollout. Updating to the same
	// Spec again changes nothing. On error the Status is what exists by then, or zero.
	Update(ctx context.Context, s Spec) (Status, error)
	// Get returns an endpoint as it is now, or ErrNotFound. claim says that the caller keeps
	// it in a state: from then on it is nobody's unfinished business.
	Get(ctx context.Context, id string, claim bool) (Status, error)
	// Delete removes an endpoint, and refuses in mid-rollout. It succeeds if there is none.
	Delete(ctx context.Context, id string) error
	rollout.Store
}
