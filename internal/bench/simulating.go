package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/simulate"
)

// seed of all simulations here: the figures of one build are the same on every machine.
const seed = 3

// simulating measures what the gates promise, by simulated rollouts: false alarms, what harm costs, and the
// same of other tools' rules. The service is the simulator's own, 100 requests a second of which 1% fail, with
// drift and incidents.
func simulating() ([]figure, error) {
	var figures []figure
	for _, measure := range []func() ([]figure, error){falseAlarms, exposure, promotion, beside, frontier, speed} {
		fs, err := measure()
		if err != nil {
			return nil, err
		}
		figures = append(figures, fs...)
	}
	return figures, nil
}

// service is the default scenario, changed, for one rule or those that are named.
func service(change func(s *simulate.Scenario), rules ...simulate.RuleSpec) simulate.Scenario {
	s := simulate.Default()
	s.Rules = rules
	if len(rules) == 0 {
		s.Rules = []simulate.RuleSpec{{Name: "tidegate"}}
	}
	change(&s)
	return s
}

func healthy(s *simulate.Scenario) { s.Candidate.ErrorsTimes = 1 }
func twice(s *simulate.Scenario)   { s.Candidate.ErrorsTimes = 2 }

// runs simulates and returns the first rule's summary.
func runs(s simulate.Scenario, n int) (simulate.Summary, error) {
	r, err := simulate.Run(context.Background(), s, simulate.Options{Runs: n, Seed: seed})
	if err != nil {
		return simulate.Summary{}, err
	}
	return r.Rules[0], nil
}

// falseAlarms counts healthy candidates that are rolled back, by the upper end of the 95% interval.
func falseAlarms() ([]figure, error) {
	var figures []figure
	for _, c := range []struct {
		name   string
		runs   int
		change func(s *simulate.Scenario)
	}{
		{"requests", 10_000, healthy},
		{"latency_too", 2000, func(s *simulate.Scenario) {
			healthy(s)
			s.Policy = json.RawMessage(`"careful"`)
			s.Latency = &simulate.Latency{Median: simulate.Duration(80 * time.Millisecond), Spread: 0.5}
			s.Errors.Incidents.LatencyTimes = 3
		}},
		{"200_clients", 2000, sticky(200)},
		{"1000_clients", 2000, sticky(1000)},
		{"5000_clients", 2000, sticky(5000)},
		{"bursts_in_4_pods_totals", 2000, func(s *simulate.Scenario) {
			healthy(s)
			s.Errors.Burst, s.Totals = 4.5, &simulate.Totals{Pods: 4}
		}},
	} {
		fmt.Printf("simulating: %d healthy rollouts, %s\n", c.runs, c.name)
		s, err := runs(service(c.change), c.runs)
		if err != nil {
			return nil, err
		}
		fmt.Printf("  %.2f%% rolled back, %.1f%% promoted, %.1f%% inconclusive\n", 100*s.RolledBack.Share, 100*s.Promoted.Share, 100*s.Inconclusive.Share)
		figures = append(figures, figure{name: "false_rollbacks_upper_" + c.name, value: 100 * s.RolledBack.High, unit: "percent", most: true, goal: 1})
	}
	return figures, nil
}

// sticky has so many clients, of whom 2% see all errors.
func sticky(n int) func(s *simulate.Scenario) {
	return func(s *simulate.Scenario) {
		healthy(s)
		s.Clients = &simulate.Clients{Count: n, Failing: 0.02}
	}
}

// exposure is how many requests harm costs.
func exposure() ([]figure, error) {
	fmt.Println("simulating: 1,000 broken candidates, half of whose requests fail, 2,000 with twice the errors, 500 with those of sticky clients")
	broken := func(s *simulate.Scenario) {
		healthy(s)
		s.Candidate.ErrorsAdded = 0.5
	}
	b, err := runs(service(broken), 1000)
	if err != nil {
		return nil, err
	}
	busy, err := runs(service(func(s *simulate.Scenario) { broken(s); s.Traffic.RequestsPerSecond = 1000 }), 1000)
	if err != nil {
		return nil, err
	}
	t, err := runs(service(twice), 2000)
	if err != nil {
		return nil, err
	}
	fewer, err := runs(service(func(s *simulate.Scenario) { sticky(1000)(s); twice(s) }), 500)
	if err != nil {
		return nil, err
	}
	fmt.Printf("  twice the errors of 1,000 clients: %.1f%% rolled back after %.0f requests\n", 100*fewer.RolledBack.Share, fewer.Exposed)
	fmt.Printf("  broken: off after %.1f requests on average; at 1,000 a second after %.0f s (median). Twice: %.1f%% rolled back\n",
		b.Exposed, 60*busy.Minutes, 100*t.RolledBack.Share)
	return []figure{
		{name: "broken_candidate_requests", value: b.Exposed, unit: "requests", most: true, goal: 10},
		{name: "broken_candidate_seconds_at_1000_per_second", value: 60 * busy.Minutes, unit: "s", most: true, goal: 10},
		{name: "twice_the_errors_requests", value: t.Exposed, unit: "requests", most: true, goal: 4000},
		{name: "twice_the_errors_of_1000_clients_rolled_back", value: 100 * fewer.RolledBack.Share, unit: "percent", goal: 97},
		{name: "twice_the_errors_rolled_back_lower", value: 100 * t.RolledBack.Low, unit: "percent", goal: 99},
	}, nil
}

