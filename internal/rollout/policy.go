package rollout

import (
	"encoding/json"
	"errors"
	"time"
)

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
	StepMinimum    Duration `json:"step_minimum"`    // least time at a step
	Step           Duration `json:"step"`            // longest time at a step, then inconclusive
	Total          Duration `json:"total"`           // longest time of all steps, then inconclusive
	Bake           Duration `json:"bake"`            // least time at the last step
	Blind          Duration `json:"blind"`           // without a counted request: hold at a fifth of it, roll back at it
	AbandonedAfter Duration `json:"abandoned_after"` // without a runner, then the engine closes the gate
}

// A Duration is written as Go writes it, "1h30m0s".
type Duration time.Duration

// MarshalJSON writes the duration as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads what time.ParseDuration reads.
func (d *Duration) UnmarshalJSON(b []byte) error { return errors.New("contract only") }

// DefaultPolicy is GATES.md's.
func DefaultPolicy() Policy { panic("contract only") }

// ParsePolicy reads canonical or hand-written JSON: unknown fields, wrong types and values
// out of range are errors that name the field, the value and the choices.
func ParsePolicy(b []byte) (Policy, error) { panic("contract only") }

// Validate returns all that is wrong, joined.
func (p Policy) Validate() error { panic("contract only") }

// JSON is the canonical form: equal policies have equal bytes.
func (p Policy) JSON() string { panic("contract only") }

// Longest is the most time that a rollout by this policy can take, without the candidate's start.
func (p Policy) Longest() time.Duration { panic("contract only") }
