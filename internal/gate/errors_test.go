package gate

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

var defaultSteps = []int{1, 5, 10, 25, 50, 90}

// checkFinite says that everything in a record is a number that JSON can hold, so that it can be
// saved and read back as it was.
func checkFinite(t interface{ Errorf(string, ...any) }, e ErrorEvidence, v Verdict) {
	saved, err := json.Marshal(e)
	if err != nil {
		t.Errorf("evidence: %v", err)
		return
	}
	var back ErrorEvidence
	if err := json.Unmarshal(saved, &back); err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("evidence came back as %+v (%v), want %+v", back, err, e)
	}
	if _, err := json.Marshal(v); err != nil {
		t.Errorf("verdict: %v", err)
	}
	if v.Sentence == "" {
		t.Errorf("a verdict without a sentence: %+v", v)
	}
}

// observe feeds windows of one step.
func observe(g Errors, e ErrorEvidence, step int, windows ...Window) ErrorEvidence {
	for _, w := range windows {
		e = g.Observe(e, step, w)
	}
	return e
}

// windows draws windows that a service could have.
func windows() *rapid.Generator[[]Window] {
	arm := rapid.Custom(func(t *rapid.T) Arm {
		n := rapid.Uint64Range(0, 3000).Draw(t, "requests")
		return Arm{Requests: n, Bad: rapid.Uint64Range(0, n).Draw(t, "bad")}
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Window {
		return Window{Candidate: arm.Draw(t, "candidate"), Stable: arm.Draw(t, "stable")}
	}), 1, 12)
}

func TestNewErrorsAsksForTheMarginOfTheLevelApproved(t *testing.T) {
	want := Errors{0.01, 0.05, 1.1, []Margin{{10, .05}, {4, .02}, {3, .01}, {2, .005}, {1.5, .001}, {1.5, .001}}}
	if got := NewErrors(defaultSteps); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOrderOfWindowsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewErrors(defaultSteps)
		list := windows().Draw(t, "windows")
		a := observe(g, g.Start(), 1, list...)
		b := observe(g, g.Start(), 1, rapid.Permutation(list).Draw(t, "order")...)
		va, vb := g.Judge(a, 1), g.Judge(b, 1)
		if !reflect.DeepEqual(a.Seen, b.Seen) || !near(g.logHarm(&a), g.logHarm(&b)) || !near(logPass(&a, 1, va.Margin), logPass(&b, 1, vb.Margin)) {
			t.Errorf("in order %+v, otherwise %+v", va, vb)
		}
	})
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(1+math.Abs(a)) }

func TestNoTrafficIsNoEvidence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewErrors(defaultSteps)
		n := rapid.Uint64Range(0, 1e9).Draw(t, "requests")
		bad := rapid.Uint64Range(0, n).Draw(t, "bad")
		before := observe(g, g.Start(), 0, window(100, 2, 900, 9))
		for _, w := range []Window{window(0, 0, n, bad), window(n, bad, 0, 0)} {
			after := g.Observe(before, 0, w)
			if !reflect.DeepEqual(after.Harm, before.Harm) || !reflect.DeepEqual(after.Rel, before.Rel) {
				t.Errorf("%+v changed %+v to %+v", w, before, after)
			}
		}
		if v := g.Judge(g.Observe(g.Start(), 0, window(0, 0, n, bad)), 0); v.Outcome != Wait || !near(v.Harm, 1) || !near(v.Pass, 1) {
			t.Errorf("stable alone: %+v, want wait with evidence 1", v)
		}
	})
}

func TestMoreFailuresOnTheCandidateNeverHelpIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewErrors(defaultSteps)
		step := rapid.IntRange(0, 5).Draw(t, "step")
		before := observe(g, g.Start(), step, windows().Draw(t, "windows")...)
		nc := rapid.Uint64Range(1, 2000).Draw(t, "n_c")
		ns := rapid.Uint64Range(1, 2000).Draw(t, "n_s")
		xc := rapid.Uint64Range(0, nc-1).Draw(t, "x_c")
		xs := rapid.Uint64Range(1, ns).Draw(t, "x_s")
		a, b := g.Observe(before, step, window(nc, xc, ns, xs)), g.Observe(before, step, window(nc, xc+1, ns, xs-1))
		m := g.Steps[step]
		if harm, worse := g.logHarm(&a), g.logHarm(&b); worse < harm-1e-9*(1+math.Abs(harm)) {
			t.Errorf("ln E_harm fell from %g to %g", harm, worse)
		}
		if pass, worse := logPass(&a, step, m), logPass(&b, step, m); worse > pass+1e-9*(1+math.Abs(pass)) {
			t.Errorf("ln E_pass rose from %g to %g", pass, worse)
		}
	})
}

