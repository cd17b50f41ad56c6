package checkout

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// mostFile bounds what is read: GitHub takes no workflow that is longer.
const mostFile = 1 << 20

// A file is where a pipeline's is, or would be.
type file struct {
	top  string // the folder that is the checkout
	path string
}

// locate finds the file of a place. There is no link on the way to it: neither git nor GitHub follows one, and it may
// lead out of the folder.
func locate(p pipeline.Place) (file, error) {
	if !filepath.IsAbs(p.Directory) || !filepath.IsLocal(filepath.FromSlash(p.Path)) {
		return file{}, fmt.Errorf("path %q in folder %q: want an absolute folder, and a path below it such as .github/workflows/fraud.yml", p.Path, p.Directory)
	}
	info, err := os.Stat(p.Directory)
	if err != nil {
		return file{}, fmt.Errorf("folder of the checkout: %w", err)
	}
	if !info.IsDir() {
		return file{}, fmt.Errorf("folder of the checkout: %s is no folder", p.Directory)
	}
	at := p.Directory
	parts := strings.Split(p.Path, "/")
	for i, part := range parts {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return file{}, err
		}
		last := i == len(parts)-1
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			return file{}, fmt.Errorf("%s is a link, which GitHub does not follow and which may lead out of the checkout: want a real one in its place", at)
		case last && !info.Mode().IsRegular():
			return file{}, fmt.Errorf("%s is there and is no file: %s", at, info.Mode().Type())
		case !last && !info.IsDir():
			return file{}, fmt.Errorf("%s is there and is no folder", at)
		}
	}
	return file{top: p.Directory, path: filepath.Join(p.Directory, filepath.FromSlash(p.Path))}, nil
}

// read returns the content, "" for no file.
func (f file) read() (string, error) {
	r, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(r, mostFile+1))
	if err != nil {
		return "", err
	}
	if len(b) > mostFile {
		return "", fmt.Errorf("%s has more than %d bytes: is it a workflow?", f.path, mostFile)
	}
	return string(b), nil
}

// write replaces the content in one step, and returns the names of the folders that it made for it.
func (f file) write(d disk.Disk, content string) ([]string, error) {
	folder := filepath.Dir(f.path)
	made := f.missing(folder)
	err := disk.MkdirAll(d, folder, 0o755)
	if err == nil {
		err = f.replace(d, content)
	}
	if err == nil {
		return made, d.Sync(folder)
	}
	for _, name := range made {
		_ = d.Remove(filepath.Join(f.top, strings.TrimPrefix(name, madeFolder))) // those that came into being: they are empty
	}
	return nil, err
}

// replace writes beside the file and gives it the name in one step.
func (f file) replace(d disk.Disk, content string) error {
	temp := f.temp()
	if err := d.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // what a crash left, or a link
	}
	err := disk.Write(d, temp, []byte(content), 0o644)
	if err == nil {
		err = d.Rename(temp, f.path)
	}
	if err != nil {
		_ = d.Remove(temp)
	}
	return err
}

// temp has a name that GitHub does not take for a workflow's.
func (f file) temp() string {
	return filepath.Join(filepath.Dir(f.path), "."+filepath.Base(f.path)+".tidegate-new")
}

// missing are the names, as Status.Made has them, of the folders up to folder that are not there.
func (f file) missing(folder string) (made []string) {
	for at := folder; at != f.top; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); err == nil {
			return made
		}
		made = append(made, f.made(at))
	}
	return made
}

const madeFolder = "folder/"

// made is what Status.Made calls a folder.
func (f file) made(folder string) string {
	rel, err := filepath.Rel(f.top, folder)
	if err != nil {
		return "" // it is below
	}
	return madeFolder + filepath.ToSlash(rel)
}

func (f file) remove(d disk.Disk) error {
	if err := d.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.Sync(filepath.Dir(f.path))
}

// removeFolders removes those that were made for the file and have nothing in them.
func (f file) removeFolders(d disk.Disk, known pipeline.Status) error {
	for at := filepath.Dir(f.path); at != f.top; at = filepath.Dir(at) {
		if !known.MadeIt(f.made(at)) {
			return nil
		}
		entries, err := os.ReadDir(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || len(entries) > 0 {
			return err
		}
		if err := d.Remove(at); err != nil {
			return err
		}
		if err := d.Sync(filepath.Dir(at)); err != nil {
			return err
		}
	}
	return nil
}
