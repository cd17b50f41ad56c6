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

// A story feeds a rollout events, second by second.
type story struct {
	t *testing.T
	p Policy
	r Record
	// at is the story's clock, in seconds from noon.
	at time.Time
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func begin(t *testing.T, p Policy) *story {
	t.Helper()
	return &story{t, p, Begin("sha256:cccccccccccccccccccc", "sha256:aaaaaaaaaaaaaaaaaaaa", p, noon), noon}
}

// then feeds what make returns for the story's time, after the invariants were checked.
func (s *story) then(make func(at time.Time) Event) {
	s.t.Helper()
	e := make(s.at)
	next := Next(s.p, s.r, e)
	if err := check(s.p, s.r, e, next); err != nil {
		s.t.Fatal(err)
	}
	s.r = next
}

func (s *story) wait(d time.Duration) { s.at = s.at.Add(d) }

// driven has a runner and a candidate that is ready, and is at the first step.
func driven(t *testing.T, p Policy) *story {
	t.Helper()
	s := begin(t, p)
	s.then(func(at time.Time) Event { return TakenOver{Runner: "terraform on tide (pid 1)", At: at} })
	s.then(func(at time.Time) Event { return Ready{At: at} })
	s.count(gate.Window{})
	s.is(Observing, p.Steps[0].Weight)
	return s
}

// count passes a second in which w was counted.
func (s *story) count(w ...gate.Window) {
	s.t.Helper()
	s.wait(time.Second)
	s.then(func(at time.Time) Event {
		return Counted{Windows: w, Cursor: Cursor(`"` + at.Format(time.TimeOnly) + `"`), At: at}
	})
}

func (s *story) is(p Phase, weight int) {
	s.t.Helper()
	if s.r.Phase != p || s.r.Weight != weight {
		s.t.Fatalf("%s at %d%%, want %s at %d%%; history:\n%s", s.r.Phase, s.r.Weight, p, weight, told(s.r))
	}
}

func (s *story) failed(kind string, rejected bool) {
	s.t.Helper()
	s.is(RolledBack, 0)
	if f := s.r.Failure; f == nil || f.Kind != kind || f.Rejected != rejected || f.At != s.at {
		s.t.Fatalf("failure %+v, want %s, rejected %t", f, kind, rejected)
	}
}

func told(r Record) string {
	var b strings.Builder
	for _, e := range r.History {
		b.WriteString(e.At.UTC().Format(time.TimeOnly) + " " + string(e.Phase) + ": " + e.Sentence + "\n")
	}
	return b.String()
}

// healthy is a second of good requests at the record's weight, enough to pass any step.
func (s *story) healthy() gate.Window { return traffic(s.r.Weight, 100_000, 0) }

// traffic is n requests split by weight, of which badly percent of the candidate's fail.
func traffic(weight int, n, badly uint64) gate.Window {
	c := n * uint64(weight) / 100
	return gate.Window{
		Candidate: gate.Arm{Requests: c, Bad: c * badly / 100},
		Stable:    gate.Arm{Requests: n - c},
	}
}

func TestBeginLeavesAllTrafficOnStable(t *testing.T) {
	t.Parallel()
	r := begin(t, DefaultPolicy()).r
	if r.Schema != Schema || r.Phase != Preparing || r.Weight != 0 || r.Approved != 0 || len(r.History) != 1 {
		t.Errorf("got %+v", r)
	}
	if string(r.Policy) != defaultJSON {
		t.Errorf("policy %s", r.Policy)
	}
	if later := Begin(r.Candidate, r.Stable, DefaultPolicy(), noon.Add(1)); later.ID == r.ID {
		t.Errorf("two rollouts of one id %q", r.ID)
	}
}

func TestRecordSurvivesJSON(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.count(traffic(s.r.Weight, 1000, 10))
	b, err := json.Marshal(s.r)
	if err != nil {
		t.Fatal(err)
	}
	var again Record
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s.r, again); d != "" {
		t.Error(d)
	}
}

