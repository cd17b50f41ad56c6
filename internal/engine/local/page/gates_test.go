package page

import (
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

func TestTheGatesEvidenceAddsUpByTheirShares(t *testing.T) {
	t.Parallel()
	errors := gate.Verdict{Gate: "errors", Harm: 80, HarmNeeded: 160}         // share 5/8 of alpha .01
	latency := gate.Verdict{Gate: "latency", Harm: 200, HarmNeeded: 800. / 3} // share 3/8
	split := gate.Verdict{Gate: "split", Harm: 1e6, HarmNeeded: 1000}         // has its own alpha
	if m := together([]gate.Verdict{errors, latency, split}); m == nil || m.Value != "125" || m.Needed != "100" || m.Width != "100.0" {
		t.Errorf("%+v: want 5/8 of 80 and 3/8 of 200", m)
	}
	if m := together([]gate.Verdict{errors, split}); m != nil {
		t.Errorf("%+v: want nothing that one gate says by itself", m)
	}
}

func TestIntervalsOfBothArmsShareAScale(t *testing.T) {
	t.Parallel()
	got := viewRates(gate.Rates{
		Candidate: gate.Interval{Estimate: .02, Low: .01, High: .04},
		Stable:    gate.Interval{Estimate: .01, Low: .01, High: .01},
	})
	if len(got) != 2 || got[0].From != "25.0" || got[0].Width != "75.0" || got[0].At != "50.0" || got[1].Width != "0.0" || got[1].At != "25.0" {
		t.Errorf("%+v", got)
	}
	if got := viewRates(gate.Rates{}); got != nil {
		t.Errorf("%+v of an older record: want none", got)
	}
}

func TestLatencyIsWrittenForPeople(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]string{.00112: "1.12 ms", .25: "250 ms", 1.25: "1.25 s", 60: "60 s"} {
		if got := latency(seconds); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
