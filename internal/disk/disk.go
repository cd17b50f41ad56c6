// Package disk is the file system, as far as what is written there has to survive a power cut.
//
// Until it is synced, a file's content may be lost, cut short or zeros, whatever its name says; and until its folder is
// synced, a new name may be missing and an old one still there. What is synced stays. So whoever writes syncs content
// before it gets the name by which it is trusted, and the folder before anything relies on the name.
package disk

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// A Disk is a file system to write to. What is read is read with package os.
type Disk interface {
	Mkdir(path string, mode os.FileMode) error
	MkdirTemp(folder, pattern string) (string, error)
	// Create makes a file that is not there yet; Truncate one, or empties what is there.
	Create(path string, mode os.FileMode) (File, error)
	Truncate(path string, mode os.FileMode) (File, error)
	Rename(from, to string) error
	Link(from, to string) error
	Chmod(path string, mode os.FileMode) error
	Remove(path string) error
	RemoveAll(path string) error
	// Sync makes a file's content and mode, or a folder's names, survive.
	Sync(path string) error
}

// A File is open for writing.
type File interface {
	io.WriteCloser
	Chmod(os.FileMode) error
	Sync() error
}

// OS is the disk of this machine.
var OS Disk = system{}

type system struct{}

func (system) Mkdir(path string, mode os.FileMode) error        { return os.Mkdir(path, mode) }
func (system) MkdirTemp(folder, pattern string) (string, error) { return os.MkdirTemp(folder, pattern) }
func (system) Rename(from, to string) error                     { return os.Rename(from, to) }
func (system) Link(from, to string) error                       { return os.Link(from, to) }
func (system) Chmod(path string, mode os.FileMode) error        { return os.Chmod(path, mode) }
func (system) Remove(path string) error                         { return os.Remove(path) }
func (system) RemoveAll(path string) error                      { return os.RemoveAll(path) }

func (system) Create(path string, mode os.FileMode) (File, error) {
	return open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

func (system) Truncate(path string, mode os.FileMode) (File, error) {
	return open(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
}

func open(path string, flag int, mode os.FileMode) (File, error) {
	f, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err // a nil *os.File would be a File that is not nil
	}
	return f, nil
}

func (system) Sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// MkdirAll makes a folder that survives, with those above it that are missing.
func MkdirAll(d Disk, path string, mode os.FileMode) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	above := filepath.Dir(path)
	if above != path {
		if err := MkdirAll(d, above, mode); err != nil {
			return err
		}
	}
	if err := d.Mkdir(path, mode); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return SyncAbove(d, path)
}

// SyncAbove makes the name of a new folder survive, as far as this user may: some folders can be entered and not read.
func SyncAbove(d Disk, path string) error {
	if err := d.Sync(filepath.Dir(path)); err != nil && !errors.Is(err, os.ErrPermission) {
		return err
	}
	return nil
}

// Replace gives path a new content, in one step: whoever reads it, whenever and after whatever, finds the old one or
// the new one. It goes through the file path.new.
func Replace(d Disk, path string, content []byte, mode os.FileMode) error {
	temp := path + ".new"
	if err := Write(d, temp, content, mode); err != nil {
		return err
	}
	if err := d.Rename(temp, path); err != nil {
		return err
	}
	return d.Sync(filepath.Dir(path))
}

// Write writes a file whose content survives; its name does when its folder is synced.
func Write(d Disk, path string, content []byte, mode os.FileMode) error {
	f, err := d.Truncate(path, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
