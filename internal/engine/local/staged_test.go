package local_test

import (
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// stagedFor makes an endpoint of v1, and stages v2 for whoever promotes it.
func stagedFor(t *testing.T, l *lab) endpoint.Status {
	t.Helper()
	st := l.created("penguins")
	l.put("next.json", model{Name: "v2"})
	s := l.spec("penguins", "next.json")
	s.Rollout.Run = endpoint.Staged
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	l.ready()
	return st
}

func TestStagedCandidateOutlivesTheDaemonAndIsPromotedLater(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := stagedFor(t, l)
	before, _, err := l.endpoints().Load(l.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(l.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	l.cluster() // starts the next daemon
	tr := startTraffic(t, st.URL, 4)
	eventually(t, "the candidate is warm again", func() bool { return len(l.servers()) == 2 })
	eventually(t, "v1 answers", func() bool { return tr.saw(answer{Model: "v1"}) })
	if tr.saw(answer{Model: "v2"}) {
		t.Error("a staged candidate answered a user")
	}
	began := time.Now()
	r, err := rollout.Run(l.ctx(), l.endpoints(), id, quick)
	if err != nil || r.Phase != rollout.Promoted || r.ID != before.ID {
		t.Fatalf("%s, %v: want what was staged promoted", r.Phase, err)
	}
	if r.Before.Since.Before(began.Add(-time.Second)) || r.Opened.Before(began.Add(-time.Second)) {
		t.Errorf("counted since %s, opened %s: want from when the runner came, %s", r.Before.Since, r.Opened, began)
	}
}

func TestStagedCandidateMayDieAsOftenAsItComesBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := stagedFor(t, l)
	stable, _, err := ask(st.URL)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		var victim int
		eventually(t, "the candidate runs", func() bool {
			for _, pid := range l.servers() {
				if pid != stable.PID {
					victim = pid
					return syscall.Kill(pid, syscall.SIGKILL) == nil
				}
			}
			return false
		})
		eventually(t, "it is dead", func() bool { return !slices.Contains(l.servers(), victim) })
	}
	eventually(t, "the candidate runs again", func() bool { return len(l.servers()) == 2 })
	if r, _, err := l.endpoints().Load(l.ctx(), id); err != nil || r.Phase != rollout.Preparing {
		t.Errorf("%s, %+v, %v: want it to wait on", r.Phase, r.Failure, err)
	}
}

// approving is the quick policy with one step that needs an approval.
func approving(s endpoint.Spec, change func(*rollout.Limits)) endpoint.Spec {
	p := quickPolicy()
	p.Steps = []rollout.Step{{Weight: 50, Approval: true}}
	change(&p.Limits)
	s.Rollout.Policy = p.JSON()
	return s
}

func TestRolloutAwaitsItsApprovalThroughARestart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	l.put("next.json", model{Name: "v2"})
	if _, err := l.endpoints().Update(l.ctx(), approving(l.spec("penguins", "next.json"), func(*rollout.Limits) {})); err != nil {
		t.Fatal(err)
	}
	startTraffic(t, st.URL, 4)
	ended, waits := make(chan error, 1), make(chan struct{})
	ctx, runner, o := l.ctx(), l.open(), quick
	once := sync.OnceFunc(func() { close(waits) })
	o.Progress = func(r rollout.Record) {
		if r.Phase == rollout.AwaitingApproval {
			once()
		}
	}
	go func() {
		_, err := rollout.Run(ctx, runner.Endpoints(), id, o)
		ended <- err
	}()
	load := func() rollout.Record {
		r, _, err := l.endpoints().Load(l.ctx(), id)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	select {
	case <-waits:
	case err := <-ended:
		t.Fatalf("%v: want it to wait for an approval", err)
	}
	if err := syscall.Kill(l.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	seen := load().Evidence.Seen.Candidate.Requests
	eventually(t, "counting goes on with another daemon", func() bool { return load().Evidence.Seen.Candidate.Requests > seen })
	if r := load(); r.Phase != rollout.AwaitingApproval || r.Weight != 50 {
		t.Errorf("%s, weight %d: want it to wait as before", r.Phase, r.Weight)
	}
	if _, err := rollout.Tell(l.ctx(), l.endpoints(), id, rollout.Approved{By: "alice", How: "by the test", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	r := load()
	if r.Phase != rollout.Promoted || !slices.ContainsFunc(r.History, func(e rollout.Entry) bool { return strings.Contains(e.Sentence, "alice") }) {
		t.Errorf("%s, %+v: want it promoted, and who let it", r.Phase, r.History)
	}
}

func TestWaitForAnApprovalIsAbandonedWithoutARunner(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	l.put("next.json", model{Name: "v2"})
	s := approving(l.spec("penguins", "next.json"), func(limits *rollout.Limits) {
		limits.AbandonedAfter = rollout.Duration(10 * time.Second) // the least that is allowed
	})
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	l.ready()
	r, v, err := l.endpoints().Load(l.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	r.Epoch, r.Runner, r.Renewed, r.AwaitingSince = 1, "test", time.Now(), time.Now()
	r.Phase, r.Weight, r.Approved = rollout.AwaitingApproval, 50, 50
	if _, err := l.endpoints().Save(l.ctx(), id, r, v); err != nil {
		t.Fatal(err)
	}
	if r := l.final(); r.Failure == nil || r.Failure.Kind != rollout.KindAbandoned || r.Weight != 0 {
		t.Errorf("%+v, weight %d", r.Failure, r.Weight)
	}
}

func TestDeleteSaysHowToEndWhatIsStaged(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	stagedFor(t, l)
	err := l.endpoints().Delete(l.ctx(), id)
	if err == nil || !strings.Contains(err.Error(), "tidegate cancel "+id) {
		t.Errorf("%v: want how to end it", err)
	}
}
