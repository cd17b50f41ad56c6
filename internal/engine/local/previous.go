package local

import (
	"bytes"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A previous revision served until a promotion. Its servers run on, without traffic, so that
// going back takes no time. It has the slot that the next candidate takes.
type previous struct {
	deployed

	Until time.Time `json:"until"` // then it is stopped
}

// keep remembers what the candidate takes the place of, for as long as the rollout's policy says.
func (d *document) keep(now time.Time) {
	d.Previous = nil
	p, err := rollout.ParsePolicy(d.Record.Policy)
	if err != nil || p.Limits.Keep() <= 0 || d.Stable.Revision == d.Candidate.Revision {
		return
	}
	d.Previous = &previous{d.Stable, now.Add(p.Limits.Keep()).UTC()}
}

// wentBack reports whether a person took back the promotion of what is stable.
func (d *document) wentBack() bool {
	r := d.Record
	return r.Phase == rollout.RolledBack && r.Failure != nil && d.Previous != nil &&
		r.Candidate == d.Stable.Revision.Digest && r.Stable == d.Previous.Revision.Digest
}

// goBack makes the previous revision stable again. What was promoted is not tried again.
func (d *document) goBack() {
	promoted := d.Stable
	d.Stable, d.Previous = d.Previous.deployed, nil
	if f := d.Record.Failure; f.Rejected {
		d.reject(promoted.Revision, *f)
	}
}

// status is what others see of it; nil where there is none.
func (p *previous) status() *endpoint.Previous {
	if p == nil {
		return nil
	}
	return &endpoint.Previous{Revision: p.Revision, Model: p.Model, Until: p.Until}
}

// goesBack reports whether r takes back a promotion: the one thing that may follow it (S4).
func goesBack(old, r rollout.Record) bool {
	return old.Phase == rollout.Promoted && r.Phase == rollout.RolledBack && r.ID == old.ID
}

// mayGoBack refuses going back to what is not there to serve at once.
func (u *unit) mayGoBack(doc *document) error {
	r := doc.Record
	if doc.Previous == nil || doc.Previous.Revision.Digest != r.Stable || doc.Stable.Revision.Digest != r.Candidate {
		return &rollout.RefusedError{Why: fmt.Sprintf("The promotion of %s cannot be taken back: revision %s is not kept any more (limits.keep_previous "+
			"says for how long it is). Traffic stays as it is. To go back, apply the older model, which is a rollout of its own.",
			doc.id(), short(r.Stable))}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.runs(doc.Previous.Revision.Digest)
	if s != nil && s.ready(time.Now()) {
		return nil
	}
	if s != nil && s.state().Failed {
		return &rollout.RefusedError{Why: fmt.Sprintf("The promotion of %s cannot be taken back: revision %s is kept, but it does not serve: %s. "+
			"Traffic stays as it is. To go back, apply the older model, which is a rollout of its own.", doc.id(), short(r.Stable), s.state().Problem)}
	}
	problem := "its servers are starting"
	if s != nil && s.state().Problem != "" {
		problem = s.state().Problem
	}
	// Whoever asked for it tries again, for a while.
	return notServingError(fmt.Sprintf("the promotion of %s cannot be taken back yet: revision %s does not serve: %s; traffic stays as it is, try again in a moment",
		doc.id(), short(r.Stable), problem))
}

// takesBack refuses a record that takes back a promotion in another way than a person can.
func takesBack(old, r rollout.Record) error {
	same := r.Candidate == old.Candidate && r.Stable == old.Stable && bytes.Equal(r.Policy, old.Policy) && r.Epoch == old.Epoch
	if f := r.Failure; !same || f == nil || f.Kind != rollout.KindOperator || r.Weight != 0 || r.Approved != 0 {
		return invalid("the rollout is over (%s): only a person can take it back", old.Phase)
	}
	return nil
}

// expire stops keeping the previous revision when its time is over.
func (u *unit) expire(doc *document, now time.Time) {
	if left := doc.Previous.Until.Sub(now); left > 0 {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.keeping = wakeIn(u, u.keeping, left+10*time.Millisecond)
		return
	}
	written, err := u.d.write(u.id, func(_ *tx, d *document) error {
		if d.Version != doc.Version {
			return errUnchanged // somebody else wrote, which woke run again
		}
		d.Previous = nil
		return nil
	})
	if err != nil {
		u.log().Error("cannot save that the previous revision is not kept any more", "error", err)
		time.AfterFunc(time.Second, u.wake)
		return
	}
	if written {
		u.saved()
	}
}

// runs returns the slot of a revision, not one that an update is trying; nil if there is none.
func (u *unit) runs(digest string) *slot {
	for key, s := range u.slots {
		if key.revision == digest && !u.trial[key] {
			return s
		}
	}
	return nil
}
