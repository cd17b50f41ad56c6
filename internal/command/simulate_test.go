package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/simulate"
)

// simulated returns what the command prints.
func simulated(t *testing.T, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := simulateCommand()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

const thin = `{"title": "thin", "horizon": "30m", "traffic": {"requests_per_second": 5}, "errors": {"share": 0.01}, "rules": ["tidegate", "flagger"]}`

func TestSimulateComparesTheRulesOfAScenario(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "thin.json")
	if err := os.WriteFile(file, []byte(thin), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, err := simulated(t, "", file, "--runs", "5", "--seed", "3")
	if err != nil || errs != "" && !strings.Contains(errs, "of 5 runs, about") { // which a busy machine has time to say
		t.Fatalf("%v: %s", err, errs)
	}
	for _, want := range []string{"thin; 5 runs of each rule, seed 3", "rolled back", "tidegate", "flagger"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s\ndoes not say %q", out, want)
		}
	}
	again, _, err := simulated(t, thin, "-", "--runs", "5", "--seed", "3", "--workers", "1")
	if err != nil || again != out {
		t.Errorf("%v: the same from standard input:\n%s", err, again)
	}
}

func TestSimulateWithoutAScenarioComparesEveryRule(t *testing.T) {
	t.Parallel()
	out, _, err := simulated(t, "", "--runs", "2", "--json")
	var r simulate.Result
	if err != nil || json.Unmarshal([]byte(out), &r) != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(r.Rules) != len(simulate.Rules()) || r.Runs != 2 || r.Rules[0].RolledBack.Share != 1 {
		t.Errorf("%s", out)
	}
}

func TestSimulateDrawsWhereItIsTold(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	if _, _, err := simulated(t, thin, "-", "--runs", "3", "--out", dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"rollouts.svg": "<svg", "exposed.svg": "mean of 3 runs", "result.json": `"runs": 3`} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s: %v: no %q", name, err, want)
		}
	}
}

func TestSimulateRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stdin string
		args  []string
		want  string
	}{
		"no such file":   {"", []string{"/nowhere/s.json"}, "read the scenario: open /nowhere/s.json"},
		"misspelt":       {`{"flow": {}, "window": 5}`, []string{"-"}, "scenario -: flow: unknown: want one of title, window"},
		"all at once":    {`{"flow": {}, "window": 5}`, []string{"-"}, `; window: 5: want a duration`},
		"no runs":        {"", []string{"--runs", "0"}, "--runs 0: want 1 to 1000000"},
		"too many runs":  {"", []string{"--runs", "1000001"}, "--runs 1000001: want 1 to"},
		"fewer workers":  {"", []string{"--workers", "-1"}, "--workers -1: want 0"},
		"two scenarios":  {"", []string{"a", "b"}, "accepts at most 1 arg"},
		"out is a file":  {thin, []string{"-", "--runs", "1", "--out", "/dev/null/x"}, "write charts: "},
		"negative seeds": {"", []string{"--seed", "-1"}, "invalid argument"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := simulated(t, c.stdin, c.args...)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %q in one line", err, c.want)
			}
		})
	}
}
