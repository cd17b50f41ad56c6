package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// A cacheFile is how the file of a cache begins. Entries that came later follow, a line each: a plan of a
// thousand models adds a thousand of them, and must not write them all a thousand times.
type cacheFile struct {
	Schema  int     `json:"schema"`
	Entries []entry `json:"entries"`
}

// known returns what is remembered of a path, zero for nothing.
func (c *Cache) known(path string) entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[path]
}

// refresh learns what was written since the last look, by this program or another.
func (c *Cache) refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readNew()
}

// readNew is refresh with the lock held. A file that was written anew is another file.
func (c *Cache) readNew() {
	now, err := os.Stat(c.Path)
	if err != nil {
		c.all, c.from, c.until = map[string]entry{}, nil, 0
		return
	}
	if c.from != nil && os.SameFile(c.from, now) && now.Size() == c.until {
		return
	}
	if c.from == nil || !os.SameFile(c.from, now) || now.Size() < c.until {
		c.all, c.until = map[string]entry{}, 0
	}
	c.from = now
	b, err := readFrom(c.Path, c.until)
	if err != nil {
		return
	}
	lines := bytes.SplitAfter(b, []byte{'\n'})
	if c.until == 0 {
		var f cacheFile
		if json.Unmarshal(lines[0], &f) != nil || f.Schema != cacheSchema {
			c.from = nil // what follows is not ours either; add writes it anew
			return
		}
		for _, e := range f.Entries {
			c.all[e.Path] = e
		}
		c.until, lines = int64(len(lines[0])), lines[1:]
		if len(lines) == 0 {
			c.until-- // an earlier Tidegate's, without the end of a line: append makes one
		}
	}
	for _, line := range lines {
		if !bytes.HasSuffix(line, []byte{'\n'}) {
			return // somebody is writing it, or never finished
		}
		c.until += int64(len(line))
		var e entry
		if json.Unmarshal(line, &e) == nil && e.Path != "" {
			c.all[e.Path] = e
		}
	}
}

func readFrom(path string, offset int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// add remembers what was seen and not known, best effort.
func (c *Cache) add(seen map[string]entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readNew() // others may have written since
	var lines []byte
	for p, e := range seen {
		if k, ok := c.all[p]; ok && k == e || e.Dir && k.Reference == e.Reference {
			continue
		}
		b, err := json.Marshal(e)
		if err != nil {
			return
		}
		c.all[p] = e
		lines = append(append(lines, b...), '\n')
	}
	if len(lines) == 0 {
		return
	}
	// A file grows by a quarter, or to twice its size by entries of the same paths, before it is written anew.
	if c.from != nil && len(c.all) <= cacheMax+cacheMax/4 && c.from.Size() < 2*leastFile+2*int64(len(c.all))*entrySize {
		if c.append(lines) == nil {
			return
		}
	}
	f := cacheFile{Schema: cacheSchema}
	for _, e := range c.all {
		f.Entries = append(f.Entries, e)
	}
	slices.SortFunc(f.Entries, func(a, b entry) int { return b.Hashed.Compare(a.Hashed) })
	f.Entries = f.Entries[:min(len(f.Entries), cacheMax)]
	_ = f.write(c.Path) // the next plan hashes again
}

// An entry is some 350 bytes, by the length of its path.
const entrySize, leastFile = 512, 64 << 10

// append writes lines behind the others, in one piece. A line that was torn before them ends here.
func (c *Cache) append(lines []byte) error {
	f, err := os.OpenFile(c.Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if c.from.Size() != c.until {
		lines = append([]byte{'\n'}, lines...)
	}
	_, err = f.Write(lines)
	return errors.Join(err, f.Close())
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
	_, err = temp.Write(append(b, '\n'))
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
