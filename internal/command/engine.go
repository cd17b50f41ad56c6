package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

func newRun(dir *string, version string) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Run the engine until it is told to stop",
		Long: `Run the engine of a data directory in the foreground: its endpoints come back at their
addresses. It ends well on Ctrl-C, SIGTERM or "tidegate engine stop"; a second Ctrl-C ends
it at once. Its log is daemon.log in the data directory.`,
		Example: `  tidegate engine run
  tidegate engine run --data-dir /srv/models/.tidegate`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
			defer stop()
			go func() {
				<-ctx.Done()
				stop() // the second signal does what it does elsewhere
			}()
			return local.Serve(ctx, local.Config{DataDir: *dir, Version: version})
		},
	}
}

func newStatus(open func() *local.Engine) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the engine, its endpoints and their rollouts",
		Example: `  tidegate engine status
  tidegate engine status --json | jq '.endpoints[].record.phase'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := open().Status(cmd.Context())
			if err != nil {
				return err
			}
			if !asJSON {
				return printStatus(cmd.OutOrStdout(), st)
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(st)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printStatus(out io.Writer, st local.Status) error {
	state := "not running"
	if st.Running {
		state = fmt.Sprintf("running, version %s, process %d", st.Version, st.PID)
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) } // Flush returns what goes wrong
	p("Engine\t%s\nData\t%s\n", state, st.DataDir)
	if st.Page != "" {
		p("Page\t%s\n", st.Page)
	}
	if len(st.Endpoints) == 0 {
		p("\nThere is no endpoint.\n")
		return w.Flush()
	}
	p("\nENDPOINT\tADDRESS\tREADY\tROLLOUT\n")
	for _, e := range st.Endpoints {
		p("%s\t%s\t%d/%d\t%s\n", e.ID, e.Status.URL, e.Ready, e.Status.Spec.Replicas, rolloutOf(e))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, e := range st.Endpoints {
		if h := e.Record.History; len(h) > 0 {
			p("\n%s, at %s: %s\n", e.ID, h[len(h)-1].At.Local().Format(time.TimeOnly), h[len(h)-1].Sentence)
		}
		if e.Status.Problem != "" {
			p("\n%s: %s\n", e.ID, e.Status.Problem)
		}
	}
	return w.Flush()
}

// rolloutOf says where the rollout, present or last, stands.
func rolloutOf(e local.EndpointStatus) string {
	switch r := e.Record; {
	case r.Phase == "":
		return "none yet"
	case r.Phase.Final():
		return string(r.Phase)
	default:
		return fmt.Sprintf("%s, %d%% on the candidate", r.Phase, r.Weight)
	}
}

func newStop(open func() *local.Engine, dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop the engine and its model servers",
		Long: `Stop the engine and wait for its end: requests in flight are answered, then the model
servers stop. Endpoints stay; they come back with the next apply or "tidegate engine run".`,
		Example: `  tidegate engine stop`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ran, err := open().Stop(cmd.Context())
			if err != nil {
				return err
			}
			text := "The engine of %s has stopped.\n"
			if !ran {
				text = "No engine runs in %s.\n"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), text, *dir)
			return err
		},
	}
}
