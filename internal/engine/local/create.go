package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

// A making is a create under way. It belongs to the daemon, not to the request: a client that
// dies does not undo what the next one finishes.
type making struct {
	spec     endpoint.Spec
	revision endpoint.Revision
	owner    string
	call     string // of the client's Create, the same when it asks again
	waiting  int    // requests that wait for the end

	cancel context.CancelCauseFunc
	done   chan struct{} // then status and err are set
	status endpoint.Status
	err    error
}

// create makes an endpoint, or finishes one that somebody else left.
func (d *daemon) create(ctx context.Context, s endpoint.Spec, owner, call string) (endpoint.Status, error) {
	if err := validate(s); err != nil {
		return endpoint.Status{}, err
	}
	rev, err := d.capture(ctx, s)
	if err != nil {
		return endpoint.Status{}, err
	}
	for {
		m, err := d.join(ctx, s, rev, owner, call)
		if err != nil {
			return endpoint.Status{}, err
		}
		select {
		case <-m.done:
		case <-ctx.Done():
		}
		d.mu.Lock()
		m.waiting--
		mine := m.call == call
		d.mu.Unlock()
		if ctx.Err() != nil {
			return endpoint.Status{}, ctx.Err()
		}
		if mine {
			return m.status, m.err
		}
		// That was another's with another spec, which is undone now.
	}
}

// join returns the making that this create has to wait for, started if there is none.
func (d *daemon) join(ctx context.Context, s endpoint.Spec, rev endpoint.Revision, owner, call string) (*making, error) {
	id := endpoint.ID(s.Cluster, s.Name)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case d.aborted.has(call):
		return nil, context.Canceled
	}
	m := d.makings[id]
	if m == nil {
		return d.startMaking(id, s, rev, owner, call)
	}
	switch {
	case m.call == call:
	case m.owner == owner:
		return nil, twice(id)
	case m.waiting > 0:
		return nil, fmt.Errorf("endpoint %s is being created right now by %s: %w", id, m.owner, endpoint.ErrExists)
	case m.revision == rev && sameSpec(m.spec, s):
		m.owner, m.call = owner, call
	default:
		m.cancel(errReplaced)
	}
	m.waiting++
	return m, nil
}

