package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/command/screen"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// An ending is how a command ended: in a word, a code and a sentence that says what to do next.
type ending struct {
	endpoint string
	outcome  string
	code     int
	message  string
	rec      rollout.Record
}

// The outcomes.
const (
	promoted   = "promoted"
	rolledBack = "rolled_back"
	waiting    = "waiting" // for an approval, and nobody drives
	frozen     = "frozen"
	heldBy     = "held"      // by another runner
	unchanged  = "unchanged" // it stopped before it drove
	refused    = "refused"
	approved   = "approved"
	cancelled  = "cancelled"
)

// tell prints the ending, and returns what Main makes the exit code of: that is what happened, whether or not
// anybody reads. Errors are not endings.
func (e ending) tell(out io.Writer, asJSON bool) error {
	message := errors.New(screen.Clean(e.message))
	switch {
	case asJSON:
		_ = printJSON(out, resultView{"result", e.endpoint, e.outcome, e.code, e.message, viewRollout(e.rec)}, true)
	case e.code == exitRefused:
		return exit(e.code, message) // Main prints it where errors go
	default:
		_, _ = fmt.Fprintln(out, message)
	}
	return exit(e.code, nil)
}

// nothingToPromote is the ending where no rollout is under way, and false where one is.
func nothingToPromote(id string, r rollout.Record) (ending, bool) {
	e := ending{endpoint: id, rec: r}
	switch {
	case !r.Phase.Final():
		return e, false
	case r.Phase == rollout.Promoted:
		e.outcome = promoted
		e.message = fmt.Sprintf("Nothing is staged on %s: revision %s is promoted already.", id, screen.Short(r.Candidate))
		return e, true
	}
	e.outcome, e.code = refused, exitRefused
	e.message = fmt.Sprintf(`Nothing is staged on %s, which never had a rollout: apply another model with rollout.run = "staged" first.`, id)
	if f := r.Failure; f != nil {
		e.message = fmt.Sprintf("Nothing is staged on %s: its last rollout was rolled back. %s %s", id, f.Reason, afterRollback(r))
	}
	return e, true
}

// afterRollback says what can be done.
func afterRollback(r rollout.Record) string {
	if f := r.Failure; f != nil && f.Rejected {
		return "The revision is rejected: apply another one, or set another rollout.retry to try this one again."
	}
	return "The revision is not rejected: apply it again to stage it again."
}

// endingOf says how rollout.Run ended for the runner me. What is no ending is an error.
func endingOf(ctx context.Context, id, me string, r rollout.Record, err error) (ending, error) {
	e := ending{endpoint: id, rec: r}
	var back *rollout.RolledBackError
	var waits *rollout.WaitingError
	var held *rollout.HeldError
	switch {
	case err == nil && r.Phase == rollout.Promoted:
		e.outcome, e.message = promoted, fmt.Sprintf("Promoted: revision %s has all traffic of %s.", screen.Short(r.Candidate), id)
	case err == nil:
		e, _ = nothingToPromote(id, r) // it ended before this runner looked
	case errors.As(err, &back):
		e.outcome, e.code = rolledBack, exitRolledBack
		e.message = fmt.Sprintf("Not promoted: %s has all traffic of %s. %s %s", screen.Short(r.Stable), id, back.Error(), afterRollback(r))
	case errors.As(err, &waits):
		e.outcome, e.code = waiting, exitUnderWay
		e.message = fmt.Sprintf("Waits for an approval at %d%% of traffic: `tidegate approve %s`, then `tidegate promote %s`, %s.", r.Weight, id, id, untilClosed(r))
	case errors.As(err, &held):
		e.outcome, e.code = heldBy, exitRefused
		e.message = fmt.Sprintf("Nothing was changed on %s: %s. `tidegate status %s --watch` shows it.", id, held.Error(), id)
	case ctx.Err() != nil && !r.Phase.Final() && r.Runner == "" && r.Epoch > 0:
		e.outcome, e.code = frozen, exitUnderWay
		e.message = fmt.Sprintf("Frozen at %d%% of traffic: `tidegate promote %s` goes on, %s.", r.Weight, id, untilClosed(r))
	case ctx.Err() != nil && !r.Phase.Final() && r.Runner != me:
		e.outcome, e.code = unchanged, exitUnderWay
		e.message = fmt.Sprintf("Nothing was changed on %s: this runner was told to stop before it drove the rollout.", id)
	default:
		return e, err
	}
	return e, nil
}

// untilClosed says by when somebody has to drive.
func untilClosed(r rollout.Record) string {
	p, err := rollout.ParsePolicy(r.Policy)
	if err != nil {
		return "before the engine takes the candidate off"
	}
	after := time.Duration(p.Limits.AbandonedAfter)
	return fmt.Sprintf("within %s, at %s the engine takes the candidate off", after, clock(r.Renewed.Add(after)))
}

// clock writes a time of day, where the reader is.
func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) } //nolint:gosmopolitan // as said
