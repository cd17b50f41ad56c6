package modelcheck

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// Each of these games is complete for its bounds, and goes deep where the others do not.
var games = []struct {
	name   string
	bounds bounds
	short  bool // played in short mode, too
}{
	{"to promotion", bounds{clock: 2, windows: 2, epochs: 2, late: 1, ready: true}, false},
	{"and then another rollout", bounds{clock: 1, windows: 1, epochs: 2, late: 2, replacements: 1, ready: true}, false},
	{"three takings over", bounds{clock: 1, windows: 1, epochs: 3, late: 1, ready: true}, false},
	{"clocks that differ", bounds{clock: 1, windows: 1, epochs: 2, late: 1, ready: true, skew: [2]uint16{0, 3}}, true},
	{"until all limits have passed", bounds{clock: 4, windows: 1, epochs: 1, late: 1, ready: true}, true},
	{"people, to promotion and back", bounds{clock: 2, windows: 3, epochs: 1, late: 1, ready: true, alone: true, people: 1, approvals: [2]bool{false, true}}, false},
	{"people and two runners", bounds{clock: 1, windows: 2, epochs: 2, late: 1, ready: true, people: 1, approvals: [2]bool{true, false}, leaves: true}, false},
	{"people and another rollout", bounds{clock: 1, windows: 2, epochs: 1, late: 1, replacements: 1, alone: true, people: 1, approvals: [2]bool{true, false}, staged: true}, false},
	{"people who are slow", bounds{clock: 1, windows: 2, epochs: 2, late: 1, ready: true, alone: true, people: 2, approvals: [2]bool{true, false}, leaves: true}, false},
	{"people, until all limits have passed", bounds{clock: 3, windows: 2, epochs: 1, late: 1, ready: true, alone: true, people: 1, approvals: [2]bool{true, false}}, false},
}

func TestTheInvariantsHoldInEveryReachableState(t *testing.T) {
	states := 0
	for _, g := range games {
		if brief() && (!g.short || raceDetector && g.bounds.clock > 1) {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			began := time.Now()
			x := newModel(g.bounds).explore()
			t.Logf("%d states, %d transitions, depth %d, %d values, %d decisions, %s, %d MiB",
				len(x.states), len(x.edges), x.depth, len(x.m.all), len(x.m.memo), time.Since(began).Round(time.Millisecond), memory())
			if x.broken != "" {
				t.Fatalf("%s\n%s", x.broken, x.transcript(x.story))
			}
			states += len(x.states)
			t.Run("without anybody the gate closes", func(t *testing.T) { closesByItself(t, x) })
			t.Run("a person can close it", func(t *testing.T) { closesByHand(t, x) })
			if g.bounds.people > 0 {
				t.Run("by a word, promoted or not", func(t *testing.T) { closesByWord(t, x) })
			}
		})
	}
	if least := 1_000_000; !brief() && states < least {
		t.Errorf("%d states: want %d, or the claim is emptier than it looks", states, least)
	}
}

// brief reports whether the large games are left out. The race detector has nothing to find in
// a search that is one goroutine, and makes it ten times as slow.
func brief() bool { return testing.Short() || raceDetector }

func skipUnderRace(t *testing.T) {
	if raceDetector {
		t.Skip("a search in one goroutine: it is made without the race detector")
	}
}

func memory() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Sys >> 20
}

// closesByItself: S8, from every state, where all runners die and none comes. A staged candidate that nobody ever drove
// waits on; it has no traffic.
func closesByItself(t *testing.T, x *search) {
	can := x.reaches(func(s *state) bool {
		r := x.m.rec(s.stored)
		return r.Phase.Final() || r.Staged && r.Epoch == 0 && r.Weight == 0
	}, byItself)
	for i := range x.states {
		if !can[i] {
			t.Fatalf("S8: nothing closes the gate after this\n%s", x.transcript(x.path(uint32(i))))
		}
	}
}

// closesByHand: S4, from every state in which there may be a runner more, without the engine.
func closesByHand(t *testing.T, x *search) {
	can := x.reaches(func(s *state) bool { return x.m.rec(s.stored).Phase == rollout.RolledBack }, byRunner)
	for i := range x.states {
		s := &x.states[i]
		r := x.m.rec(s.stored)
		if bounded := r.Epoch == x.m.bounds.epochs || s.clock > x.m.bounds.clock; !can[i] && !bounded && !r.Phase.Final() {
			t.Fatalf("S4: nobody can roll back after this\n%s", x.transcript(x.path(uint32(i))))
		}
	}
}

// closesByWord: S4, from every state, where nobody drives and the engine does nothing.
func closesByWord(t *testing.T, x *search) {
	can := x.reaches(func(s *state) bool { return x.m.rec(s.stored).Phase == rollout.RolledBack }, byPerson)
	for i := range x.states {
		// Between some calls of a runner nobody else moves: see actions.
		s := &x.states[i]
		within := slices.ContainsFunc(s.run[:], func(r runner) bool { return r.at == loaded || r.at == holding })
		if !can[i] && !within && s.clock <= x.m.bounds.clock {
			t.Fatalf("S4: nobody can take the candidate off after this\n%s", x.transcript(x.path(uint32(i))))
		}
	}
}

