package process

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

func TestStopEndsEvenAStubbornServer(t *testing.T) {
	t.Parallel()
	tr := run(t, config(t, "stubborn"), 2)
	var pids []int
	for _, addr := range tr.until("ready", ready(2)).Addrs {
		pids = append(pids, get(t, addr, "/about").Pid)
	}
	began := time.Now()
	tr.Stop(100 * time.Millisecond)
	if took := time.Since(began); took < 100*time.Millisecond || took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is alive after Stop", pid)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(tr.config.State, "*.pid")); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func TestStopLetsAServerBehindAShellEndWell(t *testing.T) {
	t.Parallel()
	note := filepath.Join(t.TempDir(), "note")
	tr := run(t, config(t, "shell:"+note), 1)
	tr.until("ready", ready(1))
	tr.Stop(10 * time.Second)
	if b, err := os.ReadFile(note); string(b) != "ended well" {
		t.Errorf("the server was cut off: %q, %v", b, err)
	}
}

func TestWhatAServerLeavesBehindDiesWithIt(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "child")
	tr := run(t, config(t, "mother:"+file), 1)
	addr := tr.until("ready", ready(1)).Addrs[0]
	child := readPid(t, file)
	if !alive(child) {
		t.Fatal("the child is not there")
	}
	get(t, addr, "/exit")
	tr.until("restarted", func(s State) bool { return s.Restarts == 1 && len(s.Addrs) == 1 })
	gone(t, child)
	child = readPid(t, file)
	tr.Stop(50 * time.Millisecond)
	if alive(child) {
		t.Error("the second child outlived Stop")
	}
}

func readPid(t *testing.T, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestScaleReleasesBeforeItStops(t *testing.T) {
	t.Parallel()
	tr := run(t, config(t, "ok"), 1)
	tr.until("ready", ready(1))
	tr.Scale(3, nil)
	three := tr.until("three", ready(3)).Addrs
	asked, let := make(chan string, 2), make(chan struct{})
	var pid atomic.Int64
	tr.Scale(2, func(addr string) {
		pid.Store(int64(get(t, addr, "/about").Pid))
		asked <- addr
		<-let
	})
	two := tr.until("two", ready(2)).Addrs
	addr := <-asked
	if slices.Contains(two, addr) || !slices.Contains(three, addr) {
		t.Errorf("%s was released, %v stay of %v", addr, two, three)
	}
	if !alive(int(pid.Load())) {
		t.Error("the replica was stopped before it was released")
	}
	close(let)
	gone(t, int(pid.Load()))
	if s := tr.State(); !ready(2)(s) {
		t.Errorf("state %+v", s)
	}
}

func TestStopWaitsForNoRelease(t *testing.T) {
	t.Parallel()
	tr := run(t, config(t, "ok"), 1)
	pid := get(t, tr.until("ready", ready(1)).Addrs[0], "/about").Pid
	tr.Scale(0, func(string) { select {} })
	tr.Stop(5 * time.Second)
	if alive(pid) {
		t.Error("the replica outlived Stop")
	}
}
