package local_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestManyRolloutsLeaveOnlyWhatIsKept makes one rollout after another, and restarts the engine now and then.
func TestManyRolloutsLeaveOnlyWhatIsKept(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	count := func(pattern string) int {
		all, err := filepath.Glob(filepath.Join(l.data, pattern))
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	size := func() int64 {
		info, err := os.Stat(filepath.Join(l.data, "store.db"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	var early int64
	for n := range 12 {
		l.put("next.json", model{Name: fmt.Sprint("n", n)})
		if _, err := l.endpoints().Update(l.ctx(), keeping(l.spec("penguins", "next.json"), time.Hour)); err != nil {
			t.Fatal(err)
		}
		l.promote()
		if n%4 == 3 {
			if _, err := l.engine.Stop(l.ctx()); err != nil {
				t.Fatal(err)
			}
			l.cluster()
		}
		if n == 3 {
			early = size()
		}
	}
	eventually(t, "two revisions are kept", func() bool { return count("content/revisions/*") == 2 })
	eventually(t, "their bytes are kept", func() bool { return count("content/blobs/sha256/*") == 2 })
	eventually(t, "two servers run", func() bool { return len(l.servers()) == 2 })
	eventually(t, "few logs are kept", func() bool { return count("servers/local/here/penguins/*") <= 2+3 })
	if late := size(); late > 2*early {
		t.Errorf("store.db has %d bytes, after 4 rollouts it had %d", late, early)
	}
}

// TestRestartsLeaveFewLogs: each daemon begins folders of its own.
func TestRestartsLeaveFewLogs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	for range 6 {
		if _, err := l.engine.Stop(l.ctx()); err != nil {
			t.Fatal(err)
		}
		l.cluster()
		eventually(t, "the server runs", func() bool { return len(l.servers()) == 1 })
	}
	folders, err := filepath.Glob(filepath.Join(l.data, "servers/local/here/penguins/*"))
	if err != nil || len(folders) > 1+3 {
		t.Errorf("%d folders of logs, %v: want that of the server that runs, and three more", len(folders), err)
	}
}
