package local

import (
	"bytes"
	"context"
	"fmt"
	"reflect"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// saveRecord writes a runner's record with its weights, if v is the version stored, and
// returns when the router splits by it.
func (d *daemon) saveRecord(id string, r rollout.Record, v version) (version, error) {
	u, err := d.unit(id)
	if err != nil {
		return "", err
	}
	var now version
	valid := false
	written, err := d.write(id, func(_ *tx, doc *document) error {
		if doc.version() != v {
			return fmt.Errorf("endpoint %s: version %s is stored, not %s: %w", id, doc.version(), v, rollout.ErrConflict)
		}
		if reflect.DeepEqual(doc.Record, r) {
			now = v
			return errUnchanged
		}
		if err := follows(doc.Record, r); err != nil {
			return fmt.Errorf("save the rollout of %s: %w", id, err)
		}
		if goesBack(doc.Record, r) {
			if err := u.mayGoBack(doc); err != nil {
				return err
			}
		}
		if err := u.ends(doc, r); err != nil {
			return err
		}
		valid = doc.inRollout()
		doc.Record = r
		return nil
	})
	if err != nil && valid && r.Phase == rollout.RolledBack {
		err = u.endUnsaved(v, r, err)
	}
	if err != nil {
		return "", err
	}
	if written {
		u.saved()
		doc, _, err := d.load(id)
		if err != nil || doc == nil {
			return "", fmt.Errorf("endpoint %s: %w", id, rollout.ErrNotFound)
		}
		now = doc.version()
	}
	return now, nil
}

// follows refuses a record that cannot come after the stored one, whoever wrote it: another
// rollout's, an earlier runner's, one that says more than was approved (S1, S2, S5).
func follows(old, r rollout.Record) error {
	if err := r.Writable(); err != nil {
		return err
	}
	switch {
	case goesBack(old, r):
		return takesBack(old, r)
	case old.Phase.Final():
		return invalid("the rollout is over (%s)", phaseName(old.Phase))
	case r.ID != old.ID, r.Candidate != old.Candidate, r.Stable != old.Stable, !bytes.Equal(r.Policy, old.Policy):
		return invalid("the record is of another rollout")
	case r.Epoch < old.Epoch:
		return fmt.Errorf("epoch %d drives the rollout now, not %d: %w", old.Epoch, r.Epoch, rollout.ErrConflict)
	case r.Weight < 0, r.Weight > r.Approved, r.Approved > 100:
		return invalid("weight %d, approved %d: want 0 <= weight <= approved <= 100", r.Weight, r.Approved)
	case old.Ready.IsZero() && r.Weight > 0:
		return invalid("weight %d for a candidate that was never ready", r.Weight)
	}
	switch r.Phase {
	case rollout.Preparing, rollout.Observing, rollout.Holding, rollout.AwaitingApproval:
		if r.Failure != nil || r.Weight == 100 {
			return invalid("phase %q with weight %d or a failure", r.Phase, r.Weight)
		}
	case rollout.Promoted:
		if r.Failure != nil || r.Weight != 100 {
			return invalid("phase %q with weight %d or a failure", r.Phase, r.Weight)
		}
	case rollout.RolledBack:
		if r.Failure == nil || r.Weight != 0 {
			return invalid("phase %q with weight %d, or without a failure", r.Phase, r.Weight)
		}
	default:
		return invalid("phase %q: want one of %q", r.Phase, rollout.Phases())
	}
	return nil
}

func phaseName(p rollout.Phase) string {
	if p == "" {
		return "there was none"
	}
	return string(p)
}

// changedSince returns when the stored version is not v, with ctx's error, or, if the caller wants to know, when what
// was counted decides.
func (d *daemon) changedSince(ctx context.Context, id string, v version, wants bool) (now version, due bool, err error) {
	u, err := d.unit(id)
	if err != nil {
		return "", false, err
	}
	for {
		next := u.changed.next()
		doc, _, err := d.load(id)
		if err != nil {
			return "", false, err
		}
		if doc == nil {
			return "", false, notFound(id)
		}
		if doc.version() != v {
			return doc.version(), false, nil
		}
		if wants && u.due() {
			return v, true, nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return "", false, ctx.Err()
		case <-d.stopping:
			return "", false, errStopping
		}
	}
}
