package content

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

// Collect removes all revisions but those whose digest is in keep, the blobs that no revision
// needs, and what a killed Stage left behind. Whoever stages a revision must keep it from the
// moment that it is staged: Collect does not know what is about to be stored.
func (s *Store) Collect(keep map[string]bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries, err := os.ReadDir(s.revisions())
	if err != nil {
		return fmt.Errorf("collect: %w", err)
	}
	var errs []error
	needed, known := map[string]bool{}, true
	for _, e := range entries {
		place := filepath.Join(s.revisions(), e.Name())
		if strings.HasPrefix(e.Name(), ".") || !keep["sha256:"+e.Name()] {
			errs = append(errs, s.remove(place))
			continue
		}
		m, err := readManifest(place)
		known = known && err == nil
		for _, b := range m.Blobs {
			needed[b] = true
		}
	}
	if known { // else a damaged revision may be mended with blobs that only it needs
		errs = append(errs, s.removeBlobs(needed))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("collect: %w", err)
	}
	return nil
}

func (s *Store) removeBlobs(needed map[string]bool) error {
	entries, err := os.ReadDir(s.blobs())
	if err != nil {
		return err
	}
	failpoint.Hit("blobs.remove")
	var errs []error
	for _, e := range entries {
		if !needed[e.Name()] {
			errs = append(errs, s.disk.RemoveAll(filepath.Join(s.blobs(), e.Name())))
		}
	}
	return errors.Join(errs...)
}

// remove takes a revision away at once and its files after that, so that a crash leaves no half.
func (s *Store) remove(place string) error {
	gone := filepath.Join(s.revisions(), stagingPrefix+"gone-"+strings.TrimPrefix(filepath.Base(place), stagingPrefix))
	failpoint.Hit("revision.remove")
	if err := s.disk.Rename(place, gone); err != nil {
		return err
	}
	failpoint.Hit("revision.gone")
	return s.disk.RemoveAll(gone)
}