// The search leaves out states that differ in nothing that matters, and orders of steps that do
// not depend on each other. Where it does not, it must find no more.
func TestWhatIsLeftOutHidesNothing(t *testing.T) {
	skipUnderRace(t)
	for _, b := range []bounds{
		{clock: 1, windows: 1, epochs: 1, late: 1, ready: true},
		{clock: 1, windows: 2, epochs: 1, late: 1, ready: true, alone: true, people: 1, approvals: [2]bool{true, false}},
	} {
		hidesNothing(t, b)
	}
}

func hidesNothing(t *testing.T, b bounds) {
	stored := func(plain bool) (all map[string]bool, states int) {
		m := newModel(b)
		m.plain = plain
		x := m.explore()
		if x.broken != "" {
			t.Fatalf("%s\n%s", x.broken, x.transcript(x.story))
		}
		all = map[string]bool{}
		for i := range x.states {
			s := &x.states[i]
			all[fmt.Sprint(key(m.all[s.stored]), s.clock, s.owner)] = true
		}
		return all, len(x.states)
	}
	few, less := stored(false)
	many, more := stored(true)
	t.Logf("%d of %d states, %d of %d records", less, more, len(few), len(many))
	for k := range many {
		if !few[k] {
			t.Errorf("left out: %s", k)
		}
	}
	if less >= more {
		t.Error("nothing was left out: the claim is emptier than it looks")
	}
}

func TestTheModelGoesWhereRolloutsGo(t *testing.T) {
	skipUnderRace(t)
	ends := map[string]int{}
	for _, b := range []bounds{games[4].bounds, {clock: 3, windows: 2, epochs: 1, late: 1, ready: true},
		{clock: 2, windows: 2, epochs: 1, ready: true, alone: true, people: 1},
		{clock: 3, windows: 1, epochs: 1, ready: true, alone: true, people: 1, approvals: [2]bool{true, false}}} {
		x := newModel(b).explore()
		for i := range x.states {
			r := x.m.rec(x.states[i].stored)
			end := string(r.Phase)
			if r.Failure != nil {
				end = r.Failure.Kind
			}
			ends[end]++
			if r.Approval != nil {
				ends["approved"]++
			}
			for _, e := range x.edges[x.from[i]:x.from[i+1]] {
				if to := x.m.rec(x.states[e.to()].stored); r.Phase == rollout.Promoted && to.Phase == rollout.RolledBack {
					ends["taken back"]++
				}
			}
		}
	}
	t.Logf("stored records: %v", ends)
	for _, end := range []string{string(rollout.Holding), string(rollout.Promoted), string(rollout.AwaitingApproval), "approved", "taken back",
		rollout.KindOperator, rollout.KindUnapproved, rollout.KindGate, rollout.KindCandidate,
		rollout.KindInconclusive, rollout.KindBlind, rollout.KindCancelled, rollout.KindAbandoned, rollout.KindSuperseded} {
		if ends[end] == 0 {
			t.Errorf("no state is %q: the claims are emptier than they look", end)
		}
	}
}

// TestTheCheckerFindsEverySeededMutation tests the checker: each of these has been a real
// program somewhere.
func TestTheCheckerFindsEverySeededMutation(t *testing.T) {
	for _, tc := range []struct {
		name   string
		mutant mutant
		broken string
	}{
		{"the router is told before the record is saved", mutant{actFirst: true}, "S1: 10% of traffic is routed, and 0% approved"},
		{"the last writer wins", mutant{lastWriterWins: true}, "S2: a final record was changed"},
		{"no epoch check on writes", mutant{noEpochCheck: true}, "S5: two runners drive in one epoch"},
		{"record and weight are two objects", mutant{twoObjects: true}, "one object: 0% of traffic is routed, and 10% recorded"},
		{"the cursor is not written with the evidence", mutant{cursorApart: true}, "evidence: "},
		{"a runner resumes without loading", mutant{noReload: true}, "S2: a final record was changed"},
		{"a decision is counted again after it was overtaken", mutant{countsAgain: true}, "evidence: a window was counted twice"},
		{"what people say is saved without a look at the version", mutant{tellsBlindly: true}, "S"},
		{"what people say is said again of another rollout", mutant{tellsAnybody: true}, "S6: a word into another rollout than it was said of"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newModel(bounds{clock: 1, windows: 2, epochs: 2, late: 1, ready: true})
			if tc.mutant.countsAgain { // it needs one runner, and a long way
				m.bounds.epochs = 1
			}
			if tc.mutant.tellsAnybody || tc.mutant.tellsBlindly {
				m = newModel(bounds{clock: 1, windows: 1, epochs: 1, replacements: 1, ready: true, alone: true, people: 1})
			}
			m.mutant = tc.mutant
			finds(t, m, tc.broken)
		})
	}
}

// finds reports an error unless a search finds that something is broken.
func finds(t *testing.T, m *model, broken string) {
	t.Helper()
	x := m.explore()
	t.Logf("%s, found after %d states:\n%s", x.broken, len(x.states), x.transcript(x.story))
	if x.broken == "" || !strings.HasPrefix(x.broken, broken) {
		t.Errorf("found %q, want %q", x.broken, broken)
	}
}

