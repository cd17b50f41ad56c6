package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegatehq/terraform-provider-tidegate/action"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/command/screen"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A saying is a person's word to a rollout: it is saved in its record, and whoever drives goes on from there.
type saying struct {
	*where
	by, reason string
	asJSON     bool
	guard      guard
}

const byFlag = "who says so; recorded as a claim, beside who the operating system says it is"

func newApprove(w *where) *cobra.Command {
	o := saying{where: w}
	cmd := &cobra.Command{
		Use:   "approve ENDPOINT",
		Short: "Let a rollout leave the step at which it waits for an approval",
		Long: `Approve that a rollout goes on from the step at which it waits. The gates have passed there; they are
asked once more, and the harm test has gone on meanwhile.

Who approved is recorded, and how that was established: the operating system's user, and on a GitHub runner
who the workflow's environment says began the run. --by is a claim, and recorded as one.

A script had better say what it approves, with --weight, --step or --candidate: where the rollout waits
somewhere else by now, nothing is approved.

Exit codes: 0 approved, 1 error, 4 refused: nothing waits for an approval, or not there.`,
		Example: `  tidegate approve penguins
  tidegate approve penguins --weight 50 --candidate 3f2a9c07d1b4
  tidegate approve local/here/penguins --by "Ada, on call"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.say(cmd.Context(), cmd.OutOrStdout(), args[0], func(p action.Person) rollout.Event {
				return rollout.Approved{By: p.By, How: p.How, At: now()}
			}, approvedEnding)
		},
	}
	o.wordFlags(cmd)
	f := cmd.Flags()
	f.IntVar(&o.guard.weight, "weight", 0, "approve only if the rollout waits at this weight, in percent")
	f.IntVar(&o.guard.step, "step", 0, "approve only if it waits at this step, from 1")
	f.StringVar(&o.guard.candidate, "candidate", "", "approve only if this is the candidate's revision: a digest, or its beginning")
	return cmd
}

func newRollback(w *where) *cobra.Command {
	o := saying{where: w}
	cmd := &cobra.Command{
		Use:   "rollback ENDPOINT",
		Short: "Take a candidate off and reject it, also after its promotion",
		Long: `Take the candidate off: its weight is 0 in the same write that records why. The revision is rejected:
no apply tries it again, unless rollout.retry changes. "tidegate cancel" ends a rollout without that.

After a promotion it goes back to the revision before, while that is kept (limits.keep_previous).

Exit codes: 0 rolled back, 1 error, 4 refused: there is nothing to roll back.`,
		Example: `  tidegate rollback penguins
  tidegate rollback penguins --reason "wrong species on the new islands"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.say(cmd.Context(), cmd.OutOrStdout(), args[0], func(p action.Person) rollout.Event {
				return rollout.Rejected{By: p.By, How: p.How, Why: o.reason, At: now()}
			}, func(id string, r rollout.Record) ending {
				return ending{id, action.TakenOff, exitDone, fmt.Sprintf("Rolled back: %s has all traffic of %s. %s", screen.Short(r.Stable), id, action.AfterRollback(r)), r}
			})
		},
	}
	o.wordFlags(cmd)
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for the record")
	return cmd
}

