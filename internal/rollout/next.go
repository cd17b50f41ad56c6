package rollout

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// An Event is something that happened to a rollout. The time is part of it: Next has no clock.
type Event interface{ event() time.Time }

// The events. TakenOver, Left, Counted, Unseen and Cancelled come from a runner; Ready,
// Failed, Superseded and Abandoned from the engine, which is the only one to see them; Approved,
// Rejected and Cancelled from a person.
type (
	// TakenOver is a runner that begins to drive. It gets the next epoch.
	TakenOver struct {
		Runner string
		At     time.Time
	}
	// Left is the runner's leaving: it stops driving, and the weight stays for the next one.
	Left struct {
		Why string
		At  time.Time
	}
	// Ready means that the candidate can serve. It gets no traffic before a runner has counted again.
	Ready struct{ At time.Time }
	// Counted is what users saw since the record's cursor.
	Counted struct {
		Windows []gate.Window
		Cursor  Cursor
		At      time.Time
	}
	// Unseen means that counting failed. Why is for people.
	Unseen struct {
		Why string
		At  time.Time
	}
	// Failed means that the candidate cannot serve.
	Failed struct {
		Why string
		At  time.Time
	}
	// Cancelled means that whoever asked for the rollout asks for its end.
	Cancelled struct {
		Why string
		At  time.Time
	}
	// Approved means that a person lets the rollout leave its step.
	Approved struct {
		By, How string // as in Approval
		At      time.Time
	}
	// Rejected means that a person takes the candidate off, even if it is promoted. It is not tried again.
	Rejected struct {
		By, How string // as in Approval
		Why     string // "" for no reason
		At      time.Time
	}
	// Superseded means that another revision, or the stable one, was asked for.
	Superseded struct {
		Why string
		At  time.Time
	}
	// Abandoned means that no runner wrote for the policy's abandoned_after.
	Abandoned struct{ At time.Time }
)

func (e TakenOver) event() time.Time  { return e.At }
func (e Left) event() time.Time       { return e.At }
func (e Ready) event() time.Time      { return e.At }
func (e Counted) event() time.Time    { return e.At }
func (e Unseen) event() time.Time     { return e.At }
func (e Failed) event() time.Time     { return e.At }
func (e Cancelled) event() time.Time  { return e.At }
func (e Approved) event() time.Time   { return e.At }
func (e Rejected) event() time.Time   { return e.At }
func (e Superseded) event() time.Time { return e.At }
func (e Abandoned) event() time.Time  { return e.At }

// Begin returns the record of a new rollout: preparing, weight 0.
func Begin(candidate, stable string, p Policy, at time.Time) Record {
	r := Record{
		Schema:    Schema,
		ID:        at.UTC().Format(time.RFC3339Nano) + " " + Short(candidate),
		Phase:     Preparing,
		Stable:    stable,
		Candidate: candidate,
		Policy:    json.RawMessage(p.JSON()),
		Began:     at,
		Evidence:  p.judges().Start(),
	}
	r.tell(at, "Candidate %s starts. All traffic stays with %s.", Short(candidate), Short(stable))
	return r
}

