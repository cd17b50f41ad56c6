package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const id = "local/here/penguins"

var quick = rollout.Options{Runner: "the test", Interval: 200 * time.Millisecond}

// staged makes an endpoint of v1, and a candidate of the model m.
func staged(t *testing.T, l *lab, m model) (endpoint.Status, endpoint.Spec) {
	t.Helper()
	st := l.created("penguins")
	l.put("next.json", m)
	s := l.spec("penguins", "next.json")
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	return st, s
}

func TestBetterModelIsPromotedUnderTraffic(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, s := staged(t, l, model{Name: "v2"})
	tr := startTraffic(t, st.URL, 8)
	r, err := rollout.Run(l.ctx(), l.endpoints(), id, quick)
	if err != nil {
		t.Fatal(err)
	}
	if r.Phase != rollout.Promoted || r.Weight != 100 {
		t.Errorf("phase %s, weight %d", r.Phase, r.Weight)
	}
	eventually(t, "v2 answers", func() bool { return tr.saw(answer{Model: "v2"}) })
	tr.noneDropped(t)
	got, err := l.endpoints().Get(l.ctx(), id, true)
	if err != nil {
		t.Fatal(err)
	}
	if got.Spec.Model.URI != s.Model.URI || got.Stable.Digest != r.Candidate || got.URL != st.URL || !got.Ready {
		t.Errorf("%+v", got)
	}
	for range 20 {
		if a, _, err := ask(st.URL); err != nil || a.Model != "v2" {
			t.Fatalf("%+v, %v: want v2 for every request", a, err)
		}
	}
	if r.Verdicts[0].Seen.Candidate.Requests == 0 {
		t.Error("the gate saw no request")
	}
}

func TestBrokenModelIsRolledBackAndRejected(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, s := staged(t, l, model{Name: "v3", Every: 2})
	tr := startTraffic(t, st.URL, 8)
	r, err := rollout.Run(l.ctx(), l.endpoints(), id, quick)
	var back *rollout.RolledBackError
	if !errors.As(err, &back) || r.Failure == nil || r.Failure.Gate != "errors" {
		t.Fatalf("%v, %+v", err, r.Failure)
	}
	tr.noneDropped(t)
	for range 20 {
		if a, _, err := ask(st.URL); err != nil || a.Model != "v1" {
			t.Fatalf("%+v, %v: want v1 for every request", a, err)
		}
	}
	got, err := l.endpoints().Get(l.ctx(), id, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Rejected) != 1 || got.Rejected[0].Revision != r.Candidate || got.Rejected[0].Gate != "errors" || got.Stable.Digest != st.Stable.Digest {
		t.Fatalf("%+v", got)
	}
	var rejected *endpoint.RejectedError
	if _, err := l.endpoints().Update(l.ctx(), s); !errors.As(err, &rejected) || rejected.Rejection.Reason != r.Failure.Reason {
		t.Fatalf("%v: want it refused for the gate's reason", err)
	}
	s.Rollout.Retry = "again"
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatalf("another retry value: %v", err)
	}
}

func TestCandidateThatCannotServeIsRejectedByTheEngine(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	staged(t, l, model{Name: "dead", Exit: true})
	r := l.final()
	if r.Phase != rollout.RolledBack || r.Failure.Kind != rollout.KindCandidate || !strings.Contains(r.Failure.Reason, "model dead does not load") {
		t.Errorf("%+v", r.Failure)
	}
}

func TestCandidateThatDiesAgainAndAgainEndsTheRollout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	staged(t, l, model{Name: "v2"})
	stable := l.servers()[0] // it was there before
	deaths := 0
	for {
		r, _, err := l.endpoints().Load(l.ctx(), id)
		if err != nil {
			t.Fatal(err)
		}
		if r.Phase.Final() {
			if r.Failure.Kind != rollout.KindCandidate || deaths < 2 {
				t.Errorf("%+v after %d deaths", r.Failure, deaths)
			}
			return
		}
		for _, pid := range l.servers() {
			if !r.Ready.IsZero() && pid != stable && syscall.Kill(pid, syscall.SIGKILL) == nil {
				deaths++
			}
		}
		time.Sleep(20 * time.Millisecond) // between two looks
	}
}

// final waits for the end of the rollout.
func (l *lab) final() rollout.Record {
	l.t.Helper()
	var r rollout.Record
	eventually(l.t, "the rollout ends", func() bool {
		var err error
		r, _, err = l.endpoints().Load(l.ctx(), id)
		if err != nil {
			l.t.Fatal(err)
		}
		return r.Phase.Final()
	})
	return r
}

// pid is the daemon's process.
func (l *lab) pid() int {
	l.t.Helper()
	st, err := l.engine.Status(l.ctx())
	if err != nil || !st.Running {
		l.t.Fatalf("%+v, %v: want a daemon", st, err)
	}
	return st.PID
}

