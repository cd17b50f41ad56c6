package gate

import "math"

// logMean returns ln of the mean of numbers that are given by their logarithms; 0, the logarithm
// of no evidence, for none.
func logMean(logs []float64) float64 {
	if len(logs) == 0 {
		return 0
	}
	top := math.Inf(-1)
	for _, l := range logs {
		top = math.Max(top, l)
	}
	var sum float64
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum/float64(len(logs)))
}

// number returns e to the l, at most the largest number that JSON can hold.
func number(l float64) float64 { return math.Min(math.Exp(l), math.MaxFloat64) }

// needed returns the evidence that keeps the chance of an error within bound, the largest number
// where bound is no chance.
func needed(bound float64) float64 {
	if bound > 0 {
		return math.Min(1/bound, math.MaxFloat64)
	}
	return math.MaxFloat64
}

// finite returns the number nearest to l that is finite; 0, no evidence, where l is not a number.
func finite(l float64) float64 {
	if math.IsNaN(l) {
		return 0
	}
	return math.Max(-math.MaxFloat64, math.Min(l, math.MaxFloat64))
}

// copyFinite copies what is finite in from, and what is not as finite has it.
func copyFinite(to, from []float64) {
	for i, l := range from {
		to[i] = finite(l)
	}
}
