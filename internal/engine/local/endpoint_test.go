package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestFailedCreateLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	for name, c := range map[string]struct {
		m    model
		want string
	}{
		"exits":       {model{Name: "m", Exit: true}, "model m does not load"},
		"never ready": {model{Name: "m", Never: true}, "ready"},
	} {
		l.put("bad.json", c.m)
		s := l.spec("penguins", "bad.json")
		s.Runtime.StartTimeout = 2 * time.Second
		_, err := l.endpoints().Create(l.ctx(), s, "maker")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := l.spec("penguins", "missing.json")
	if _, err := l.endpoints().Create(l.ctx(), s, "maker"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no model: %v", err)
	}
	s = l.spec("penguins", "bad.json")
	s.Runtime.Command = []string{"no-such-program-anywhere"}
	if _, err := l.endpoints().Create(l.ctx(), s, "maker"); err == nil || !strings.Contains(err.Error(), "no-such-program-anywhere") {
		t.Errorf("no command: %v", err)
	}
	if _, err := l.endpoints().Get(l.ctx(), id, true); !errors.Is(err, endpoint.ErrNotFound) {
		t.Errorf("an endpoint is left: %v", err)
	}
	if n := len(l.servers()); n != 0 {
		t.Errorf("%d model servers are left", n)
	}
	eventually(t, "staged bytes are gone", func() bool {
		left, err := filepath.Glob(filepath.Join(l.data, "content/*/*"))
		return err == nil && len(left) <= 1 // blobs/sha256 itself
	})
}

func TestCreateThatIsToldToStopIsUndone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	l.put("slow.json", model{Name: "m", Never: true})
	ctx, cancel := context.WithCancel(l.ctx())
	go func() {
		eventually(t, "the model server starts", func() bool { return len(l.servers()) == 1 })
		cancel()
	}()
	if _, err := l.endpoints().Create(ctx, l.spec("penguins", "slow.json"), "maker"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v: want it cancelled", err)
	}
	if n := len(l.servers()); n != 0 {
		t.Errorf("%d model servers are left", n)
	}
	l.created("penguins") // the name is free again
}

func TestKilledCreateIsFinishedByTheNextWithTheSameSpec(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	l.put("m.json", model{Name: "m", Delay: 2 * time.Second})
	s := l.spec("penguins", "m.json")
	go func() { // the maker waits for a daemon that is killed, and goes on by itself
		_, _ = l.open().Endpoints().Create(l.ctx(), s, "first")
	}()
	eventually(t, "the model server starts", func() bool { return len(l.servers()) == 1 })
	if _, err := l.endpoints().Get(l.ctx(), id, true); !errors.Is(err, endpoint.ErrNotFound) {
		t.Errorf("%v: want no endpoint before it served", err)
	}
	other := s
	other.Replicas = 2
	if _, err := l.endpoints().Create(l.ctx(), other, "second"); !errors.Is(err, endpoint.ErrExists) {
		t.Errorf("%v: want a living maker to be respected", err)
	}
	if err := syscall.Kill(l.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is finished", func() bool {
		st, err := l.endpoints().Get(l.ctx(), id, false)
		return err == nil && st.Ready
	})
	if n := len(l.servers()); n != 1 {
		t.Errorf("%d model servers, want 1", n)
	}
	if _, err := l.endpoints().Create(l.ctx(), s, "first"); !errors.Is(err, endpoint.ErrExists) || !strings.Contains(err.Error(), "two endpoints") {
		t.Errorf("%v: want two endpoints of one name refused", err)
	}
	if _, err := l.endpoints().Create(l.ctx(), s, "second"); err != nil {
		t.Errorf("%v: want what a dead maker left", err)
	}
	if _, err := l.endpoints().Get(l.ctx(), id, true); err != nil {
		t.Fatal(err)
	}
	if _, err := l.endpoints().Create(l.ctx(), s, "third"); !errors.Is(err, endpoint.ErrExists) || !strings.Contains(err.Error(), "terraform import") {
		t.Errorf("%v: want what is in a state to be left alone", err)
	}
}