// startMaking looks at what is stored, with d.mu held, and begins or goes on.
func (d *daemon) startMaking(id string, s endpoint.Spec, rev endpoint.Revision, owner, call string) (*making, error) {
	doc, secrets, err := d.load(id)
	if err != nil {
		return nil, err
	}
	left := doc != nil && (!doc.Finished || !doc.Claimed)
	same := left && doc.Stable.Revision == rev && sameSpec(doc.withSecrets(secrets), s)
	switch {
	case doc == nil, !doc.Finished:
		if doc != nil && !same {
			doc = nil // its maker is gone, and nobody wants it like that
		}
	case left && doc.Owner == owner && doc.Call != call:
		return nil, twice(id)
	case !same:
		return nil, fmt.Errorf("endpoint %s: %w; to manage it here, run: terraform import ADDRESS %s", id, endpoint.ErrExists, id)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	m := &making{spec: s, revision: rev, owner: owner, call: call, waiting: 1, cancel: cancel, done: make(chan struct{})}
	d.makings[id] = m
	d.working.Go(func() {
		m.status, m.err = d.make(ctx, id, m, doc)
		cancel(nil)
		d.mu.Lock()
		delete(d.makings, id)
		d.mu.Unlock()
		close(m.done)
	})
	return m, nil
}

// make saves the intent, stages, starts, waits until the endpoint serves. What fails is undone,
// unless the daemon itself is told to stop: then the next create finishes it.
func (d *daemon) make(ctx context.Context, id string, m *making, doc *document) (endpoint.Status, error) {
	finished := doc != nil && doc.Finished // and left by its maker before it was in a state
	if doc == nil {
		if err := d.intend(id, m); err != nil {
			return endpoint.Status{}, err
		}
	}
	st, err := d.bring(ctx, id, m)
	if err == nil || finished || errors.Is(err, errStopping) || errors.Is(context.Cause(ctx), errStopping) {
		return st, err
	}
	d.discard(id)
	return endpoint.Status{}, err
}

// intend saves that the endpoint is to be, with its port.
func (d *daemon) intend(id string, m *making) error {
	return d.store.update(func(t *tx) error {
		if _, err := t.cluster(m.spec.Cluster); err != nil {
			return fmt.Errorf("create endpoint %s: %w: apply it first", id, err)
		}
		all, err := t.endpoints()
		if err != nil {
			return err
		}
		taken := map[int]bool{}
		for _, o := range all {
			taken[o.Port] = true
		}
		port, err := choosePort(taken)
		if err != nil {
			return fmt.Errorf("create endpoint %s: %w", id, err)
		}
		if err := t.remove(id); err != nil { // one that was left, unfinished and otherwise
			return err
		}
		doc := &document{Stable: deploy(m.spec, m.revision), Port: port, Owner: m.owner, Call: m.call}
		doc.setSpec(m.spec)
		if err := t.setSecrets(id, m.spec.Env.Secrets); err != nil {
			return err
		}
		return t.put(doc)
	})
}

// bring makes what is intended serve.
func (d *daemon) bring(ctx context.Context, id string, m *making) (endpoint.Status, error) {
	if err := d.stage(ctx, m.spec, m.revision); err != nil {
		return endpoint.Status{}, fmt.Errorf("create endpoint %s: %w", id, err)
	}
	u := d.addUnit(id)
	u.reconcile()
	if err := u.awaitStable(ctx); err != nil {
		return endpoint.Status{}, fmt.Errorf("create endpoint %s: %w", id, err)
	}
	var saved *document
	_, err := d.write(id, func(_ *tx, doc *document) error {
		d.mu.Lock()
		doc.Owner, doc.Call = m.owner, m.call // somebody else may have joined
		d.mu.Unlock()
		doc.Finished = true
		saved = doc
		return nil
	})
	if err != nil {
		return endpoint.Status{}, err
	}
	u.finished.Store(true)
	return u.status(saved), nil
}

// awaitStable returns when the stable revision serves at the endpoint's address.
func (u *unit) awaitStable(ctx context.Context) error {
	return u.await(ctx, func(doc *document) (bool, error) {
		if u.unheard != nil {
			return false, u.unheard
		}
		for key, s := range u.slots {
			if key.revision != doc.Stable.Revision.Digest {
				continue
			}
			ok, err := s.settled()
			return ok && u.router != nil, err
		}
		return false, nil
	})
}

// abort undoes a create that its client takes back.
func (d *daemon) abort(ctx context.Context, id, call string) error {
	d.mu.Lock()
	d.aborted.add(call, time.Now())
	m := d.makings[id]
	d.mu.Unlock()
	if m != nil && m.call == call {
		m.cancel(context.Canceled)
		select {
		case <-m.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	doc, _, err := d.load(id)
	if err != nil || doc == nil || doc.Call != call || doc.Claimed {
		return err
	}
	d.discard(id) // it was done just before
	return nil
}

// discard removes an endpoint with all that it has.
func (d *daemon) discard(id string) {
	if err := d.store.update(func(t *tx) error { return t.remove(id) }); err != nil {
		d.log.Error("cannot remove the endpoint", "endpoint", id, "error", err)
		return
	}
	d.removeUnit(id)
	failpoint.Hit("logs.remove")
	if err := os.RemoveAll(d.dir.serversOf(id)); err != nil {
		d.log.Warn("cannot remove the endpoint's logs", "endpoint", id, "error", err)
	}
	d.collect()
}

func twice(id string) error {
	return fmt.Errorf("two endpoints of one name %s: %w: give one of them another name", id, endpoint.ErrExists)
}

// sameSpec reports whether two makers want the same.
func sameSpec(a, b endpoint.Spec) bool {
	a.Expected, b.Expected = endpoint.Revision{}, endpoint.Revision{}
	for _, s := range []*endpoint.Spec{&a, &b} {
		s.Env.Values, s.Env.Secrets = orNil(s.Env.Values), orNil(s.Env.Secrets)
		if len(s.Runtime.Files) == 0 {
			s.Runtime.Files = nil
		}
	}
	return reflect.DeepEqual(a, b)
}

// orNil makes an empty map equal to none.
func orNil(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}
