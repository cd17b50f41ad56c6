package content

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk/powercut"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
)

// A promise is a revision that has to be there for a while.
type promise struct {
	spec        endpoint.Spec
	rev         endpoint.Revision
	since, till int // operations of the disk
}

// recorded is the life of a store on a disk that is recorded: two revisions come, and one goes.
func recorded(t *testing.T, temp string) (*powercut.Disk, []*promise) {
	t.Helper()
	folder := filepath.Join(temp, "disk")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	d := powercut.New(folder)
	s, err := OpenOn(d, filepath.Join(folder, "content"))
	if err != nil {
		t.Fatal(err)
	}
	one, two := &promise{spec: project(t, "one")}, &promise{spec: project(t, "two")}
	put(t, filepath.Join(two.spec.Root, "models/folder/deep/er.json"), "two", 0o644)
	put(t, filepath.Join(two.spec.Root, "models/folder/vocabulary"), "a b c", 0o644)
	two.spec.Model.URI = "file://models/folder"
	for _, p := range []*promise{one, two} {
		p.rev = capture(t, p.spec)
		stage(t, s, p.spec, p.rev)
		p.since, p.till = d.Now(), 1<<30
	}
	one.till = d.Now()
	if err := s.Collect(map[string]bool{two.rev.Digest: true}); err != nil {
		t.Fatal(err)
	}
	return d, []*promise{one, two}
}

func TestAPowerCutLeavesTheRightBytesOrNone(t *testing.T) {
	t.Parallel()
	temp := powercut.TempDir(t)
	d, promises := recorded(t, temp)
	cuts := 0
	err := d.Cuts(temp, 1, func(c powercut.Cut) error {
		cuts++
		return start(t, c, promises)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d disks after cuts among %d operations", cuts, d.Now())
	if cuts < d.Now() {
		t.Error("the claim is emptier than it looks")
	}
}

func TestThePowerCutsFindAMissingSync(t *testing.T) {
	t.Parallel()
	for name, forgets := range map[string]func(path string) bool{
		"of what a file holds":              func(path string) bool { return filepath.Base(path) == "new" || filepath.Base(path) == "vocabulary" },
		"of the manifest":                   func(path string) bool { return filepath.Base(path) == manifestName },
		"of the names in a revision":        func(path string) bool { return filepath.Base(path) == workDir },
		"of the revision's name":            func(path string) bool { return filepath.Base(path) == "revisions" },
		"of the store's own name":           func(path string) bool { return filepath.Base(path) == "disk" },
		"of the folder of revisions' name":  func(path string) bool { return filepath.Base(path) == "content" },
		"of a model's folder in a revision": func(path string) bool { return filepath.Base(path) == "model" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			temp := powercut.TempDir(t)
			d, promises := recorded(t, temp)
			d.Forget(forgets)
			err := d.Cuts(temp, 1, func(c powercut.Cut) error { return start(t, c, promises) })
			if err == nil {
				t.Error("nothing was lost")
			}
			t.Log(err)
		})
	}
}

// start is what a daemon does after a cut: it runs what is there, stages what is not, and collects.
func start(t *testing.T, c powercut.Cut, promises []*promise) error {
	t.Helper()
	s, err := Open(filepath.Join(c.Folder, "content"))
	if err != nil {
		return err
	}
	for _, p := range promises {
		_, err := s.Get(p.rev)
		switch {
		case err != nil && c.After >= p.since && c.After <= p.till:
			return fmt.Errorf("a revision that was staged cannot be run: %w", err)
		case err == nil && !p.right(t, s):
			return errors.New("other bytes would be run than were staged")
		}
		if _, err := s.Stage(t.Context(), p.spec, p.rev); err != nil {
			return fmt.Errorf("stage again: %w", err)
		}
		if !p.right(t, s) {
			return errors.New("staged again, other bytes would be run")
		}
	}
	if err := s.Collect(map[string]bool{promises[1].rev.Digest: true}); err != nil {
		return err
	}
	if left := names(t, s.revisions()); len(left) != 1 {
		return fmt.Errorf("%v are left", left)
	}
	return nil
}

// right hashes what is there, and looks whether the server could be started.
func (p *promise) right(t *testing.T, s *Store) bool {
	t.Helper()
	hex, err := hexOf(p.rev.Digest)
	if err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(s.revisions(), hex)
	m, err := readManifest(place)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(place, m.Executable))
	return err == nil && info.Mode() == 0o555 && m.verify(t.Context(), place)
}
