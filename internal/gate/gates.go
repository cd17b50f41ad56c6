package gate

import (
	"fmt"
	"math"
)

// Gates are the gates of a rollout, together. Each required gate has a share of Alpha; the evidence of
// harm is the mean of theirs, weighted by the shares, which is evidence whatever they have to do with
// each other. A level is approved when all of them pass.
type Gates struct {
	Alpha   float64  // bound on the chance that a harmless candidate ever fails, by any gate
	Beta    float64  // bound on the chance that one beyond a step's margin passes it
	Errors  *Errors  // nil: not asked, as below
	Latency *Latency // its own Alpha and Beta do not count, as those of Errors
	Split   *Split
}

// Shares of Alpha. Drift and cost will have .1 each; shares of gates that are not asked go to the others in proportion.
const (
	errorsShare  = 0.5
	latencyShare = 0.3
)

// Evidence is all that Gates remember. It is a value: Observe returns another. Where errors alone are
// judged, JSON has it as it has ErrorEvidence.
type Evidence struct {
	ErrorEvidence
	Latency *LatencyEvidence `json:"latency,omitempty"`
	Split   *SplitEvidence   `json:"split,omitempty"`
}

// A Judgement is what the gates say together.
type Judgement struct {
	Outcome Outcome `json:"outcome"`
	// Reason is the gate with the most evidence where the outcome is Fail.
	Reason string `json:"reason,omitempty"`
	// Hold says why the weight must stay as it is although nothing failed; empty if it need not.
	Hold     string    `json:"hold,omitempty"`
	Harm     float64   `json:"harm"`   // all gates' evidence of harm, weighted by their shares
	Needed   float64   `json:"needed"` // at which it fails
	Verdicts []Verdict `json:"verdicts"`
}

// Verdict returns a gate's verdict, or the first.
func (j Judgement) Verdict(gate string) Verdict {
	for _, v := range j.Verdicts {
		if v.Gate == gate {
			return v
		}
	}
	if len(j.Verdicts) > 0 {
		return j.Verdicts[0]
	}
	return Verdict{}
}

// Start returns the evidence before the first window: none.
func (g Gates) Start() Evidence { return g.shaped(Evidence{}) }

// Own returns a copy of e, of the shape that these gates have, for Add, Decide and Explain.
func (g Gates) Own(e Evidence) Evidence { return g.shaped(e) }

// Observe returns the evidence after a window that was seen in step (0-based), and leaves e alone.
// What is not sound in the window is no evidence; see Errors.Observe and Latency.Observe.
func (g Gates) Observe(e Evidence, step int, w Window) Evidence {
	next := g.shaped(e)
	g.Add(&next, step, &w)
	return next
}

// Add is Observe in place, without allocation: e must come from Own.
func (g *Gates) Add(e *Evidence, step int, w *Window) {
	one := g.base()
	one.add(&e.ErrorEvidence, step, w)
	if g.Latency != nil {
		g.Latency.add(e.Latency, step, w)
	}
	if g.Split != nil {
		g.Split.add(e.Split, step, w)
	}
}

// Judge says what the evidence means for leaving step (0-based), in words, too.
func (g Gates) Judge(e Evidence, step int) Judgement {
	e = g.shaped(e)
	return g.Explain(&e, step)
}

// Explain is Judge for evidence that comes from Own.
func (g *Gates) Explain(e *Evidence, step int) Judgement {
	var b Board
	j := g.weigh(e, step, &b)
	for i := range j.Verdicts {
		g.say(&j.Verdicts[i], e, step)
	}
	if j.Hold == holdSplit {
		j.Hold = j.Verdict("split").Sentence
	}
	return j
}

// Decide is Judge without words and intervals, and without allocation: the verdicts are on the board. e must
// come from Own.
func (g *Gates) Decide(e *Evidence, step int, b *Board) Judgement { return g.weigh(e, step, b) }

// A Board has room for every gate's verdict.
type Board [3]Verdict

// Reasons to hold.
const (
	holdSplit  = "the router does not split as it was told"
	holdPods   = "the evidence of harm comes from totals of fewer than 4 pods, in which a burst looks like many failures"
	holdSticky = "the evidence of harm comes from requests of sticky clients that nobody can tell apart"
)

