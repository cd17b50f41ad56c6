package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// An intent is what an update means for the revisions.
type intent int

const (
	stay   intent = iota // the stable revision is asked for: what is on trial ends
	resume               // the candidate is asked for
	try                  // another revision is
)

// errRaced: a runner or the engine ended the rollout while an update was being made ready.
var errRaced = errors.New("the rollout ended meanwhile")

// update changes an endpoint in place, and stages a new revision as its candidate.
func (d *daemon) update(ctx context.Context, s endpoint.Spec) (endpoint.Status, error) {
	if err := validate(s); err != nil {
		return endpoint.Status{}, err
	}
	u, err := d.unit(endpoint.ID(s.Cluster, s.Name))
	if err != nil {
		return endpoint.Status{}, err
	}
	if err := u.begin(ctx); err != nil {
		return endpoint.Status{}, err
	}
	defer u.end()
	rev, err := d.capture(ctx, s)
	for err == nil {
		err = u.update(ctx, s, rev)
		if !errors.Is(err, errRaced) {
			break
		}
		err = nil
	}
	st, lost := d.get(u.id, false)
	if err == nil {
		err = lost
	}
	return st, err
}

// update makes ready what takes time, then writes all that changed at once.
func (u *unit) update(ctx context.Context, s endpoint.Spec, rev endpoint.Revision) error {
	doc, secrets, err := u.d.load(u.id)
	if err != nil {
		return err
	}
	if doc == nil {
		return notFound(u.id)
	}
	want, err := u.intent(doc, s, rev)
	if err != nil {
		return err
	}
	if want == try {
		defer u.d.pin(rev.Digest)() // until it is written
		if err := u.d.stage(ctx, s, rev); err != nil {
			return fmt.Errorf("stage the candidate of %s: %w", u.id, err)
		}
	}
	defer u.endTrial()
	if err := u.tryInPlace(ctx, doc, s, secrets); err != nil {
		return fmt.Errorf("change %s in place: %w; it runs as before", u.id, err)
	}
	written, err := u.d.write(u.id, func(t *tx, doc *document) error {
		before := *doc
		if now, err := u.intent(doc, s, rev); err != nil || now != want {
			return errors.Join(err, raced(now, want))
		}
		if err := doc.apply(s, rev, want, time.Now()); err != nil {
			return err
		}
		if reflect.DeepEqual(before, *doc) && (s.Env.Secrets == nil || maps.Equal(s.Env.Secrets, secrets)) {
			return errUnchanged
		}
		return t.setSecrets(u.id, s.Env.Secrets)
	})
	if err == nil && written {
		u.settleTrial()
	}
	return err
}

func raced(now, want intent) error {
	if now != want {
		return errRaced
	}
	return nil
}

// intent says what asking for rev means, or why it is refused.
func (u *unit) intent(d *document, s endpoint.Spec, rev endpoint.Revision) (intent, error) {
	if rev.Digest == d.Stable.Revision.Digest {
		return stay, nil
	}
	if d.inRollout() && rev.Digest == d.Candidate.Revision.Digest {
		return resume, nil
	}
	if j := d.rejection(rev.Digest, s.Rollout.Retry); j != nil {
		return try, fmt.Errorf("endpoint %s: %w; change the model, or set rollout.retry to another value to try it again", d.id(), &endpoint.RejectedError{Rejection: *j})
	}
	if !d.inRollout() {
		return try, nil
	}
	if runner, alive := u.driven(d, time.Now()); alive {
		return try, fmt.Errorf("endpoint %s: %w to revision %s, driven by %s (%s, weight %d%%): wait for its end, or stop that runner",
			d.id(), endpoint.ErrBusy, short(d.Candidate.Revision.Digest), runner, d.Record.Phase, d.Record.Weight)
	}
	return try, nil
}

// apply writes what was asked for into the document.
func (d *document) apply(s endpoint.Spec, rev endpoint.Revision, want intent, now time.Time) error {
	policy, err := policyOf(s)
	if err != nil {
		return err
	}
	if d.inRollout() && want != resume {
		why := "revision " + short(rev.Digest) + " was asked for instead"
		if want == stay {
			why = "the stable revision was asked for again"
		}
		if err := d.supersede(why, now); err != nil {
			return err
		}
	}
	d.setSpec(s)
	switch want {
	case stay:
		d.Stable = deploy(s, rev)
	case resume:
		c := deploy(s, rev)
		d.Candidate = &c
		if s.Rollout.Run == endpoint.Staged && d.Record.Epoch == 0 {
			d.Record.Staged = true // whoever was to drive it never did
		}
	case try:
		c := deploy(s, rev)
		d.Candidate, d.Previous = &c, nil // there are two slots
		d.Record = rollout.Begin(rev.Digest, d.Stable.Revision.Digest, policy, now)
		d.Record.Staged = s.Rollout.Run == endpoint.Staged
	}
	return nil
}

// supersede ends the rollout under way.
func (d *document) supersede(why string, now time.Time) error {
	p, err := rollout.ParsePolicy(d.Record.Policy)
	if err != nil {
		return fmt.Errorf("end the rollout of %s: %w", d.id(), err)
	}
	if err := d.Record.Writable(); err != nil {
		return fmt.Errorf("end the rollout of %s: %w", d.id(), err)
	}
	d.Record = rollout.Next(p, d.Record, rollout.Superseded{Why: why, At: now})
	d.settle(now)
	return nil
}

// tryInPlace starts what another environment or more replicas need, beside what runs, and
// returns when it is ready. Nothing is written and no request goes there yet.
func (u *unit) tryInPlace(ctx context.Context, doc *document, s endpoint.Spec, secrets map[string]string) error {
	if s.Env.Secrets != nil {
		secrets = s.Env.Secrets
	}
	changed := func() []*slot {
		u.mu.Lock()
		defer u.mu.Unlock()
		next := *doc
		next.Spec.Replicas = s.Replicas
		var all []*slot
		for _, r := range u.serving(doc) {
			key := keyOf(r, s.Env.Values, secrets)
			if old, ok := u.slots[key]; ok {
				if s.Replicas > doc.Spec.Replicas {
					u.replicas = s.Replicas
					all = append(all, old)
				}
				continue
			}
			n := u.startSlot(key, &next, r, maps.Clone(s.Env.Values), secrets)
			u.slots[key], u.trial[key] = n, true
			all = append(all, n)
		}
		return all
	}()
	if len(changed) == 0 {
		return nil
	}
	u.reconcile()
	return u.await(ctx, func(*document) (bool, error) {
		for _, n := range changed {
			ok, err := n.full()
			if err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	})
}

// serving returns the revisions that have to go on serving through a change: the stable one,
// and a candidate that could serve. Another one gets the change when it starts again.
func (u *unit) serving(doc *document) []deployed {
	all := []deployed{doc.Stable}
	if doc.inRollout() {
		if s := u.candidate(doc); s != nil && s.ready(time.Now()) {
			all = append(all, *doc.Candidate)
		}
	}
	return all
}

// settleTrial lets reconcile use what was tried: the document asks for it now.
func (u *unit) settleTrial() {
	u.mu.Lock()
	clear(u.trial)
	u.replicas = 0
	u.mu.Unlock()
	u.saved()
}

// endTrial stops what was tried and is not asked for.
func (u *unit) endTrial() {
	u.mu.Lock()
	pending := len(u.trial) > 0 || u.replicas != 0
	u.mu.Unlock()
	if pending {
		u.settleTrial()
	}
}
