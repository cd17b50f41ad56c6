package rollout

import (
	"encoding/json"
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
	SkipLeading bool   `json:"skip_leading,omitempty"`
	Gates       Gates  `json:"gates"`
	Limits      Limits `json:"limits"`
}

// A Step is a share of traffic on trial.
type Step struct {
	Weight int `json:"weight"` // percent, absolute
}

// Gates are the questions that every step asks. At least one is there.
type Gates struct {
	Errors *ErrorsGate `json:"errors,omitempty"`
}

// ErrorsGate compares shares of bad answers.
type ErrorsGate struct{}

// Limits bound a rollout in time.
type Limits struct {
	StepMinimum    Duration `json:"step_minimum"`    // least time at a step, without what was spent holding
	Step           Duration `json:"step"`            // longest time at a step, then inconclusive
	Total          Duration `json:"total"`           // longest time of all steps, then inconclusive
	Bake           Duration `json:"bake"`            // least time at the last step
	Blind          Duration `json:"blind"`           // without a counted request: hold at a fifth of it, roll back at it
	AbandonedAfter Duration `json:"abandoned_after"` // without a runner, then the engine closes the gate
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

// DefaultPolicy is the one of docs/guides/gates.md, "The default policy".
func DefaultPolicy() Policy {
	return Policy{
		Schema:      PolicySchema,
		Strategy:    Canary,
		Steps:       []Step{{1}, {5}, {10}, {25}, {50}, {90}},
		SkipLeading: true,
		Gates:       Gates{Errors: &ErrorsGate{}},
		Limits: Limits{
			StepMinimum:    Duration(30 * time.Second),
			Step:           Duration(2 * time.Hour),
			Total:          Duration(2 * time.Hour),
			Bake:           Duration(3 * time.Minute),
			Blind:          Duration(5 * time.Minute),
			AbandonedAfter: Duration(10 * time.Minute),
		},
	}
}

// JSON is the canonical form: equal policies have equal bytes.
func (p Policy) JSON() string {
	if p.Steps == nil {
		p.Steps = []Step{} // nil and empty are the same policy
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
		return step * time.Duration(n)
	}
	return total
}

// minimum is the least time at a step. The last one is followed by all traffic, so it also bakes.
func (p Policy) minimum(step int) time.Duration {
	least := time.Duration(p.Limits.StepMinimum)
	if step == len(p.Steps)-1 {
		least = max(least, time.Duration(p.Limits.Bake))
	}
	return least
}

// errors is the gate that judges by shares of bad answers.
func (p Policy) errors() gate.Errors {
	weights := make([]int, len(p.Steps))
	for i, s := range p.Steps {
		weights[i] = s.Weight
	}
	return gate.NewErrors(weights)
}