func (g *Gates) weigh(e *Evidence, step int, b *Board) Judgement {
	j := Judgement{Outcome: Pass, Needed: needed(g.Alpha), Verdicts: b[:0]}
	var harm mean
	reason, most := -1, math.Inf(-1)
	note := func(v Verdict, share, l float64) {
		if v.Outcome != Pass {
			j.Outcome = Wait
		}
		harm.weighted(l, share)
		if l += math.Log(share); l > most {
			reason, most = len(j.Verdicts), l
		}
		j.Verdicts = append(j.Verdicts, v)
	}
	if g.Errors != nil {
		one := g.errors()
		note(one.weigh(&e.ErrorEvidence, step), g.share(errorsShare), one.logHarm(&e.ErrorEvidence))
	}
	if g.Latency != nil {
		one := g.latency(e)
		note(one.weigh(e.Latency, step), g.share(latencyShare), one.logHarm(e.Latency))
	}
	if reason < 0 {
		j.Outcome = Wait // nobody was asked
	}
	j.Harm = number(harm.log())
	if j.Harm >= j.Needed && reason >= 0 {
		gate := j.Verdicts[reason].Gate
		if j.Hold = e.doubt(gate); j.Hold == "" {
			j.Outcome, j.Reason = Fail, gate
			j.Verdicts[reason].Outcome = Fail
		}
	}
	for i := range j.Verdicts {
		if v := &j.Verdicts[i]; v.Outcome == Fail && j.Outcome != Fail {
			v.Outcome = Wait // what it rests on is in doubt
			j.Outcome = Wait
		}
	}
	g.weighSplit(e, step, &j)
	return j
}

// weighSplit adds the router's verdict, which may hold, or fail by itself.
func (g *Gates) weighSplit(e *Evidence, step int, j *Judgement) {
	if g.Split == nil {
		return
	}
	v, ok := g.Split.weigh(e.Split, step)
	if !ok {
		return
	}
	j.Verdicts = append(j.Verdicts, v)
	switch {
	case j.Outcome == Fail || v.Outcome == Pass:
	case v.Outcome == Fail:
		j.Outcome, j.Reason, j.Hold = Fail, v.Gate, ""
	default:
		j.Outcome, j.Hold = Wait, holdSplit
	}
}

// doubt says why harm that a gate found may be none.
func (e *Evidence) doubt(gate string) string {
	switch {
	case e.Seen.Totals && (e.Totals == nil || e.Totals.Pods < fewPods):
		return holdPods
	case e.Seen.Routed == ByClient && (e.Clients == nil || gate == "latency" && e.Latency.Spread == 0):
		return holdSticky
	}
	return ""
}

// share is a gate's part of Alpha.
func (g *Gates) share(of float64) float64 {
	var all float64
	if g.Errors != nil {
		all += errorsShare
	}
	if g.Latency != nil {
		all += latencyShare
	}
	return of / all
}

// errors is the gate with its part of the bounds.
func (g *Gates) errors() Errors {
	one := *g.Errors
	one.Alpha, one.Beta = g.Alpha*g.share(errorsShare), g.Beta
	return one
}

// base is the gate that keeps the totals, asked or not.
func (g *Gates) base() Errors {
	if g.Errors != nil {
		return *g.Errors
	}
	return Errors{}
}

// latency is the gate with its part of the bounds.
func (g *Gates) latency(e *Evidence) Latency {
	one := *g.Latency
	one.Alpha, one.Beta = g.Alpha*g.share(latencyShare), g.Beta
	if e.Totals != nil {
		one.bursts = e.Totals.caution()
	}
	return one
}

// say adds words and intervals to a verdict.
func (g *Gates) say(v *Verdict, e *Evidence, step int) {
	switch v.Gate {
	case "errors":
		one := g.errors()
		v.Rates = rates(v.Seen, e.spread())
		v.Sentence = one.sentence(*v, e.ErrorEvidence)
		if c := e.Clients; c != nil && c.LeftOut > 0 {
			v.Sentence += fmt.Sprintf(" Left out: %s that failed on stable already before.", amount(c.LeftOut, "client"))
		}
	case "latency":
		one := g.latency(e)
		v.Rates = rates(v.Seen, one.spread(e.Latency))
		v.Sentence = one.sentence(*v, e.Latency)
	case "split":
		v.Sentence = g.Split.sentence(*v, e.Split, step)
	}
}

// shaped returns a copy of e of these gates' shape.
func (g *Gates) shaped(e Evidence) (next Evidence) {
	one := g.base()
	next.ErrorEvidence = one.shaped(e.ErrorEvidence)
	if g.Latency != nil {
		var l LatencyEvidence
		if e.Latency != nil {
			l = *e.Latency
		} else {
			l.Step = -1
		}
		l = g.Latency.shaped(l)
		next.Latency = &l
	}
	if g.Split != nil {
		next.Split = g.Split.shaped(e.Split)
	}
	return next
}
