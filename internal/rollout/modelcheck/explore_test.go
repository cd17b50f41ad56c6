package modelcheck

import (
	"fmt"
	"hash/maphash"
	"strings"
)

// A search is what was seen: each state once, in the order in which it was met.
type search struct {
	m      *model
	states []state
	parent []uint32 // from which a state was first met
	table  []uint32 // open addressing: number of a state plus 1
	seed   maphash.Seed

	from  []uint32 // where the edges of a state begin
	edges []edge
	depth int

	broken string   // the invariant, "" while none is
	story  []uint32 // the states up to it
	last   action   // and the step that broke it
}

// An edge leads to a state. Its highest bits say who makes the step.
type edge uint32

const (
	byItself edge = 1 << 31 // nobody drives
	byRunner edge = 1 << 30
	byPerson edge = 1 << 29
)

func newEdge(to uint32, a action) edge {
	e := edge(to)
	if a.byItself() {
		e |= byItself
	}
	if a.byRunner() {
		e |= byRunner
	}
	if a.byPerson() {
		e |= byPerson
	}
	return e
}

func (e edge) to() uint32 { return uint32(e &^ (byItself | byRunner | byPerson)) }

// explore visits every state there is, or stops at the first violation.
func (m *model) explore() *search {
	x := &search{m: m, table: make([]uint32, 1<<16), seed: maphash.MakeSeed()}
	x.add(m.first(), 0)
	level := 1 // the first state of the next depth
	for at := 0; at < len(x.states) && x.broken == ""; at++ {
		if at == level {
			x.depth++
			level = len(x.states)
		}
		x.expand(uint32(at))
	}
	x.from = append(x.from, uint32(len(x.edges)))
	return x
}

func (x *search) expand(at uint32) {
	s := x.states[at]
	x.from = append(x.from, uint32(len(x.edges)))
	x.m.actions(&s, func(a action, next state, wrong string) {
		if !x.m.plain {
			x.m.forget(&next)
		}
		if next == s || x.broken != "" {
			return
		}
		if wrong == "" {
			wrong = x.m.checkState(&next)
		}
		to := x.add(next, at)
		x.edges = append(x.edges, newEdge(to, a))
		if wrong != "" {
			x.broken, x.last = wrong, a
			x.story = append(x.path(at), to)
		}
	})
}

// add returns the number of a state.
func (x *search) add(s state, parent uint32) uint32 {
	if 2*len(x.states) > len(x.table) {
		x.grow()
	}
	slot := x.slot(&s)
	if n := x.table[slot]; n > 0 {
		return n - 1
	}
	x.states = append(x.states, s)
	x.parent = append(x.parent, parent)
	x.table[slot] = uint32(len(x.states))
	return x.table[slot] - 1
}

// slot is where a state is in the table, or would be.
func (x *search) slot(s *state) uint64 {
	mask := uint64(len(x.table) - 1)
	at := maphash.Comparable(x.seed, *s) & mask
	for x.table[at] > 0 && x.states[x.table[at]-1] != *s {
		at = (at + 1) & mask
	}
	return at
}

func (x *search) grow() {
	old := x.table
	x.table = make([]uint32, 2*len(old))
	for _, n := range old {
		if n > 0 {
			x.table[x.slot(&x.states[n-1])] = n
		}
	}
}

// path returns the states from the first one to at.
func (x *search) path(at uint32) []uint32 {
	if at == 0 {
		return []uint32{0}
	}
	return append(x.path(x.parent[at]), at)
}

// reaches reports for each state whether a way leads from it to an end, by such steps alone.
func (x *search) reaches(end func(*state) bool, by edge) []bool {
	can := make([]bool, len(x.states))
	for i := range x.states {
		can[i] = end(&x.states[i])
	}
	for changed := true; changed; {
		changed = false
		for i := len(x.states) - 1; i >= 0; i-- { // most steps lead to later states
			for _, e := range x.edges[x.from[i]:x.from[i+1]] {
				if !can[i] && e&by != 0 && can[e.to()] {
					can[i], changed = true, true
				}
			}
		}
	}
	return can
}

// transcript tells how a state was reached.
func (x *search) transcript(path []uint32) string {
	var b strings.Builder
	for n, at := range path {
		did := "a rollout begins"
		switch {
		case n > 0 && n == len(path)-1 && x.broken != "":
			did = x.last.String()
		case n > 0:
			did = x.between(path[n-1], at).String()
		}
		s := &x.states[at]
		r := x.m.rec(s.stored)
		fmt.Fprintf(&b, "%3d  %s\n       tick %d, %s at %d%% (approved %d%%, routed %d%%), epoch %d\n",
			n, did, s.clock, r.Phase, r.Weight, r.Approved, s.routed, r.Epoch)
	}
	return b.String()
}

// between finds an action that leads from a state to another.
func (x *search) between(from, to uint32) (found action) {
	s := x.states[from]
	x.m.actions(&s, func(a action, next state, _ string) {
		if !x.m.plain {
			x.m.forget(&next)
		}
		if next == x.states[to] && found.does == "" {
			found = a
		}
	})
	return found
}
