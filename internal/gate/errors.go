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
	return Errors{Alpha: 0.01, Beta: 0.05, Tolerance: 1.1, Steps: MarginsFor(weights)}
}

// ErrorEvidence is all that Errors remembers. It is a value: Observe returns another.
type ErrorEvidence struct {
	Seen Window `json:"seen"` // totals
	// Harm holds ln of the factors, a row for the whole rollout (E_0) and one a step (E_k),
	// a column a grid point.
	Harm [][]float64 `json:"harm"`
	// Rel holds ln E_rel, one a step's margin.
	Rel []float64 `json:"rel"`
	// Clients is there once a window counted clients. Harm and Rel are about episodes then.
	Clients *ClientEvidence `json:"clients,omitempty"`
	// Totals is there once a window held totals only.
	Totals *TotalsEvidence `json:"totals,omitempty"`
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
	g.add(&next, step, &w)
	return next
}

// add is Observe in place, for evidence of the gate's shape.
func (g *Errors) add(e *ErrorEvidence, step int, w *Window) {
	if w.Candidate.Requests >= absurd || w.Stable.Requests >= absurd {
		return
	}
	c, s := w.Candidate.sound(), w.Stable.sound()
	e.Seen.Candidate = e.Seen.Candidate.plus(c)
	e.Seen.Stable = e.Seen.Stable.plus(s)
	e.Seen.Totals = e.Seen.Totals || w.Totals
	if w.Routed != "" {
		e.Seen.Routed = w.Routed
	}
	if w.Totals {
		e.observePods(w)
	}
	b := newBets(g.tolerance(), g.Steps)
	if byClient(w) {
		c, s = g.observeClients(e, step, w, &b)
	}
	b.observe(e.Harm, e.Rel, step, c, s)
}

// observeClients adds the first failures, and returns the arms by episodes.
func (g *Errors) observeClients(e *ErrorEvidence, step int, w *Window, b *bets) (c, s Arm) {
	if e.Clients == nil {
		e.Clients = e.Clients.shaped(1+len(g.Steps), b.columns)
	}
	cc, sc := w.Candidate.Clients, w.Stable.Clients
	e.Clients.observe(step, cc, sc)
	b.observeFirst(e.Clients.First[0], cc.Rollout, sc.Rollout)
	if has(g.Steps, step) {
		b.observeFirst(e.Clients.First[1+step], cc.Step, sc.Step)
	}
	return cc.episodes(), sc.episodes()
}

// Judge says what the evidence means for leaving step (0-based). Harm is asked first. At a step
// that the gate does not have nothing passes.
func (g Errors) Judge(e ErrorEvidence, step int) Verdict {
	e = g.shaped(e)
	v := g.weigh(&e, step)
	v.Rates = rates(e.Seen, e.spread())
	v.Sentence = g.sentence(v, e)
	return v
}

// weigh is the verdict's numbers, for evidence of the gate's shape.
func (g *Errors) weigh(e *ErrorEvidence, step int) Verdict {
	v := Verdict{
		Gate:       "errors",
		Outcome:    Wait,
		Seen:       e.Seen,
		Harm:       number(g.logHarm(e)),
		HarmNeeded: needed(g.Alpha),
		Pass:       1,
		PassNeeded: needed(g.Beta),
	}
	if has(g.Steps, step) {
		v.Margin = g.Steps[step]
		v.Pass = number(logPass(e, step, v.Margin))
	}
	switch {
	case v.Harm >= v.HarmNeeded:
		v.Outcome = Fail
	case has(g.Steps, step) && v.Pass >= v.PassNeeded && v.Seen.Candidate.Requests > 0:
		v.Outcome = Pass
	}
	return v
}

// logHarm returns ln E_harm: half the bet on the whole rollout, half spread over the steps.
func (g *Errors) logHarm(e *ErrorEvidence) float64 {
	var steps mean
	for k := range g.Steps {
		steps.add(e.row(1 + k))
	}
	if len(g.Steps) == 0 {
		steps.add(0) // the other half was not bet
	}
	var both mean
	both.add(e.row(0))
	both.add(steps.log())
	return both.log()
}

