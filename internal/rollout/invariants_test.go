package rollout

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// check says which invariant of docs/guides/gates.md, "What must always hold", a transition breaks.
func check(p Policy, before Record, e Event, after Record) error {
	broken := func(which string) error {
		return fmt.Errorf("%s\nafter %T %+v\nfrom %s at %d%% (step %d)\nto   %s at %d%% (step %d, approved %d, failure %+v)",
			which, e, e, before.Phase, before.Weight, before.Step, after.Phase, after.Weight, after.Step, after.Approved, after.Failure)
	}
	counted, isCount := e.(Counted)
	_, rejects := e.(Rejected)
	_, approves := e.(Approved)
	if before.Phase == Promoted && rejects { // S4, and the one exception to S2
		if after.Phase != RolledBack || after.Weight != 0 || after.Approved != 0 || after.Epoch != before.Epoch || after.Failure == nil || after.Failure.Kind != KindOperator {
			return broken("S4: a promotion that was not taken back")
		}
		return nil
	}
	raised := after.Weight > before.Weight
	first := before.Phase == Preparing && after.Phase == Observing
	switch {
	case after.Weight > after.Approved:
		return broken("S1: more traffic than was approved")
	case after.Approved > before.Approved && !isCount:
		return broken("S1: approved by something that is no evidence")
	case after.Approved > before.Approved && !first && !passed(after.Verdicts):
		return broken("S1: approved without a recorded pass")
	case after.Approved > before.Approved && !first && before.Phase != Observing && before.Phase != AwaitingApproval && before.Hold == "": // a hold of the gates may end with the pass
		return broken("S1: approved from a phase that has no evidence")
	case after.Approved > before.Approved && !first && p.Steps[before.Step].Approval && before.Approval == nil:
		return broken("S1: approved without a person's word")
	case after.Approved > before.Approved && first && slices.ContainsFunc(p.Steps[:after.Step], func(s Step) bool { return s.Approval }):
		return broken("S1: a step that a person has to approve was left out")
	case before.Approval == nil && after.Approval != nil && (!approves || before.Phase != AwaitingApproval):
		return broken("S1: a person's word where nobody asked for it")
	case after.Step != before.Step && after.Approval != nil:
		return broken("S1: a person's word counts for another step")
	case after.Approved > before.Approved && !first && requests(total(counted.Windows)) == 0:
		return broken("S1: approved by the clock alone")
	case raised && (before.Failure != nil || after.Failure != nil):
		return broken("S2: traffic after a failure")
	case before.Failure != nil && !reflect.DeepEqual(before.Failure, after.Failure):
		return broken("S2: a failure was changed")
	case before.Phase.Final() && !reflect.DeepEqual(before, after):
		return broken("S2: a final record was changed")
	case after.Failure != nil && (after.Phase != RolledBack || after.Weight != 0 || after.Approved != 0):
		return broken("S2: a failure that did not take the candidate off in the same write")
	case !onTheWay(p, before, after):
		return broken("S3: weights climb the steps, then promotion, or go to 0")
	case ends(e) && !before.Phase.Final() && after.Phase != RolledBack:
		return broken("S4: a rollback that did not happen")
	case after.Phase == RolledBack && after.Failure == nil:
		return broken("S4: a rollback without a reason")
	case after.Phase == Promoted && before.Phase != Promoted && after.Verdicts[0].Seen.Candidate.Requests == 0:
		return broken("S7: promotion without evidence")
	case after.Failure != nil && after.Failure.Rejected != slices.Contains([]string{KindGate, KindCandidate, KindInconclusive, KindBlind, KindOperator}, after.Failure.Kind):
		return broken("S9: the wrong ones are rejected")
	}
	return checkBooks(p, before, e, after, broken)
}

