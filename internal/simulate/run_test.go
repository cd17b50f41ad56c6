package simulate

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files")

func run(t *testing.T, s Scenario, runs int) Result {
	t.Helper()
	r, err := Run(context.Background(), s, Options{Runs: runs, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEqualSeedsGiveEqualResultsWithAnyNumberOfWorkers(t *testing.T) {
	t.Parallel()
	s, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	var results []Result
	for _, o := range []Options{{Runs: 12, Seed: 3, Workers: 1}, {Runs: 12, Seed: 3, Workers: 5}, {Runs: 12, Seed: 4}} {
		r, err := Run(context.Background(), s, o)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if d := cmp.Diff(results[0], results[1]); d != "" {
		t.Errorf("one worker and five differ:\n%s", d)
	}
	if cmp.Equal(results[0], results[2]) {
		t.Error("another seed gives the same")
	}
}

func TestARuleDrawsTheSameWhicheverRulesFollow(t *testing.T) {
	t.Parallel()
	s := Default()
	all := run(t, s, 5)
	s.Rules = s.Rules[:1]
	if d := cmp.Diff(all.Rules[0], run(t, s, 5).Rules[0]); d != "" {
		t.Error(d)
	}
}

func TestATraceIsARunOfTheSameSeed(t *testing.T) {
	t.Parallel()
	s := Default()
	r := run(t, s, 3)
	trails, err := Trace(s, 7, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, trail := range trails {
		if d := cmp.Diff(r.Rules[i].Outcomes[2], trail.Outcome); d != "" {
			t.Errorf("%s: %s", trail.Rule, d)
		}
		if last := trail.Points[len(trail.Points)-1].At; last != trail.Outcome.At {
			t.Errorf("%s: %d points until %s, ended at %s", trail.Rule, len(trail.Points), last, trail.Outcome.At)
		}
	}
}

func TestProgressCountsEveryRunAndCancellingEnds(t *testing.T) {
	t.Parallel()
	s := Default()
	ctx, cancel := context.WithCancel(context.Background())
	var last int
	_, err := Run(ctx, s, Options{Runs: 100, Progress: func(done, runs int) {
		if done != last+1 || runs != 100 {
			t.Errorf("%d of %d after %d", done, runs, last)
		}
		if last = done; done == 5 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || last > 5+64 {
		t.Errorf("%v after %d runs", err, last)
	}
}

// What users see must be what the scenario says, or every figure here is wrong.
func TestTrafficIsWhatTheScenarioSays(t *testing.T) {
	t.Parallel()
	base := Scenario{Traffic: Traffic{50}, Errors: Errors{Share: 0.02}, Horizon: minutes(20), Candidate: Effect{ErrorsTimes: 3}}.filled()
	for name, change := range map[string]func(s *Scenario){
		"plain":         func(*Scenario) {},
		"bursts":        func(s *Scenario) { s.Errors.Burst = 3 },
		"clients":       func(s *Scenario) { s.Clients = &Clients{Count: 20_000, Failing: 0.5} },
		"drift":         func(s *Scenario) { s.Errors.Drift = &Drift{0.3, minutes(5)} },
		"with latency":  func(s *Scenario) { s.Latency = &Latency{Duration(80 * time.Millisecond), 0.5} },
		"cold at first": func(s *Scenario) { s.Candidate.ColdStart = &ColdStart{minutes(1), 1, 1} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := base
			change(&s)
			var all, bad [2]float64
			for i := range 30 {
				w := s.weather(source(1, i, 0))
				u := newUsers(&s, source(1, i, 1))
				for j, n := range w.requests {
					seen := u.window(n, w.share[j], w.slow[j], 20, time.Duration(j)*time.Duration(s.Window))
					for k, a := range []Arm{seen.Candidate, seen.Stable} {
						all[k] += float64(a.Requests)
						bad[k] += float64(a.Bad)
						var measured uint64
						for _, c := range a.Latency {
							measured += c
						}
						if s.Latency != nil && measured != a.Requests {
							t.Fatalf("%d of %d answers were measured", measured, a.Requests)
						}
					}
				}
			}
			within := func(what string, got, want, tolerance float64) {
				t.Helper()
				if math.Abs(got/want-1) > tolerance {
					t.Errorf("%s: %.4f, want %.4f", what, got, want)
				}
			}
			within("requests", all[0]+all[1], 30*20*60*50, 0.01)
			within("candidate's part", all[0]/(all[0]+all[1]), 0.2, 0.02)
			mean := 0.02
			if s.Errors.Drift != nil {
				mean *= math.Exp(0.3 * 0.3 / 2)
			}
			within("stable's errors", bad[1]/all[1], mean, 0.05)
			within("candidate's errors", bad[0]/all[0], different{3, 0, 1}.share(mean), 0.05)
		})
	}
}

func TestIncidentsComeAsOftenAsTheScenarioSays(t *testing.T) {
	t.Parallel()
	s := Scenario{Traffic: Traffic{1}, Errors: Errors{Share: 0.01, Incidents: &Incidents{PerHour: 2, Lasting: minutes(3), ErrorsTimes: 10}}}.filled()
	var worse, all float64
	for i := range 400 {
		w := s.weather(source(1, i, 0))
		for _, p := range w.share {
			all++
			if p > 0.05 {
				worse++
			}
		}
	}
	// Two an hour of three minutes, some of them at once: 1 - exp(-0.1).
	if got, want := worse/all, 1-math.Exp(-0.1); math.Abs(got-want) > 0.01 {
		t.Errorf("%.4f of the time, want %.4f", got, want)
	}
}

func TestStickyClientsOnlyMoveTowardTheCandidate(t *testing.T) {
	t.Parallel()
	s := Scenario{Traffic: Traffic{10}, Clients: &Clients{Count: 500, Failing: 1}}.filled()
	u := newUsers(&s, source(1, 1, 1))
	on := func(weight float64) map[int]bool {
		clients := map[int]bool{}
		for i, place := range u.place {
			if place < weight {
				clients[i] = true
			}
		}
		return clients
	}
	few, many := on(0.1), on(0.5)
	for i := range few {
		if !many[i] {
			t.Fatalf("client %d left the candidate", i)
		}
	}
	if len(few) == 0 || len(many) <= len(few) {
		t.Errorf("%d and %d clients", len(few), len(many))
	}
}

func TestHarmBeginsWhereTheScenarioSays(t *testing.T) {
	t.Parallel()
	s := Scenario{Candidate: Effect{ErrorsTimes: 4, FromWeight: 25, From: minutes(2), ColdStart: &ColdStart{minutes(1), 2, 3}}}.filled()
	for _, c := range []struct {
		weight int
		since  time.Duration
		want   different
	}{
		{50, 0, different{2, 0, 3}},
		{50, time.Minute, different{1, 0, 1}},
		{10, 2 * time.Minute, different{1, 0, 1}},
		{25, 2 * time.Minute, different{4, 0, 1}},
	} {
		if got := s.candidate(c.weight, c.since); got != c.want {
			t.Errorf("at %d%% after %s: %+v, want %+v", c.weight, c.since, got, c.want)
		}
	}
}

func TestABrokenCandidateIsOffWithinSeconds(t *testing.T) {
	t.Parallel()
	s := Default()
	s.Candidate = Effect{ErrorsTimes: 1, LatencyTimes: 1, ErrorsAdded: 0.5}
	s.Rules = []RuleSpec{{Name: "tidegate"}, {Name: "flagger"}}
	r := run(t, s, 100)
	if got := r.Rules[0]; got.RolledBack.Share != 1 || got.Minutes > 0.25 || got.Exposed > 20 {
		t.Errorf("%+v", got)
	}
	if got := r.Rules[1]; got.RolledBack.Share != 1 || got.Minutes < 10 {
		t.Errorf("%+v", got)
	}
}

func TestReplayedTrafficFaresAsItDid(t *testing.T) {
	t.Parallel()
	var windows []Seen
	for range 30 {
		windows = append(windows, Seen{Lasting: time.Second, Candidate: Arm{Requests: 10, Bad: 1}, Stable: Arm{Requests: 90}})
	}
	r, err := Replay(context.Background(), windows, nil, []string{"tidegate", "argo", "flagger"}, time.Hour, Options{Runs: 20, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	// A tenth of the candidate's requests fail: Argo's example wants 95%, Flagger's 99%.
	for i, most := range []float64{2, 40, 15} {
		if s := r.Rules[i]; s.RolledBack.Share != 1 || s.Minutes > most {
			t.Errorf("%s: %+v", s.Rule, s)
		}
	}
	if r.Rules[0].Exposed*10 > r.Rules[2].Exposed {
		t.Errorf("exposed %.0f and %.0f", r.Rules[0].Exposed, r.Rules[2].Exposed)
	}
	if _, err := Replay(context.Background(), []Seen{{Lasting: time.Second, Stable: Arm{Requests: 5}}}, nil, []string{"argo"}, time.Hour, Options{Runs: 1}); err == nil {
		t.Error("traffic without a candidate was replayed")
	}
	if _, err := Replay(context.Background(), windows, nil, []string{"argus"}, time.Hour, Options{Runs: 1}); err == nil {
		t.Error("an unknown rule was replayed")
	}
}

func TestWindowsOfGatesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	s := Scenario{Traffic: Traffic{100}, Errors: Errors{Share: 0.1}, Latency: &Latency{Duration(80 * time.Millisecond), 0.5}}.filled()
	seen := newUsers(&s, source(1, 1, 1)).window(500, 0.1, 1, 20, 0)
	if d := cmp.Diff(seen, Counted(seen.window(), seen.Lasting), cmpopts.IgnoreUnexported(Seen{})); d != "" {
		t.Error(d)
	}
}

func TestASlowCandidateIsRolledBackByItsLatency(t *testing.T) {
	t.Parallel()
	s := Scenario{Traffic: Traffic{100}, Errors: Errors{Share: 0.002}, Latency: &Latency{Duration(80 * time.Millisecond), 0.5},
		Candidate: Effect{LatencyTimes: 1.5}, Horizon: minutes(30), Rules: []RuleSpec{{Name: "tidegate"}}}
	for _, o := range run(t, s, 10).Rules[0].Outcomes {
		if o.End != RolledBack || !strings.Contains(o.Why, `The gate "latency" failed`) {
			t.Errorf("%s: %s", o.End, o.Why)
		}
	}
	s.Errors.Share = 0.02
	s.Candidate = Effect{ColdStart: &ColdStart{Lasting: Duration(10 * time.Second), LatencyTimes: 5}}
	if r := run(t, s, 10).Rules[0]; r.Promoted.Share != 1 {
		t.Errorf("a cold start within the warm-up: %s", r.Outcomes[0].Why)
	}
}

func TestClientsAreJudgedAsClients(t *testing.T) {
	t.Parallel()
	s := Default()
	s.Rules, s.Candidate.ErrorsTimes = []RuleSpec{{Name: "tidegate"}, {Name: "flagger"}}, 1
	s.Clients = &Clients{Count: 500, Failing: 0.02}
	if r := run(t, s, 30); r.Rules[0].RolledBack.Share > 0 || r.Rules[1].RolledBack.Share == 0 {
		t.Errorf("healthy: %+v", r.Rules)
	}
	s.Candidate.ErrorsTimes = 2
	if r := run(t, s, 10); r.Rules[0].RolledBack.Share < 0.9 {
		t.Errorf("harmful: %+v", r.Rules[0])
	}
}

func TestTotalsOfPodsAreJudgedWithCaution(t *testing.T) {
	t.Parallel()
	s := Default()
	s.Rules, s.Candidate.ErrorsTimes = []RuleSpec{{Name: "tidegate"}}, 1
	s.Errors.Burst, s.Totals = 4.5, &Totals{Pods: 4}
	if r := run(t, s, 50).Rules[0]; r.RolledBack.Share > 0.05 {
		t.Errorf("healthy, in bursts: %+v", r)
	}
	s.Candidate = Effect{ErrorsTimes: 1, ErrorsAdded: 0.5}
	if r := run(t, s, 10).Rules[0]; r.RolledBack.Share < 1 {
		t.Errorf("broken: %+v", r)
	}
}

func TestTheChartOfEvidenceHasBothKinds(t *testing.T) {
	t.Parallel()
	s := Default()
	c, ok, err := EvidenceChart(context.Background(), s, 1)
	if err != nil || !ok || len(c.Lines) != 2*evidenceRuns {
		t.Fatalf("%d lines, %t, %v", len(c.Lines), ok, err)
	}
	reached := map[bool]int{}
	for _, l := range c.Lines {
		if l.Alarm[len(l.Alarm)-1] >= 1 {
			reached[l.Bad]++
		}
	}
	if reached[true] < evidenceRuns-2 || reached[false] > 2 {
		t.Errorf("rolled back: %v", reached)
	}
	s.Candidate.ErrorsTimes = 1
	if _, ok, err := EvidenceChart(context.Background(), s, 1); ok || err != nil {
		t.Errorf("of a harmless candidate: %t, %v", ok, err)
	}
}

func TestTheTableIsTheGoldenOne(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	if err := run(t, Default(), 20).Table(&got); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "table.txt")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("run with -update if this is right:\n%s", d)
	}
}

func TestSharesThatAreNotQuiteAllDoNotLookSo(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]string{0: "0%", 0.0001: "0.1%", 0.0123: "1.2%", 0.25: "25%", 0.995: "99.5%", 0.9999: "99.9%", 1: "100%"} {
		if got := percent(share); got != want {
			t.Errorf("%g: %s, want %s", share, got, want)
		}
	}
}

// BenchmarkAnHour is one rollout of an hour at 100 requests a second that nothing ends.
func BenchmarkAnHour(b *testing.B) {
	s := Default()
	s.Horizon, s.Candidate.ErrorsTimes = minutes(60), 1
	s.Rules = []RuleSpec{{Name: "tidegate", Tidegate: []byte(hourLong)}}
	b.ReportAllocs()
	if _, err := Run(context.Background(), s, Options{Runs: b.N, Workers: 1}); err != nil {
		b.Fatal(err)
	}
}

const hourLong = `{"schema":1,"strategy":"canary","steps":[{"weight":5},{"weight":25},{"weight":50}],"gates":{"errors":{}},
	"limits":{"step_minimum":"20m","step":"2h","total":"4h","bake":"30m","blind":"5m","abandoned_after":"10m"}}`