func TestHealthyCandidateClimbsAllSteps(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.count(s.healthy())
	s.is(Observing, 10) // passed, but for the step's minimum
	s.count(s.healthy())
	s.is(Observing, 50)
	for range 4 {
		s.count(s.healthy())
		s.is(Observing, 50) // bakes
	}
	s.count(s.healthy())
	s.is(Promoted, 100)
	if s.r.Approved != 100 || s.r.Failure != nil {
		t.Errorf("approved %d, failure %v", s.r.Approved, s.r.Failure)
	}
}

func TestNoUserMeetsACandidateBeforeARunnerWrites(t *testing.T) {
	t.Parallel()
	s := begin(t, demoPolicy())
	s.then(func(at time.Time) Event { return Ready{At: at} })
	s.is(Preparing, 0)
	s.then(func(at time.Time) Event { return TakenOver{Runner: "r", At: at} })
	s.is(Preparing, 0)
	s.count(traffic(0, 1000, 0))
	s.is(Observing, 10)
	if requests(s.r.Evidence.Seen) > 0 {
		t.Errorf("requests from before the first step are evidence: %+v", s.r.Evidence.Seen)
	}
}

func TestThinTrafficLeavesOutLeadingSteps(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		perSecond uint64
		weights   []int
		want      int
	}{
		{0, []int{1, 5, 10, 25}, 10}, // little evidence: little exposure
		{4, []int{1, 5, 10, 25}, 10}, // .4 a second even there
		{9, []int{1, 5, 10, 25}, 10}, // .45 a second at 5%
		{10, []int{1, 5, 10, 25}, 5}, // .5
		{49, []int{1, 5, 10, 25}, 5}, // .49 at 1%
		{50, []int{1, 5, 10, 25}, 1}, // .5
		{0, []int{25, 50}, 25},       // the first is over 10% already
		{0, []int{1, 2, 3}, 3},       // the last is never left out
		{0, []int{2, 40, 90}, 40},    // as the policy has nothing between
		{1000, []int{1, 5, 10, 25}, 1},
	} {
		p := DefaultPolicy()
		p.Steps = nil
		for _, w := range tc.weights {
			p.Steps = append(p.Steps, Step{Weight: w})
		}
		s := begin(t, p)
		s.then(func(at time.Time) Event { return TakenOver{Runner: "r", At: at} })
		s.then(func(at time.Time) Event { return Counted{At: at} })
		s.then(func(at time.Time) Event { return Ready{At: at} })
		for range 4 {
			s.count(traffic(0, tc.perSecond, 0))
			s.is(Preparing, 0)
		}
		s.count(traffic(0, tc.perSecond, 0))
		s.is(Observing, tc.want)
	}
}

func TestGateFailsABrokenCandidate(t *testing.T) {
	t.Parallel()
	for _, from := range []Phase{Observing, Holding} {
		s := driven(t, demoPolicy())
		if from == Holding {
			s.hold()
		}
		s.count(traffic(10, 1000, 50))
		s.failed(KindGate, true)
		if s.r.Failure.Gate != "errors" || !strings.Contains(s.r.Failure.Reason, "50 of 100 requests failed on the candidate") {
			t.Errorf("failure %+v", s.r.Failure)
		}
	}
}

// hold lets time pass without a request until the weight is held.
func (s *story) hold() {
	s.t.Helper()
	for range 4 {
		s.count()
	}
	s.is(Holding, s.r.Weight)
}

func TestOneOfSeveralWindowsIsEnoughToFail(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	entries := len(s.r.History)
	s.count(s.healthy(), traffic(10, 1000, 500), s.healthy(), gate.Window{})
	s.failed(KindGate, true)
	if !strings.Contains(s.r.Failure.Reason, "failed at 10% of traffic") || len(s.r.History) != entries+1 {
		t.Errorf("history:\n%s", told(s.r))
	}
}

func TestRequestsBeyondNumbersAreRequests(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.hold()
	s.count(gate.Window{Candidate: gate.Arm{Requests: math.MaxUint64}, Stable: gate.Arm{Requests: 1}})
	s.is(Observing, 10)
}

func TestTheLastStepLastsTheLongerOfMinimumAndBake(t *testing.T) {
	t.Parallel()
	p := demoPolicy()
	p.Limits.StepMinimum, p.Limits.Bake = Duration(4*time.Second), Duration(2*time.Second)
	s := driven(t, p)
	for range 4 {
		s.count(s.healthy())
	}
	for range 3 {
		s.count(s.healthy())
		s.is(Observing, 50)
	}
	s.count(s.healthy())
	s.is(Promoted, 100)
}

