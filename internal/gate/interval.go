package gate

import "math"

// Rates are shares of bad answers, with intervals that hold at all times at once.
type Rates struct {
	Candidate Interval `json:"candidate"`
	Stable    Interval `json:"stable"`
}

// An Interval is an estimate and the bounds of a confidence sequence around it: the chance that it ever misses the
// true value, at whatever time one looks, is at most 5% where that value does not change.
type Interval struct {
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// missed is the chance that an Interval ever misses.
const missed = 0.05

// rates counts one of spread answers as independent.
func rates(w Window, spread float64) Rates {
	return Rates{sequence(w.Candidate, spread, missed), sequence(w.Stable, spread, missed)}
}

// sequence returns the arm's share of bad answers with the confidence sequence of the beta-binomial mixture: all p for
// which
//
//	B(x+1/2, n-x+1/2) / B(1/2, 1/2) < p^x (1-p)^(n-x) / delta
//
// as the left side over p^x (1-p)^(n-x) is what a bet against p has made of 1 by then.
// Source: H. Robbins, Statistical methods related to the law of the iterated logarithm (1970).
func sequence(a Arm, spread, delta float64) Interval {
	if a.Requests == 0 {
		return Interval{0, 0, 1}
	}
	n, x := float64(a.Requests)/spread, float64(a.Bad)/spread
	share := x / n
	bet := logBeta(x+0.5, n-x+0.5) - logBeta(0.5, 0.5) + math.Log(delta)
	inside := func(logit float64) bool {
		// ln p and ln(1-p), in a form that keeps digits at both ends
		p, q := -softplus(-logit), -softplus(logit)
		return bet < times(x, p)+times(n-x, q)
	}
	const far = 50 // logits beyond are 0 and 1
	i := Interval{Estimate: share, High: 1}
	middle := math.Max(-far, math.Min(math.Log(share)-math.Log1p(-share), far))
	if x > 0 {
		i.Low = expit(search(middle, -far, inside))
	}
	if x < n {
		i.High = expit(search(middle, far, inside))
	}
	return i
}

// search returns where inside ends, between a point that is inside and one that is not.
func search(in, out float64, inside func(float64) bool) float64 {
	for range 40 {
		if m := (in + out) / 2; inside(m) {
			in = m
		} else {
			out = m
		}
	}
	return out
}

func expit(logit float64) float64 { return 1 / (1 + math.Exp(-logit)) }

// softplus returns ln(1 + e^x).
func softplus(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

// times is a product in which nothing of anything is nothing.
func times(n, l float64) float64 {
	if n == 0 {
		return 0
	}
	return n * l
}

// logBeta returns ln B(a, b), a and b > 0, with digits left where logarithms of factorials would
// have lost them.
func logBeta(a, b float64) float64 {
	a, b = math.Min(a, b), math.Max(a, b)
	if b < 16 {
		la, _ := math.Lgamma(a)
		lb, _ := math.Lgamma(b)
		lab, _ := math.Lgamma(a + b)
		return la + lb - lab
	}
	large := stirlingError(b) - stirlingError(a+b) - (b-0.5)*math.Log1p(a/b)
	if a < 16 {
		la, _ := math.Lgamma(a)
		return la + large - a*math.Log(a+b) + a
	}
	return large + stirlingError(a) - (a-0.5)*math.Log1p(b/a) - math.Log(a+b)/2 + math.Log(2*math.Pi)/2
}