// promotion is how long a good candidate has to wait.
func promotion() ([]figure, error) {
	h, err := runs(service(healthy), 2000)
	if err != nil {
		return nil, err
	}
	none, err := runs(service(func(s *simulate.Scenario) { healthy(s); s.Errors.Share = 0 }), 100)
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "healthy_promoted", value: mean(h), unit: "minutes", most: true, goal: 10.5},
		{name: "no_errors_promoted", value: mean(none), unit: "minutes", most: true, goal: 7.5},
	}, nil
}

// mean is how many minutes the promoted took on average.
func mean(s simulate.Summary) float64 {
	var sum, n float64
	for _, o := range s.Outcomes {
		if o.End == simulate.Promoted {
			sum += o.At.Minutes()
			n++
		}
	}
	return sum / max(1, n)
}

// beside compares with every rule of another tool, as documented and tuned in many ways, that lets at least 99
// of 100 healthy candidates pass on the same traffic: how many requests meet a candidate with twice the errors.
func beside() ([]figure, error) {
	rules := others()
	fmt.Printf("simulating: %d rules of other tools, 300 healthy and 300 harmful candidates each\n", len(rules)-1)
	good, err := simulate.Run(context.Background(), service(healthy, rules...), simulate.Options{Runs: 300, Seed: seed})
	if err != nil {
		return nil, err
	}
	bad, err := simulate.Run(context.Background(), service(twice, rules...), simulate.Options{Runs: 300, Seed: seed})
	if err != nil {
		return nil, err
	}
	ours, best := bad.Rules[0].Users, 0.0
	for i, s := range bad.Rules {
		back := good.Rules[i].RolledBack.Share
		if i == 0 || back > 0.01 {
			continue
		}
		fmt.Printf("  %s: %.1f%% false rollbacks, %.0f requests exposed, %.0f%% caught\n", s.Rule, 100*back, s.Users, 100*s.RolledBack.Share)
		if best == 0 || s.Users < best {
			best = s.Users
		}
	}
	fmt.Printf("  tidegate: %.1f%% false rollbacks, %.0f requests exposed\n", 100*good.Rules[0].RolledBack.Share, ours)
	return []figure{{name: "exposed_over_best_other_rule", value: ours / best, unit: "times", most: true, goal: 1. / 3}}, nil
}

// others are Tidegate, and the rules of other tools: presets, and thresholds and limits around them.
func others() []simulate.RuleSpec {
	var rules []simulate.RuleSpec
	for _, name := range simulate.Rules() {
		rules = append(rules, simulate.RuleSpec{Name: name})
	}
	minute := simulate.Duration(time.Minute)
	five := 5 * minute
	steps := []simulate.ArgoStep{{Weight: 5, Pause: five}, {Weight: 10, Pause: five}, {Weight: 25, Pause: five}, {Weight: 50, Pause: five}}
	for _, success := range []float64{80, 90, 95, 97, 98} {
		for _, failures := range []int{0, 3, 10} {
			rules = append(rules, simulate.RuleSpec{
				Name: fmt.Sprintf("argo %g%%, %d may fail", success, failures),
				Argo: &simulate.Argo{Steps: steps, Analysis: "background", Interval: minute, SuccessRate: success / 100,
					FailureLimit: failures, ConsecutiveErrorLimit: 4, Range: minute},
			}, simulate.RuleSpec{
				Name: fmt.Sprintf("flagger %g%%, threshold %d", success, failures+1),
				Flagger: &simulate.Flagger{Interval: minute, Threshold: failures + 1, MaxWeight: 50, StepWeight: 5,
					SuccessRate: success, Duration: minute},
			})
		}
	}
	return rules
}

// frontier shows what the floors trade: lower ones let less harm pass, and make a service without errors wait.
func frontier() ([]figure, error) {
	fmt.Println("simulating: the frontier of the floors d, 400 rollouts each")
	for _, times := range []float64{0.25, 0.5, 1, 2, 4} {
		p := rollout.DefaultPolicy()
		for i, floor := range []float64{.05, .02, .01, .005, .001, .001} {
			p.Steps[i].Floor = floor * times
		}
		own := simulate.RuleSpec{Name: "tidegate", Tidegate: json.RawMessage(p.JSON())}
		h, err := runs(service(func(s *simulate.Scenario) { healthy(s); s.Errors.Share = 0 }, own), 20)
		if err != nil {
			return nil, err
		}
		t, err := runs(service(twice, own), 400)
		if err != nil {
			return nil, err
		}
		fmt.Printf("  d x %g: no errors promoted in %.1f min; twice the errors cost %.0f requests, %.1f%% rolled back\n", times, h.Minutes, t.Users, 100*t.RolledBack.Share)
	}
	return nil, nil
}

// speed is how long 1,000 rollouts of an hour take, which nothing ends before.
func speed() ([]figure, error) {
	const hour = `{"schema":1,"strategy":"canary","steps":[{"weight":5},{"weight":25},{"weight":50}],"gates":{"errors":{}},
		"limits":{"step_minimum":"20m","step":"2h","total":"4h","bake":"30m","blind":"5m","abandoned_after":"10m"}}`
	s := service(func(s *simulate.Scenario) { healthy(s); s.Horizon = simulate.Duration(time.Hour) },
		simulate.RuleSpec{Name: "an hour", Tidegate: json.RawMessage(hour)})
	fmt.Println("simulating: 1,000 rollouts of an hour")
	began := time.Now()
	if _, err := runs(s, 1000); err != nil {
		return nil, err
	}
	return []figure{{name: "simulate_1000_rollouts_of_an_hour", value: time.Since(began).Seconds(), unit: "s", most: true, goal: 30}}, nil
}
