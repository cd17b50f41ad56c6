package gate

import "math"

const (
	// Up to this many terms one sum for all odds ratios at once costs less than one for each.
	fewTerms = 3000
	// The most odds ratios that are asked for at once: the tolerance, equality, the alternatives and margins.
	mostOdds = 40
)

// A ratios is a list of odds ratios, each 1 or more, with their logarithms.
type ratios struct {
	n    int
	odds [mostOdds]float64
	logs [mostOdds]float64
}

func (r *ratios) add(odds float64) {
	r.odds[r.n], r.logs[r.n] = odds, math.Log(odds)
	r.n++
}

// logZs is logZ for several odds ratios. The sums share their coefficients, by Horner's scheme from the highest
// term down: nothing but sums of positive numbers, so every digit counts.
func (t *table) logZs(r *ratios, out *[mostOdds]float64) {
	low, high := t.low(), t.high()
	if high-low > fewTerms {
		for j := range r.n {
			out[j] = t.logZ(r.odds[j])
		}
		return
	}
	var z, one, shift [mostOdds]float64
	for j := range r.n {
		z[j], one[j] = 1, 1
	}
	odds, zs, ones := r.odds[:r.n], z[:r.n], one[:r.n]
	for k, i := high-1, 1; k >= low; k, i = k-1, i+1 {
		next := (t.candidate - k) * (t.bad - k) / ((k + 1) * (t.stable - t.bad + k + 1))
		for j, w := range odds {
			zs[j] = ones[j] + w*next*zs[j]
		}
		if i&3 == 0 {
			rescale(zs, ones, shift[:r.n])
		}
	}
	for j := range r.n {
		out[j] = math.Log(z[j]) + shift[j] + (low-t.x)*r.logs[j]
	}
}

// huge leaves room for four more terms' ratios: each at most fewTerms times 2^50 times 10^6.
const huge = 1e200

// rescale keeps sums in range.
func rescale(z, one, shift []float64) {
	for j := range z {
		if z[j] > huge {
			z[j] /= huge
			one[j] /= huge
			shift[j] += logHuge
		}
	}
}

var logHuge = math.Log(huge)

// index returns where odds is in the list from a place on, -1 where it is not.
func (r *ratios) index(odds float64, from int) int {
	for j := from; j < r.n; j++ {
		if r.odds[j] == odds {
			return j
		}
	}
	return -1
}
