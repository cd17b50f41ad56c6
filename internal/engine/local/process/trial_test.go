package process

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hasty is for tests: nothing here waits for a pause to end.
var hasty = pace{
	probeFirst: 10 * time.Millisecond, probeLast: 30 * time.Millisecond,
	live: 20 * time.Millisecond, liveTimeout: 2 * time.Second,
	pauseFirst: 5 * time.Millisecond, pauseLast: 20 * time.Millisecond,
	healthy: time.Minute, grace: 10 * time.Second, hungGrace: 100 * time.Millisecond,
}

// config runs the test's model server in a mode.
func config(t *testing.T, mode string) Config {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return Config{
		Name: "penguins", Revision: "sha256:r", Dir: dir, Model: filepath.Join(dir, "model"), Command: []string{exe},
		Env: []string{"TEST_SERVER=" + mode}, Protocol: "v2", StartTimeout: time.Minute,
		State: filepath.Join(dir, "state"),
	}
}

// A trial is a group under test.
type trial struct {
	*Group
	t       *testing.T
	changed chan struct{}
}

func run(t *testing.T, c Config, replicas int) *trial {
	t.Helper()
	return runAt(t, hasty, c, replicas)
}

// leisurely leaves time to look at a replica between its death and its restart.
func leisurely() pace {
	p := hasty
	p.pauseFirst, p.pauseLast = time.Second, time.Second
	return p
}

func runAt(t *testing.T, p pace, c Config, replicas int) *trial {
	t.Helper()
	tr := &trial{t: t, changed: make(chan struct{}, 1)}
	tr.Group = start(c, replicas, func() {
		select {
		case tr.changed <- struct{}{}:
		default:
		}
	}, p)
	t.Cleanup(func() { tr.Stop(0) })
	return tr
}

// until waits for a state by the group's own word.
func (tr *trial) until(what string, ok func(State) bool) State {
	tr.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		s := tr.State()
		if ok(s) {
			return s
		}
		select {
		case <-tr.changed:
		case <-deadline:
			tr.t.Fatalf("not %s: %+v", what, s)
		}
	}
}

func ready(n int) func(State) bool {
	return func(s State) bool { return len(s.Addrs) == n && s.Problem == "" }
}

func failed(s State) bool { return s.Failed }

// failedWith waits for a failure that is explained by all of words.
func failedWith(words ...string) func(State) bool {
	return func(s State) bool {
		return s.Failed && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(s.Problem, w) })
	}
}

// get asks a server; an answer that is cut off is as good as one.
func get(t *testing.T, addr, path string) about {
	t.Helper()
	var a about
	res, err := http.Get("http://" + addr + path)
	if err != nil {
		return a
	}
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&a)
	return a
}

// gone waits until a process is dead.
func gone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func alive(pid int) bool {
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(b), ") Z ") {
		return false // nobody buries orphans in some containers
	}
	return syscall.Kill(pid, 0) == nil
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}
