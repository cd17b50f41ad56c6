package process

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
)

// killedDaemon runs a daemon with two servers, kills it, and returns the servers' processes.
func killedDaemon(t *testing.T, dir, mode string) []int {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "TEST_DAEMON="+dir, "TEST_MODE="+mode)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for addr := range strings.FieldsSeq(line) {
		pids = append(pids, get(t, addr, "/about").Pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if len(pids) != 2 || !alive(pids[0]) || !alive(pids[1]) {
		t.Fatalf("processes %v do not outlive their daemon: there is nothing to test", pids)
	}
	return pids
}

func reapAll(t *testing.T, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := Reap(ctx, dir); err != nil {
		t.Fatal(err)
	}
}

func TestReapEndsWhatAKilledDaemonLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pids := killedDaemon(t, dir, "stubborn")
	reapAll(t, filepath.Dir(dir))
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is alive", pid)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.pid")); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
	reapAll(t, dir)
	reapAll(t, filepath.Join(dir, "not", "there"))
}

func TestReapFindsAProcessThatWasNotWrittenDownYet(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("needs /proc")
	}
	dir := t.TempDir()
	pids := killedDaemon(t, dir, "ok")
	for _, name := range []string{"replica-1.pid", "replica-2.pid"} {
		p, err := readPidFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		p.Pid, p.Start, p.Command = 0, "", nil
		if err := p.write(disk.OS, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	reapAll(t, dir)
	if alive(pids[0]) || alive(pids[1]) {
		t.Errorf("one of %v is alive", pids)
	}
}

func TestReapLeavesAProcessAloneThatMerelyHasTheNumber(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := exec.Command("sleep", "60")
	other.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	p := pidFile{Pid: other.Process.Pid, Start: "another start", Port: 1, Model: dir, Revision: "sha256:r"}
	if err := p.write(disk.OS, filepath.Join(dir, "replica-1.pid")); err != nil {
		t.Fatal(err)
	}
	reapAll(t, dir)
	time.Sleep(20 * time.Millisecond) // what was killed would be dead by now
	if !alive(other.Process.Pid) {
		t.Error("it was killed")
	}
}

func TestReapNamesAFileThatItCannotRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "replica-1.pid"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Reap(t.Context(), dir)
	if err == nil {
		t.Fatal("no error")
	}
	wantWords(t, err.Error(), "replica-1.pid", "by hand")
}
