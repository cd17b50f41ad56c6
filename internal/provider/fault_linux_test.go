package provider

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What a person sees of faults: what is safe, what is not, and the next step.

// fill makes each write of the engine to a file fail, as on a full disk, until it is called with false.
func (s *stage) fill(full bool) {
	s.t.Helper()
	st, err := s.open().Status(s.t.Context())
	if err != nil || !st.Running {
		s.t.Fatalf("%+v, %v: want an engine", st, err)
	}
	var limit unix.Rlimit
	if err := unix.Prlimit(st.PID, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		s.t.Fatal(err)
	}
	limit.Cur = limit.Max
	if full {
		limit.Cur = 0
	}
	if err := unix.Prlimit(st.PID, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		s.t.Fatal(err)
	}
}

func TestDiskFullInMidRolloutSaysWhatIsSafeAndWhatToDo(t *testing.T) {
	s := newStage(t)
	url := s.up()
	users := trickle(t, url)
	s.config(penguins("v2"))
	apply := s.startApply()
	s.midRollout()
	s.fill(true)
	apply.wait().fails().says(`The rollout of endpoint "penguins" ended, which could not be stored`,
		"Safe: all traffic is on the stable revision", "Not safe: this could not be stored (file too large)",
		"Next: free some space on the disk of "+s.dataDir(), "the engine then stores it by itself")
	users.stop()
	serves(t, url, "v1")
	if got := s.text(endpointAddress, "rejected"); got != "[]" {
		t.Errorf("rejected %s: want no fault of the model's", got)
	}
	s.fill(false)
	eventually(t, "the engine has stored it", func() bool { return s.record().Phase == rollout.RolledBack })
	s.plan().changes().says(`"file://models/v1.json" -> "file://models/v2.json"`).neverSays("has rejected")
	if users.bad > 0 || users.dropped > 0 {
		t.Errorf("users got %d bad answers and %d none", users.bad, users.dropped)
	}
}

func TestDiskFullBeforeAnUpdateChangesNothing(t *testing.T) {
	s := newStage(t)
	url := s.up()
	s.fill(true)
	s.config(penguins("v2"))
	s.apply().fails().says(`Cannot update endpoint "penguins"`, "nothing was changed", "free some space on the disk of "+s.dataDir())
	serves(t, url, "v1")
	s.fill(false)
	users := ask(t, url)
	s.apply().ok()
	users.stop()
	serves(t, url, "v2")
}

func TestDamagedStoreIsAnErrorAndNotAnEmptyState(t *testing.T) {
	s := newStage(t)
	s.up()
	s.stopEngine()
	path := filepath.Join(s.dataDir(), "store.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.ReplaceAll(whole, []byte(`"weight":0`), []byte(`"weight":9`))
	damaged = bytes.ReplaceAll(damaged, []byte(`"finished":true`), []byte(`"finished":trua`))
	if bytes.Equal(damaged, whole) {
		t.Fatal("nothing was damaged")
	}
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []outcome{s.plan(), s.apply()} {
		o.fails().says("store.db is damaged", "Nothing was written to it", "Not safe: which endpoints, weights and rejections it held",
			"Safe: the model bytes beside it", "Next: put a copy of it back").neverSays("will be created")
	}
	if s.state(endpointAddress) == nil {
		t.Error("the endpoint is out of the state")
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, damaged) {
		t.Errorf("%v: want the store as it was", err)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil { // the next step
		t.Fatal(err)
	}
	s.apply().ok()
	s.plan().ok()
}
