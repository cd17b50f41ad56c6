package gate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// both are errors and latency, without the router.
func both(weights ...int) Gates {
	errors, latency := NewErrors(weights), NewLatency(MarginsFor(weights))
	return Gates{Alpha: .01, Beta: .05, Errors: &errors, Latency: &latency}
}

func TestErrorsAloneAreJudgedAsBefore(t *testing.T) {
	one := NewErrors(defaultSteps)
	g := Gates{Alpha: .01, Beta: .05, Errors: &one}
	e, plain := g.Start(), one.Start()
	for _, w := range []Window{window(25, 1, 475, 4), window(25, 3, 475, 4), window(250, 8, 250, 2)} {
		e, plain = g.Observe(e, 1, w), one.Observe(plain, 1, w)
		j, v := g.Judge(e, 1), one.Judge(plain, 1)
		if len(j.Verdicts) != 1 || !reflect.DeepEqual(j.Verdicts[0], v) || math.Abs(j.Harm/v.Harm-1) > 1e-9 {
			t.Errorf("got %+v, want %+v", j, v)
		}
	}
	a, _ := json.Marshal(e)
	b, _ := json.Marshal(plain)
	if string(a) != string(b) {
		t.Errorf("written as %s, by itself as %s", a, b)
	}
}

func TestSharesOfAbsentGatesGoToTheRest(t *testing.T) {
	g := both(5, 50)
	j := g.Judge(g.Start(), 0)
	if len(j.Verdicts) != 2 || math.Abs(j.Verdicts[0].HarmNeeded-160) > 1e-9 || math.Abs(j.Verdicts[1].HarmNeeded-100/.375) > 1e-9 {
		t.Errorf("errors need %g, latency %g, want 5 and 3 eighths of alpha", j.Verdicts[0].HarmNeeded, j.Verdicts[1].HarmNeeded)
	}
}

func TestTheGateWithTheMostEvidenceIsTheReason(t *testing.T) {
	g := both(50)
	slow := Window{Candidate: timedAt(500, 300, 30), Stable: timedAt(500, 100, 5)}
	broken := Window{Candidate: timedAt(500, 100, 5), Stable: timedAt(500, 100, 5)}
	broken.Candidate.Bad = 50
	for reason, w := range map[string]Window{"latency": slow, "errors": broken} {
		e := g.Start()
		for range 3 {
			e = g.Observe(e, 0, w)
		}
		j := g.Judge(e, 0)
		if j.Outcome != Fail || j.Reason != reason || j.Verdict(reason).Outcome != Fail {
			t.Errorf("%+v: want fail by %s", j, reason)
		}
	}
}

func TestEvidenceOfSeveralGatesAddsUp(t *testing.T) {
	g := both(50)
	e := g.Start()
	e.Harm[0][0] = math.Log(200 * 11) // a grid of 11: 100 in half of E_harm
	for i := range e.Latency.Logs {
		e.Latency.Logs[i] = math.Log(120)
	}
	j := g.Judge(e, 0)
	for _, v := range j.Verdicts {
		if v.Harm >= v.HarmNeeded {
			t.Fatalf("%s fails by itself: %+v", v.Gate, v)
		}
	}
	if want := .625*j.Verdicts[0].Harm + .375*j.Verdicts[1].Harm; math.Abs(j.Harm-want) > 1e-9*want || j.Outcome != Fail {
		t.Errorf("%+v: want %g, which is enough", j, want)
	}
}

func TestALevelNeedsEveryGate(t *testing.T) {
	g := both(5, 50)
	e := g.Start()
	for range 10 { // errors alone
		e = g.Observe(e, 0, window(1000, 0, 9000, 0))
	}
	if j := g.Judge(e, 0); j.Outcome != Wait || j.Verdicts[0].Outcome != Pass || !strings.Contains(j.Verdicts[1].Sentence, "was timed yet") {
		t.Errorf("latency was not measured, and yet %+v", j)
	}
	fast := func(n uint64) Arm { return Arm{Requests: n, Slower: make([]uint64, Edges)} }
	e = g.Observe(e, 0, Window{Candidate: fast(100), Stable: fast(1000)})
	e = g.Observe(e, 0, Window{Candidate: fast(1000), Stable: fast(9000)})
	if j := g.Judge(e, 0); j.Outcome != Pass {
		t.Errorf("%+v", j)
	}
}

func TestNobodyAskedDecidesNothing(t *testing.T) {
	var g Gates
	e := g.Observe(g.Start(), 0, window(100, 90, 900, 0))
	if j := g.Judge(e, 0); j.Outcome != Wait || len(j.Verdicts) != 0 || e.Seen.Candidate.Requests != 100 {
		t.Errorf("%+v, %+v", j, e)
	}
}

