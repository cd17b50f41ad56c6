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
	if p.Gates == (Gates{}) {
		bad = append(bad, errors.New(`gates: none: want at least one of "errors", "latency": without a gate nothing could stop a bad candidate`))
	}
	bad = append(bad, validateSteps(p.Steps)...)
	bad = append(bad, p.validateBounds()...)
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
		bad = append(bad, s.validate(i)...)
	}
	return bad
}

// Bounds of a step's margin. Up to 1.2 times stable's odds nothing can be told from equal in any time that
// a rollout has.
const (
	leastRatio, mostRatio = 1.2, 1000
	leastFloor, mostFloor = 1e-6, 0.5
)

func (s Step) validate(i int) (bad []error) {
	if s.Ratio != 0 && !(s.Ratio > leastRatio && s.Ratio <= mostRatio) {
		bad = append(bad, fmt.Errorf("step[%d].ratio: %g: want more than %g and at most %d: closer to 1 no candidate could be told from a worse one, and none would pass", i, s.Ratio, leastRatio, mostRatio))
	}
	if s.Floor != 0 && !(s.Floor >= leastFloor && s.Floor <= mostFloor) {
		bad = append(bad, fmt.Errorf("step[%d].floor: %g: want a share of bad answers from %g to %g: with less, no candidate would pass that has few errors to compare", i, s.Floor, leastFloor, mostFloor))
	}
	if d := time.Duration(s.Minimum); s.Minimum != 0 && (d < minLimit || d > maxLimit) {
		bad = append(bad, fmt.Errorf("step[%d].minimum: %s: want %s to %s", i, d, minLimit, maxLimit))
	}
	return bad
}

// Bounds of what mistakes a policy may allow, and of a warm-up.
const (
	leastBound, mostBound = 1e-6, 0.2
	maxWarmUp             = 1_000_000
	mostTolerance         = 20
)

func (p Policy) validateBounds() (bad []error) {
	for _, f := range []struct {
		name  string
		value float64
	}{{"alpha", p.Alpha}, {"beta", p.Beta}} {
		if f.value != 0 && !(f.value >= leastBound && f.value <= mostBound) {
			bad = append(bad, fmt.Errorf("%s: %g: want a chance from %g to %g", f.name, f.value, leastBound, mostBound))
		}
	}
	if l := p.Gates.Latency; l != nil && l.Tolerance != 0 && !(l.Tolerance >= 1 && l.Tolerance <= mostTolerance) {
		bad = append(bad, fmt.Errorf("latency.tolerance: %g: want 1 to %d times stable's odds of a slow answer", l.Tolerance, mostTolerance))
	}
	if n := p.WarmUp.Requests; n < 0 || n > maxWarmUp {
		bad = append(bad, fmt.Errorf("warm_up.requests: %d: want 0 to %d", n, maxWarmUp))
	}
	if d := time.Duration(p.WarmUp.Time); d < 0 || d > maxLimit {
		bad = append(bad, fmt.Errorf("warm_up.time: %s: want 0s to %s", d, maxLimit))
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
	if d := time.Duration(l.Approval); d != 0 && (d < minLimit || d > maxLimit) {
		bad = append(bad, fmt.Errorf("limits.approval: %s: want %s to %s", d, minLimit, maxLimit))
	}
	if d := l.Keep(); d < 0 || d > maxLimit {
		bad = append(bad, fmt.Errorf("limits.keep_previous: %s: want 0s to %s", d, maxLimit))
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
	if p.WarmUp.Time >= l.Step && p.WarmUp.Time > 0 {
		bad = append(bad, fmt.Errorf("warm_up.time: %s: want less than limits.step, %s: no latency would ever count", p.WarmUp.Time, l.Step))
	}
	var least time.Duration
	for i, s := range p.Steps {
		if s.Minimum > l.Step {
			bad = append(bad, fmt.Errorf("step[%d].minimum: %s: want at most limits.step, %s: the step could never pass", i, s.Minimum, l.Step))
		}
		least += p.minimum(i)
	}
	if least > time.Duration(l.Total) {
		bad = append(bad, fmt.Errorf("limits.total: %s: want at least %s, the sum of the steps' least times: no candidate could be promoted", l.Total, least))
	}
	return bad
}
