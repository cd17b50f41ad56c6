package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/content"
)

// A daemon holds what the parts of a running engine share.
type daemon struct {
	dir     dataDir
	self    info
	log     *slog.Logger
	store   *store
	content *content.Store
	metrics *prometheus.Registry
	outside outside
	started time.Time

	changed  signal         // of anything that the page shows
	stopping chan struct{}  // closed when the daemon is to end
	working  sync.WaitGroup // makings and collections

	mu       sync.Mutex // of all below
	stopped  bool
	collects bool // one waits for its turn
	units    map[string]*unit
	makings  map[string]*making
	aborted  aborts

	staging sync.Mutex // one stage or collection at a time
	pinning sync.Mutex // of pins; never held for long
	pins    map[string]int
}

var (
	// errUnchanged ends a transaction that has nothing to write.
	errUnchanged = errors.New("unchanged")
	// errStopping: the daemon ends; a client asks the next one.
	errStopping = errors.New("the engine is stopping")
	// errReplaced ends the creation of an endpoint that is now wanted otherwise.
	errReplaced = errors.New("another create of the same name, with other arguments, took its place")
)

func newDaemon(dir dataDir, log *slog.Logger, st *store, blobs *content.Store, o outside) *daemon {
	return &daemon{dir: dir, log: log, store: st, content: blobs, metrics: prometheus.NewRegistry(), outside: o, started: time.Now(),
		stopping: make(chan struct{}), units: map[string]*unit{}, makings: map[string]*making{}, pins: map[string]int{}}
}

// notFound is the answer about an endpoint that is not there.
func notFound(id string) error { return fmt.Errorf("endpoint %s: %w", id, endpoint.ErrNotFound) }

// load returns an endpoint's document and secrets; nil where there is none.
func (d *daemon) load(id string) (doc *document, secrets map[string]string, err error) {
	err = d.store.view(func(t *tx) error {
		if doc, err = t.endpoint(id); err != nil || doc == nil {
			return err
		}
		secrets, err = t.secrets(id)
		return err
	})
	return doc, secrets, err
}

// write changes a document, with what follows from it, in one transaction. It reports whether
// something was written; fn returns errUnchanged where nothing is to be.
func (d *daemon) write(id string, fn func(*tx, *document) error) (bool, error) {
	err := d.store.update(func(t *tx) error {
		doc, err := t.endpoint(id)
		if err != nil {
			return err
		}
		if doc == nil {
			return notFound(id)
		}
		if err := fn(t, doc); err != nil {
			return err
		}
		doc.settle(time.Now())
		return t.put(doc)
	})
	if errors.Is(err, errUnchanged) {
		return false, nil
	}
	return err == nil, err
}