// Next decides: it returns the record after e. An event that means nothing in the record's
// phase returns it unchanged, and so does every event where the rollout is over (S2), but a
// person's going back from a promotion (S4), or where a later Tidegate wrote the record.
//
// There is nothing else for the caller to do than to save the record: whoever keeps weights
// and slots sees in its phase and weight what they have to be.
func Next(p Policy, r Record, e Event) Record {
	if r.Writable() != nil {
		return r
	}
	rejected, byPerson := e.(Rejected)
	if r.Phase.Final() && (!byPerson || r.Phase != Promoted) {
		return r
	}
	if byPerson {
		r.Schema = Schema
		r.rollBack(Failure{Kind: KindOperator, At: rejected.At, Reason: r.taken(rejected)})
		return r
	}
	at := e.event()
	if why := damaged(p, r); why != "" {
		r.rollBack(Failure{Kind: KindInconclusive, At: at, Reason: "The rollout cannot be judged: " + why + "."})
		return r
	}
	switch e := e.(type) {
	case TakenOver:
		r.tell(at, "%s", drives(e, r))
		r.renew(at)
		r.Epoch++
		r.Runner, r.Took = e.Runner, at
	case Left:
		if r.Runner == "" {
			return r
		}
		r.renew(at)
		r.tell(at, "%s left: %s. The weight stays at %d%% for the next runner.", r.Runner, clause(e.Why), r.Weight)
		r.Runner = ""
	case Ready:
		if r.Phase != Preparing || !r.Ready.IsZero() {
			return r
		}
		r.Ready = at
		r.tell(at, "The candidate can serve.")
	case Counted:
		r.renew(at)
		r.count(p, e)
	case Unseen:
		r.renew(at)
		r.unseen(p, e)
	case Failed:
		r.rollBack(Failure{Kind: KindCandidate, At: at, Reason: "The candidate cannot serve: " + clause(e.Why) + "."})
	case Cancelled:
		r.rollBack(Failure{Kind: KindCancelled, At: at, Reason: r.ended(e.Why)})
	case Approved:
		if r.Phase != AwaitingApproval || r.Approval != nil {
			return r
		}
		r.Schema = Schema
		r.Approval = &Approval{By: words(e.By), How: words(e.How), At: at}
		r.tell(at, "%s approves going on from %d%%.", person(e.By, e.How), r.Weight)
	case Superseded:
		r.rollBack(Failure{Kind: KindSuperseded, At: at, Reason: r.ended(e.Why)})
	case Abandoned:
		r.rollBack(Failure{Kind: KindAbandoned, At: at, Reason: r.abandoned(at)})
	}
	return r
}

// renew notes that the runner wrote. Where its clock jumped back, or is behind the clock of
// the runner before it, the past ends now: no time that elapses is negative, and no limit
// waits for the clock to catch up. Only runners measure time by these, so the engine's
// events, which may come by another clock, leave them alone.
func (r *Record) renew(now time.Time) {
	for _, t := range []*time.Time{&r.Opened, &r.StepBegan, &r.LastSeen, &r.HeldSince, &r.AwaitingSince, &r.Before.Since} {
		if t.After(now) {
			*t = now
		}
	}
	// What was spent holding and waiting is part of the time that passed.
	r.Awaited = min(r.Awaited, Duration(now.Sub(r.Opened)))
	r.StepAwaited = min(r.StepAwaited, Duration(now.Sub(r.StepBegan)))
	r.StepHeld = min(r.StepHeld, Duration(now.Sub(r.StepBegan))-r.StepAwaited)
	r.Renewed = now
	r.Schema = Schema
}

// damaged says why a record cannot be judged by p, if so. Only what was changed by hand is
// like that: better no traffic than a crash or a wrong verdict.
func damaged(p Policy, r Record) string {
	if err := p.Validate(); err != nil {
		if _, cause := ParsePolicy(r.Policy); cause != nil {
			err = cause
		}
		return "its policy is not valid: " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	if r.Step < 0 || r.Step >= len(p.Steps) {
		return fmt.Sprintf("its step is number %d of %d", r.Step+1, len(p.Steps))
	}
	return ""
}

// rollBack ends the rollout in the same write that records why (S2, S4): nothing may come
// between knowing that a candidate is bad and taking it off.
func (r *Record) rollBack(f Failure) {
	verb := "goes to"
	if r.Weight == 0 {
		verb = "stays with"
	}
	f.Rejected = rejects(f.Kind)
	r.Failure = &f
	r.Phase, r.Weight, r.Approved = RolledBack, 0, 0
	r.HeldSince, r.AwaitingSince, r.Hold = time.Time{}, time.Time{}, ""
	r.tell(f.At, "Rolled back, all traffic %s %s. %s", verb, Short(r.Stable), f.Reason)
}
