package local

import (
	"fmt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// An unsavedEnd is the end of a rollout that is decided and could not be stored: the disk is full, or
// cannot be written. The router carries it out all the same, for a lower weight is always safe.
// It stays, whatever a runner wants meanwhile, until it is stored. An engine that is started anew
// knows only what is stored: there the rollout goes on, or is abandoned.
type unsavedEnd struct {
	of     version // of the document that it ends
	record rollout.Record
	why    error // it could not be stored
}

// endUnsaved takes the candidate off without a write, and has run try to store it again and again.
func (u *unit) endUnsaved(of version, r rollout.Record, why error) error {
	u.mu.Lock()
	if u.unsaved == nil || u.unsaved.of != of {
		u.unsaved = &unsavedEnd{of: of, record: r}
		u.log().Error("the rollout has ended, which cannot be stored; the candidate gets no request", "reason", r.Failure.Reason, "error", why)
	}
	if u.unsaved.why = fromDisk(why); u.unsaved.why == nil {
		u.unsaved.why = why
	}
	e := *u.unsaved
	u.retry = wakeIn(u, u.retry, storeAgain)
	u.mu.Unlock()
	u.reconcile()
	return e.err(u)
}

// pending returns the ending of a document, or nil. Call it with u.mu held.
func (u *unit) pending(doc *document) *unsavedEnd {
	if u.unsaved != nil && (u.unsaved.of != doc.version() || !doc.inRollout()) {
		u.unsaved = nil // stored, or somebody else's write was
	}
	return u.unsaved
}

// ends returns why a runner's record is refused, which is nil while nothing is pending. A record that ends
// the rollout itself is as good.
func (u *unit) ends(doc *document, r rollout.Record) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	e := u.pending(doc)
	if e == nil || r.Phase == rollout.RolledBack {
		return nil
	}
	return e.err(u)
}

func (e *unsavedEnd) err(u *unit) error {
	return fmt.Errorf("endpoint %s: %w. %s Safe: all traffic is on the stable revision. Not safe: this could not be stored (%w), "+
		"so an engine that is started anew would not know it. Next: %s; the engine then stores it by itself",
		u.id, rollout.ErrNotStored, e.record.Failure.Reason, e.why, u.d.dir.way(e.why))
}

// store tries to store a pending ending; it reports whether there is one.
func (u *unit) store(doc *document) (bool, error) {
	u.mu.Lock()
	e := u.pending(doc)
	u.mu.Unlock()
	if e == nil {
		return false, nil
	}
	_, err := u.d.write(u.id, func(_ *tx, d *document) error {
		if d.version() != e.of {
			return errUnchanged
		}
		d.Record = e.record
		return nil
	})
	if err != nil {
		return true, u.endUnsaved(e.of, e.record, err)
	}
	u.log().Info("the end of the rollout is stored now")
	return true, nil
}

// problem is what is wrong with a rollout, "" if nothing is. Call it with u.mu held.
func (u *unit) problem(doc *document) string {
	e := u.pending(doc)
	if e == nil {
		return ""
	}
	return e.err(u).Error()
}
