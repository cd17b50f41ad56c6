package local_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// fill makes every write of the daemon to a file fail, as on a full disk, until it is called with
// false: a limit on the size of files, which works on every file system and for every user.
func (l *lab) fill(full bool) {
	l.t.Helper()
	var now unix.Rlimit
	pid := l.pid()
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &now); err != nil {
		l.t.Fatal(err)
	}
	now.Cur = now.Max
	if full {
		now.Cur = 0
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &now, nil); err != nil {
		l.t.Fatal(err)
	}
}

// smallDisk mounts a file system of so many bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := shortDir(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("needs to mount a small file system (root, or CAP_SYS_ADMIN), and cannot: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestDiskFullWhenAGateFailsStillTakesTheCandidateOff(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, before := onTrial(t, l, model{Name: "v2", Every: 2}, 8)
	began := time.Now()
	o := quick
	o.Progress = func(rollout.Record) { l.fill(true) }
	_, err := rollout.Run(l.ctx(), l.endpoints(), id, o)
	if !errors.Is(err, rollout.ErrNotStored) {
		t.Fatalf("%v: want an end that is not stored", err)
	}
	says(t, err, `gate "errors" failed`, "Safe: all traffic is on the stable revision", "Not safe: this could not be stored", "Next: free some space on the disk of "+l.data)
	if spent := time.Since(began); spent > time.Minute {
		t.Errorf("it took %s to say so", spent)
	}
	only(t, st.URL, "v1")
	if got, err := l.endpoints().Get(l.ctx(), id, false); err != nil || !strings.Contains(got.Problem, "not stored") {
		t.Errorf("%q, %v: want the problem shown", got.Problem, err)
	}
	if r, _, err := l.endpoints().Load(l.ctx(), id); err != nil || r.Phase.Final() || r.Weight != before.Weight {
		t.Errorf("%s, %v: the disk was to be full", r.Phase, err)
	}
	l.fill(false)
	if r := l.final(); r.Phase != rollout.RolledBack || r.Failure.Gate != "errors" {
		t.Errorf("%+v: want the gate's failure, stored by the engine alone", r.Failure)
	}
	got, err := l.endpoints().Get(l.ctx(), id, false)
	if err != nil || len(got.Rejected) != 1 || got.Problem != "" {
		t.Errorf("%+v, %v: want v2 rejected", got, err)
	}
	only(t, st.URL, "v1")
}

func TestDiskFullWhileNobodyDrivesStillClosesTheGate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, _ := onTrial(t, l, model{Name: "v2"}, 2)
	l.fill(true)
	eventually(t, "the gate closes", func() bool {
		got, err := l.endpoints().Get(l.ctx(), id, false)
		return err == nil && strings.Contains(got.Problem, "not stored") && strings.Contains(got.Problem, "Nobody drives the rollout")
	})
	only(t, st.URL, "v1")
	// A runner that comes now cannot open it again, and is told so.
	_, err := rollout.Run(l.ctx(), l.endpoints(), id, quick)
	says(t, err, "Nobody drives the rollout", "Safe: all traffic is on the stable revision")
	only(t, st.URL, "v1")
	l.fill(false)
	if r := l.final(); r.Failure.Kind != rollout.KindAbandoned {
		t.Errorf("%+v", r.Failure)
	}
}

func TestDiskFullInMidRolloutEndsAHealthyOneInBoundedTime(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, _ := onTrial(t, l, model{Name: "v2"}, 4)
	o := quick
	o.Progress = func(rollout.Record) { l.fill(true) }
	r, err := rollout.Run(l.ctx(), l.endpoints(), id, o)
	if !errors.Is(err, rollout.ErrNotStored) || r.Phase == rollout.Promoted {
		t.Fatalf("%s, %v: want an end that is not stored", r.Phase, err)
	}
	says(t, err, "the test last wrote", "this could not be stored (file too large)", "Next: free some space")
	only(t, st.URL, "v1")
	l.fill(false)
	if r := l.final(); r.Failure.Kind != rollout.KindAbandoned {
		t.Errorf("%+v: want no fault of the model's", r.Failure)
	}
	if got, err := l.endpoints().Get(l.ctx(), id, false); err != nil || len(got.Rejected) != 0 {
		t.Errorf("%+v, %v: want v2 not rejected", got.Rejected, err)
	}
}

func TestDiskFullWhenAnEndpointIsMadeLeavesNothing(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "4m")
	l := newLabAt(t, shortDir(t), filepath.Join(disk, "d"))
	l.cluster()
	big := model{Name: "big", Prints: strings.Repeat("x", 8<<20)}
	l.put("big.json", big)
	_, err := l.endpoints().Create(l.ctx(), l.spec("penguins", "big.json"), "maker")
	says(t, err, "no space left on device", "free some space on the disk of "+l.data)
	if _, err := l.endpoints().Get(l.ctx(), id, false); !errors.Is(err, endpoint.ErrNotFound) {
		t.Errorf("%v: want no endpoint", err)
	}
	var left syscall.Statfs_t
	eventually(t, "the bytes that were copied are gone", func() bool {
		return syscall.Statfs(disk, &left) == nil && left.Bfree*4 > left.Blocks*3
	})
	if st := l.created("penguins"); !st.Ready { // one that fits
		t.Errorf("%+v", st)
	}
	// An update that does not fit changes nothing: the same endpoint serves.
	if _, err = l.endpoints().Update(l.ctx(), l.spec("penguins", "big.json")); err == nil {
		t.Error("a model of 8 MB fits on a disk of 4")
	}
	says(t, err, "stage the candidate", "no space left on device", "nothing was changed", "free some space")
	if r, _, err := l.endpoints().Load(l.ctx(), id); err != nil || r.Phase != "" {
		t.Errorf("%s, %v: want no rollout", r.Phase, err)
	}
}

func TestDiskFullForAWhileDelaysAHealthyRolloutAndDropsNobody(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "8m")
	l := newLabAt(t, shortDir(t), filepath.Join(disk, "d"))
	st := easily(t, l, model{Name: "v2", Chatty: true}) // its log is full too
	tr := startTraffic(t, st.URL, 8)
	rest := filepath.Join(disk, "rest")
	var failed atomic.Bool
	o := quick
	o.Progress = func(r rollout.Record) {
		if r.Weight == 25 && !failed.Swap(true) {
			fillDisk(t, rest)
			time.AfterFunc(5*time.Second, func() { _ = os.Remove(rest) }) // longer than some saves
		}
	}
	r, err := rollout.Run(l.ctx(), l.endpoints(), id, o)
	if err != nil || r.Phase != rollout.Promoted || !failed.Load() {
		t.Errorf("%s, %v: want it promoted once there is space again", r.Phase, err)
	}
	tr.noneDropped(t)
}

// fillDisk writes a file until nothing fits any more.
func fillDisk(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Error(err)
		return
	}
	b := make([]byte, 4<<10)
	for err == nil {
		_, err = f.Write(b)
	}
	if _ = f.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
}
