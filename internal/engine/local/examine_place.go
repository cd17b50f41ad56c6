package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/semver"
	"golang.org/x/sys/unix"
)

const (
	// A disk is nearly full with less than leastFree, or than a leastShare of it: a staged model and a store
	// that is copied need room.
	leastFree  = 256 << 20
	leastShare = 0.02
)

// folder looks at the data directory itself, and reports whether one can look into it.
func (x *examination) folder() (bool, error) {
	info, err := os.Stat(string(x.dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, x.dir.explain(err)
	}
	if err := x.dir.check(); err != nil {
		do := "run this as the owner of the folder, or name another one with --data-dir"
		switch {
		case !info.IsDir():
			do = "name a folder with --data-dir"
		case info.Mode().Perm()&0o022 != 0:
			do = "chmod 700 " + string(x.dir)
		}
		x.found("folder", do, "No engine starts here: %s.", err)
		return false, nil
	}
	if _, err := os.ReadDir(string(x.dir)); err != nil {
		return false, x.dir.explain(err)
	}
	if !x.dir.marked() {
		return false, nil
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && mode&0o022 == 0 {
		x.found("folder", "chmod 700 "+string(x.dir), "Others can look into the data directory (mode %04o): it holds secrets of model servers.", mode)
	}
	if st, err := os.Stat(x.dir.store()); err == nil && st.Mode().Perm()&0o077 != 0 {
		x.found("store", "chmod 600 "+x.dir.store(), "Others can read the store (mode %04o): it holds secrets of model servers.", st.Mode().Perm())
	}
	for _, path := range []string{string(x.dir), x.dir.store()} {
		if err := unix.Access(path, unix.W_OK); err != nil && !errors.Is(err, unix.ENOENT) {
			x.found("folder", "chown and chmod it, or mount it writable: nothing can be saved until then", "%s cannot be written: %s.", path, err)
		}
	}
	return true, nil
}

// disk looks for room.
func (x *examination) disk() {
	var st unix.Statfs_t
	if err := unix.Statfs(string(x.dir), &st); err != nil {
		x.found("disk", "df "+string(x.dir), "How full the disk is cannot be found out: %s.", err)
		return
	}
	size := uint64(st.Bsize) // of different types on different systems
	x.Disk = Disk{Free: st.Bavail * size, Total: st.Blocks * size}
	if x.Disk.nearlyFull() {
		x.found("disk", fmt.Sprintf("make room: df %s; du -sh %s/*", x.dir, x.dir), "The disk is nearly full: %d MB of %d MB are free. "+
			"A store that cannot be written keeps all weights as they are, and no candidate can be staged.", x.Disk.Free>>20, x.Disk.Total>>20)
	}
}

func (d Disk) nearlyFull() bool {
	return d.Total > 0 && (d.Free < leastFree || float64(d.Free) < leastShare*float64(d.Total))
}

// held reports whether a process holds the data directory. The lock's file is not made for it.
func (x *examination) held() bool {
	if _, err := os.Stat(x.dir.lock()); err != nil {
		return false
	}
	free, err := x.dir.free()
	return err == nil && !free
}

// versions compares this program with the daemon.
func (x *examination) versions(self info) {
	mine, theirs := canonical(x.Program), canonical(self.Version)
	older := semver.IsValid(mine) && semver.IsValid(theirs) && semver.Compare(mine, theirs) < 0
	switch {
	case older && self.API != apiVersion, !older && self.API > apiVersion:
		x.found("engine", "use version "+self.Version+" of this program", "The engine is of version %s (API %d), which this program (%s, API %d) cannot talk to.",
			self.Version, self.API, x.Program, apiVersion)
	case older:
		x.found("engine", "use version "+self.Version+" of this program", "This program (%s) is older than the engine (%s): it reads what that wrote, and cannot drive its rollouts.", x.Program, self.Version)
	}
}

// lastError is why the last daemon ended, if that was an error: " It ended with: ...", or "".
func (d dataDir) lastError() string {
	f, err := os.Open(d.log())
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	b := make([]byte, 16<<10)
	st, err := f.Stat()
	if err != nil {
		return ""
	}
	n, _ := f.ReadAt(b, max(0, st.Size()-int64(len(b)))) // what was read is enough
	lines := bytes.Split(bytes.TrimSpace(b[:n]), []byte("\n"))
	var last struct {
		Msg   string `json:"msg"`
		Error string `json:"error"`
	}
	if json.Unmarshal(lines[len(lines)-1], &last) != nil || last.Msg != "the engine ends" {
		return ""
	}
	return " The last one ended with: " + strings.TrimSuffix(last.Error, ".") + "."
}
