package local

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// sizeOf is the size of all files below a folder.
func sizeOf(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil //nolint:nilerr // a file that has just gone
		}
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheEnginesLogIsBounded(t *testing.T) {
	t.Parallel()
	dir := dataDir(t.TempDir())
	out := dir.logFile()
	line := append(bytes.Repeat([]byte("x"), 64<<10-1), '\n')
	for range 100 << 20 / len(line) {
		if _, err := out.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(30 * time.Second)
	for limit := int64((logsKept + 1) * logMegabytes << 20); ; time.Sleep(10 * time.Millisecond) { // old files go in the background
		n := sizeOf(t, string(dir))
		if n <= limit {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are kept, want at most %d", n, limit)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTheStartLogIsBounded(t *testing.T) {
	t.Parallel()
	dir := dataDir(t.TempDir())
	for range 20 {
		if err := dir.trimStartLog(); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(dir.startLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(make([]byte, startLogBytes/2)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := sizeOf(t, string(dir)); n > 3*startLogBytes {
		t.Errorf("%d bytes are kept", n)
	}
}

func TestAbortsAreForgottenAfterAWhile(t *testing.T) {
	t.Parallel()
	var a aborts
	now := time.Now()
	for i := range 1000 {
		a.add(fmt.Sprint(i), now.Add(time.Duration(i)*time.Minute))
	}
	if n := len(a.at); n > 12 || !a.has("999") || a.has("1") {
		t.Errorf("%d are remembered", n)
	}
}

// A store's file grows to what is stored, not with what is written.
func TestTheStoreDoesNotGrowWithWrites(t *testing.T) {
	t.Parallel()
	s := testStore(t)
	s.db.NoSync = true // ten thousand writes without waiting for the disk
	doc := &document{}
	doc.setSpec(endpoint.Spec{Cluster: "here", Name: "a"})
	doc.Record.History = make([]rollout.Entry, 200)
	for i := range doc.Record.History {
		doc.Record.History[i].Sentence = "All traffic stays with the stable revision, as it was before."
	}
	write := func(n int) int64 {
		for range n {
			if err := s.update(func(tx *tx) error { return tx.put(doc) }); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Stat(s.path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	if early, late := write(50), write(2000); late > 2*early {
		t.Errorf("%d bytes after 50 writes, %d after 2,050", early, late)
	}
}
