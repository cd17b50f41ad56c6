package simulate

import (
	"math"
	"math/rand/v2"
)

// The samplers are exact: they follow their law, not a normal law near it, for a simulator of
// tests that decide at probabilities of 1 in 100 must not be wrong in the tails.

// binomial draws how many of n requests fail when each does with chance p.
func binomial(r *rand.Rand, n uint64, p float64) uint64 {
	switch {
	case n == 0 || !(p > 0):
		return 0
	case p >= 1:
		return n
	case p > 0.5:
		return n - binomial(r, n, 1-p)
	case float64(n)*p < 10:
		return binomialByGaps(r, n, p)
	}
	return binomialByRejection(r, n, p)
}

// binomialByGaps draws the gaps between failures, which follow the geometric law: as many
// draws as there are failures.
func binomialByGaps(r *rand.Rand, n uint64, p float64) uint64 {
	rest := math.Log1p(-p)
	var hits uint64
	for at := 0.0; ; hits++ {
		at += 1 + math.Floor(-r.ExpFloat64()/rest)
		if at > float64(n) {
			return hits
		}
	}
}

// binomialByRejection takes the same time for every n.
// Source: W. Hörmann, The generation of binomial random variates (1993), algorithm BTRS.
func binomialByRejection(r *rand.Rand, count uint64, p float64) uint64 {
	n := float64(count)
	sd := math.Sqrt(n * p * (1 - p))
	b := 1.15 + 2.53*sd
	a := -0.0873 + 0.0248*b + 0.01*p
	center := n*p + 0.5
	alpha := (2.83 + 5.1/b) * sd
	box := 0.92 - 4.2/b
	mode := math.Floor((n + 1) * p)
	odds := p / (1 - p)
	for {
		u, v := r.Float64()-0.5, r.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + center)
		if us >= 0.07 && v <= box {
			return uint64(k)
		}
		if k < 0 || k > n {
			continue
		}
		v = math.Log(v * alpha / (a/(us*us) + b))
		if v <= (mode+0.5)*math.Log((mode+1)/(odds*(n-mode+1)))+
			(n+1)*math.Log((n-mode+1)/(n-k+1))+
			(k+0.5)*math.Log(odds*(n-k+1)/(k+1))+
			stirling(mode)+stirling(n-mode)-stirling(k)-stirling(n-k) {
			return uint64(k)
		}
	}
}

// stirling returns ln k! minus Stirling's formula for it, around k+1.
func stirling(k float64) float64 {
	if k < 10 {
		factorial, _ := math.Lgamma(k + 1)
		return factorial - (k+0.5)*math.Log(k+1) + (k + 1) - math.Log(2*math.Pi)/2
	}
	k1 := (k + 1) * (k + 1)
	return (1./12 - (1./360-1./1260/k1)/k1) / (k + 1)
}

// poisson draws how many events happen where mean are expected.
func poisson(r *rand.Rand, mean float64) uint64 {
	if !(mean > 0) {
		return 0
	}
	if mean < 10 {
		var n uint64
		for at := r.ExpFloat64(); at < mean; at += r.ExpFloat64() {
			n++
		}
		return n
	}
	return poissonByRejection(r, mean)
}

// poissonByRejection takes the same time for every mean.
// Source: W. Hörmann, The transformed rejection method for generating Poisson random variables
// (1993), algorithm PTRS.
func poissonByRejection(r *rand.Rand, mean float64) uint64 {
	b := 0.931 + 2.53*math.Sqrt(mean)
	a := -0.059 + 0.02483*b
	inverse := 1.1239 + 1.1328/(b-3.4)
	box := 0.9277 - 3.6224/(b-2)
	for {
		u, v := r.Float64()-0.5, r.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + mean + 0.43)
		if us >= 0.07 && v <= box {
			return uint64(k)
		}
		if k < 0 || us < 0.013 && v > us {
			continue
		}
		factorial, _ := math.Lgamma(k + 1)
		if math.Log(v)+math.Log(inverse)-math.Log(a/(us*us)+b) <= k*math.Log(mean)-mean-factorial {
			return uint64(k)
		}
	}
}

// multinomial spreads n requests over classes of these chances, which sum up to 1, into counts.
func multinomial(r *rand.Rand, n uint64, chances []float64, counts []uint64) {
	left, rest := n, 1.0
	for i, p := range chances {
		counts[i] = 0
		if left == 0 {
			continue
		}
		if i == len(chances)-1 || p >= rest {
			counts[i], left = left, 0
			continue
		}
		counts[i] = binomial(r, left, p/rest)
		left -= counts[i]
		rest -= p
	}
}
