package gate

import "math"

// alternatives are the odds ratios that the harm test bets on.
var alternatives = [...]float64{1.25, 1.5, 1.75, 2, 2.5, 3, 4, 6, 10, 20, 50, 200}

// grid returns the alternatives that are clearly beyond the tolerance; none from 190 on.
func grid(tolerance float64) []float64 {
	for i, w := range alternatives {
		if w > 1.05*tolerance {
			return alternatives[i:]
		}
	}
	return nil
}

// sane returns a tolerance that can be one.
func sane(tolerance float64) float64 {
	if tolerance > 1 {
		return math.Min(tolerance, 200)
	}
	return 1
}

// bets are the odds ratios that a window is asked about, and what a gate has staked on them.
type bets struct {
	ratios
	columns int // alternatives for harm, from position firstAlternative on
	margins []Margin
}

const (
	atTolerance = iota
	atEquality
	firstAlternative
)

func newBets(tolerance float64, margins []Margin) (b bets) {
	b.margins = margins
	b.add(tolerance)
	b.add(1)
	for _, w := range grid(tolerance) {
		b.add(w)
		b.columns++
	}
	b.addMargins()
	return b
}

// newPassBets asks for no harm.
func newPassBets(margins []Margin) (b bets) {
	b.margins = margins
	b.add(1)
	b.add(1)
	b.addMargins()
	return b
}

func (b *bets) addMargins() {
	for _, m := range b.margins {
		if m.decidable() && b.index(m.Ratio, 0) < 0 && b.n < mostOdds {
			b.add(m.Ratio)
		}
	}
}

// decidable reports whether equal arms can be told from the margin's ratio.
func (m Margin) decidable() bool { return m.Ratio > 1 && m.Ratio < 1e6 }

// observe adds a window's factors, in place: L(w_j; w0) to the rollout's row of harm and to the step's, L(1; m) to
// rel, one a step's margin.
func (b *bets) observe(harm [][]float64, rel []float64, step int, c, s Arm) {
	t, ok := newTable(c, s)
	if !ok {
		return
	}
	var z [mostOdds]float64
	t.logZs(&b.ratios, &z)
	b.stake(harm[0], &z)
	if step >= 0 && step < len(b.margins) {
		b.stake(harm[1+step], &z)
	}
	for i, m := range b.margins {
		if j := b.index(m.Ratio, 0); j >= 0 && m.decidable() {
			rel[i] = finite(rel[i] + z[j] - z[atEquality])
		}
	}
}

// margin adds L(1; m) to rel, one a step's margin.
func (b *bets) margin(rel Floats, z *[mostOdds]float64) {
	for i, m := range b.margins {
		if j := b.index(m.Ratio, 0); j >= 0 && m.decidable() {
			rel[i] = finite32(float64(rel[i]) + z[j] - z[atEquality])
		}
	}
}

func has(steps []Margin, step int) bool { return step >= 0 && step < len(steps) }

// stake adds the window's factors to a row.
func (b *bets) stake(row []float64, z *[mostOdds]float64) {
	for j := range row {
		row[j] = finite(row[j] + z[atTolerance] - z[firstAlternative+j])
	}
}

// observeFirst adds the factors of first failures to a row.
func (b *bets) observeFirst(row []float64, c, s First) {
	t, ok := newTable(c.arm(), s.arm())
	if !ok {
		return
	}
	var z [mostOdds]float64
	all := b.n
	b.n = firstAlternative + b.columns // margins are not asked
	t.logZs(&b.ratios, &z)
	b.n = all
	b.stake(row, &z)
}
