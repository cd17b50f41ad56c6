package rollout

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// PolicySchema is the schema number of a policy's JSON. Fields that come later are optional
// and left out where they say nothing, so that the JSON of today stays canonical.
const PolicySchema = 1

// Canary is the strategy that gives a candidate rising shares of real traffic.
const Canary = "canary"

// A Policy says by which steps, gates and limits a candidate becomes stable. It is a value:
// a rollout keeps the one that it began with.
type Policy struct {
	Schema   int    `json:"schema"`   // 1
	Strategy string `json:"strategy"` // "canary"
	Steps    []Step `json:"steps"`    // weights rise, each 1..99
	// SkipLeading leaves out leading steps that see less than half a candidate request a
	// second; true where a policy names no steps.
	SkipLeading bool  `json:"skip_leading,omitempty"`
	Gates       Gates `json:"gates"`
	// Alpha bounds the chance that a harmless candidate ever fails, Beta the chance that one beyond a step's
	// margin passes it. 0 is the default: .01 and .05.
	Alpha  float64 `json:"alpha,omitempty"`
	Beta   float64 `json:"beta,omitempty"`
	WarmUp WarmUp  `json:"warm_up,omitzero"`
	Limits Limits  `json:"limits"`
}

// A Step is a share of traffic on trial. Zero fields are the defaults.
type Step struct {
	Weight int `json:"weight"` // percent, absolute
	// Ratio and Floor are the margin that must be shown before the step is left: less than Ratio times the odds of a
	// bad answer, or less than Floor bad ones; by default that of the next step's weight.
	Ratio   float64  `json:"ratio,omitempty"`
	Floor   float64  `json:"floor,omitempty"`
	Minimum Duration `json:"minimum,omitempty"` // least time at this step; by default that of the limits
	// Approval wants a person's word, after the gates', before the step is left.
	Approval bool `json:"approval,omitempty"`
}

// WarmUp is how long a fresh revision's latencies do not count: until it has answered Requests and got traffic for Time.
// Errors count from the first request on.
type WarmUp struct {
	Requests int      `json:"requests,omitempty"`
	Time     Duration `json:"time,omitempty"`
}

// Gates are the questions that every step asks. At least one is there.
type Gates struct {
	Errors  *ErrorsGate  `json:"errors,omitempty"`
	Latency *LatencyGate `json:"latency,omitempty"`
}

// ErrorsGate compares shares of bad answers.
type ErrorsGate struct{}

// LatencyGate compares shares of slow answers, at every latency at once. There is no threshold to choose.
type LatencyGate struct {
	// Tolerance is how many times stable's odds of a slow answer are still harmless; 0 is the default, 1.25.
	Tolerance float64 `json:"tolerance,omitempty"`
}

// Limits bound a rollout in time.
type Limits struct {
	StepMinimum    Duration `json:"step_minimum"`    // least time at a step, without what was spent holding
	Step           Duration `json:"step"`            // longest time at a step, then inconclusive
	Total          Duration `json:"total"`           // longest time of all steps, then inconclusive
	Bake           Duration `json:"bake"`            // least time at the last step
	Blind          Duration `json:"blind"`           // without a counted request: hold at a fifth of it, roll back at it
	AbandonedAfter Duration `json:"abandoned_after"` // without a runner, then the engine closes the gate
	// Approval is the longest wait for one; 0 is the default, 24 h. It counts toward no other limit.
	Approval Duration `json:"approval,omitempty"`
	// KeepPrevious is how long the revision before stays warm after a promotion, so that going back to it
	// takes no time; nil is the default, 30 min.
	KeepPrevious *Duration `json:"keep_previous,omitempty"`
}

// Keep is KeepPrevious, or its default.
func (l Limits) Keep() time.Duration {
	if l.KeepPrevious == nil {
		return defaultKeep
	}
	return time.Duration(*l.KeepPrevious)
}

// Await is the longest wait for an approval.
func (l Limits) Await() time.Duration {
	if l.Approval == 0 {
		return defaultAwait
	}
	return time.Duration(l.Approval)
}

// A Duration is written as Go writes it, "1h30m0s".
type Duration time.Duration

// String writes the duration as Go does.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON writes the duration as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads what time.ParseDuration reads.
func (d *Duration) UnmarshalJSON(b []byte) error {
	v, err := parseDuration(b)
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// JSON is the canonical form: equal policies have equal bytes.
func (p Policy) JSON() string {
	if p.Steps == nil {
		p.Steps = []Step{} // nil and empty are the same policy
	}
	if p.Alpha == defaultAlpha {
		p.Alpha = 0 // as is what is said and what is meant
	}
	if p.Beta == defaultBeta {
		p.Beta = 0
	}
	if l := p.Gates.Latency; l != nil && l.Tolerance == defaultTolerance {
		p.Gates.Latency = &LatencyGate{}
	}
	if p.Limits.Approval == Duration(defaultAwait) {
		p.Limits.Approval = 0
	}
	if p.Limits.Keep() == defaultKeep {
		p.Limits.KeepPrevious = nil
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // numbers, texts and durations: there is nothing that cannot be written
	}
	return string(b)
}

// Longest is the most time that a rollout by this policy can take, without the candidate's start.
func (p Policy) Longest() time.Duration {
	total, step := time.Duration(p.Limits.Total), time.Duration(p.Limits.Step)
	if n := len(p.Steps); n > 0 && step < total/time.Duration(n) {
		total = step * time.Duration(n)
	}
	for _, s := range p.Steps {
		if s.Approval {
			total += p.Limits.Await()
		}
	}
	return total
}

// Approvals reports whether a step waits for a person.
func (p Policy) Approvals() bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Approval })
}

// minimum is the least time at a step. The last one is followed by all traffic, so it also bakes.
func (p Policy) minimum(step int) time.Duration {
	least := time.Duration(p.Limits.StepMinimum)
	if own := p.Steps[step].Minimum; own > 0 {
		least = time.Duration(own)
	}
	if step == len(p.Steps)-1 {
		least = max(least, time.Duration(p.Limits.Bake))
	}
	return least
}

const (
	defaultAlpha = 0.01
	defaultBeta  = 0.05
	// defaultTolerance is gate.NewLatency's.
	defaultTolerance = 1.25
	defaultAwait     = 24 * time.Hour
	defaultKeep      = 30 * time.Minute
)

// oneWindow is what the latencies of one window may say at most, so that it takes several to roll back: with 4, five.
const oneWindow = 4

// judges are the gates that the policy asks.
func (p Policy) judges() gate.Gates {
	weights := make([]int, len(p.Steps))
	for i, s := range p.Steps {
		weights[i] = s.Weight
	}
	margins := gate.MarginsFor(weights)
	for i, s := range p.Steps {
		if s.Ratio > 0 {
			margins[i].Ratio = s.Ratio
		}
		if s.Floor > 0 {
			margins[i].Floor = s.Floor
		}
	}
	g := gate.Gates{Alpha: defaultAlpha, Beta: defaultBeta}
	if p.Alpha > 0 {
		g.Alpha = p.Alpha
	}
	if p.Beta > 0 {
		g.Beta = p.Beta
	}
	if p.Gates.Errors != nil {
		one := gate.NewErrors(weights)
		one.Steps = margins
		g.Errors = &one
	}
	if p.Gates.Latency != nil {
		one := gate.NewLatency(margins)
		one.Most = oneWindow
		if t := p.Gates.Latency.Tolerance; t > 0 {
			one.Tolerance = t
		}
		g.Latency = &one
	}
	split := gate.NewSplit(weights)
	g.Split = &split
	return g
}
