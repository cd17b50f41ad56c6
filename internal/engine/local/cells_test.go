package local

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// A cellar is a counter whose totals a test moves, at a step of a rollout.
type cellar struct {
	counter
	seen   gate.Window
	cursor cursor
}

func newCellar() *cellar {
	c := &cellar{counter: counter{boot: "boot", at: place{"rollout", 0, 5}}}
	c.table = router.Table{Stable: router.Arm{Revision: "s"}, Candidate: router.Arm{Revision: "c"}, Weight: 5}
	c.seen.Candidate.Slower, c.seen.Stable.Slower = make([]uint64, gate.Edges), make([]uint64, gate.Edges)
	c.count()
	return c
}

// request counts an answer.
func (c *cellar) request(candidate, bad bool) {
	a := &c.seen.Stable
	if candidate {
		a = &c.seen.Candidate
	}
	a.Requests++
	if bad {
		a.Bad++
		a.Untimed++
	}
}

func (c *cellar) tick() bool { return c.cell(c.seen, 0) }

// count is counter.count with these totals.
func (c *cellar) count() []gate.Window {
	c.endCells()
	c.last++
	c.cuts = append(c.cuts, cut{number: c.last, seen: c.copied()})
	old := c.cursor
	c.cursor = cursor{c.boot, c.last}
	c.counted(old, time.Now())
	if old.Boot == "" {
		return nil
	}
	return c.since(old.Cut)
}

func (c *cellar) copied() gate.Window {
	w := c.seen
	w.Candidate.Slower = append([]uint64(nil), w.Candidate.Slower...)
	w.Stable.Slower = append([]uint64(nil), w.Stable.Slower...)
	return w
}

func (c *cellar) requests(n int, candidate, bad bool) {
	for range n {
		c.request(candidate, bad)
	}
}

func TestCellsWithoutFailuresAreOneWindow(t *testing.T) {
	t.Parallel()
	c := newCellar()
	for range 30 {
		c.requests(10, true, false)
		c.requests(90, false, false)
		if c.tick() {
			t.Fatal("nothing failed, and there is something to look at")
		}
	}
	c.requests(9, true, false)
	c.requests(1, true, true)
	c.requests(90, false, false)
	if !c.tick() {
		t.Fatal("a candidate's failure is not looked at")
	}
	c.requests(5, true, false)
	c.requests(40, false, true)
	c.seen.Candidate.Slower[3], c.seen.Stable.Slower[3] = 100, 200
	got := c.count()
	type numbers struct{ candidate, bad, stable, stableBad uint64 }
	var all []numbers
	for i, w := range got {
		all = append(all, numbers{w.Candidate.Requests, w.Candidate.Bad, w.Stable.Requests, w.Stable.Bad})
		if (w.Candidate.Slower != nil) || (w.Timed != nil) != (i == len(got)-1) {
			t.Errorf("window %d has latencies of its own, or Timed %v", i, w.Timed)
		}
	}
	if want := []numbers{{300, 0, 2700, 0}, {10, 1, 90, 0}, {5, 0, 40, 40}}; !reflect.DeepEqual(all, want) {
		t.Errorf("windows %v, want %v", all, want)
	}
	timed := got[len(got)-1].Timed
	if timed.Candidate.Requests != 315 || timed.Candidate.Slower[3] != 100 || timed.Stable.Untimed != 40 || timed.Stable.Slower[3] != 200 {
		t.Errorf("the latencies are of %+v", timed)
	}
	c.count()
	if len(c.cuts) != 3 {
		t.Errorf("%d cuts are kept behind what was saved, want those of the counts", len(c.cuts))
	}
}

func TestCellsWaitForRequestsOnBothArms(t *testing.T) {
	t.Parallel()
	c := newCellar()
	for range 100 {
		c.requests(99, false, true)
		if c.tick() {
			t.Fatal("a cell without the candidate")
		}
	}
	c.requests(9, true, true)
	if c.tick() {
		t.Fatal("a cell with 9 requests of the candidate")
	}
	if w := c.count(); len(w) != 1 || w[0].Timed != nil || w[0].Candidate.Slower == nil {
		t.Errorf("windows %+v, want one with its own latencies", w)
	}
}

func TestCellsThatAWeightEndedSayNothingOfTheSplit(t *testing.T) {
	t.Parallel()
	c := newCellar()
	c.requests(10, true, true)
	c.requests(90, false, false)
	c.tick()
	c.cuts = append(c.cuts, cut{number: 99, seen: c.copied()})
	c.unsplit()
	if c.cuts[1].seen.Routed != "" || c.cuts[2].seen.Routed != "" {
		t.Errorf("cuts %+v", c.cuts)
	}
}

// The evidence of harm is a bet that wins nothing on average, so its mean is at most 1 whenever one looks: at each cell, at
// each count, and where one stops at the first sight of much. Base rates drift, and incidents hit both arms.
func TestCellsAreFairBets(t *testing.T) {
	t.Parallel()
	for _, perSecond := range []float64{30, 300, 3000} {
		const weight, runs, most = 0.1, 600, 20.0
		g := gate.NewErrors([]int{10})
		g.Tolerance = 1 // so that no worse is the worst that is harmless, whose mean is 1
		random := rand.New(rand.NewPCG(1, uint64(perSecond)))
		var sum, squares float64
		for range runs {
			e := stopped(newCellar(), g, random, perSecond, weight, most)
			sum += e
			squares += e * e
		}
		mean := sum / runs
		doubt := math.Sqrt((squares/runs - mean*mean) / runs)
		if mean > 1+3*doubt {
			t.Errorf("at %g requests a second the evidence of a harmless candidate is %.3f +- %.3f on average, want at most 1", perSecond, mean, doubt)
		}
	}
}

// stopped returns the evidence of 6 seconds, or of the first moment at which it is much.
func stopped(c *cellar, g gate.Errors, random *rand.Rand, perSecond, weight, most float64) float64 {
	e := g.Start()
	base := 0.02
	for tick := 1; tick <= 300; tick++ {
		if tick%25 == 0 {
			base = 0.005 + 0.05*random.Float64()
		}
		rate := base
		if tick%100 < 5 {
			rate = 0.3
		}
		for expected := perSecond * cellLength.Seconds(); expected > 0; expected-- {
			if random.Float64() < expected {
				c.request(random.Float64() < weight, random.Float64() < rate)
			}
		}
		seen := e
		switch {
		case tick%50 == 0:
			for _, w := range c.count() {
				e = g.Observe(e, 0, w)
			}
			seen = e
		case c.tick():
			for _, w := range c.since(c.cursor.Cut) {
				seen = g.Observe(seen, 0, w)
			}
		default:
			continue
		}
		if harm := g.Judge(seen, 0).Harm; harm >= most {
			return harm
		}
	}
	return g.Judge(e, 0).Harm
}
