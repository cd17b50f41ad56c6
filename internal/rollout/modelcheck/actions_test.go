package modelcheck

import (
	"fmt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// An action is a step from one state to another, in words when somebody asks.
type action struct {
	who  uint8  // a runner, or one of those below
	does string // the predicate
	on   string // its object; "" for none
}

const (
	engine = 2
	store  = 3
	clock  = 4
	people = 5
)

var actors = [...]string{names[0], names[1], "the engine", "the store", "the clock", "a person"}

func (a action) String() string {
	if a.on == "" {
		return fmt.Sprintf("%s %s", actors[a.who], a.does)
	}
	return fmt.Sprintf("%s %s %s", actors[a.who], a.does, a.on)
}

// The actions by which a rollout goes on without anybody: if all runners were dead, these remain.
func (a action) byItself() bool {
	return a.who == clock || a.who == store || a.does == abandons || a.does == dies
}

// The actions of a person with a terminal, who drives or speaks, and of what obeys them.
func (a action) byRunner() bool { return a.who <= 1 || a.who == store }
func (a action) byPerson() bool { return a.who == people || a.who == store }

const (
	passes    = "passes"
	isReady   = "says that the candidate can serve"
	fails     = "says that the candidate cannot serve"
	replaces  = "ends the rollout, because another revision was asked for"
	begins    = "begins a rollout of another revision"
	abandons  = "says that nobody drives"
	does      = "carries out the write of"
	mutes     = "carries out, without an answer, the write of"
	twice     = "carries out, for the first of two times, the write of"
	late      = "carries out late the write of"
	refuses   = "finds another version, and refuses the write of"
	ignores   = "finds another version, and leaves without an answer the write of"
	dies      = "dies"
	isDone    = "finds that the rollout is over"
	isHeld    = "finds that another drives, and goes"
	loads     = "loads the record"
	waits     = "waits"
	adopts    = "loads the record, and finds that its claim was saved"
	claims    = "takes the lease for expired, and claims"
	counts    = "counts"
	cannot    = "fails to count"
	blind     = "fails to load"
	reloads   = "loads the record again"
	saves     = "sends what it decided"
	refused   = "hears an error, and the write will never be carried out"
	later     = "hears an error, and the write may be carried out later"
	cancels   = "is told to stop, and to cancel the rollout"
	freezes   = "is told to stop, and to leave the weight"
	lastWords = "sends its last words"
	finish    = "writes the second object"
	parts     = "does not wait for an approval"
	hasLeft   = "finds that its leaving was saved"
	says      = "says"
	saysAgain = "says again"
	wasSaid   = "finds that it was said"
	wasVain   = "finds that it is too late to say it"
)

// emit is told each action and the state that it leads to; wrong names the invariant that the
// step breaks.
type emit func(a action, s state, wrong string)

// actions tells every step that is possible in s.
//
// Where a runner is between a call that has returned and the one that it makes next, nobody
// else moves: all that it does there depends on nothing but itself, and a write that is on its
// way waits for as long as one likes.
func (m *model) actions(s *state, to emit) {
	for i := range s.run {
		if at := s.run[i].at; !m.plain && (at == loaded || at == holding) {
			m.runner(s, i, to)
			return
		}
	}
	m.passes(s, to)
	m.engine(s, to)
	m.people(s, to)
	for i := range s.run {
		m.latecomer(s, i, to)
		if i == 0 || !m.bounds.alone {
			m.runner(s, i, to)
		}
	}
}

// passes lets time go by. Beyond its bound there is only what happens when nobody drives.
func (m *model) passes(s *state, to emit) {
	alone := m.bounds.clock + max(m.bounds.skew[0], m.bounds.skew[1]) + 3 // abandoned_after is 2 ticks
	if s.clock < m.bounds.clock || s.clock < alone && s.dead() && !m.over(s) {
		next := *s
		next.clock++
		to(action{who: clock, does: passes}, next, "")
	}
}

// engine is an actor too: what only it can see becomes an event that it saves by itself.
func (m *model) engine(s *state, to emit) {
	r := m.rec(s.stored)
	act := func(does string, w what) {
		next := *s
		wrong := m.write(&next, engine, m.decide(s.stored, event{what: w, at: s.clock}, 0, 0))
		to(action{who: engine, does: does}, next, wrong)
	}
	switch {
	case r.Phase.Final() && s.rivals < m.bounds.replacements && s.clock <= m.bounds.clock:
		next := *s
		next.rivals++
		next.owner = 0
		next.stored = m.begin(next.rivals, s.clock)
		next.routed = 0
		m.outdate(&next)
		to(action{who: engine, does: begins}, next, "")
	case !r.Phase.Final():
		if rollout.Lapsed(*r, m.policy, m.time(s.clock)) {
			act(abandons, abandoned)
		}
		if s.clock > m.bounds.clock {
			return
		}
		if r.Ready.IsZero() {
			act(isReady, ready)
		}
		act(fails, failed)
		act(replaces, superseded)
	}
}
