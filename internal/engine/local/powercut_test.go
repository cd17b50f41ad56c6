package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk/powercut"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const sector = 512 // that a disk writes in one piece

// A commit is a store's file before and after a transaction. bbolt writes in this order, and each step is on disk
// before the next begins: a greater length; the pages of data; one of two pages that say where the data is, in turn.
type commit struct {
	before, after []byte
	meta          int   // the page that says where, 0 or 1
	data          []int // numbers of the sectors that were changed, but for that page's
}

func newCommit(t *testing.T, before, after []byte) commit {
	t.Helper()
	c := commit{before: before, after: after, meta: -1}
	page := os.Getpagesize()
	for i := range len(after) / sector {
		old := make([]byte, sector)
		if i*sector < len(before) {
			copy(old, before[i*sector:])
		}
		if bytes.Equal(old, after[i*sector:(i+1)*sector]) {
			continue
		}
		if at := i * sector / page; at < 2 {
			if c.meta >= 0 && c.meta != at {
				t.Fatal("one transaction changed both pages that say where its data is")
			}
			c.meta = at
			continue
		}
		c.data = append(c.data, i)
	}
	if c.meta < 0 || len(c.data) == 0 {
		t.Fatalf("a transaction changed page %d and %d sectors", c.meta, len(c.data))
	}
	return c
}

// left is the file after a cut that left these sectors of data, and this much of the page that says where.
func (c commit) left(size int, data []int, meta []byte) []byte {
	b := make([]byte, size)
	copy(b, c.before)
	for _, i := range data {
		if i*sector < size {
			copy(b[i*sector:], c.after[i*sector:(i+1)*sector])
		}
	}
	copy(b[c.meta*os.Getpagesize():], meta)
	return b
}

// cuts calls test with all files that a cut may leave, and whether they may be read as the new one.
func (c commit) cuts(rng *rand.Rand, test func(what string, file []byte, mayBeNew bool)) {
	page := os.Getpagesize()
	old, now := c.before[c.meta*page:][:page], c.after[c.meta*page:][:page]
	for _, size := range []int{len(c.before), len(c.after)} {
		test("nothing new", c.left(size, nil, old), false)
		test("all data", c.left(size, c.data, old), false)
		for range 8 {
			var some []int
			for _, i := range c.data {
				if rng.IntN(2) == 0 {
					some = append(some, i)
				}
			}
			test("some data", c.left(size, some, old), false)
		}
	}
	test("all", c.left(len(c.after), c.data, now), true)
	for n := 0; n <= 96; n += 4 { // it has some 80 bytes
		torn := append(slices.Clone(now[:n]), old[n:]...)
		test(fmt.Sprintf("all data, and %d bytes of where it is", n), c.left(len(c.after), c.data, torn), true)
	}
	test("all data, and zeros for where it is", c.left(len(c.after), c.data, make([]byte, page)), true)
}

