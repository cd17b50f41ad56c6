package command_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const id = "local/here/penguins"

// A lab is an engine with an endpoint under traffic.
type lab struct {
	t      *testing.T
	root   string
	dir    string // data directory
	engine *local.Engine
	spec   endpoint.Spec
	url    string
	last   context.Context // of the test
}

// newLab serves v1. change may change the policy first.
func newLab(t *testing.T, change func(*rollout.Policy)) *lab {
	t.Helper()
	root, err := os.MkdirTemp("", "tg") //nolint:usetesting // t.TempDir's holds the test's name: too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	l := &lab{t: t, root: root, dir: filepath.Join(root, "d"), last: ctx}
	l.engine = local.Open(local.Config{DataDir: l.dir, Command: []string{self(t), "engine", "run"}, Version: "dev"})
	t.Cleanup(func() {
		cancel()
		if _, err := l.engine.Stop(context.Background()); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	p := quickPolicy()
	if change != nil {
		change(&p)
	}
	if _, err := l.engine.Clusters().Apply(ctx, cluster.Spec{Name: "here"}); err != nil {
		t.Fatal(err)
	}
	l.put("v1", model{Name: "v1"})
	l.spec = endpoint.Spec{
		Cluster: "here", Name: "penguins", Root: root, Replicas: 1, Model: endpoint.Model{URI: "file://v1"},
		Runtime: endpoint.Runtime{Command: []string{"env", self(t), "serve-model", "{port}", "{model}"}, Protocol: "http", ReadyPath: "/", StartTimeout: 30 * time.Second},
		Routing: endpoint.Routing{Timeout: 10 * time.Second},
		Rollout: endpoint.Rollout{Policy: p.JSON(), Run: endpoint.Staged, OnCancel: "rollback"},
	}
	st, err := l.engine.Endpoints().Create(ctx, l.spec, "test")
	if err != nil {
		t.Fatal(err)
	}
	l.url = st.URL
	return l
}

// quickPolicy needs little time and few requests.
func quickPolicy() rollout.Policy {
	p := rollout.DefaultPolicy()
	p.Steps = []rollout.Step{{Weight: 25, Ratio: 10, Floor: .3}, {Weight: 50, Ratio: 10, Floor: .3}}
	p.SkipLeading = false
	p.Limits.StepMinimum = rollout.Duration(time.Second)
	p.Limits.Bake = rollout.Duration(time.Second)
	return p
}

// slowly stays at its first step.
func slowly(p *rollout.Policy) {
	p.Limits.StepMinimum = rollout.Duration(time.Minute)
	p.Limits.Bake = rollout.Duration(time.Minute)
}

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

func (l *lab) put(file string, m model) {
	l.t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.root, file), b, 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// stage makes m the candidate, under traffic, and returns its revision.
func (l *lab) stage(m model) string {
	l.t.Helper()
	l.put(m.Name, m)
	l.spec.Model.URI = "file://" + m.Name
	if _, err := l.engine.Endpoints().Update(l.last, l.spec); err != nil {
		l.t.Fatal(err)
	}
	return l.record().Candidate
}

// traffic asks until the test ends.
func (l *lab) traffic() {
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(l.last)
	for range 2 {
		all.Go(func() {
			for ctx.Err() == nil {
				resp, err := http.Post(l.url, "text/plain", strings.NewReader("x"))
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				time.Sleep(5 * time.Millisecond) // a user's pause: the machine has other things to do
			}
		})
	}
	l.t.Cleanup(func() { cancel(); all.Wait() })
}

func (l *lab) record() rollout.Record {
	l.t.Helper()
	r, _, err := l.engine.Endpoints().Load(l.last, id)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// until waits for a record that is so.
func (l *lab) until(what string, so func(rollout.Record) bool) rollout.Record {
	l.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		r := l.record()
		if so(r) {
			return r
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("%s: not so: %s at %d%%, %+v", what, r.Phase, r.Weight, r.History)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func exposed(r rollout.Record) bool { return r.Weight > 0 }

// command runs a command line on the lab's data, and checks its exit code.
func (l *lab) command(code int, args ...string) (stdout, stderr string) {
	l.t.Helper()
	stdout, stderr, got := run(l.last, append(args, "--data-dir", l.dir)...)
	if got != code {
		l.t.Errorf("tidegate %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, stdout, stderr)
	}
	return stdout, stderr
}

// An output may be read while it is written.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// shows waits until o holds what.
func (o *output) shows(t *testing.T, what string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(o.String(), what); {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in:\n%q", what, o.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A running command is a process of its own.
type running struct {
	*exec.Cmd
	t     *testing.T
	out   output
	ended chan struct{}
}

func (l *lab) start(args ...string) *running {
	l.t.Helper()
	return l.startTo(nil, args...)
}

// startTo lets it print to a file.
func (l *lab) startTo(out *os.File, args ...string) *running {
	l.t.Helper()
	r := &running{t: l.t, Cmd: exec.Command(self(l.t), append(args, "--data-dir", l.dir)...), ended: make(chan struct{})}
	r.Stdout, r.Stderr = &r.out, &r.out
	if out != nil {
		r.Stdout = out
	}
	r.Dir = l.root
	if err := r.Start(); err != nil {
		l.t.Fatal(err)
	}
	go func() {
		_ = r.Wait() // the exit code is asked for
		close(r.ended)
	}()
	l.t.Cleanup(func() {
		_ = r.Process.Kill() // it has ended, or shall
		<-r.ended
	})
	return r
}

// code waits for the end.
func (r *running) code() int {
	r.t.Helper()
	select {
	case <-r.ended:
		return r.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		r.t.Fatalf("%v has not ended after a minute: %s", r.Args, r.out.String())
		return 0
	}
}

// drives reports whether it is the runner.
func (r *running) drives(rec rollout.Record) bool {
	return strings.HasSuffix(rec.Runner, fmt.Sprintf("(pid %d)", r.Process.Pid))
}

func (r *running) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}
