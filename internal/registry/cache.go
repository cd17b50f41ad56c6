package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	cacheSchema = 1
	cacheMax    = 4096 // entries; a folder's files count one each
	// A file that was written this shortly before it was hashed may be written again without
	// its time showing it, so it is hashed anew (git calls such an entry racily clean).
	racy = 2 * time.Second
)

// A Cache remembers digests between plans, so that a plan does not read gigabytes that have not
// changed. It is kept in the file at Path, and is only ever a short cut: a cache that cannot be
// read or written makes hashing slower, not wrong. Several programs may use one file; the last
// to write wins.
type Cache struct {
	Path string
	mu   sync.Mutex // guards the file within this process
}

// An entry is what was seen at a path. Folders are entries too, but only to say what they were:
// no look at a folder itself tells whether a file in it changed.
type entry struct {
	Reference
	Device   uint64    `json:"device,omitempty"`
	Inode    uint64    `json:"inode,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	Changed  time.Time `json:"changed,omitzero"`
	Hashed   time.Time `json:"hashed"` // when reading began
}

// Hash returns what Hash returns, and what the last look at the same path gave (zero if none).
func (c *Cache) Hash(ctx context.Context, path string) (ref, was Reference, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return Reference{}, Reference{}, fmt.Errorf("hash %s: %w", path, err)
	}
	known := c.load()
	seen := map[string]entry{}
	start := time.Now()
	ref, err = hashWith(ctx, path, func(ctx context.Context, file string) (string, int64, error) {
		e, err := hashKnown(ctx, file, known[file])
		if err != nil {
			return "", 0, err
		}
		seen[file] = e
		return e.Digest, e.Size, nil
	})
	was = known[path].Reference
	if err != nil {
		return Reference{}, was, err
	}
	if ref.Dir {
		seen[path] = entry{Reference: ref, Hashed: start}
	}
	c.add(known, seen)
	return ref, was, nil
}

// hashKnown returns the known entry if the file is still as it was, else hashes it.
func hashKnown(ctx context.Context, file string, known entry) (entry, error) {
	before, err := look(file)
	if err != nil {
		return entry{}, err
	}
	if known.trusted() && known.same(before) {
		return known, nil
	}
	before.Hashed = time.Now()
	size := before.Size
	if before.Digest, before.Size, err = hashFile(ctx, file); err != nil {
		return entry{}, err
	}
	after, err := look(file)
	if err != nil || !after.same(before) || before.Size != size {
		before.Modified = time.Time{} // it changes under our eyes: never trust this entry
	}
	return before, nil
}

func look(file string) (entry, error) {
	info, err := os.Stat(file)
	if err != nil {
		return entry{}, fmt.Errorf("hash: %w", err)
	}
	e := entry{Reference: Reference{Path: file, Size: info.Size()}, Modified: info.ModTime()}
	e.Device, e.Inode, e.Changed = identity(info)
	return e, nil
}

func (e entry) same(o entry) bool {
	return e.Path == o.Path && e.Size == o.Size && e.Device == o.Device && e.Inode == o.Inode &&
		e.Modified.Equal(o.Modified) && e.Changed.Equal(o.Changed)
}

func (e entry) trusted() bool {
	return e.Digest != "" && !e.Dir && !e.Modified.IsZero() &&
		e.Modified.Add(racy).Before(e.Hashed) && e.Changed.Add(racy).Before(e.Hashed)
}

type cacheFile struct {
	Schema  int     `json:"schema"`
	Entries []entry `json:"entries"`
}

func (c *Cache) load() map[string]entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read()
}

func (c *Cache) read() map[string]entry {
	known := map[string]entry{}
	var f cacheFile
	b, err := os.ReadFile(c.Path)
	if err != nil || json.Unmarshal(b, &f) != nil || f.Schema != cacheSchema {
		return known
	}
	for _, e := range f.Entries {
		known[e.Path] = e
	}
	return known
}

// add writes what was seen and not known, best effort.
func (c *Cache) add(known, seen map[string]entry) {
	for p, e := range seen {
		if k, ok := known[p]; ok && k == e || e.Dir && k.Reference == e.Reference {
			delete(seen, p)
		}
	}
	if len(seen) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.read() // others may have written since
	for p, e := range seen {
		all[p] = e
	}
	f := cacheFile{Schema: cacheSchema}
	for _, e := range all {
		f.Entries = append(f.Entries, e)
	}
	slices.SortFunc(f.Entries, func(a, b entry) int { return b.Hashed.Compare(a.Hashed) })
	f.Entries = f.Entries[:min(len(f.Entries), cacheMax)]
	_ = f.write(c.Path) // the next plan hashes again
}

func (f cacheFile) write(path string) error {
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = temp.Write(b)
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}
