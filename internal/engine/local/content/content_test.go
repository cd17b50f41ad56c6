package content

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
)

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "content"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// project makes a root module whose server prints the model and a label.
func project(t *testing.T, model string) endpoint.Spec {
	t.Helper()
	root := t.TempDir()
	put(t, filepath.Join(root, "models/v1.json"), model, 0o644)
	put(t, filepath.Join(root, "bin/server"), "#!/bin/sh\ncat \"$1\" labels/en\n", 0o755)
	put(t, filepath.Join(root, "labels/en"), " labels", 0o644)
	return endpoint.Spec{
		Name: "penguins", Root: root,
		Model: endpoint.Model{URI: "file://models/v1.json"},
		Runtime: endpoint.Runtime{
			Command: []string{"./bin/server", "{model}"}, Files: []string{"labels"}, Protocol: "v2",
		},
	}
}

func capture(t *testing.T, s endpoint.Spec) endpoint.Revision {
	t.Helper()
	r, err := endpoint.Capture(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func stage(t *testing.T, s *Store, spec endpoint.Spec, rev endpoint.Revision) Layout {
	t.Helper()
	l, err := s.Stage(t.Context(), spec, rev)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run runs a layout as the engine would and returns what it prints.
func run(t *testing.T, l Layout) string {
	t.Helper()
	for {
		cmd := exec.Command(l.Command[0], strings.ReplaceAll(l.Command[1], "{model}", l.Model))
		cmd.Dir = l.Dir
		out, err := cmd.CombinedOutput()
		if errors.Is(err, syscall.ETXTBSY) {
			continue // another test forks while a copy is open for writing; package process waits too
		}
		if err != nil {
			t.Fatalf("%v: %v: %s", cmd.Args, err, out)
		}
		return string(out)
	}
}

// names lists a folder of the store.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestWhatIsStagedRunsUntouchedByTheSource(t *testing.T) {
	t.Parallel()
	s, spec := open(t), project(t, "good")
	rev := capture(t, spec)
	l := stage(t, s, spec, rev)
	for _, f := range []string{"models/v1.json", "bin/server", "labels/en"} {
		put(t, filepath.Join(spec.Root, f), "overwritten", 0o755)
	}
	if got := run(t, l); got != "good labels" {
		t.Errorf("the staged server says %q", got)
	}
	if again := stage(t, s, spec, rev); again.Model != l.Model || again.Dir != l.Dir {
		t.Errorf("staged again it is %+v, want %+v", again, l)
	}
	if err := os.RemoveAll(spec.Root); err != nil {
		t.Fatal(err)
	}
	reopened, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err = reopened.Get(rev)
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, l); got != "good labels" {
		t.Errorf("after a restart the server says %q", got)
	}
}

func TestStagedFilesAreReadOnly(t *testing.T) {
	t.Parallel()
	s, spec := open(t), project(t, "good")
	l := stage(t, s, spec, capture(t, spec))
	for path, want := range map[string]os.FileMode{
		l.Model: 0o444, l.Command[0]: 0o555, filepath.Join(l.Dir, "labels/en"): 0o444,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	if filepath.Base(l.Model) != "v1.json" || l.Command[0] != filepath.Join(l.Dir, "bin/server") {
		t.Errorf("layout %+v", l)
	}
}

func TestStageRefusesBytesThatWereNotPlanned(t *testing.T) {
	t.Parallel()
	for _, f := range []string{"models/v1.json", "bin/server", "labels/en"} {
		s, spec := open(t), project(t, "good")
		rev := capture(t, spec)
		put(t, filepath.Join(spec.Root, f), "other", 0o755)
		_, err := s.Stage(t.Context(), spec, rev)
		if !errors.Is(err, endpoint.ErrChanged) {
			t.Errorf("%s changed: err = %v, want ErrChanged", f, err)
		}
		if _, err := s.Get(rev); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s changed: Get says %v", f, err)
		}
		if left := names(t, s.revisions()); len(left) != 0 {
			t.Errorf("%s changed: %v is left", f, left)
		}
	}
	s, spec := open(t), project(t, "good")
	rev := capture(t, spec)
	spec.Runtime.Command = []string{"./bin/server", "--other"}
	if _, err := s.Stage(t.Context(), spec, rev); !errors.Is(err, endpoint.ErrChanged) {
		t.Errorf("another command: err = %v, want ErrChanged", err)
	}
}

func TestAModelMayBeAFolder(t *testing.T) {
	t.Parallel()
	s, spec := open(t), project(t, "good")
	spec.Model.URI = "file://models"
	put(t, filepath.Join(spec.Root, "models/deep/weights"), "w", 0o644)
	l := stage(t, s, spec, capture(t, spec))
	put(t, filepath.Join(spec.Root, "models/deep/weights"), "x", 0o644)
	b, err := os.ReadFile(filepath.Join(l.Model, "deep/weights"))
	if err != nil || string(b) != "w" || filepath.Base(l.Model) != "models" {
		t.Errorf("%s holds %q, %v", l.Model, b, err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(spec.Root, "models/leak")); err != nil {
		t.Fatal(err)
	}
	if _, err := endpoint.Capture(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("a link out of the model: %v", err)
	}
}

func TestExecutablesFromElsewhereAndFromPath(t *testing.T) {
	t.Parallel()
	s, spec := open(t), project(t, "good")
	outside := filepath.Join(t.TempDir(), "server")
	put(t, outside, "#!/bin/sh\necho outside\n", 0o755)
	spec.Runtime.Command[0] = outside
	l := stage(t, s, spec, capture(t, spec))
	if got := run(t, l); got != "outside\n" || l.Command[0] == outside {
		t.Errorf("%v says %q", l.Command, got)
	}
	spec.Runtime.Command = []string{"cat", "{model}"}
	l = stage(t, s, spec, capture(t, spec))
	if got := run(t, l); got != "good" || l.Command[0] != "cat" {
		t.Errorf("%v says %q", l.Command, got)
	}
	spec.Runtime.Command, spec.Runtime.Files = []string{"./bin/server", "{model}"}, []string{"bin", "labels/en"}
	if got := run(t, stage(t, s, spec, capture(t, spec))); got != "good labels" {
		t.Errorf("with the executable also among the files it says %q", got)
	}
}

func TestEqualBytesAreKeptOnce(t *testing.T) {
	t.Parallel()
	s, spec := open(t), project(t, "good")
	stage(t, s, spec, capture(t, spec))
	before := names(t, s.blobs())
	spec.Runtime.Protocol = "http"
	stage(t, s, spec, capture(t, spec))
	if after := names(t, s.blobs()); !slices.Equal(before, after) || len(names(t, s.revisions())) != 2 {
		t.Errorf("blobs %v, then %v", before, after)
	}
}

func TestStageMendsADamagedRevision(t *testing.T) {
	t.Parallel()
	for what, damage := range map[string]func(l Layout) error{
		"shorter":  func(l Layout) error { return overwrite(l.Model, "go") },
		"bent":     func(l Layout) error { return overwrite(l.Model, "evil") },
		"missing":  func(l Layout) error { return os.Remove(l.Command[0]) },
		"locked":   func(l Layout) error { return os.Chmod(l.Command[0], 0o444) },
		"manifest": func(l Layout) error { return overwrite(filepath.Join(l.Dir, "..", manifestName), "{") },
	} {
		s, spec := open(t), project(t, "good")
		rev := capture(t, spec)
		l := stage(t, s, spec, rev)
		if err := damage(l); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(rev); what != "bent" && what != "locked" && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: Get says %v, want ErrDamaged", what, err)
		}
		if got := run(t, stage(t, s, spec, rev)); got != "good labels" {
			t.Errorf("%s: mended, it says %q", what, got)
		}
	}
}

// overwrite writes into a file, as a server run by the same user could, through its read-only mode.
func overwrite(path, text string) error {
	return errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte(text), 0o644))
}

