package endpointtest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// policy returns the endpoint's policy, changed.
func (s Subject) policy(t *testing.T, spec endpoint.Spec, change func(*rollout.Policy)) endpoint.Spec {
	t.Helper()
	p := rollout.DefaultPolicy()
	if spec.Rollout.Policy != "" {
		var err error
		if p, err = rollout.ParsePolicy([]byte(spec.Rollout.Policy)); err != nil {
			t.Fatal(err)
		}
	}
	change(&p)
	spec.Rollout.Policy = p.JSON()
	return spec
}

// tell says a person's word, as the command line does.
func (s Subject) tell(t *testing.T, name string, e rollout.Event) rollout.Record {
	t.Helper()
	r, err := rollout.Tell(within(t), s.Engine, s.id(name), e)
	if err != nil {
		t.Fatalf("tell %T: %v", e, err)
	}
	return r
}

func stagedWaits(t *testing.T, s Subject) {
	before := s.created(t, "waiting")
	spec := s.policy(t, s.Spec("waiting", Better), func(p *rollout.Policy) {
		p.Limits.AbandonedAfter = rollout.Duration(2 * rollout.Lease) // the least
	})
	spec.Rollout.Run = endpoint.Staged
	s.update(t, spec)
	r := s.await(t, "waiting", func(r rollout.Record) bool { return !r.Ready.IsZero() })
	if !r.Staged || r.Phase != rollout.Preparing || r.Weight != 0 || r.Epoch != 0 {
		t.Errorf("%s, weight %d, staged %v: want a candidate that waits, ready", r.Phase, r.Weight, r.Staged)
	}
	st := s.get(t, "waiting")
	if st.Stable != before.Stable || st.Candidate == nil || st.Candidate.Revision.Digest != r.Candidate ||
		st.Candidate.Model != spec.Model || !reflect.DeepEqual(st.Candidate.Runtime, spec.Runtime) {
		t.Errorf("candidate %+v of %+v: want what was staged, in its maker's words", st.Candidate, st.Stable)
	}
	time.Sleep(2*rollout.Lease + time.Second) // no other sign: nothing happens
	later, _ := s.load(t, "waiting")
	if later.Phase != rollout.Preparing {
		t.Errorf("%s, %+v: want it to wait for as long as it takes", later.Phase, later.Failure)
	}
	spec.Replicas = 2
	s.update(t, spec)
	if again, _ := s.load(t, "waiting"); again.ID != r.ID {
		t.Error("a change in place began another rollout")
	}
	if got := s.tell(t, "waiting", rollout.Cancelled{Why: "nobody wants it", At: time.Now()}); got.Phase != rollout.RolledBack {
		t.Errorf("phase %q after it was cancelled", got.Phase)
	}
	if st := s.get(t, "waiting"); st.Candidate != nil || len(st.Rejected) != 0 {
		t.Errorf("%+v: want no candidate, and nothing rejected", st)
	}
}

func stagedIsReplaced(t *testing.T, s Subject) {
	s.created(t, "replaced")
	spec := s.Spec("replaced", Broken)
	spec.Rollout.Run = endpoint.Staged
	s.update(t, spec)
	first, _ := s.load(t, "replaced")
	spec = s.Spec("replaced", Better)
	spec.Rollout.Run = endpoint.Staged
	s.update(t, spec)
	second, _ := s.load(t, "replaced")
	if second.ID == first.ID || second.Phase != rollout.Preparing || !second.Staged {
		t.Errorf("%s of %s: want a rollout of the second model, staged", second.Phase, second.Candidate)
	}
	spec = s.Spec("replaced", Good)
	spec.Rollout.Run = endpoint.Staged
	s.update(t, spec)
	if r, _ := s.load(t, "replaced"); r.Phase != rollout.RolledBack || r.Failure.Kind != rollout.KindSuperseded || r.Failure.Rejected {
		t.Errorf("%s, %+v: want the stable model to end it", r.Phase, r.Failure)
	}
}

