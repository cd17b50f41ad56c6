package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Kayenta is a canary stage of Spinnaker, judged by Kayenta's NetflixACAJudge on the share of bad
// answers and, where it is measured, on the 99th percentile of the latency, each in a group of its own.
//
// The canary is compared with a baseline of the same size, fresh servers of the stable revision, as
// its documents ask for. A judgement looks at all data since the beginning ("growing"). A score below
// Marginal fails at once, the last one has to reach Pass.
//
// Source: NetflixACAJudge.scala (8a754a1): confidence 0.98, tolerance 0.25, outliers dropped;
// spinnaker.io/docs/guides/user/canary, "judge" and "best-practices".
type Kayenta struct {
	Weight   int      `json:"weight"` // of the canary; the baseline has as much
	Lifetime Duration `json:"lifetime"`
	Interval Duration `json:"interval"` // between judgements
	Step     Duration `json:"step"`     // of the time series
	Pass     float64  `json:"pass"`     // scores, 0..100
	Marginal float64  `json:"marginal"`
}

const (
	judgeConfidence = 0.98
	judgeTolerance  = 0.25
)

type kayentaRule struct {
	name string
	Kayenta
}

func (k kayentaRule) Name() string { return k.name }

func (k kayentaRule) validate() error {
	bad := outside(
		limit{"kayenta.weight", float64(k.Weight), 1, 50, " percent, for the baseline has as much"},
		span("kayenta.lifetime", k.Lifetime, time.Minute, 24*time.Hour),
		span("kayenta.interval", k.Interval, time.Minute, 24*time.Hour),
		span("kayenta.step", k.Step, time.Second, time.Hour),
		limit{"kayenta.pass", k.Pass, 0, 100, ""},
		limit{"kayenta.marginal", k.Marginal, 0, 100, ""})
	if k.Interval > k.Lifetime {
		bad = append(bad, fmt.Errorf("kayenta.interval: %s: want at most kayenta.lifetime, %s", k.Interval, k.Lifetime))
	}
	if k.Marginal > k.Pass {
		bad = append(bad, fmt.Errorf("kayenta.marginal: %g: want at most kayenta.pass, %g", k.Marginal, k.Pass))
	}
	return joined(bad)
}

func (k kayentaRule) Start(r *rand.Rand) Trial {
	return &kayentaTrial{Kayenta: k.Kayenta, r: r, next: time.Duration(k.Interval)}
}

type kayentaTrial struct {
	Kayenta
	r                *rand.Rand
	now, next        time.Duration
	point            Seen // that is being collected
	canary, baseline series
	score            float64
	judged           bool
	end              End
	why              string
}

// A series is one side's metrics, a value a step; of latency only where it is measured.
type series struct{ bad, slow []float64 }

func (t *kayentaTrial) Weight() int        { return t.Kayenta.Weight }
func (t *kayentaTrial) End() (End, string) { return t.end, t.why }

func (t *kayentaTrial) Alarm() float64 {
	switch {
	case t.end == RolledBack:
		return 1
	case !t.judged:
		return 0
	}
	return 1 - t.score/100
}

func (t *kayentaTrial) See(w Seen) {
	t.now += w.Lasting
	t.point.Lasting += w.Lasting
	t.point.Candidate = t.point.Candidate.plus(w.Candidate)
	t.point.Stable = t.point.Stable.plus(t.sample(w.Stable))
	if t.point.Lasting >= time.Duration(t.Step) {
		t.canary.add(t.point.Candidate)
		t.baseline.add(t.point.Stable)
		t.point = Seen{}
	}
	if t.now >= t.next {
		t.next += time.Duration(t.Interval)
		t.judge()
	}
}

// sample is the baseline's part of what stable answered.
func (t *kayentaTrial) sample(a Arm) Arm {
	part := float64(t.Kayenta.Weight) / float64(100-t.Kayenta.Weight)
	bad := binomial(t.r, a.Bad, part)
	s := Arm{Requests: bad + binomial(t.r, a.Requests-a.Bad, part), Bad: bad}
	if a.Latency == nil {
		return s
	}
	s.Latency = make([]uint64, len(a.Latency))
	for i, c := range a.Latency {
		s.Latency[i] = binomial(t.r, c, part)
	}
	return s
}

func (s *series) add(a Arm) {
	if a.Requests == 0 {
		return // NaN, which the judge removes
	}
	s.bad = append(s.bad, 1-a.success())
	if a.Latency != nil {
		s.slow = append(s.slow, slowest(a.Latency))
	}
}

func (t *kayentaTrial) judge() {
	metrics, passed := 1.0, 0.0
	if !t.worse(t.canary.bad, t.baseline.bad) {
		passed++
	}
	if t.canary.slow != nil {
		metrics++
		if !t.worse(t.canary.slow, t.baseline.slow) {
			passed++
		}
	}
	t.score, t.judged = 100*passed/metrics, true
	last := t.now >= time.Duration(t.Lifetime)
	switch {
	case t.score < t.Marginal, last && t.score < t.Pass:
		t.end, t.why = RolledBack, fmt.Sprintf("a score of %.0f after %s", t.score, t.now)
	case last:
		t.end, t.why = Promoted, fmt.Sprintf("a score of %.0f after %s", t.score, t.now)
	}
}

func (t *kayentaTrial) worse(canary, baseline []float64) bool {
	return higher(withoutOutliers(canary), withoutOutliers(baseline))
}