func TestHoldFreezesTheWeightUntilRequestsComeBack(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.count(s.healthy())
	s.hold()
	for range 5 {
		s.count(gate.Window{})
		s.is(Holding, 10)
	}
	s.count(s.healthy())
	s.is(Observing, 10)
	// One second before the silence, none of it, and one more after.
	s.count(s.healthy())
	s.is(Observing, 50)
}

func TestSilenceDoesNotCountTowardTheMinimum(t *testing.T) {
	t.Parallel()
	p := demoPolicy()
	p.Limits.StepMinimum = Duration(5 * time.Second)
	s := driven(t, p)
	s.count(s.healthy())
	s.hold()
	s.count(s.healthy())
	for range 3 {
		s.count(s.healthy())
		s.is(Observing, 10)
	}
	s.count(s.healthy())
	s.is(Observing, 50)
	for range 5 { // and the next step has nothing to do with it
		s.count(s.healthy())
	}
	s.is(Promoted, 100)
}

func TestAStepThatNobodyMetIsNotPassed(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	for range 2 {
		s.count(traffic(10, 1_000_000, 0)) // enough evidence for all steps
	}
	s.is(Observing, 50)
	for range 10 {
		s.count(traffic(0, 1000, 0))
		s.is(Observing, 50)
	}
	s.count(traffic(50, 2, 0))
	s.is(Promoted, 100)
}

func TestBlindRolloutIsRolledBack(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]func(at time.Time) Event{
		"no requests": func(at time.Time) Event { return Counted{At: at} },
		"no numbers":  func(at time.Time) Event { return Unseen{Why: "connection refused", At: at} },
	} {
		s := driven(t, demoPolicy())
		s.count(s.healthy())
		for range 19 {
			s.wait(time.Second)
			s.then(e)
			if s.r.Phase.Final() {
				t.Fatalf("%s: ended too early: %s", name, told(s.r))
			}
		}
		s.is(Holding, 10)
		s.wait(time.Second)
		s.then(e)
		s.failed(KindBlind, true)
	}
}

func TestNothingIsBlindBeforeTheFirstStep(t *testing.T) {
	t.Parallel()
	s := begin(t, demoPolicy())
	s.wait(time.Hour)
	s.then(func(at time.Time) Event { return Unseen{Why: "not yet", At: at} })
	s.count()
	s.is(Preparing, 0)
}

func TestLimitsEndWithoutAVerdict(t *testing.T) {
	t.Parallel()
	undecided := gate.Window{Candidate: gate.Arm{Requests: 1}, Stable: gate.Arm{Requests: 9}}
	t.Run("step", func(t *testing.T) {
		t.Parallel()
		s := driven(t, demoPolicy())
		for range 59 {
			s.count(undecided, gate.Window{Stable: gate.Arm{Requests: 1, Bad: 1}})
			s.r.Evidence = s.p.judges().Start() // never enough
			s.is(Observing, 10)
		}
		s.count(undecided)
		s.failed(KindInconclusive, true)
		if !strings.Contains(s.r.Failure.Reason, "within 1m, the limit of a step") {
			t.Error(s.r.Failure.Reason)
		}
	})
	t.Run("total", func(t *testing.T) {
		t.Parallel()
		p := demoPolicy()
		p.Limits.Total = Duration(10 * time.Second)
		s := driven(t, p)
		s.count(s.healthy())
		s.count(s.healthy())
		s.is(Observing, 50)
		for range 7 {
			s.count(undecided)
			s.r.Evidence = s.p.judges().Start()
		}
		s.is(Observing, 50)
		s.count(undecided)
		s.failed(KindInconclusive, true)
		if !strings.Contains(s.r.Failure.Reason, "within 10s, the limit of a rollout") {
			t.Error(s.r.Failure.Reason)
		}
	})
	t.Run("without numbers", func(t *testing.T) {
		t.Parallel()
		p := demoPolicy()
		p.Limits.Step = Duration(6 * time.Second)
		s := driven(t, p)
		s.wait(6 * time.Second)
		s.then(func(at time.Time) Event { return Unseen{Why: "refused", At: at} })
		s.failed(KindInconclusive, true)
	})
}

