package simulate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Flagger is a canary of Flagger with its two builtin metrics.
//
// Source: docs/gitbook/usage/how-it-works.md and metrics.md (061c179), pkg/controller/scheduler.go
// (0016895): every interval, the canary is rolled back if threshold checks have failed so far;
// else its metrics of the last minute are checked. A failed check counts and halts the weight, a good
// one adds stepWeight, or promotes at maxWeight. No traffic on the canary is a failed check.
type Flagger struct {
	Interval    Duration `json:"interval"`
	Threshold   int      `json:"threshold"`
	MaxWeight   int      `json:"max_weight"`
	StepWeight  int      `json:"step_weight"`
	SuccessRate float64  `json:"success_rate"` // request-success-rate, min, percent
	Duration    Duration `json:"duration"`     // request-duration, max of the 99th percentile
}

// metricInterval is how much traffic a builtin check looks at: 1m by default and in every example.
const metricInterval = time.Minute

type flaggerRule struct {
	name string
	Flagger
}

func (f flaggerRule) Name() string { return f.name }

func (f flaggerRule) validate() error {
	return joined(outside(
		span("flagger.interval", f.Interval, 10*time.Second, 24*time.Hour), // shorter ones are 10 s to Flagger
		limit{"flagger.threshold", float64(f.Threshold), 1, 1e6, ""},
		limit{"flagger.max_weight", float64(f.MaxWeight), 1, 100, " percent"},
		limit{"flagger.step_weight", float64(f.StepWeight), 1, 100, " percent"},
		limit{"flagger.success_rate", f.SuccessRate, 0, 100, " percent"},
		span("flagger.duration", f.Duration, time.Millisecond, time.Hour)))
}

func joined(bad []error) error { return errors.Join(bad...) }

func (f flaggerRule) Start(*rand.Rand) Trial {
	// The first tick finds the new revision, which has no traffic to check yet, and gives it some.
	return &flaggerTrial{Flagger: f.Flagger, metrics: recent{keep: metricInterval},
		weight: min(100, f.StepWeight), next: time.Duration(f.Interval)}
}

type flaggerTrial struct {
	Flagger
	metrics recent
	weight  int
	now     time.Duration
	next    time.Duration // tick
	failed  int
	last    string // failed check
	end     End
	why     string
}

func (t *flaggerTrial) Weight() int        { return t.weight }
func (t *flaggerTrial) End() (End, string) { return t.end, t.why }
func (t *flaggerTrial) Alarm() float64     { return min(1, float64(t.failed)/float64(t.Threshold)) }

func (t *flaggerTrial) See(w Seen) {
	t.now += w.Lasting
	t.metrics.add(w)
	for t.end == "" && t.now >= t.next {
		t.next += time.Duration(t.Interval)
		t.tick()
	}
}

func (t *flaggerTrial) tick() {
	if t.failed >= t.Threshold {
		t.end, t.why = RolledBack, fmt.Sprintf("%d failed checks, the last: %s", t.failed, t.last)
		return
	}
	if why := t.check(); why != "" {
		t.failed++
		t.last = why
		return
	}
	if t.weight >= t.MaxWeight {
		t.end, t.why = Promoted, fmt.Sprintf("%d%% reached", t.weight)
		return
	}
	t.weight = min(100, t.weight+t.StepWeight)
}

// check says what is wrong with the last minute, "" where nothing is.
func (t *flaggerTrial) check() string {
	a := t.metrics.over(metricInterval)
	if a.Requests == 0 {
		return "no values found"
	}
	if rate := 100 * a.success(); rate < t.SuccessRate {
		return fmt.Sprintf("success rate %.2f%% < %g%%", rate, t.SuccessRate)
	}
	if a.Latency == nil {
		return ""
	}
	if slow := seconds(slowest(a.Latency)); slow > time.Duration(t.Duration) {
		return fmt.Sprintf("request duration %s > %s", slow.Round(time.Millisecond), t.Duration)
	}
	return ""
}