// awaiting drives the endpoint's rollout to a wait for an approval, as a runner would.
func (s Subject) awaiting(t *testing.T, name string) (rollout.Record, rollout.Version) {
	t.Helper()
	s.created(t, name)
	spec := s.policy(t, s.Spec(name, Better), func(p *rollout.Policy) {
		p.Steps = []rollout.Step{{Weight: 25, Approval: true}}
	})
	s.update(t, spec)
	s.await(t, name, func(r rollout.Record) bool { return !r.Ready.IsZero() })
	r, v := s.load(t, name)
	r.Epoch, r.Runner, r.Renewed, r.AwaitingSince = r.Epoch+1, "the contract's test", time.Now(), time.Now()
	r.Phase, r.Weight, r.Approved = rollout.AwaitingApproval, 25, 25
	v, err := s.Engine.Save(within(t), s.id(name), r, v)
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return r, v
}

func approve(t *testing.T, s Subject) {
	r, v := s.awaiting(t, "approved")
	heard := make(chan error, 1)
	if w, ok := s.Engine.(rollout.Watcher); ok {
		ctx := within(t)
		go func() { heard <- w.Changed(ctx, s.id("approved"), v) }()
	} else {
		heard <- nil
	}
	s.tell(t, "approved", rollout.Approved{By: "alice", How: "by the contract", At: time.Now()})
	if err := <-heard; err != nil {
		t.Errorf("who drives does not hear of it: %v", err)
	}
	got, _ := s.load(t, "approved")
	if got.Approval == nil || got.Approval.By != "alice" || got.Approval.How != "by the contract" || got.Epoch != r.Epoch || got.Weight != 25 {
		t.Errorf("%+v, epoch %d, weight %d: want alice's word, and nothing else changed", got.Approval, got.Epoch, got.Weight)
	}
	var refused *rollout.RefusedError
	if _, err := rollout.Tell(within(t), s.Engine, s.id("approved"), rollout.Approved{By: "bob", At: time.Now()}); !errors.As(err, &refused) {
		t.Errorf("a second approval: %v: want it refused", err)
	}
}

func rejectByPerson(t *testing.T, s Subject) {
	r, _ := s.awaiting(t, "disliked")
	s.tell(t, "disliked", rollout.Rejected{By: "alice", Why: "it is rude", At: time.Now()})
	st := s.get(t, "disliked")
	if st.Stable.Digest != r.Stable || st.Candidate != nil || len(st.Rejected) != 1 || !strings.Contains(st.Rejected[0].Reason, "it is rude") {
		t.Errorf("%+v: want the candidate off, and rejected with the reason", st)
	}
}

func keepPrevious(t *testing.T, s Subject) {
	before := s.created(t, "kept")
	spec := s.policy(t, s.Spec("kept", Better), keepFor(time.Hour))
	s.update(t, spec)
	s.drive(t, "kept", rollout.Promoted)
	st := s.get(t, "kept")
	left := time.Hour
	if st.Previous != nil {
		left = time.Until(st.Previous.Until)
	}
	if st.Previous == nil || st.Previous.Revision != before.Stable || st.Previous.Model != before.Spec.Model || left > time.Hour || left < time.Hour/2 {
		t.Fatalf("previous %+v: want %+v, for an hour", st.Previous, before.Stable)
	}
	r := s.tell(t, "kept", rollout.Rejected{By: "alice", How: "by the contract", Why: "users complain", At: time.Now()})
	if r.Phase != rollout.RolledBack || r.Weight != 0 {
		t.Errorf("%s, weight %d: want it taken back", r.Phase, r.Weight)
	}
	st = s.get(t, "kept")
	if st.Stable != before.Stable || st.Spec.Model != before.Spec.Model || !st.Ready || st.Previous != nil || st.Candidate != nil {
		t.Errorf("%+v: want what served before to serve again", st)
	}
	if len(st.Rejected) != 1 || st.Rejected[0].Revision != r.Candidate || !strings.Contains(st.Rejected[0].Reason, "users complain") {
		t.Errorf("rejected %+v: want the one that was promoted", st.Rejected)
	}
	var rejected *endpoint.RejectedError
	if _, err := s.Engine.Update(within(t), spec); !errors.As(err, &rejected) {
		t.Errorf("%v: want it not to be tried again", err)
	}
	var refused *rollout.RefusedError
	if _, err := rollout.Tell(within(t), s.Engine, s.id("kept"), rollout.Rejected{By: "bob", At: time.Now()}); !errors.As(err, &refused) {
		t.Errorf("once more: %v: want it refused", err)
	}
}