func TestEveryEndIsReachedFromEveryPhase(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		event    func(at time.Time) Event
		kind     string
		rejected bool
	}{
		{func(at time.Time) Event { return Failed{Why: "it died", At: at} }, KindCandidate, true},
		{func(at time.Time) Event { return Cancelled{Why: "cancelled by the user", At: at} }, KindCancelled, false},
		{func(at time.Time) Event { return Superseded{Why: "another was asked for", At: at} }, KindSuperseded, false},
		{func(at time.Time) Event { return Abandoned{At: at} }, KindAbandoned, false},
		{func(at time.Time) Event { return Rejected{By: "bob", At: at} }, KindOperator, true},
	} {
		for phase, s := range map[Phase]*story{
			Preparing:        begin(t, demoPolicy()),
			Observing:        driven(t, demoPolicy()),
			Holding:          driven(t, demoPolicy()),
			AwaitingApproval: asking(t, askingPolicy()),
		} {
			if phase == Holding {
				s.hold()
			}
			s.then(end.event)
			s.failed(end.kind, end.rejected)
		}
	}
}

func TestNothingChangesAFinalRecord(t *testing.T) {
	t.Parallel()
	rolledBack := driven(t, demoPolicy())
	rolledBack.then(func(at time.Time) Event { return Cancelled{At: at} })
	promoted := driven(t, demoPolicy())
	for range 10 {
		promoted.count(promoted.healthy())
	}
	promoted.is(Promoted, 100)
	newer := begin(t, demoPolicy())
	newer.r.Schema++
	for _, s := range []*story{rolledBack, promoted, newer, {t: t, p: demoPolicy()}} {
		for _, e := range everyEvent(s.at.Add(time.Hour)) {
			if _, rejects := e.(Rejected); rejects && s.r.Phase == Promoted {
				continue // the one that may: TestAPersonTakesACandidateOffInEveryPhase
			}
			if d := cmp.Diff(s.r, Next(s.p, s.r, e)); d != "" {
				t.Errorf("%T changed a record that is %q: %s", e, s.r.Phase, d)
			}
		}
	}
}

func everyEvent(at time.Time) []Event {
	return []Event{
		TakenOver{"other", at}, Left{"why", at}, Ready{at},
		Counted{[]gate.Window{traffic(50, 1000, 90)}, Cursor(`1`), at},
		Unseen{"why", at}, Failed{"why", at}, Cancelled{"why", at}, Superseded{"why", at}, Abandoned{at},
		Approved{"alice", "how", at}, Rejected{"bob", "how", "why", at},
	}
}

func TestEventsWithoutMeaningChangeNothing(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	if d := cmp.Diff(s.r, Next(s.p, s.r, Ready{s.at})); d != "" {
		t.Errorf("Ready at the first step: %s", d)
	}
	fresh := begin(t, demoPolicy())
	fresh.then(func(at time.Time) Event { return Ready{at} })
	if d := cmp.Diff(fresh.r, Next(fresh.p, fresh.r, Ready{s.at})); d != "" {
		t.Errorf("Ready for a second time: %s", d)
	}
	if d := cmp.Diff(fresh.r, Next(fresh.p, fresh.r, Left{"why", s.at})); d != "" {
		t.Errorf("Left without a runner: %s", d)
	}
}

func TestNextLeavesTheRecordBeforeAlone(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.r.History = append(make([]Entry, 0, 100), s.r.History...) // room to write into
	before, err := json.Marshal(s.r)
	if err != nil {
		t.Fatal(err)
	}
	kept := s.r
	for _, e := range everyEvent(s.at.Add(time.Second)) {
		a, b := Next(s.p, kept, e), Next(s.p, kept, Cancelled{"another future", s.at})
		if e, ok := e.(Failed); ok && a.Failure.Reason == b.Failure.Reason {
			t.Errorf("%v: two futures share a history", e)
		}
	}
	after, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the record before an event was changed by it")
	}
	if extra := kept.History[:len(kept.History)+1][len(kept.History)]; extra != (Entry{}) {
		t.Errorf("Next wrote into the history's array: %v", extra)
	}
}

