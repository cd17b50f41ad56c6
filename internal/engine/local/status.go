package local

import (
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A Status is all that an engine says of itself.
type Status struct {
	Running   bool             `json:"running"`
	PID       int              `json:"pid,omitempty"`
	Version   string           `json:"version,omitempty"`
	DataDir   string           `json:"data_dir"`
	Page      string           `json:"page,omitempty"`
	Clusters  []string         `json:"clusters"`
	Endpoints []EndpointStatus `json:"endpoints"`
}

// An EndpointStatus is an endpoint with its rollout, present or last.
type EndpointStatus struct {
	ID            string          `json:"id"`
	Status        endpoint.Status `json:"status"`
	Ready         int             `json:"replicas_ready"`
	Record        rollout.Record  `json:"record"`
	Counted       gate.Window     `json:"counted"` // since the engine started
	ModelOnTrial  string          `json:"model_on_trial,omitempty"`
	LogsOfServers string          `json:"logs"` // folder
	// Servers are the model servers of each revision that runs. AddressProblem is why the endpoint's address is not
	// open. Both only where the engine runs.
	Servers        []ServersStatus `json:"servers,omitempty"`
	AddressProblem string          `json:"address_problem,omitempty"`
}

// status is what page, metrics and command line show.
func (d *daemon) status() (Status, error) {
	st := Status{Running: true, PID: d.self.PID, Version: d.self.Version, DataDir: string(d.dir), Page: d.self.Page}
	err := d.store.view(func(t *tx) error { return st.read(t, d.dir) })
	if err != nil {
		return Status{}, err
	}
	for i := range st.Endpoints {
		e := &st.Endpoints[i]
		d.mu.Lock()
		u := d.units[e.ID]
		d.mu.Unlock()
		doc, _, err := d.load(e.ID)
		if err != nil || u == nil || doc == nil {
			continue
		}
		e.Status = u.status(doc)
		u.mu.Lock()
		addrs, _ := u.stable(doc)
		e.Ready = len(addrs)
		e.Servers = u.servers(doc)
		if u.unheard != nil {
			e.AddressProblem = u.unheard.Error()
		}
		if u.router != nil {
			e.Counted = u.counter.totals()
			e.Counted.Candidate.Slower, e.Counted.Stable.Slower = nil, nil // for gates only
		}
		u.mu.Unlock()
	}
	return st, nil
}

// read takes what the store alone says.
func (st *Status) read(t *tx, dir dataDir) error {
	clusters, err := t.clusters()
	if err != nil {
		return err
	}
	docs, err := t.endpoints()
	if err != nil {
		return err
	}
	st.Clusters, st.Endpoints = []string{}, []EndpointStatus{}
	for _, c := range clusters {
		st.Clusters = append(st.Clusters, c.Name)
	}
	for _, doc := range docs {
		if !doc.Finished {
			continue
		}
		e := EndpointStatus{ID: doc.id(), Status: doc.status(), Record: doc.Record, LogsOfServers: dir.serversOf(doc.id())}
		e.Status.Problem = notRunning
		if doc.inRollout() {
			e.ModelOnTrial = doc.Candidate.Revision.Model
		}
		st.Endpoints = append(st.Endpoints, e)
	}
	return nil
}

// notRunning is the problem of every endpoint while there is no daemon.
const notRunning = "the engine is not running; the next apply starts it, or `tidegate engine run` does"

// A ServersStatus is the model servers of one revision.
type ServersStatus struct {
	Role     string `json:"role"` // "stable", "candidate" or "previous"
	Revision string `json:"revision"`
	Model    string `json:"model"` // as the user wrote it
	Ready    int    `json:"ready"`
	Wanted   int    `json:"wanted"`
	Restarts int    `json:"restarts"`          // since they were started
	Problem  string `json:"problem,omitempty"` // with their last words
}

// The roles of revisions.
const (
	roleStable    = "stable"
	roleCandidate = "candidate"
	rolePrevious  = "previous"
)

// A part is a revision with its role.
type part struct {
	role string
	of   deployed
}

// parts are the revisions that the document wants to run.
func (d *document) parts() []part {
	all := []part{{roleStable, d.Stable}}
	if d.inRollout() {
		all = append(all, part{roleCandidate, *d.Candidate})
	}
	if d.Previous != nil {
		all = append(all, part{rolePrevious, d.Previous.deployed})
	}
	return all
}

// servers says how those of each revision are. Call it with u.mu held.
func (u *unit) servers(doc *document) []ServersStatus {
	var all []ServersStatus
	for _, p := range doc.parts() {
		st := ServersStatus{Role: p.role, Revision: p.of.Revision.Digest, Model: p.of.Model.URI, Wanted: doc.Spec.Replicas}
		if s := u.runs(p.of.Revision.Digest); s != nil {
			now := s.state()
			st.Ready, st.Restarts, st.Problem, st.Wanted = len(now.Addrs), now.Restarts, now.Problem, s.want
		}
		all = append(all, st)
	}
	return all
}
