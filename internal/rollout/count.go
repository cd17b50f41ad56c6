package rollout

import (
	"fmt"
	"math"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

const (
	// measured is how long traffic is watched before leading steps are left out by it.
	measured = 5 * time.Second
	// leastRate is the candidate requests a second below which a leading step is left out:
	// docs/guides/gates.md, "The default policy".
	leastRate = 0.5
	// highestStart bounds the first step: where traffic is thin there is little evidence,
	// and exposure without evidence has to stay small.
	highestStart = 10
)

// count takes in what users saw.
func (r *Record) count(p Policy, e Counted) {
	r.Cursor = e.Cursor
	var seen uint64
	for _, w := range e.Windows {
		seen = add(seen, requests(w))
	}
	if seen > 0 {
		r.LastSeen = e.At
	}
	if r.Phase == Preparing {
		r.prepare(p, seen, e.At)
		return
	}
	if len(e.Windows) > 0 && r.observe(p, e.Windows, e.At) {
		return
	}
	r.settle(p, seen, e.At, "no request was counted on either arm")
}

// unseen judges by the time alone: holding and the limits need no numbers.
func (r *Record) unseen(p Policy, e Unseen) {
	if r.Phase == Preparing {
		return // no traffic to be blind about
	}
	r.settle(p, 0, e.At, "counting failed, "+clause(e.Why))
}

// prepare measures traffic until the candidate can serve, then begins the first step. That
// a runner does it, and not the engine on Ready, means that no user meets a candidate while
// nobody counts; and the step begins with the cursor, so that no earlier request counts in it.
func (r *Record) prepare(p Policy, seen uint64, at time.Time) {
	if r.Before.Since.IsZero() {
		r.Before.Since = at
	}
	r.Before.Requests = add(r.Before.Requests, seen)
	if r.Ready.IsZero() {
		return
	}
	first, rate := 0, 0.0
	if p.SkipLeading {
		spent := at.Sub(r.Before.Since)
		if spent < measured {
			return
		}
		rate = float64(r.Before.Requests) / spent.Seconds()
		first = firstStep(p.Steps, rate)
	}
	r.Opened = at
	r.enter(p, first, at)
	r.tell(at, "%s", opening(p, first, rate))
}

// firstStep leaves out the steps that rate, requests a second, is too thin for. One that a person has to approve
// of is not left out: nobody would be asked.
func firstStep(steps []Step, rate float64) int {
	first := 0
	for first < len(steps)-1 && !steps[first].Approval && steps[first].Weight < highestStart && float64(steps[first].Weight)/100*rate < leastRate {
		first++
	}
	return first
}

// enter begins a step. What approved it is in the same record: the rollout's beginning, or a
// pass (S1).
func (r *Record) enter(p Policy, step int, at time.Time) {
	r.Phase, r.Step = Observing, step
	r.Weight, r.Approved = p.Steps[step].Weight, p.Steps[step].Weight
	r.StepBegan, r.StepHeld, r.StepAwaited, r.StepSeen, r.Hold = at, 0, 0, gate.Window{}, ""
	r.Approval = nil // the next step needs its own
}

// observe adds windows to the evidence and reports whether they end the rollout. Every
// window is judged, also of several that come at once: the harm test holds at each of them,
// and waits for no minimum and no hold.
//
// A window that comes after a change of weight may hold some milliseconds of the old one,
// for counting and saving are not one instant. That harms nothing: a window is judged given
// how many requests each arm got, whatever weight gave them, and the requests of those
// milliseconds are new, so none counts twice.
func (r *Record) observe(p Policy, windows []gate.Window, at time.Time) (failed bool) {
	g := p.judges()
	e := g.Own(r.Evidence)
	var b gate.Board
	cold := p.WarmUp != (WarmUp{}) && !r.Warm // when the windows began, which is what matters
	for _, w := range windows {
		if cold {
			w.Candidate.Slower, w.Stable.Slower, w.Timed = nil, nil, nil
		}
		g.Add(&e, r.Step, &w)
		r.StepSeen = sum(r.StepSeen, w)
		if g.Decide(&e, r.Step, &b).Outcome == gate.Fail {
			break
		}
	}
	r.Warm = e.Seen.Candidate.Requests >= uint64(p.WarmUp.Requests) && at.Sub(r.Opened) >= time.Duration(p.WarmUp.Time)
	j := g.Explain(&e, r.Step)
	r.Evidence, r.Verdicts = e, j.Verdicts
	if j.Outcome == gate.Fail {
		kind := KindGate
		if j.Reason == "split" {
			kind = KindSplit
		}
		r.rollBack(Failure{Kind: kind, Gate: j.Reason, At: at,
			Reason: fmt.Sprintf("The gate %q failed at %d%% of traffic: %s", j.Reason, r.Weight, j.Verdict(j.Reason).Sentence)})
		return true
	}
	before := r.Hold
	if r.Hold = j.Hold; before != "" && j.Hold == "" && r.Phase == Holding {
		r.resume(at, "What held the weight is gone after %s.")
	}
	return false
}

// settle decides what follows where no gate failed. seen is the requests that the event
// brought, why says in what way there were none.
func (r *Record) settle(p Policy, seen uint64, at time.Time, why string) {
	if r.Phase == AwaitingApproval && r.Approval != nil && seen > 0 {
		r.approved(at)
		defer r.doubted(at)
	}
	var (
		silence = at.Sub(r.lastSeen())
		atStep  = at.Sub(r.StepBegan) - time.Duration(r.StepAwaited)
		blind   = time.Duration(p.Limits.Blind)
		step    = time.Duration(p.Limits.Step)
		total   = time.Duration(p.Limits.Total)
	)
	switch {
	case silence >= blind:
		r.rollBack(Failure{Kind: KindBlind, At: at, Reason: fmt.Sprintf(
			"%s without evidence, with the candidate at %d%% of traffic: %s.", lasting(silence), r.Weight, why)})
	case r.Phase == AwaitingApproval:
		r.await(p, at)
	case seen > 0 && r.Phase == Observing && r.Hold == "" && atStep-time.Duration(r.StepHeld) >= p.minimum(r.Step) && r.passed():
		r.leave(p, at)
	case atStep >= step:
		r.rollBack(Failure{Kind: KindInconclusive, At: at, Reason: fmt.Sprintf(
			"No verdict at %d%% of traffic within %s, the limit of a step. %s", r.Weight, lasting(step), r.sofar())})
	case at.Sub(r.Opened)-time.Duration(r.Awaited) >= total:
		r.rollBack(Failure{Kind: KindInconclusive, At: at, Reason: fmt.Sprintf(
			"Not all steps passed within %s, the limit of a rollout; it got to %d%% of traffic. %s", lasting(total), r.Weight, r.sofar())})
	case r.Phase == Observing && silence >= blind/5:
		r.hold(at, why)
	case r.Phase == Observing && r.Hold != "":
		r.Phase, r.HeldSince = Holding, at
		r.tell(at, "The weight is held at %d%%: %s.", r.Weight, clause(r.Hold))
	case r.Phase == Holding && r.Hold == "" && seen > 0:
		r.resume(at, "Requests are counted again after %s.")
	}
}

// lastSeen is since when there is silence. A step begins with the benefit of the doubt.
func (r *Record) lastSeen() time.Time {
	if r.LastSeen.After(r.StepBegan) {
		return r.LastSeen
	}
	return r.StepBegan
}

// passed reports whether every gate lets the candidate go on.
func (r *Record) passed() bool {
	// Evidence from smaller weights counts, and may be enough by itself. But a weight at
	// which the candidate answered nobody was not tried.
	if r.StepSeen.Candidate.Requests == 0 || len(r.Verdicts) == 0 {
		return false
	}
	for _, v := range r.Verdicts {
		if v.Outcome != gate.Pass || v.Seen.Candidate.Requests == 0 && v.Gate != "split" { // S7
			return false
		}
	}
	return true
}

// advance goes to the next step, or gives the candidate all traffic after the last.
func (r *Record) advance(p Policy, at time.Time) {
	told := r.seenAt(r.Weight)
	if r.Step+1 < len(p.Steps) {
		r.enter(p, r.Step+1, at)
		r.tell(at, "%d%% of traffic goes to the candidate: %s.", r.Weight, told)
		return
	}
	r.Phase, r.Weight, r.Approved = Promoted, 100, 100
	r.tell(at, "The candidate is promoted after %s: %s.", lasting(at.Sub(r.Opened)), told)
}

// hold freezes the weight: without evidence there is no pass, and none is missed.
func (r *Record) hold(at time.Time, why string) {
	r.Phase, r.HeldSince = Holding, r.lastSeen()
	r.tell(at, "The weight is held at %d%% after %s without evidence: %s.", r.Weight, lasting(at.Sub(r.HeldSince)), why)
}

// resume ends a hold, for a reason that tells how long it was. It does not count toward the step's minimum, only
// toward its limit.
func (r *Record) resume(at time.Time, why string) {
	held := at.Sub(r.HeldSince)
	r.Phase, r.HeldSince = Observing, time.Time{}
	r.StepHeld += Duration(held)
	r.tell(at, why+" The rollout goes on at %d%%.", lasting(held), r.Weight)
}

func requests(w gate.Window) uint64 { return add(w.Candidate.Requests, w.Stable.Requests) }

func sum(a, b gate.Window) gate.Window {
	arm := func(a, b gate.Arm) gate.Arm {
		return gate.Arm{Requests: add(a.Requests, b.Requests), Bad: add(a.Bad, b.Bad)}
	}
	return gate.Window{Candidate: arm(a.Candidate, b.Candidate), Stable: arm(a.Stable, b.Stable)}
}

// add stops at the greatest number: a sum that wrapped around would read as no traffic.
func add(a, b uint64) uint64 {
	if s := a + b; s >= a {
		return s
	}
	return math.MaxUint64
}
