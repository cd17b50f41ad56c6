package modelcheck

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A kind of window: what users saw in it.
type kind uint8

const (
	thin kind = iota // too few requests to decide anything
	good             // enough to pass any step
	bad              // enough to fail
	only             // the stable revision alone, as at weight 0
)

var kinds = [...]string{"a few requests", "good requests", "bad requests", "requests on stable alone"}

// window returns the requests of a window of this kind.
func (k kind) window() gate.Window {
	const many = 100_000
	w := gate.Window{Stable: gate.Arm{Requests: many}}
	switch k {
	case thin:
		w.Candidate.Requests, w.Stable.Requests = 2, 2
	case good:
		w.Candidate.Requests = many
	case bad:
		w.Candidate.Requests, w.Candidate.Bad = many, many/2
	case only:
	}
	return w
}

func requests(w gate.Window) uint64 { return w.Candidate.Requests + w.Stable.Requests }

// A stored value, or one that a runner holds: a record with what only the checker knows of it.
type value struct {
	rec      rollout.Record
	counted  uint16 // the windows that were taken in, a bit each
	requests uint64 // that these held
	base     uint8  // the window with which the rollout's first cursor began
	approves pin    // what the person saw whose approval it has
	wrong    string // the invariant that the decision behind it breaks; "" if none
}

// An id names a value in the checker. 0 is none.
type id uint16

// values keeps each value once. Two records are the same if nothing that Next reads differs.
type values struct {
	all     []value
	cursors []uint8 // of each
	byKey   map[string]id
	oldest  map[epoch]id // the first value that was met of each
}

// An epoch of a rollout.
type epoch struct {
	rollout string
	number  uint64
}

func (vs *values) epoch(v id) epoch { return epoch{vs.all[v].rec.ID, vs.all[v].rec.Epoch} }

func newValues() values {
	return values{all: make([]value, 1), cursors: []uint8{beginning}, byKey: map[string]id{}, oldest: map[epoch]id{}}
}

// keep returns the id of v.
func (vs *values) keep(v value) id {
	v = v.bare()
	k := key(v)
	if at, ok := vs.byKey[k]; ok {
		return at
	}
	if len(vs.all) > math.MaxUint16 {
		panic("more values than an id can name: smaller bounds, or a wider id")
	}
	at := id(len(vs.all))
	vs.all = append(vs.all, v)
	vs.cursors = append(vs.cursors, behind(v.rec.Cursor))
	vs.byKey[k] = at
	if _, met := vs.oldest[vs.epoch(at)]; !met {
		vs.oldest[vs.epoch(at)] = at
	}
	return at
}

// bare is v without what is only told: the history, reasons, and in a record that is final all
// that led there. Otherwise states would differ in nothing but words.
func (v value) bare() value {
	r := &v.rec
	r.History, r.Took = nil, time.Time{}
	if r.Approval != nil {
		r.Approval = &rollout.Approval{}
	}
	if r.Failure != nil {
		r.Failure = &rollout.Failure{Kind: r.Failure.Kind, Rejected: r.Failure.Rejected}
	}
	if r.Phase.Final() {
		v.rec = rollout.Record{Schema: r.Schema, ID: r.ID, Phase: r.Phase, Stable: r.Stable, Candidate: r.Candidate,
			Policy: r.Policy, Weight: r.Weight, Approved: r.Approved, Epoch: r.Epoch, Failure: r.Failure}
		v.counted, v.requests, v.base, v.approves = 0, 0, 0, pin{}
	}
	return v
}

// key is the record's JSON without its policy, which is the same in all.
func key(v value) string {
	r := v.rec
	r.Policy = nil
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // a record that Next made and that cannot be written would be a find by itself
	}
	return fmt.Sprintf("%s %x %d %v %s", b, v.counted, v.base, v.approves, v.wrong)
}

// An event is a rollout.Event in few bytes. Those that count read the windows [from, to).
type event struct {
	what     what
	from, to uint8
	at       uint16 // ticks
}

type what uint8