// unit returns the unit of an endpoint that is there for its users.
func (d *daemon) unit(id string) (*unit, error) {
	if _, _, err := splitID(id); err != nil {
		return nil, invalid("%v", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.units[id]
	switch {
	case d.stopped:
		return nil, errStopping
	case u == nil, !u.finished.Load(): // the document is not read for every request that is refused
		return nil, notFound(id)
	}
	return u, nil
}

// addUnit returns the unit of an endpoint, made if there is none.
func (d *daemon) addUnit(id string) *unit {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.units[id]
	if u == nil {
		u = newUnit(d, id)
		d.units[id] = u
	}
	return u
}

// removeUnit ends an endpoint's router and model servers.
func (d *daemon) removeUnit(id string) {
	d.mu.Lock()
	u := d.units[id]
	delete(d.units, id)
	d.mu.Unlock()
	if u == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	u.close(ctx)
	d.changed.fire()
}

// get returns an endpoint; claim says that it is in a state from now on.
func (d *daemon) get(id string, claim bool) (endpoint.Status, error) {
	v, err := d.view(id, claim)
	return v.Status, err
}

// view is get with the endpoint's last rollout, from one look at the store.
func (d *daemon) view(id string, claim bool) (viewBody, error) {
	u, err := d.unit(id)
	if err != nil {
		return viewBody{}, err
	}
	doc, _, err := d.load(id)
	if err != nil {
		return viewBody{}, err
	}
	if doc == nil {
		return viewBody{}, notFound(id)
	}
	if claim && !doc.Claimed {
		_, err = d.write(id, func(_ *tx, doc *document) error {
			doc.Claimed = true
			return nil
		})
		if fromDisk(err) != nil { // it can wait: whoever plans wants to read
			d.log.Warn("an endpoint was not claimed", "endpoint", id, "error", err)
			err = nil
		}
		u.changed.fire() // it is another version
	}
	return viewBody{u.status(doc), doc.Record}, err
}

// delete removes an endpoint, not in mid-rollout.
func (d *daemon) delete(ctx context.Context, id string) error {
	if _, _, err := splitID(id); err != nil {
		return invalid("%v", err)
	}
	if err := d.leave(ctx, id); err != nil {
		return err
	}
	d.mu.Lock()
	u := d.units[id]
	d.mu.Unlock()
	if u != nil {
		if err := u.begin(ctx); err != nil {
			return err
		}
		defer u.end()
	}
	err := d.store.update(func(t *tx) error {
		doc, err := t.endpoint(id)
		switch {
		case err != nil || doc == nil:
			return err
		case doc.Spec.DeletionProtection && doc.Finished:
			return fmt.Errorf("delete endpoint %s: %w: set deletion_protection = false and apply, then delete", id, endpoint.ErrProtected)
		case doc.inRollout():
			return busy(doc)
		}
		return t.remove(id)
	})
	if err != nil {
		return err
	}
	d.discard(id)
	return nil
}

// leave ends a creation whose maker is gone.
func (d *daemon) leave(ctx context.Context, id string) error {
	d.mu.Lock()
	m := d.makings[id]
	if m != nil && m.waiting > 0 {
		d.mu.Unlock()
		return fmt.Errorf("endpoint %s is being created right now by %s: %w", id, m.owner, endpoint.ErrBusy)
	}
	d.mu.Unlock()
	if m == nil {
		return nil
	}
	m.cancel(errReplaced)
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// capture says which bytes s names now, and refuses others than the plan's.
func (d *daemon) capture(ctx context.Context, s endpoint.Spec) (endpoint.Revision, error) {
	rev, err := endpoint.Capture(ctx, s)
	if err != nil {
		return rev, fmt.Errorf("endpoint %s: %w", endpoint.ID(s.Cluster, s.Name), err)
	}
	if e := s.Expected; e.Digest != "" && e.Digest != rev.Digest {
		return rev, fmt.Errorf("endpoint %s: %w: planned was model %s, found is %s: plan again",
			endpoint.ID(s.Cluster, s.Name), endpoint.ErrChanged, short(e.Model), short(rev.Model))
	}
	return rev, nil
}

// stage copies a revision's bytes into the content store.
func (d *daemon) stage(ctx context.Context, s endpoint.Spec, rev endpoint.Revision) error {
	d.staging.Lock()
	defer d.staging.Unlock()
	_, err := d.content.Stage(ctx, s, rev)
	if full(err) || errors.Is(err, syscall.EROFS) {
		err = fmt.Errorf("%w: nothing was changed; %s", err, d.dir.way(err))
	}
	return err
}

// pin keeps a revision's bytes until the returned function is called.
func (d *daemon) pin(digest string) (unpin func()) {
	d.pinning.Lock()
	defer d.pinning.Unlock()
	d.pins[digest]++
	return func() {
		d.pinning.Lock()
		defer d.pinning.Unlock()
		if d.pins[digest]--; d.pins[digest] == 0 {
			delete(d.pins, digest)
		}
	}
}

// collect removes bytes that no endpoint needs, in the background: nobody waits for it.
func (d *daemon) collect() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || d.collects {
		return // the one that waits begins later than this
	}
	d.collects = true
	d.working.Go(func() {
		d.staging.Lock()
		defer d.staging.Unlock()
		d.mu.Lock()
		d.collects = false
		d.mu.Unlock()
		d.pinning.Lock()
		defer d.pinning.Unlock()
		keep := map[string]bool{}
		for digest := range d.pins {
			keep[digest] = true
		}
		err := d.store.view(func(t *tx) error {
			all, err := t.endpoints()
			for _, doc := range all {
				keep[doc.Stable.Revision.Digest] = true
				if doc.Candidate != nil {
					keep[doc.Candidate.Revision.Digest] = true
				}
				if doc.Previous != nil {
					keep[doc.Previous.Revision.Digest] = true
				}
			}
			return err
		})
		if err == nil {
			err = d.content.Collect(keep)
		}
		if err != nil {
			d.log.Warn("cannot remove unused model bytes", "error", err)
		}
	})
}
