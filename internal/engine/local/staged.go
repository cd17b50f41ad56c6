package local

import (
	"fmt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// waitsForRunner reports whether a candidate is staged, and nobody drives it yet.
func waitsForRunner(r rollout.Record) bool { return r.Staged && r.Epoch == 0 && !r.Phase.Final() }

// A tally says from which restart on those of a candidate's servers count against it. A slot may
// have run before its rollout: as the previous revision, or staged for weeks.
type tally struct {
	rollout string
	driven  bool
	before  int
}

// restarts are those in the rollout, since somebody drives it or is expected to.
func (s *slot) restarts(r rollout.Record) int {
	n := s.state().Restarts
	driven := !waitsForRunner(r)
	if t := s.tally; t.rollout != r.ID || t.driven != driven {
		s.tally = tally{rollout: r.ID, driven: driven, before: s.restartsBefore(r, n)}
	}
	if !driven {
		return 0
	}
	return n - s.tally.before
}

// restartsBefore is none for a slot that was started for the rollout: it may have restarted before
// anybody looked.
func (s *slot) restartsBefore(r rollout.Record, n int) int {
	if s.tally.rollout == r.ID || s.began.Before(r.Began) {
		return n
	}
	return 0
}

// busy says why an endpoint cannot be deleted in mid-rollout, and what to do.
func busy(doc *document) error {
	id := doc.id()
	if waitsForRunner(doc.Record) {
		return fmt.Errorf("delete endpoint %s: %w: a candidate is staged and waits for its promotion: end it with `tidegate cancel %s`, or by applying the stable model again",
			id, endpoint.ErrBusy, id)
	}
	return fmt.Errorf("delete endpoint %s: %w (%s, weight %d%%): wait for its end, or end it with `tidegate cancel %s`, or by applying the stable model again",
		id, endpoint.ErrBusy, doc.Record.Phase, doc.Record.Weight, id)
}
