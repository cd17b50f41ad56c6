package modelcheck

import "github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"

// runner is Run, from the outside: see internal/rollout/run.go and claim.go.
func (m *model) runner(s *state, i int, to emit) {
	switch r := &s.run[i]; r.at {
	case away:
		m.loads(s, i, to)
		if r.lost == 0 {
			return
		}
	case loaded:
		m.claims(s, i, to)
	case turning:
		m.turns(s, i, to)
	case holding:
		m.saves(s, i, to)
	case leaving, parting:
		m.leaves(s, i, to)
	case claiming, saving, ending, parted:
		m.waits(s, i, to)
	case finishing:
		m.finishes(s, i, to)
	}
	m.dies(s, i, to)
	m.interrupted(s, i, to)
}

// goes emits a step that changes nothing but the runner.
func (m *model) goes(s *state, i int, to emit, does string, change func(r *runner)) {
	next := *s
	change(&next.run[i])
	to(action{who: uint8(i), does: does}, next, "")
}

// now is the runner's clock.
func (m *model) now(s *state, i int) uint16 { return s.clock + m.bounds.skew[i] }

// loads is tryClaim up to its Load.
func (m *model) loads(s *state, i int, to emit) {
	lost := s.run[i].lost
	switch {
	case s.clock > m.bounds.clock:
	case m.over(s):
		m.goes(s, i, to, isDone, func(r *runner) { *r = runner{} })
	case lost != 0 && sameClaim(m.rec(lost), m.rec(s.stored)):
		m.goes(s, i, to, adopts, func(r *runner) { *r = runner{at: turning, rec: s.stored, fresh: true} })
	default:
		m.goes(s, i, to, loads, func(r *runner) { r.at, r.rec, r.fresh = loaded, s.stored, true })
	}
}

// sameClaim reports whether what is stored is the claim whose answer was lost.
func sameClaim(lost, stored *rollout.Record) bool {
	return lost.ID == stored.ID && lost.Epoch == stored.Epoch && lost.Runner == stored.Runner && lost.Renewed.Equal(stored.Renewed)
}

// claims is tryClaim from there on. That it waits or goes is no step of its own: it may die.
func (m *model) claims(s *state, i int, to emit) {
	m.goes(s, i, to, waits, func(r *runner) { r.at, r.rec, r.fresh = away, 0, false })
	if m.rec(s.run[i].rec).Epoch == m.bounds.epochs {
		return
	}
	next := *s
	r := &next.run[i]
	r.at = claiming
	r.saving = m.decide(r.rec, event{what: takenOver, at: m.now(s, i)}, i, 0)
	m.acts(&next, i)
	to(action{who: uint8(i), does: claims}, next, "")
}

// turns is turn up to its count, and pause, which loads what somebody else wrote.
func (m *model) turns(s *state, i int, to emit) {
	r := s.run[i]
	if !r.fresh && !m.mutant.noReload {
		m.reloads(s, i, to)
	}
	if r.stale {
		m.blind(s, i, to)
		if !m.mutant.noReload {
			return
		}
	}
	if r.intends {
		m.saves(s, i, to)
		return
	}
	if m.bounds.leaves && !r.stale && awaited(m.rec(r.rec)) {
		m.goes(s, i, to, parts, func(r *runner) { r.at, r.event = parting, event{what: left, at: m.now(s, i)} })
	}
	from := behind(m.rec(r.rec).Cursor)
	m.counts(s, i, to, "no request more")
	for _, k := range s.kinds() {
		if s.seen < m.bounds.windows && from != beginning {
			next := *s
			next.log |= uint32(k) << (2 * s.seen)
			next.seen++
			m.counts(&next, i, to, kinds[k])
		}
	}
	m.goes(s, i, to, cannot, func(r *runner) { r.at, r.event = holding, event{what: unseen, at: m.now(s, i)} })
}

// counts is count. What users saw since anybody counted is decided now: nobody could have known.
func (m *model) counts(s *state, i int, to emit, saw string) {
	next := *s
	r := &next.run[i]
	r.at = holding
	r.event = event{what: counted, from: behind(m.rec(r.rec).Cursor), to: s.seen, at: m.now(s, i)}
	to(action{uint8(i), counts, saw}, next, "")
}

