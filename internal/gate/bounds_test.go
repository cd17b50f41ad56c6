package gate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A trial is a rollout under simulated traffic whose base rate of errors drifts.
type trial struct {
	gate   Errors
	base   float64                 // share of bad answers on stable, on average
	harm   func(p float64) float64 // share of bad answers on the candidate when stable's is p
	total  int                     // requests a window on both arms
	window int                     // windows at each step
}

var trialWeights = []int{5, 25, 50}

// run simulates one rollout through its first steps, whatever the gate says, and returns whether the
// gate ever failed and at which steps it ever passed.
func (tr trial) run(r *rand.Rand, steps int) (failed bool, passed [3]bool) {
	e := tr.gate.Start()
	drift := 0.0
	for step, weight := range trialWeights[:steps] {
		for range tr.window {
			// Half of the drift is forgotten every 50 windows; bursts of ten times the errors hit both arms.
			drift = 0.986*drift + 0.08*r.NormFloat64()
			p := min(tr.base*math.Exp(drift), 0.5)
			if r.IntN(60) == 0 {
				p = min(10*p, 0.5)
			}
			candidate := binomial(r, tr.total, float64(weight)/100)
			e = tr.gate.Observe(e, step, Window{
				Candidate: Arm{Requests: uint64(candidate), Bad: uint64(binomial(r, candidate, tr.harm(p)))},
				Stable:    Arm{Requests: uint64(tr.total - candidate), Bad: uint64(binomial(r, tr.total-candidate, p))},
			})
			failed = failed || number(tr.gate.logHarm(&e)) >= needed(tr.gate.Alpha)
			passed[step] = passed[step] || number(logPass(&e, step, tr.gate.Steps[step])) >= needed(tr.gate.Beta)
		}
	}
	return failed, passed
}

// binomial draws from the binomial law, by the gaps between successes.
func binomial(r *rand.Rand, n int, p float64) int {
	if p > 0.5 {
		return n - binomial(r, n, 1-p)
	}
	if p <= 0 {
		return 0
	}
	hits, rest := 0, math.Log1p(-p)
	for at := 0; ; hits++ {
		at += 1 + int(min(-r.ExpFloat64()/rest, 1e9))
		if at > n {
			return hits
		}
	}
}

// worseBy multiplies the odds.
func worseBy(ratio float64) func(float64) float64 {
	return func(p float64) float64 { return ratio * p / (1 - p + ratio*p) }
}

// wilson is the 95% interval of a share of which k of n were seen.
func wilson(k, n int) (low, high float64) {
	const z = 1.96
	p, m := float64(k)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m)) / (1 + z*z/m)
	return mid - half, mid + half
}

func TestHarmlessCandidatesFailWithinAlpha(t *testing.T) {
	t.Parallel()
	const runs = 4000
	tr := trial{gate: NewErrors(trialWeights), base: 0.02, harm: worseBy(1.1), total: 600, window: 20}
	r := rand.New(rand.NewPCG(7, 11))
	var failed int
	for range runs {
		if ever, _ := tr.run(r, len(trialWeights)); ever {
			failed++
		}
	}
	low, high := wilson(failed, runs)
	t.Logf("%d of %d failed, 95%% [%.4f, %.4f]", failed, runs, low, high)
	if high > tr.gate.Alpha {
		t.Errorf("false failures: %d of %d, up to %.4f, want at most %g", failed, runs, high, tr.gate.Alpha)
	}
}

func TestCandidatesAtTheMarginPassWithinBeta(t *testing.T) {
	const runs = 2000
	g := NewErrors(trialWeights)
	for step, m := range g.Steps {
		// Where the ratio is the closer of the two edges, and where the floor is.
		for name, base := range map[string]float64{"ratio": 3 * m.Floor, "floor": m.Floor / m.Ratio} {
			t.Run(claim(m)+", "+name, func(t *testing.T) {
				t.Parallel()
				// The least harm that the hypothesis knows: m times the odds, and never below the floor.
				harm := func(p float64) float64 { return max(worseBy(m.Ratio)(p), m.Floor) }
				tr := trial{gate: g, base: base, harm: harm, total: 600, window: 20}
				r := rand.New(rand.NewPCG(7, uint64(step)))
				var passed int
				for range runs {
					if _, ever := tr.run(r, step+1); ever[step] {
						passed++
					}
				}
				low, high := wilson(passed, runs)
				t.Logf("%d of %d passed, 95%% [%.4f, %.4f]", passed, runs, low, high)
				if high > g.Beta {
					t.Errorf("false passes: %d of %d, up to %.4f, want at most %g", passed, runs, high, g.Beta)
				}
			})
		}
	}
}

