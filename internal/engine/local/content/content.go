// Package content keeps the bytes that revisions run, named by their SHA-256: what users do to
// their own files changes nothing that serves.
//
//	DIR/blobs/sha256/HEX       a model, an executable or a further file; read-only
//	DIR/revisions/HEX/         a revision laid out to be run, made of links to blobs
//	    manifest.json          what is here; without it there is no revision
//	    work/                  the working folder: executable and files at their relative paths
//	    bin/NAME               the executable, if it came from outside the project
//	    model/NAME             the model
//
// A revision is built aside and renamed into place, so it is there entirely or not at all.
package content

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
)

// ErrDamaged means that a revision is not as it was staged. Staging it again mends it.
var ErrDamaged = errors.New("the staged revision is damaged")

// A Store is a folder of revisions. One process at a time may write to it.
type Store struct {
	dir  string
	disk disk.Disk
	mu   sync.Mutex // one Stage or Collect at a time
}

// A Layout is a revision as a model server finds it. All paths are absolute.
type Layout struct {
	Dir     string   // working folder
	Command []string // {port}, {model} and {name} are still in it
	Model   string   // a file or a folder
}

// Open returns the store in dir, which is made if it is not there.
func Open(dir string) (*Store, error) { return OpenOn(disk.OS, dir) }

// OpenOn is Open on another disk.
func OpenOn(to disk.Disk, dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the content store: %w", err)
	}
	s := &Store{dir: dir, disk: to}
	for _, d := range []string{s.blobs(), s.revisions()} {
		if err := disk.MkdirAll(to, d, 0o700); err != nil {
			return nil, fmt.Errorf("open the content store: %w", err)
		}
	}
	return s, nil
}

func (s *Store) blobs() string     { return filepath.Join(s.dir, "blobs", "sha256") }
func (s *Store) revisions() string { return filepath.Join(s.dir, "revisions") }

var digestForm = regexp.MustCompile(`^sha256:([0-9a-f]{64})$`)

// hexOf returns the part of a digest that names files here; nothing else may.
func hexOf(digest string) (string, error) {
	m := digestForm.FindStringSubmatch(digest)
	if m == nil {
		return "", fmt.Errorf("digest %q: want sha256: and 64 hex digits", digest)
	}
	return m[1], nil
}

// Stage makes rev, which spec was captured as, ready to run. It copies what is not there yet and
// fails with endpoint.ErrChanged if those bytes are not the ones in rev. A revision that is there
// is returned without a look at the user's files; one that is damaged is made anew.
func (s *Store) Stage(ctx context.Context, spec endpoint.Spec, rev endpoint.Revision) (Layout, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hex, err := hexOf(rev.Digest)
	if err != nil {
		return Layout{}, fmt.Errorf("stage: %w", err)
	}
	if want := spec.RevisionDigest(rev); want != rev.Digest {
		return Layout{}, fmt.Errorf("stage: %w: the revision is %s, but what is asked for is %s", endpoint.ErrChanged, rev.Digest, want)
	}
	place := filepath.Join(s.revisions(), hex)
	if m, err := readManifest(place); err == nil && m.intact(ctx, place) {
		return m.layout(place), nil
	}
	if err := s.build(ctx, place, spec, rev); err != nil {
		return Layout{}, fmt.Errorf("stage: %w", changed(err))
	}
	return s.Get(rev)
}

// Get returns a revision that was staged before, perhaps by an earlier daemon. It fails with
// fs.ErrNotExist if there is none, and with ErrDamaged if a file is missing or has another size.
func (s *Store) Get(rev endpoint.Revision) (Layout, error) {
	hex, err := hexOf(rev.Digest)
	if err != nil {
		return Layout{}, err
	}
	place := filepath.Join(s.revisions(), hex)
	m, err := readManifest(place)
	if err != nil {
		return Layout{}, err
	}
	if err := m.whole(place); err != nil {
		return Layout{}, err
	}
	return m.layout(place), nil
}

// build lays a revision out aside and then puts it at place.
func (s *Store) build(ctx context.Context, place string, spec endpoint.Spec, rev endpoint.Revision) error {
	temp, err := s.disk.MkdirTemp(s.revisions(), stagingPrefix)
	if err != nil {
		return err
	}
	defer func() { _ = s.disk.RemoveAll(temp) }() // if that fails, Collect does it
	b := builder{store: s, at: filepath.Join(temp, "new"), manifest: manifest{Schema: schema, Revision: rev, Command: spec.Runtime.Command}}
	if err := b.fill(ctx, spec, rev); err != nil {
		return err
	}
	failpoint.Hit("manifest")
	if err := b.manifest.write(s.disk, b.at); err != nil {
		return err
	}
	if err := s.syncFolders(b.at); err != nil {
		return err
	}
	// Rename does not replace a folder that holds something: a damaged revision goes aside first.
	if err := s.disk.Rename(place, filepath.Join(temp, "old")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	failpoint.Hit("revision.rename")
	if err := s.disk.Rename(b.at, place); err != nil {
		return err
	}
	failpoint.Hit("revision.there")
	return s.disk.Sync(s.revisions())
}

// changed says that it was after the plan that bytes changed.
func changed(err error) error {
	if errors.Is(err, registry.ErrChanged) && !errors.Is(err, endpoint.ErrChanged) {
		return fmt.Errorf("%w: %w; plan again to see what is there now", endpoint.ErrChanged, err)
	}
	return err
}
