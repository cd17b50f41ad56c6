package gate

import "math"

// A table is one window as the kernel sees it: the 2x2 table of its counts, whose margins are
// given and whose one free cell, the candidate's bad answers, is what chance decides.
//
// Counts are float64, exact up to 2^53; Observe lets none in that comes near.
type table struct {
	candidate, stable float64 // requests on each arm: n_c, n_s
	bad               float64 // on both arms together: e
	x                 float64 // of them on the candidate
	// The four cells' means if the arms were equal, in the order of cells.
	means [4]float64
}

// newTable returns the table of two arms in a window. It reports false where the window holds no evidence,
// whatever x is: an arm without requests, no bad answer at all, or nothing else.
func newTable(candidate, stable Arm) (table, bool) {
	t := table{
		candidate: float64(candidate.Requests),
		stable:    float64(stable.Requests),
		bad:       float64(candidate.Bad) + float64(stable.Bad),
		x:         float64(candidate.Bad),
	}
	all := t.candidate + t.stable
	if t.candidate == 0 || t.stable == 0 || t.bad == 0 || t.bad == all {
		return table{}, false
	}
	share, rest := t.bad/all, (all-t.bad)/all
	t.means = [4]float64{t.candidate * share, t.candidate * rest, t.stable * share, t.stable * rest}
	return t, true
}

// logZ returns, up to a constant that is the same for every w of a table,
//
//	ln sum over k of C(n_c, k) C(n_s, e-k) w^(k-x),   w >= 1
//
// so that the window's evidence for odds ratio w1 against w0, the quotient
// (w1/w0)^x Z(w0)/Z(w1) of docs/guides/gates.md, is exp(logZ(w0) - logZ(w1)).
//
// The terms are log-concave in k. It starts at their mode and goes outwards until they no longer
// matter: a number of terms in the order of the standard deviation, and at most some dozens
// where that is large.
func (t *table) logZ(w float64) float64 {
	k := t.mode(w)
	sum := 1.0 // in units of the term at k
	if sd := t.deviation(k); sd < wide {
		sum += t.walk(k, w)
	} else {
		sum = t.stride(k, w, math.Floor(sd/2))
	}
	return t.logTerm(k) + (k-t.x)*math.Log(w) + math.Log(sum)
}

const (
	// Terms below this share of the sum end it.
	negligible = 1e-18
	// From this standard deviation on a sum of every term costs more than one of a few, and
	// the ends of the range are a hundred standard deviations away.
	wide = 100
)

// cells returns the table's four cells when k bad answers fall on the candidate.
func (t *table) cells(k float64) [4]float64 {
	return [4]float64{k, t.candidate - k, t.bad - k, t.stable - t.bad + k}
}

// low and high are the least and the most bad answers that the candidate can have.
func (t *table) low() float64  { return math.Max(0, t.bad-t.stable) }
func (t *table) high() float64 { return math.Min(t.bad, t.candidate) }

// mode returns where the terms are largest, or next to it: the root of
// w (n_c-k)(e-k) = k (n_s-e+k), in a form in which nothing cancels for w >= 1.
func (t *table) mode(w float64) float64 {
	b := w*(t.candidate+t.bad) + (t.stable - t.bad)
	half := w*(t.candidate-t.bad) + (t.stable - t.bad)
	root := math.Sqrt(half*half + 4*w*t.bad*(t.candidate+t.stable-t.bad))
	k := math.Round(2 * w * t.candidate * t.bad / (b + root))
	return math.Min(math.Max(k, t.low()), t.high())
}

// deviation returns the standard deviation of a normal law as curved as the terms are at k;
// 0 where a cell is empty.
func (t *table) deviation(k float64) float64 {
	var curvature float64
	for _, c := range t.cells(k) {
		curvature += 1 / c
	}
	return math.Sqrt(1 / curvature)
}

// walk sums all terms but the one at k, in units of it, by the ratio of neighbours.
func (t *table) walk(k, w float64) float64 {
	var sum float64
	term := 1.0
	for i := k; i < t.high() && term > negligible*sum; i++ {
		term *= w * (t.candidate - i) * (t.bad - i) / ((i + 1) * (t.stable - t.bad + i + 1))
		sum += term
	}
	term = 1.0
	for i := k; i > t.low() && term > negligible*sum; i-- {
		term *= i * (t.stable - t.bad + i) / (w * (t.candidate - i + 1) * (t.bad - i + 1))
		sum += term
	}
	return sum
}

// stride sums the terms, in units of the one at k, by looking at every h-th only. For terms as
// smooth as a normal law this is no approximation to speak of: by Poisson's summation formula the
// error is exp(-2 (pi sd/h)^2), 1e-34 for h = sd/2.
func (t *table) stride(k, w, h float64) float64 {
	top, slope := t.logTerm(k), math.Log(w)
	sum := 1.0
	for _, step := range [2]float64{h, -h} {
		for i := k + step; i >= t.low() && i <= t.high(); i += step {
			term := math.Exp(t.logTerm(i) - top + (i-k)*slope)
			sum += term
			if term < negligible*sum {
				break
			}
		}
	}
	return sum * h
}

// logTerm returns ln C(n_c, k) C(n_s, e-k) up to a constant of the table.
//
// The product of the binomials is a constant over the product of the cells' factorials, and
// replacing each factorial by the cell's Poisson density around its mean changes only that
// constant, since the means are those of equal arms. The densities are near 1 in size where
// logarithms of factorials are near 1e10, and differences of those keep no digits.
func (t *table) logTerm(k float64) float64 {
	var sum float64
	for i, c := range t.cells(k) {
		sum += logPoisson(c, t.means[i])
	}
	return sum
}

// logPoisson returns ln of the Poisson density of mean at the whole number c.
// Source: C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000).
func logPoisson(c, mean float64) float64 {
	if c == 0 {
		return -mean
	}
	if c < 16 {
		factorial, _ := math.Lgamma(c + 1)
		return c*math.Log(mean) - mean - factorial
	}
	return -deviance(c, mean) - stirlingError(c) - math.Log(2*math.Pi*c)/2
}

// stirlingError returns ln c! minus Stirling's formula for it, c >= 16.
func stirlingError(c float64) float64 {
	cc := c * c
	return (1./12 - (1./360-(1./1260-(1./1680-1./1188/cc)/cc)/cc)/cc) / c
}

// deviance returns c ln(c/mean) + mean - c without cancellation where c is near mean.
func deviance(c, mean float64) float64 {
	if math.Abs(c-mean) >= 0.1*(c+mean) {
		return c*math.Log(c/mean) + mean - c
	}
	v := (c - mean) / (c + mean)
	sum := (c - mean) * v
	power := 2 * c * v
	for n := 3.0; ; n += 2 {
		power *= v * v
		next := sum + power/n
		if next == sum {
			return sum
		}
		sum = next
	}
}
