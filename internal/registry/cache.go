package registry

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
// read or written makes hashing slower, not wrong. Several programs may use one file: an entry that
// two of them lose to each other is hashed again.
type Cache struct {
	Path string

	mu  sync.Mutex
	all map[string]entry // what was read of the file, and what was added since
	// The file that was read, and how much of it.
	from  os.FileInfo
	until int64
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
	c.refresh()
	seen := map[string]entry{}
	start := time.Now()
	ref, err = hashWith(ctx, path, func(ctx context.Context, file string) (string, int64, error) {
		e, err := hashKnown(ctx, file, c.known(file))
		if err != nil {
			return "", 0, err
		}
		seen[file] = e
		return e.Digest, e.Size, nil
	})
	was = c.known(path).Reference
	if err != nil {
		return Reference{}, was, err
	}
	if ref.Dir {
		seen[path] = entry{Reference: ref, Hashed: start}
	}
	c.add(seen)
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
