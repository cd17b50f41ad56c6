package command

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

func newDoctor(open func() *local.Engine) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what runs, what is wrong and what to do",
		Long: `Look at the engine, its store, its model servers, its rollouts and the disk, and say what
is wrong and what to do about each. It starts nothing and changes nothing, and works whether
or not the engine runs.

Exit codes: 0 nothing is wrong, 1 it could not look, 2 it found something.`,
		Example: `  tidegate engine doctor
  tidegate engine doctor --json | jq -r '.found[].do'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := open().Examine(cmd.Context())
			if err != nil {
				return err
			}
			print := printCheckup
			if asJSON {
				print = func(out io.Writer, c local.Checkup) error { return printJSON(out, c, false) }
			}
			if err := print(cmd.OutOrStdout(), c); err != nil {
				return err
			}
			if len(c.Found) > 0 {
				return exit(exitFound, nil)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printCheckup(out io.Writer, c local.Checkup) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) } // Flush returns what goes wrong
	p("Data\t%s\n", c.DataDir)
	p("Program\t%s\n", c.Program)
	switch e := c.Engine; {
	case e != nil:
		p("Engine\tversion %s, process %d, since %s\n", e.Version, e.PID, at(e.Since))
		p("Socket\t%s (API %d)\n", e.Socket, e.API)
		p("Page\t%s\n", e.Page)
	case !c.Exists:
		p("Engine\tnone has been here\n")
	default:
		p("Engine\tnone answers\n")
	}
	if c.Disk.Total > 0 {
		p("Disk\t%.1f GB of %.1f GB free\n", float64(c.Disk.Free)/1e9, float64(c.Disk.Total)/1e9)
	}
	if len(c.Servers) > 0 {
		p("\nMODEL SERVER OF\tREVISION\tROLE\tPROCESS\tPORT\tSINCE\n")
	}
	for _, s := range c.Servers {
		role := s.Role
		if role == "" {
			role = "ending"
		}
		p("%s\t%s\t%s\t%d\t%d\t%s\n", s.Endpoint, shortDigest(s.Revision), role, s.PID, s.Port, at(s.Since))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(c.Found) == 0 {
		_, err := fmt.Fprintln(out, "\nNothing is wrong.")
		return err
	}
	for _, f := range c.Found {
		what := strings.ReplaceAll(f.What, "\n", "\n  ")
		if _, err := fmt.Fprintf(out, "\n%s\n  %s\n  -> %s\n", f.About, what, f.Do); err != nil {
			return err
		}
	}
	return nil
}

func at(t time.Time) string { return t.Local().Format(time.DateTime) }

func shortDigest(digest string) string {
	_, hexa, _ := strings.Cut(digest, ":")
	return hexa[:min(12, len(hexa))]
}
