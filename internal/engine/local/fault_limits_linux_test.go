package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// limited makes the lab's daemon start with few descriptors.
func (l *lab) limited(descriptors int) {
	script := fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, descriptors)
	l.engine = local.Open(local.Config{DataDir: l.data, Version: "dev", Command: []string{"/bin/sh", "-c", script, self(), "engine", "run"}})
}

func TestTooManyOpenFilesByConnectionsLeaveTheEngineItsOwn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.limited(256)
	st := easily(t, l, model{Name: "v2"})
	pid := l.pid()
	done, addr := make(chan struct{}), strings.TrimPrefix(st.URL, "http://")
	var all sync.WaitGroup
	for range 400 { // each holds a connection, and another when that is closed
		all.Go(func() {
			for {
				c, err := net.Dial("tcp", addr)
				if err == nil {
					_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
					_, _ = c.Read(make([]byte, 1))
					_ = c.Close()
				}
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	stop := sync.OnceFunc(func() { close(done); all.Wait() })
	defer stop()
	eventually(t, "the connections are there", func() bool { return usageOf(t, pid).descriptors > 60 })
	tr := startTraffic(t, st.URL, 8) // slow: it has to queue
	ctx, cancel := context.WithTimeout(l.ctx(), 8*time.Second)
	defer cancel()
	o := quick
	o.Freeze = true
	if r, err := rollout.Run(ctx, l.endpoints(), id, o); err != nil && (r.Phase.Final() || !errors.Is(err, context.DeadlineExceeded)) {
		t.Errorf("%s, %v: want no end because of it", r.Phase, err)
	}
	if n := usageOf(t, pid).descriptors; n >= 250 {
		t.Errorf("%d descriptors of 256 are taken: nothing is left for a model server", n)
	}
	stop()
	if r, err := rollout.Run(l.ctx(), l.endpoints(), id, quick); err != nil || r.Phase != rollout.Promoted {
		t.Errorf("%s, %v: want it promoted when the flood is over", r.Phase, err)
	}
	tr.stop()
	if l.pid() != pid {
		t.Error("the engine was started anew")
	}
}

// readOnly makes a folder read-only for whoever opens it from now on.
func readOnly(t *testing.T, dir string) (end func()) {
	t.Helper()
	if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("needs to mount (root, or CAP_SYS_ADMIN), and cannot: %v", err)
	}
	end = sync.OnceFunc(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	return end
}

func TestReadOnlyFileSystemUnderARunningEngineRejectsNoModel(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	tr := startTraffic(t, st.URL, 2)
	writable := readOnly(t, filepath.Join(l.data, "servers"))
	l.put("next.json", model{Name: "v2"})
	s := l.spec("penguins", "next.json")
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	r := l.final()
	if r.Failure.Kind != rollout.KindCancelled || !strings.Contains(r.Failure.Reason, "read-only file system") || !strings.Contains(r.Failure.Reason, "this machine kept") {
		t.Errorf("%+v: want the machine named", r.Failure)
	}
	if got, err := l.endpoints().Get(l.ctx(), id, false); err != nil || len(got.Rejected) != 0 || !got.Ready {
		t.Errorf("%+v, %v: want v1 serving, and v2 not rejected", got, err)
	}
	tr.noneDropped(t)
	writable()
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the same model can serve", func() bool {
		r, _, err := l.endpoints().Load(l.ctx(), id)
		return err == nil && !r.Ready.IsZero()
	})
}

func TestReadOnlyDataDirectoryCanBeReadAndNotChanged(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	if _, err := l.engine.Stop(l.ctx()); err != nil {
		t.Fatal(err)
	}
	writable := readOnly(t, l.data)
	if got, err := l.open().Endpoints().Get(l.ctx(), id, false); err != nil || got.Stable.Digest != st.Stable.Digest {
		t.Errorf("%+v, %v: want a plan to work", got, err)
	}
	_, err := l.open().Endpoints().Update(l.ctx(), l.spec("penguins", "penguins.json"))
	says(t, err, "data directory "+l.data, "read-only file system", "make it writable, or name another one")
	writable()
	l.cluster()
	eventually(t, "it serves again", func() bool { _, code, err := ask(st.URL); return err == nil && code == http.StatusOK })
}

// asOwner runs the test as another user, where this one may do everything whatever the permissions
// are; false: it is to be run here.
func asOwner(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return false
	}
	dir := shortDir(t)
	program := filepath.Join(dir, "program")
	copyFile(t, program, self())
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Skipf("needs another user: %v", err)
	}
	cmd := exec.Command(program, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("PASS")) {
		t.Errorf("as another user: %v\n%s", err, out)
	}
	return true
}

