package modelcheck

import (
	"errors"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

var errRefused = errors.New("connection refused")

// A model is the rules of the game: what may follow a state.
type model struct {
	values
	memo   map[decision]id
	policy rollout.Policy
	next   func(rollout.Policy, rollout.Record, rollout.Event) rollout.Record
	unit   time.Duration // of a tick
	bounds bounds
	mutant mutant
	plain  bool // every state is visited, also those that differ in nothing that matters
}

// bounds make the game finite.
type bounds struct {
	clock        uint16 // ticks until which there are runners
	windows      uint8  // of users' requests, at most 16
	epochs       uint64
	late         uint8     // writes that may be carried out late at the same time, 1 or 2
	replacements uint8     // further rollouts at the same endpoint
	ready        bool      // the candidate can serve from the beginning
	skew         [2]uint16 // ticks by which a runner's clock is ahead
	people       uint8     // a person's writes that may be on their way at the same time, at most 2
	approvals    [2]bool   // which steps want a person's word
	leaves       bool      // runners may leave where that is awaited
	staged       bool      // the rollout waits for a runner as long as that may take
	alone        bool      // there is one runner at a time
}

// A mutant breaks the protocol in one way, to see whether the checker notices.
type mutant struct {
	actFirst       bool // the router gets a higher weight before the record is saved
	lastWriterWins bool // the store does not compare versions
	noEpochCheck   bool // a runner that was taken over goes on with what is stored
	twoObjects     bool // record and weight are written one after the other
	cursorApart    bool // the cursor is not written with the evidence
	noReload       bool // after an error a runner goes on with what it remembers
	countsAgain    bool // what a runner decided by a count, it decides again by the same count
	tellsBlindly   bool // what people say is saved onto whatever is stored
	tellsAnybody   bool // what people say is said again of whatever rollout and step is there by then
}

// tick is as long as a lease, so that the least limits of a policy take few of them.
const tick = rollout.Lease

func newModel(b bounds) *model {
	p := rollout.DefaultPolicy()
	p.Steps = []rollout.Step{{Weight: 10}, {Weight: 50}}
	p.SkipLeading = false
	p.Limits = rollout.Limits{
		StepMinimum:    rollout.Duration(tick / 5),
		Bake:           rollout.Duration(tick),
		Step:           rollout.Duration(3 * tick),
		Total:          rollout.Duration(4 * tick),
		Blind:          rollout.Duration(3 * tick),
		AbandonedAfter: rollout.Duration(2 * tick),
		Approval:       rollout.Duration(2 * tick),
	}
	for i, asks := range b.approvals {
		p.Steps[i].Approval = asks
	}
	return &model{values: newValues(), memo: map[decision]id{}, policy: p, next: rollout.Next, unit: tick, bounds: b}
}

// A state is all that there is at an instant. It is compared as a whole.
type state struct {
	log    uint32 // users' requests: windows of two bits each
	stored id
	clock  uint16
	seen   uint8 // how many windows were counted by anybody
	routed uint8 // the router's weight
	owner  uint8 // who took over last: 1 or 2; 0 before
	rivals uint8 // how many rollouts were replaced
	run    [2]runner
	late   [2]write // a runner's write that the store has not carried out yet, and that nobody waits for
	person person
}

// A write on its way.
type write struct {
	value id
	fresh bool // the version it names is the one stored
}

// A runner is a Run: its position, and rollout's driver in few bytes.
type runner struct {
	at      position
	fresh   bool  // d.v is the version stored
	stale   bool  // d.stale
	intends bool  // event is d.intent
	rec     id    // d.rec
	saving  id    // the write on its way
	lost    id    // the claim whose answer was lost
	event   event // counted and not saved, or the intent, or the last words
}

type position uint8

const (
	away      position = iota // not started, dead or done, or about to load
	loaded                    // about to claim, or to wait
	claiming                  // its taking over is on its way
	turning                   // drives: about to reload or to count
	holding                   // has counted, and not saved
	saving                    // its decision is on its way
	leaving                   // its context has ended: about to say so
	ending                    // its last words are on their way
	parting                   // an approval is awaited, and it does not wait: about to say so
	parted                    // that is on its way
	finishing                 // a mutant's second write
)

// drives reports whether the runner takes itself for the one that drives.
func (r runner) drives() bool { return r.at >= turning && r.at != finishing }

// first is the state in which a rollout has just begun.
func (m *model) first() state {
	s := state{stored: m.begin(0, 0)}
	if m.bounds.ready {
		s.stored = m.decide(s.stored, event{what: ready}, 0, 0)
	}
	return s
}

func (m *model) begin(rival uint8, at uint16) id {
	candidate := [...]string{"sha256:c", "sha256:d"}[rival]
	r := rollout.Begin(candidate, "sha256:a", m.policy, m.time(at))
	r.Staged = m.bounds.staged
	return m.keep(value{rec: r})
}

// dead reports whether no runner is there.
func (s *state) dead() bool { return s.run == [2]runner{} }

func (m *model) rec(i id) *rollout.Record { return &m.all[i].rec }

// over reports whether the stored rollout is.
func (m *model) over(s *state) bool { return m.rec(s.stored).Phase.Final() }

// forget makes states equal that differ only in what nobody can ask for any more.
func (m *model) forget(s *state) {
	asked := m.cursor(s.stored)
	m.forgetPerson(s)
	for _, v := range []id{s.person.saving, s.person.late.value} {
		if v != 0 {
			asked = min(asked, m.cursor(v))
		}
	}
	for i := range s.run {
		r := &s.run[i]
		if m.mutant == (mutant{}) {
			m.forgetVain(s, r)
		}
		if r.lost != 0 && s.late[i].value == 0 && !sameClaim(m.rec(r.lost), m.rec(s.stored)) {
			r.lost = 0
		}
		if r.drives() {
			asked = min(asked, m.cursor(r.rec))
		}
		if r.event.what == counted {
			asked = min(asked, r.event.from)
		}
		if s.late[i].value != 0 {
			asked = min(asked, m.cursor(s.late[i].value))
		}
	}
	if asked == beginning { // whoever counts begins anew
		asked = s.seen
	}
	s.log = s.log >> (2 * asked) << (2 * asked)
}

// forgetVain makes equal what a runner tries in vain. A write whose version is not the one stored
// is refused, whatever it holds: versions are never used again. That the runner hears of it is no
// step of its own, for until then it does nothing. And who was taken over, or is about to learn
// that the rollout is over, will only try such writes until it loads again.
func (m *model) forgetVain(s *state, r *runner) {
	if r.fresh || r.at == holding {
		return
	}
	if r.saving != 0 {
		m.failed(r, false)
	}
	now := m.rec(s.stored)
	if r.drives() && (now.Phase.Final() || m.rec(r.rec).ID != now.ID || m.rec(r.rec).Epoch != now.Epoch) {
		*r = runner{at: r.at, stale: true, rec: m.oldest[m.epoch(r.rec)], event: r.event}
		if r.event.what != nothing {
			r.event = event{what: left}
		}
	}
}

// cursor is up to which window a value counted.
func (m *model) cursor(v id) uint8 { return m.cursors[v] }
