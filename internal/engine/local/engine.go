package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// Status returns all that the engine says of itself, read from the store where no daemon runs.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	dir, err := e.config.dataDir()
	if err != nil {
		return Status{}, err
	}
	st := Status{DataDir: string(dir), Clusters: []string{}, Endpoints: []EndpointStatus{}}
	err = e.read(ctx, "/v1/status", &st, func(t *tx) error { return st.read(t, dir) })
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	return st, err
}

// Stop ends the daemon and its model servers, and returns when they have ended. It reports
// whether one ran.
func (e *Engine) Stop(ctx context.Context) (bool, error) {
	dir, err := e.config.dataDir()
	if err != nil {
		return false, err
	}
	ours, err := dir.exists()
	if err != nil || !ours {
		return false, err
	}
	if free, err := dir.free(); err != nil || free {
		return false, err
	}
	e.distrust()
	return true, e.end(ctx, dir)
}

// clusters is the client's side of cluster.Engine.
type clusters struct{ e *Engine }

func (c clusters) Apply(ctx context.Context, s cluster.Spec) (cluster.Status, error) {
	if err := validName("cluster", s.Name); err != nil {
		return cluster.Status{}, err
	}
	var st cluster.Status
	err := c.e.write(ctx, http.MethodPut, clusterPath(s.Name), s, &st)
	return st, err
}

func (c clusters) Get(ctx context.Context, name string) (cluster.Status, error) {
	var st cluster.Status
	err := c.e.read(ctx, clusterPath(name), &st, func(t *tx) (err error) {
		st, err = clusterStatus(t, name)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("cluster %q: %w", name, cluster.ErrNotFound)
	}
	return st, err
}

func (c clusters) Delete(ctx context.Context, name string) error {
	if _, err := c.Get(ctx, name); errors.Is(err, cluster.ErrNotFound) {
		return nil
	}
	return c.e.write(ctx, http.MethodDelete, clusterPath(name), nil, nil)
}

func clusterPath(name string) string { return "/v1/clusters/" + escape(name) }

// endpoints is the client's side of endpoint.Engine and of rollout.Watcher.
type endpoints struct{ e *Engine }

// abortPatience bounds the undoing of a create: it outlives the context that was cancelled.
const abortPatience = 60 * time.Second

func (p endpoints) Create(ctx context.Context, s endpoint.Spec, owner string) (endpoint.Status, error) {
	if err := validate(s); err != nil {
		return endpoint.Status{}, err
	}
	q := request(s)
	q.Owner, q.Call = owner, rand.Text()
	path, err := endpointPath(endpoint.ID(s.Cluster, s.Name))
	if err != nil {
		return endpoint.Status{}, err
	}
	var st endpoint.Status
	err = p.e.write(ctx, http.MethodPost, path, q, &st)
	if ctx.Err() == nil {
		return st, err
	}
	// Told to stop, which is not being killed: nothing is left behind.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortPatience)
	defer cancel()
	undone := p.e.send(after, http.MethodPost, path+"/abort", abortRequest{Call: q.Call}, nil)
	if errors.Is(undone, errNotRunning) {
		undone = nil
	}
	return endpoint.Status{}, errors.Join(ctx.Err(), undone)
}

func (p endpoints) Update(ctx context.Context, s endpoint.Spec) (endpoint.Status, error) {
	if err := validate(s); err != nil {
		return endpoint.Status{}, err
	}
	path, err := endpointPath(endpoint.ID(s.Cluster, s.Name))
	if err != nil {
		return endpoint.Status{}, err
	}
	var st endpoint.Status
	err = p.e.write(ctx, http.MethodPut, path, request(s), &st)
	return st, err
}

// Get reads. A claim is a write, but it can wait: without a daemon nobody creates anything.
func (p endpoints) Get(ctx context.Context, id string, claim bool) (endpoint.Status, error) {
	path, err := endpointPath(id)
	if err != nil {
		return endpoint.Status{}, err
	}
	if claim {
		path += "?claim=true"
	}
	var st endpoint.Status
	err = p.e.read(ctx, path, &st, func(t *tx) error {
		doc, err := finished(t, id)
		if err == nil {
			st = doc.status()
			st.Problem = notRunning
		}
		return err
	})
	return st, absent(err, id)
}

// View is Get and Load at once: of the same moment, by one request.
func (p endpoints) View(ctx context.Context, id string, claim bool) (endpoint.Status, rollout.Record, error) {
	path, err := endpointPath(id)
	if err != nil {
		return endpoint.Status{}, rollout.Record{}, err
	}
	path += "/view"
	if claim {
		path += "?claim=true"
	}
	var b viewBody
	err = p.e.read(ctx, path, &b, func(t *tx) error {
		doc, err := finished(t, id)
		if err == nil {
			b = viewBody{doc.status(), doc.Record}
			b.Status.Problem = notRunning
		}
		return err
	})
	if errors.Is(err, errInvalid) { // an older daemon, which no read replaces, has no such request
		if b.Status, err = p.Get(ctx, id, claim); err == nil {
			b.Record, _, err = p.Load(ctx, id)
		}
		return b.Status, b.Record, err
	}
	return b.Status, b.Record, absent(err, id)
}

// finished returns an endpoint that is there for its users.
func finished(t *tx, id string) (*document, error) {
	doc, err := t.endpoint(id)
	if err == nil && (doc == nil || !doc.Finished) {
		err = fs.ErrNotExist
	}
	return doc, err
}

// absent says in the noun's words that there is no store, or nothing in it.
func absent(err error, id string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &remoteError{text: "endpoint " + id + ": no such endpoint", means: []error{endpoint.ErrNotFound, rollout.ErrNotFound}}
	}
	return err
}