func TestPermissionLostUnderARunningEngineStopsNobody(t *testing.T) {
	t.Parallel()
	if asOwner(t) {
		return
	}
	l := newLab(t)
	st := easily(t, l, model{Name: "v2"})
	pid := l.pid()
	tr := startTraffic(t, st.URL, 4)
	once := sync.OnceFunc(func() {
		if err := os.Chmod(l.data, 0); err != nil {
			t.Error(err)
		}
		_, err := l.open().Endpoints().Update(l.ctx(), l.spec("penguins", "next.json"))
		says(t, err, "data directory "+l.data, "permission denied", "make it writable")
		_, err = l.open().Endpoints().Get(l.ctx(), id, false) // as a refresh does, which must not think it gone
		says(t, err, "data directory "+l.data, "cannot be read (permission denied)", "chmod 700")
		time.AfterFunc(5*time.Second, func() { _ = os.Chmod(l.data, 0o700) }) // longer than the engine looks for its folder
	})
	o := quick
	o.Progress = func(r rollout.Record) {
		if r.Weight > 0 {
			once()
		}
	}
	if r, err := rollout.Run(l.ctx(), l.endpoints(), id, o); err != nil || r.Phase != rollout.Promoted {
		t.Errorf("%s, %v: want it promoted when the permission is back", r.Phase, err)
	}
	tr.noneDropped(t)
	if l.pid() != pid {
		t.Error("the engine was started anew")
	}
}

var peak = regexp.MustCompile(`VmHWM:\s+(\d+)`)

// peakOf is the most memory that a process ever had, in MiB.
func peakOf(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	m := peak.FindSubmatch(b)
	if err != nil || m == nil {
		t.Fatalf("%v: %s", err, b)
	}
	n, _ := strconv.Atoi(string(m[1])) // digits only
	return n >> 10
}

// TestMemoryIsBoundedWhateverIsSent sends gigabytes at once. A limit on the process itself would say
// the same, but a cgroup is not everybody's to make, and Go reserves more addresses than it uses.
func TestMemoryIsBoundedWhateverIsSent(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	l.put("penguins.json", model{Name: "v1", Answers: 64 << 20})
	st, err := l.endpoints().Create(l.ctx(), l.spec("penguins", "penguins.json"), "maker")
	if err != nil {
		t.Fatal(err)
	}
	pid := l.pid()
	before := peakOf(t, pid)
	var all sync.WaitGroup
	for range 4 { // large questions with larger answers
		all.Go(func() {
			resp, err := http.Post(st.URL+"/v2/models/m/infer", "text/plain", io.LimitReader(zeros{}, 32<<20))
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			if n, err := io.Copy(io.Discard, resp.Body); n < 64<<20 || err != nil {
				t.Errorf("%d bytes came, %v", n, err)
			}
		})
	}
	bodies := 24
	if local.Raced {
		bodies = 8
	}
	for range bodies { // bodies of the engine's own API, as large as it takes
		all.Go(func() {
			body := `{"spec":{"cluster":"here","name":"` + strings.Repeat("x", 7<<20) + `"}}`
			resp, err := l.socket().Post("http://engine/v1/endpoints/here/x", "application/json", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
		})
	}
	all.Wait()
	most := 200
	if local.Raced {
		most *= 5
	}
	if now := peakOf(t, pid); now > before+most {
		t.Errorf("%d MiB at the most, %d before", now, before)
	}
}
