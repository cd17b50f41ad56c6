package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
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
		doc.Record = r
		return nil
	})
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
	case rollout.Preparing, rollout.Observing, rollout.Holding:
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
		return invalid("phase %q: want %s, %s, %s, %s or %s", r.Phase,
			rollout.Preparing, rollout.Observing, rollout.Holding, rollout.Promoted, rollout.RolledBack)
	}
	return nil
}

func phaseName(p rollout.Phase) string {
	if p == "" {
		return "there was none"
	}
	return string(p)
}

// changedSince returns when the stored version is not v, or with ctx's error.
func (d *daemon) changedSince(ctx context.Context, id string, v version) (version, error) {
	u, err := d.unit(id)
	if err != nil {
		return "", err
	}
	for {
		next := u.changed.next()
		doc, _, err := d.load(id)
		if err != nil {
			return "", err
		}
		if doc == nil {
			return "", notFound(id)
		}
		if doc.version() != v {
			return doc.version(), nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return "", ctx.Err()
		case <-d.stopping:
			return "", errStopping
		}
	}
}

// marksKept bounds the memory of weight changes between two counts.
const marksKept = 256

// marks are the totals at each change of the table, so that no window spans two weights.
type marks struct {
	last uint64 // number of the latest mark
	list []mark
}

type mark struct {
	number uint64
	totals gate.Window
}

// mark notes the totals when t splits requests otherwise than the table before it.
func (u *unit) mark(t router.Table) {
	o := u.table
	if t.Stable.Revision != o.Stable.Revision || t.Candidate.Revision != o.Candidate.Revision {
		u.marks.last++
		u.marks.list = nil // of other revisions
		return
	}
	if t.Weight == o.Weight {
		return
	}
	u.marks.last++
	u.marks.list = append(u.marks.list, mark{u.marks.last, u.totals(o.Candidate.Revision, o.Stable.Revision)})
	if n := len(u.marks.list) - marksKept; n > 0 {
		u.marks.list = u.marks.list[n:]
	}
}

func (u *unit) totals(candidate, stable string) gate.Window {
	w := gate.Window{Stable: u.router.Totals(stable)}
	if candidate != "" {
		w.Candidate = u.router.Totals(candidate)
	}
	return w
}

// A cursor is what the engine gives out as a rollout.Cursor: totals, and what they are of.
type cursor struct {
	Boot      string      `json:"boot"` // of the counters, which begin at 0
	Candidate string      `json:"candidate"`
	Stable    string      `json:"stable"`
	Mark      uint64      `json:"mark"`
	Seen      gate.Window `json:"seen"`
}

// count returns the windows since c: differences of totals. Other counters or revisions than
// the cursor's have no difference: no window, and the cursor starts anew.
func (d *daemon) count(id string, c rollout.Cursor) ([]gate.Window, rollout.Cursor, error) {
	u, err := d.unit(id)
	if err != nil {
		return nil, nil, err
	}
	var old cursor
	if len(c) > 0 {
		if err := json.Unmarshal(c, &old); err != nil {
			return nil, nil, invalid("the cursor is not this engine's: %v", err)
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.router == nil {
		return nil, nil, fmt.Errorf("count requests of %s: its address is not open: %w", id, u.unheard)
	}
	now := cursor{Boot: u.boot, Candidate: u.table.Candidate.Revision, Stable: u.table.Stable.Revision, Mark: u.marks.last,
		Seen: u.totals(u.table.Candidate.Revision, u.table.Stable.Revision)}
	b, err := json.Marshal(now)
	if err != nil {
		return nil, nil, err
	}
	if old.Boot != now.Boot || old.Candidate != now.Candidate || old.Stable != now.Stable {
		return nil, b, nil
	}
	return u.marks.windows(old, now), b, nil
}

// windows cuts the difference of two cursors at the marks between them.
func (m marks) windows(old, now cursor) []gate.Window {
	var all []gate.Window
	since := old.Seen
	for _, k := range m.list {
		if k.number <= old.Mark {
			continue
		}
		if w := minus(k.totals, since); w != (gate.Window{}) {
			all = append(all, w)
		}
		since = k.totals
	}
	return append(all, minus(now.Seen, since))
}

// minus never goes below zero: a counter that was forgotten begins anew.
func minus(a, b gate.Window) gate.Window {
	return gate.Window{Candidate: minusArm(a.Candidate, b.Candidate), Stable: minusArm(a.Stable, b.Stable)}
}

func minusArm(a, b gate.Arm) gate.Arm {
	if a.Requests < b.Requests || a.Bad < b.Bad {
		return a
	}
	return gate.Arm{Requests: a.Requests - b.Requests, Bad: a.Bad - b.Bad}
}
