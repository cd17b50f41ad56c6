package modelcheck

import "github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"

// waits is a runner whose write is on its way.
//
// That it is answered is no step of its own: a runner that hears of it late does nothing else
// meanwhile, like one that hears at once and then is slow.
func (m *model) waits(s *state, i int, to emit) {
	w := write{s.run[i].saving, s.run[i].fresh}
	next := *s
	done, wrong := m.carryOut(&next, i, w)
	mute := next
	m.failed(&mute.run[i], done)
	if !done {
		m.failed(&next.run[i], false)
		to(action{store, refuses, names[i]}, next, "")
		to(action{store, ignores, names[i]}, mute, "")
	} else {
		m.saved(&next, i)
		to(action{store, does, names[i]}, next, wrong)
		to(action{store, mutes, names[i]}, mute, wrong)
		if m.mutant.lastWriterWins { // else the version of a second time is never the one stored
			next.late[i] = write{value: w.value}
			to(action{store, twice, names[i]}, next, wrong)
		}
	}
	m.unanswered(s, i, to, "", m.failed)
}

// saved is save where it succeeds.
func (m *model) saved(s *state, i int) {
	r := &s.run[i]
	r.fresh = true
	switch {
	case (m.mutant.twoObjects || m.mutant.cursorApart) && r.at != finishing:
		r.at = finishing
	case r.at == ending, r.at == parted, m.rec(r.saving).Phase.Final():
		*r = runner{}
	default:
		*r = runner{at: turning, rec: r.saving, fresh: true}
	}
}

// finishes is a mutant's second write.
func (m *model) finishes(s *state, i int, to emit) {
	next := *s
	v := s.run[i].saving
	if m.mutant.cursorApart && s.run[i].fresh {
		next.stored = v
	}
	if m.mutant.twoObjects {
		next.routed = uint8(m.rec(v).Weight)
	}
	m.saved(&next, i)
	next.run[i].fresh = next.run[i].at != away && s.run[i].fresh
	to(action{who: uint8(i), does: finish}, next, "")
}

// failed is save where it does not succeed. A claim that was or may be saved all the same is looked for. (Run looks for
// any whose answer was lost. Those that never are saved it does not find.)
func (m *model) failed(r *runner, may bool) {
	claim := r.saving
	r.fresh, r.saving, r.stale = false, 0, true
	switch r.at {
	case claiming:
		*r = runner{lost: r.lost}
		if may {
			r.lost = claim
		}
		return
	case saving:
		r.at = turning
	case ending:
		r.at = leaving
	case parted:
		r.at = parting
	default: // it was not at a write
	}
	if m.mutant.noReload {
		r.stale, r.fresh = false, true // asks for the version alone
	}
}

// unanswered emits what may become of a write whose runner waits no longer.
func (m *model) unanswered(s *state, i int, to emit, because string, change func(r *runner, may bool)) {
	r := s.run[i]
	say := func(otherwise string) string {
		if because == "" {
			return otherwise
		}
		return because
	}
	m.goes(s, i, to, say(refused), func(r *runner) { change(r, false) })
	if r.saving == 0 || r.at == finishing || !r.fresh && !m.mutant.lastWriterWins {
		return // there is nothing that can be carried out
	}
	if s.late[1-i].value != 0 && m.bounds.late == 1 {
		return
	}
	next := *s
	next.late[i] = write{r.saving, r.fresh}
	change(&next.run[i], true)
	to(action{who: uint8(i), does: say(later)}, next, "")
}

// dies is the end of a process, at any instruction.
func (m *model) dies(s *state, i int, to emit) {
	m.unanswered(s, i, to, dies, func(r *runner, _ bool) { *r = runner{} })
}

// latecomer is a write that nobody waits for any more. That it is never carried out needs no
// step of its own.
func (m *model) latecomer(s *state, i int, to emit) {
	w := s.late[i]
	if w.value == 0 {
		return
	}
	next := *s
	next.late[i] = write{}
	_, wrong := m.carryOut(&next, i, w)
	to(action{store, late, names[i]}, next, wrong)
}

// carryOut is the store: a compare-and-swap of one object.
func (m *model) carryOut(s *state, i int, w write) (done bool, wrong string) {
	if !w.fresh && !m.mutant.lastWriterWins {
		return false, ""
	}
	return true, m.write(s, i, w.value)
}

// write stores a value, with its weight.
func (m *model) write(s *state, who int, v id) (wrong string) {
	wrong = m.checkWrite(s, who, v)
	if m.rec(v).Epoch > m.rec(s.stored).Epoch {
		s.owner = uint8(who + 1)
	}
	if !m.mutant.twoObjects || who > 1 {
		s.routed = uint8(m.rec(v).Weight)
	}
	if m.mutant.cursorApart && who <= 1 {
		v = m.withCursor(v, m.rec(s.stored).Cursor)
	}
	s.stored = v
	m.outdate(s)
	return wrong
}

// withCursor is v with another cursor: a mutant's doing.
func (m *model) withCursor(v id, c rollout.Cursor) id {
	other := m.all[v]
	other.rec.Cursor = c
	return m.keep(other)
}

// outdate is what a write does to every other version: it is never again the one stored.
func (m *model) outdate(s *state) {
	for i := range s.run {
		s.run[i].fresh = false
		s.late[i].fresh = false
		if !m.mutant.lastWriterWins {
			s.late[i] = write{} // it can never be carried out
		}
	}
	s.person.fresh = false
	s.person.late, s.person.others = write{}, false
}

// acts is what a mutant does before it saves.
func (m *model) acts(s *state, i int) {
	if w := uint8(m.rec(s.run[i].saving).Weight); m.mutant.actFirst && w > s.routed {
		s.routed = w
	}
}
