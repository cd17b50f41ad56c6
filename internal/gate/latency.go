package gate

import "math"

// Latency judges by shares of slow answers, at every edge of a histogram.
//
// Harm: the odds of an answer slower than an edge are more than the tolerance times stable's. The bet is spread
// over the edges that between 1% and 50% of stable's requests exceeded so far, and the next one. Which these are
// may change: an edge that sleeps is taken to do as well as the others do on average, so that the whole stays a
// fair bet; while they stay the same it is the average over them.
// Source: Freund, Schapire, Singer, Warmuth, Using and Combining Predictors That Specialize (1997).
//
// Pass: at EVERY edge that at most half of stable's requests exceed, the odds are less than m times stable's, or fewer
// than d of the candidate's requests are slower. Each edge has to show it by itself, as Errors does, so that it
// needs no correction that they are many. A service without slow requests passes by d.
type Latency struct {
	Alpha     float64  // bound on the chance that a harmless candidate ever fails
	Beta      float64  // bound on the chance that one beyond the margin passes a step
	Tolerance float64  // w0: odds ratio of slow answers that still counts as harmless, 1.25
	Steps     []Margin // as of Errors
	// Most bounds what the evidence of harm may grow by in one window; 0 is no bound. Answers of one moment share their
	// fate: where a process stalls for half a second, all of its answers are late together, and that says little of the
	// next moment. A slow candidate is slow in every window. (A factor that is cut is still one of a fair bet.)
	Most float64
	// bursts is how many requests count as one where they come in bursts; 0 is 1.
	bursts float64
}

// NewLatency returns the gate for steps with these margins.
func NewLatency(margins []Margin) Latency {
	g := Latency{Alpha: 0.01, Beta: 0.05, Tolerance: 1.25}
	for _, m := range margins {
		m.Floor = math.Max(m.Floor, leastSlow)
		g.Steps = append(g.Steps, m)
	}
	return g
}

// Shares of stable's requests.
const (
	// Harm is looked for at edges that more than rarest and less than commonest exceed. Beyond, a process that has little to
	// do is late several times as often as a busy one, whatever it runs: it has to be woken.
	rarest, commonest = 0.01, 0.5
	// A pass says nothing about the slowest twentieth: to compare rarer ones takes longer than a rollout has. The harm
	// test looks at them, too.
	leastSlow = 0.05
)

// LatencyEvidence is all that Latency remembers.
type LatencyEvidence struct {
	Candidate Slow `json:"candidate"`
	Stable    Slow `json:"stable"`
	// Step is the step that StepBets are about; -1 before the first.
	Step int `json:"step"`
	// Logs are ln E_0 of the rollout and ln E_k of each step.
	Logs []float64 `json:"logs"`
	// Bets and StepBets hold ln of each bet's wealth over its pool's: a row an edge, a column a grid point.
	Bets     Floats `json:"bets"`
	StepBets Floats `json:"step_bets"`
	// Rel holds ln E_rel: a row an edge, a column a step's margin.
	Rel Floats `json:"rel"`
	// Spread is how many slow answers count as one, as clients differ; 0 where that is not known.
	Spread float64 `json:"spread,omitempty"`
}

// Slow is an arm's requests whose latency was measured, and how many took longer than each edge.
type Slow struct {
	Requests uint64 `json:"requests"`
	Slower   Counts `json:"slower"`
}

// arm is what one edge sees.
func (s *Slow) arm(edge int) Arm { return Arm{Requests: s.Requests, Bad: s.Slower[edge]} }

// at is what one edge sees.
func (a *Arm) at(edge int) Arm { return Arm{Requests: a.timed(), Bad: a.Slower[edge]} }

// share is the part that is slower than an edge; not ok while nothing was measured.
func (s *Slow) share(edge int) (share float64, ok bool) {
	return float64(s.Slower[edge]) / float64(s.Requests), s.Requests > 0
}

func (s *Slow) add(a *Arm) {
	n := a.timed()
	if s.Requests+n >= absurd {
		return // it says all that it ever will
	}
	s.Requests += n
	for i, n := range a.Slower {
		s.Slower[i] += n
	}
}

