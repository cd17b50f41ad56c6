// Package endpointtest checks what every endpoint.Engine promises, with a real one: model
// servers that start, requests that they answer.
package endpointtest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A Subject is an engine to be checked, with a cluster that holds no endpoint.
type Subject struct {
	Engine endpoint.Engine
	// Spec returns an endpoint of this name. Its model is one of Good and Better, which serve,
	// and Broken, which never gets ready; each time it is asked for, it is the same bytes.
	Spec func(name, model string) endpoint.Spec
}

// The models that a Subject has.
const (
	Good   = "good"
	Better = "better"
	Broken = "broken"
)

// Patience is how long an engine may take for one thing.
const patience = 2 * time.Minute

// Run checks the engines that open returns, each with nothing in it.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for name, check := range map[string]func(*testing.T, Subject){
		"UnknownEndpointsAreNotFound":     unknown,
		"CreateServesWhatWasAskedFor":     create,
		"CreateRefusesWhatIsThere":        createTwice,
		"CreateHandsOverWhatNobodyClaims": handOver,
		"FailedCreateIsUndone":            failedCreate,
		"SameSpecAgainChangesNothing":     sameAgain,
		"NewRevisionIsStagedAtWeightZero": stage,
		"WindowsHoldEachAnswerOnce":       count,
		"RolloutPromotes":                 promote,
		"RejectedRevisionIsRefused":       reject,
		"StableAgainEndsTheRollout":       stableAgain,
		"InPlaceChangesKeepTheRevision":   inPlace,
		"PlannedBytesAreChecked":          expected,
		"SaveComparesVersions":            compareAndSwap,
		"ProtectionStopsDelete":           protection,
		"DeleteRefusesMidRollout":         deleteMidRollout,
		"StagedCandidateWaits":            stagedWaits,
		"StagedCandidateIsReplaced":       stagedIsReplaced,
		"ApprovalIsHeardByWhoDrives":      approve,
		"PeopleRejectCandidates":          rejectByPerson,
		"PromotionCanBeTakenBack":         keepPrevious,
		"NothingKeptIsNothingToGoBackTo":  keepNothing,
		"CandidateTakesThePreviousSlot":   candidateTakesItsPlace,
		"OnlyPeopleTakePromotionsBack":    onlyPeopleGoBack,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, open(t))
		})
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func (s Subject) id(name string) string {
	spec := s.Spec(name, Good)
	return endpoint.ID(spec.Cluster, spec.Name)
}

// created is an endpoint of the good model, claimed.
func (s Subject) created(t *testing.T, name string) endpoint.Status {
	t.Helper()
	if _, err := s.Engine.Create(within(t), s.Spec(name, Good), "maker"); err != nil {
		t.Fatalf("create: %v", err)
	}
	return s.get(t, name)
}

func (s Subject) get(t *testing.T, name string) endpoint.Status {
	t.Helper()
	st, err := s.Engine.Get(within(t), s.id(name), true)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	return st
}

func (s Subject) update(t *testing.T, spec endpoint.Spec) endpoint.Status {
	t.Helper()
	st, err := s.Engine.Update(within(t), spec)
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	return st
}

func (s Subject) load(t *testing.T, name string) (rollout.Record, rollout.Version) {
	t.Helper()
	r, v, err := s.Engine.Load(within(t), s.id(name))
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return r, v
}

// ended waits until the rollout is over.
func (s Subject) ended(t *testing.T, name string) rollout.Record {
	t.Helper()
	return s.await(t, name, func(r rollout.Record) bool { return r.Phase.Final() })
}

