package action

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// An Ending is how driving a rollout ended: for a script in a word, for people in sentences that say what to do next.
type Ending struct {
	Endpoint string
	Word     string
	Outcome  Outcome
	Message  string
	Record   rollout.Record
	// Idle is true where no rollout was under way: nothing was driven.
	Idle bool
}

// The words.
const (
	Promoted      = "promoted"
	TakenOff      = "rolled_back"
	Waiting       = "waiting" // for an approval, and nobody drives
	Frozen        = "frozen"
	HeldByAnother = "held"
	Unchanged     = "unchanged" // the runner stopped before it drove
	RefusedWord   = "refused"
)

// nothingStaged is the ending where no rollout is under way, and false where one is.
func nothingStaged(id string, r rollout.Record) (Ending, bool) {
	e := Ending{Endpoint: id, Record: r, Idle: true}
	switch {
	case !r.Phase.Final():
		return Ending{Endpoint: id, Record: r}, false
	case r.Phase == rollout.Promoted:
		e.Word = Promoted
		e.Message = fmt.Sprintf("Nothing is staged on %s: revision %s is promoted already.", id, rollout.Short(r.Candidate))
		return e, true
	}
	e.Word, e.Outcome = RefusedWord, Refused
	e.Message = fmt.Sprintf(`Nothing is staged on %s, which never had a rollout: apply another model with rollout.run = "staged" first.`, id)
	if f := r.Failure; f != nil {
		e.Message = fmt.Sprintf("Nothing is staged on %s: its last rollout was rolled back. %s %s", id, f.Reason, AfterRollback(r))
	}
	return e, true
}

// AfterRollback says what can be done.
func AfterRollback(r rollout.Record) string {
	if f := r.Failure; f != nil && f.Rejected {
		return "The revision is rejected: apply another one, or set another rollout.retry to try this one again."
	}
	return "The revision is not rejected: apply it again to stage it again."
}

// endingOf says how rollout.Run ended for the runner me. What is no ending is an error.
func endingOf(ctx context.Context, id, me string, r rollout.Record, err error) (Ending, error) {
	e := Ending{Endpoint: id, Record: r}
	var back *rollout.RolledBackError
	var waits *rollout.WaitingError
	var held *rollout.HeldError
	switch {
	case err == nil && r.Phase == rollout.Promoted:
		e.Word, e.Message = Promoted, fmt.Sprintf("Promoted: revision %s has all traffic of %s.", rollout.Short(r.Candidate), id)
	case err == nil:
		e, _ = nothingStaged(id, r) // it ended before this runner looked
	case errors.As(err, &back):
		e.Word, e.Outcome = TakenOff, RolledBack
		e.Message = fmt.Sprintf("Not promoted: %s has all traffic of %s. %s %s", rollout.Short(r.Stable), id, back.Error(), AfterRollback(r))
	case errors.As(err, &waits):
		e.Word, e.Outcome = Waiting, Held
		e.Message = fmt.Sprintf("Waits for an approval at %d%% of traffic: `tidegate approve %s`, then `tidegate promote %s`, %s.", r.Weight, id, id, UntilClosed(r))
	case errors.As(err, &held):
		e.Word, e.Outcome = HeldByAnother, Refused
		e.Message = fmt.Sprintf("Nothing was changed on %s: %s. `tidegate status %s --watch` shows it.", id, held.Error(), id)
	case ctx.Err() != nil && !r.Phase.Final() && r.Runner == "" && r.Epoch > 0:
		e.Word, e.Outcome = Frozen, Held
		e.Message = fmt.Sprintf("Frozen at %d%% of traffic: `tidegate promote %s` goes on, %s.", r.Weight, id, UntilClosed(r))
	case ctx.Err() != nil && !r.Phase.Final() && r.Runner != me:
		e.Word, e.Outcome = Unchanged, Held
		e.Message = fmt.Sprintf("Nothing was changed on %s: this runner was told to stop before it drove the rollout.", id)
	default:
		return e, err
	}
	return e, nil
}

// UntilClosed says by when somebody has to drive.
func UntilClosed(r rollout.Record) string {
	p, err := rollout.ParsePolicy(r.Policy)
	if err != nil {
		return "before the engine takes the candidate off"
	}
	after := time.Duration(p.Limits.AbandonedAfter)
	return fmt.Sprintf("within %s, at %s the engine takes the candidate off", after, clock(r.Renewed.Add(after)))
}

// clock writes a time of day, where the reader is.
func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) } //nolint:gosmopolitan // as said
