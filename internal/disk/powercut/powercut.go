// Package powercut is a disk for tests: it records what is written, and builds what a power cut may leave of that.
//
// After a cut, of what was written before it, everything that was synced is there. Of the rest anything may be: a name
// that was given or taken away may be as before, each by itself; a file's content may be what it was when it was last
// synced, or cut off, or zeros of the right length, under whatever name the file has by then. A file's time and size are
// no witness. A rename is in one piece.
package powercut

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
)

// TempDir is a folder for a test. Building thousands of disks takes no time where it is in memory.
func TempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "tidegate") //nolint:usetesting // that is on a disk
	if err != nil {
		return t.TempDir() // not Linux
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A Disk writes to a real folder, and records.
type Disk struct {
	root string

	mu      sync.Mutex // of all below
	nodes   []*node    // the first is the root
	ops     []op
	moments []int // that a test asked for
}

// A node is a file or a folder, whatever its names.
type node struct {
	folder  bool
	names   map[string]int // of a folder: numbers of nodes, as they are now
	content []byte
	mode    os.FileMode
	time    time.Time
}

// A kind of operation.
type kind int

const (
	add     kind = iota // a name
	take                // a name away
	move                // a name, from elsewhere
	content             // of a file, or its mode
	synced              // a file's content, or a folder's names
	nothing
)

// An op is what was done to a node.
type op struct {
	kind   kind
	folder int // that the name is in
	name   string
	from   int // folder and name that it was moved from
	was    string
	node   int
	file   node // its content from then on
}

// New records what is written below a folder, which is empty.
func New(folder string) *Disk {
	return &Disk{root: folder, nodes: []*node{{folder: true, names: map[string]int{}, mode: 0o700}}}
}

// Now is how much was done so far: what a test promises from here on holds after cuts at this moment, and later.
func (d *Disk) Now() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moments = append(d.moments, len(d.ops))
	return len(d.ops)
}

// parent returns the folder that a path's last name is in.
func (d *Disk) parent(path string) (folder int, name string) {
	rel, err := filepath.Rel(d.root, path)
	if err != nil || !filepath.IsLocal(rel) {
		panic("powercut: " + path + " is not below " + d.root)
	}
	parts := strings.Split(rel, string(filepath.Separator))
	for _, p := range parts[:len(parts)-1] {
		n, ok := d.nodes[folder].names[p]
		if !ok {
			panic("powercut: " + path + " was not written through this disk")
		}
		folder = n
	}
	return folder, parts[len(parts)-1]
}

func (d *Disk) find(path string) (number int, ok bool) {
	if path == d.root {
		return 0, true
	}
	folder, name := d.parent(path)
	number, ok = d.nodes[folder].names[name]
	return number, ok
}

// do carries out an operation on names in the present, and notes it.
func (d *Disk) do(o op) {
	d.ops = append(d.ops, o)
	switch o.kind {
	case add:
		d.nodes[o.folder].names[o.name] = o.node
	case take:
		delete(d.nodes[o.folder].names, o.name)
	case move:
		delete(d.nodes[o.from].names, o.was)
		d.nodes[o.folder].names[o.name] = o.node
	case content:
		*d.nodes[o.node] = o.file
	case synced, nothing:
	}
}

// made notes a new file or folder.
func (d *Disk) made(path string, n *node) int {
	folder, name := d.parent(path)
	d.nodes = append(d.nodes, n)
	number := len(d.nodes) - 1
	d.do(op{kind: add, folder: folder, name: name, node: number})
	return number
}

// Mkdir makes a folder.
func (d *Disk) Mkdir(path string, mode os.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := disk.OS.Mkdir(path, mode); err != nil {
		return err
	}
	d.made(path, &node{folder: true, names: map[string]int{}, mode: mode})
	return nil
}

// MkdirTemp makes a folder of a new name.
func (d *Disk) MkdirTemp(folder, pattern string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path, err := disk.OS.MkdirTemp(folder, pattern)
	if err == nil {
		d.made(path, &node{folder: true, names: map[string]int{}, mode: 0o700})
	}
	return path, err
}

// Rename moves a name.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := disk.OS.Rename(from, to); err != nil {
		return err
	}
	o := op{kind: move}
	o.from, o.was = d.parent(from)
	o.folder, o.name = d.parent(to)
	o.node = d.nodes[o.from].names[o.was]
	d.do(o)
	return nil
}

// Link gives a file another name.
func (d *Disk) Link(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := disk.OS.Link(from, to); err != nil {
		return err
	}
	o := op{kind: add}
	o.node, _ = d.find(from)
	o.folder, o.name = d.parent(to)
	d.do(o)
	return nil
}

// Chmod changes a mode.
func (d *Disk) Chmod(path string, mode os.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := disk.OS.Chmod(path, mode); err != nil {
		return err
	}
	number, _ := d.find(path)
	n := *d.nodes[number]
	n.mode = mode
	d.do(op{kind: content, node: number, file: n})
	return nil
}

// Remove takes a name away.
func (d *Disk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.remove(path)
}

func (d *Disk) remove(path string) error {
	if err := disk.OS.Remove(path); err != nil {
		return err
	}
	folder, name := d.parent(path)
	d.do(op{kind: take, folder: folder, name: name})
	return nil
}

// RemoveAll takes away all that is below a path, each by itself, and the path.
func (d *Disk) RemoveAll(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	err := filepath.WalkDir(path, func(p string, _ fs.DirEntry, err error) error {
		all = append(all, p)
		return err
	})
	if os.IsNotExist(err) {
		return nil
	}
	for _, p := range slices.Backward(all) {
		if err == nil {
			err = d.remove(p)
		}
	}
	return err
}

// Sync makes content or names survive.
func (d *Disk) Sync(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := disk.OS.Sync(path); err != nil {
		return err
	}
	number, _ := d.find(path)
	d.do(op{kind: synced, name: path, node: number})
	return nil
}

// Create makes a new file.
func (d *Disk) Create(path string, mode os.FileMode) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := disk.OS.Create(path, mode)
	if err != nil {
		return nil, err
	}
	return &file{File: f, disk: d, path: path, node: d.made(path, &node{mode: mode})}, nil
}

// Truncate makes a file empty, or new.
func (d *Disk) Truncate(path string, mode os.FileMode) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := disk.OS.Truncate(path, mode)
	if err != nil {
		return nil, err
	}
	number, ok := d.find(path)
	if !ok {
		number = d.made(path, &node{mode: mode})
	}
	x := &file{File: f, disk: d, path: path, node: number}
	x.changed(func(n *node) { n.content = nil })
	return x, nil
}

// A file is open for writing.
type file struct {
	disk.File
	disk *Disk
	path string
	node int
}

// changed notes a new content. The disk is locked.
func (f *file) changed(fn func(*node)) {
	n := *f.disk.nodes[f.node]
	fn(&n)
	if info, err := os.Lstat(f.path); err == nil {
		n.time = info.ModTime()
	}
	f.disk.do(op{kind: content, node: f.node, file: n})
}

func (f *file) Write(b []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	w, err := f.File.Write(b)
	f.changed(func(n *node) { n.content = append(slices.Clone(n.content), b[:w]...) })
	return w, err
}

func (f *file) Chmod(mode os.FileMode) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.File.Chmod(mode)
	f.changed(func(n *node) { n.mode = mode })
	return err
}

func (f *file) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	err := f.File.Sync()
	f.disk.do(op{kind: synced, name: f.path, node: f.node})
	return err
}
