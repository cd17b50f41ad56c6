// Package command is the command line: what `tidegate` does when Terraform did not start it.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

// Main runs a command line, without the program's name, and returns its exit code.
func Main(ctx context.Context, args []string, version string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := New(version)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := exitFailed
	if own := (*exitError)(nil); errors.As(err, &own) {
		code = own.code
	}
	if text := err.Error(); text != "" && (!errors.Is(err, context.Canceled) || ctx.Err() == nil) {
		_, _ = fmt.Fprintln(stderr, "tidegate:", text) // nowhere else to say it
	}
	return code
}

// New returns the command line.
func New(version string) *cobra.Command {
	root := &cobra.Command{
		Use:   "tidegate",
		Short: "Take models to production traffic, and out of it when the numbers turn",
		Long: `Tidegate takes a model from a repository to production traffic by Terraform, and closes
the gate by itself when the numbers turn. This is its command line; Terraform runs the
same program as its provider.`,
		Example: `  tidegate status penguins --watch
  tidegate promote penguins
  tidegate engine logs penguins -f`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	w := &where{version: version}
	root.AddCommand(newPromote(w), newApprove(w), newRollback(w), newCancel(w), newEndpointStatus(w),
		newEngine(version), simulateCommand(), newAction(version), newVersion(version))
	root.AddCommand(modeCommands(version)...)
	return root
}

func newVersion(version string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version)
			return err
		},
	}
}

// newEngine is the embedded engine's part.
func newEngine(version string) *cobra.Command {
	w := where{version: version}
	var dir string
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Run, look at and stop the embedded engine",
		Long: `The embedded engine runs model servers on this machine and routes requests to them. There
is one for each data directory. Terraform starts it when it is needed; it goes on running
afterwards, and ends with its last cluster.`,
		Example: `  tidegate engine status
  tidegate engine status --data-dir /srv/models/.tidegate --json
  tidegate engine stop`,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			c, err := w.config()
			dir = c.Local.DataDir
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("engine %q: want run, status, stop, logs or doctor", args[0])
			}
			return cmd.Help()
		},
	}
	w.flags(cmd.PersistentFlags())
	open := func() *local.Engine { return local.Open(local.Config{DataDir: dir, Version: version}) }
	cmd.AddCommand(newRun(&dir, version), newStatus(open), newStop(open, &dir), newLogs(open), newDoctor(open))
	return cmd
}
