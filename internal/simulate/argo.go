package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Argo is a canary of Argo Rollouts with one analysis of the success rate.
//
// Source: docs/features/analysis.md of Argo Rollouts (v1.10.0; read at commit a8a44ec) and
// analysis/analysis.go (045c1cf): a measurement that does not meet the success condition fails; the
// run fails when MORE than failureLimit measurements failed; one without data is an error, and the
// run errs when more than consecutiveErrorLimit (4 by default) come in a row. Either aborts: weight 0.
type Argo struct {
	Steps []ArgoStep `json:"steps"`
	// Analysis is "background", from StartingStep on while steps go by, or "step": one after each
	// step's pause, which the rollout waits for.
	Analysis     string `json:"analysis"`
	StartingStep int    `json:"starting_step"` // counted in weights, from 0
	// A measurement is taken at once and then every Interval, Count times; 0 is until the end.
	Interval Duration `json:"interval"`
	Count    int      `json:"count"`
	// SuccessRate is the success condition: result >= it, 0..1.
	SuccessRate           float64 `json:"success_rate"`
	FailureLimit          int     `json:"failure_limit"`
	ConsecutiveErrorLimit int     `json:"consecutive_error_limit"`
	// Range is how much traffic one measurement looks at. The candidate's only, which is kind: the
	// documents' query names the service, with both revisions behind it.
	Range Duration `json:"range"`
}

// An ArgoStep is a setWeight and the pause after it.
type ArgoStep struct {
	Weight int      `json:"weight"`
	Pause  Duration `json:"pause"`
}

// argoBackground is the documents' first example, "Background Analysis". Its query is
// irate(...[5m]), which looks at the last two samples only: 15 s apart as Istio's addon scrapes.
func argoBackground() Argo {
	return Argo{
		Steps:    []ArgoStep{{20, minutes(10)}, {40, minutes(10)}, {60, minutes(10)}, {80, minutes(10)}},
		Analysis: "background", StartingStep: 1, Interval: minutes(5), SuccessRate: 0.95, FailureLimit: 3,
		ConsecutiveErrorLimit: 4, Range: Duration(15 * time.Second),
	}
}

// argoStep is the documents' "Analysis at a Predefined Step": 20%, five minutes, one measurement.
func argoStep() Argo {
	return Argo{
		Steps:    []ArgoStep{{20, minutes(5)}},
		Analysis: "step", Count: 1, Interval: minutes(1), SuccessRate: 0.95,
		ConsecutiveErrorLimit: 4, Range: Duration(15 * time.Second),
	}
}

// argoStrict is no example of anybody's: what one writes who wants 95% to be 98% and every minute.
func argoStrict() Argo {
	return Argo{
		Steps:    []ArgoStep{{5, minutes(5)}, {10, minutes(5)}, {25, minutes(5)}, {50, minutes(5)}, {90, minutes(5)}},
		Analysis: "background", Interval: minutes(1), SuccessRate: 0.98,
		ConsecutiveErrorLimit: 4, Range: minutes(1),
	}
}

type argoRule struct {
	name string
	Argo
}

func (a argoRule) Name() string { return a.name }

func (a argoRule) validate() error {
	limits := []limit{
		{"argo.steps", float64(len(a.Steps)), 1, 50, " of them"},
		{"argo.starting_step", float64(a.StartingStep), 0, float64(max(0, len(a.Steps)-1)), ""},
		span("argo.interval", a.Interval, time.Second, 24*time.Hour),
		{"argo.count", float64(a.Count), 0, 1e6, ""},
		{"argo.success_rate", a.SuccessRate, 0, 1, ""},
		{"argo.failure_limit", float64(a.FailureLimit), 0, 1e6, ""},
		{"argo.consecutive_error_limit", float64(a.ConsecutiveErrorLimit), 0, 1e6, ""},
		span("argo.range", a.Range, time.Second, 24*time.Hour),
	}
	for i, s := range a.Steps {
		limits = append(limits,
			limit{fmt.Sprintf("argo.steps[%d].weight", i), float64(s.Weight), 0, 100, " percent"},
			span(fmt.Sprintf("argo.steps[%d].pause", i), s.Pause, 0, 24*time.Hour))
	}
	bad := outside(limits...)
	if a.Analysis != "background" && a.Analysis != "step" {
		bad = append(bad, fmt.Errorf("argo.analysis: %q: want background or step", a.Analysis))
	}
	return joined(bad)
}

func (a argoRule) Start(*rand.Rand) Trial {
	t := &argoTrial{Argo: a.Argo, metrics: recent{keep: time.Duration(a.Range)}, next: never}
	if a.Analysis == "background" && a.StartingStep == 0 {
		t.measureFrom(0)
	}
	return t
}

const never = time.Duration(1<<63 - 1)

type argoTrial struct {
	Argo
	metrics  recent
	now      time.Duration
	step     int
	began    time.Duration // the step
	next     time.Duration // measurement
	measured int
	failed   int
	errors   int // in a row
	end      End
	why      string
}

func (t *argoTrial) Weight() int { return t.Steps[t.step].Weight }

func (t *argoTrial) End() (End, string) { return t.end, t.why }

func (t *argoTrial) Alarm() float64 { return min(1, float64(t.failed)/float64(t.FailureLimit+1)) }

func (t *argoTrial) measureFrom(at time.Duration) {
	t.next, t.measured, t.failed, t.errors = at, 0, 0, 0
	if at == 0 {
		t.measure() // at once: there is nothing to see yet
	}
}

func (t *argoTrial) See(w Seen) {
	t.now += w.Lasting
	t.metrics.add(w)
	for t.end == "" && t.now >= t.next {
		t.measure()
	}
	if t.end == "" && t.now-t.began >= time.Duration(t.Steps[t.step].Pause) {
		t.pass()
	}
}

// measure takes one measurement and judges the run.
func (t *argoTrial) measure() {
	a := t.metrics.over(time.Duration(t.Range))
	t.next += time.Duration(t.Interval)
	if a.Requests == 0 {
		if t.errors++; t.errors > t.ConsecutiveErrorLimit {
			t.end, t.why = RolledBack, fmt.Sprintf("%d measurements in a row had no data", t.errors)
		}
		return
	}
	t.errors = 0
	t.measured++
	if a.success() < t.SuccessRate {
		if t.failed++; t.failed > t.FailureLimit {
			t.end, t.why = RolledBack, fmt.Sprintf("%d measurements below %g, the last %.4f", t.failed, t.SuccessRate, a.success())
			return
		}
	}
	if t.Count > 0 && t.measured >= t.Count {
		t.next = never
	}
}

// pass goes on after a step's pause, once an analysis at that step is done.
func (t *argoTrial) pass() {
	if t.Analysis == "step" {
		if t.next == never && t.measured == 0 {
			t.measureFrom(t.now)
			t.measure()
		}
		if t.end != "" || t.next != never {
			return
		}
		t.measured = 0
	}
	if t.step == len(t.Steps)-1 {
		t.end, t.why = Promoted, "all steps went by"
		return
	}
	t.step++
	t.began = t.now
	if t.Analysis == "background" && t.step == t.StartingStep {
		t.measureFrom(t.now)
	}
}
