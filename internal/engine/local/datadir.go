package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

// A dataDir is the absolute path of a data directory, which holds all that one daemon keeps.
type dataDir string

func (d dataDir) path(name string) string { return filepath.Join(string(d), name) }

func (d dataDir) marker() string   { return d.path("tidegate-data") }
func (d dataDir) store() string    { return d.path("store.db") }
func (d dataDir) lock() string     { return d.path("engine.lock") }
func (d dataDir) info() string     { return d.path("engine.json") }
func (d dataDir) log() string      { return d.path("daemon.log") }
func (d dataDir) startLog() string { return d.path("start.log") }
func (d dataDir) content() string  { return d.path("content") }

// servers is where model servers keep their logs and pid files: a folder for each endpoint.
func (d dataDir) servers() string { return d.path("servers") }

func (d dataDir) serversOf(id string) string {
	return filepath.Join(d.servers(), filepath.FromSlash(id))
}

const markerText = `This folder belongs to Tidegate's embedded engine: model bytes, endpoints, rollouts and
the secrets of running model servers. Stop the engine before you move or delete it.
`

// prepare makes the directory, or checks that it is ours and private. The marker file is what
// tells it from a folder that somebody named by mistake.
func (d dataDir) prepare() error { return d.prepareOn(disk.OS) }

func (d dataDir) prepareOn(to disk.Disk) error {
	if err := disk.MkdirAll(to, filepath.Dir(string(d)), 0o755); err != nil { // what is above is not ours to close
		return d.explain(err)
	}
	if err := to.Mkdir(string(d), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return d.explain(err)
	}
	if err := d.check(); err != nil {
		return err
	}
	if d.marked() {
		return d.ignore(to)
	}
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return d.explain(err)
	}
	if len(entries) > 0 && !d.marked() {
		return fmt.Errorf("data directory %s: holds other things (%s): name an empty or a new folder", d, some(entries))
	}
	if err := d.mark(to); err != nil {
		return d.explain(err)
	}
	return d.ignore(to)
}

// mark makes the folder ours for good: without its marker, what is written after it would look like somebody else's.
func (d dataDir) mark(to disk.Disk) error {
	if err := to.Chmod(string(d), 0o700); err != nil {
		return err
	}
	if err := disk.SyncAbove(to, string(d)); err != nil {
		return err
	}
	failpoint.Hit("marker")
	if err := disk.Write(to, d.marker(), []byte(markerText), 0o600); err != nil {
		return err
	}
	return to.Sync(string(d))
}

// ignore keeps data directories, which lie in repositories, from being committed, also where a power cut took the file.
func (d dataDir) ignore(to disk.Disk) error {
	path := d.path(".gitignore")
	if b, err := os.ReadFile(path); err == nil && len(bytes.Trim(b, "\x00\n")) > 0 {
		return nil
	}
	failpoint.Hit("marked")
	err := disk.Write(to, path, []byte("*\n"), 0o600)
	if err == nil {
		err = to.Sync(string(d))
	}
	if err != nil {
		return d.explain(err)
	}
	return nil
}

// marked reports whether the marker is there. Two programs may prepare a directory at once:
// one may see the other's first files before it looked for the marker.
func (d dataDir) marked() bool {
	_, err := os.Lstat(d.marker())
	return err == nil
}

// check refuses a directory that others own or can write to: whoever can write there can run
// programs as this user.
func (d dataDir) check() error {
	info, err := os.Stat(string(d))
	if err != nil {
		return d.explain(err)
	}
	if !info.IsDir() {
		return fmt.Errorf("data directory %s: is a file: name a folder", d)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("data directory %s: belongs to user %d, not to user %d who runs this: "+
			"name another data directory, or run as its owner", d, st.Uid, os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("data directory %s: others can write to it (mode %04o): run chmod 700 %s", d, mode, d)
	}
	return nil
}

// exists reports whether the directory is one of ours, without making it.
func (d dataDir) exists() (bool, error) {
	if _, err := os.Stat(string(d)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err := d.check(); err != nil {
		return false, err
	}
	// What may not be looked at is there all the same: nobody is to think that its endpoints are gone.
	if _, err := os.Lstat(d.marker()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("data directory %s: cannot be read (%w): what runs goes on; make it readable again with chmod 700 %s", d, cause(err), d)
	}
	return d.marked(), nil
}

// explain adds the way out to what the file system said.
func (d dataDir) explain(err error) error {
	switch {
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("data directory %s: cannot be written (%w): make it writable, or name another one", d, cause(err))
	case full(err):
		return fmt.Errorf("data directory %s: the disk is full (%w): free some space there, then try again", d, cause(err))
	}
	return fmt.Errorf("data directory %s: %w", d, err)
}

// diskErrors are what a disk says that takes no write.
var diskErrors = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EROFS, syscall.EIO, syscall.EACCES, syscall.EPERM}

// fromDisk returns what the disk said, or nil. bbolt keeps only the words of some errors.
func fromDisk(err error) error {
	for _, no := range diskErrors {
		if errors.Is(err, no) || err != nil && strings.HasSuffix(err.Error(), no.Error()) {
			return no
		}
	}
	return nil
}

// full reports whether err says that no more bytes fit.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// way is what to do where a write failed.
func (d dataDir) way(err error) string {
	switch {
	case full(err):
		return fmt.Sprintf("free some space on the disk of %s", d)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("make %s writable again", d)
	}
	return fmt.Sprintf("see to the disk of %s", d)
}

// cause drops the operation and the path, which the sentence around it says already.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// some names the first entries of a folder.
func some(entries []fs.DirEntry) string {
	var names []string
	for _, e := range entries {
		if len(names) == 3 {
			names = append(names, "...")
			break
		}
		names = append(names, e.Name())
	}
	return strings.Join(names, ", ")
}
