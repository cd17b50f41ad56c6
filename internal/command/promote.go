package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What a runner does when it is told to stop.
const (
	onCancelRollback = "rollback"
	onCancelFreeze   = "freeze"
)

type promotion struct {
	*where
	onCancel string
	noWait   bool
	timeout  time.Duration
	asJSON   bool
}

func newPromote(w *where) *cobra.Command {
	o := promotion{where: w}
	cmd := &cobra.Command{
		Use:   "promote ENDPOINT",
		Short: "Drive a staged rollout to its end, or go on with one that was left",
		Long: `Drive the endpoint's rollout: by the steps of its policy, as long as its gates pass, to promotion
or back to weight 0. It takes a rollout that an apply staged, or one whose runner left or died.

ENDPOINT is an id such as local/here/penguins, or its last part where only one endpoint has it.

Ctrl-C, SIGTERM or SIGHUP ends it within 2 seconds, as --on-cancel says: "rollback" takes the
candidate off, "freeze" leaves the weight to the next runner. A second signal ends it at once.

Exit codes: 0 promoted, 1 error, 2 rolled back, 3 waits for an approval or frozen, 4 refused:
nothing is staged, or another runner drives.`,
		Example: `  tidegate promote penguins
  tidegate promote local/here/penguins --on-cancel freeze --timeout 2h
  tidegate promote penguins --no-wait --json | jq -r 'select(.type == "result").outcome'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), cmd.OutOrStdout(), args[0]) },
	}
	f := cmd.Flags()
	o.flags(f)
	f.StringVar(&o.onCancel, "on-cancel", "", `what a signal or --timeout does, "rollback" or "freeze" (default: the endpoint's rollout.on_cancel)`)
	f.BoolVar(&o.noWait, "no-wait", false, "leave, with exit code 3, where an approval is needed")
	f.DurationVar(&o.timeout, "timeout", 0, "longest time to drive, such as 2h; 0 is as long as it takes")
	f.BoolVar(&o.asJSON, "json", false, "print a line of JSON for each event, and one for the result")
	return cmd
}

func (o promotion) run(ctx context.Context, out io.Writer, name string) error {
	switch o.onCancel {
	case "", onCancelRollback, onCancelFreeze:
	default:
		return fmt.Errorf("--on-cancel %q: want %s or %s", o.onCancel, onCancelRollback, onCancelFreeze)
	}
	if o.timeout < 0 {
		return fmt.Errorf("--timeout %s: want 0s, as long as it takes, or more", o.timeout)
	}
	// Whoever reads may leave (a pipe), and whoever started it may go on to other things (a job in the
	// background): neither may end a runner.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGTTOU)
	ctx, stop := stoppable(ctx)
	defer stop()
	engines, err := o.open()
	if err != nil {
		return err
	}
	id, endpoints, err := meant(ctx, engines, name)
	if err != nil {
		return err
	}
	st, err := endpoints.Get(ctx, id, false)
	if err != nil {
		return err
	}
	r, _, err := endpoints.Load(ctx, id)
	if err != nil {
		return err
	}
	if e, none := nothingToPromote(id, r); none {
		return e.tell(out, o.asJSON)
	}
	return o.drive(ctx, out, id, endpoints, st)
}

func (o promotion) drive(ctx context.Context, out io.Writer, id string, endpoints endpoint.Engine, st endpoint.Status) error {
	if o.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		ctx = limited
	}
	onCancel := o.onCancel
	if onCancel == "" {
		onCancel = st.Spec.Rollout.OnCancel
	}
	t := o.teller(out, id, st)
	me := whoAmI("", os.Getenv).runner()
	failpoint.Hit("run")
	r, err := rollout.Run(ctx, endpoints, id, rollout.Options{
		Runner:          me,
		Freeze:          onCancel == onCancelFreeze,
		LeaveAtApproval: o.noWait,
		Progress:        t.show,
	})
	t.close()
	e, err := endingOf(ctx, id, me, r, err)
	if err != nil && o.asJSON {
		_ = ending{id, "error", exitFailed, err.Error(), r}.tell(out, true) // whoever reads no JSON reads the error
	}
	if err != nil {
		return err
	}
	return unhindered(ctx, e.code, func() error { return e.tell(out, o.asJSON) })
}

// unhindered tells the ending, and ends with its code where nobody takes it and a signal wants the end.
func unhindered(ctx context.Context, code int, say func() error) error {
	said := make(chan error, 1)
	go func() { said <- say() }()
	select {
	case err := <-said:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-said:
		return err
	case <-time.After(readersPatience):
		return exit(code, nil)
	}
}

func (o promotion) teller(out io.Writer, id string, st endpoint.Status) *teller {
	switch {
	case o.asJSON:
		return tell(events(out, id))
	case redraws(out):
		return tell(live(out, id, st))
	}
	return tell(plain(out))
}

// meant is the endpoint that a person means, and its engine.
func meant(ctx context.Context, engines *engine.Engines, name string) (string, endpoint.Engine, error) {
	id, err := engines.Find(ctx, name)
	if err != nil {
		return "", nil, err
	}
	endpoints, err := engines.Endpoint(id)
	return id, endpoints, err
}
