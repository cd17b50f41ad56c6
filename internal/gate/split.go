package gate

import (
	"fmt"
	"math"
)

// Split checks that the router splits as it was told, step by step: by distinct clients where they
// are known, as a client's requests all go the same way, else by requests. It approves nothing. It holds where the
// split is wrong, and fails where the candidate certainly gets more than was approved.
type Split struct {
	Alpha   float64   // bound on the chance that a right router ever alarms, .001
	Weights []float64 // each step's intended share of traffic, between 0 and 1
}

// NewSplit returns the check for steps with these weights (percent).
func NewSplit(weights []int) Split {
	g := Split{Alpha: 0.001}
	for _, w := range weights {
		g.Weights = append(g.Weights, float64(w)/100)
	}
	return g
}

// SplitEvidence is all that Split remembers: what came to each arm, step by step, in requests or in
// distinct clients.
type SplitEvidence struct {
	Candidate []uint64 `json:"candidate"`
	Stable    []uint64 `json:"stable"`
	Clients   bool     `json:"clients,omitempty"`
	Misrouted uint64   `json:"misrouted,omitempty"`
}

// loose is how strongly the alternative sticks to the intended weight: as if that had been seen in
// as many requests.
const loose = 100

// add counts a window in place, for evidence of the check's shape.
func (g *Split) add(e *SplitEvidence, step int, w *Window) {
	e.Misrouted += min(w.Misrouted, absurd)
	if step < 0 || step >= len(g.Weights) || w.Candidate.Requests >= absurd || w.Stable.Requests >= absurd {
		return
	}
	c, s := w.Candidate.Requests, w.Stable.Requests
	switch {
	case byClient(w):
		c, s = w.Candidate.Clients.New, w.Stable.Clients.New
		if !e.Clients {
			e.Clients = true
			clear(e.Candidate)
			clear(e.Stable)
		}
	case w.Routed != ByRequest || e.Clients:
		return // requests of one client are no news
	}
	if e.Candidate[step]+c < absurd && e.Stable[step]+s < absurd {
		e.Candidate[step] += c
		e.Stable[step] += s
	}
}

// shaped returns a copy with this check's steps.
func (g *Split) shaped(e *SplitEvidence) *SplitEvidence {
	next := &SplitEvidence{Candidate: make([]uint64, len(g.Weights)), Stable: make([]uint64, len(g.Weights))}
	if e != nil && len(e.Candidate) == len(g.Weights) && len(e.Stable) == len(g.Weights) {
		copy(next.Candidate, e.Candidate)
		copy(next.Stable, e.Stable)
		next.Clients, next.Misrouted = e.Clients, e.Misrouted
	}
	return next
}

// logSplit returns ln of the Bayes factor against weight w where x of n went to the candidate, for alternatives
// that a beta law spreads around w as if k had been seen.
func logSplit(x, rest uint64, w, k float64) float64 {
	if !(w > 0 && w < 1) {
		return 0
	}
	c, s := float64(x), float64(rest)
	return logBeta(k*w+c, k*(1-w)+s) - logBeta(k*w, k*(1-w)) - c*math.Log(w) - s*math.Log1p(-w)
}

// alarm returns the first step whose split is wrong, or -1. It is over where the candidate certainly gets too much.
func (g *Split) alarm(e *SplitEvidence) (step int, most float64, over bool) {
	step, most = -1, 0
	limit := math.Log(needed(g.Alpha)) + math.Log(float64(len(g.Weights)))
	for i, w := range g.Weights {
		l := logSplit(e.Candidate[i], e.Stable[i], w, loose)
		most = math.Max(most, l)
		if l < limit || step >= 0 {
			continue
		}
		step = i
		a := Arm{Requests: e.Candidate[i] + e.Stable[i], Bad: e.Candidate[i]}
		over = sequence(a, 1, g.Alpha/float64(len(g.Weights))).Low > w
	}
	return step, most, over
}

// weigh is the verdict's numbers; ok where there is something to say.
func (g *Split) weigh(e *SplitEvidence, step int) (v Verdict, ok bool) {
	wrong, most, over := g.alarm(e)
	v = Verdict{
		Gate:       "split",
		Outcome:    Pass,
		Harm:       number(most),
		HarmNeeded: math.Min(needed(g.Alpha)*float64(len(g.Weights)), math.MaxFloat64),
		Pass:       1,
		PassNeeded: 1,
	}
	at := step
	if wrong >= 0 {
		at = wrong
	}
	if at < 0 || at >= len(g.Weights) {
		return v, false
	}
	v.Seen = Window{Candidate: Arm{Requests: e.Candidate[at]}, Stable: Arm{Requests: e.Stable[at]}}
	switch {
	case over:
		v.Outcome = Fail
	case wrong >= 0 || e.Misrouted > 0:
		v.Outcome = Wait
	}
	return v, e.Misrouted > 0 || v.Seen.Candidate.Requests+v.Seen.Stable.Requests > 0
}

// sentence says the verdict to a person.
func (g *Split) sentence(v Verdict, e *SplitEvidence, step int) string {
	if v.Outcome == Wait && e.Misrouted > 0 {
		return fmt.Sprintf("%s answered by another arm than the client's key says: the router does not do as it was told.", amount(e.Misrouted, "request")+were(e.Misrouted))
	}
	wrong, _, _ := g.alarm(e)
	what := "request"
	if e.Clients {
		what = "client"
	}
	said := fmt.Sprintf("%s of %s went to the candidate (%s)", Grouped(v.Seen.Candidate.Requests),
		amount(v.Seen.Candidate.Requests+v.Seen.Stable.Requests, what),
		percent(float64(v.Seen.Candidate.Requests)/float64(v.Seen.Candidate.Requests+v.Seen.Stable.Requests)))
	switch v.Outcome {
	case Pass:
		return fmt.Sprintf("%s, as told: %s.", said, percent(g.Weights[step]))
	case Fail:
		return fmt.Sprintf("%s, more than the approved %s.", said, percent(g.Weights[wrong]))
	default:
	}
	return fmt.Sprintf("%s, and it should be %s: the router does not do as it was told.", said, percent(g.Weights[wrong]))
}

func were(n uint64) string {
	if n == 1 {
		return " was"
	}
	return " were"
}