// row returns ln E of the rollout (0) or of a step (1 and up), by whatever is known of whose requests they are.
func (e *ErrorEvidence) row(i int) float64 {
	switch {
	case e.Clients != nil:
		return e.Clients.row(i, e.Harm[i])
	case e.Totals != nil:
		return logMean(e.Harm[i]) / e.Totals.caution()
	}
	return logMean(e.Harm[i])
}

// spread is how many failures count as one.
func (e *ErrorEvidence) spread() float64 {
	switch {
	case e.Clients != nil:
		return e.Clients.phi()
	case e.Totals != nil:
		return e.Totals.caution()
	}
	return 1
}

// logPass returns ln E_pass at a step that there is.
func logPass(e *ErrorEvidence, step int, m Margin) float64 {
	candidate := e.Seen.Candidate
	if e.Clients != nil {
		candidate = e.Clients.Seen.Candidate
	}
	var both mean
	both.add(e.Rel[step] / e.spread())
	both.add(logAbs(candidate, m.Floor))
	return both.log()
}

// logAbs returns ln E_abs: the evidence that an arm's share of bad answers is below floor.
func logAbs(a Arm, floor float64) float64 {
	if !(floor > 0 && floor < 1) {
		return 0
	}
	bad, good := float64(a.Bad), float64(a.Requests-a.Bad)
	var three mean
	for _, part := range [3]float64{10, 4, 2} {
		three.add(good*(math.Log1p(-floor/part)-math.Log1p(-floor)) - bad*math.Log(part))
	}
	return three.log()
}

// tolerance is w0, or 1 where it was not set to something that can be one.
func (g *Errors) tolerance() float64 { return sane(g.Tolerance) }

// grid returns the alternatives that the gate bets on.
func (g *Errors) grid() []float64 { return grid(g.tolerance()) }

// shaped returns a copy of e with the rows and columns of this gate and numbers only.
func (g *Errors) shaped(e ErrorEvidence) ErrorEvidence {
	columns := len(g.grid())
	next := ErrorEvidence{
		Seen: Window{
			Candidate: e.Seen.Candidate.sound(), Stable: e.Seen.Stable.sound(),
			Totals: e.Seen.Totals, Routed: e.Seen.Routed,
		},
		Harm:   shapedRows(e.Harm, 1+len(g.Steps), columns),
		Rel:    make([]float64, len(g.Steps)),
		Totals: e.Totals.shaped(),
	}
	if len(e.Rel) == len(g.Steps) {
		copyFinite(next.Rel, e.Rel)
	}
	if e.Clients != nil {
		next.Clients = e.Clients.shaped(1+len(g.Steps), columns)
	}
	return next
}

// shapedRows returns a copy of rows with the given shape: what does not fit is no evidence.
func shapedRows(from [][]float64, rows, columns int) [][]float64 {
	all := make([]float64, rows*columns)
	next := make([][]float64, rows)
	for i := range next {
		next[i] = all[i*columns : (i+1)*columns : (i+1)*columns]
		if i < len(from) && len(from[i]) == columns {
			copyFinite(next[i], from[i])
		}
	}
	return next
}

// sound returns the arm's totals without bad answers that were no requests.
func (a Arm) sound() Arm { return Arm{Requests: a.Requests, Bad: min(a.Bad, a.Requests)} }

// plus adds up what two sound arms answered. It stops at the largest number instead of beginning
// anew.
func (a Arm) plus(b Arm) Arm {
	room := math.MaxUint64 - a.Requests
	if b.Requests > room {
		b = Arm{Requests: room, Bad: min(b.Bad, room)}
	}
	return Arm{Requests: a.Requests + b.Requests, Bad: a.Bad + b.Bad}
}
