package gate

import "math"

// An Outlook follows the evidence that gates will have along its mean, for planning: about half of all rollouts are
// ahead of it. It supposes that bad answers are rare, so that only they tell.
type Outlook struct {
	gates         Gates
	alternatives  []float64
	rollout, step []float64 // ln of harm, by alternative
	steps         []float64 // ln E_k
	at            int
	rel, slow     []float64 // ln E_rel of errors, and of latency at its rarest edge, by step
	requests, bad float64   // the candidate's
}

// slowest is the share of slow answers at the rarest edge that a pass of latency waits for: just too many for its floor.
const slowest = 1.2 * leastSlow

// Outlook returns what the gates expect before the first request.
func (g Gates) Outlook(steps int) *Outlook {
	one := g.base()
	alternatives := one.grid()
	return &Outlook{
		gates: g, alternatives: alternatives,
		rollout: make([]float64, len(alternatives)), step: make([]float64, len(alternatives)),
		steps: make([]float64, steps), rel: make([]float64, steps), slow: make([]float64, steps),
	}
}

// Observe expects so many requests on both arms together, of which the candidate has a weight (0..1), and of which these
// shares are bad.
func (o *Outlook) Observe(step int, requests, weight, candidate, stable float64) {
	if step != o.at {
		clear(o.step)
		o.at = step
	}
	c, s := requests*weight, requests*(1-weight)
	o.requests += c
	o.bad += c * candidate
	one := o.gates.base()
	for j, w := range o.alternatives {
		gain := gained(c*candidate, s*stable, weight, w, one.tolerance())
		o.rollout[j] += gain
		o.step[j] += gain
	}
	o.steps[step] = logMean(o.step)
	for k := range o.rel {
		if has(one.Steps, k) {
			o.rel[k] += gained(c*candidate, s*stable, weight, 1, one.Steps[k].Ratio)
		}
		if l := o.gates.Latency; l != nil && has(l.Steps, k) {
			o.slow[k] += gained(c*slowest, s*slowest, weight, 1, l.Steps[k].Ratio)
		}
	}
}

// gained is what the evidence for odds ratio w1 against w0 gains by bad answers on either arm.
func gained(candidate, stable, weight, w1, w0 float64) float64 {
	share := func(w float64) float64 { return weight * w / (weight*w + 1 - weight) }
	return candidate*math.Log(share(w1)/share(w0)) + stable*math.Log((1-share(w1))/(1-share(w0)))
}

// Outcome is what the gates are expected to say at a step.
func (o *Outlook) Outcome(step int) Outcome {
	g := o.gates
	if g.Errors != nil {
		one := g.errors()
		if logMean([]float64{logMean(o.rollout), logMean(o.steps)}) >= math.Log(needed(one.Alpha)) {
			return Fail
		}
		a := Arm{Requests: uint64(o.requests), Bad: uint64(math.Min(o.requests, math.Round(o.bad)))}
		if logMean([]float64{o.rel[step], logAbs(a.sound(), one.Steps[step].Floor)}) < math.Log(needed(g.Beta)) {
			return Wait
		}
	}
	if g.Latency != nil && o.slow[step]-math.Ln2 < math.Log(needed(g.Beta)) {
		return Wait
	}
	if o.requests < 1 {
		return Wait
	}
	return Pass
}
