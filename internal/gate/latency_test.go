package gate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"sort"
	"strings"
	"testing"
)

// timed draws the latencies of n requests, each median*exp(spread*normal) seconds, as counts at the edges.
func timed(r *rand.Rand, n int, median, spread float64) Arm {
	a := Arm{Requests: uint64(n), Slower: make([]uint64, Edges)}
	for range n {
		took := median * math.Exp(spread*r.NormFloat64())
		for i := sort.SearchFloat64s(LatencyEdges[:], took); i > 0; i-- {
			a.Slower[i-1]++ // slower than all edges below
		}
	}
	return a
}

func TestEdgesRiseAndHoldTheUsualBuckets(t *testing.T) {
	if !sort.Float64sAreSorted(LatencyEdges[:]) || LatencyEdges[0] != .001 || LatencyEdges[Edges-1] != 60 {
		t.Errorf("%v", LatencyEdges)
	}
	for i := 1; i < Edges; i++ {
		if step := LatencyEdges[i] / LatencyEdges[i-1]; step < 1.06 || step > 1.15 {
			t.Errorf("%g after %g", LatencyEdges[i], LatencyEdges[i-1])
		}
	}
	for _, usual := range []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60} {
		if i := sort.SearchFloat64s(LatencyEdges[:], usual); LatencyEdges[i] != usual {
			t.Errorf("%g is no edge", usual)
		}
	}
}

// While the edges that are awake stay the same, the evidence is the average over them of GATES.md's E.
func TestLatencyIsTheAverageOverEdges(t *testing.T) {
	g := NewLatency(MarginsFor([]int{5}))
	e := g.Start()
	first := Window{Candidate: timedAt(50, 20, 5), Stable: timedAt(950, 380, 95)}
	e = g.Observe(e, 0, first) // shows which edges are awake
	if e.Logs[0] != 0 {
		t.Fatalf("evidence before stable was known: %v", e.Logs)
	}
	var average mean
	sums := [2][]float64{make([]float64, 11), make([]float64, 11)}
	for _, w := range []Window{
		{Candidate: timedAt(50, 30, 9), Stable: timedAt(950, 390, 90)},
		{Candidate: timedAt(50, 35, 3), Stable: timedAt(950, 370, 99)},
	} {
		e = g.Observe(e, 0, w)
		for k, edge := range []int{40, 50} {
			c, s := w.Candidate.at(edge), w.Stable.at(edge)
			for j, odds := range grid(1.25) {
				sums[k][j] += logFactor(window(c.Requests, c.Bad, s.Requests, s.Bad), odds, 1.25)
			}
		}
	}
	average.weighted(logMean(sums[0]), 41) // each in place of those below
	average.weighted(logMean(sums[1]), 10)
	average.add(0) // the first edge that no request exceeds is awake, too, without evidence
	if got, want := e.Logs[0], average.log(); math.Abs(got-want) > 1e-5 {
		t.Errorf("ln E %.7f, want %.7f", got, want)
	}
	if math.Abs(e.Logs[1]-e.Logs[0]) > 1e-9 {
		t.Errorf("the step, which is the rollout here, has ln E %g, not %g", e.Logs[1], e.Logs[0])
	}
}

// Every outcome of three windows is enumerated, of one candidate and two stable requests that are fast, slow or slower,
// at shares that jump in between so that edges wake and sleep. If the arms are equal, no bet wins on average.
func TestLatencyIsFairWhileEdgesWakeAndSleep(t *testing.T) {
	g := NewLatency([]Margin{{2, .1}})
	g.Tolerance = 1
	shares := [][3]float64{{.7, .2, .1}, {.1, .1, .8}, {.4, .3, .3}}
	var sum, all float64
	slept := map[int]int{}
	var visit func(e LatencyEvidence, i int, p float64)
	visit = func(e LatencyEvidence, i int, p float64) {
		if i == len(shares) {
			sum += p * math.Exp(g.logHarm(&e))
			all += p
			return
		}
		var f factors
		for c := range 3 {
			for a := range 3 {
				for b := range 3 {
					w := Window{Candidate: classes(c), Stable: classes(a, b)}
					before := g.shaped(e)
					f.n = 0
					f.ask(&g, &before, &w)
					slept[f.n]++
					visit(g.Observe(e, i%2, w), i+1, p*shares[i][c]*shares[i][a]*shares[i][b])
				}
			}
		}
	}
	visit(g.Start(), 0, 1)
	if math.Abs(all-1) > 1e-9 || math.Abs(sum-1) > 1e-5 {
		t.Errorf("mean of E_harm %.7f over %.7f of all outcomes, want 1", sum, all)
	}
	if len(slept) < 3 {
		t.Errorf("numbers of edges awake: %v: this test shows nothing", slept)
	}
}

