package rollout

import (
	"fmt"
	"time"
)

// DefaultPolicy is the one of docs/guides/gates.md, "The default policy".
func DefaultPolicy() Policy {
	return Policy{
		Schema:      PolicySchema,
		Strategy:    Canary,
		Steps:       stepsAt(1, 5, 10, 25, 50, 90),
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

// The presets.
const (
	Fast     = "fast"     // two steps and a minute: for services that can bear a mistake
	Careful  = "careful"  // the default policy, with latency
	Paranoid = "paranoid" // a tenth of the mistakes, small steps, half an hour at the end
)

// Preset returns the policy of that name: "fast", "careful" or "paranoid".
func Preset(name string) (Policy, error) {
	p := DefaultPolicy()
	p.Gates.Latency = &LatencyGate{}
	p.WarmUp = WarmUp{Requests: 20, Time: Duration(10 * time.Second)}
	switch name {
	case Careful:
	case Fast:
		p.Steps = stepsAt(10, 50)
		p.SkipLeading = false
		p.Limits.StepMinimum = Duration(10 * time.Second)
		p.Limits.Bake = Duration(time.Minute)
		p.Limits.Step = Duration(30 * time.Minute)
		p.Limits.Total = Duration(30 * time.Minute)
	case Paranoid:
		p.Steps = stepsAt(1, 2, 5, 10, 25, 50, 75, 90)
		p.Alpha, p.Beta = 0.001, 0.01
		p.WarmUp = WarmUp{Requests: 100, Time: Duration(time.Minute)}
		p.Limits.StepMinimum = Duration(2 * time.Minute)
		p.Limits.Bake = Duration(30 * time.Minute)
		p.Limits.Step = Duration(6 * time.Hour)
		p.Limits.Total = Duration(6 * time.Hour)
	default:
		return Policy{}, fmt.Errorf("preset %q: want %s, %s or %s", name, Fast, Careful, Paranoid)
	}
	return p, nil
}

func stepsAt(weights ...int) []Step {
	var all []Step
	for _, w := range weights {
		all = append(all, Step{Weight: w})
	}
	return all
}