const (
	nothing what = iota
	takenOver
	left
	ready
	counted
	unseen
	failed
	cancelled
	superseded
	abandoned
	approved // of the pin (from, to)
	rejected
)

// beginning is the from of an event that counts for the first time, without a cursor.
const beginning = 255

// A decision is what Next is asked: the answer is remembered.
type decision struct {
	before id
	event  event
	who    uint8
	seen   uint32 // the windows of the event
}

// decide asks Next for the value after e, and checks its answer.
func (m *model) decide(before id, e event, who int, log uint32) id {
	d := decision{before: before, event: e}
	if e.what == counted && e.from != beginning {
		d.seen = log & (1<<(2*e.to) - 1) >> (2 * e.from)
	}
	if e.what == takenOver {
		d.who = uint8(who)
	}
	if after, ok := m.memo[d]; ok {
		return after
	}
	v := m.all[before]
	happened := m.event(d)
	after := v
	after.rec = m.next(m.policy, v.rec, happened)
	if c, ok := happened.(rollout.Counted); ok && !v.rec.Phase.Final() {
		after.take(c, e)
	}
	if e.what == approved && v.rec.Approval == nil {
		after.approves = pin{e.from, e.to}
	}
	if after.rec.Approval == nil {
		after.approves = pin{}
	}
	if why := checkDecision(m.policy, v, happened, after); why != "" && after.wrong == "" {
		after.wrong = why
	}
	at := m.keep(after)
	m.memo[d] = at
	return at
}

// take notes which windows the event brought, and what is wrong with that.
func (v *value) take(c rollout.Counted, e event) {
	if e.from == beginning {
		v.base = e.to
		return
	}
	bits := uint16(1)<<e.to - uint16(1)<<e.from
	if v.counted&bits != 0 {
		v.wrong = "evidence: a window was counted twice"
	}
	v.counted |= bits
	for _, w := range c.Windows {
		v.requests += requests(w)
	}
}

// event makes the real event of a decision.
func (m *model) event(d decision) rollout.Event {
	at := m.time(d.event.at)
	switch d.event.what {
	case takenOver:
		return rollout.TakenOver{Runner: names[d.who], At: at}
	case left:
		return rollout.Left{Why: "cancelled by the user", At: at}
	case ready:
		return rollout.Ready{At: at}
	case counted:
		return rollout.Counted{Windows: windows(d), Cursor: cursorAt(d.event.to), At: at}
	case unseen:
		return rollout.Unseen{Why: errRefused.Error(), At: at}
	case failed:
		return rollout.Failed{Why: "it died", At: at}
	case cancelled:
		return rollout.Cancelled{Why: "cancelled by the user", At: at}
	case superseded:
		return rollout.Superseded{Why: "another revision was asked for", At: at}
	case abandoned:
		return rollout.Abandoned{At: at}
	case approved:
		return rollout.Approved{By: actors[people], At: at}
	case rejected:
		return rollout.Rejected{By: actors[people], At: at}
	case nothing:
	}
	panic("no event") // a state of the model that cannot be
}

// windows returns what a decision counts: like a real store, an empty window where there is none.
func windows(d decision) (all []gate.Window) {
	if d.event.from == beginning {
		return nil
	}
	for i := range d.event.to - d.event.from {
		all = append(all, kind(d.seen>>(2*i)&3).window())
	}
	if all == nil {
		all = []gate.Window{{}}
	}
	return all
}

// cursorAt is the cursor behind n windows.
func cursorAt(n uint8) rollout.Cursor { return rollout.Cursor(strconv.Itoa(int(n))) }

// behind reads a cursor.
func behind(c rollout.Cursor) uint8 {
	n, err := strconv.ParseUint(strings.TrimSpace(string(c)), 10, 8)
	if err != nil {
		return beginning
	}
	return uint8(n)
}

var (
	names    = [...]string{"runner one", "runner two"}
	midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where testing/synctest's clock begins
)

// time is the wall clock at a tick.
func (m *model) time(tick uint16) time.Time { return midnight.Add(time.Duration(tick) * m.unit) }
