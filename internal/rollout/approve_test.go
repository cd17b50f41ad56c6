package rollout

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// askingPolicy is the demo's, with a person's word at both steps.
func askingPolicy() Policy {
	p := demoPolicy()
	p.Steps[0].Approval, p.Steps[1].Approval = true, true
	p.Limits.Approval = Duration(time.Hour)
	return p
}

// asking is at the first step, has passed its gates, and waits for a person.
func asking(t *testing.T, p Policy) *story {
	t.Helper()
	s := driven(t, p)
	s.count(s.healthy())
	s.count(s.healthy())
	s.is(AwaitingApproval, 10)
	return s
}

func (s *story) approve(by string) {
	s.t.Helper()
	s.then(func(at time.Time) Event { return Approved{By: by, How: "user id 1000 of tide", At: at} })
}

func (s *story) reject(why string) {
	s.t.Helper()
	s.then(func(at time.Time) Event { return Rejected{By: "bob", How: "user id 1001 of tide", Why: why, At: at} })
}

func TestAStepWithAnApprovalIsLeftByGatesAndAPerson(t *testing.T) {
	t.Parallel()
	s := driven(t, askingPolicy())
	s.count(s.healthy())
	s.is(Observing, 10) // the minimum comes first
	s.count(s.healthy())
	s.is(AwaitingApproval, 10)
	for range 3 {
		s.count(s.healthy()) // and no pass is enough
		s.is(AwaitingApproval, 10)
	}
	s.approve("alice")
	s.is(AwaitingApproval, 10) // the runner goes on, nobody else
	if a := s.r.Approval; a == nil || *a != (Approval{By: "alice", How: "user id 1000 of tide", At: s.at}) {
		t.Fatalf("approval %+v", a)
	}
	s.count(s.healthy())
	s.is(Observing, 50)
	if s.r.Approval != nil {
		t.Errorf("the next step has the approval of the one before: %+v", s.r.Approval)
	}
	for range 5 {
		s.count(s.healthy())
	}
	s.is(AwaitingApproval, 50)
	s.approve("carol")
	s.count(s.healthy())
	s.is(Promoted, 100)
	if s.r.Approval == nil || s.r.Approval.By != "carol" {
		t.Errorf("who approved the promotion is not recorded: %+v", s.r.Approval)
	}
}

func TestNobodyIsAskedWhoHasToBeAskedLater(t *testing.T) {
	t.Parallel()
	p := demoPolicy()
	p.Steps[1].Approval = true
	s := driven(t, p)
	s.count(s.healthy())
	s.count(s.healthy())
	s.is(Observing, 50)
}