func newCancel(w *where) *cobra.Command {
	o := saying{where: w}
	cmd := &cobra.Command{
		Use:   "cancel ENDPOINT",
		Short: "End a rollout without rejecting its candidate",
		Long: `End a rollout: all traffic goes back to the stable revision, and whoever drives is told. The candidate is
not rejected, so that applying it again tries it again. "tidegate rollback" rejects it, too.

Exit codes: 0 cancelled, 1 error, 4 refused: no rollout is under way.`,
		Example: `  tidegate cancel penguins
  tidegate cancel penguins --reason "the release is off for today"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.say(cmd.Context(), cmd.OutOrStdout(), args[0], func(p action.Person) rollout.Event {
				return rollout.Cancelled{Why: strings.TrimSuffix(fmt.Sprintf("cancelled by %s: %s", p, o.reason), ": "), At: now()}
			}, func(id string, r rollout.Record) ending {
				return ending{id, cancelled, exitDone, fmt.Sprintf("Cancelled: %s has all traffic of %s. %s", screen.Short(r.Stable), id, action.AfterRollback(r)), r}
			})
		},
	}
	o.wordFlags(cmd)
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for the record")
	return cmd
}

func (o *saying) wordFlags(cmd *cobra.Command) {
	o.flags(cmd.Flags())
	cmd.Flags().StringVar(&o.by, "by", "", byFlag)
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print the result as JSON")
}

// now is the wall clock: what goes into a record has no use for the monotonic one.
func now() time.Time { return time.Now().UTC().Round(0) }

// say tells the rollout what the person says, and the person what came of it.
func (o *saying) say(ctx context.Context, out io.Writer, name string, event func(action.Person) rollout.Event, done func(string, rollout.Record) ending) error {
	if err := o.guard.validate(); err != nil {
		return err
	}
	engines, err := o.open()
	if err != nil {
		return err
	}
	id, endpoints, err := action.Meant(ctx, engines, name)
	if err != nil {
		return err
	}
	r, err := rollout.Tell(ctx, guarded{endpoints, o.guard}, id, event(action.WhoAmI(o.by, os.Getenv)))
	var no *rollout.RefusedError
	switch {
	case errors.As(err, &no):
		return ending{id, action.RefusedWord, exitRefused, id + ": " + no.Why, no.Record}.tell(out, o.asJSON)
	case err != nil:
		return err
	}
	return done(id, r).tell(out, o.asJSON)
}

// approvedEnding says who goes on.
func approvedEnding(id string, r rollout.Record) ending {
	message := fmt.Sprintf("Approved going on from %d%% of traffic on %s, as %s (%s).", r.Weight, id, r.Approval.By, r.Approval.How)
	switch {
	case r.Runner == "":
		message += fmt.Sprintf(" Nobody drives the rollout: `tidegate promote %s` goes on, %s.", id, action.UntilClosed(r))
	case time.Since(r.Renewed) > rollout.Lease:
		message += fmt.Sprintf(" %s drove the rollout and has not written since %s: `tidegate promote %s` takes over, %s.", r.Runner, clock(r.Renewed), id, action.UntilClosed(r))
	default:
		message += fmt.Sprintf(" %s drives the rollout and goes on when the gates still pass.", r.Runner)
	}
	return ending{id, approved, exitDone, message, r}
}

// A guard is what a person believes of the rollout. Zero fields are nothing in particular.
type guard struct {
	weight, step int
	candidate    string
}

func (g guard) validate() error {
	if g.weight < 0 || g.weight > 99 {
		return fmt.Errorf("--weight %d: want 1 to 99, in percent", g.weight)
	}
	if g.step < 0 {
		return fmt.Errorf("--step %d: want 1 or more", g.step)
	}
	return nil
}

// refusal says where the rollout is not what the person believes.
func (g guard) refusal(r rollout.Record) string {
	switch {
	case g.weight != 0 && g.weight != r.Weight:
		return fmt.Sprintf("Nothing was approved: the rollout waits at %d%%, and --weight says %d.", r.Weight, g.weight)
	case g.step != 0 && g.step != r.Step+1:
		return fmt.Sprintf("Nothing was approved: the rollout waits at step %d, and --step says %d.", r.Step+1, g.step)
	case !strings.HasPrefix(strings.TrimPrefix(r.Candidate, "sha256:"), strings.TrimPrefix(g.candidate, "sha256:")):
		return fmt.Sprintf("Nothing was approved: the candidate is %s, and --candidate says %s.", screen.Short(r.Candidate), g.candidate)
	}
	return ""
}

// guarded loads records that have to be what a person believes: what is saved afterwards is saved upon exactly those.
type guarded struct {
	endpoint.Engine
	guard guard
}

func (g guarded) Load(ctx context.Context, id string) (rollout.Record, rollout.Version, error) {
	r, v, err := g.Engine.Load(ctx, id)
	if err != nil || r.Phase != rollout.AwaitingApproval || r.Approval != nil {
		return r, v, err // where nothing waits for a word, that is the reason to give
	}
	if why := g.guard.refusal(r); why != "" {
		return r, v, &rollout.RefusedError{Record: r, Why: why}
	}
	return r, v, nil
}

// clock writes a time of day, where the reader is.
func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) } //nolint:gosmopolitan // as said