func TestObserveLeavesItsEvidenceAlone(t *testing.T) {
	g := NewErrors(defaultSteps)
	before := observe(g, g.Start(), 0, window(100, 2, 900, 9))
	saved, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	after := g.Observe(before, 0, window(100, 5, 900, 9))
	for i := range after.Harm {
		after.Harm[i][0] = 1e6
	}
	after.Rel[0] = 1e6
	g.Judge(before, 0)
	if now, err := json.Marshal(before); err != nil || string(now) != string(saved) {
		t.Errorf("evidence was %s, is now %s (%v)", saved, now, err)
	}
}

func TestEvidenceSurvivesItsRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewErrors(defaultSteps)
		e := observe(g, g.Start(), 2, windows().Draw(t, "windows")...)
		checkFinite(t, e, g.Judge(e, 2))
	})
}

func TestEvidenceOfAnotherShapeIsNone(t *testing.T) {
	g := NewErrors(defaultSteps)
	w := window(100, 5, 900, 9)
	want := g.Observe(g.Start(), 1, w)
	for name, e := range map[string]ErrorEvidence{
		"zero":           {},
		"empty rows":     {Harm: make([][]float64, 7), Rel: []float64{}},
		"too few":        {Harm: [][]float64{{1, 2}}, Rel: []float64{3}},
		"too many":       {Harm: [][]float64{{12: 1}}, Rel: []float64{9: 1}},
		"not numbers":    {Harm: [][]float64{{0: math.NaN(), 11: 0}}, Rel: []float64{math.NaN(), 0, 0, 0, 0, 0}},
		"rows too many":  {Harm: make([][]float64, 40)},
		"another policy": NewErrors([]int{5, 50}).Start(),
	} {
		if got := g.Observe(e, 1, w); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if v := g.Judge(e, 1); v.Outcome != Wait {
			t.Errorf("%s: %+v, want wait", name, v)
		}
	}
}

func TestAStepThatIsNoneCountsForTheRolloutOnly(t *testing.T) {
	g := NewErrors([]int{5, 50})
	for _, step := range []int{-1, 2, math.MaxInt, math.MinInt} {
		e := observe(g, g.Start(), step, window(1000, 0, 1000, 0), window(100, 5, 900, 9))
		if e.Harm[0][0] == 0 || e.Harm[1][0] != 0 || e.Harm[2][0] != 0 {
			t.Errorf("step %d: %+v", step, e.Harm)
		}
		if v := g.Judge(e, step); v.Outcome != Wait {
			t.Errorf("step %d: %+v, want wait", step, v)
		}
		e = g.Observe(e, step, window(100, 90, 900, 9))
		if v := g.Judge(e, step); v.Outcome != Fail {
			t.Errorf("step %d: %+v, want fail", step, v)
		}
	}
}

func TestImpossibleCountsAreMadeSound(t *testing.T) {
	g := NewErrors(defaultSteps)
	capped := g.Observe(g.Start(), 0, window(10, 10, 100, 3))
	if got := g.Observe(g.Start(), 0, window(10, 25, 100, 3)); !reflect.DeepEqual(got, capped) {
		t.Errorf("more bad answers than requests: %+v, want %+v", got, capped)
	}
	if got := g.Observe(capped, 0, window(math.MaxUint64, 7, 100, 3)); !reflect.DeepEqual(got, capped) {
		t.Errorf("a counter that ran backwards: %+v, want %+v", got, capped)
	}
	full := ErrorEvidence{Seen: window(math.MaxUint64-3, 5, 10, 1)}
	if got := g.Observe(full, 0, window(10, 5, 0, 0)).Seen; !reflect.DeepEqual(got, window(math.MaxUint64, 8, 10, 1)) {
		t.Errorf("a total beyond the largest number: %+v", got)
	}
}

