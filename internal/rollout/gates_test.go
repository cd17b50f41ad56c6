package rollout

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// timely is the demo's policy with latency.
func timely() Policy {
	p := demoPolicy()
	p.Gates.Latency = &LatencyGate{}
	return p
}

// timed adds latencies to a window: of 1,000 requests so many took longer than 100 ms, none longer than 1 s.
func timed(w gate.Window, candidate, stable uint64) gate.Window {
	for a, slow := range map[*gate.Arm]uint64{&w.Candidate: candidate, &w.Stable: stable} {
		a.Slower = make([]uint64, gate.Edges)
		for i, edge := range gate.LatencyEdges {
			switch {
			case edge < .01:
				a.Slower[i] = a.Requests
			case edge < .1:
				a.Slower[i] = a.Requests * slow / 1000
			}
		}
	}
	return w
}

func TestASlowCandidateIsRolledBackByLatency(t *testing.T) {
	t.Parallel()
	s := driven(t, timely())
	for range 3 {
		s.count(timed(traffic(10, 1000, 0), 100, 100))
	}
	s.is(Observing, 10)
	seconds := 0
	for !s.r.Phase.Final() && seconds < 10 {
		s.count(timed(traffic(10, 1000, 0), 800, 100))
		seconds++
	}
	if seconds < 4 {
		t.Errorf("rolled back after %d s: a process that stalls for as long is not slow", seconds)
	}
	s.failed(KindGate, true)
	if s.r.Failure.Gate != "latency" || !strings.Contains(s.r.Failure.Reason, "answers took longer than 90 ms on the candidate") {
		t.Errorf("%+v", s.r.Failure)
	}
}

func TestLatencyMustPassToo(t *testing.T) {
	t.Parallel()
	s := driven(t, timely())
	for range 5 {
		s.count(s.healthy()) // nobody times
		s.is(Observing, 10)
	}
	for range 3 {
		s.count(timed(s.healthy(), 100, 100))
	}
	s.is(Observing, 50)
	for range 5 {
		s.count(timed(s.healthy(), 100, 100))
	}
	s.is(Promoted, 100)
}

func TestAColdStartDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		warm WarmUp
		cold int // seconds
		want Phase
	}{
		"no warm-up":      {WarmUp{}, 8, RolledBack},
		"by time":         {WarmUp{Time: Duration(6 * time.Second)}, 6, Observing},
		"by requests":     {WarmUp{Requests: 500}, 5, Observing},
		"both must be":    {WarmUp{Requests: 10, Time: Duration(6 * time.Second)}, 6, Observing},
		"colder than all": {WarmUp{Requests: 100}, 9, RolledBack},
	} {
		p := timely()
		p.WarmUp = c.warm
		s := driven(t, p)
		for range c.cold {
			if !s.r.Phase.Final() {
				s.count(timed(traffic(10, 1000, 0), 900, 100))
			}
		}
		if s.r.Phase != c.want {
			t.Errorf("%s: %s: %s", name, s.r.Phase, told(s.r))
		}
	}
	p := timely()
	p.WarmUp = WarmUp{Requests: 10_000}
	s := driven(t, p)
	s.count(timed(traffic(10, 1000, 50), 100, 100))
	s.failed(KindGate, true) // errors count from the first request on
}

// routed is traffic of a router that decides request by request.
func routed(w gate.Window) gate.Window {
	w.Routed = gate.ByRequest
	return w
}

func TestAWrongSplitHoldsTheWeight(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	for range 3 {
		s.count(routed(traffic(1, 10_000, 0)))
	}
	s.is(Holding, 10)
	if last := s.r.History[len(s.r.History)-1].Sentence; last != "The weight is held at 10%: 100 of 10,000 requests went to the candidate (1%), and it should be 10%: the router does not do as it was told." {
		t.Error(last)
	}
	s.wait(time.Second)
	s.then(func(at time.Time) Event { return Unseen{Why: "refused", At: at} })
	s.is(Holding, 10)
	s.r.Evidence.Split = nil // as if it were so
	s.count(routed(s.healthy()))
	s.is(Observing, 10)
	if last := s.r.History[len(s.r.History)-1].Sentence; last != "What held the weight is gone after 4s. The rollout goes on at 10%." {
		t.Error(last)
	}
}

func TestMoreTrafficThanApprovedRollsBackAndRejectsNobody(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.count(routed(traffic(50, 10_000, 0)))
	s.failed(KindSplit, false)
	if !strings.Contains(s.r.Failure.Reason, `The gate "split" failed at 10% of traffic: 5,000 of 10,000 requests went to the candidate (50%), more than the approved 10%.`) {
		t.Error(s.r.Failure.Reason)
	}
}

