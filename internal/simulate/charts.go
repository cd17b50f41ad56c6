package simulate

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
)

// harmful reports whether a candidate of the scenario should be rolled back.
func (s Scenario) harmful() bool {
	c := s.Candidate
	return c.ErrorsTimes > 1 || c.ErrorsAdded > 0 || c.LatencyTimes > 1
}

// right reports whether an end is what the scenario's candidate deserves.
func (s Scenario) right(e End) bool {
	if s.harmful() {
		return e == RolledBack
	}
	return e == Promoted
}

// RolloutsChart draws one run of each rule, window by window.
func RolloutsChart(s Scenario, trails []Trail) report.Rollouts {
	c := report.Rollouts{Title: s.Title}
	for _, t := range trails {
		c.Horizon = max(c.Horizon, t.Outcome.At)
	}
	// A quarter more than the longest, so that one sees what users live with afterwards.
	c.Horizon = min(c.Horizon*5/4, time.Duration(s.Horizon))
	for _, t := range trails {
		r := report.Rollout{Name: t.Rule, Good: s.right(t.Outcome.End), Outcome: told(t.Outcome)}
		if t.Outcome.End == Promoted {
			r.After = 100
		}
		for _, p := range t.Points {
			r.Moments = append(r.Moments, report.Moment{At: p.At, Weight: p.Weight, Alarm: p.Alarm})
		}
		c.Rollouts = append(c.Rollouts, r)
	}
	return c
}

// told says an outcome in a line.
func told(o Outcome) string {
	after := fmt.Sprintf("%.1f min", o.At.Minutes())
	if o.At < 2*time.Minute {
		after = fmt.Sprintf("%.0f s", o.At.Seconds())
	}
	return fmt.Sprintf("%s after %s, %s requests on the candidate", o.End, after, gate.Grouped(o.Exposed))
}

// ExposureChart compares how many requests met the candidate until the horizon, by rule.
func ExposureChart(s Scenario, r Result) report.Bars {
	b := report.Bars{
		Title: s.Title,
		Unit:  fmt.Sprintf("requests that the candidate answered in %s, mean of %d runs", brief(time.Duration(r.Horizon)), r.Runs),
	}
	for _, x := range r.Rules {
		share := x.Promoted
		text := percent(share.Share) + " promoted"
		if s.harmful() {
			share = x.RolledBack
			text = percent(share.Share) + " rolled back"
		}
		b.Bars = append(b.Bars, report.Bar{Name: x.Rule, Value: x.Users, Note: text, Good: share.Share >= 0.95})
	}
	return b
}

// evidenceRuns is how many rollouts of either kind the chart of evidence shows.
const evidenceRuns = 25

// EvidenceChart draws the evidence of harm that Tidegate's gates gather, over rollouts of the scenario's candidate and
// over as many of one that is no different. It reports false where the scenario does not ask Tidegate, or asks about
// a harmless candidate only.
func EvidenceChart(ctx context.Context, s Scenario, seed uint64) (report.Evidence, bool, error) {
	s = s.filled()
	rules, err := s.rules()
	if err != nil {
		return report.Evidence{}, false, err
	}
	var judge Rule
	for _, r := range rules {
		if _, ok := r.(tidegateRule); ok && judge == nil {
			judge = r
		}
	}
	if judge == nil || !s.harmful() {
		return report.Evidence{}, false, nil
	}
	c := report.Evidence{Title: "Evidence of harm in " + fmt.Sprint(evidenceRuns) + " rollouts of each kind", Needed: 100}
	harmless := s
	harmless.Candidate = Effect{ErrorsTimes: 1, LatencyTimes: 1, ColdStart: s.Candidate.ColdStart}
	for i, kind := range []Scenario{harmless, s} {
		for run := range evidenceRuns {
			if err := ctx.Err(); err != nil {
				return c, false, err
			}
			_, points := kind.trial(judge, kind.weather(source(seed, run, 0)), source(seed, run, 1), []Point{})
			line := report.Course{Bad: i == 1}
			for _, p := range points {
				line.At, line.Alarm = append(line.At, p.At), append(line.Alarm, p.Alarm)
			}
			c.Lines = append(c.Lines, line)
		}
	}
	return c, true, nil
}