func TestUnfinishedCreateWithAnotherSpecIsReplaced(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	l.put("never.json", model{Name: "never", Never: true})
	ctx, dies := context.WithCancel(l.ctx())
	go func() { // a maker that says nothing more
		_ = l.postAndVanish(ctx, l.spec("penguins", "never.json"))
	}()
	eventually(t, "the model server starts", func() bool { return len(l.servers()) == 1 })
	dies()
	l.put("m.json", model{Name: "m"})
	var st endpoint.Status
	eventually(t, "the next maker gets the name", func() bool { // the daemon has to notice the death
		var err error
		st, err = l.endpoints().Create(l.ctx(), l.spec("penguins", "m.json"), "second")
		return err == nil
	})
	if a, _, err := ask(st.URL); err != nil || a.Model != "m" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestBytesThatAreNotThePlannedOnesAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	s := l.spec("penguins", "penguins.json")
	l.put("penguins.json", model{Name: "planned"})
	planned, err := endpoint.Capture(l.ctx(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.Expected = planned
	l.put("penguins.json", model{Name: "changed since"})
	if _, err := l.endpoints().Update(l.ctx(), s); !errors.Is(err, endpoint.ErrChanged) {
		t.Errorf("%v", err)
	}
	if r, _, err := l.endpoints().Load(l.ctx(), id); err != nil || r.Phase != "" {
		t.Errorf("%+v, %v: want no rollout", r, err)
	}
	if a, _, err := ask(st.URL); err != nil || a.Model != "v1" {
		t.Errorf("%+v, %v: what is done to the source must not change what serves", a, err)
	}
}

func TestEnvironmentAndReplicasChangeInPlaceUnderLoad(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	tr := startTraffic(t, st.URL, 4)
	s := l.spec("penguins", "penguins.json")
	for _, step := range []struct {
		greeting string
		replicas int
	}{{"hello", 1}, {"hello", 3}, {"goodbye", 2}, {"goodbye", 1}} {
		s.Env.Values = map[string]string{"GREETING": step.greeting}
		s.Replicas = step.replicas
		got, err := l.endpoints().Update(l.ctx(), s)
		if err != nil {
			t.Fatal(err)
		}
		if got.Spec.Replicas != step.replicas || got.Spec.Env.Values["GREETING"] != step.greeting || !got.Ready {
			t.Errorf("%+v", got)
		}
		eventually(t, "the answers are of the new environment", func() bool {
			a, _, err := ask(st.URL)
			return err == nil && a.Greeting == step.greeting
		})
		eventually(t, "the servers are as many", func() bool { return len(l.servers()) == step.replicas })
	}
	tr.noneDropped(t)
	_, v, err := l.endpoints().Load(l.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	if _, now, err := l.endpoints().Load(l.ctx(), id); err != nil || now != v {
		t.Errorf("version %s, then %s, %v: the same spec again changed something", v, now, err)
	}
}

func TestEnvironmentThatDoesNotServeIsNotTaken(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	l.put("m.json", model{Name: "m", NeedOK: true})
	s := l.spec("penguins", "m.json")
	s.Runtime.StartTimeout = 3 * time.Second
	s.Env.Values = map[string]string{"GREETING": "good"}
	st, err := l.endpoints().Create(l.ctx(), s, "maker")
	if err != nil {
		t.Fatal(err)
	}
	tr := startTraffic(t, st.URL, 2)
	s.Env.Values = map[string]string{"GREETING": "bad"}
	got, err := l.endpoints().Update(l.ctx(), s)
	if err == nil || got.Spec.Env.Values["GREETING"] != "good" || !got.Ready {
		t.Errorf("%+v, %v: want an error, and the old environment", got, err)
	}
	tr.noneDropped(t)
	if tr.saw(answer{Model: "m", Greeting: "bad"}) {
		t.Error("a user met the environment that does not serve")
	}
	eventually(t, "what was tried has stopped", func() bool { return len(l.servers()) == 1 })
}

func TestStableModelAskedForAgainEndsTheRollout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, s := staged(t, l, model{Name: "v2"})
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatalf("the candidate again: %v", err)
	}
	if r, _, err := l.endpoints().Load(l.ctx(), id); err != nil || r.Phase.Final() {
		t.Fatalf("%s, %v: want the rollout to go on", r.Phase, err)
	}
	got, err := l.endpoints().Update(l.ctx(), l.spec("penguins", "penguins.json"))
	if err != nil || got.Stable != st.Stable {
		t.Fatalf("%+v, %v", got, err)
	}
	r, _, err := l.endpoints().Load(l.ctx(), id)
	if err != nil || r.Failure == nil || r.Failure.Kind != rollout.KindSuperseded {
		t.Errorf("%+v, %v", r, err)
	}
	eventually(t, "the candidate has stopped", func() bool { return len(l.servers()) == 1 })
}

func TestTakenPortIsSaid(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	if _, err := l.engine.Stop(l.ctx()); err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(st.URL, "http://")
	taker, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	l.cluster()
	_, port, _ := net.SplitHostPort(addr)
	eventually(t, "the status says so", func() bool {
		got, err := l.endpoints().Get(l.ctx(), id, true)
		return err == nil && !got.Ready && strings.Contains(got.Problem, port)
	})
	if err := taker.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is taken back", func() bool { _, code, err := ask(st.URL); return err == nil && code == 200 })
}

func TestSecretsStayInTheStore(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-the-secret"
	l := newLab(t)
	l.cluster()
	l.put("m.json", model{Name: "m"})
	s := l.spec("penguins", "m.json")
	s.Env.Secrets = map[string]string{"GREETING": secret}
	st, err := l.endpoints().Create(l.ctx(), s, "maker")
	if err != nil {
		t.Fatal(err)
	}
	s.Env.Secrets, s.Replicas = nil, 2
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	if a, _, err := ask(st.URL); err != nil || a.Greeting != secret {
		t.Errorf("%+v, %v: want no secrets to mean the ones before", a, err)
	}
	l.put("tells.json", model{Name: "tells", Exit: true, Prints: "GREETING"})
	if _, err := l.endpoints().Update(l.ctx(), l.spec("penguins", "tells.json")); err != nil {
		t.Fatal(err)
	}
	r := l.final() // the reason holds the end of the server's log
	status, err := l.engine.Status(l.ctx())
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.endpoints().Get(l.ctx(), id, true)
	if err != nil {
		t.Fatal(err)
	}
	said, err := json.Marshal([]any{st, r, status, got})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(said, []byte(secret)) {
		t.Errorf("an answer holds the secret: %s", said)
	}
	for _, name := range []string{"engine.json", "daemon.log", "start.log"} {
		b, err := os.ReadFile(filepath.Join(l.data, name))
		if err != nil || bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s holds the secret, or %v", name, err)
		}
	}
	if info, err := os.Stat(filepath.Join(l.data, "store.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: want the store 0600", info.Mode(), err)
	}
	s.Env.Secrets = map[string]string{}
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no secret is left", func() bool { a, _, err := ask(st.URL); return err == nil && a.Greeting == "" })
}