// shaped returns a copy of sound counts, or none.
func (s *Slow) shaped() Slow {
	next := Slow{Slower: make(Counts, Edges)}
	a := Arm{Requests: s.Requests, Slower: s.Slower}
	if a.histogram() && a.Requests < absurd {
		next.Requests = s.Requests
		copy(next.Slower, s.Slower)
	}
	return next
}

// Start returns the evidence before the first window: none.
func (g Latency) Start() LatencyEvidence { return g.shaped(LatencyEvidence{Step: -1}) }

// Observe returns the evidence after a window that was seen in step. A window in which latency was not
// measured, or not soundly, is no evidence.
func (g Latency) Observe(e LatencyEvidence, step int, w Window) LatencyEvidence {
	next := g.shaped(e)
	g.add(&next, step, &w)
	return next
}

// add is Observe in place, for evidence of the gate's shape.
func (g *Latency) add(e *LatencyEvidence, step int, w *Window) {
	if w.Timed != nil {
		w = w.Timed
	}
	if !measured(w) || w.Candidate.Requests >= absurd || w.Stable.Requests >= absurd {
		return
	}
	if step != e.Step {
		clear(e.StepBets)
		e.Step = step
	}
	var f factors
	f.ask(g, e, w)
	b := newBets(sane(g.Tolerance), nil)
	e.Logs[0] = finite(e.Logs[0] + g.bounded(f.pool(e.Bets, b.columns)))
	if has(g.Steps, step) {
		e.Logs[1+step] = finite(e.Logs[1+step] + g.bounded(f.pool(e.StepBets, b.columns)))
	}
	if byClient(w) {
		e.Spread = math.Max(e.Spread, finite(w.Candidate.Clients.Slow))
	}
	e.Candidate.add(&w.Candidate)
	e.Stable.add(&w.Stable)
}

// bounded is ln of a window's factor, as far as it counts.
func (g *Latency) bounded(l float64) float64 {
	if g.Most > 1 {
		return math.Min(l, math.Log(g.Most))
	}
	return l
}

// factors are a window's ln L(w_j; w0) at the edges that are awake, one after the other.
type factors struct {
	n    int
	edge [Edges]int
	rows [Edges][len(alternatives)]float64
}

// ask asks the kernel at every edge, and adds what it says of passing to the evidence. An edge's part is decided
// by what stable did before the window.
func (f *factors) ask(g *Latency, e *LatencyEvidence, w *Window) {
	harm, pass := newBets(sane(g.Tolerance), g.Steps), newPassBets(g.Steps)
	steps := len(g.Steps)
	rare := false // an edge that hardly any request exceeded was there
	for i := range Edges {
		share, ok := e.Stable.share(i)
		if !ok || share > commonest {
			continue
		}
		t, contrast := newTable(w.Candidate.at(i), w.Stable.at(i))
		b, awake := &pass, !rare
		rare = rare || share < rarest
		if awake {
			b = &harm
			f.edge[f.n] = i
			f.n++
		}
		if !contrast {
			continue
		}
		var z [mostOdds]float64
		t.logZs(&b.ratios, &z)
		b.margin(e.Rel[i*steps:(i+1)*steps], &z)
		for j, l := range z[firstAlternative : firstAlternative+b.columns] {
			f.rows[f.n-1][j] = z[atTolerance] - l
		}
	}
}

// pool returns ln of what the window makes of a pool of bets, which it moves from the worse to the better ones.
func (f *factors) pool(bets Floats, columns int) float64 {
	if f.n == 0 {
		return 0
	}
	var before, after mean
	for a := range f.n {
		row := bets[f.edge[a]*columns : (f.edge[a]+1)*columns]
		for j, l := range row {
			before.add(float64(l))
			after.add(float64(l) + f.rows[a][j])
		}
	}
	factor := after.log() - before.log()
	for a := range f.n {
		row := bets[f.edge[a]*columns : (f.edge[a]+1)*columns]
		for j, l := range row {
			row[j] = finite32(float64(l) + f.rows[a][j] - factor)
		}
	}
	return factor
}

// Judge says what the evidence means for leaving step, as Errors.Judge does.
func (g Latency) Judge(e LatencyEvidence, step int) Verdict {
	e = g.shaped(e)
	v := g.weigh(&e, step)
	v.Rates = rates(v.Seen, g.spread(&e))
	v.Sentence = g.sentence(v, &e)
	return v
}