func TestGateHasPower(t *testing.T) {
	t.Parallel()
	g := NewErrors(trialWeights)
	count := func(tr trial) (failed, passed int) {
		tr.gate, tr.total, tr.window = g, 1000, 60
		r := rand.New(rand.NewPCG(3, 5))
		for range 100 {
			f, p := tr.run(r, len(trialWeights))
			if f {
				failed++
			}
			if p == [3]bool{true, true, true} {
				passed++
			}
		}
		return failed, passed
	}
	if _, passed := count(trial{base: 0.01, harm: worseBy(1)}); passed < 90 {
		t.Errorf("%d of 100 healthy candidates passed every step, want at least 90", passed)
	}
	if failed, _ := count(trial{base: 0.01, harm: worseBy(3)}); failed < 99 {
		t.Errorf("%d of 100 candidates with three times the errors failed, want at least 99", failed)
	}
	if failed, _ := count(trial{base: 0, harm: worseBy(1)}); failed != 0 {
		t.Errorf("%d of 100 candidates failed without any error", failed)
	}
}

func TestGateFailsABrokenCandidateWithinTenOfItsRequests(t *testing.T) {
	t.Parallel()
	const runs = 1000
	g := NewErrors(defaultSteps)
	r := rand.New(rand.NewPCG(13, 17))
	var late, requests int
	for range runs {
		e := g.Start()
		n := 0
		for g.Judge(e, 0).Outcome != Fail { // a window for each candidate request, half of which fail
			n++
			e = g.Observe(e, 0, window(1, uint64(r.IntN(2)), 99, uint64(binomial(r, 99, 0.01))))
		}
		requests += n
		if n > 10 {
			late++
		}
	}
	t.Logf("%.1f requests on average, more than ten in %d of %d", float64(requests)/runs, late, runs)
	if requests > 8*runs || late > runs/10 {
		t.Errorf("%d requests in %d runs, more than ten in %d of them; want 8 on average and more in one of ten", requests, runs, late)
	}
}

// The bounds rest on one property: under the hypothesis the evidence is 1 on average, or less. Here
// every outcome of three tiny windows is enumerated, with base rates that jump in between.
func TestEvidenceIsFairUnderItsHypothesis(t *testing.T) {
	margin := Margin{2, 0.2}
	g := Errors{0.01, 0.05, 1.1, []Margin{margin, margin}}
	bases := []float64{0.1, 0.9, 0.4}
	for _, ratio := range []float64{0.3, 1, 1.1} {
		harm, _ := expectations(g, bases, worseBy(ratio))
		if harm > 1+1e-12 {
			t.Errorf("odds ratio %g: mean of E_harm is %.15g, want at most 1", ratio, harm)
		}
	}
	for _, ratio := range []float64{2, 3, 30} {
		harm := func(p float64) float64 { return max(worseBy(ratio)(p), margin.Floor) }
		if _, pass := expectations(g, bases, harm); pass > 1+1e-12 {
			t.Errorf("odds ratio %g: mean of E_pass is %.15g, want at most 1", ratio, pass)
		}
	}
	// Beyond the hypotheses the means are above 1, else this test would show nothing.
	if harm, _ := expectations(g, bases, worseBy(1.3)); harm <= 1 {
		t.Errorf("odds ratio 1.3: mean of E_harm is %.15g, want more than 1", harm)
	}
	if _, pass := expectations(g, []float64{0.1, 0.15, 0.1}, worseBy(1)); pass <= 1 {
		t.Errorf("odds ratio 1: mean of E_pass is %.15g, want more than 1", pass)
	}
}

// expectations returns the exact means of E_harm and E_pass (of the second step) after one window of 3
// candidate and 4 stable requests at each base rate, the first of them in the first step.
func expectations(g Errors, bases []float64, harm func(float64) float64) (meanHarm, meanPass float64) {
	var visit func(e ErrorEvidence, i int, p float64)
	visit = func(e ErrorEvidence, i int, p float64) {
		if i == len(bases) {
			meanHarm += p * math.Exp(g.logHarm(&e))
			meanPass += p * math.Exp(logPass(&e, 1, g.Steps[1]))
			return
		}
		for xc := range uint64(4) {
			for xs := range uint64(5) {
				chance := density(xc, 3, harm(bases[i])) * density(xs, 4, bases[i])
				visit(g.Observe(e, min(i, 1), window(3, xc, 4, xs)), i+1, p*chance)
			}
		}
	}
	visit(g.Start(), 0, 1)
	return meanHarm, meanPass
}

// density is the binomial law's, for small n.
func density(k, n uint64, p float64) float64 {
	d := math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
	for i := range k {
		d *= float64(n-i) / float64(i+1)
	}
	return d
}
