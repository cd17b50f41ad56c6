package simulate

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A limit is the range that a number of a scenario may have.
type limit struct {
	name        string
	value       float64
	least, most float64
	unit        string
}

// outside returns an error for each value that is not within its limits.
func outside(limits ...limit) (bad []error) {
	for _, l := range limits {
		if l.value >= l.least && l.value <= l.most && !math.IsNaN(l.value) {
			continue
		}
		if l.unit == "s" {
			bad = append(bad, fmt.Errorf("%s: %s: want %s to %s", l.name, seconds(l.value), seconds(l.least), seconds(l.most)))
			continue
		}
		bad = append(bad, fmt.Errorf("%s: %g: want %g to %g%s", l.name, l.value, l.least, l.most, l.unit))
	}
	return bad
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// span is a limit of a duration.
func span(name string, d Duration, least, most time.Duration) limit {
	return limit{name, time.Duration(d).Seconds(), least.Seconds(), most.Seconds(), "s"}
}

// validate returns all that is wrong with a filled scenario.
func (s Scenario) validate() (bad []error) {
	bad = outside(
		span("window", s.Window, time.Second, time.Minute),
		span("horizon", s.Horizon, time.Minute, 24*time.Hour),
		limit{"traffic.requests_per_second", s.Traffic.RequestsPerSecond, 0.01, 1e6, ""},
		limit{"errors.share", s.Errors.Share, 0, 0.5, ""},
		limit{"errors.burst", s.Errors.Burst, 1, 100, " requests that fail together"},
		limit{"candidate.errors_times", s.Candidate.ErrorsTimes, 0.001, 1e6, " times the odds"},
		limit{"candidate.errors_added", s.Candidate.ErrorsAdded, 0, 1, ""},
		limit{"candidate.latency_times", s.Candidate.LatencyTimes, 0.01, 1000, " times"},
		limit{"candidate.from_weight", float64(s.Candidate.FromWeight), 0, 100, " percent"},
		span("candidate.from", s.Candidate.From, 0, 24*time.Hour),
	)
	if d := s.Errors.Drift; d != nil {
		bad = append(bad, outside(
			limit{"errors.drift.spread", d.Spread, 0, 3, ""},
			span("errors.drift.half_life", d.HalfLife, time.Second, 24*time.Hour))...)
	}
	if i := s.Errors.Incidents; i != nil {
		bad = append(bad, outside(
			limit{"errors.incidents.per_hour", i.PerHour, 0, 60, ""},
			span("errors.incidents.lasting", i.Lasting, time.Second, time.Hour),
			limit{"errors.incidents.errors_times", i.ErrorsTimes, 0.01, 1000, " times"},
			limit{"errors.incidents.latency_times", i.LatencyTimes, 0.01, 1000, " times"})...)
	}
	if l := s.Latency; l != nil {
		bad = append(bad, outside(
			span("latency.median", l.Median, 100*time.Microsecond, 5*time.Minute),
			limit{"latency.spread", l.Spread, 0.01, 3, ""})...)
	}
	if c := s.Clients; c != nil {
		bad = append(bad, outside(
			limit{"clients.count", float64(c.Count), 1, 1e6, ""},
			limit{"clients.failing", c.Failing, 1e-6, 1, ""})...)
		if s.Errors.Burst > 1 {
			bad = append(bad, errors.New("errors.burst: is for requests that are nobody's: with clients, failing clients make the bursts"))
		}
	}
	if t := s.Totals; t != nil {
		bad = append(bad, outside(limit{"totals.pods", float64(t.Pods), 1, 1000, " of each arm"})...)
		if s.Clients != nil {
			bad = append(bad, errors.New("totals: with clients: want one of them, for totals know no clients"))
		}
	}
	if c := s.Candidate.ColdStart; c != nil {
		bad = append(bad, outside(
			span("candidate.cold_start.lasting", c.Lasting, time.Second, time.Hour),
			limit{"candidate.cold_start.errors_times", c.ErrorsTimes, 0.01, 1e6, " times"},
			limit{"candidate.cold_start.latency_times", c.LatencyTimes, 0.01, 1000, " times"})...)
	}
	if s.Latency == nil && (s.Candidate.LatencyTimes != 1 || s.coldLatency() != 1) {
		bad = append(bad, errors.New("latency: is missing: the candidate is to be slower than something"))
	}
	if _, err := s.rules(); err != nil {
		bad = append(bad, err)
	}
	return bad
}

func (s Scenario) coldLatency() float64 {
	if c := s.Candidate.ColdStart; c != nil {
		return c.LatencyTimes
	}
	return 1
}