func TestAnApprovalWhereNobodyWasAskedChangesNothing(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*story{
		"preparing": begin(t, askingPolicy()), "observing": driven(t, askingPolicy()), "holding": driven(t, askingPolicy()), "approved": asking(t, askingPolicy()),
	} {
		if name == "holding" {
			s.hold()
		}
		if name == "approved" {
			s.approve("alice")
		}
		if d := cmp.Diff(s.r, Next(s.p, s.r, Approved{"bob", "", s.at})); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestAStepThatAPersonHasToApproveIsNotLeftOut(t *testing.T) {
	t.Parallel()
	p := DefaultPolicy()
	p.Steps[1].Approval = true
	s := begin(t, p)
	s.then(func(at time.Time) Event { return Ready{at} })
	for range 6 {
		s.count(traffic(0, 1, 0)) // too few for the first two steps
	}
	s.is(Observing, 5)
}

func TestWhoWaitsTooLongIsUnapprovedAndNotRejected(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{0, time.Second, 90 * time.Second} {
		p := askingPolicy()
		p.Limits.Approval = Duration(limit)
		s := asking(t, p)
		if limit == 0 {
			limit = 24 * time.Hour
		}
		s.wait(limit - 2*time.Second)
		s.r.LastSeen = s.at
		if limit > time.Second {
			s.count(s.healthy())
			s.is(AwaitingApproval, 10)
		} else {
			s.wait(time.Second)
		}
		s.count(s.healthy())
		s.failed(KindUnapproved, false)
		if want := "Nobody approved going on from 10% of traffic within " + lasting(limit) + "."; s.r.Failure.Reason != want {
			t.Errorf("%q, want %q", s.r.Failure.Reason, want)
		}
	}
}

func TestAnApprovalThatNoRunnerSawInTimeStillCounts(t *testing.T) {
	t.Parallel()
	s := asking(t, askingPolicy())
	s.wait(time.Hour - 10*time.Second)
	s.approve("alice")
	s.wait(19 * time.Second)
	s.r.LastSeen = s.at
	s.count()
	s.is(AwaitingApproval, 10) // approved, and nobody calls yet
	s.count(s.healthy())
	s.is(Observing, 50)
}

func TestEvidenceGoesOnCountingWhileAPersonIsAwaited(t *testing.T) {
	t.Parallel()
	t.Run("harm ends the wait", func(t *testing.T) {
		t.Parallel()
		s := asking(t, askingPolicy())
		s.count(traffic(10, 10_000, 50))
		s.failed(KindGate, true)
	})
	t.Run("harm ends what was approved", func(t *testing.T) {
		t.Parallel()
		s := asking(t, askingPolicy())
		s.approve("alice")
		s.count(traffic(10, 10_000, 50))
		s.failed(KindGate, true)
	})
	t.Run("doubt keeps the step, and the approval", func(t *testing.T) {
		t.Parallel()
		s := driven(t, askingPolicy())
		s.count(traffic(10, 8_000, 0))
		s.count(traffic(10, 8_000, 0))
		s.is(AwaitingApproval, 10)
		s.approve("alice")
		doubt := traffic(10, 10_000, 1) // 10 of 1,000
		doubt.Stable.Bad = 60           // and 60 of 9,000
		s.count(doubt)
		s.is(Observing, 10)
		if s.r.Approval == nil {
			t.Fatal("the approval is gone")
		}
		s.count(s.healthy())
		s.is(Observing, 50)
		if s.r.Approval != nil {
			t.Error("and it is the next step's")
		}
	})
}

func TestSilenceWhileAPersonIsAwaitedIsBlindAndHoldsAfterwards(t *testing.T) {
	t.Parallel()
	s := asking(t, askingPolicy())
	for range 19 {
		s.count()
		s.is(AwaitingApproval, 10) // the weight is frozen anyway
	}
	s.count()
	s.failed(KindBlind, true)

	s = asking(t, askingPolicy())
	s.wait(10 * time.Second)
	s.approve("alice")
	s.count()
	s.is(AwaitingApproval, 10)
	s.count(s.healthy())
	s.is(Observing, 50)
	if s.r.StepHeld != 0 || s.r.Awaited != Duration(12*time.Second) {
		t.Errorf("held %s, awaited %s: a silence counts both ways", s.r.StepHeld, s.r.Awaited)
	}
}

func TestWhatTheGatesHoldIsHeldAfterAnApproval(t *testing.T) {
	t.Parallel()
	s := asking(t, askingPolicy())
	s.count(routed(traffic(1, 10_000, 0))) // the router does not do as it was told
	s.is(AwaitingApproval, 10)
	if s.r.Hold == "" {
		t.Error("nothing is held")
	}
	s.approve("alice")
	s.count(routed(traffic(1, 10_000, 0)))
	s.is(Holding, 10)
	s.r.Evidence.Split = nil // as if it did
	s.count(routed(s.healthy()))
	s.is(Observing, 50)
}

func TestTheTimeThatAPersonTakesCountsTowardNoOtherLimit(t *testing.T) {
	t.Parallel()
	p := askingPolicy()
	p.Limits.Approval = Duration(2 * time.Hour)
	s := asking(t, p)
	for range 60 { // a step may last a minute, all of them two
		s.wait(time.Minute)
		s.r.LastSeen = s.at
		s.count(s.healthy())
		s.is(AwaitingApproval, 10)
	}
	s.approve("alice")
	s.count(s.healthy())
	s.is(Observing, 50)
	if s.r.StepAwaited != 0 || s.r.Awaited < Duration(time.Hour) {
		t.Errorf("at this step %s, at all %s", s.r.StepAwaited, s.r.Awaited)
	}
	for range 4 {
		s.count(s.healthy())
		s.is(Observing, 50) // bakes
	}
	s.count(s.healthy())
	s.is(AwaitingApproval, 50)

	// Nor toward the minimum: what was missing of it when somebody was asked is nothing, and what was
	// not is not made up for by waiting.
	s.approve("alice")
	s.count(s.healthy())
	s.is(Promoted, 100)
}

func TestLimitsGoOnAfterAnApproval(t *testing.T) {
	t.Parallel()
	p := askingPolicy()
	p.Limits.Total = Duration(20 * time.Second)
	s := asking(t, p)
	s.wait(time.Minute)
	s.r.LastSeen = s.at
	s.approve("alice")
	s.count(s.healthy())
	s.is(Observing, 50)
	for range 17 {
		s.count(gate.Window{Stable: gate.Arm{Requests: 9}})
	}
	s.is(Observing, 50)
	s.count(gate.Window{Stable: gate.Arm{Requests: 9}})
	s.failed(KindInconclusive, true)
	if !strings.Contains(s.r.Failure.Reason, "within 20s, the limit of a rollout") {
		t.Error(s.r.Failure.Reason)
	}
}

func TestAnApprovalSurvivesATakeOver(t *testing.T) {
	t.Parallel()
	s := asking(t, askingPolicy())
	s.then(func(at time.Time) Event { return Left{"going on needs an approval", at} })
	s.approve("alice")
	s.wait(10 * time.Second)
	s.then(func(at time.Time) Event { return TakenOver{"tidegate on buoy (pid 2)", at} })
	s.is(AwaitingApproval, 10)
	if s.r.Approval == nil || s.r.Took != s.at {
		t.Errorf("approval %+v, took over at %s", s.r.Approval, s.r.Took)
	}
	s.count(s.healthy())
	s.is(Observing, 50)
}

func TestAClockThatJumpsBackMakesNoWaitNegative(t *testing.T) {
	t.Parallel()
	// While somebody is awaited.
	s := asking(t, askingPolicy())
	s.wait(-time.Hour)
	s.count(s.healthy())
	s.is(AwaitingApproval, 10)
	s.wait(time.Hour - 2*time.Second)
	s.r.LastSeen = s.at
	s.count(s.healthy())
	s.is(AwaitingApproval, 10)
	s.count(s.healthy())
	s.failed(KindUnapproved, false)

	// Afterwards: the limits of a step and of all do not grow by what was awaited.
	p := askingPolicy()
	p.Steps[0].Minimum = Duration(5 * time.Second)
	p.Limits.Total = Duration(50 * time.Second)
	for _, back := range []time.Duration{-30 * time.Minute, -2 * time.Hour} {
		s = driven(t, p)
		for range 5 {
			s.count(traffic(10, 3_200, 0))
		}
		s.is(AwaitingApproval, 10)
		s.wait(50 * time.Minute)
		s.r.LastSeen = s.at
		s.approve("alice")
		doubt := traffic(10, 10_000, 1)
		doubt.Stable.Bad = 60
		s.count(doubt)
		s.is(Observing, 10)
		s.wait(back)
		for range 51 {
			s.count(gate.Window{Stable: gate.Arm{Requests: 9}})
		}
		if f := s.r.Failure; f == nil || f.Kind != KindInconclusive {
			t.Errorf("%s, failure %+v: the limits grew by the wait\n%s", s.r.Phase, f, told(s.r))
		}
	}
}

func TestAPersonTakesACandidateOffInEveryPhase(t *testing.T) {
	t.Parallel()
	promoted := driven(t, demoPolicy())
	for range 10 {
		promoted.count(promoted.healthy())
	}
	holding := driven(t, demoPolicy())
	holding.hold()
	approved := asking(t, askingPolicy())
	approved.approve("alice")
	damaged := driven(t, demoPolicy())
	damaged.p = Policy{}
	for name, c := range map[string]struct {
		s    *story
		want string
	}{
		"preparing": {begin(t, demoPolicy()), "Rolled back, all traffic stays with aaaaaaaaaaaa. bob (user id 1001 of tide) rolled back with the candidate at 0% of traffic: it is slow."},
		"observing": {driven(t, demoPolicy()), "Rolled back, all traffic goes to aaaaaaaaaaaa. bob (user id 1001 of tide) rolled back with the candidate at 10% of traffic: it is slow."},
		"holding":   {holding, "at 10% of traffic: it is slow."},
		"asking":    {asking(t, askingPolicy()), "at 10% of traffic: it is slow."},
		"approved":  {approved, "at 10% of traffic: it is slow."},
		"promoted":  {promoted, "Rolled back, all traffic goes to aaaaaaaaaaaa. bob (user id 1001 of tide) rolled back after its promotion: it is slow."},
		"damaged":   {damaged, "at 10% of traffic: it is slow."},
	} {
		c.s.reject(" it is slow. ")
		c.s.failed(KindOperator, true)
		if last := c.s.r.History[len(c.s.r.History)-1].Sentence; !strings.HasSuffix(last, c.want) {
			t.Errorf("%s: %q, want %q", name, last, c.want)
		}
		if d := cmp.Diff(c.s.r, Next(c.s.p, c.s.r, Rejected{By: "bob", At: c.s.at})); d != "" {
			t.Errorf("%s: rejected for a second time: %s", name, d)
		}
	}
}

func TestWhatPeopleSayStaysOnOneLineAndInBounds(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.then(func(at time.Time) Event {
		return Rejected{By: "bob\x1b[31m", How: "trust\nme", Why: strings.Repeat("ä ", 10_000), At: at}
	})
	got := s.r.Failure.Reason
	if len(got) > 1000 || !strings.HasPrefix(got, "bob [31m (trust me) rolled back with the candidate at 10% of traffic: ä ä") || !strings.HasSuffix(got, "ä .") {
		t.Errorf("%q", got)
	}
	s = asking(t, askingPolicy())
	s.then(func(at time.Time) Event { return Approved{By: "alice\n", How: "\x07", At: at} })
	if a := s.r.Approval; a.By != "alice" || a.How != "" {
		t.Errorf("%+v", a)
	}
}

func TestAStagedRolloutWaitsWithoutBeingAbandoned(t *testing.T) {
	t.Parallel()
	p := demoPolicy()
	limit := time.Duration(p.Limits.AbandonedAfter)
	s := begin(t, p)
	s.r.Staged = true
	s.then(func(at time.Time) Event { return Ready{at} })
	s.wait(1000 * time.Hour)
	if Lapsed(s.r, p, s.at) {
		t.Error("nobody could have abandoned it")
	}
	s.then(func(at time.Time) Event { return TakenOver{"tidegate on buoy (pid 2)", at} })
	if Lapsed(s.r, p, s.at.Add(limit)) || !Lapsed(s.r, p, s.at.Add(limit+1)) {
		t.Error("once somebody drives it, it is like any other")
	}
	s.count()
	s.is(Observing, 10)
	s.then(func(at time.Time) Event { return Abandoned{at} })
	s.failed(KindAbandoned, false)
}

func TestTookIsWhenTheRunnerThatDrivesBegan(t *testing.T) {
	t.Parallel()
	s := driven(t, demoPolicy())
	s.count(s.healthy())
	if s.r.Took != noon {
		t.Errorf("took over at %s", s.r.Took)
	}
	s.wait(time.Minute)
	s.then(func(at time.Time) Event { return TakenOver{"another", at} })
	took := s.at
	s.count(s.healthy())
	if s.r.Took != took {
		t.Errorf("took over at %s, want %s", s.r.Took, took)
	}
}

func TestRecordsOfEarlierSchemasGoOn(t *testing.T) {
	t.Parallel()
	for _, schema := range []int{1, 2} {
		s := driven(t, demoPolicy())
		s.count(s.healthy())
		b, err := json.Marshal(s.r)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(b, &fields); err != nil {
			t.Fatal(err)
		}
		fields["schema"] = schema
		delete(fields, "took") // which they did not know
		for _, later := range []string{"staged", "awaiting_since", "step_awaited", "awaited", "approval"} {
			if _, there := fields[later]; there {
				t.Errorf("%s is there, and says nothing", later)
			}
		}
		if b, err = json.Marshal(fields); err != nil {
			t.Fatal(err)
		}
		s.r = Record{}
		if err := json.Unmarshal(b, &s.r); err != nil {
			t.Fatal(err)
		}
		if err := s.r.Writable(); err != nil {
			t.Error(err)
		}
		s.count(s.healthy())
		s.is(Observing, 50)
		if s.r.Schema != Schema {
			t.Errorf("written as schema %d", s.r.Schema)
		}
		var again Record
		for _, e := range []Event{Rejected{By: "bob", At: s.at}, Cancelled{At: s.at}} {
			if err := json.Unmarshal(b, &again); err != nil {
				t.Fatal(err)
			}
			if r := Next(s.p, again, e); r.Phase != RolledBack {
				t.Errorf("%T: %s", e, r.Phase)
			}
		}
	}
}

func TestARecordThatWaitsSurvivesJSON(t *testing.T) {
	t.Parallel()
	s := asking(t, askingPolicy())
	s.approve("alice")
	s.r.Staged, s.r.Awaited, s.r.StepAwaited = true, 1, 2
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
