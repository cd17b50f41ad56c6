package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// density is the binomial law's.
func density(n, k uint64, p float64) float64 {
	lg := func(x uint64) float64 { l, _ := math.Lgamma(float64(x) + 1); return l }
	return math.Exp(lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

func poissonDensity(mean float64, k uint64) float64 {
	l, _ := math.Lgamma(float64(k) + 1)
	return math.Exp(float64(k)*math.Log(mean) - mean - l)
}

// follows fails where the draws do not follow the density, by Pearson's chi-square over the
// values that are expected at least ten times; the rest is one class.
func follows(t *testing.T, draws int, draw func() uint64, density func(k uint64) float64) {
	t.Helper()
	counts := map[uint64]int{}
	for range draws {
		counts[draw()]++
	}
	var chi, rest float64
	classes, seen := 0, 0
	for k := range uint64(5000) {
		expected := density(k) * float64(draws)
		if expected < 10 {
			continue
		}
		d := float64(counts[k]) - expected
		chi += d * d / expected
		rest += expected
		seen += counts[k]
		classes++
	}
	if others := float64(draws) - rest; others >= 10 {
		d := float64(draws-seen) - others
		chi += d * d / others
		classes++
	}
	if classes < 2 {
		t.Fatalf("%d classes", classes)
	}
	// Wilson and Hilferty: the cube root of chi-square over its degrees of freedom is nearly normal.
	f := float64(classes - 1)
	z := (math.Cbrt(chi/f) - (1 - 2/(9*f))) / math.Sqrt(2/(9*f))
	if z > 4 {
		t.Errorf("chi-square %.1f over %d classes, %.1f standard deviations too many", chi, classes, z)
	}
}

func TestBinomialDrawsFollowTheirLaw(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n uint64
		p float64
	}{{1, 0.5}, {5, 0.01}, {500, 0.01}, {475, 0.019}, {500, 0.02}, {1000, 0.0101}, {25, 0.45}, {60, 0.9}, {5000, 0.05}, {3000, 0.5}, {2000, 0.999}} {
		t.Run(fmt.Sprint(c.n, c.p), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(c.n, 1))
			follows(t, 200_000, func() uint64 { return binomial(r, c.n, c.p) }, func(k uint64) float64 {
				if k > c.n {
					return 0
				}
				return density(c.n, k, c.p)
			})
		})
	}
}

func TestPoissonDrawsFollowTheirLaw(t *testing.T) {
	t.Parallel()
	for _, mean := range []float64{0.3, 5, 9.99, 10, 25, 500} {
		t.Run(fmt.Sprint(mean), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(mean*100), 2))
			follows(t, 200_000, func() uint64 { return poisson(r, mean) }, func(k uint64) float64 { return poissonDensity(mean, k) })
		})
	}
}

func TestBinomialMomentsHoldForEverySize(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	for _, c := range []struct {
		n uint64
		p float64
	}{{1_000_000_000, 0.01}, {1 << 40, 1e-10}, {100_000, 0.3}} {
		const draws = 20_000
		var sum, squares float64
		mean := float64(c.n) * c.p
		for range draws {
			d := float64(binomial(r, c.n, c.p)) - mean
			sum, squares = sum+d, squares+d*d
		}
		variance := mean * (1 - c.p)
		if off := sum / draws / math.Sqrt(variance/draws); math.Abs(off) > 4 {
			t.Errorf("n %d, p %g: the mean is %.1f standard errors off", c.n, c.p, off)
		}
		if ratio := squares / draws / variance; ratio < 0.95 || ratio > 1.05 {
			t.Errorf("n %d, p %g: the variance is %.3f times what it should be", c.n, c.p, ratio)
		}
	}
}

func TestImpossibleChancesDrawNothingOrAll(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	for _, c := range []struct {
		n    uint64
		p    float64
		want uint64
	}{{0, 0.5, 0}, {7, 0, 0}, {7, -1, 0}, {7, math.NaN(), 0}, {7, 1, 7}, {7, 3, 7}} {
		if got := binomial(r, c.n, c.p); got != c.want {
			t.Errorf("%d requests of chance %g: %d, want %d", c.n, c.p, got, c.want)
		}
	}
	if got := poisson(r, -1); got != 0 {
		t.Errorf("poisson of a negative mean: %d", got)
	}
}

func TestMultinomialSpreadsAllByChance(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	chances := []float64{0.5, 0, 0.3, 0.2}
	counts, totals := make([]uint64, 4), make([]float64, 4)
	for range 20_000 {
		multinomial(r, 100, chances, counts)
		var sum uint64
		for i, c := range counts {
			sum += c
			totals[i] += float64(c)
		}
		if sum != 100 {
			t.Fatalf("%v sums up to %d", counts, sum)
		}
	}
	for i, p := range chances {
		if got := totals[i] / 2_000_000; math.Abs(got-p) > 0.002 {
			t.Errorf("class %d: %.4f, want %g", i, got, p)
		}
	}
}

func BenchmarkBinomial(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []uint64{25, 475, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				binomial(r, n, 0.01)
			}
		})
	}
}
