package rollout

import (
	"errors"
	"fmt"
	"time"
)

// Bounds of what a policy may ask for.
const (
	maxSteps = 20
	maxLimit = 30 * 24 * time.Hour
	// Every limit is watched once a window, a second: a shorter one could not be kept.
	minLimit = time.Second
	// A fifth of blind holds the weight. Below a second that would be every pause between requests.
	minBlind = 5 * time.Second
	// A runner that is taken over writes again within its lease. Twice that is the least
	// time after which nobody can be about to drive.
	minAbandoned = 2 * Lease
)

// Validate returns all that is wrong, joined.
func (p Policy) Validate() error {
	var bad []error
	if p.Schema != PolicySchema {
		bad = append(bad, wrongSchema(p.Schema))
	}
	if p.Strategy != Canary {
		bad = append(bad, fmt.Errorf("strategy: %q: want %q", p.Strategy, Canary))
	}
	if p.Gates.Errors == nil {
		bad = append(bad, errors.New(`gates: none: want at least one of "errors": without a gate nothing could stop a bad candidate`))
	}
	bad = append(bad, validateSteps(p.Steps)...)
	bad = append(bad, p.validateLimits()...)
	return errors.Join(bad...)
}

func wrongSchema(got int) error {
	if got > PolicySchema {
		return fmt.Errorf("schema: %d: want %d: the policy was written for a later Tidegate, use that or newer", got, PolicySchema)
	}
	return fmt.Errorf("schema: %d: want %d", got, PolicySchema)
}

func validateSteps(steps []Step) (bad []error) {
	if len(steps) == 0 {
		return []error{errors.New("steps: none: want 1 to 20 steps with rising weights from 1 to 99")}
	}
	if len(steps) > maxSteps {
		bad = append(bad, fmt.Errorf("steps: %d of them: want at most %d", len(steps), maxSteps))
	}
	for i, s := range steps {
		name := fmt.Sprintf("step[%d].weight", i)
		if s.Weight >= 100 {
			bad = append(bad, fmt.Errorf("%s: %d: want 1 to 99: all traffic is no trial, it comes by itself after the last step", name, s.Weight))
			continue
		}
		if s.Weight < 1 {
			bad = append(bad, fmt.Errorf("%s: %d: want 1 to 99", name, s.Weight))
			continue
		}
		if i > 0 && s.Weight <= steps[i-1].Weight {
			bad = append(bad, fmt.Errorf("%s: %d after %d: weights must rise", name, s.Weight, steps[i-1].Weight))
		}
	}
	return bad
}

func (p Policy) validateLimits() (bad []error) {
	l := p.Limits
	for _, f := range []struct {
		name  string
		value Duration
		least time.Duration
	}{
		{"step_minimum", l.StepMinimum, minLimit},
		{"step", l.Step, minLimit},
		{"total", l.Total, minLimit},
		{"bake", l.Bake, minLimit},
		{"blind", l.Blind, minBlind},
		{"abandoned_after", l.AbandonedAfter, minAbandoned},
	} {
		if d := time.Duration(f.value); d < f.least || d > maxLimit {
			bad = append(bad, fmt.Errorf("limits.%s: %s: want %s to %s", f.name, d, f.least, maxLimit))
		}
	}
	if len(bad) > 0 || len(p.Steps) > maxSteps {
		return bad // sums and comparisons of such values would only repeat it
	}
	if l.StepMinimum > l.Step {
		bad = append(bad, fmt.Errorf("limits.step_minimum: %s: want at most limits.step, %s: no step could ever pass", l.StepMinimum, l.Step))
	}
	if l.Bake > l.Step {
		bad = append(bad, fmt.Errorf("limits.bake: %s: want at most limits.step, %s: the last step could never pass", l.Bake, l.Step))
	}
	var least time.Duration
	for i := range p.Steps {
		least += p.minimum(i)
	}
	if least > time.Duration(l.Total) {
		bad = append(bad, fmt.Errorf("limits.total: %s: want at least %s, the sum of the steps' least times: no candidate could be promoted", l.Total, least))
	}
	return bad
}
