package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/simulate"
)

const (
	horizon = time.Hour
	runs    = 50
)

// rules are those that the traffic is shown to, under the names of the simulator.
var rules = []struct{ name, title string }{
	{"tidegate", "Tidegate, this policy"},
	{"argo", "Argo Rollouts, its example"},
	{"flagger", "Flagger, its example"},
	{"flagger-default", "Flagger, its defaults"},
}

// compare asks the simulator what other tools' rules would have made of the traffic that users just sent. The
// users' answers are the ones they got; the rules give the candidate their own weights.
func (d *demo) compare(ctx context.Context) error {
	d.say()
	d.say(plain("What the rules of other tools make of the same traffic, simulated " + fmt.Sprint(runs) + " times: the first hour, on average"))
	d.say(dim(fmt.Sprintf("      %-28s %-26s %12s %9s", "", "", "its requests", "failed")))
	for _, t := range d.refused {
		var names []string
		for _, r := range rules {
			names = append(names, r.name)
		}
		var result simulate.Result
		err := d.during(func() string { return "simulating other tools' rules" }, func() (err error) {
			result, err = simulate.Replay(ctx, t.seen(), []byte(d.policy), names, horizon, simulate.Options{Runs: runs, Seed: 1})
			return err
		})
		if err != nil {
			return fmt.Errorf("compare rules by the traffic of version %s: %w", t.candidate, err)
		}
		for i, r := range rules {
			s, ok := result.Rule(r.name)
			if !ok {
				return fmt.Errorf("compare rules: the simulator says nothing of %s", r.name)
			}
			d.say(row(t.candidate, i == 0, r.title, s)...)
		}
		s, _ := result.Rule("tidegate")
		if s.RolledBack.Low < 0.5 && t.crowded() {
			d.say(dim("      " + crowdedOut))
			continue
		}
		if s.RolledBack.Low < 0.5 {
			return fmt.Errorf("compare rules: simulated with the traffic of version %s, Tidegate rolls back in %s of the runs, and it just did", t.candidate, percent(s.RolledBack.Share))
		}
	}
	return nil
}

// crowdedOut explains a simulation that ends otherwise than the rollout did, by what users saw.
const crowdedOut = "This machine was too busy: users waited for it, whichever version answered."

// row is a rule's line: how it ended, and what users had of it.
func row(version string, first bool, title string, s simulate.Summary) []report.Span {
	name := "    "
	if first {
		name = fmt.Sprintf("  v%s", version)
	}
	style := bad
	if s.RolledBack.Share == 1 {
		style = good
	}
	return []report.Span{
		plain(fmt.Sprintf("%s  %-28s ", name, title)), style(fmt.Sprintf("%-26s ", ending(s))),
		plain(fmt.Sprintf("%12s %9s", gate.Grouped(uint64(s.Users+0.5)), gate.Grouped(uint64(s.Failed+0.5)))),
	}
}

// ending says how a rule's rollouts ended, and when.
func ending(s simulate.Summary) string {
	after := fmt.Sprintf("%.0f min", s.Minutes)
	if s.Minutes < 2 {
		after = fmt.Sprintf("%.0f s", 60*s.Minutes)
	}
	switch {
	case s.RolledBack.Share == 1:
		return "rolled back after " + after
	case s.Promoted.Share == 1:
		return "promoted after " + after
	case s.RolledBack.Share == 0 && s.Promoted.Share == 0:
		return "undecided"
	}
	return fmt.Sprintf("rolled back in %s", percent(s.RolledBack.Share))
}