// classes are requests that are fast (0), slower than edge 40 (1), or than edge 50 (2).
func classes(which ...int) Arm {
	var a, b uint64
	for _, c := range which {
		if c >= 1 {
			a++
		}
		if c == 2 {
			b++
		}
	}
	return timedAt(uint64(len(which)), a, b)
}

// timedAt has a of n requests slower than edge 40, of them b slower than edge 50, all others as fast as can be.
func timedAt(n, a, b uint64) Arm {
	arm := Arm{Requests: n, Slower: make([]uint64, Edges)}
	for i := range 51 { // a source that knows these two edges only
		if arm.Slower[i] = b; i <= 40 {
			arm.Slower[i] = a
		}
	}
	return arm
}

// The detections of docs/guides/gates.md, "Latency": 5% weight, alpha .05, every request slower by a factor.
func TestLatencyFindsASlowerCandidate(t *testing.T) {
	t.Parallel()
	for slower, want := range map[float64]float64{1.1: 809, 1.25: 155, 1.5: 57} {
		const runs = 20
		var total float64
		for seed := range uint64(runs) {
			total += float64(requestsToSlow(seed, slower, 6000))
		}
		t.Logf("%g times slower: %.0f candidate requests on average, the design said %g", slower, total/runs, want)
		if total/runs > 2*want {
			t.Errorf("%g times slower: %.0f candidate requests on average, want about %g", slower, total/runs, want)
		}
	}
}

// requestsToSlow is after how many candidate requests a candidate fails that is slower by a factor.
func requestsToSlow(seed uint64, slower float64, most int) int {
	r := rand.New(rand.NewPCG(seed, 8))
	g := NewLatency(MarginsFor([]int{5}))
	g.Alpha = 0.05
	e := g.shaped(g.Start())
	for n := 0; n < most; n += 10 {
		w := Window{Candidate: timed(r, 10, .05*slower, .35), Stable: timed(r, 190, .05, .35)}
		g.add(&e, 0, &w)
		if number(g.logHarm(&e)) >= 20 {
			return n + 10
		}
	}
	return most
}

// Drift, and edges that wake and sleep with it, on a candidate at the tolerance of no edge and equal elsewhere.
func TestHealthyLatencyFailsWithinAlphaAndPasses(t *testing.T) {
	t.Parallel()
	const runs = 200
	var failed, passed int
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 9))
		g := NewLatency(MarginsFor([]int{10, 50}))
		e := g.shaped(g.Start())
		drift, ever := 0.0, false
		for i := range 120 {
			drift = .95*drift + .1*r.NormFloat64()
			median, step := .05*math.Exp(drift), i/60
			c := 10 + 40*step
			w := Window{Candidate: timed(r, c, median, .5), Stable: timed(r, 100-c, median, .5)}
			g.add(&e, step, &w)
			ever = ever || number(g.logHarm(&e)) >= 100
		}
		if ever {
			failed++
		}
		if g.weigh(&e, 0).Outcome == Pass {
			passed++
		}
	}
	low, high := wilson(failed, runs)
	t.Logf("%d of %d failed, 95%% [%.4f, %.4f], %d passed the first step", failed, runs, low, high, passed)
	if high > 0.02 || passed < runs*95/100 {
		t.Errorf("%d of %d failed (up to %.4f), %d passed", failed, runs, high, passed)
	}
}

func TestAServiceWithoutSlowRequestsPasses(t *testing.T) {
	g := NewLatency(MarginsFor([]int{1, 5, 10, 25, 50, 90}))
	e := g.Start()
	fast := func(n uint64) Arm { return Arm{Requests: n, Slower: make([]uint64, Edges)} }
	for step := range g.Steps {
		e = g.Observe(e, step, Window{Candidate: fast(1000), Stable: fast(1000)})
		if v := g.Judge(e, step); v.Outcome != Pass {
			t.Errorf("step %d: %+v", step, v)
		}
	}
}