func TestKilledDaemonComesBackInMidRollout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, _ := staged(t, l, model{Name: "v2"})
	startTraffic(t, st.URL, 4)
	ctx, cancel := context.WithCancel(l.ctx())
	o := quick
	o.Freeze = true
	o.Progress = func(r rollout.Record) {
		if r.Weight > 0 {
			cancel()
		}
	}
	if _, err := rollout.Run(ctx, l.endpoints(), id, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	before, _, err := l.endpoints().Load(l.ctx(), id)
	if err != nil || before.Weight == 0 {
		t.Fatalf("weight %d, %v: want a rollout under way", before.Weight, err)
	}
	servers := l.servers()
	if err := syscall.Kill(l.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	offline, _, err := l.open().Endpoints().Load(l.ctx(), id)
	if err != nil || offline.Weight != before.Weight {
		t.Fatalf("weight %d without a daemon, %v: want %d", offline.Weight, err, before.Weight)
	}
	l.cluster() // starts the next daemon
	eventually(t, "both arms answer at the same address", func() bool {
		a, _, err := ask(st.URL)
		return err == nil && a.Model == "v2"
	})
	now := l.servers()
	if len(now) != 2 {
		t.Errorf("%d model servers run, want 2", len(now))
	}
	for _, pid := range servers {
		if slices.Contains(now, pid) {
			t.Errorf("model server %d of the killed daemon still runs", pid)
		}
	}
	if r, err := rollout.Run(l.ctx(), l.endpoints(), id, quick); err != nil || r.Phase != rollout.Promoted {
		t.Errorf("%s, %v: want the next runner to go on to the promotion", r.Phase, err)
	}
}

// servers are the process ids of the model servers below this lab's root, by /proc.
func (l *lab) servers() []int {
	l.t.Helper()
	var pids []int
	matches, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(matches) == 0 {
		l.t.Skip("needs /proc")
	}
	for _, m := range matches {
		b, err := os.ReadFile(m)
		if err == nil && strings.Contains(string(b), "serve-model") && strings.Contains(string(b), l.data) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(m)))
			if err != nil {
				l.t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestAbandonedRolloutIsClosedByTheEngine(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	l.put("next.json", model{Name: "v2"})
	s := l.spec("penguins", "next.json")
	p := quickPolicy()
	p.Limits.AbandonedAfter = rollout.Duration(10 * time.Second) // the least that is allowed
	s.Rollout.Policy = p.JSON()
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	r := l.final()
	if r.Failure == nil || r.Failure.Kind != rollout.KindAbandoned {
		t.Fatalf("%+v", r.Failure)
	}
	if got, err := l.endpoints().Get(l.ctx(), id, true); err != nil || got.Stable.Digest != st.Stable.Digest || len(got.Rejected) != 0 {
		t.Errorf("%+v, %v: want v1, and v2 not rejected", got, err)
	}
}

func TestSaveRefusesForeignVersionsEpochsAndFinalRecords(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	staged(t, l, model{Name: "v2"})
	var r rollout.Record
	var v rollout.Version
	eventually(t, "the candidate is ready", func() bool {
		var err error
		if r, v, err = l.endpoints().Load(l.ctx(), id); err != nil {
			t.Fatal(err)
		}
		return !r.Ready.IsZero()
	})
	taken := r
	taken.Epoch, taken.Runner, taken.Renewed = r.Epoch+1, "a", time.Now()
	now, err := l.endpoints().Save(l.ctx(), id, taken, v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.endpoints().Save(l.ctx(), id, r, v); !errors.Is(err, rollout.ErrConflict) {
		t.Errorf("an old version: %v", err)
	}
	if _, err := l.endpoints().Save(l.ctx(), id, r, now); !errors.Is(err, rollout.ErrConflict) {
		t.Errorf("an earlier epoch: %v", err)
	}
	for name, change := range map[string]func(*rollout.Record){
		"more than approved":   func(r *rollout.Record) { r.Phase, r.Weight, r.Approved = rollout.Observing, 50, 10 },
		"of another candidate": func(r *rollout.Record) { r.Candidate = "sha256:other" },
		"an unknown phase":     func(r *rollout.Record) { r.Phase = "flying" },
		"promoted at 10":       func(r *rollout.Record) { r.Phase, r.Weight, r.Approved = rollout.Promoted, 10, 10 },
		"back without reason":  func(r *rollout.Record) { r.Phase, r.Weight = rollout.RolledBack, 0 },
		"another policy":       func(r *rollout.Record) { r.Policy = []byte(`{"schema":1}`) },
		"of a later program":   func(r *rollout.Record) { r.Schema++ },
	} {
		other := taken
		change(&other)
		if _, err := l.endpoints().Save(l.ctx(), id, other, now); err == nil {
			t.Errorf("a record %s was saved", name)
		}
	}
	if _, err := rollout.Run(l.ctx(), l.endpoints(), "local/here/nobody", quick); !errors.Is(err, rollout.ErrNotFound) {
		t.Errorf("no such endpoint: %v", err)
	}
}

func TestSecondUpdateWaitsForALivingRunnerAndReplacesADeadOne(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	staged(t, l, model{Name: "v2"})
	r, v, err := l.endpoints().Load(l.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	p, err := rollout.ParsePolicy(r.Policy)
	if err != nil {
		t.Fatal(err)
	}
	for { // the engine writes that the candidate is ready
		_, err = l.endpoints().Save(l.ctx(), id, rollout.Next(p, r, rollout.TakenOver{Runner: "a colleague", At: time.Now()}), v)
		if !errors.Is(err, rollout.ErrConflict) {
			break
		}
		if r, v, err = l.endpoints().Load(l.ctx(), id); err != nil {
			t.Fatal(err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	l.put("third.json", model{Name: "v3"})
	s := l.spec("penguins", "third.json")
	if _, err := l.endpoints().Update(l.ctx(), s); !errors.Is(err, endpoint.ErrBusy) || !strings.Contains(err.Error(), "a colleague") {
		t.Fatalf("%v: want busy, and by whom", err)
	}
	if err := l.endpoints().Delete(l.ctx(), id); !errors.Is(err, endpoint.ErrBusy) {
		t.Errorf("delete in mid-rollout: %v", err)
	}
	time.Sleep(rollout.Lease) // nothing else tells a dead runner
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	if now, _, err := l.endpoints().Load(l.ctx(), id); err != nil || now.Candidate == r.Candidate || now.Phase != rollout.Preparing {
		t.Errorf("%+v, %v: want a rollout of the third model", now, err)
	}
}
