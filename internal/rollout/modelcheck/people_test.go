package modelcheck

import "github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"

// A person speaks by Tell, seen from the outside: see internal/rollout/tell.go. Between its Load and its Save nobody else
// needs to move, for all that matters of a version is whether it is still the one stored.
type person struct {
	word   what // approved, rejected or cancelled; nothing while nobody speaks
	of     pin  // the rollout and step that were there when the person spoke
	said   bool // it was saved, and that was not answered
	fresh  bool // the write names the version stored
	saving id   // the write on its way; 0 while it is about to load again
	late   write
	others bool // late is from the last time that somebody spoke
}

// A pin is what a person spoke of: the step, from 1, of which rollout at the endpoint.
type pin struct{ step, rollout uint8 }

func pinned(r *rollout.Record) pin {
	return pin{uint8(r.Step + 1), r.Candidate[len("sha256:")] - 'c'}
}

var meanings = map[what]string{
	approved:  "that the rollout may go on",
	rejected:  "that the candidate is to go",
	cancelled: "that the rollout is to end",
}

// people are all that somebody with a terminal can say, and what becomes of it.
func (m *model) people(s *state, to emit) {
	if m.bounds.people == 0 {
		return
	}
	switch p := &s.person; {
	case p.saving != 0:
		m.telling(s, to)
	case p.word != nothing:
		m.tellsAgain(s, to)
	case s.clock <= m.bounds.clock:
		for _, w := range []what{approved, rejected, cancelled} {
			m.tells(s, to, w, pinned(m.rec(s.stored)), says)
		}
	}
	if v := s.person.late.value; v != 0 {
		next := *s
		wrong := m.write(&next, people, v)
		next.person.said = s.person.said || s.person.word != nothing && !s.person.others
		to(action{store, late, actors[people]}, next, wrong)
	}
}

// tells is the first half of a try: what was said, of what is loaded.
func (m *model) tells(s *state, to emit, w what, of pin, does string) {
	v := m.mayTell(s, w, of)
	if v == 0 {
		return
	}
	next := *s
	next.person.word, next.person.of, next.person.fresh, next.person.saving = w, of, true, v
	if does == says {
		next.person.others = s.person.late.value != 0
	}
	to(action{people, does, meanings[w]}, next, "")
}

// mayTell is refusal: what Next makes of a word, or 0 where it has no place. That nobody is asked for an approval is left to
// Next to say.
func (m *model) mayTell(s *state, w what, of pin) id {
	r := m.rec(s.stored)
	switch now := pinned(r); {
	case m.mutant.tellsAnybody:
	case now.rollout != of.rollout, w == approved && now != of:
		return 0
	}
	if w == cancelled && r.Phase.Final() {
		return 0
	}
	e := event{what: w}
	if w == approved {
		e.from, e.to = of.step, of.rollout
	}
	if v := m.decide(s.stored, e, 0, 0); v != s.stored {
		return v
	}
	return 0
}

// tellsAgain is a further try.
func (m *model) tellsAgain(s *state, to emit) {
	p := s.person
	over := *s
	over.person = person{late: p.late}
	switch {
	case p.said:
		to(action{who: people, does: wasSaid}, over, "")
	case m.mayTell(s, p.word, p.of) != 0:
		m.tells(s, to, p.word, p.of, saysAgain)
	default:
		to(action{who: people, does: wasVain}, over, "")
	}
}

// telling is the second half: what was said is on its way.
func (m *model) telling(s *state, to emit) {
	again := func(s state, said bool) state {
		s.person.saving, s.person.fresh, s.person.said = 0, false, said || s.person.said
		return s
	}
	if !s.person.fresh && !m.mutant.tellsBlindly {
		to(action{store, refuses, actors[people]}, again(*s, false), "")
		to(action{store, ignores, actors[people]}, again(*s, false), "")
		to(action{who: people, does: refused}, again(*s, false), "")
		return
	}
	next := *s
	v := s.person.saving
	wrong := m.write(&next, people, v)
	if now := pinned(m.rec(s.stored)); wrong == "" && now.rollout != s.person.of.rollout {
		wrong = "S6: a word into another rollout than it was said of"
	}
	to(action{store, mutes, actors[people]}, again(next, true), wrong)
	next.person = person{}
	to(action{store, does, actors[people]}, next, wrong)
	to(action{who: people, does: refused}, again(*s, false), "")
	if m.bounds.people > 1 && s.person.late.value == 0 {
		next := again(*s, false)
		next.person.late, next.person.others = write{v, true}, false
		to(action{who: people, does: later}, next, "")
	}
}

// forgetPerson makes equal what a person says in vain. Who was not heard says it again, if ever, like one who says it for
// the first time.
func (m *model) forgetPerson(s *state) {
	if m.mutant == (mutant{}) && (!s.person.fresh || s.person.saving == 0) {
		s.person = person{late: s.person.late}
	}
}
