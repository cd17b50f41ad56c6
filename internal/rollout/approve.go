package rollout

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
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
	if waited := at.Sub(r.AwaitingSince); r.Approval == nil && waited >= p.Limits.Await() {
		r.rollBack(Failure{Kind: KindUnapproved, At: at, Reason: fmt.Sprintf(
			"Nobody approved going on from %d%% of traffic within %s.", r.Weight, lasting(waited))})
	}
}

// approved ends the wait, with the first requests that are counted after the approval: where there are none, there is
// a silence, and it shall not count both as a wait and as a hold. The step is left when the gates still pass: what was
// seen since counts too.
func (r *Record) approved(at time.Time) {
	waited := Duration(at.Sub(r.AwaitingSince))
	r.StepAwaited += waited
	r.Awaited += waited
	r.Phase, r.AwaitingSince = Observing, time.Time{}
}

// doubted tells of an approval that came when the gates did not pass any more: the step is left when they do again.
func (r *Record) doubted(at time.Time) {
	if r.Phase == Observing && r.Approval != nil {
		r.tell(at, "Going on from %d%% is approved, and waits for the gates now: %s", r.Weight, r.sofar())
	}
}

// taken says who took the candidate off, and why.
func (r *Record) taken(e Rejected) string {
	where := fmt.Sprintf("with the candidate at %d%% of traffic", r.Weight)
	if r.Phase == Promoted {
		where = "after its promotion"
	}
	s := fmt.Sprintf("%s rolled back %s", person(e.By, e.How), where)
	if why := clause(words(e.Why)); why != "" {
		s += ": " + why
	}
	return s + "."
}

// person says who, and how that is known.
func person(by, how string) string {
	if how = words(how); how != "" {
		return words(by) + " (" + how + ")"
	}
	return words(by)
}

// words are what a person said, on one line that no terminal obeys, and in a length that a record can bear.
func words(said string) string {
	const most = 300
	s := strings.Join(strings.FieldsFunc(said, func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) }), " ")
	if utf8.RuneCountInString(s) > most {
		return string([]rune(s)[:most]) + "..."
	}
	return s
}
