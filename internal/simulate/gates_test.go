package simulate

import (
	"fmt"
	"testing"
)

// The figures that the default policy was designed by, 400 runs a cell. Their simulation was another one, with a
// drift of its own: shares agree where the intervals overlap, times within a third.
var cells = []struct {
	rate, share                          float64
	promoted, promotedMin, caught, twice float64 // percent and mean minutes; twice and five times the errors
	fiveTimes                            float64
}{
	{5, .01, 93, 60, 99.8, 45, 8.5},
	{5, .05, 99.5, 22, 100, 13, 2.1},
	{20, .002, 91, 61, 100, 45, 12},
	{20, .01, 99.8, 24, 100, 19, 4.3},
	{100, .002, 100, 21, 100, 14, 4.6},
	{100, .01, 99.8, 9.9, 100, 6.2, 2.6},
	{100, .05, 99.8, 6.1, 100, 2.2, .8},
	{1000, .002, 100, 6.2, 100, 2.6, .9},
	{1000, .01, 100, 5.6, 100, 1.3, .4},
}

func TestTheDefaultPolicyDoesWhatItWasDesignedFor(t *testing.T) {
	t.Parallel()
	runs := 60
	if testing.Short() {
		runs = 25
	}
	for _, c := range cells {
		t.Run(fmt.Sprintf("%g a second, %g%%", c.rate, 100*c.share), func(t *testing.T) {
			t.Parallel()
			for _, effect := range []struct {
				times float64
				end   End
				share float64
				mean  float64
			}{{1, Promoted, c.promoted, c.promotedMin}, {2, RolledBack, c.caught, c.twice}, {5, RolledBack, 100, c.fiveTimes}} {
				s := Default()
				s.Horizon = minutes(121)
				s.Traffic.RequestsPerSecond, s.Errors.Share, s.Candidate.ErrorsTimes = c.rate, c.share, effect.times
				s.Rules = []RuleSpec{{Name: "tidegate"}}
				got := run(t, s, runs).Rules[0]
				share, minutes := got.Promoted, meanMinutes(got, Promoted)
				if effect.end == RolledBack {
					share, minutes = got.RolledBack, meanMinutes(got, RolledBack)
				}
				t.Logf("%g times: %s %s (%.1f min), design %g%% (%g)", effect.times, percent(share.Share), effect.end, minutes, effect.share, effect.mean)
				guide := Wilson(int(effect.share*4+0.5), 400)
				if share.Low > guide.High || share.High < guide.Low {
					t.Errorf("%g times the errors: %.3f to %.3f %s, the design says %.3f to %.3f", effect.times, share.Low, share.High, effect.end, guide.Low, guide.High)
				}
				if minutes < effect.mean*0.66-0.2 || minutes > effect.mean*1.34+0.2 {
					t.Errorf("%g times the errors: %s after %.1f minutes on average, the design says %g", effect.times, effect.end, minutes, effect.mean)
				}
			}
		})
	}
}

func TestAServiceWithoutErrorsIsPromotedWhenTheDesignSays(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]float64{5: 50, 20: 17, 100: 7.3, 1000: 5.5} {
		s := Default()
		s.Horizon, s.Traffic.RequestsPerSecond, s.Errors.Share = minutes(121), rate, 0
		s.Rules = []RuleSpec{{Name: "tidegate"}}
		got := run(t, s, 10).Rules[0]
		if got.Promoted.Share != 1 || got.Minutes < want*0.95-0.1 || got.Minutes > want*1.05+0.1 {
			t.Errorf("%g a second: %s promoted after %.1f minutes, the design says %g", rate, percent(got.Promoted.Share), got.Minutes, want)
		}
	}
}

// The design's figures of today's tools: 100 requests a second of which 1% fail, twice as many on the candidate.
func TestTheRulesOfTodaysToolsDoWhatTheDesignSays(t *testing.T) {
	t.Parallel()
	steps := []ArgoStep{{5, minutes(5)}, {10, minutes(5)}, {25, minutes(5)}, {50, minutes(5)}, {90, minutes(5)}}
	fixed := func(limit int) *Argo {
		return &Argo{Steps: steps, Analysis: "background", Interval: minutes(1), SuccessRate: .98, FailureLimit: limit, ConsecutiveErrorLimit: 4, Range: minutes(1)}
	}
	ten := func(rate float64) *Flagger {
		return &Flagger{Interval: minutes(1), Threshold: 10, MaxWeight: 50, StepWeight: 5, SuccessRate: rate, Duration: minutes(1)}
	}
	s := Default()
	s.Rules = []RuleSpec{{Name: "98% none", Argo: fixed(0)}, {Name: "98% three", Argo: fixed(3)}, {Name: "99% ten", Flagger: ten(99)},
		{Name: "98% ten", Flagger: ten(98)}, {Name: "argo"}, {Name: "kayenta-30m"}}
	flat := s
	flat.Errors.Drift, flat.Errors.Incidents = nil, nil
	healthy, moving := flat, s
	healthy.Candidate.ErrorsTimes, moving.Candidate.ErrorsTimes = 1, 1
	const runs = 100
	caught, falsely, drifting := run(t, flat, runs), run(t, healthy, runs), run(t, moving, runs)
	for i, want := range []struct {
		caught, falsely, drifting float64 // percent rolled back; of the last two, of healthy candidates
		exposed                   float64
	}{
		{100, 23, 68, 1300},
		{100, 0, 22, 10_000},
		{100, 44, 53, 5300},
		{49, 0, .5, 249_000},
		{0, 0, 0, 540_000},
		{97, 0, 0, 20_000},
	} {
		name := s.Rules[i].Name
		for _, c := range []struct {
			what      string
			got, want float64
		}{{"caught", caught.Rules[i].RolledBack.Share, want.caught}, {"falsely, flat", falsely.Rules[i].RolledBack.Share, want.falsely},
			{"falsely, drifting", drifting.Rules[i].RolledBack.Share, want.drifting}} {
			t.Logf("%s, %s: %.0f%%, design %g%%", name, c.what, 100*c.got, c.want)
			if c.got < c.want/100-0.3 || c.got > c.want/100+0.3 {
				t.Errorf("%s, %s: %.0f%% rolled back, the design says %g%%", name, c.what, 100*c.got, c.want)
			}
		}
		if got := caught.Rules[i].Users; got < want.exposed/3 || got > want.exposed*3 {
			t.Errorf("%s: the candidate answered %.0f requests, the design says %g", name, got, want.exposed)
		}
	}
}

// meanMinutes is how long the runs took that ended so.
func meanMinutes(s Summary, end End) float64 {
	var sum, n float64
	for _, o := range s.Outcomes {
		if o.End == end {
			sum += o.At.Minutes()
			n++
		}
	}
	return sum / max(1, n)
}
