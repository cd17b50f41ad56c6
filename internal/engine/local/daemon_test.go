package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

func TestReadsStartNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if _, err := l.endpoints().Get(l.ctx(), id, true); !errors.Is(err, endpoint.ErrNotFound) {
		t.Errorf("endpoint: %v", err)
	}
	if _, err := l.engine.Clusters().Get(l.ctx(), "here"); !errors.Is(err, cluster.ErrNotFound) {
		t.Errorf("cluster: %v", err)
	}
	if err := l.endpoints().Delete(l.ctx(), id); err != nil {
		t.Errorf("delete of nothing: %v", err)
	}
	if err := l.engine.Clusters().Delete(l.ctx(), "here"); err != nil {
		t.Errorf("delete of nothing: %v", err)
	}
	if _, err := os.Stat(l.data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data directory was made: %v", err)
	}
}

func TestReadsWorkWhileNoDaemonRuns(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	if ran, err := l.engine.Stop(l.ctx()); err != nil || !ran {
		t.Fatalf("%v, %v", ran, err)
	}
	got, err := l.endpoints().Get(l.ctx(), id, true)
	if err != nil || got.Ready || got.Problem == "" || got.URL != st.URL || got.Stable != st.Stable {
		t.Errorf("%+v, %v", got, err)
	}
	c, err := l.engine.Clusters().Get(l.ctx(), "here")
	if err != nil || c.Running || c.URL == "" || len(c.Endpoints) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if status, err := l.engine.Status(l.ctx()); err != nil || status.Running || len(status.Endpoints) != 1 {
		t.Errorf("%+v, %v: want what the store says, and no daemon", status, err)
	}
	if _, _, err := ask(st.URL); err == nil {
		t.Error("the stopped endpoint answered")
	}
	l.cluster()
	began := time.Now()
	eventually(t, "the endpoint answers at its old address", func() bool { _, code, err := ask(st.URL); return err == nil && code == 200 })
	t.Logf("the model server was back after %s", time.Since(began))
}

func TestTwoClientsAtOnceStartOneDaemon(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := l.open().Clusters().Apply(l.ctx(), cluster.Spec{Name: "here"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if pid := l.pid(); syscall.Kill(pid, 0) != nil {
		t.Errorf("no daemon %d", pid)
	}
}

func TestSecondDaemonSaysWhoHoldsTheDirectory(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	err := local.Serve(l.ctx(), local.Config{DataDir: l.data, Version: "dev"})
	if err == nil || !strings.Contains(err.Error(), "process id") || !strings.Contains(err.Error(), "engine stop") {
		t.Errorf("%v: want who holds it, and how to stop it", err)
	}
}

func TestDaemonIsDetached(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	// A descriptor that this process inherited without the mark that Go's own have.
	leaked, err := syscall.Dup(int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	l.cluster()
	pid := l.pid()
	if sid, err := syscall.Getpgid(pid); err != nil || sid != pid {
		t.Errorf("process group %d, %v: want the daemon's own", sid, err)
	}
	_ = syscall.Close(leaked)
	_ = w.Close()
	ended := make(chan struct{})
	go func() { _, _ = r.Read(make([]byte, 1)); close(ended) }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the daemon holds a descriptor that it inherited: a pipeline behind Terraform would never end")
	}
	if b, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "environ")); err == nil && strings.Contains(string(b), "GOFLAGS") {
		t.Errorf("the daemon's environment holds more than is listed: %q", b)
	}
}

func TestLastClusterEndsTheDaemon(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	pid := l.pid()
	if err := l.engine.Clusters().Delete(l.ctx(), "here"); err == nil || !strings.Contains(err.Error(), "penguins") {
		t.Errorf("%v: want a refusal that names the endpoint", err)
	}
	if err := l.endpoints().Delete(l.ctx(), id); err != nil {
		t.Fatal(err)
	}
	if n := len(l.servers()); n != 0 {
		t.Errorf("%d model servers outlive their endpoint", n)
	}
	if err := l.engine.Clusters().Delete(l.ctx(), "here"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the daemon has ended", func() bool {
		st, err := l.engine.Status(l.ctx())
		return err == nil && !st.Running && !alive(pid)
	})
	for _, left := range []string{"engine.json", "engine.sock"} {
		if _, err := os.Stat(filepath.Join(l.data, left)); err == nil {
			t.Errorf("%s is left", left)
		}
	}
	if blobs, _ := filepath.Glob(filepath.Join(l.data, "content/revisions/*")); len(blobs) > 0 {
		t.Errorf("model bytes are left: %v", blobs)
	}
}

// alive tells a process that runs from one that is dead and not yet waited for.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "cmdline"))
	return err == nil && len(b) > 0
}

