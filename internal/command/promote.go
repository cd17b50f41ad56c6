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

	"github.com/tidegatehq/terraform-provider-tidegate/action"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
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
	if err := action.ValidOnCancel(o.onCancel); err != nil {
		return fmt.Errorf("--on-cancel %w", err)
	}
	if o.timeout < 0 {
		return fmt.Errorf("--timeout %s: want 0s, as long as it takes, or more", o.timeout)
	}
	ctx, stop := driving(ctx)
	defer stop()
	engines, err := o.open()
	if err != nil {
		return err
	}
	id, endpoints, err := action.Meant(ctx, engines, name)
	if err != nil {
		return err
	}
	if o.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		ctx = limited
	}
	e, err := action.Drive{
		ID: id, Endpoints: endpoints, OnCancel: o.onCancel, NoWait: o.noWait,
		Runner: action.WhoAmI("", os.Getenv).Runner(),
		Tell:   func(st endpoint.Status) *action.Teller { return o.teller(out, id, st) },
	}.Run(ctx)
	if err != nil && o.asJSON {
		_ = ending{id, failed, exitFailed, err.Error(), e.Record}.tell(out, true) // whoever reads no JSON reads the error
	}
	if err != nil {
		return err
	}
	return unhindered(ctx, e.Outcome.Code(), func() error { return driven(e).tell(out, o.asJSON) })
}

// driving is the context of a runner, which a signal ends.
func driving(ctx context.Context) (context.Context, func()) {
	// Whoever reads may leave (a pipe), and whoever started it may go on to other things (a job in the
	// background): neither may end a runner.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGTTOU)
	return stoppable(ctx)
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
	case <-time.After(action.ReadersPatience):
		return exit(code, nil)
	}
}

func (o promotion) teller(out io.Writer, id string, st endpoint.Status) *action.Teller {
	switch {
	case o.asJSON:
		return action.NewTeller(events(out, id))
	case redraws(out):
		return action.NewTeller(live(out, id, st))
	}
	return action.NewTeller(plain(out))
}
