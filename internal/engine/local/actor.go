package local

import (
	"fmt"
	"reflect"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const (
	// restartsAllowed of a candidate's servers, in one rollout: the next one ends it.
	restartsAllowed = 2
	// returnGrace is what a runner has to come back after the engine itself was away.
	returnGrace = 10 * time.Second
)

// act feeds the rollout what only the engine can see: that the candidate can serve, that it
// cannot, that nobody drives any more. It saves like any runner does, by compare-and-swap.
func (u *unit) act() {
	doc, _, err := u.d.load(u.id)
	if err != nil || doc == nil {
		return
	}
	now := time.Now()
	u.mu.Lock()
	u.heard(doc, now)
	u.mu.Unlock()
	if doc.Previous != nil {
		u.expire(doc, now)
		return // nobody is on trial
	}
	if !doc.inRollout() {
		return
	}
	if pending, err := u.store(doc); pending {
		if err == nil {
			u.saved()
		}
		return
	}
	var e rollout.Event
	p, err := rollout.ParsePolicy(doc.Record.Policy)
	if err == nil {
		e = u.event(doc, p, now)
	} else {
		// A damaged record: Next rolls it back whatever the event, and says why.
		e = rollout.Abandoned{At: now}
	}
	if e == nil {
		return
	}
	var next rollout.Record
	written, err := u.d.write(u.id, func(_ *tx, d *document) error {
		if d.Version != doc.Version {
			return errUnchanged // somebody else wrote, which woke run again
		}
		next = rollout.Next(p, d.Record, e)
		if reflect.DeepEqual(next, d.Record) {
			return errUnchanged
		}
		d.Record = next
		return nil
	})
	if err != nil {
		if next.Phase == rollout.RolledBack {
			_ = u.endUnsaved(doc.version(), next, err) // it is logged, and shown in the status
			return
		}
		u.log().Error("cannot save the rollout", "error", err)
		time.AfterFunc(storeAgain, u.wake)
		return
	}
	if written {
		u.saved()
	}
}

// event returns what happened to the candidate, or nil, and sees to it that run looks again
// when a runner that falls silent has to be noticed.
func (u *unit) event(doc *document, p rollout.Policy, now time.Time) rollout.Event {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s := u.candidate(doc); s != nil {
		st := s.state()
		switch {
		case st.Hindered: // which says nothing of the candidate
			return rollout.Cancelled{Why: "this machine kept the candidate's model servers from starting: " + st.Problem, At: now}
		case st.Failed:
			return rollout.Failed{Why: st.Problem, At: now}
		case s.restarts(doc.Record) > restartsAllowed:
			return rollout.Failed{Why: fmt.Sprintf("its model servers were restarted %d times: %s", s.restarts(doc.Record), st.Problem), At: now}
		case doc.Record.Phase == rollout.Preparing && doc.Record.Ready.IsZero() && s.ready(now):
			return rollout.Ready{At: now}
		}
	}
	if waitsForRunner(doc.Record) {
		return nil // for as long as it takes
	}
	limit := time.Duration(p.Limits.AbandonedAfter)
	s := u.heard(doc, now)
	left := limit - s.silence(now)
	if s.old { // a runner that the engine's end cut off has time to come back
		left = max(left, min(limit, returnGrace)-now.Sub(s.at))
	}
	if at := s.clock(now); left < 0 && rollout.Lapsed(doc.Record, p, at) {
		return rollout.Abandoned{At: at}
	}
	u.timer = wakeIn(u, u.timer, max(left, 0)+10*time.Millisecond)
	return nil
}

// candidate returns the slot on trial, not one that an update is trying.
func (u *unit) candidate(doc *document) *slot {
	return u.runs(doc.Candidate.Revision.Digest)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