func TestTakingOverCountsTheEpochUp(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.count(s.healthy())
	evidence := s.r.Evidence
	s.wait(7 * time.Second)
	s.then(func(at time.Time) Event { return TakenOver{Runner: "tidegate on buoy (pid 2)", At: at} })
	if s.r.Epoch != 2 || s.r.Runner != "tidegate on buoy (pid 2)" || s.r.Renewed != s.at {
		t.Errorf("epoch %d of %s, renewed %s", s.r.Epoch, s.r.Runner, s.r.Renewed)
	}
	if d := cmp.Diff(evidence, s.r.Evidence); d != "" {
		t.Errorf("evidence did not survive: %s", d)
	}
}

func TestAClockThatJumpsBackNeitherPassesNorSticks(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.count(s.healthy())
	s.wait(-time.Hour)
	s.count(s.healthy())
	s.is(Observing, 10) // the step's minimum begins again
	s.count(s.healthy())
	s.is(Observing, 10)
	s.count(s.healthy())
	s.is(Observing, 50)
	s.wait(-time.Hour)
	for range 4 {
		s.count()
	}
	s.count()
	s.is(Holding, 50)
}

func TestHistoryKeepsItsBeginningAndItsLatest(t *testing.T) {
	t.Parallel()
	s := begin(t, demoPolicy())
	for range 3 * mostEntries {
		s.wait(time.Second)
		s.then(func(at time.Time) Event { return TakenOver{Runner: at.Format(time.TimeOnly), At: at} })
	}
	h := s.r.History
	if len(h) != mostEntries || h[0].At != noon || h[len(h)-1].At != s.at || h[1].At != s.at.Add(-time.Second*(mostEntries-2)) {
		t.Errorf("%d entries, from %s and %s to %s", len(h), h[0].At, h[1].At, h[len(h)-1].At)
	}
}

func TestDamagedRecordsRollBackInsteadOfPanicking(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(s *story){
		"step beyond the policy": func(s *story) { s.r.Step = 7 },
		"negative step":          func(s *story) { s.r.Step = -1 },
		"no policy":              func(s *story) { s.p = Policy{} },
		"no limits":              func(s *story) { s.p.Limits = Limits{} },
	} {
		s := driven(t, demoPolicy())
		damage(s)
		s.wait(time.Second)
		s.r = Next(s.p, s.r, Counted{Windows: []gate.Window{{}}, At: s.at})
		if s.r.Phase != RolledBack || s.r.Weight != 0 || !strings.HasPrefix(s.r.Failure.Reason, "The rollout cannot be judged: ") {
			t.Errorf("%s: %s at %d%%, %+v", name, s.r.Phase, s.r.Weight, s.r.Failure)
		}
	}
	s := driven(t, demoPolicy())
	s.r.Evidence = gate.Evidence{}
	s.count(s.healthy())
	s.is(Observing, 10)
}

func TestLapsedIsSilenceOfRunners(t *testing.T) {
	t.Parallel()
	p := demoPolicy()
	limit := time.Duration(p.Limits.AbandonedAfter)
	s := begin(t, p)
	if Lapsed(s.r, p, noon.Add(limit)) || !Lapsed(s.r, p, noon.Add(limit+1)) {
		t.Error("a rollout that nobody drove yet lapses by its beginning")
	}
	s.wait(time.Minute)
	s.then(func(at time.Time) Event { return TakenOver{"r", at} })
	s.then(func(at time.Time) Event { return Ready{at.Add(time.Minute)} })
	if Lapsed(s.r, p, s.at.Add(limit)) || !Lapsed(s.r, p, s.at.Add(limit+1)) {
		t.Error("it lapses by the runner's last write, not by the engine's")
	}
	s.then(func(at time.Time) Event { return Cancelled{At: at} })
	if Lapsed(s.r, p, s.at.Add(10*limit)) {
		t.Error("a rollout that is over lapses")
	}
}

func TestNewerRecordsAreNotWritable(t *testing.T) {
	t.Parallel()
	if err := (Record{Schema: Schema}).Writable(); err != nil {
		t.Error(err)
	}
	if err := (Record{Schema: Schema + 1}).Writable(); err == nil || !strings.Contains(err.Error(), "later Tidegate") {
		t.Error(err)
	}
}
