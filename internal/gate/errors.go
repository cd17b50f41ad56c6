package gate

import "math"

// Errors judges by the share of bad answers.
type Errors struct {
	Alpha     float64  // bound on the chance that a harmless candidate ever fails
	Beta      float64  // bound on the chance that one beyond the margin passes a step
	Tolerance float64  // w0: odds ratio that still counts as harmless, 1.1; 1 or more
	Steps     []Margin // Steps[i] is what a pass at step i must show: the margin of the level it approves
}

// NewErrors returns the gate with docs/guides/gates.md's bounds for steps of these weights (percent). A pass at
// a step approves the next weight, at the last one promotion.
func NewErrors(weights []int) Errors {
	g := Errors{Alpha: 0.01, Beta: 0.05, Tolerance: 1.1}
	for i := range weights {
		next := 100
		if i+1 < len(weights) {
			next = weights[i+1]
		}
		g.Steps = append(g.Steps, MarginFor(next))
	}
	return g
}

// ErrorEvidence is all that Errors remembers. It is a value: Observe returns another.
type ErrorEvidence struct {
	Seen Window `json:"seen"`
	// Harm holds ln of the factors, a row for the whole rollout (E_0) and one a step (E_k),
	// a column a grid point.
	Harm [][]float64 `json:"harm"`
	// Rel holds ln E_rel, one a step's margin.
	Rel []float64 `json:"rel"`
}

// absurd is the number of requests on an arm from which on a window is no traffic but a counter
// that ran backwards.
const absurd = 1 << 50

// Start returns the evidence before the first window: none.
func (g Errors) Start() ErrorEvidence { return g.shaped(ErrorEvidence{}) }

// Observe returns the evidence after a window that was seen in step (0-based).
//
// It counts no more bad answers than requests, and ignores a window with an impossible number
// of requests (2^50 on an arm). A step that the gate does not have is a window between steps: it
// counts for the rollout only. Evidence of another shape than the gate's (an older policy, a
// record edited by hand) is kept where it fits and is none elsewhere.
func (g Errors) Observe(e ErrorEvidence, step int, w Window) ErrorEvidence {
	next := g.shaped(e)
	if w.Candidate.Requests >= absurd || w.Stable.Requests >= absurd {
		return next
	}
	w = Window{w.Candidate.sound(), w.Stable.sound()}
	next.Seen = Window{next.Seen.Candidate.plus(w.Candidate), next.Seen.Stable.plus(w.Stable)}
	t, ok := newTable(w)
	if !ok {
		return next
	}
	g.observeHarm(next, step, &t)
	g.observeRel(next, &t)
	return next
}

// observeHarm adds the window's factors L(w_j; w0), in place.
func (g Errors) observeHarm(e ErrorEvidence, step int, t *table) {
	null := t.logZ(g.tolerance())
	for j, w := range g.grid() {
		factor := null - t.logZ(w)
		e.Harm[0][j] = finite(e.Harm[0][j] + factor)
		if g.has(step) {
			e.Harm[1+step][j] = finite(e.Harm[1+step][j] + factor)
		}
	}
}

// observeRel adds the window's factors L(1; m), in place.
func (g Errors) observeRel(e ErrorEvidence, t *table) {
	equal := t.logZ(1)
	var ratio, factor float64
	for i, m := range g.Steps {
		if !(m.Ratio > 1 && m.Ratio < 1e6) {
			continue // no margin that equal arms could be told from
		}
		if m.Ratio != ratio { // steps that approve more than half share theirs
			ratio, factor = m.Ratio, t.logZ(m.Ratio)-equal
		}
		e.Rel[i] = finite(e.Rel[i] + factor)
	}
}

