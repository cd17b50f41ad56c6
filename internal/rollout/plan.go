package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// Load is the traffic that a rollout is planned for.
type Load struct {
	RequestsPerSecond float64
	ErrorRate         float64 // share of bad answers, 0..1
	Clients           int     // 0 where requests are routed one by one
}

// A Forecast is what a policy's gates can be expected to do with a load: about as often earlier as later.
type Forecast struct {
	// Minutes until a candidate like stable is promoted, without its start; 0 where it is not.
	Minutes float64
	// Exposed are the candidate's requests until one with twice the errors is rolled back, CaughtMinutes the time until
	// then; 0 where stable has no errors.
	Exposed       uint64
	CaughtMinutes float64
	// Feasible is false where the load cannot decide within the policy's limits. Warnings say that, and what else to mind.
	Feasible bool
	Warnings []string
}

// Plan forecasts rollouts by a valid policy. It follows the gates' evidence along its mean.
func Plan(p Policy, l Load) (Forecast, error) {
	if !(l.RequestsPerSecond > 0 && l.RequestsPerSecond <= 1e9) {
		return Forecast{}, fmt.Errorf("requests_per_second: %g: want more than 0", l.RequestsPerSecond)
	}
	if !(l.ErrorRate >= 0 && l.ErrorRate < 0.5) {
		return Forecast{}, fmt.Errorf("error_rate: %g: want a share from 0 to less than 0.5", l.ErrorRate)
	}
	if l.Clients < 0 {
		return Forecast{}, fmt.Errorf("clients: %d: want 0 or more", l.Clients)
	}
	f := Forecast{Feasible: true}
	healthy := walk(p, l, 1)
	f.Minutes = healthy.at.Minutes()
	if healthy.outcome != gate.Pass {
		f.Feasible, f.Minutes = false, 0
		f.Warnings = append(f.Warnings, fmt.Sprintf("a good candidate would not be promoted within %s: it gets to %d%% of traffic; want more traffic, longer limits or wider margins", lasting(healthy.at), healthy.weight))
	}
	if l.ErrorRate > 0 && p.Gates.Errors != nil {
		bad := walk(p, l, 2)
		f.Exposed, f.CaughtMinutes = uint64(bad.exposed), bad.at.Minutes()
		if bad.outcome != gate.Fail {
			f.Exposed, f.CaughtMinutes = 0, 0
			f.Warnings = append(f.Warnings, fmt.Sprintf("a candidate with twice the errors would not be caught by its errors within %s: %g requests a second with %g%% of errors are too few", lasting(bad.at), l.RequestsPerSecond, 100*l.ErrorRate))
			f.Feasible = false
		}
	}
	if few := fewClients(p, l.Clients); few != "" {
		f.Warnings = append(f.Warnings, few)
	}
	if waits := asked(p); waits != "" {
		f.Warnings = append(f.Warnings, waits)
	}
	return f, nil
}

// asked warns of steps that wait for a person: how long, nobody can forecast.
func asked(p Policy) string {
	var at []string
	for _, s := range p.Steps {
		if s.Approval {
			at = append(at, fmt.Sprintf("%d%%", s.Weight))
		}
	}
	if len(at) == 0 {
		return ""
	}
	return fmt.Sprintf("the rollout waits for an approval at %s, for up to %s each time: the waits are not in the forecast, nor the requests that the candidate gets meanwhile", strings.Join(at, ", "), lasting(p.Limits.Await()))
}

// fewClients warns of steps that say little, as hardly any client is there.
func fewClients(p Policy, clients int) string {
	const enough = 10
	var few []string
	for _, s := range p.Steps {
		if clients > 0 && clients*s.Weight < 100*enough {
			few = append(few, fmt.Sprintf("%d%%", s.Weight))
		}
	}
	if len(few) == 0 {
		return ""
	}
	return fmt.Sprintf("of %s fewer than %d are with the candidate at %s: what they see says little by itself", amount(clients, "client"), enough, strings.Join(few, ", "))
}

// A course is how a forecast rollout ends.
type course struct {
	outcome gate.Outcome // fail is harm that was found, wait a limit
	at      time.Duration
	weight  int
	exposed float64
}

// mostTicks bounds what a forecast costs where limits are long.
const mostTicks = 20_000

// walk follows a rollout of a candidate that has a ratio of stable's odds of a bad answer.
func walk(p Policy, l Load, ratio float64) course {
	tick := max(time.Second, time.Duration(p.Limits.Total)/mostTicks)
	odds := ratio * l.ErrorRate / (1 - l.ErrorRate)
	o := p.judges().Outlook(len(p.Steps))
	c := course{outcome: gate.Wait}
	step, began := 0, time.Duration(0)
	if p.SkipLeading {
		step = firstStep(p.Steps, l.RequestsPerSecond)
	}
	for c.at < time.Duration(p.Limits.Total) {
		c.at += tick
		c.weight = p.Steps[step].Weight
		weight, requests := float64(c.weight)/100, l.RequestsPerSecond*tick.Seconds()
		c.exposed += requests * weight
		o.Observe(step, requests, weight, odds/(1+odds), l.ErrorRate)
		now := o.Outcome(step)
		spent := c.at - began
		switch {
		case now == gate.Fail:
			c.outcome = now
			return c
		case now == gate.Pass && spent >= p.minimum(step):
			step, began = step+1, c.at
			if step == len(p.Steps) {
				c.outcome = now
				return c
			}
		case spent >= time.Duration(p.Limits.Step):
			return c
		}
	}
	return c
}