func TestADamagedBlobDoesNotSpread(t *testing.T) {
	t.Parallel()
	s, spec := open(t), project(t, "good")
	rev := capture(t, spec)
	stage(t, s, spec, rev)
	if err := overwrite(filepath.Join(s.blobs(), strings.TrimPrefix(rev.Model, "sha256:")), "evil"); err != nil {
		t.Fatal(err)
	}
	spec.Runtime.Protocol = "http"
	if got := run(t, stage(t, s, spec, capture(t, spec))); got != "good labels" {
		t.Errorf("a new revision says %q", got)
	}
}

func TestCollectKeepsOnlyWhatIsNeeded(t *testing.T) {
	t.Parallel()
	s, spec := open(t), project(t, "good")
	kept := capture(t, spec)
	stage(t, s, spec, kept)
	want := names(t, s.blobs())
	put(t, filepath.Join(spec.Root, "models/v1.json"), "better", 0o644)
	gone := capture(t, spec)
	stage(t, s, spec, gone)
	put(t, filepath.Join(s.revisions(), stagingPrefix+"1/half"), "x", 0o444)
	put(t, filepath.Join(s.blobs(), registry.TempPrefix+"1/new"), "x", 0o444)
	if err := s.Collect(map[string]bool{kept.Digest: true}); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s.blobs()); !slices.Equal(got, want) {
		t.Errorf("blobs %v are left, want %v", got, want)
	}
	if got := names(t, s.revisions()); len(got) != 1 {
		t.Errorf("revisions %v are left", got)
	}
	if _, err := s.Get(gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get of a collected revision: %v", err)
	}
	if l, err := s.Get(kept); err != nil || run(t, l) != "good labels" {
		t.Errorf("Get of a kept revision: %v", err)
	}
	if err := s.Collect(nil); err != nil || len(names(t, s.blobs())) != 0 {
		t.Errorf("%v, and %v is left", err, names(t, s.blobs()))
	}
}

func TestStageEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s, spec := open(t), project(t, "good")
	rev := capture(t, spec)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Stage(ctx, spec, rev); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want Canceled", err)
	}
	if left := names(t, s.revisions()); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func TestErrorsNameTheFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	put(t, file, "", 0o644)
	if _, err := Open(filepath.Join(file, "below")); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Open below a file: %v", err)
	}
	s, spec := open(t), project(t, "good")
	rev := capture(t, spec)
	for _, bad := range []string{"", "sha256:../../etc", "md5:1"} {
		if _, err := s.Get(endpoint.Revision{Digest: bad}); err == nil || !strings.Contains(err.Error(), "hex digits") {
			t.Errorf("Get(%q): %v", bad, err)
		}
	}
	if os.Getuid() == 0 {
		t.Skip("root may write to read-only folders")
	}
	if err := os.Chmod(s.revisions(), 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stage(t.Context(), spec, rev); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), s.dir) {
		t.Errorf("Stage into a read-only folder: %v", err)
	}
}

func TestWhereThereAreNoLinksFilesAreCopied(t *testing.T) {
	t.Parallel()
	src, dst := filepath.Join(t.TempDir(), "src"), filepath.Join(t.TempDir(), "dst")
	put(t, src, "hello", 0o555)
	if err := open(t).duplicate(src, dst); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(dst)
	info, _ := os.Stat(dst)
	if err != nil || string(b) != "hello" || info.Mode() != 0o555 {
		t.Errorf("%q, %v, %v", b, info.Mode(), err)
	}
}