// Judge says what the evidence means for leaving step (0-based). Harm is asked first. At a step
// that the gate does not have nothing passes.
func (g Errors) Judge(e ErrorEvidence, step int) Verdict {
	e = g.shaped(e)
	v := Verdict{
		Gate:       "errors",
		Outcome:    Wait,
		Seen:       e.Seen,
		Harm:       number(g.logHarm(e)),
		HarmNeeded: needed(g.Alpha),
		Pass:       1,
		PassNeeded: needed(g.Beta),
	}
	if g.has(step) {
		v.Margin = g.Steps[step]
		v.Pass = number(logPass(e, step, v.Margin))
	}
	switch {
	case v.Harm >= v.HarmNeeded:
		v.Outcome = Fail
	case g.has(step) && v.Pass >= v.PassNeeded && v.Seen.Candidate.Requests > 0:
		v.Outcome = Pass
	}
	v.Sentence = g.sentence(v, e)
	return v
}

// logHarm returns ln E_harm: half the bet on the whole rollout, half spread over the steps.
func (g Errors) logHarm(e ErrorEvidence) float64 {
	rollout := logMean(e.Harm[0])
	if len(g.Steps) == 0 {
		return logMean([]float64{rollout, 0}) // the other half was not bet
	}
	steps := make([]float64, len(g.Steps))
	for k := range steps {
		steps[k] = logMean(e.Harm[1+k])
	}
	return logMean([]float64{rollout, logMean(steps)})
}

// logPass returns ln E_pass at a step that there is.
func logPass(e ErrorEvidence, step int, m Margin) float64 {
	return logMean([]float64{e.Rel[step], logAbs(e.Seen.Candidate, m.Floor)})
}

// logAbs returns ln E_abs: the evidence that an arm's share of bad answers is below floor.
func logAbs(a Arm, floor float64) float64 {
	if !(floor > 0 && floor < 1) {
		return 0
	}
	bad, good := float64(a.Bad), float64(a.Requests-a.Bad)
	var bets [3]float64
	for i, part := range [3]float64{10, 4, 2} {
		share := floor / part
		bets[i] = good*(math.Log1p(-share)-math.Log1p(-floor)) - bad*math.Log(part)
	}
	return logMean(bets[:])
}

// has reports whether the gate has the step.
func (g Errors) has(step int) bool { return step >= 0 && step < len(g.Steps) }

// tolerance is w0, or 1 where it was not set to something that can be one.
func (g Errors) tolerance() float64 {
	if g.Tolerance > 1 {
		return math.Min(g.Tolerance, 200)
	}
	return 1
}

// alternatives are the odds ratios that the harm test bets on.
var alternatives = [...]float64{1.25, 1.5, 1.75, 2, 2.5, 3, 4, 6, 10, 20, 50, 200}

// grid returns the alternatives that are clearly beyond the tolerance; none from 190 on.
func (g Errors) grid() []float64 {
	for i, w := range alternatives {
		if w > 1.05*g.tolerance() {
			return alternatives[i:]
		}
	}
	return nil
}

// shaped returns a copy of e with the rows and columns of this gate and numbers only.
func (g Errors) shaped(e ErrorEvidence) ErrorEvidence {
	columns := len(g.grid())
	next := ErrorEvidence{
		Seen: Window{e.Seen.Candidate.sound(), e.Seen.Stable.sound()},
		Harm: make([][]float64, 1+len(g.Steps)),
		Rel:  make([]float64, len(g.Steps)),
	}
	for i := range next.Harm {
		next.Harm[i] = make([]float64, columns)
		if i < len(e.Harm) && len(e.Harm[i]) == columns {
			copyFinite(next.Harm[i], e.Harm[i])
		}
	}
	if len(e.Rel) == len(g.Steps) {
		copyFinite(next.Rel, e.Rel)
	}
	return next
}

// sound returns the arm without bad answers that were no requests.
func (a Arm) sound() Arm { return Arm{a.Requests, min(a.Bad, a.Requests)} }

// plus adds up what two sound arms answered. It stops at the largest number instead of beginning
// anew.
func (a Arm) plus(b Arm) Arm {
	room := math.MaxUint64 - a.Requests
	if b.Requests > room {
		b = Arm{room, min(b.Bad, room)}
	}
	return Arm{a.Requests + b.Requests, a.Bad + b.Bad}
}