func TestACandidateThatIsSlowWhereStableNeverIsFails(t *testing.T) {
	g := NewLatency(MarginsFor([]int{50}))
	e := g.Start()
	sudden := func(n, slow uint64) Arm { // all take 11 ms, some a minute
		a := Arm{Requests: n, Slower: make([]uint64, Edges)}
		for i := range a.Slower {
			if a.Slower[i] = slow; LatencyEdges[i] < .011 {
				a.Slower[i] = n
			}
		}
		return a
	}
	for range 5 {
		e = g.Observe(e, 0, Window{Candidate: sudden(100, 6), Stable: sudden(100, 0)})
	}
	v := g.Judge(e, 0)
	if v.Outcome != Fail || v.Edge != 60 {
		t.Errorf("%+v", v)
	}
}

func TestLatencySentences(t *testing.T) {
	g := NewLatency(MarginsFor([]int{5, 50}))
	w := func(c, s Arm) Window { return Window{Candidate: c, Stable: s} }
	for _, c := range []struct {
		windows []Window
		want    Outcome
		say     string
	}{
		{nil, Wait, "No candidate request was timed yet."},
		{[]Window{w(timedAt(10, 2, 0), timedAt(100, 20, 1))}, Wait,
			"20% of 10 answers took longer than 100 ms on the candidate, 20% of 100 on stable: not enough to tell yet; the evidence that there it is less than 2 times worse, or under 5%, is 0.5 to 1 (20 needed)."},
		{[]Window{w(timedAt(100, 40, 1), timedAt(900, 180, 9)), w(timedAt(1104, 450, 11), timedAt(9080, 1816, 90))}, Fail,
			"41% of 1,204 answers took longer than 100 ms on the candidate, 20% of 9,980 on stable: the candidate is slower, the evidence of harm is over a million to 1 (100 needed)."},
	} {
		e := g.Start()
		for _, w := range c.windows {
			e = g.Observe(e, 0, w)
		}
		if v := g.Judge(e, 0); v.Outcome != c.want || v.Sentence != c.say {
			t.Errorf("\n got %s: %s\nwant %s: %s", v.Outcome, v.Sentence, c.want, c.say)
		}
	}
}

// What is not sound is no evidence, and no panic.
func TestHistogramsThatCannotBeAreIgnored(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	g := NewLatency(MarginsFor([]int{5}))
	e := g.Observe(g.Start(), 0, Window{Candidate: timed(r, 50, .05, .5), Stable: timed(r, 900, .05, .5)})
	good := Window{Candidate: timed(r, 50, .05, .5), Stable: timed(r, 900, .05, .5)}
	for name, change := range map[string]func(*Window){
		"slower than a lower edge":    func(w *Window) { w.Candidate.Slower[Edges-1] = 50 },
		"other buckets":               func(w *Window) { w.Candidate.Slower = w.Candidate.Slower[:15] },
		"no histogram":                func(w *Window) { w.Stable.Slower = nil },
		"more slow ones than answers": func(w *Window) { w.Candidate.Slower[3] = 51 },
		"a counter that ran back":     func(w *Window) { w.Stable.Slower[3] = math.MaxUint64 - 2 },
		"requests that ran back":      func(w *Window) { w.Stable.Requests = math.MaxUint64 - 2 },
	} {
		w := good
		w.Candidate.Slower, w.Stable.Slower = append([]uint64{}, w.Candidate.Slower...), append([]uint64{}, w.Stable.Slower...)
		change(&w)
		if after := g.Observe(e, 0, w); !reflect.DeepEqual(after, e) {
			t.Errorf("%s: taken as evidence", name)
		}
	}
}