// kinds are the windows that there can be.
func (s *state) kinds() []kind {
	if s.routed == 0 {
		return []kind{only}
	}
	return []kind{thin, good, bad}
}

// blind is a reload that fails: it may be the time to roll back, even then.
func (m *model) blind(s *state, i int, to emit) {
	e := event{what: unseen, at: m.now(s, i)}
	if s.run[i].intends || m.rec(m.decide(s.run[i].rec, e, i, 0)).Phase != rollout.RolledBack {
		return
	}
	m.goes(s, i, to, blind, func(r *runner) { r.intends, r.event = true, e })
}

// reloads is reload.
func (m *model) reloads(s *state, i int, to emit) {
	r, now := m.rec(s.run[i].rec), m.rec(s.stored)
	foreign := r.Epoch != now.Epoch && !m.mutant.noEpochCheck
	switch {
	case r.ID != now.ID, now.Phase.Final():
		m.goes(s, i, to, isDone, func(r *runner) { *r = runner{} })
	case foreign:
		m.goes(s, i, to, isHeld, func(r *runner) { *r = runner{} })
	case s.run[i].at == parting && now.Runner == "":
		m.goes(s, i, to, hasLeft, func(r *runner) { *r = runner{} })
	default:
		m.goes(s, i, to, reloads, func(r *runner) {
			r.rec, r.fresh, r.stale = s.stored, true, false
			if r.at == parting && !awaited(now) {
				r.at, r.event = turning, event{}
			}
			m.overtaken(r)
		})
	}
}

// awaited reports whether nothing but a person's word is missing.
func awaited(r *rollout.Record) bool {
	return r.Phase == rollout.AwaitingApproval && r.Approval == nil
}

// overtaken drops what a runner meant to save, where that is a count from another cursor than the
// one that it has loaded: the windows between them would count twice. It counts again, or, where
// it was told to stop, takes the candidate off.
func (m *model) overtaken(r *runner) {
	if r.event.what != counted || r.event.from == m.cursor(r.rec) || m.mutant.countsAgain {
		return
	}
	if r.at == leaving {
		r.event = event{what: cancelled}
		return
	}
	r.event, r.intends = event{}, false
}

// saves sends the decision on its way.
func (m *model) saves(s *state, i int, to emit) {
	next := *s
	r := &next.run[i]
	e := r.event
	r.at, r.saving = saving, m.decide(r.rec, e, i, s.log)
	r.intends = r.intends || m.rec(r.saving).Phase == rollout.RolledBack
	if !r.intends {
		r.event = event{}
	}
	m.acts(&next, i)
	to(action{who: uint8(i), does: saves}, next, "")
}

// leaves is say and parting: the last words of a runner.
func (m *model) leaves(s *state, i int, to emit) {
	if s.run[i].stale && !m.mutant.noReload {
		m.reloads(s, i, to)
		return
	}
	next := *s
	r := &next.run[i]
	r.at++ // ending or parted
	r.saving = m.decide(r.rec, r.event, i, s.log)
	m.acts(&next, i)
	to(action{who: uint8(i), does: lastWords}, next, "")
}

// interrupted is the end of a context. It ends the call that waits for an answer, too.
func (m *model) interrupted(s *state, i int, to emit) {
	r := s.run[i]
	if r.at != turning && r.at != holding && r.at != saving && r.at != parting && r.at != parted {
		return
	}
	// When it was cancelled is only told.
	for _, end := range []event{{what: cancelled}, {what: left, at: m.now(s, i)}} {
		told := cancels
		if end.what == left {
			told = freezes
		}
		change := func(r *runner) {
			if !r.intends {
				r.event = end
			}
			r.at, r.intends = leaving, false
			r.saving = 0
		}
		m.unanswered(s, i, to, told, func(r *runner, _ bool) {
			r.stale = r.stale || r.at == saving || r.at == parted
			change(r)
		})
	}
}
