package simulate

import (
	"encoding/json"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A Scenario is a service, what is different about a candidate for it, and the rules that judge.
// docs/guides/judging.md explains each field.
type Scenario struct {
	Title   string   `json:"title"`
	Window  Duration `json:"window"`  // between two looks of Tidegate's gates; 5s
	Horizon Duration `json:"horizon"` // how long users are watched, whatever a rule did; 2h
	Traffic Traffic  `json:"traffic"`
	Errors  Errors   `json:"errors"`
	Latency *Latency `json:"latency"` // none: answers take no time
	Clients *Clients `json:"clients"` // none: every request is somebody else's
	Totals  *Totals  `json:"totals"`  // none: the gates see single requests, as the engine's own router does
	// Candidate is what is different about it; nothing where left out.
	Candidate Effect `json:"candidate"`
	// Policy is the one of the rule "tidegate": a preset's name or a policy's JSON.
	Policy json.RawMessage `json:"policy"`
	Rules  []RuleSpec      `json:"rules"`

	replayed *counted // traffic that was counted, instead of all above but the rules; nil
}

// A Duration is written as Go writes it, "1m30s".
type Duration = rollout.Duration

// Traffic is how many requests come.
type Traffic struct {
	RequestsPerSecond float64 `json:"requests_per_second"`
}

// Errors is how the stable revision fails.
type Errors struct {
	Share     float64    `json:"share"`     // of requests that fail, 0..0.5: where drift begins and returns to
	Drift     *Drift     `json:"drift"`     // none: the share does not move
	Incidents *Incidents `json:"incidents"` // none
	// Burst is how many requests fail together, on average; 1 or more. Retries of one client do that.
	Burst float64 `json:"burst"`
}

// Drift is a slow random walk of the logarithm of the share that returns to where it began.
type Drift struct {
	Spread   float64  `json:"spread"`    // its standard deviation: 0.5 is a factor of 1.65 up or down
	HalfLife Duration `json:"half_life"` // in which half of a deviation is forgotten
}

// Incidents are times at which both arms fare worse, as when a database is slow.
type Incidents struct {
	PerHour      float64  `json:"per_hour"`
	Lasting      Duration `json:"lasting"`       // on average
	ErrorsTimes  float64  `json:"errors_times"`  // factor on the share of bad answers
	LatencyTimes float64  `json:"latency_times"` // factor on how long answers take; 1
}

// Latency is how long answers take: a lognormal law.
type Latency struct {
	Median Duration `json:"median"`
	Spread float64  `json:"spread"` // standard deviation of the logarithm
}

// Clients share the requests evenly. A client stays with its arm as long as the weight allows.
type Clients struct {
	Count int `json:"count"`
	// Failing is the share of the clients that see all of stable's errors, 1 is everybody. What the candidate fails
	// more often falls on anybody.
	Failing float64 `json:"failing"`
}

// Totals are counters of replicas, as a metrics server has them: who sent a request is not known, and
// bursts look like many failures.
type Totals struct {
	Pods int `json:"pods"` // of each arm
}

// An Effect is what is different about the candidate.
type Effect struct {
	ErrorsTimes  float64    `json:"errors_times"`  // factor on the odds of a bad answer; 1
	ErrorsAdded  float64    `json:"errors_added"`  // share of requests that fail besides; 0
	LatencyTimes float64    `json:"latency_times"` // factor on how long answers take; 1
	FromWeight   int        `json:"from_weight"`   // percent of traffic from which on it is different
	From         Duration   `json:"from"`          // time since its first request from which on it is different
	ColdStart    *ColdStart `json:"cold_start"`    // none
}

// A ColdStart is worse for a while because the candidate is new, not because it is bad.
type ColdStart struct {
	Lasting      Duration `json:"lasting"`
	ErrorsTimes  float64  `json:"errors_times"`
	LatencyTimes float64  `json:"latency_times"`
}

// Default is the service of the guide "How a gate judges": 100 requests a second of which 1% fail, with drift
// and incidents, and a candidate that fails twice as often, judged by every rule that has a name.
func Default() Scenario {
	s := Scenario{
		Title:   "100 requests a second, 1% fail; the candidate fails twice as often",
		Traffic: Traffic{RequestsPerSecond: 100},
		Errors: Errors{
			Share:     0.01,
			Drift:     &Drift{Spread: 0.3, HalfLife: Duration(20 * time.Minute)},
			Incidents: &Incidents{PerHour: 2, Lasting: Duration(3 * time.Minute), ErrorsTimes: 10},
		},
		Candidate: Effect{ErrorsTimes: 2},
		Horizon:   Duration(90 * time.Minute),
	}
	return s.filled()
}

// everyRule is what is compared where a scenario names no rules.
func everyRule() []RuleSpec {
	var all []RuleSpec
	for _, name := range Rules() {
		all = append(all, RuleSpec{Name: name})
	}
	return all
}

// filled returns the scenario with what was left out.
func (s Scenario) filled() Scenario {
	ones := []*float64{&s.Errors.Burst, &s.Candidate.ErrorsTimes, &s.Candidate.LatencyTimes}
	if i := s.Errors.Incidents; i != nil {
		own := *i
		s.Errors.Incidents = &own
		ones = append(ones, &own.ErrorsTimes, &own.LatencyTimes)
	}
	if c := s.Candidate.ColdStart; c != nil {
		own := *c
		s.Candidate.ColdStart = &own
		ones = append(ones, &own.ErrorsTimes, &own.LatencyTimes)
	}
	for _, f := range ones {
		if *f == 0 {
			*f = 1
		}
	}
	if s.Window == 0 {
		s.Window = Duration(5 * time.Second)
	}
	if s.Horizon == 0 {
		s.Horizon = Duration(2 * time.Hour)
	}
	if len(s.Rules) == 0 {
		s.Rules = everyRule()
	}
	return s
}