// checkBooks holds for what is told about a rollout, and for who drives it.
func checkBooks(p Policy, before Record, e Event, after Record, broken func(string) error) error {
	_, taken := e.(TakenOver)
	moved := before.Phase != after.Phase || before.Weight != after.Weight
	switch {
	case after.Epoch < before.Epoch || after.Epoch > before.Epoch && !taken:
		return broken("S5: only taking over gives an epoch")
	case taken && !after.Phase.Final() && after.Epoch != before.Epoch+1:
		return broken("S5: taking over gives the next epoch")
	case moved && reflect.DeepEqual(before.History, after.History):
		return broken("a transition that is not told")
	case len(after.History) > mostEntries:
		return broken("a history without an end")
	case after.StepHeld < 0, after.StepAwaited < 0, after.Awaited < 0:
		return broken("time ran backwards")
	case !after.Phase.Final() && e.event().Equal(after.Renewed) && after.StepHeld+after.StepAwaited > Duration(max(0, e.event().Sub(after.StepBegan))):
		return broken("more time was spent holding and waiting than there was")
	case (after.Phase == AwaitingApproval) == after.AwaitingSince.IsZero():
		return broken("awaited without a beginning, or the other way around")
	case (after.Phase == Holding) == after.HeldSince.IsZero():
		return broken("held without a beginning, or the other way around")
	case (after.Phase == Observing || after.Phase == Holding || after.Phase == AwaitingApproval) && after.Weight != p.Steps[after.Step].Weight:
		return broken("the weight is not the step's")
	}
	return nil
}

func ends(e Event) bool {
	switch e.(type) {
	case Failed, Cancelled, Superseded, Abandoned, Rejected:
		return true
	}
	return false
}

func onTheWay(p Policy, before, after Record) bool {
	switch {
	case after.Weight == before.Weight, after.Weight == 0:
		return true
	case before.Phase == Preparing:
		return after.Phase == Observing && after.Weight == p.Steps[after.Step].Weight && (after.Step == 0 || p.SkipLeading && p.Steps[after.Step-1].Weight < 10)
	case after.Phase == Promoted:
		return before.Step == len(p.Steps)-1 && after.Weight == 100
	}
	return after.Step == before.Step+1 && after.Weight == p.Steps[after.Step].Weight
}

func passed(verdicts []gate.Verdict) bool {
	return len(verdicts) > 0 && !slices.ContainsFunc(verdicts, func(v gate.Verdict) bool { return v.Outcome != gate.Pass })
}

func total(windows []gate.Window) (t gate.Window) {
	for _, w := range windows {
		t = sum(t, w)
	}
	return t
}

func policies(t *rapid.T) Policy {
	p := demoPolicy()
	weights := rapid.SliceOfNDistinct(rapid.IntRange(1, 99), 1, 8, rapid.ID[int]).Draw(t, "weights")
	slices.Sort(weights)
	p.Steps = nil
	for _, w := range weights {
		p.Steps = append(p.Steps, Step{Weight: w, Approval: rapid.IntRange(0, 3).Draw(t, "approval") == 0})
	}
	p.SkipLeading = rapid.Bool().Draw(t, "skip leading")
	if rapid.Bool().Draw(t, "latency") {
		p.Gates.Latency = &LatencyGate{}
		p.WarmUp = WarmUp{Requests: rapid.IntRange(0, 200).Draw(t, "warm-up")}
	}
	seconds := func(what string, least, most int) Duration {
		return Duration(time.Duration(rapid.IntRange(least, most).Draw(t, what)) * time.Second)
	}
	p.Limits.StepMinimum = seconds("step minimum", 1, 5)
	p.Limits.Bake = seconds("bake", 1, 10)
	p.Limits.Step = seconds("step", 10, 60)
	p.Limits.Total = seconds("total", 60, 300)
	p.Limits.Blind = seconds("blind", 5, 60)
	p.Limits.Approval = seconds("approval", 1, 60)
	return p
}