func keepNothing(t *testing.T, s Subject) {
	s.created(t, "not-kept")
	s.update(t, s.policy(t, s.Spec("not-kept", Better), keepFor(0)))
	s.drive(t, "not-kept", rollout.Promoted)
	if st := s.get(t, "not-kept"); st.Previous != nil {
		t.Errorf("previous %+v: want none", st.Previous)
	}
	var refused *rollout.RefusedError
	_, err := rollout.Tell(within(t), s.Engine, s.id("not-kept"), rollout.Rejected{By: "alice", At: time.Now()})
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "apply the older model") {
		t.Errorf("%v: want a refusal that says what to do", err)
	}
	if r, _ := s.load(t, "not-kept"); r.Phase != rollout.Promoted {
		t.Errorf("phase %q: want it to stay promoted", r.Phase)
	}
}

// candidateTakesItsPlace: there are two slots.
func candidateTakesItsPlace(t *testing.T, s Subject) {
	s.created(t, "displaced")
	s.update(t, s.policy(t, s.Spec("displaced", Better), keepFor(time.Hour)))
	s.drive(t, "displaced", rollout.Promoted)
	s.update(t, s.policy(t, s.Spec("displaced", Good), keepFor(time.Hour)))
	st := s.get(t, "displaced")
	if st.Previous != nil || st.Candidate == nil {
		t.Fatalf("previous %+v, candidate %+v: want the candidate alone", st.Previous, st.Candidate)
	}
	r := s.drive(t, "displaced", rollout.Promoted)
	if st := s.get(t, "displaced"); st.Stable.Digest != r.Candidate || st.Previous == nil || st.Previous.Revision.Digest != r.Stable {
		t.Errorf("%+v: want the older model back by a rollout, and the newer one kept", st)
	}
}

func keepFor(d time.Duration) func(*rollout.Policy) {
	return func(p *rollout.Policy) {
		keep := rollout.Duration(d)
		p.Limits.KeepPrevious = &keep
	}
}

// onlyPeopleGoBack: a promotion that is over is changed by nothing else.
func onlyPeopleGoBack(t *testing.T, s Subject) {
	s.created(t, "settled")
	s.update(t, s.Spec("settled", Better))
	s.drive(t, "settled", rollout.Promoted)
	r, v := s.load(t, "settled")
	ctx := within(t)
	for name, change := range map[string]func(*rollout.Record){
		"a gate's failure":     func(r *rollout.Record) { r.Failure.Kind = rollout.KindGate },
		"weight without phase": func(r *rollout.Record) { r.Phase, r.Failure, r.Weight = rollout.Observing, nil, 50 },
		"another epoch":        func(r *rollout.Record) { r.Epoch++ },
		"no reason":            func(r *rollout.Record) { r.Failure = nil },
		"another stable":       func(r *rollout.Record) { r.Stable = r.Candidate },
	} {
		other := r
		other.Phase, other.Weight, other.Approved = rollout.RolledBack, 0, 0
		other.Failure = &rollout.Failure{Kind: rollout.KindOperator, Rejected: true, Reason: "It is.", At: time.Now()}
		change(&other)
		if _, err := s.Engine.Save(ctx, s.id("settled"), other, v); err == nil {
			t.Errorf("%s: it was saved", name)
		}
	}
}
