package gate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// tracked feeds a tracker a window of docs/guides/gates.md's vector: 10 clients on the candidate (1 and up) and 90 on
// stable (1001 and up), two requests each, and names those that fail.
func tracked(tr *Tracker, at time.Time, candidate, stable []uint64) Window {
	in := func(all []uint64, c uint64) bool {
		for _, x := range all {
			if x == c {
				return true
			}
		}
		return false
	}
	for range 2 {
		for c := range uint64(10) {
			tr.Answered(1+c, Candidate, in(candidate, 1+c))
		}
		for c := range uint64(90) {
			tr.Answered(1001+c, Stable, in(stable, 1+c))
		}
	}
	return close1(tr, at)
}

// close1 ends a window of a tracker.
func close1(tr *Tracker, at time.Time) Window {
	c, s := tr.Window(at)
	return Window{
		Candidate: Arm{Requests: c.Requests, Bad: c.Failing, Clients: &c},
		Stable:    Arm{Requests: s.Requests, Bad: s.Failing, Clients: &s},
		Routed:    ByClient,
	}
}

func TestClientVectors(t *testing.T) {
	tr := NewTracker()
	tr.Begin()
	g := Errors{Alpha: .01, Beta: .05, Tolerance: 1.1, Steps: []Margin{{2, .005}}}
	e := g.Start()
	for i, c := range []struct {
		candidate, stable  []uint64
		f                  [4]uint64
		lnF, lnT, phi, mix float64
	}{
		{[]uint64{1, 2}, []uint64{1, 2, 3}, [4]uint64{10, 2, 90, 3}, .870108, .818089, 1, .844436},
		{[]uint64{1, 3}, []uint64{1, 2, 4}, [4]uint64{8, 1, 87, 1}, 1.679548, 1.926148, 1.4, 1.497593},
		{[]uint64{1, 2, 4}, []uint64{1}, [4]uint64{7, 1, 86, 0}, 3.058706, 5.338943, 1.753968, 2.915980},
	} {
		w := tracked(tr, noon.Add(time.Duration(5*i)*time.Second), c.candidate, c.stable)
		fc, fs := w.Candidate.Clients.Rollout, w.Stable.Clients.Rollout
		if got := [4]uint64{fc.Clean, fc.Failed, fs.Clean, fs.Failed}; got != c.f {
			t.Errorf("window %d: F %v, want %v", i+1, got, c.f)
		}
		e = g.Observe(e, 0, w)
		close6(t, "ln E_F", logMean(e.Clients.First[0]), c.lnF)
		close6(t, "ln E_T", logMean(e.Harm[0]), c.lnT)
		close6(t, "phi", e.Clients.phi(), c.phi)
		close6(t, "mix", e.row(0), c.mix)
		close6(t, "mix of the step, which is the rollout here", e.row(1), c.mix)
	}
}

func TestSplitVectors(t *testing.T) {
	close6(t, "ln BF", logSplit(10, 90, .05, 20), 0.5286228)
	close6(t, "ln BF", logSplit(600, 9400, .05, 100), 7.4190848)
}

func TestStepsOfAHandfulOfClientsDoNotCount(t *testing.T) {
	g := Errors{Alpha: .01, Beta: .05, Tolerance: 1.1, Steps: []Margin{{2, .005}, {2, .005}}}
	e := g.Start()
	few := Clients{Requests: 90, Failing: 9, Rollout: First{9, 9}, Step: First{9, 9}, New: 9, Known: 9}
	many := few
	many.Known = 10
	stable := Clients{Requests: 900, Rollout: First{90, 0}, Step: First{90, 0}}
	w := func(c Clients) Window {
		return Window{Candidate: Arm{Requests: 90, Bad: 9, Clients: &c}, Stable: Arm{Requests: 900, Clients: &stable}}
	}
	e = g.Observe(e, 0, w(few))
	e = g.Observe(e, 1, w(many))
	if e.row(1) > 0 || e.row(2) < 1 || e.row(0) < e.row(2) {
		t.Errorf("ln E of the rollout %g, of 9 clients %g, of 10 %g", e.row(0), e.row(1), e.row(2))
	}
}