// weigh is the verdict's numbers, for evidence of the gate's shape.
func (g *Latency) weigh(e *LatencyEvidence, step int) Verdict {
	v := Verdict{
		Gate:       "latency",
		Outcome:    Wait,
		Harm:       number(g.logHarm(e)),
		HarmNeeded: needed(g.Alpha),
		Pass:       1,
		PassNeeded: needed(g.Beta),
	}
	edge := -1
	if has(g.Steps, step) {
		v.Margin = g.Steps[step]
		var l float64
		if edge, l = g.weakest(e, step); edge >= 0 {
			v.Pass = number(l)
		}
	}
	switch {
	case v.Harm >= v.HarmNeeded:
		v.Outcome = Fail
	case edge >= 0 && v.Pass >= v.PassNeeded && e.Candidate.Requests > 0:
		v.Outcome = Pass
	}
	if edge < 0 || v.Harm >= math.Sqrt(v.HarmNeeded) {
		edge = e.worst(len(grid(sane(g.Tolerance))))
	}
	edge = e.known(edge)
	v.Edge = LatencyEdges[edge]
	v.Seen = Window{Candidate: e.Candidate.arm(edge), Stable: e.Stable.arm(edge)}
	return v
}

// logHarm returns ln E_harm: half the bet on the whole rollout, half spread over the steps.
func (g *Latency) logHarm(e *LatencyEvidence) float64 {
	var both, steps mean
	both.add(e.Logs[0] / g.spread(e))
	for _, l := range e.Logs[1:] {
		steps.add(l / g.spread(e))
	}
	both.add(steps.log())
	return both.log()
}

// spread is how many slow answers count as one.
func (g *Latency) spread(e *LatencyEvidence) float64 { return max(1, g.bursts, e.Spread) }

// weakest returns the edge with the least evidence for a pass, and ln of that; -1 where there is no edge
// to look at.
func (g *Latency) weakest(e *LatencyEvidence, step int) (edge int, least float64) {
	edge, least = -1, math.Inf(1)
	steps, floor, spread := len(g.Steps), g.Steps[step].Floor, g.spread(e)
	var last Arm
	var lastAbs float64
	for i := range Edges {
		share, ok := e.Stable.share(i)
		if !ok || share > commonest {
			continue
		}
		a := e.Candidate.arm(i)
		if i == 0 || a.Bad != last.Bad || lastAbs == 0 {
			last, lastAbs = a, logAbs(a, floor)
		}
		var both mean
		both.add(float64(e.Rel[i*steps+step]) / spread)
		both.add(lastAbs)
		if l := both.log(); l < least {
			edge, least = i, l
		}
	}
	return edge, least
}

// known returns the edge that a source with few edges has repeated at this one.
func (e *LatencyEvidence) known(edge int) int {
	c, s := e.Candidate.Slower, e.Stable.Slower
	for edge+1 < Edges && c[edge]+s[edge] > 0 && c[edge+1] == c[edge] && s[edge+1] == s[edge] {
		edge++
	}
	return edge
}

// worst returns the edge whose bets did best: where the candidate looks slowest.
func (e *LatencyEvidence) worst(columns int) (edge int) {
	most := math.Inf(-1)
	for i := range Edges {
		share, ok := e.Stable.share(i)
		if !ok || share > commonest {
			continue
		}
		l := math.Inf(-1)
		for j := i * columns; j < (i+1)*columns; j++ {
			l = math.Max(l, float64(max(e.Bets[j], e.StepBets[j])))
		}
		if l > most {
			edge, most = i, l
		}
	}
	return edge
}

// shaped returns a copy of e with the rows and columns of this gate and numbers only.
func (g *Latency) shaped(e LatencyEvidence) LatencyEvidence {
	columns, steps := len(grid(sane(g.Tolerance))), len(g.Steps)
	next := LatencyEvidence{
		Candidate: e.Candidate.shaped(),
		Stable:    e.Stable.shaped(),
		Step:      e.Step,
		Logs:      make([]float64, 1+steps),
		Bets:      e.Bets.shaped(Edges * columns),
		StepBets:  e.StepBets.shaped(Edges * columns),
		Rel:       e.Rel.shaped(Edges * steps),
		Spread:    math.Max(0, finite(e.Spread)),
	}
	if len(e.Logs) == len(next.Logs) {
		copyFinite(next.Logs, e.Logs)
	}
	return next
}