func TestLatencyEvidenceSurvivesItsRecordAndIsSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	g := NewLatency(MarginsFor(defaultSteps))
	e := g.Start()
	for i := range 60 { // spread over a thousandfold: nearly every edge has something to say
		e = g.Observe(e, i/10, Window{Candidate: timed(r, 500, .2, 2), Stable: timed(r, 500, .2, 2)})
	}
	saved, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(saved))
	if len(saved) > 25_000 {
		t.Errorf("%d bytes, want at most 25,000", len(saved))
	}
	var back LatencyEvidence
	if err := json.Unmarshal(saved, &back); err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("it came back as %+v (%v), want %+v", back, err, e)
	}
	for _, bad := range []string{`{"bets":{"length":9,"from":8,"base64":"AAAAAAAAAAA="}}`, `{"bets":{"length":-1}}`,
		`{"bets":{"length":99999999}}`, `{"bets":{"length":1,"base64":"?"}}`, `{"stable":{"slower":[` + strings.Repeat("1,", 99) + `1]}}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func FuzzLatencyEvidence(f *testing.F) {
	g := NewLatency(MarginsFor([]int{5, 50}))
	r := rand.New(rand.NewPCG(1, 1))
	saved, _ := json.Marshal(g.Observe(g.Start(), 0, Window{Candidate: timed(r, 50, .05, .5), Stable: timed(r, 900, .05, .5)}))
	f.Add(saved, uint64(7), 1)
	f.Add([]byte(`{"logs":[1e308,-1e308,1],"step":1,"stable":{"requests":5,"slower":[5,3]}}`), uint64(1e6), 0)
	f.Fuzz(func(t *testing.T, record []byte, n uint64, step int) {
		var e LatencyEvidence
		if json.Unmarshal(record, &e) != nil {
			return
		}
		w := Window{Candidate: Arm{Requests: n, Slower: make([]uint64, Edges)}, Stable: Arm{Requests: n, Slower: make([]uint64, Edges)}}
		for i := range w.Candidate.Slower {
			w.Candidate.Slower[i], w.Stable.Slower[i] = n/uint64(i+1), n/uint64(2*i+1)
		}
		for range 2 {
			e = g.Observe(e, step, w)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Error(err)
		}
		if v := g.Judge(e, step); v.Sentence == "" {
			t.Errorf("%+v", v)
		} else if _, err := json.Marshal(v); err != nil {
			t.Error(err)
		}
	})
}

func TestAJudgementDoesNotAllocate(t *testing.T) {
	g, e, w := busy()
	var b Board
	if n := testing.AllocsPerRun(20, func() {
		g.Add(&e, 2, &w)
		g.Decide(&e, 2, &b)
	}); n > 0 {
		t.Errorf("%g allocations for a judgement, want none", n)
	}
}

// busy is a rollout with all gates, in its third step, and a window of 1,000 requests.
func busy() (Gates, Evidence, Window) {
	r := rand.New(rand.NewPCG(1, 1))
	errors, latency, split := NewErrors(defaultSteps), NewLatency(MarginsFor(defaultSteps)), NewSplit(defaultSteps)
	g := Gates{Alpha: .01, Beta: .05, Errors: &errors, Latency: &latency, Split: &split}
	w := Window{Candidate: timed(r, 100, .05, .5), Stable: timed(r, 900, .05, .5), Routed: ByRequest}
	w.Candidate.Bad, w.Stable.Bad = 1, 9
	e := g.Own(g.Start())
	g.Add(&e, 2, &w)
	return g, e, w
}

func BenchmarkJudgement(b *testing.B) {
	g, e, w := busy()
	var board Board
	b.ReportAllocs()
	for b.Loop() {
		g.Add(&e, 2, &w)
		g.Decide(&e, 2, &board)
	}
}

func BenchmarkJudgementInWords(b *testing.B) {
	g, e, w := busy()
	b.ReportAllocs()
	for b.Loop() {
		g.Judge(g.Observe(e, 2, w), 2)
	}
}

// A process that stalls answers late for a moment, all at once. One such window in ten is no slow candidate; one slow
// answer in four, window after window, is.
func TestLatencyForgivesAStallAndFindsASlowCandidate(t *testing.T) {
	t.Parallel()
	judged := func(most float64, late func(window int) uint64) (failedAt int) {
		g := NewLatency(MarginsFor([]int{5}))
		g.Most = most
		e := g.shaped(g.Start())
		for i := range 60 {
			w := Window{Candidate: timedAt(50, late(i), 0), Stable: timedAt(950, 40, 0)}
			g.add(&e, 0, &w)
			if number(g.logHarm(&e)) >= needed(g.Alpha) {
				return i + 1
			}
		}
		return 0
	}
	stalls := func(i int) uint64 {
		if i%10 == 5 {
			return 25 // half of them
		}
		return 2
	}
	if at := judged(0, stalls); at == 0 {
		t.Error("stalls are forgiven without a bound: this test shows nothing")
	}
	if at := judged(4, stalls); at != 0 {
		t.Errorf("with a bound stalls fail it at window %d", at)
	}
	if at := judged(4, func(int) uint64 { return 13 }); at == 0 || at > 8 {
		t.Errorf("a slow candidate fails at window %d, want at most 8", at)
	}
}