func TestHarmFromSourcesThatCannotTellHolds(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	w := traffic(10, 1000, 50)
	w.Routed = gate.ByClient
	s.count(w)
	s.is(Holding, 10)
	for !s.r.Phase.Final() {
		s.count(w)
	}
	s.failed(KindInconclusive, true)
}

func TestARecordOfTheProgramBeforeGoesOn(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.count(traffic(10, 1000, 2))
	b, err := json.Marshal(s.r)
	if err != nil {
		t.Fatal(err)
	}
	var saved map[string]json.RawMessage
	if err := json.Unmarshal(b, &saved); err != nil {
		t.Fatal(err)
	}
	errors, err := json.Marshal(s.r.Evidence.ErrorEvidence)
	if err != nil {
		t.Fatal(err)
	}
	saved["schema"], saved["evidence"] = json.RawMessage("1"), errors
	if b, err = json.Marshal(saved); err != nil {
		t.Fatal(err)
	}
	var old Record
	if err := json.Unmarshal(b, &old); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s.r.Evidence.ErrorEvidence, old.Evidence.ErrorEvidence); d != "" {
		t.Error(d)
	}
	next := Next(s.p, old, Counted{Windows: []gate.Window{traffic(10, 1000, 50)}, At: s.at.Add(time.Second)})
	if next.Phase != RolledBack || next.Schema != Schema {
		t.Errorf("%s, schema %d", next.Phase, next.Schema)
	}
}

func TestARecordWithLatencyIsSmall(t *testing.T) {
	t.Parallel()
	p := allSteps()
	p.Gates.Latency = &LatencyGate{}
	s := driven(t, p)
	for s.r.Step < 5 {
		w := timed(traffic(s.r.Weight, 1000, 0), 100, 100)
		for _, a := range []*gate.Arm{&w.Candidate, &w.Stable} {
			for e := range a.Slower { // every edge has something to say
				a.Slower[e] = a.Requests * uint64(gate.Edges-e) / (2 * gate.Edges)
			}
			a.Clients = &gate.Clients{Requests: a.Requests, Failing: a.Requests / 500, Rollout: gate.First{Clean: a.Requests, Failed: a.Requests / 500}, Step: gate.First{Clean: a.Requests, Failed: a.Requests / 500}, Known: 50}
		}
		s.count(w)
		if s.r.Phase.Final() {
			t.Fatal(told(s.r))
		}
	}
	for range mostEntries {
		s.r.tell(s.at, "%s", strings.Repeat("A sentence as long as they are. ", 6))
	}
	b, err := json.Marshal(s.r)
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := json.Marshal(s.r.Evidence)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("record %d bytes, evidence %d", len(b), len(evidence))
	if len(b) > 100_000 || len(evidence) > 40_000 {
		t.Errorf("record %d bytes, evidence %d", len(b), len(evidence))
	}
	var again Record
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s.r, again); d != "" {
		t.Error(d)
	}
}

// Bad input: none of it is evidence, none of it a crash.
func TestCountsThatCannotBeDoNotEndARollout(t *testing.T) {
	t.Parallel()
	broken := timed(traffic(10, 1000, 0), 100, 100)
	broken.Candidate.Slower = broken.Candidate.Slower[:15]
	backwards := traffic(10, 1000, 0)
	backwards.Candidate.Requests = math.MaxUint64 - 3
	for name, w := range map[string]gate.Window{
		"other buckets":    broken,
		"ran backwards":    backwards,
		"10^12 requests":   timed(traffic(10, 1e12, 0), 100, 100),
		"nobody's clients": {Candidate: gate.Arm{Requests: 100, Clients: &gate.Clients{}}, Stable: gate.Arm{Requests: 900}},
		"clients backward": {Candidate: gate.Arm{Requests: 100, Clients: &gate.Clients{Failing: math.MaxUint64}}, Stable: gate.Arm{Requests: 900, Clients: &gate.Clients{}}},
	} {
		s := driven(t, timely())
		s.count(w)
		s.count(w)
		if s.r.Phase != Observing {
			t.Errorf("%s: %s", name, told(s.r))
		}
	}
}

func BenchmarkNext(b *testing.B) {
	p := timely()
	r := Begin("sha256:c", "sha256:a", p, noon)
	at := noon
	for _, e := range []Event{TakenOver{"r", at}, Ready{at}, Counted{At: at}} {
		r = Next(p, r, e)
	}
	w := timed(traffic(10, 1000, 0), 100, 100)
	b.ReportAllocs()
	for b.Loop() {
		Next(p, r, Counted{Windows: []gate.Window{w}, At: at})
	}
}
