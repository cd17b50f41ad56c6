package modelcheck

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// The invariants are those of docs/guides/gates.md, "What must always hold". Each check
// returns the name of the first that is broken, with a reason, or "".

// checkDecision checks one answer of Next.
func checkDecision(p rollout.Policy, v value, e rollout.Event, next value) string {
	before, after := v.rec, next.rec
	_, rejection := e.(rollout.Rejected)
	if before.Phase == rollout.Promoted && rejection {
		if !takenBack(before, after) {
			return "S4: a promotion that was not taken back"
		}
		return ""
	}
	if before.Phase.Final() {
		if !reflect.DeepEqual(before, after) {
			return "S2: a final record was changed"
		}
		return ""
	}
	_, isCount := e.(rollout.Counted)
	_, taken := e.(rollout.TakenOver)
	raised := after.Approved > before.Approved
	first := before.Phase == rollout.Preparing
	asked := !first && p.Steps[before.Step].Approval
	switch {
	case after.Weight > after.Approved:
		return "S1: more traffic than was approved"
	case raised && !isCount:
		return "S1: approved by something that is no evidence"
	case raised && first && before.Ready.IsZero():
		return "S1: approved for a candidate that cannot serve"
	case raised && !first && (before.Phase != rollout.Observing && before.Phase != rollout.AwaitingApproval || !passed(after.Verdicts)):
		return "S1: approved without a recorded pass"
	case raised && asked && before.Approval == nil:
		return "S1: approved without a person's word"
	case raised && asked && v.approves != pinned(&before):
		return "S1: approved by a word that was said of another step or rollout"
	case before.Approval == nil && after.Approval != nil && !awaited(&before):
		return "S1: a person's word where nobody asked for it"
	case after.Failure != nil && (after.Phase != rollout.RolledBack || after.Weight != 0 || after.Approved != 0):
		return "S2: a failure that did not take the candidate off in the same write"
	case !onTheWay(p, before, after):
		return "S3: a weight that is not the next one"
	case ends(e) && after.Phase != rollout.RolledBack:
		return "S4: a rollback that did not happen"
	case after.Phase == rollout.RolledBack && after.Failure == nil:
		return "S4: a rollback without a reason"
	case taken && !after.Phase.Final() && after.Epoch != before.Epoch+1, !taken && after.Epoch != before.Epoch:
		return "S5: taking over gives the next epoch, nothing else does"
	case after.Phase == rollout.Promoted && after.Verdicts[0].Seen.Candidate.Requests == 0:
		return "S7: promoted without an observation"
	case after.Failure != nil && after.Failure.Rejected != rejects(after.Failure.Kind):
		return "S9: a failure of the wrong kind rejects"
	}
	return checkEvidence(next)
}

// takenBack: the one change to a final record that there is.
func takenBack(before, after rollout.Record) bool {
	return before.Phase == rollout.Promoted && after.Phase == rollout.RolledBack && after.Weight == 0 && after.Approved == 0 &&
		after.Epoch == before.Epoch && after.Failure != nil && after.Failure.Kind == rollout.KindOperator
}

// checkEvidence compares what a record says it counted with what it was given.
func checkEvidence(v value) string {
	counted := v.rec.Before.Requests
	if len(v.rec.Verdicts) > 0 {
		counted += requests(v.rec.Verdicts[0].Seen)
	}
	if !v.rec.Phase.Final() && counted != v.requests {
		return fmt.Sprintf("evidence: %d requests were counted, and there were %d", counted, v.requests)
	}
	return ""
}

// checkWrite checks that v may follow what is stored, whoever wrote it.
func (m *model) checkWrite(s *state, who int, v id) string {
	before, after := m.rec(s.stored), m.rec(v)
	switch {
	case m.all[v].wrong != "":
		return m.all[v].wrong
	case after.ID != before.ID:
		return "S6: a write into another rollout"
	case before.Phase.Final() && v != s.stored && (who != people || !takenBack(*before, *after)):
		return "S2: a final record was changed"
	case after.Epoch < before.Epoch || after.Epoch > before.Epoch+1:
		return "S5: the epoch does not only grow by one"
	case who == people && (after.Epoch != before.Epoch || after.Approved > before.Approved):
		return "S5: a person's word that takes over, or gives traffic"
	case who <= 1 && after.Epoch == before.Epoch && int(s.owner) != who+1:
		return "S5: a write by a runner that was taken over"
	case !onTheWay(m.policy, *before, *after):
		return "S3: a weight that is not the next one"
	case !after.Phase.Final() && m.all[s.stored].counted&^m.all[v].counted != 0:
		return "evidence: a window that counted does not count any more"
	}
	return ""
}

// checkState checks what holds at every instant.
func (m *model) checkState(s *state) string {
	r, v, cursor := m.rec(s.stored), &m.all[s.stored], m.cursor(s.stored)
	one, two := s.run[0], s.run[1]
	switch {
	case int(s.routed) > r.Approved:
		return fmt.Sprintf("S1: %d%% of traffic is routed, and %d%% approved", s.routed, r.Approved)
	case int(s.routed) != r.Weight:
		return fmt.Sprintf("one object: %d%% of traffic is routed, and %d%% recorded", s.routed, r.Weight)
	case one.drives() && two.drives() && m.rec(one.rec).ID == m.rec(two.rec).ID && m.rec(one.rec).Epoch == m.rec(two.rec).Epoch:
		return "S5: two runners drive in one epoch"
	case !r.Phase.Final() && cursor != beginning && v.counted != uint16(1)<<cursor-uint16(1)<<v.base:
		return "evidence: the cursor is not behind what was counted"
	}
	return ""
}

func ends(e rollout.Event) bool {
	switch e.(type) {
	case rollout.Failed, rollout.Cancelled, rollout.Superseded, rollout.Abandoned, rollout.Rejected:
		return true
	}
	return false
}

func rejects(kind string) bool {
	return slices.Contains([]string{rollout.KindGate, rollout.KindCandidate, rollout.KindInconclusive, rollout.KindBlind, rollout.KindOperator}, kind)
}

func passed(verdicts []gate.Verdict) bool {
	return len(verdicts) > 0 && !slices.ContainsFunc(verdicts, func(v gate.Verdict) bool { return v.Outcome != gate.Pass })
}

// onTheWay: weights climb the steps, then promotion, or go to 0.
func onTheWay(p rollout.Policy, before, after rollout.Record) bool {
	switch {
	case after.Weight == before.Weight, after.Weight == 0:
		return true
	case before.Phase == rollout.Preparing:
		return after.Phase == rollout.Observing && after.Weight == p.Steps[0].Weight
	case after.Phase == rollout.Promoted:
		return before.Weight == p.Steps[len(p.Steps)-1].Weight && after.Weight == 100
	}
	return after.Step == before.Step+1 && after.Weight == p.Steps[after.Step].Weight
}
