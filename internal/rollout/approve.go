package rollout

import (
	"fmt"
	"time"
)

// leave goes on from a step that passed, or waits for the person whose word it needs too. That
// comes last: who approves sees the evidence.
func (r *Record) leave(p Policy, at time.Time) {
	if !p.Steps[r.Step].Approval || r.Approval != nil {
		r.advance(p, at)
		return
	}
	r.Phase, r.AwaitingSince = AwaitingApproval, at
	r.tell(at, "The gates pass at %d%%: %s. Going on needs an approval, within %s.", r.Weight, r.seenAt(r.Weight), lasting(p.Limits.Await()))
}

// await ends a wait that is too long. The candidate is not rejected: nobody said that it is bad.
func (r *Record) await(p Policy, at time.Time) {
	if waited := at.Sub(r.AwaitingSince); waited >= p.Limits.Await() {
		r.rollBack(Failure{Kind: KindUnapproved, At: at, Reason: fmt.Sprintf(
			"Nobody approved going on from %d%% of traffic within %s.", r.Weight, lasting(waited))})
	}
}

// approved ends the wait. The step is left when the gates still pass: what was seen since counts too.
func (r *Record) approved(at time.Time) {
	waited := Duration(max(at.Sub(r.AwaitingSince), 0))
	r.StepAwaited += waited
	r.Awaited += waited
	r.Phase, r.AwaitingSince = Observing, time.Time{}
}

// rejected says who took the candidate off, and why.
func (r *Record) rejected(e Rejected) string {
	where := fmt.Sprintf("with the candidate at %d%% of traffic", r.Weight)
	if r.Phase == Promoted {
		where = "after its promotion"
	}
	s := fmt.Sprintf("%s rolled back %s", person(e.By, e.How), where)
	if e.Why != "" {
		s += ": " + clause(e.Why)
	}
	return s + "."
}

// person says who, and how that is known.
func person(by, how string) string {
	if how == "" {
		return by
	}
	return by + " (" + how + ")"
}