// pods splits an arm's counts unevenly over pods: their bad answers come in bursts of a size.
func pods(r *rand.Rand, n, requests int, rate float64, burst int) Arm {
	var a Arm
	for range n {
		p := Arm{Requests: uint64(requests)}
		for range burst * binomial(r, requests, rate/float64(burst)) {
			if p.Bad < p.Requests {
				p.Bad++
			}
		}
		a.Pods = append(a.Pods, p)
		a.Requests += p.Requests
		a.Bad += p.Bad
	}
	return a
}

func TestBurstsInTotalsDoNotFailAHealthyCandidate(t *testing.T) {
	t.Parallel()
	const runs = 400
	r := rand.New(rand.NewPCG(1, 4))
	g := NewErrors([]int{25, 50})
	for burst := 1; burst <= 8; burst *= 2 {
		var tempered, plain int
		for range runs {
			e, p := g.shaped(g.Start()), g.shaped(g.Start())
			var ever, everPlain bool
			for i := range 120 {
				w := Window{Candidate: pods(r, 2, 100, .01, burst), Stable: pods(r, 4, 100, .01, burst), Totals: true}
				g.add(&e, i/60, &w)
				w.Totals = false
				g.add(&p, i/60, &w)
				ever = ever || number(g.logHarm(&e)) >= 100
				everPlain = everPlain || number(g.logHarm(&p)) >= 100
			}
			if ever {
				tempered++
			}
			if everPlain {
				plain++
			}
		}
		low, high := wilson(tempered, runs)
		t.Logf("bursts of %d: %d of %d failed [%.4f, %.4f], untempered %d", burst, tempered, runs, low, high, plain)
		if high > .02 || burst == 8 && plain < runs/4 {
			t.Errorf("bursts of %d: %d of %d failed, up to %.4f; untempered %d", burst, tempered, runs, high, plain)
		}
	}
}

func TestHarmInTotalsOfFewPodsHolds(t *testing.T) {
	g := both(50)
	g.Latency = nil
	r := rand.New(rand.NewPCG(1, 4))
	for n, want := range map[int]Outcome{3: Wait, 4: Fail, 0: Wait} {
		e := g.Start()
		for range 60 {
			e = g.Observe(e, 0, Window{Candidate: pods(r, 4, 1000, .05, 1), Stable: pods(r, max(n, 1), 1000, .01, 1), Totals: true})
			if n == 0 {
				e.Totals.Pods = 0
			}
		}
		j := g.Judge(e, 0)
		if j.Outcome != want || (j.Hold != "") != (want == Wait) {
			t.Errorf("%d pods: %+v", n, j)
		}
	}
}

func TestHarmFromStickyClientsThatNobodyKnowsHolds(t *testing.T) {
	g := both(50)
	g.Latency = nil
	w := window(1000, 90, 1000, 9)
	w.Routed = ByClient
	e := g.Observe(g.Start(), 0, w)
	if j := g.Judge(e, 0); j.Outcome != Wait || j.Hold != holdSticky || j.Verdicts[0].Outcome != Wait {
		t.Errorf("%+v", j)
	}
}

func TestARightRouterDoesNotAlarmAndAWrongOneDoes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 4))
	run := func(real float64, by Routing) (j Judgement) {
		split := NewSplit([]int{5, 50})
		one := NewErrors([]int{5, 50})
		g := Gates{Alpha: .01, Beta: .05, Errors: &one, Split: &split}
		e, worst := g.Own(g.Start()), Judgement{}
		for range 100 {
			n := binomial(r, 200, real)
			w := window(uint64(n), 0, uint64(200-n), 0)
			w.Routed = by
			e = g.Observe(e, 0, w)
			if j = g.Judge(e, 0); j.Hold != "" || j.Outcome == Fail {
				worst = j
			}
		}
		if worst.Needed > 0 {
			return worst
		}
		return j
	}
	alarms := 0
	for range 200 {
		if j := run(.05, ByRequest); j.Hold != "" || j.Outcome == Fail {
			alarms++
		}
	}
	if alarms > 2 {
		t.Errorf("a right router alarms in %d of 200 runs", alarms)
	}
	if j := run(.10, ByRequest); j.Outcome != Fail || j.Reason != "split" || !strings.Contains(j.Verdict("split").Sentence, "more than the approved 5%") {
		t.Errorf("twice the weight: %+v", j)
	}
	if j := run(.02, ByRequest); j.Outcome == Fail || !strings.Contains(j.Hold, "and it should be 5%") {
		t.Errorf("less than half the weight: %+v", j)
	}
	if j := run(.5, ""); j.Hold != "" || len(j.Verdicts) != 1 {
		t.Errorf("unknown what was weighted: %+v", j)
	}
	if j := run(.5, ByClient); len(j.Verdicts) != 1 {
		t.Errorf("sticky, and the clients unknown: %+v", j)
	}
}