func TestGateWithoutBoundsDecidesNothing(t *testing.T) {
	var g Errors
	e := observe(g, g.Start(), 0, window(100, 5, 900, 9), window(1000, 0, 1000, 0))
	if v := g.Judge(e, 0); v.Outcome != Wait || v.HarmNeeded != math.MaxFloat64 {
		t.Errorf("%+v, want wait", v)
	}
}

func TestHealthyServiceWithoutAnyErrorPassesEveryStep(t *testing.T) {
	g := NewErrors(defaultSteps)
	e := g.Start()
	for step, weight := range defaultSteps {
		for n := 0; ; n++ {
			v := g.Judge(e, step)
			if v.Outcome == Pass {
				break
			}
			if v.Outcome == Fail || n > 600 {
				t.Fatalf("step %d after %d windows: %+v", step, n, v)
			}
			e = g.Observe(e, step, window(uint64(5*weight), 0, uint64(500-5*weight), 0))
		}
	}
}

func TestNothingPassesWithoutACandidateRequest(t *testing.T) {
	g := NewErrors(defaultSteps)
	e := g.Start()
	e.Rel[0] = 1000 // as no window could make it
	if v := g.Judge(e, 0); v.Outcome != Wait {
		t.Errorf("%+v, want wait", v)
	}
}

func TestHarmThatBeginsLateIsSeen(t *testing.T) {
	g := NewErrors(defaultSteps)
	e := g.Start()
	for range 200 { // a long healthy past
		e = g.Observe(e, 0, window(1000, 10, 1000, 10))
	}
	for range 8 {
		e = g.Observe(e, 1, window(500, 25, 500, 5))
	}
	if v := g.Judge(e, 1); v.Outcome != Fail {
		t.Errorf("%+v, want fail", v)
	}
	if rollout := logMean(e.Harm[0]); rollout > math.Log(100) {
		t.Errorf("the whole rollout alone has ln E %g: this test shows nothing", rollout)
	}
}

func TestHarmDecidesBeforePass(t *testing.T) {
	g := NewErrors(defaultSteps)
	e := observe(g, g.Start(), 0, window(100_000, 1000, 100_000, 500)) // twice as bad, far below 5%
	if v := g.Judge(e, 0); v.Outcome != Fail || v.Pass < v.PassNeeded {
		t.Errorf("%+v, want fail in spite of a pass", v)
	}
}

func FuzzObserve(f *testing.F) {
	f.Add(uint64(25), uint64(3), uint64(475), uint64(4), 0, 1.1, 0.0, 2.0, 0.01)
	f.Add(uint64(1e12), uint64(1e12), uint64(1), uint64(0), 1, 1.0, 1e308, 1.5, 0.001)
	f.Add(uint64(math.MaxUint64), uint64(math.MaxUint64), uint64(absurd-1), uint64(1e14), -1, -5.0, math.Inf(-1), 1e300, 2.0)
	f.Add(uint64(1<<50-1), uint64(1), uint64(3), uint64(0), 0, 199.0, math.NaN(), 0.5, -1.0)
	f.Fuzz(func(t *testing.T, nc, xc, ns, xs uint64, step int, tolerance, log, ratio, floor float64) {
		g := Errors{0.01, 0.05, tolerance, []Margin{{ratio, floor}, {2, 0.005}}}
		e := g.Start()
		e.Rel[0], e.Seen = log, window(xs, nc, xc, ns)
		for i := range e.Harm {
			for j := range e.Harm[i] {
				e.Harm[i][j] = log
			}
		}
		for range 3 {
			e = g.Observe(e, step, window(nc, xc, ns, xs))
		}
		v := g.Judge(e, step)
		v.Margin = Margin{} // as given
		checkFinite(t, e, v)
	})
}

func BenchmarkObserve(b *testing.B) {
	g := NewErrors(defaultSteps)
	for name, w := range map[string]Window{
		"typical": window(50, 1, 950, 9),
		"1e6":     window(500_000, 6_000, 500_000, 5_000),
		"1e9":     window(1e9, 1.2e7, 1e9, 1e7),
	} {
		b.Run(name, func(b *testing.B) {
			e := g.Start()
			b.ReportAllocs()
			for b.Loop() {
				g.Observe(e, 1, w)
			}
		})
	}
}
