package gate

import "math"

// logMean returns ln of the mean of numbers that are given by their logarithms; 0, the logarithm
// of no evidence, for none.
func logMean(logs []float64) float64 {
	var m mean
	for _, l := range logs {
		m.add(l)
	}
	return m.log()
}

// A mean of numbers that are given by their logarithms.
type mean struct {
	top, sum, weight float64
}

func (m *mean) add(l float64) { m.weighted(l, 1) }

func (m *mean) weighted(l, weight float64) {
	switch {
	case weight <= 0:
		return
	case m.weight == 0:
		m.top, m.sum = l, weight
	case l > m.top:
		m.sum = m.sum*math.Exp(m.top-l) + weight
		m.top = l
	default:
		m.sum += weight * math.Exp(l-m.top)
	}
	m.weight += weight
}

func (m *mean) log() float64 {
	if m.weight == 0 {
		return 0
	}
	return m.top + math.Log(m.sum/m.weight)
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

// finite32 is finite for what is kept in few digits.
func finite32(l float64) float32 {
	return float32(math.Max(-math.MaxFloat32, math.Min(finite(l), math.MaxFloat32)))
}
