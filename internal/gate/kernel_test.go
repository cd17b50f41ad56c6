package gate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
)

// logFactor is ln L(w1; w0) of one window.
func logFactor(w Window, w1, w0 float64) float64 {
	t, ok := newTable(w.Candidate, w.Stable)
	if !ok {
		return 0
	}
	return t.logZ(w0) - t.logZ(w1)
}

// terms returns C(nc,k) C(ns,e-k) w^(k-low) for every k from low on, to 400 bits and but for a constant
// that is the same for every w.
func terms(nc, ns, e uint64, w float64) (low uint64, all []*big.Float) {
	exact := func(x float64) *big.Float { return new(big.Float).SetPrec(400).SetFloat64(x) }
	if e > ns {
		low = e - ns
	}
	term := exact(1)
	for k := low; ; k++ {
		all = append(all, exact(0).Set(term))
		if k == min(e, nc) {
			return low, all
		}
		term.Mul(term, exact(w))
		term.Mul(term, exact(float64(nc-k)*float64(e-k)))
		term.Quo(term, exact(float64(k+1)*float64(ns-e+k+1)))
	}
}

func total(all []*big.Float) *big.Float {
	sum := new(big.Float).SetPrec(400)
	for _, t := range all {
		sum.Add(sum, t)
	}
	return sum
}

// logOf is ln of a number beyond float64's range.
func logOf(x *big.Float) float64 {
	m := new(big.Float)
	exponent := x.MantExp(m)
	f, _ := m.Float64()
	return math.Log(f) + float64(exponent)*math.Ln2
}

// meanOf is the mean of f over the candidate's bad answers when e fail in all, by exact
// probabilities under odds ratio w.
func meanOf(nc, ns, e uint64, w float64, f func(Window) float64) float64 {
	low, all := terms(nc, ns, e, w)
	sum := total(all)
	var mean float64
	for i, t := range all {
		p, _ := new(big.Float).Quo(t, sum).Float64()
		x := low + uint64(i)
		mean += p * f(window(nc, x, ns, e-x))
	}
	return mean
}

// exactFactor is ln L(w1; w0) from exact sums.
func exactFactor(w Window, w1, w0 float64) float64 {
	nc, ns, e := w.Candidate.Requests, w.Stable.Requests, w.Candidate.Bad+w.Stable.Bad
	low, null := terms(nc, ns, e, w0)
	_, other := terms(nc, ns, e, w1)
	return logOf(new(big.Float).Quo(total(null), total(other))) + float64(w.Candidate.Bad-low)*math.Log(w1/w0)
}

func TestKernelIsExactOnSmallWindows(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		nc, ns := 1+r.Uint64N(60), 1+r.Uint64N(300)
		w := window(nc, r.Uint64N(nc+1), ns, r.Uint64N(ns+1))
		w1, w0 := alternatives[r.IntN(len(alternatives))], 1+r.Float64()
		got, want := logFactor(w, w1, w0), exactFactor(w, w1, w0)
		if !(math.Abs(got-want) <= 1e-12*(1+math.Abs(want))) {
			t.Errorf("%+v: ln L(%g; %g) = %.15g, want %.15g", w, w1, w0, got, want)
		}
	}
}

func TestKernelIsExactWhereArmsDifferInSize(t *testing.T) {
	t.Parallel()
	for _, w := range []Window{
		window(1e12, 5, 1e6, 3),
		window(1e6, 5, 1e12, 3),
		window(1e12, 1e12-5, 1e6, 1e6-3),
		window(1e12, 1e6, 9, 2),
		window(9, 2, 1e12, 1e12-1e6),
		window(3, 3, 1e9, 0),
		window(1e9, 4000, 1e9, 5000),
	} {
		for _, w1 := range []float64{1.25, 3, 200} {
			got, want := logFactor(w, w1, 1.1), exactFactor(w, w1, 1.1)
			if !(math.Abs(got-want) <= 1e-10*(1+math.Abs(want))) {
				t.Errorf("%+v: ln L(%g; 1.1) = %.15g, want %.15g", w, w1, got, want)
			}
		}
	}
}