func TestDaemonEndsWithItsDataDirectory(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	pid := l.pid()
	if err := os.RemoveAll(l.data); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the daemon has ended", func() bool { return !alive(pid) })
	if _, _, err := ask(st.URL); err == nil {
		t.Error("its endpoint answers")
	}
	l.created("penguins") // in a new one
}

func TestOlderDaemonIsReplacedAndNewerOneIsUsed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.engine = l.openAs("1.0.0")
	st := l.created("penguins")
	old := l.pid()

	l.engine = l.openAs("0.9.0")
	l.cluster()
	if now := l.pid(); now != old {
		t.Errorf("an older program replaced the engine of a newer one")
	}
	l.engine = l.openAs("1.1.0")
	if got, err := l.endpoints().Get(l.ctx(), id, true); err != nil || got.URL != st.URL || l.pid() != old {
		t.Errorf("%v: a plan replaced the engine", err)
	}
	l.cluster()
	status, err := l.engine.Status(l.ctx())
	if err != nil || status.PID == old || status.Version != "1.1.0" {
		t.Errorf("%+v, %v: want another daemon", status, err)
	}
	eventually(t, "the endpoint answers at its old address", func() bool { _, code, err := ask(st.URL); return err == nil && code == 200 })
	if n := len(l.servers()); n != 1 {
		t.Errorf("%d model servers, want 1", n)
	}
}

func TestAnotherDevelopmentBuildReplacesTheDaemon(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("a program with another byte at its end runs on Linux alone")
	}
	l := newLab(t)
	st := l.created("penguins")
	old := l.pid()
	l.engine = l.open()
	if l.cluster(); l.pid() != old {
		t.Error("the same build replaced the engine")
	}
	program := filepath.Join(l.root, "rebuilt")
	copyFile(t, program, self())
	f, err := os.OpenFile(program, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("another build"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	l.engine = local.Open(local.Config{DataDir: l.data, Version: "dev", Command: []string{program, "engine", "run"}})
	if l.cluster(); l.pid() == old {
		t.Error("another build did not replace the engine")
	}
	eventually(t, "the endpoint answers at its old address", func() bool { _, code, err := ask(st.URL); return err == nil && code == 200 })
}

func TestDataDirectoryWithALongPath(t *testing.T) {
	t.Parallel()
	root := shortDir(t)
	l := newLabAt(t, root, filepath.Join(root, strings.Repeat("long", 20), strings.Repeat("path", 20), "d"))
	l.created("penguins")
	if got, err := l.open().Endpoints().Get(l.ctx(), id, true); err != nil || !got.Ready {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUnusableDataDirectoriesAreRefusedWithAWayOut(t *testing.T) {
	t.Parallel()
	root := shortDir(t)
	make := func(name string, mode os.FileMode, files ...string) string {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dirs := map[string]struct{ dir, want string }{
		"others can write":     {make("open", 0o777), "chmod 700"},
		"holds other things":   {make("home", 0o700, "photos", "letters"), "name an empty or a new folder"},
		"is a file":            {file, "name a folder"},
		"is below a file":      {filepath.Join(file, "d"), "not a directory"},
		"has no name":          {"", "not a usable path"},
		"belongs to other one": {foreign(t, make("foreign", 0o700)), "belongs to user"},
	}
	for name, c := range dirs {
		e := local.Open(local.Config{DataDir: c.dir, Command: []string{self(), "engine", "run"}, Version: "dev"})
		_, err := e.Clusters().Apply(context.Background(), cluster.Spec{Name: "here"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: want %q", name, err, c.want)
		}
	}
}

// foreign gives the directory to somebody else, where this user may.
func foreign(t *testing.T, dir string) string {
	t.Helper()
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Skip("only root can give folders away")
	}
	return dir
}

func TestDamagedAndNewerStoresAreRefusedWithAWayOut(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	if _, err := l.engine.Stop(l.ctx()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(l.data, "store.db")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for name, b := range map[string][]byte{
		"cut short":     good[:3*page],
		"another file":  []byte(strings.Repeat("this is not a store\n", 2000)),
		"torn in pages": append(append([]byte{}, good[:2*page]...), make([]byte, len(good)-2*page)...),
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := l.open().Endpoints().Get(l.ctx(), id, true); err == nil || !strings.Contains(err.Error(), "move the data directory away") {
			t.Errorf("read, %s: %v", name, err)
		}
		if _, err := l.open().Clusters().Apply(l.ctx(), cluster.Spec{Name: "here"}); err == nil || !strings.Contains(err.Error(), "move the data directory away") {
			t.Errorf("write, %s: %v", name, err)
		}
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.open().Clusters().Apply(l.ctx(), cluster.Spec{Name: "here"}); err != nil {
		t.Errorf("the good store again: %v", err)
	}
}
