package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/simulate"
)

// Bounds of a simulation: more runs than the most would say nothing new.
const (
	defaultRuns = 1000
	mostRuns    = 1_000_000
)

// simulateCommand is the simulator.
func simulateCommand() *cobra.Command {
	var o simulate.Options
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "simulate [SCENARIO.json]",
		Short: "Simulate rollouts, and what other tools' rules would have done",
		Long: `Simulate what happens to a candidate and to the users who meet it: Tidegate's own gates and
rollouts on a virtual clock, and beside them the rules of other tools under the same traffic.

A scenario says how a service fares, what is different about the candidate, and which rules
judge it; "-" reads one from standard input. Without one it is 100 requests a second of which
1% fail, with drift and incidents, and a candidate that fails twice as often.

Rules: ` + strings.Join(simulate.Rules(), ", ") + `,
or one's own in a scenario. The guide "How a gate judges" explains scenarios and results.

The table has a line for each rule: how many runs ended with promotion and with a rollback
(with its 95% interval), the median minutes until the end, and the means of the candidate's
requests until then, of those until the horizon, and of all users' failed requests.`,
		Example: `  tidegate simulate
  tidegate simulate examples/simulate/slow.json --runs 200 --out charts
  tidegate simulate scenario.json --seed 7 --json | jq '.rules[] | {rule, exposed}'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Runs < 1 || o.Runs > mostRuns {
				return fmt.Errorf("--runs %d: want 1 to %d", o.Runs, mostRuns)
			}
			if o.Workers < 0 {
				return fmt.Errorf("--workers %d: want 0, as many as there are processors, or more", o.Workers)
			}
			s, err := scenario(args, cmd.InOrStdin())
			if err != nil {
				return err
			}
			o.Progress = progress(cmd.ErrOrStderr())
			r, err := simulate.Run(cmd.Context(), s, o)
			if err != nil {
				return fmt.Errorf("simulate: %w", err)
			}
			if err := show(cmd.OutOrStdout(), r, asJSON); err != nil {
				return err
			}
			if out == "" {
				return nil
			}
			return draw(cmd.Context(), out, s, r)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Runs, "runs", defaultRuns, "rollouts of each rule")
	f.Uint64Var(&o.Seed, "seed", 1, "equal seeds give equal results")
	f.IntVar(&o.Workers, "workers", 0, "runs at the same time; 0 is as many as there are processors")
	f.StringVar(&out, "out", "", "directory to write charts (SVG) and the result (JSON) to")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// scenario reads the one that is named, or the default.
func scenario(args []string, stdin io.Reader) (simulate.Scenario, error) {
	if len(args) == 0 {
		return simulate.Default(), nil
	}
	var b []byte
	var err error
	if args[0] == "-" {
		b, err = io.ReadAll(stdin)
	} else {
		b, err = os.ReadFile(args[0])
	}
	if err != nil {
		return simulate.Scenario{}, fmt.Errorf("read the scenario: %w", err)
	}
	s, err := simulate.Parse(b)
	if err != nil {
		// A sentence each would be several lines; an error is one.
		return simulate.Scenario{}, fmt.Errorf("scenario %s: %s", args[0], strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return s, nil
}

func show(out io.Writer, r simulate.Result, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	if _, err := fmt.Fprintf(out, "%s; %d runs of each rule, seed %d\n\n", r.Title, r.Runs, r.Seed); err != nil {
		return err
	}
	return r.Table(out)
}

// draw writes the charts: one run as it went, all runs' exposure, and evidence over time.
func draw(ctx context.Context, dir string, s simulate.Scenario, r simulate.Result) error {
	trails, err := simulate.Trace(s, r.Seed, r.Typical())
	if err != nil {
		return err
	}
	numbers, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // charts are to be looked at
		return fmt.Errorf("write charts: %w", err)
	}
	files := map[string][]byte{
		"rollouts.svg": simulate.RolloutsChart(s, trails).SVG(),
		"exposed.svg":  simulate.ExposureChart(s, r).SVG(),
		"result.json":  append(numbers, '\n'),
	}
	evidence, ok, err := simulate.EvidenceChart(ctx, s, r.Seed)
	if err != nil {
		return err
	}
	if ok {
		files["evidence.svg"] = evidence.SVG()
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil { //nolint:gosec // as above
			return fmt.Errorf("write charts: %w", err)
		}
	}
	return nil
}

// progress says how far a simulation is, once it takes longer than people wait without asking: every second
// on a terminal, in one line; seldom where lines are kept.
func progress(out io.Writer) func(done, runs int) {
	began := time.Now()
	last := began
	terminal := isTerminal(out)
	every := 10 * time.Second
	if terminal {
		every = time.Second
	}
	said := false
	return func(done, runs int) {
		now := time.Now()
		if done == runs && terminal && said {
			_, _ = fmt.Fprint(out, "\r\x1b[K") // the table follows
			return
		}
		if now.Sub(began) < 2*time.Second || said && now.Sub(last) < every || done == runs {
			return
		}
		said, last = true, now
		left := time.Duration(float64(now.Sub(began)) * float64(runs-done) / float64(done)).Round(time.Second)
		line := fmt.Sprintf("%d of %d runs, about %s left", done, runs, left)
		if terminal {
			_, _ = fmt.Fprint(out, "\r\x1b[K"+line)
			return
		}
		_, _ = fmt.Fprintln(out, line)
	}
}