// events are mostly what happens, with all that could happen in between.
func events(t *rapid.T, r Record, now time.Time) Event {
	if r.Phase == AwaitingApproval && rapid.IntRange(0, 5).Draw(t, "a word") == 0 {
		return Approved{"alice", "", now}
	}
	switch rapid.IntRange(0, 39).Draw(t, "event") {
	case 0:
		return TakenOver{Runner: "r", At: now}
	case 1, 5, 6, 7:
		return Ready{At: now}
	case 2:
		return Unseen{Why: "refused", At: now}
	case 3:
		return Left{Why: "enough", At: now}
	case 4:
		if rapid.IntRange(0, 4).Draw(t, "an end") > 0 {
			break
		}
		return rapid.SampledFrom([]Event{
			Failed{"died", now}, Cancelled{"enough", now}, Superseded{"other", now}, Abandoned{now}, Rejected{"bob", "", "", now}, Approved{"alice", "", now},
		}).Draw(t, "end")
	}
	return Counted{Windows: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) gate.Window { return windows(t, r) }), 0, 2).Draw(t, "windows"), At: now}
}

func windows(t *rapid.T, r Record) gate.Window {
	if rapid.IntRange(0, 99).Draw(t, "nonsense") == 0 {
		any := rapid.Uint64()
		return gate.Window{
			Candidate: gate.Arm{Requests: any.Draw(t, "candidate"), Bad: any.Draw(t, "bad")},
			Stable:    gate.Arm{Requests: any.Draw(t, "stable"), Bad: any.Draw(t, "bad")},
		}
	}
	n := rapid.SampledFrom([]uint64{0, 20, 1000, 50_000, 200_000}).Draw(t, "requests")
	badly := uint64(0)
	if rapid.IntRange(0, 30).Draw(t, "bad") == 0 {
		badly = rapid.SampledFrom([]uint64{1, 50}).Draw(t, "bad percent")
	}
	w := traffic(r.Weight, n, badly)
	switch rapid.IntRange(0, 59).Draw(t, "known") {
	case 0:
		w.Routed = gate.ByClient
	case 1, 3, 4, 5, 6:
		w = routed(w)
	case 2: // the router did not do as it was told
		w = routed(traffic(min(100, r.Weight+rapid.SampledFrom([]int{1, 40}).Draw(t, "too much")), n, badly))
	}
	if rapid.IntRange(0, 9).Draw(t, "timed") > 0 {
		slow := uint64(100)
		if rapid.IntRange(0, 59).Draw(t, "slow") == 0 {
			slow = 900
		}
		w = timed(w, slow, 100)
	}
	return w
}

func TestInvariantsHoldWhateverHappens(t *testing.T) {
	t.Parallel()
	ends := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := policies(t)
		if p.Validate() != nil {
			t.Skip("a policy that nobody could pass")
		}
		now := noon
		r := Begin("sha256:c", "sha256:a", p, now)
		for range 150 {
			e := events(t, r, now)
			after := Next(p, r, e)
			if err := check(p, r, e, after); err != nil {
				t.Fatal(err)
			}
			r = after
			now = now.Add(rapid.Custom(steps).Draw(t, "later"))
		}
		ends[endOf(r)]++
	})
	t.Logf("ends: %v", ends)
	for _, end := range []string{string(Promoted), KindGate, KindSplit, KindBlind, KindInconclusive, KindUnapproved, KindOperator} {
		if ends[end] == 0 {
			t.Errorf("no walk ended as %s: the claim is emptier than it looks", end)
		}
	}
}

// steps are mostly a second, and now and then what clocks do.
func steps(t *rapid.T) time.Duration {
	if rapid.IntRange(0, 29).Draw(t, "odd") > 0 {
		return time.Second
	}
	return time.Duration(rapid.SampledFrom([]int{0, 2, 5, 20, -3, -3600, 86400}).Draw(t, "seconds")) * time.Second
}

func endOf(r Record) string {
	if r.Failure != nil {
		return r.Failure.Kind
	}
	return string(r.Phase)
}
