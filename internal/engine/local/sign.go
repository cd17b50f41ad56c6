package local

import (
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A sign is the latest that the engine saw of a rollout's runners. Wall clocks jump, and the runner's
// is not the engine's: so silence is what the engine's monotonic clock counts from the moment when it saw the
// sign come. Only where the sign was there before the engine does the wall clock say how old it was.
type sign struct {
	rollout string
	epoch   uint64
	renewed time.Time // by the runner's clock; only equality means anything
	at      time.Time // when the engine saw it first
	age     time.Duration
	old     bool // it was there when the engine started
}

// heard returns the sign in a document. Call it with u.mu held.
func (u *unit) heard(doc *document, now time.Time) sign {
	s := sign{rollout: doc.Record.ID, epoch: doc.Record.Epoch, renewed: lastSign(doc.Record), at: now}
	if last := u.sign; u.signed && last.rollout == s.rollout && last.epoch == s.epoch && last.renewed.Equal(s.renewed) {
		return last
	}
	if !u.signed {
		s.old, s.age = true, max(now.Sub(s.renewed), 0)
	}
	u.sign, u.signed = s, true
	return s
}

// lastSign is when a runner last wrote, or when the rollout began.
func lastSign(r rollout.Record) time.Time { return later(r.Renewed, r.Began) }

// silence is for how long no runner gave a sign.
func (s sign) silence(now time.Time) time.Duration { return s.age + now.Sub(s.at) }

// clock is the time on the record's own clock: its last sign and the silence since. It does not jump.
func (s sign) clock(now time.Time) time.Time { return s.renewed.Add(s.silence(now)) }

// driven returns who drives the rollout and whether it is taken to be alive.
func (u *unit) driven(doc *document, now time.Time) (string, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return doc.Record.Runner, doc.Record.Runner != "" && u.heard(doc, now).silence(now) < rollout.Lease
}