func TestKernelIsExactWhereItStridesOverTerms(t *testing.T) {
	t.Parallel()
	for _, w := range []Window{
		window(90_000, 60_000, 110_000, 41_000), // a standard deviation of 111 at equal odds
	} {
		for _, w1 := range []float64{1.25, 200} {
			got, want := logFactor(w, w1, 1.1), exactFactor(w, w1, 1.1)
			if !(math.Abs(got-want) <= 1e-13*math.Abs(want)+1e-9) {
				t.Errorf("%+v: ln L(%g; 1.1) = %.15g, want %.15g", w, w1, got, want)
			}
		}
	}
}

func TestStridingOverTermsLosesNothing(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{50_000, 1e6, 1e8, 1e9} {
		table, _ := newTable(Arm{Requests: n, Bad: n / 100}, Arm{Requests: 3 * n, Bad: n / 40})
		for _, w := range []float64{1, 1.1, 6} {
			k := table.mode(w)
			sd := table.deviation(k)
			every, some := 1+table.walk(k, w), table.stride(k, w, math.Floor(max(sd, wide)/2))
			if sd > wide && !(math.Abs(every/some-1) <= 1e-9) {
				t.Errorf("n %d, w %g, standard deviation %.0f: every term %.15g, some %.15g", n, w, sd, every, some)
			}
		}
	}
}

func TestFactorIsFairAtToleranceAndLosesBelow(t *testing.T) {
	t.Parallel()
	for _, n := range [][3]uint64{{25, 475, 5}, {25, 475, 7}, {250, 250, 10}, {3, 2, 4}, {1, 1, 1}, {50, 60, 100}} {
		for _, w1 := range alternatives {
			factor := func(w Window) float64 { return math.Exp(logFactor(w, w1, 1.1)) }
			last := 1.0
			for _, w := range []float64{1.1, 1, 0.5, 0.1} {
				mean := meanOf(n[0], n[1], n[2], w, factor)
				if w == 1.1 && math.Abs(mean-1) > 1e-12 {
					t.Errorf("%v, alternative %g: mean %.15g at the tolerance, want 1", n, w1, mean)
				}
				if mean > last+1e-12 {
					t.Errorf("%v, alternative %g: mean %.15g at odds ratio %g, want at most %.15g", n, w1, mean, w, last)
				}
				last = mean
			}
		}
	}
}

func TestWindowsWithoutContrastAreNoEvidence(t *testing.T) {
	for _, w := range []Window{
		window(0, 0, 0, 0),
		window(0, 0, 500, 5),
		window(500, 5, 0, 0),
		window(500, 0, 500, 0),
		window(7, 7, 9, 9),
	} {
		if _, ok := newTable(w.Candidate, w.Stable); ok {
			t.Errorf("%+v has evidence, want none", w)
		}
	}
}

func TestKernelTakesAnySizeInNoTime(t *testing.T) {
	g := NewErrors([]int{1, 5, 10, 25, 50, 90})
	for _, n := range []uint64{0, 1, 1e9, 1e12, absurd - 1} {
		for _, bad := range []uint64{0, 1, n / 1000, n / 2, n} {
			bad = min(bad, n)
			start := time.Now()
			e := g.Observe(g.Start(), 2, window(n, bad, n, bad/2))
			if took := time.Since(start); took > time.Second {
				t.Errorf("%d requests, %d bad: %v, want under a second", n, bad, took)
			}
			checkFinite(t, e, g.Judge(e, 2))
		}
	}
}

func TestKernelDoesNotAllocate(t *testing.T) {
	w := window(1000, 30, 9000, 100)
	if n := testing.AllocsPerRun(10, func() { logFactor(w, 2, 1.1) }); n > 0 {
		t.Errorf("%g allocations for a factor, want none", n)
	}
}