func TestAPowerCutLeavesTheOldDocumentOrTheNewOne(t *testing.T) {
	t.Parallel()
	dir := powercut.TempDir(t)
	path := filepath.Join(dir, "store.db")
	s, err := openStore(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	states, grown := 0, false
	for i := range 14 {
		before := contentOf(t, s, path)
		if err := s.update(func(tx *tx) error { return step(tx, i) }); err != nil {
			t.Fatal(err)
		}
		after := contentOf(t, s, path)
		grown = grown || len(after.file) > len(before.file)
		newCommit(t, before.file, after.file).cuts(rng, func(what string, file []byte, mayBeNew bool) {
			states++
			at := filepath.Join(dir, "cut.db")
			_ = os.Remove(markOf(at)) // of the store that was there before
			if err := os.WriteFile(at, file, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := opens(at, before.holds, after.holds, mayBeNew); err != nil {
				t.Fatalf("transaction %d, %s: %v", i, what, err)
			}
		})
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files", states)
	if !grown {
		t.Error("the file never grew: the claim is emptier than it looks")
	}
}

// step is a transaction like those of a daemon: documents come, grow and go.
func step(t *tx, i int) error {
	d := &document{Port: i, Stable: deployed{Revision: endpoint.Revision{Digest: fmt.Sprint("sha256:", i)}}}
	d.setSpec(endpoint.Spec{Cluster: "here", Name: fmt.Sprint("e", i%4)})
	if i%5 == 4 {
		return t.remove(d.id())
	}
	for range i * 25 {
		d.Record.History = append(d.Record.History, rollout.Entry{Sentence: "All traffic stays where it is."})
	}
	if err := t.setSecrets(d.id(), map[string]string{"TOKEN": fmt.Sprint(i)}); err != nil {
		return err
	}
	return t.put(d)
}

// A written store is a file and what it holds.
type written struct {
	file  []byte
	holds string
}

func contentOf(t *testing.T, s *store, path string) written {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := holds(s)
	if err != nil {
		t.Fatal(err)
	}
	return written{file, all}
}

// holds is all that a store says, as text.
func holds(s *store) (string, error) {
	all := map[string]string{}
	err := s.db.View(func(t *bbolt.Tx) error {
		return t.ForEach(func(name []byte, b *bbolt.Bucket) error {
			all[string(name)] = fmt.Sprint(b.Sequence())
			return b.ForEach(func(k, v []byte) error {
				all[fmt.Sprintf("%s %s", name, k)] = string(v)
				return nil
			})
		})
	})
	b, _ := json.Marshal(all)
	return string(b), err
}

// opens does what clients and daemons do with a file: it must be one or the other, and good to write to.
func opens(path, old, now string, mayBeNew bool) error {
	s, err := readStore(path)
	if err != nil {
		return fmt.Errorf("a client: %w", err)
	}
	read, err := holds(s)
	if err = errors.Join(err, s.close()); err != nil {
		return fmt.Errorf("a client: %w", err)
	}
	if read != old && (!mayBeNew || read != now) {
		return errors.New("a client reads something else")
	}
	s, err = openStore(path, "test")
	if err != nil {
		return fmt.Errorf("a daemon: %w", err)
	}
	opened, err := holds(s)
	if err == nil && opened != read {
		err = errors.New("a daemon reads something else than a client")
	}
	if err == nil {
		err = s.update(func(t *tx) error { return step(t, 7) })
	}
	if err == nil {
		err = s.verify()
	}
	if err == nil {
		err = s.db.View(func(t *bbolt.Tx) error {
			for err := range t.Check() {
				return err
			}
			return nil
		})
	}
	return errors.Join(err, s.close())
}

// A wholeStore is a disk on which a store gets its name when it is whole, and not before.
type wholeStore struct {
	disk.Disk
	t     *testing.T
	steps []string
}

func (w *wholeStore) Rename(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		w.t.Errorf("%s is there before it is whole", to)
	}
	s, err := readStore(from)
	if err != nil {
		w.t.Errorf("what becomes the store is not whole: %v", err)
		return err
	}
	w.steps = append(w.steps, "rename")
	return errors.Join(s.close(), w.Disk.Rename(from, to))
}

func (w *wholeStore) Sync(path string) error {
	w.steps = append(w.steps, "sync "+filepath.Base(path))
	return w.Disk.Sync(path)
}

func TestAPowerCutWhileAStoreIsMadeLeavesNone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(powercut.TempDir(t), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "store.db")
	for _, left := range []string{"", "half", strings.Repeat("\x00", 16<<10)} { // by a cut before
		if err := os.WriteFile(path+".new", []byte(left), 0o600); err != nil {
			t.Fatal(err)
		}
		w := &wholeStore{Disk: disk.OS, t: t}
		if err := makeStore(w, path, "test"); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(w.steps, []string{"rename", "sync data"}) {
			t.Errorf("%q", w.steps)
		}
		if err := makeStore(w, path, "test"); err != nil || len(w.steps) != 2 {
			t.Errorf("%v, %q: a store that is there was made again", err, w.steps)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil { // by an earlier version, or a full disk
		t.Fatal(err)
	}
	s, err := openStore(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

// What a data directory begins with: a cut must not make it look like somebody else's, nor open to git.
func TestAPowerCutLeavesADataDirectoryOfOurs(t *testing.T) {
	t.Parallel()
	temp := powercut.TempDir(t)
	root := filepath.Join(temp, "disk")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	d := powercut.New(root)
	dir := dataDir(filepath.Join(root, "infra", ".tidegate"))
	if err := dir.prepareOn(d); err != nil {
		t.Fatal(err)
	}
	prepared := d.Now()
	for i := range 2 { // two daemons, one after the other
		if err := writeInfo(d, dir.info(), info{PID: 1000 + i, Socket: "engine.sock", API: apiVersion}); err != nil {
			t.Fatal(err)
		}
	}
	cuts := 0
	err := d.Cuts(temp, 3, func(c powercut.Cut) error {
		cuts++
		return comesUp(t, c, prepared)
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d disks after cuts among %d operations", cuts, d.Now())
	for _, forgotten := range []string{"infra", ".tidegate"} {
		d.Forget(func(path string) bool { return filepath.Base(path) == forgotten })
		if d.Cuts(temp, 3, func(c powercut.Cut) error { return comesUp(t, c, prepared) }) == nil {
			t.Errorf("nothing is lost where %s is not synced: the claim is emptier than it looks", forgotten)
		}
	}
}

// comesUp is what clients and daemons do after a cut.
func comesUp(t *testing.T, c powercut.Cut, prepared int) error {
	t.Helper()
	dir := dataDir(filepath.Join(c.Folder, "infra", ".tidegate"))
	if ours, err := dir.exists(); err != nil || c.After >= prepared && !ours {
		return fmt.Errorf("it is ours: %t, %w", ours, err)
	}
	if i, err := readInfo(dir.info()); err == nil && i.PID != 1000 && i.PID != 1001 {
		return fmt.Errorf("engine.json says %+v", i)
	}
	e := Open(Config{DataDir: string(dir)})
	if err := e.send(t.Context(), http.MethodGet, "/v1/version", nil, nil); !errors.Is(err, errNotRunning) {
		return fmt.Errorf("a client that reads: %w", err)
	}
	if err := dir.prepare(); err != nil {
		return err
	}
	if b, err := os.ReadFile(dir.path(".gitignore")); err != nil || strings.TrimSpace(string(b)) != "*" {
		return fmt.Errorf(".gitignore is %q, %w", b, err)
	}
	return nil
}
