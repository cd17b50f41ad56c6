package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// The guide's table of presets says what the presets say.
func TestGuideTabulatesThePresets(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "templates", "guides", "rollouts.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, name := range append([]string{""}, presets...) {
		p := rollout.DefaultPolicy()
		if name != "" {
			if p, err = rollout.Preset(name); err != nil {
				t.Fatal(err)
			}
		}
		f, err := rollout.Plan(p, rollout.Load{RequestsPerSecond: 100, ErrorRate: 0.01})
		if err != nil {
			t.Fatal(err)
		}
		for row, cell := range map[string]string{
			"steps, percent":                weights(p),
			"leading ones may be left out":  map[bool]string{true: "yes", false: "no"}[p.SkipLeading],
			"gates":                         map[bool]string{true: "errors, latency", false: "errors"}[p.Gates.Latency != nil],
			"`alpha`":                       fmt.Sprint(meant(p.Alpha, standardAlpha)),
			"`beta`":                        fmt.Sprint(meant(p.Beta, standardBeta)),
			"`warm_up`":                     warmth(p.WarmUp),
			"`limits.step_minimum`":         curt(p.Limits.StepMinimum),
			"`limits.bake`":                 curt(p.Limits.Bake),
			"`limits.step`, `limits.total`": curt(p.Limits.Step),
			"at 100 requests a second, 1% of them bad: minutes to promote": strconv.FormatFloat(f.Minutes, 'f', 0, 64),
			"requests until twice the errors are caught":                   grouped(f.Exposed),
		} {
			rows[row] += " " + cell + " |"
		}
		if p.Limits.Step != p.Limits.Total {
			t.Errorf("preset %q: step %s and total %s are one row in the guide", name, p.Limits.Step, p.Limits.Total)
		}
	}
	for row, cells := range rows {
		if want := "| " + row + " |" + cells + "\n"; !strings.Contains(string(text), want) {
			t.Errorf("the guide does not have the row\n%s", want)
		}
	}
}

func weights(p rollout.Policy) string {
	var all []string
	for _, s := range p.Steps {
		all = append(all, strconv.Itoa(s.Weight))
	}
	return strings.Join(all, " ")
}

func warmth(w rollout.WarmUp) string {
	if w == (rollout.WarmUp{}) {
		return "none"
	}
	return fmt.Sprintf("%d answers, %s", w.Requests, curt(w.Time))
}

// curt writes a duration without what is zero.
func curt(d rollout.Duration) string {
	return strings.TrimSuffix(strings.Replace(time.Duration(d).String(), "m0s", "m", 1), "h0m") + map[bool]string{true: "h"}[time.Duration(d)%time.Hour == 0]
}

// grouped writes hundreds of requests: a forecast is no exacter.
func grouped(n uint64) string {
	n = (n + 50) / 100 * 100
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