func (s Subject) await(t *testing.T, name string, ok func(rollout.Record) bool) rollout.Record {
	t.Helper()
	for ctx := within(t); ; {
		r, _ := s.load(t, name)
		if ok(r) {
			return r
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the rollout is %s, weight %d, and stays so", r.Phase, r.Weight)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func unknown(t *testing.T, s Subject) {
	id := s.id("nobody")
	if _, err := s.Engine.Get(within(t), id, false); !errors.Is(err, endpoint.ErrNotFound) {
		t.Errorf("get: %v: want ErrNotFound", err)
	}
	if _, err := s.Engine.Update(within(t), s.Spec("nobody", Good)); !errors.Is(err, endpoint.ErrNotFound) {
		t.Errorf("update: %v: want ErrNotFound", err)
	}
	if _, _, err := s.Engine.Load(within(t), id); !errors.Is(err, rollout.ErrNotFound) {
		t.Errorf("load: %v: want rollout.ErrNotFound", err)
	}
	if _, err := s.Engine.Save(within(t), id, rollout.Record{}, ""); !errors.Is(err, rollout.ErrNotFound) {
		t.Errorf("save: %v: want rollout.ErrNotFound", err)
	}
	if err := s.Engine.Delete(within(t), id); err != nil {
		t.Errorf("delete: %v: want none to be fine", err)
	}
}

func create(t *testing.T, s Subject) {
	spec := s.Spec("made", Good)
	spec.Env.Secrets = map[string]string{"TOKEN": "s3cret"}
	st, err := s.Engine.Create(within(t), spec, "maker")
	if err != nil {
		t.Fatal(err)
	}
	if !st.Ready || st.URL == "" || st.Problem != "" {
		t.Errorf("ready %v at %q, problem %q: want it to serve", st.Ready, st.URL, st.Problem)
	}
	rev, err := endpoint.Capture(within(t), spec)
	if err != nil {
		t.Fatal(err)
	}
	if st.Stable != rev {
		t.Errorf("stable %+v: want %+v", st.Stable, rev)
	}
	if st.Spec.Env.Secrets != nil {
		t.Error("the status holds secrets")
	}
	spec.Env.Secrets = nil
	if !reflect.DeepEqual(st.Spec, spec) {
		t.Errorf("spec\n%+v: want\n%+v", st.Spec, spec)
	}
	if r, _ := s.load(t, "made"); r.Phase != "" {
		t.Errorf("phase %q: want no rollout", r.Phase)
	}
}

func createTwice(t *testing.T, s Subject) {
	spec := s.Spec("twice", Good)
	if _, err := s.Engine.Create(within(t), spec, "maker"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Engine.Create(within(t), spec, "maker"); !errors.Is(err, endpoint.ErrExists) {
		t.Errorf("by the same maker: %v: want ErrExists", err)
	}
	s.get(t, "twice")
	if _, err := s.Engine.Create(within(t), spec, "another"); !errors.Is(err, endpoint.ErrExists) {
		t.Errorf("of a claimed one: %v: want ErrExists", err)
	}
}

func handOver(t *testing.T, s Subject) {
	spec := s.Spec("left", Good)
	first, err := s.Engine.Create(within(t), spec, "dead")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Engine.Create(within(t), s.Spec("left", Better), "another"); !errors.Is(err, endpoint.ErrExists) {
		t.Errorf("with another model: %v: want ErrExists", err)
	}
	second, err := s.Engine.Create(within(t), spec, "another")
	if err != nil || second.URL != first.URL {
		t.Errorf("%+v, %v: want what the first maker made", second, err)
	}
}

func failedCreate(t *testing.T, s Subject) {
	if _, err := s.Engine.Create(within(t), s.Spec("failed", Broken), "maker"); err == nil {
		t.Error("a broken model was created")
	}
	if _, err := s.Engine.Get(within(t), s.id("failed"), false); !errors.Is(err, endpoint.ErrNotFound) {
		t.Errorf("get: %v: want ErrNotFound", err)
	}
	s.created(t, "failed")
}

func sameAgain(t *testing.T, s Subject) {
	before := s.created(t, "same")
	_, v := s.load(t, "same")
	after := s.update(t, s.Spec("same", Good))
	if !reflect.DeepEqual(before, after) {
		t.Errorf("status\n%+v: want\n%+v", after, before)
	}
	if _, now := s.load(t, "same"); now != v {
		t.Errorf("version %s: want %s", now, v)
	}
}

func stage(t *testing.T, s Subject) {
	before := s.created(t, "staged")
	after := s.update(t, s.Spec("staged", Better))
	if after.Stable != before.Stable || !reflect.DeepEqual(after.Spec.Model, before.Spec.Model) || !after.Ready {
		t.Errorf("%+v: want the stable revision to serve as before", after)
	}
	r, _ := s.load(t, "staged")
	if r.Phase != rollout.Preparing || r.Weight != 0 || r.Approved != 0 || r.Stable != before.Stable.Digest {
		t.Errorf("%s, weight %d, approved %d, stable %s: want a rollout that prepares", r.Phase, r.Weight, r.Approved, r.Stable)
	}
	ready := s.await(t, "staged", func(r rollout.Record) bool { return !r.Ready.IsZero() })
	if ready.Weight != 0 {
		t.Errorf("weight %d without a runner", ready.Weight)
	}
	s.update(t, s.Spec("staged", Better))
	if again, _ := s.load(t, "staged"); again.ID != r.ID {
		t.Error("the candidate asked for again began another rollout")
	}
	windows, c, err := s.Engine.Count(within(t), s.id("staged"), nil)
	if err != nil || len(windows) != 0 || len(c) == 0 {
		t.Errorf("%v, %s, %v: want a cursor at now", windows, c, err)
	}
}

// drive takes the endpoint's rollout over, and to the phase, as a runner would.
func (s Subject) drive(t *testing.T, name string, phase rollout.Phase) rollout.Record {
	t.Helper()
	s.await(t, name, func(r rollout.Record) bool { return !r.Ready.IsZero() })
	r, v := s.load(t, name)
	r.Epoch, r.Runner, r.Renewed, r.Phase = r.Epoch+1, "the contract's test", time.Now(), phase
	r.Weight, r.Approved = 100, 100
	if phase == rollout.RolledBack {
		r.Weight, r.Approved = 0, 0
		r.Failure = &rollout.Failure{Kind: rollout.KindGate, Gate: "errors", Rejected: true, Reason: "It fails too often.", At: time.Now()}
	}
	if _, err := s.Engine.Save(within(t), s.id(name), r, v); err != nil {
		t.Fatalf("save: %v", err)
	}
	return r
}

func promote(t *testing.T, s Subject) {
	before := s.created(t, "promoted")
	spec := s.Spec("promoted", Better)
	s.update(t, spec)
	r := s.drive(t, "promoted", rollout.Promoted)
	st := s.get(t, "promoted")
	if st.Stable.Digest != r.Candidate || st.Spec.Model != spec.Model || st.URL != before.URL || !st.Ready || len(st.Rejected) != 0 {
		t.Errorf("%+v: want the candidate to serve at the same address", st)
	}
	if _, v := s.load(t, "promoted"); v != "" {
		if _, err := s.Engine.Save(within(t), s.id("promoted"), rollout.Record{}, v); err == nil {
			t.Error("a record that is over was changed")
		}
	}
}

func reject(t *testing.T, s Subject) {
	before := s.created(t, "rejected")
	spec := s.Spec("rejected", Better)
	s.update(t, spec)
	r := s.drive(t, "rejected", rollout.RolledBack)
	st := s.get(t, "rejected")
	if st.Stable != before.Stable || len(st.Rejected) != 1 || st.Rejected[0].Revision != r.Candidate || st.Rejected[0].Reason != r.Failure.Reason {
		t.Errorf("%+v: want the stable revision, and the other one rejected", st)
	}
	var refused *endpoint.RejectedError
	if _, err := s.Engine.Update(within(t), spec); !errors.As(err, &refused) || refused.Rejection.Reason != r.Failure.Reason {
		t.Errorf("%v: want a RejectedError with the reason", err)
	}
	spec.Rollout.Retry = "once more"
	s.update(t, spec)
	if again, _ := s.load(t, "rejected"); again.Phase != rollout.Preparing {
		t.Errorf("phase %q: want another value of retry to let it try again", again.Phase)
	}
}

func stableAgain(t *testing.T, s Subject) {
	s.created(t, "back")
	s.update(t, s.Spec("back", Better))
	s.update(t, s.Spec("back", Good))
	r, _ := s.load(t, "back")
	if r.Phase != rollout.RolledBack || r.Failure == nil || r.Failure.Rejected {
		t.Errorf("%s, %+v: want the rollout ended, and nothing rejected", r.Phase, r.Failure)
	}
}

func inPlace(t *testing.T, s Subject) {
	before := s.created(t, "in-place")
	spec := s.Spec("in-place", Good)
	spec.Env.Values = map[string]string{"GREETING": "hello"}
	spec.Replicas = 2
	spec.Routing.StickyHeader = "X-Client"
	after := s.update(t, spec)
	if after.Stable != before.Stable || !after.Ready || !reflect.DeepEqual(after.Spec, spec) {
		t.Errorf("%+v: want %+v on the same revision", after, spec)
	}
	if r, _ := s.load(t, "in-place"); r.Phase != "" {
		t.Errorf("phase %q: want no rollout", r.Phase)
	}
}

func expected(t *testing.T, s Subject) {
	s.created(t, "planned")
	other, err := endpoint.Capture(within(t), s.Spec("planned", Good))
	if err != nil {
		t.Fatal(err)
	}
	spec := s.Spec("planned", Better)
	spec.Expected = other
	if _, err := s.Engine.Update(within(t), spec); !errors.Is(err, endpoint.ErrChanged) {
		t.Errorf("update: %v: want ErrChanged", err)
	}
	spec.Name = "planned-too"
	if _, err := s.Engine.Create(within(t), spec, "maker"); !errors.Is(err, endpoint.ErrChanged) {
		t.Errorf("create: %v: want ErrChanged", err)
	}
	if r, _ := s.load(t, "planned"); r.Phase != "" {
		t.Errorf("phase %q: want nothing touched", r.Phase)
	}
}

func compareAndSwap(t *testing.T, s Subject) {
	s.created(t, "swapped")
	s.update(t, s.Spec("swapped", Better))
	s.await(t, "swapped", func(r rollout.Record) bool { return !r.Ready.IsZero() })
	r, v := s.load(t, "swapped")
	r.Epoch, r.Runner, r.Renewed = r.Epoch+1, "one", time.Now()
	now, err := s.Engine.Save(within(t), s.id("swapped"), r, v)
	if err != nil || now == v {
		t.Fatalf("version %s after %s, %v", now, v, err)
	}
	r.Runner = "two"
	if _, err := s.Engine.Save(within(t), s.id("swapped"), r, v); !errors.Is(err, rollout.ErrConflict) {
		t.Errorf("an old version: %v: want ErrConflict", err)
	}
	if stored, _ := s.load(t, "swapped"); stored.Runner != "one" {
		t.Errorf("runner %q: want the first writer's", stored.Runner)
	}
	w, ok := s.Engine.(rollout.Watcher)
	if !ok {
		return
	}
	if err := w.Changed(within(t), s.id("swapped"), v); err != nil {
		t.Errorf("changed since an old version: %v", err)
	}
}

func protection(t *testing.T, s Subject) {
	s.created(t, "protected")
	spec := s.Spec("protected", Good)
	spec.DeletionProtection = true
	s.update(t, spec)
	if err := s.Engine.Delete(within(t), s.id("protected")); !errors.Is(err, endpoint.ErrProtected) {
		t.Errorf("%v: want ErrProtected", err)
	}
	spec.DeletionProtection = false
	s.update(t, spec)
	if err := s.Engine.Delete(within(t), s.id("protected")); err != nil {
		t.Error(err)
	}
	if _, err := s.Engine.Get(within(t), s.id("protected"), false); !errors.Is(err, endpoint.ErrNotFound) {
		t.Errorf("get: %v: want ErrNotFound", err)
	}
}

func deleteMidRollout(t *testing.T, s Subject) {
	s.created(t, "busy")
	s.update(t, s.Spec("busy", Better))
	if err := s.Engine.Delete(within(t), s.id("busy")); !errors.Is(err, endpoint.ErrBusy) {
		t.Errorf("%v: want ErrBusy", err)
	}
	s.update(t, s.Spec("busy", Good))
	if r := s.ended(t, "busy"); r.Phase != rollout.RolledBack {
		t.Errorf("phase %q", r.Phase)
	}
	if err := s.Engine.Delete(within(t), s.id("busy")); err != nil {
		t.Error(err)
	}
}
