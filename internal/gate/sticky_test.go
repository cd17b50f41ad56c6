package gate

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// A population of sticky clients of whom some cause all errors, as docs/guides/gates.md has it.
func TestStickyClientsThatFailAlwaysDoNotFailAHealthyCandidate(t *testing.T) {
	t.Parallel()
	weights := []int{5, 10, 25, 50}
	for _, clients := range []int{200, 600} {
		t.Run(fmt.Sprint(clients), func(t *testing.T) {
			t.Parallel()
			const runs = 400 // about 0.1% fail: fewer runs could not tell that from 2%
			var byClient, byRequest int
			r := rand.New(rand.NewPCG(5, uint64(clients)))
			for range runs {
				c, q := stickyRollout(r, clients, weights)
				if c {
					byClient++
				}
				if q {
					byRequest++
				}
			}
			low, high := wilson(byClient, runs)
			t.Logf("by clients %d of %d failed, 95%% [%.4f, %.4f]; by requests %d", byClient, runs, low, high, byRequest)
			if high > 0.02 {
				t.Errorf("%d of %d healthy candidates failed, up to %.4f", byClient, runs, high)
			}
			if byRequest < 5*byClient+10 {
				t.Errorf("requests failed %d of %d: this population shows nothing", byRequest, runs)
			}
		})
	}
}

// stickyRollout simulates 20 windows of two requests a client at each weight; 2% of the clients fail half of theirs.
// It returns whether the gate ever failed by clients, and by requests.
func stickyRollout(r *rand.Rand, clients int, weights []int) (byClient, byRequest bool) {
	g := NewErrors(weights)
	e, plain := g.shaped(g.Start()), g.shaped(g.Start())
	tr := NewTracker()
	tr.Begin()
	place := make([]float64, clients) // where a client is on the router's circle
	fails := make([]bool, clients)
	for i := range place {
		place[i], fails[i] = r.Float64(), r.Float64() < 0.02
	}
	for step, weight := range weights {
		if step > 0 {
			tr.Step()
		}
		for range 20 {
			var w Window
			for i := range place {
				side, arm := Stable, &w.Stable
				if place[i] < float64(weight)/100 {
					side, arm = Candidate, &w.Candidate
				}
				for range 2 {
					bad := fails[i] && r.IntN(2) == 0
					tr.Answered(uint64(i), side, bad)
					arm.Requests++
					if bad {
						arm.Bad++
					}
				}
			}
			g.add(&plain, step, &w)
			c, s := tr.Window(noon)
			w.Candidate.Clients, w.Stable.Clients = &c, &s
			g.add(&e, step, &w)
			byClient = byClient || number(g.logHarm(&e)) >= 100
			byRequest = byRequest || number(g.logHarm(&plain)) >= 100
		}
	}
	return byClient, byRequest
}

// Clients whose requests are always slow are no slower arm, and an arm that is slower for all is found.
func TestStickyClientsThatAreSlowAlwaysDoNotFailAHealthyCandidate(t *testing.T) {
	t.Parallel()
	const runs = 24
	var healthy, slower, plain int
	for seed := range uint64(runs) {
		a, b := slowRollout(seed, 1)
		if a {
			healthy++
		}
		if b {
			plain++
		}
		if a, _ := slowRollout(seed, 3); a {
			slower++
		}
	}
	t.Logf("failed: %d healthy, %d three times slower, %d healthy ones by requests, of %d each", healthy, slower, plain, runs)
	if healthy > 0 || slower < runs*9/10 || plain < runs/6 {
		t.Errorf("failed: %d healthy, %d three times slower, %d healthy ones by requests, of %d each", healthy, slower, plain, runs)
	}
}

// slowRollout has 300 sticky clients of whom 5% are ten times slower than the others, and a candidate that is slower for
// all by a factor. It returns whether latency ever failed by clients, and by requests.
func slowRollout(seed uint64, factor float64) (byClient, byRequest bool) {
	r := rand.New(rand.NewPCG(seed, 77))
	g := NewLatency(MarginsFor([]int{20}))
	e, plain := g.shaped(g.Start()), g.shaped(g.Start())
	tr := NewTracker()
	tr.Begin()
	for range 60 {
		w := Window{Candidate: timedAt(0, 0, 0), Stable: timedAt(0, 0, 0)}
		for c := range uint64(300) {
			side, arm, median := Stable, &w.Stable, .05
			if mix(c+1000*seed)%5 == 0 {
				side, arm, median = Candidate, &w.Candidate, .05*factor
			}
			if mix(c+1000*seed)>>20%20 == 0 {
				median *= 10
			}
			one := timed(r, 1, median, .3)
			edges := 0
			for i, n := range one.Slower {
				arm.Slower[i] += n
				edges += int(n)
			}
			arm.Requests++
			tr.Answered(c+1000*seed, side, false)
			tr.Timed(c+1000*seed, side, edges)
		}
		g.add(&plain, 0, &w)
		c, s := tr.Window(noon)
		w.Candidate.Clients, w.Stable.Clients = &c, &s
		g.add(&e, 0, &w)
		byClient = byClient || number(g.logHarm(&e)) >= 100
		byRequest = byRequest || number(g.logHarm(&plain)) >= 100
	}
	return byClient, byRequest
}
