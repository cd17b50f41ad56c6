package local_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// keeping is the spec with a policy that keeps the revision before for so long.
func keeping(s endpoint.Spec, d time.Duration) endpoint.Spec {
	p := quickPolicy()
	keep := rollout.Duration(d)
	p.Limits.KeepPrevious = &keep
	s.Rollout.Policy = p.JSON()
	return s
}

// promoted makes an endpoint of v1 whose candidate, the model m, has just been promoted.
func (l *lab) promoted(first, m model, keep time.Duration) (endpoint.Status, endpoint.Spec) {
	l.t.Helper()
	l.cluster()
	l.put("first.json", first)
	st, err := l.endpoints().Create(l.ctx(), l.spec("penguins", "first.json"), "maker")
	if err != nil {
		l.t.Fatal(err)
	}
	l.put("next.json", m)
	s := keeping(l.spec("penguins", "next.json"), keep)
	s.Runtime.StartTimeout = 5 * time.Second
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		l.t.Fatal(err)
	}
	l.promote()
	return st, s
}

// promote ends the rollout of the candidate as a runner does, without waiting for evidence.
func (l *lab) promote() {
	l.t.Helper()
	l.ready()
	r, v, err := l.endpoints().Load(l.ctx(), id)
	if err == nil {
		r.Epoch, r.Runner, r.Renewed, r.Phase, r.Weight, r.Approved = r.Epoch+1, "test", time.Now(), rollout.Promoted, 100, 100
		_, err = l.endpoints().Save(l.ctx(), id, r, v)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// ready waits until the candidate can serve.
func (l *lab) ready() {
	l.t.Helper()
	eventually(l.t, "the candidate is ready", func() bool {
		r, _, err := l.endpoints().Load(l.ctx(), id)
		return err == nil && !r.Ready.IsZero()
	})
}

func (l *lab) get() endpoint.Status {
	l.t.Helper()
	st, err := l.endpoints().Get(l.ctx(), id, true)
	if err != nil {
		l.t.Fatal(err)
	}
	return st
}

func (l *lab) goBack() (rollout.Record, error) {
	return rollout.Tell(l.ctx(), l.endpoints(), id, rollout.Rejected{By: "alice", Why: "users complain", At: time.Now()})
}

func TestGoingBackDropsNoRequestAndStartsNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	l.put("next.json", model{Name: "v2"})
	if _, err := l.endpoints().Update(l.ctx(), keeping(l.spec("penguins", "next.json"), time.Hour)); err != nil {
		t.Fatal(err)
	}
	tr := startTraffic(t, st.URL, 8)
	if _, err := rollout.Run(l.ctx(), l.endpoints(), id, quick); err != nil {
		t.Fatal(err)
	}
	eventually(t, "v2 answers", func() bool { return tr.saw(answer{Model: "v2"}) })
	warm := l.servers()
	if len(warm) != 2 {
		t.Fatalf("%d model servers, want the stable one and the one before", len(warm))
	}
	if _, err := l.goBack(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		a, _, err := ask(st.URL)
		if err != nil || a.Model != "v1" || !slices.Contains(warm, a.PID) {
			t.Fatalf("%+v, %v: want the server that was kept to answer as soon as it is saved", a, err)
		}
	}
	tr.noneDropped(t)
	eventually(t, "the rejected server has stopped", func() bool { return len(l.servers()) == 1 })
}

func TestPreviousSurvivesTheDaemonAndGoesWithTheEndpoint(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, _ := l.promoted(model{Name: "v1"}, model{Name: "v2"}, time.Hour)
	kept := l.get().Previous
	if err := syscall.Kill(l.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if offline := l.get().Previous; offline == nil || *offline != *kept {
		t.Errorf("%+v without a daemon: want %+v", offline, kept)
	}
	l.cluster() // starts the next daemon
	eventually(t, "both revisions run again", func() bool { return len(l.servers()) == 2 })
	if now := l.get().Previous; now == nil || *now != *kept {
		t.Errorf("%+v after a restart: want %+v", now, kept)
	}
	if _, err := l.goBack(); err != nil { // waits for its servers to start
		t.Fatal(err)
	}
	if a, _, err := ask(st.URL); err != nil || a.Model != "v1" {
		t.Errorf("%+v, %v", a, err)
	}
	if err := l.endpoints().Delete(l.ctx(), id); err != nil {
		t.Fatal(err)
	}
	if n := len(l.servers()); n != 0 {
		t.Errorf("%d model servers outlive their endpoint", n)
	}
}

func TestPreviousEndsWithItsTime(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.promoted(model{Name: "v1"}, model{Name: "v2"}, time.Second)
	eventually(t, "the previous revision is not kept any more", func() bool { return l.get().Previous == nil })
	eventually(t, "its server has stopped", func() bool { return len(l.servers()) == 1 })
	eventually(t, "its bytes are gone", func() bool {
		left, err := filepath.Glob(filepath.Join(l.data, "content/revisions/*"))
		return err == nil && len(left) == 1
	})
	var refused *rollout.RefusedError
	if r, err := l.goBack(); !errors.As(err, &refused) || refused.Record.ID != r.ID || !strings.Contains(err.Error(), "apply the older model") {
		t.Errorf("%v: want a refusal that says what to do", err)
	}
}

func TestPreviousFollowsChangesInPlace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, s := l.promoted(model{Name: "v1"}, model{Name: "v2"}, time.Hour)
	s.Replicas, s.Env.Values = 2, map[string]string{"GREETING": "hello"}
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both revisions have two replicas", func() bool { return len(l.servers()) == 4 })
	if _, err := l.goBack(); err != nil {
		t.Fatal(err)
	}
	if a, _, err := ask(st.URL); err != nil || a.Model != "v1" || a.Greeting != "hello" {
		t.Errorf("%+v, %v: want v1 in the environment of today", a, err)
	}
}

func TestPreviousThatCannotServeIsNotGoneBackTo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	l.put("first.json", model{Name: "v1", NeedOK: true})
	s := l.spec("penguins", "first.json")
	s.Runtime.StartTimeout = 5 * time.Second
	st, err := l.endpoints().Create(l.ctx(), s, "maker")
	if err != nil {
		t.Fatal(err)
	}
	l.put("next.json", model{Name: "v2"})
	s = keeping(l.spec("penguins", "next.json"), time.Hour)
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	l.promote()
	s.Env.Values = map[string]string{"GREETING": "bad"} // which v1 does not like
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatalf("what is kept stands in the way of what serves: %v", err)
	}
	var refused *rollout.RefusedError
	eventually(t, "going back is refused", func() bool {
		_, err = l.goBack()
		return errors.As(err, &refused)
	})
	if !strings.Contains(err.Error(), "does not serve") || !strings.Contains(err.Error(), "Traffic stays as it is") {
		t.Errorf("%v: want why, and what is safe", err)
	}
	if a, _, err := ask(st.URL); err != nil || a.Model != "v2" {
		t.Errorf("%+v, %v", a, err)
	}
}
