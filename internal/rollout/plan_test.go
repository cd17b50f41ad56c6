package rollout

import (
	"math"
	"strings"
	"testing"
)

// The table of docs/guides/gates.md, "The default policy": simulated means, where drift and incidents blur what is
// forecast along the mean. It is a forecast: twice or half is near enough.
func TestPlanAgreesWithTheSimulatedTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate, base, promoted, caught, exposed float64
	}{
		{5, .01, 60, 45, 1721},
		{5, .05, 22, 13, 460},
		{20, .002, 61, 45, 13191},
		{20, .01, 24, 19, 2276},
		{100, .002, 21, 14, 24438},
		{100, .01, 9.9, 6.2, 3776},
		{100, .05, 6.1, 2.2, 771},
		{1000, .002, 6.2, 2.6, 33061},
		{1000, .01, 5.6, 1.3, 4752},
		{5, 0, 50, 0, 0},
		{20, 0, 17, 0, 0},
		{100, 0, 7.3, 0, 0},
		{1000, 0, 5.5, 0, 0},
	} {
		f, err := Plan(DefaultPolicy(), Load{RequestsPerSecond: c.rate, ErrorRate: c.base})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%4g/s %4g%%: promoted %5.1f (%g) caught %5.1f (%g) exposed %d (%g) %v", c.rate, 100*c.base, f.Minutes, c.promoted, f.CaughtMinutes, c.caught, f.Exposed, c.exposed, f.Warnings)
		for what, pair := range map[string][2]float64{
			"minutes to promote": {f.Minutes, c.promoted}, "minutes to catch": {f.CaughtMinutes, c.caught}, "requests": {float64(f.Exposed), c.exposed},
		} {
			if pair[1] > 0 && math.Abs(math.Log(pair[0]/pair[1])) > math.Log(2.1) {
				t.Errorf("%g/s at %g%%: %s %.1f, simulated %g", c.rate, 100*c.base, what, pair[0], pair[1])
			}
		}
	}
}

func TestPlanWarnsOfWhatCannotBeDecided(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Policy)
		load   Load
		want   string
	}{
		"thin":        {nil, Load{RequestsPerSecond: .1, ErrorRate: .01}, "a good candidate would not be promoted within 2h"},
		"rare errors": {nil, Load{RequestsPerSecond: 1, ErrorRate: .001}, "twice the errors would not be caught"},
		"short":       {func(p *Policy) { p.Limits.Step = Duration(4 * 60e9) }, Load{RequestsPerSecond: 5}, "would not be promoted"},
		"people": {func(p *Policy) { p.Steps[1].Approval, p.Steps[3].Approval = true, true }, Load{RequestsPerSecond: 100, ErrorRate: .01},
			"the rollout waits for an approval at 5%, 25%, for up to 24h each time: the waits are not in the forecast"},
		"few clients": {nil, Load{RequestsPerSecond: 100, Clients: 80}, "of 80 clients fewer than 10 are with the candidate at 1%, 5%, 10%"},
	} {
		p := DefaultPolicy()
		if c.change != nil {
			c.change(&p)
		}
		f, err := Plan(p, c.load)
		if err != nil || !strings.Contains(strings.Join(f.Warnings, "; "), c.want) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		if f.Feasible != (name == "few clients" || name == "people") {
			t.Errorf("%s: feasible %t", name, f.Feasible)
		}
	}
}

func TestPlanRefusesLoadsThatAreNone(t *testing.T) {
	t.Parallel()
	for want, l := range map[string]Load{
		"requests_per_second: 0":   {},
		"requests_per_second: NaN": {RequestsPerSecond: math.NaN()},
		"error_rate: 0.5":          {RequestsPerSecond: 1, ErrorRate: .5},
		"error_rate: NaN":          {RequestsPerSecond: 1, ErrorRate: math.NaN()},
		"clients: -1":              {RequestsPerSecond: 1, Clients: -1},
	} {
		if _, err := Plan(DefaultPolicy(), l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestPresetsAreValidAndFeasible(t *testing.T) {
	t.Parallel()
	minutes := map[string]float64{}
	for _, name := range []string{Fast, Careful, Paranoid} {
		p, err := Preset(name)
		if err != nil || p.Validate() != nil {
			t.Fatalf("%s: %v, %v", name, err, p.Validate())
		}
		if again, err := ParsePolicy([]byte(p.JSON())); err != nil || again.JSON() != p.JSON() {
			t.Errorf("%s: %v: %s", name, err, p.JSON())
		}
		f, err := Plan(p, Load{RequestsPerSecond: 100, ErrorRate: .01})
		if err != nil || !f.Feasible {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		minutes[name] = f.Minutes
		t.Logf("%s: %+v", name, f)
	}
	if !(minutes[Fast] < minutes[Careful] && minutes[Careful] < minutes[Paranoid]) {
		t.Errorf("%v", minutes)
	}
	if _, err := Preset("reckless"); err == nil || !strings.Contains(err.Error(), "want fast, careful or paranoid") {
		t.Error(err)
	}
}
