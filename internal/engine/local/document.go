package local

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const (
	documentSchema = 2
	rejectionsKept = 20 // of an endpoint, the newest
)

type version = rollout.Version

// A document is all that is stored of an endpoint but its secrets. It holds the record and,
// in it, the weights: one document, one write.
type document struct {
	Schema  int    `json:"schema"`
	Version uint64 `json:"version"`

	// Spec is as last applied where it changes in place; Model and Runtime in it stand in
	// Stable and Candidate, with the revision that they made.
	Spec      endpoint.Spec `json:"spec"`
	Stable    deployed      `json:"stable"`
	Candidate *deployed     `json:"candidate,omitempty"`
	Previous  *previous     `json:"previous,omitempty"` // only while no candidate is there

	Record   rollout.Record       `json:"record"`
	Rejected []endpoint.Rejection `json:"rejected,omitempty"` // newest first

	Port     int    `json:"port"` // chosen once
	Owner    string `json:"owner"`
	Call     string `json:"call"`     // the create that made it
	Finished bool   `json:"finished"` // it served once: its creation is over
	Claimed  bool   `json:"claimed"`  // it is in somebody's state
}

// A deployed revision, with the words that the user made it of.
type deployed struct {
	Revision endpoint.Revision `json:"revision"`
	Model    endpoint.Model    `json:"model"`
	Runtime  endpoint.Runtime  `json:"runtime"`
}

func deploy(s endpoint.Spec, r endpoint.Revision) deployed {
	return deployed{Revision: r, Model: s.Model, Runtime: s.Runtime}
}

func (d *document) id() string { return endpoint.ID(d.Spec.Cluster, d.Spec.Name) }

func (d *document) url() string { return "http://" + d.addr() }

func (d *document) addr() string { return fmt.Sprintf("127.0.0.1:%d", d.Port) }

// version is the document's, as rollouts know it.
func (d *document) version() version { return version(strconv.FormatUint(d.Version, 10)) }

// inRollout reports whether a candidate is on trial.
func (d *document) inRollout() bool { return d.Candidate != nil && !d.Record.Phase.Final() }

// setSpec takes over what changes in place, without secrets, model and runtime.
func (d *document) setSpec(s endpoint.Spec) {
	s.Env.Secrets = nil
	s.Expected = endpoint.Revision{}
	s.Model, s.Runtime = endpoint.Model{}, endpoint.Runtime{}
	d.Spec = s
}

// of returns the spec of a deployed revision: what content and model servers need.
func (d *document) of(r deployed) endpoint.Spec {
	s := d.Spec
	s.Model, s.Runtime = r.Model, r.Runtime
	return s
}

// withSecrets is the spec as its maker wrote it.
func (d *document) withSecrets(secrets map[string]string) endpoint.Spec {
	s := d.of(d.Stable)
	s.Env.Secrets = secrets
	return s
}

// status is what the document alone says; whether it serves, only a unit knows.
func (d *document) status() endpoint.Status {
	st := endpoint.Status{Spec: d.of(d.Stable), URL: d.url(), Stable: d.Stable.Revision, Rejected: d.Rejected,
		Previous: d.Previous.status()}
	if d.inRollout() {
		st.Candidate = &endpoint.Candidate{Revision: d.Candidate.Revision, Model: d.Candidate.Model, Runtime: d.Candidate.Runtime}
	}
	return st
}

// settle draws the consequences of a record that is final: they belong to the same write.
func (d *document) settle(now time.Time) {
	if d.wentBack() {
		d.goBack()
		return
	}
	if d.Candidate == nil || !d.Record.Phase.Final() {
		return
	}
	c := *d.Candidate
	if d.Record.Phase == rollout.Promoted {
		d.keep(now)
	}
	d.Candidate = nil
	if d.Record.Phase == rollout.Promoted {
		d.Stable = c
		d.forgive(c.Revision.Digest)
		return
	}
	if f := d.Record.Failure; f != nil && f.Rejected {
		d.reject(c.Revision, *f)
	}
}

// reject remembers r, so that it is not tried again by itself.
func (d *document) reject(r endpoint.Revision, f rollout.Failure) {
	d.forgive(r.Digest)
	name := f.Gate
	if name == "" {
		name = f.Kind
	}
	j := endpoint.Rejection{Revision: r.Digest, Model: r.Model, Gate: name, Reason: f.Reason, Retry: d.Spec.Rollout.Retry, At: f.At}
	d.Rejected = append([]endpoint.Rejection{j}, d.Rejected...)
	if len(d.Rejected) > rejectionsKept {
		d.Rejected = d.Rejected[:rejectionsKept]
	}
}

// forgive forgets the rejections of a revision.
func (d *document) forgive(digest string) {
	var kept []endpoint.Rejection
	for _, j := range d.Rejected {
		if j.Revision != digest {
			kept = append(kept, j)
		}
	}
	d.Rejected = kept
}

// rejection returns why a revision is refused, or nil. Another value of retry lets it try again.
func (d *document) rejection(digest, retry string) *endpoint.Rejection {
	for i := range d.Rejected {
		if j := &d.Rejected[i]; j.Revision == digest && j.Retry == retry {
			return j
		}
	}
	return nil
}

// splitID is the inverse of endpoint.ID.
func splitID(id string) (clusterName, name string, err error) {
	p := strings.Split(id, "/")
	if len(p) != 3 || p[0] != "local" || p[1] == "" || p[2] == "" {
		return "", "", fmt.Errorf("endpoint id %q: want local/CLUSTER/NAME", id)
	}
	return p[1], p[2], nil
}