func TestTheCheckerFindsMistakesInNext(t *testing.T) {
	type next = func(rollout.Policy, rollout.Record, rollout.Event) rollout.Record
	for name, tc := range map[string]struct {
		next   next
		broken string
		asks   *[2]bool // in a game with people, who are asked at these steps
	}{
		"promoted without a pass": {func(p rollout.Policy, r rollout.Record, e rollout.Event) rollout.Record {
			after := rollout.Next(p, r, e)
			if _, ok := e.(rollout.Counted); ok && after.Phase == rollout.Observing && r.Phase == after.Phase {
				after.Step, after.Weight, after.Approved = 1, 50, 50
			}
			return after
		}, "S1: approved without a recorded pass", nil},
		"an approval counts for the next step, too": {func(p rollout.Policy, r rollout.Record, e rollout.Event) rollout.Record {
			after := rollout.Next(p, r, e)
			if after.Step != r.Step {
				after.Approval = r.Approval
			}
			return after
		}, "S1: approved by a word that was said of another step or rollout", &[2]bool{true, true}},
		"an approval counts before anybody asked": {func(p rollout.Policy, r rollout.Record, e rollout.Event) rollout.Record {
			after := rollout.Next(p, r, e)
			if e, ok := e.(rollout.Approved); ok && r.Phase == rollout.Observing {
				after.Approval = &rollout.Approval{By: e.By}
			}
			return after
		}, "S1: a person's word where nobody asked for it", &[2]bool{true, true}},
		"nobody is asked": {func(p rollout.Policy, r rollout.Record, e rollout.Event) rollout.Record {
			if r.Phase == rollout.AwaitingApproval {
				r.Approval = &rollout.Approval{}
			}
			return rollout.Next(p, r, e)
		}, "S1: ", &[2]bool{true, true}},
		"a promotion is taken back in words alone": {func(p rollout.Policy, r rollout.Record, e rollout.Event) rollout.Record {
			after := rollout.Next(p, r, e)
			if r.Phase == rollout.Promoted && after.Phase == rollout.RolledBack {
				after.Weight = 100
			}
			return after
		}, "S4: a promotion that was not taken back", &[2]bool{}},
		"a failure is forgiven": {func(p rollout.Policy, r rollout.Record, e rollout.Event) rollout.Record {
			after := rollout.Next(p, r, e)
			if after.Phase == rollout.RolledBack && after.Failure.Kind == rollout.KindGate {
				after.Weight, after.Approved = r.Weight, r.Approved
			}
			return after
		}, "S2: a failure that did not take the candidate off in the same write", nil},
		"taking over keeps the epoch": {func(p rollout.Policy, r rollout.Record, e rollout.Event) rollout.Record {
			after := rollout.Next(p, r, e)
			after.Epoch = max(r.Epoch, 1)
			return after
		}, "S5: taking over gives the next epoch, nothing else does", nil},
		"an abandoned gate stays open": {func(p rollout.Policy, r rollout.Record, e rollout.Event) rollout.Record {
			if _, ok := e.(rollout.Abandoned); ok {
				return r
			}
			return rollout.Next(p, r, e)
		}, "S4: a rollback that did not happen", nil},
		"a count is taken in twice": {func(p rollout.Policy, r rollout.Record, e rollout.Event) rollout.Record {
			if _, ok := e.(rollout.Counted); ok {
				r = rollout.Next(p, r, e)
			}
			return rollout.Next(p, r, e)
		}, "evidence: ", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newModel(bounds{clock: 1, windows: 2, epochs: 2, late: 1, ready: true})
			if tc.asks != nil {
				m = newModel(bounds{clock: 2, windows: 3, epochs: 1, ready: true, alone: true, people: 1, approvals: *tc.asks})
			}
			m.next = tc.next
			finds(t, m, tc.broken)
		})
	}
}

func TestACounterexampleReadsLikeAStory(t *testing.T) {
	m := newModel(bounds{clock: 1, windows: 1, epochs: 2, late: 1})
	m.mutant.actFirst = true
	x := m.explore()
	got := x.transcript(x.story)
	want := `S1: 10% of traffic is routed, and 0% approved
  0  a rollout begins
       tick 0, preparing at 0% (approved 0%, routed 0%), epoch 0
  1  the engine says that the candidate can serve
       tick 0, preparing at 0% (approved 0%, routed 0%), epoch 0
  2  runner one loads the record
       tick 0, preparing at 0% (approved 0%, routed 0%), epoch 0
  3  runner one takes the lease for expired, and claims
       tick 0, preparing at 0% (approved 0%, routed 0%), epoch 0
  4  the store carries out the write of runner one
       tick 0, preparing at 0% (approved 0%, routed 0%), epoch 1
  5  runner one counts no request more
       tick 0, preparing at 0% (approved 0%, routed 0%), epoch 1
  6  runner one sends what it decided
       tick 0, preparing at 0% (approved 0%, routed 10%), epoch 1
`
	if got := x.broken + "\n" + got; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
