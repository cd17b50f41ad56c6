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

	"go.etcd.io/bbolt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/command"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

func (l *lab) examine() local.Checkup {
	l.t.Helper()
	c, err := l.engine.Examine(l.ctx())
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

// finds fails the test where the doctor does not find it, or does not say what to do.
func (l *lab) finds(about, what, do string) {
	l.t.Helper()
	c := l.examine()
	for _, f := range c.Found {
		if f.About == about && strings.Contains(f.What, what) && strings.Contains(f.Do, do) {
			if strings.Contains(f.Do, "\n") {
				l.t.Errorf("%q: want one line", f.Do)
			}
			return
		}
	}
	l.t.Errorf("found %+v: want %q about %s, and to do %q", c.Found, what, about, do)
}

func (l *lab) findsNothing() {
	l.t.Helper()
	if c := l.examine(); len(c.Found) > 0 {
		l.t.Errorf("found %+v: want nothing", c.Found)
	}
}

func TestDoctorFindsNothingWhereAllIsWell(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.findsNothing()
	if c := l.examine(); c.Exists || c.Engine != nil {
		t.Errorf("%+v: want no engine", c)
	}
	if _, err := os.Stat(l.data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory was made: %v", err)
	}
	st := l.created("penguins")
	l.findsNothing()
	a, _, err := ask(st.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := l.examine()
	if c.Engine == nil || c.Engine.PID != l.pid() || c.Engine.Version != "dev" || c.Disk.Free == 0 {
		t.Errorf("%+v: want the engine that runs", c.Engine)
	}
	if len(c.Servers) != 1 || c.Servers[0].PID != a.PID || c.Servers[0].Endpoint != id || c.Servers[0].Role != "stable" ||
		c.Servers[0].Port == 0 || time.Since(c.Servers[0].Since) > time.Hour {
		t.Errorf("%+v: want the server that answers, process %d", c.Servers, a.PID)
	}
}

func TestDoctorOfAnEngineThatDoesNotRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	if _, err := l.engine.Stop(l.ctx()); err != nil {
		t.Fatal(err)
	}
	before := listing(t, l.data)
	l.finds("engine", "No engine runs, and 1 endpoint is not served", "engine run --data-dir "+l.data)
	taken, err := net.Listen("tcp", strings.TrimPrefix(st.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	l.finds(id, "another program has its address", "lsof")
	if after := listing(t, l.data); after != before {
		t.Errorf("the doctor changed the data directory from\n%s to\n%s", before, after)
	}
	l.cluster() // starts the daemon
	eventually(t, "the daemon looks at the port", func() bool { return len(l.examine().Found) > 0 })
	l.finds(id, "address cannot be opened", "lsof")
}

// listing is all that is in a folder, with the times.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			b.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().String() + " " + strconv.FormatInt(info.Size(), 10) + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDoctorOfAnEngineThatWasKilled(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	pid, server := l.pid(), l.servers()[0]
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the daemon is dead", func() bool { return !alive(pid) })
	l.finds("engine", "process "+strconv.Itoa(pid), "engine run")
	l.finds("engine", "still run: process "+strconv.Itoa(server), "kill "+strconv.Itoa(server))
	l.cluster()
	eventually(t, "all is well again", func() bool { return len(l.examine().Found) == 0 })
}

func TestDoctorOfAnEngineThatHangs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	pid := l.pid()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	eventually(t, "it does not answer any more", func() bool { return len(l.examine().Found) > 0 })
	l.finds("engine", "does not answer", "kill -9 "+strconv.Itoa(pid))
}

func TestDoctorOfStoresAndFolders(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	if _, err := l.engine.Stop(l.ctx()); err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(l.data, "store.db")
	good, err := os.ReadFile(store)
	if err != nil {
		t.Fatal(err)
	}
	chmod := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(l.data, 0o755)
	l.finds("folder", "look into", "chmod 700 "+l.data)
	chmod(l.data, 0o777)
	l.finds("folder", "others can write", "chmod 700 "+l.data)
	chmod(l.data, 0o700)
	chmod(store, 0o644)
	l.finds("store", "Others can read", "chmod 600")
	chmod(store, 0o600)
	if err := os.WriteFile(store, append(bytes.Clone(good[:2*os.Getpagesize()]), make([]byte, len(good)-2*os.Getpagesize())...), 0o600); err != nil {
		t.Fatal(err)
	}
	l.finds("store", "is damaged", "put a copy of store.db back")
	if err := os.WriteFile(store, good, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(store, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(b *bbolt.Tx) error { return b.Bucket([]byte("meta")).Put([]byte("schema"), []byte("99")) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	l.finds("store", "newer program", "use the version")
	newer, err := os.ReadFile(store)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.engine.Clusters().Apply(l.ctx(), cluster.Spec{Name: "here"}); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("a daemon started on a newer store: %v", err)
	}
	if now, err := os.ReadFile(store); err != nil || !bytes.Equal(now, newer) {
		t.Errorf("the newer store was changed: %v", err)
	}
	l.finds("engine", "The last one ended with: "+store+" was written by a newer program", "engine run")
}

func TestDoctorOfModelServers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	_, s := l.promoted(model{Name: "v1", NeedOK: true, Prints: "GREETING"}, model{Name: "v2"}, time.Hour)
	for n := 1; n <= 3; n++ {
		for _, server := range l.examine().Servers {
			if server.Role == "stable" {
				_ = syscall.Kill(server.PID, syscall.SIGKILL)
			}
		}
		eventually(t, "the server runs again", func() bool {
			st, err := l.engine.Status(l.ctx())
			return err == nil && st.Endpoints[0].Servers[0].Restarts == n && st.Endpoints[0].Servers[0].Ready == 1
		})
	}
	l.finds(id, "restarted 3 times", "engine logs "+id)
	s.Env.Values = map[string]string{"GREETING": "bad"} // which v1 does not like
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the previous one is not ready", func() bool { return len(l.examine().Found) > 0 })
	l.finds(id, "The previous revision (file://first.json) does not run as it should", "engine logs "+id)
	eventually(t, "its last words are there", func() bool {
		found := l.examine().Found
		return len(found) > 0 && strings.Contains(found[0].What, "| the variable is bad")
	})
}

func TestDoctorOfRollouts(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	stagedFor(t, l)
	l.finds(id, "is staged since", "tidegate promote "+id)
	save := func(change func(*rollout.Record)) {
		t.Helper()
		r, v, err := l.endpoints().Load(l.ctx(), id)
		if err != nil {
			t.Fatal(err)
		}
		r.Epoch, r.Runner, r.Renewed, r.Weight, r.Approved = 1, "the test", time.Now(), 25, 25
		change(&r)
		if _, err := l.endpoints().Save(l.ctx(), id, r, v); err != nil {
			t.Fatal(err)
		}
	}
	save(func(r *rollout.Record) { r.Phase, r.AwaitingSince = rollout.AwaitingApproval, time.Now() })
	l.finds(id, "waits for an approval at 25%", "tidegate approve "+id)
	save(func(r *rollout.Record) {
		r.Phase, r.HeldSince, r.Hold = rollout.Holding, time.Now(), "The router does not do as it is told."
	})
	l.finds(id, "held at 25%", "tidegate rollback "+id)
	save(func(r *rollout.Record) { r.Phase, r.Renewed = rollout.Observing, time.Now().Add(-time.Minute) })
	l.finds(id, "the test drove the rollout and does not write any more", "tidegate promote "+id)
	save(func(r *rollout.Record) { r.Phase, r.Renewed = rollout.Observing, time.Now().Add(time.Hour) })
	l.finds("clock", "was set back", "date")
	save(func(r *rollout.Record) {
		r.Phase, r.Weight, r.Approved = rollout.RolledBack, 0, 0
		r.Failure = &rollout.Failure{Kind: rollout.KindAbandoned, Reason: "Nobody drove it.", At: time.Now()}
	})
	l.finds(id, "was abandoned", "apply again")
}

func TestDoctorOfAnOlderProgram(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.engine = l.openAs("1.1.0")
	l.created("penguins")
	l.engine = l.openAs("1.0.0")
	l.finds("engine", "is older than the engine", "use version 1.1.0")
}

func TestDoctorsExitCodes(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	doctor := func(dir string, more ...string) (int, string) {
		var out bytes.Buffer
		code := command.Main(context.Background(), append([]string{"engine", "doctor", "--data-dir", dir}, more...), "dev", nil, &out, &out)
		return code, out.String()
	}
	l.created("penguins")
	if code, out := doctor(l.data); code != 0 || !strings.Contains(out, "Nothing is wrong") || !strings.Contains(out, id) {
		t.Errorf("%d: %s", code, out)
	}
	if code, out := doctor(""); code != 1 {
		t.Errorf("%d: %s: want that it could not look", code, out)
	}
	if _, err := l.engine.Stop(l.ctx()); err != nil {
		t.Fatal(err)
	}
	if code, out := doctor(l.data); code != 2 || !strings.Contains(out, "  -> tidegate engine run") {
		t.Errorf("%d: %s", code, out)
	}
	code, out := doctor(l.data, "--json")
	var c local.Checkup
	if err := json.Unmarshal([]byte(out), &c); err != nil || code != 2 || len(c.Found) != 1 {
		t.Errorf("%d, %v: %s", code, err, out)
	}
	if _, err := l.engine.Examine(canceled()); err == nil {
		t.Error("it looked, though it was told to stop")
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
