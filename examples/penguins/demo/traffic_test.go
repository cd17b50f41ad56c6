package main

import (
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/replay"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/simulate"
)

func TestTrafficCountsWhatEachVersionAnswered(t *testing.T) {
	d := &demo{}
	d.answered(replay.Answer{Version: "2"}) // nobody is on trial
	traffic := d.watch("3")
	for _, a := range []replay.Answer{
		{Version: "2", Took: 900 * time.Microsecond}, {Version: "2", Took: 900 * time.Microsecond}, {Version: "2", Took: 40 * time.Millisecond},
		{Version: "3", Took: 10500 * time.Microsecond}, {Version: "3", Took: 10500 * time.Microsecond, Failed: true},
	} {
		d.answered(a)
	}
	traffic.began = traffic.began.Add(-5 * window) // five seconds later
	d.answered(replay.Answer{Version: "2", Took: time.Second})
	seen := traffic.seen()
	if len(seen) != 1 || len(traffic.windows) < 6 {
		t.Fatalf("%d windows of %d are those in which both answered, want the first", len(seen), len(traffic.windows))
	}
	if c, s := seen[0].Candidate, seen[0].Stable; c.Requests != 2 || c.Bad != 1 || s.Requests != 3 || s.Bad != 0 || seen[0].Lasting != window {
		t.Errorf("candidate %+v, stable %+v, want 2 answers, one of them bad, and 3", c, s)
	}
	if slow, usual := traffic.medians(); slow != 11200*time.Microsecond || usual != time.Millisecond {
		t.Errorf("medians %s and %s, want the edges above 10.5 ms and 900 µs", slow, usual)
	}
}

func TestMedianOfNothingIsNothing(t *testing.T) {
	if got := median(noAnswers().Latency); got != 0 {
		t.Errorf("got %s", got)
	}
}

func TestEndingSaysHowARulesRolloutsEnded(t *testing.T) {
	all, none, some := simulate.Share{Share: 1}, simulate.Share{}, simulate.Share{Share: 0.4}
	for want, s := range map[string]simulate.Summary{
		"rolled back after 3 s":    {RolledBack: all, Minutes: 0.05},
		"rolled back after 11 min": {RolledBack: all, Minutes: 11.2},
		"promoted after 40 min":    {Promoted: all, Minutes: 40},
		"undecided":                {Inconclusive: all, Minutes: 60},
		"rolled back in 40.0%":     {RolledBack: some, Promoted: none, Inconclusive: some, Minutes: 9},
	} {
		if got := ending(s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAMachineThatLetsEverybodyWaitIsCrowded(t *testing.T) {
	for took, want := range map[time.Duration]bool{time.Millisecond: false, 60 * time.Millisecond: true} {
		d := &demo{}
		traffic := d.watch("4")
		d.answered(replay.Answer{Version: "2", Took: took})
		d.answered(replay.Answer{Version: "4", Took: took})
		if got := traffic.crowded(); got != want {
			t.Errorf("users waited %s: crowded is %v, want %v", took, got, want)
		}
	}
}