func TestClientsAreSplitByThoseThatAreNew(t *testing.T) {
	split := NewSplit([]int{10})
	e := split.shaped(nil)
	tr := NewTracker()
	tr.Begin()
	for range 100 { // the same clients again and again; one in ten is on the candidate and sends half of the requests
		for c := range uint64(200) {
			side := Stable
			if c%10 == 0 {
				side = Candidate
				for range 9 {
					tr.Answered(c, side, false)
				}
			}
			tr.Answered(c, side, false)
		}
		w := close1(tr, noon)
		split.add(e, 0, &w)
	}
	if step, l, _ := split.alarm(e); step >= 0 || e.Candidate[0] != 20 || e.Stable[0] != 180 {
		t.Errorf("alarm at %d, ln BF %g, %+v", step, l, e)
	}
}

func TestOneMisroutedRequestIsAnAlarm(t *testing.T) {
	split := NewSplit([]int{5})
	one := NewErrors([]int{5})
	g := Gates{Alpha: .01, Beta: .05, Errors: &one, Split: &split}
	w := window(1000, 0, 19000, 0)
	w.Routed, w.Misrouted = ByRequest, 1
	j := g.Judge(g.Observe(g.Start(), 0, w), 0)
	if j.Outcome != Wait || !strings.Contains(j.Hold, "1 request was answered by another arm") {
		t.Errorf("%+v", j)
	}
}

func TestIntervalsHoldAtAllTimes(t *testing.T) {
	t.Parallel()
	const runs = 1000 // about 3% miss: fewer runs could not tell that from 5%
	for _, p := range []float64{.001, .02, .5} {
		r := rand.New(rand.NewPCG(1, 6))
		missedIt := 0
		for range runs {
			var a Arm
			for n := 5; n < 20_000; n += n / 5 {
				a = a.plus(Arm{Requests: uint64(n / 5), Bad: uint64(binomial(r, n/5, p))})
				if i := sequence(a, 1, missed); i.Low > p || i.High < p {
					missedIt++
					break
				}
			}
		}
		if _, high := wilson(missedIt, runs); high > missed {
			t.Errorf("p %g: missed in %d of %d runs", p, missedIt, runs)
		}
	}
	for _, a := range []Arm{{}, {Requests: 1}, {Requests: 1, Bad: 1}, {Requests: 1e12, Bad: 3}, {Requests: 1 << 49, Bad: 1 << 48}} {
		if i := sequence(a, 1, missed); !(0 <= i.Low && i.Low <= i.Estimate && i.Estimate <= i.High && i.High <= 1) {
			t.Errorf("%+v: %+v", a, i)
		}
	}
}

func TestSeveralSumsAtOnceAreTheSameAsOneByOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		size := []uint64{5, 60, 3000, 1e6, 1e12}
		nc, ns := 1+r.Uint64N(size[r.IntN(5)]), 1+r.Uint64N(size[r.IntN(5)])
		tab, ok := newTable(Arm{Requests: nc, Bad: r.Uint64N(nc + 1)}, Arm{Requests: ns, Bad: r.Uint64N(ns + 1)})
		if !ok {
			continue
		}
		b := newBets(1.1, []Margin{{1.3, .1}, {1000, .1}, {9e5, .1}})
		var z [mostOdds]float64
		tab.logZs(&b.ratios, &z)
		one := tab.logZ(1)
		for j := range b.n {
			if got, want := z[j]-z[atEquality], tab.logZ(b.odds[j])-one; math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
				t.Errorf("%+v, odds %g: %.12g, want %.12g", tab, b.odds[j], got, want)
			}
		}
	}
}

// Whatever a window and a record hold, nothing panics and everything can be saved.
func FuzzGates(f *testing.F) {
	f.Add([]byte(`{}`), []byte(`{"candidate":{"requests":5,"bad":9,"clients":{"requests":3,"failing":9,"rollout":{"clean":1,"failed":7}}},"stable":{"requests":1000000000000,"clients":{"requests":9,"spread":{"xx":1e308,"m":-1,"x":1e-300}}},"totals":true,"routed":"request"}`), 0)
	f.Add([]byte(`{"harm":[[1e300]],"totals":{"squares":-1,"expected":1e308,"pods":-4},"clients":{"first":[[1]],"spreads":[{"m":1e308,"x":1e308,"xx":1e308},{"m":2}]},"split":{"candidate":[1,2],"stable":[18446744073709551615,3]}}`), []byte(`{"candidate":{"pods":[{"requests":1,"bad":2}]}}`), 1)
	f.Fuzz(func(t *testing.T, record, window []byte, step int) {
		var e Evidence
		var w Window
		if json.Unmarshal(record, &e) != nil || json.Unmarshal(window, &w) != nil {
			return
		}
		g := both(5, 50)
		split := NewSplit([]int{5, 50})
		g.Split = &split
		for range 3 {
			e = g.Observe(e, step, w)
			j := g.Judge(e, step)
			if _, err := json.Marshal(j); err != nil {
				t.Fatal(err)
			}
		}
		saved, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Evidence
		if err := json.Unmarshal(saved, &back); err != nil || !reflect.DeepEqual(g.Own(back), g.Own(e)) {
			t.Fatalf("%s came back as %+v (%v), want %+v", saved, back, err, e)
		}
	})
}