func (p endpoints) Delete(ctx context.Context, id string) error {
	path, err := endpointPath(id)
	if err != nil {
		return err
	}
	if _, err := p.Get(ctx, id, false); errors.Is(err, endpoint.ErrNotFound) {
		return nil
	}
	return p.e.write(ctx, http.MethodDelete, path, nil, nil)
}

func (p endpoints) Load(ctx context.Context, id string) (rollout.Record, rollout.Version, error) {
	path, err := endpointPath(id)
	if err != nil {
		return rollout.Record{}, "", err
	}
	var b recordBody
	err = p.e.read(ctx, path+"/record", &b, func(t *tx) error {
		doc, err := finished(t, id)
		if err == nil {
			b = recordBody{doc.Record, doc.version()}
		}
		return err
	})
	return b.Record, b.Version, absent(err, id)
}

func (p endpoints) Save(ctx context.Context, id string, r rollout.Record, v rollout.Version) (rollout.Version, error) {
	path, err := endpointPath(id)
	if err != nil {
		return "", err
	}
	var b versionBody
	err = p.e.write(ctx, http.MethodPut, path+"/record", recordBody{r, v}, &b)
	return b.Version, err
}

func (p endpoints) Count(ctx context.Context, id string, c rollout.Cursor) ([]gate.Window, rollout.Cursor, error) {
	path, err := endpointPath(id)
	if err != nil {
		return nil, nil, err
	}
	var a countAnswer
	err = p.e.write(ctx, http.MethodPost, path+"/count", countRequest{c}, &a)
	return a.Windows, a.Cursor, err
}

// Changed asks again and again: the daemon answers at the latest after a minute.
func (p endpoints) Changed(ctx context.Context, id string, v rollout.Version) error {
	path, err := endpointPath(id)
	if err != nil {
		return err
	}
	for {
		var b versionBody
		if err := p.e.write(ctx, http.MethodGet, path+"/changes?after="+url.QueryEscape(string(v))+"&due=true", nil, &b); err != nil {
			return err
		}
		if b.Version != v {
			return nil
		}
		if b.Due {
			return rollout.ErrDue
		}
	}
}

func endpointPath(id string) (string, error) {
	c, name, err := splitID(id)
	if err != nil {
		return "", err
	}
	return "/v1/endpoints/" + escape(c) + "/" + escape(name), nil
}