func TestAClientThatFailedOnStableIsNoNewsOnTheCandidate(t *testing.T) {
	tr := NewTracker()
	tr.Begin()
	tr.Answered(7, Stable, true)
	close1(tr, noon)
	tr.Step() // the weight rises, and the client moves
	tr.Answered(7, Candidate, true)
	tr.Answered(8, Candidate, false)
	w := close1(tr, noon.Add(time.Second))
	if c := w.Candidate.Clients; c.Rollout != (First{1, 0}) || c.Step != (First{2, 1}) || c.New != 2 || c.Known != 2 {
		t.Errorf("%+v: want one clean client of the rollout, two of the step, of which one failed", c)
	}
}

func TestARestartDoesNotMakeEvidenceStronger(t *testing.T) {
	g := NewErrors([]int{50})
	e := g.Start()
	tr := NewTracker()
	tr.Begin()
	feed := func(n int) {
		for range n {
			for c := range uint64(100) {
				tr.Answered(c, Candidate, c < 3)
				tr.Answered(1000+c, Stable, c < 1)
			}
			e = g.Observe(e, 0, close1(tr, noon))
		}
	}
	feed(30)
	before, phi := g.logHarm(&e), e.Clients.phi()
	tr = NewTracker()
	tr.Resume()
	feed(1)
	if after := g.logHarm(&e); after > before+0.5 || e.Clients.phi() < phi/2 {
		t.Errorf("ln E_harm went from %g to %g, phi from %g to %g", before, after, phi, e.Clients.phi())
	}
}

func TestABrokenCandidateFailsByClients(t *testing.T) {
	g := NewErrors([]int{5, 50})
	e := g.Start()
	tr := NewTracker()
	tr.Begin()
	for n := range 60 {
		for c := range uint64(1000) {
			side := Stable
			if c < 50 {
				side = Candidate
			}
			tr.Answered(c, side, side == Candidate && c%2 == 0)
		}
		e = g.Observe(e, 0, close1(tr, noon))
		if g.Judge(e, 0).Outcome == Fail {
			if n > 1 {
				t.Errorf("it took %d windows", n+1)
			}
			return
		}
	}
	t.Error("never")
}

func TestOneClientWithHalfOfAllTrafficDecidesNothing(t *testing.T) {
	t.Parallel()
	for _, side := range []Side{Candidate, Stable} {
		failed, passed := 0, 0
		const runs = 60
		for seed := range uint64(runs) {
			r := rand.New(rand.NewPCG(seed, 3))
			g := NewErrors([]int{50})
			e := g.shaped(g.Start())
			tr := NewTracker()
			tr.Begin()
			var ever bool
			for range 100 {
				for c := range uint64(100) {
					tr.Answered(c, Side(c&1), r.IntN(50) == 0)
					tr.Answered(1000+uint64(side), side, r.IntN(50) == 0)
				}
				w := close1(tr, noon)
				g.add(&e, 0, &w)
				ever = ever || number(g.logHarm(&e)) >= 100
			}
			if ever {
				failed++
			}
			if logPass(&e, 0, Margin{10, .05}) > math.Log(20) {
				passed++
			}
		}
		if failed > 1 {
			t.Errorf("on side %d: %d of %d healthy candidates failed", side, failed, runs)
		}
		t.Logf("side %d: %d failed, %d below 5%%", side, failed, passed)
	}
}

func TestRequestsWithoutAKeyAreClientsOfTheirOwn(t *testing.T) {
	g := NewErrors([]int{5})
	tr := NewTracker()
	tr.Begin()
	e, plain := g.Start(), g.Start()
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		w := window(50, uint64(r.IntN(3)), 950, uint64(r.IntN(20)))
		plain = g.Observe(plain, 0, w)
		for side, a := range []Arm{w.Candidate, w.Stable} {
			for i := range a.Requests {
				tr.Anonymous(Side(side), i < a.Bad)
			}
		}
		e = g.Observe(e, 0, close1(tr, noon))
	}
	if a, b := g.logHarm(&e), g.logHarm(&plain); math.Abs(a-b) > 1e-9 {
		t.Errorf("ln E_harm %g, by requests %g", a, b)
	}
}
