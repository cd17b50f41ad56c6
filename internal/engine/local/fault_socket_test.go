package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// between puts a socket between the clients of the lab and its daemon. Each connection is given to
// carry, with its number.
func (l *lab) between(carry func(n int64, client, daemon net.Conn)) {
	l.t.Helper()
	path := filepath.Join(l.data, "engine.json")
	b, err := os.ReadFile(path)
	if err != nil {
		l.t.Fatal(err)
	}
	var info map[string]any
	if err := json.Unmarshal(b, &info); err != nil {
		l.t.Fatal(err)
	}
	real, ours := info["socket"].(string), filepath.Join(l.root, "between.sock")
	ln, err := net.Listen("unix", ours)
	if err != nil {
		l.t.Fatal(err)
	}
	info["socket"] = ours
	changed, err := json.Marshal(info)
	if err != nil {
		l.t.Fatal(err)
	}
	replace(l.t, path, changed)
	l.t.Cleanup(func() { _ = ln.Close() })
	l.t.Cleanup(func() { replace(l.t, path, b) }) // before the lab stops the daemon
	go func() {
		for n := int64(1); ; n++ {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = client.Close() }()
				daemon, err := net.Dial("unix", real)
				if err != nil {
					return
				}
				defer func() { _ = daemon.Close() }()
				carry(n, client, daemon)
			}()
		}
	}()
}

func replace(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		t.Error(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Error(err)
	}
}

// carry passes all on, both ways.
func carry(client, daemon net.Conn) {
	go func() { _, _ = io.Copy(daemon, client) }()
	_, _ = io.Copy(client, daemon)
}

func TestSocketThatFailsAThirdOfTheTimeDisturbsNoRollout(t *testing.T) {
	t.Parallel()
	faults := []func(n int64, client, daemon net.Conn){
		func(int64, net.Conn, net.Conn) {}, // it closes
		func(_ int64, client, daemon net.Conn) { // answers half
			go func() { _, _ = io.Copy(daemon, client) }()
			b := make([]byte, 64<<10)
			k, _ := daemon.Read(b)
			_, _ = client.Write(b[:k/2])
		},
		func(n int64, client, _ net.Conn) { // answers nonsense
			_, _ = client.Read(make([]byte, 64<<10))
			_, _ = client.Write([]byte("\x00\x01{}HTTP\r\n\r\n" + strings.Repeat("?", int(n))))
		},
		func(_ int64, client, daemon net.Conn) { // does it, and does not say so
			go func() { _, _ = io.Copy(daemon, client) }()
			_, _ = daemon.Read(make([]byte, 64<<10))
		},
		func(_ int64, client, daemon net.Conn) { // takes its time
			time.Sleep(500 * time.Millisecond)
			carry(client, daemon)
		},
	}
	l := newLab(t)
	st := easily(t, l, model{Name: "v2"})
	var failed atomic.Int64
	l.between(func(n int64, client, daemon net.Conn) {
		if n%3 > 0 {
			carry(client, daemon)
			return
		}
		faults[failed.Add(1)%int64(len(faults))](n, client, daemon)
	})
	tr := startTraffic(t, st.URL, 4)
	r, err := rollout.Run(l.ctx(), l.open().Endpoints(), id, quick)
	if err != nil || r.Phase != rollout.Promoted {
		t.Fatalf("%s, %v: want it promoted", r.Phase, err)
	}
	tr.noneDropped(t)
	seen := r.Evidence.Seen
	if got := seen.Candidate.Requests + seen.Stable.Requests; got > tr.asked.Load() {
		t.Errorf("%d requests counted of %d: some twice", got, tr.asked.Load())
	}
	if failed.Load() < 5 {
		t.Errorf("%d connections failed: this test does not do what it says", failed.Load())
	}
}

func TestSocketThatSometimesNeverAnswersDelaysARolloutOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := easily(t, l, model{Name: "v2"})
	l.between(func(n int64, client, daemon net.Conn) {
		if n%12 == 0 {
			_, _ = io.Copy(io.Discard, client) // until the client has enough
			return
		}
		carry(client, daemon)
	})
	startTraffic(t, st.URL, 4)
	if r, err := rollout.Run(l.ctx(), l.open().Endpoints(), id, quick); err != nil || r.Phase != rollout.Promoted {
		t.Fatalf("%s, %v: want it promoted", r.Phase, err)
	}
}

func TestEngineThatHangsIsNamedWithTheNextStep(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, _ := onTrial(t, l, model{Name: "v2"}, 2)
	pid := l.pid()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// On a busy machine its threads stop one after the other, and one of them may answer still.
	eventually(t, "the engine hangs", func() bool {
		ctx, cancel := context.WithTimeout(l.ctx(), time.Second)
		defer cancel()
		_, err := l.open().Endpoints().Get(ctx, id, false)
		return err != nil
	})
	began := time.Now()
	calls := map[string]func(ctx context.Context) error{
		"a read":   func(ctx context.Context) error { _, err := l.open().Endpoints().Get(ctx, id, false); return err },
		"a write":  func(ctx context.Context) error { return l.open().Clusters().Delete(ctx, "there") },
		"a change": func(ctx context.Context) error { return l.open().Endpoints().Delete(ctx, id) },
		"a rollout": func(ctx context.Context) error {
			_, err := rollout.Run(ctx, l.open().Endpoints(), id, quick)
			return err
		},
	}
	failed := make(chan error)
	for name, call := range calls {
		go func() {
			err := call(l.ctx())
			if err == nil {
				err = errors.New("it succeeded")
			}
			if !strings.Contains(err.Error(), "engine does not answer") && !strings.Contains(err.Error(), "deadline exceeded") {
				t.Errorf("%s: %v", name, err)
			}
			if name != "a rollout" && !errors.Is(err, context.DeadlineExceeded) {
				says(t, err, "holds it and the engine does not answer", "Safe: all that is stored", "kill -9", "daemon.log")
			}
			failed <- err
		}()
	}
	for range calls {
		<-failed
	}
	if spent := time.Since(began); spent > time.Minute {
		t.Errorf("it took %s to say so", spent)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil { // the next step
		t.Fatal(err)
	}
	l.cluster()
	eventually(t, "the endpoint serves again", func() bool { _, code, err := ask(st.URL); return err == nil && code == 200 })
}
