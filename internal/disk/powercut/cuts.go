package powercut

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// A Loss is what becomes of a content that was not synced.
type Loss string

// The losses.
const (
	Kept   Loss = "kept"   // all of it is there
	Gone   Loss = "gone"   // the file is as it was when it was last synced, or empty
	Zeroed Loss = "zeroed" // the length is there, and the content zeros
	Halved Loss = "halved" // the first half is there
)

// A Cut is a disk after a power cut.
type Cut struct {
	After  int // operations that came before it, as Now counts
	Names  string
	Loss   Loss
	Folder string // what is there now, which the test may change
}

func (c Cut) String() string {
	return fmt.Sprintf("cut after operation %d, with %s of the names not synced, unsynced content %s", c.After, c.Names, c.Loss)
}

// mixes is how many random choices of names there are for each moment.
const mixes = 3

// Cuts calls test with each different disk that a cut at any moment may leave, built in a folder below temp. There are
// so many ways to lose names that some are chosen, by a seed.
func (d *Disk) Cuts(temp string, seed uint64, test func(Cut) error) error {
	d.mu.Lock()
	ops := slices.Clone(d.ops)
	d.mu.Unlock()
	rng := rand.New(rand.NewPCG(seed, 0))
	type state struct {
		era  int // another promise, another question
		tree [32]byte
	}
	seen := map[state]bool{}
	number := 0
	for after := 0; after <= len(ops); after++ {
		era := 0
		for era < len(d.moments) && d.moments[era] <= after {
			era++
		}
		pending := unsynced(ops[:after])
		for choice := range 2 + mixes {
			name, lost := choose(choice, pending, rng)
			for _, loss := range []Loss{Kept, Gone, Zeroed, Halved} {
				tree := d.replay(ops[:after], lost, loss)
				if key := (state{era, tree.key()}); !seen[key] {
					seen[key] = true
					number++
					c := Cut{After: after, Names: name, Loss: loss, Folder: filepath.Join(temp, fmt.Sprint(number))}
					if err := tree.build(0, c.Folder, map[int]string{}); err != nil {
						return err
					}
					if err := test(c); err != nil {
						return fmt.Errorf("%s: %w", c, err)
					}
					if err := os.RemoveAll(c.Folder); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// Forget leaves out what was synced at some paths, to see whether a test misses it.
func (d *Disk) Forget(paths func(path string) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, o := range d.ops {
		if o.kind == synced && paths(o.name) {
			d.ops[i] = op{kind: nothing}
		}
	}
}

// choose says which of the pending names are lost.
func choose(choice int, pending []int, rng *rand.Rand) (string, map[int]bool) {
	lost := map[int]bool{}
	switch choice {
	case 0:
		return "all", lost
	case 1:
		for _, i := range pending {
			lost[i] = true
		}
		return "none", lost
	}
	for _, i := range pending {
		lost[i] = rng.IntN(2) == 0
	}
	return "some", lost
}

// unsynced returns the operations on names whose folder was not synced since.
func unsynced(ops []op) (pending []int) {
	for i, o := range ops {
		if o.kind > move {
			continue
		}
		safe := slices.ContainsFunc(ops[i:], func(later op) bool { return later.kind == synced && later.node == o.folder })
		if !safe {
			pending = append(pending, i)
		}
	}
	return pending
}

// A tree is a disk to be built.
type tree struct {
	names map[int]map[string]int
	files map[int]node
}

// replay carries operations out, but those whose names are lost.
func (d *Disk) replay(ops []op, lost map[int]bool, loss Loss) tree {
	t := tree{names: map[int]map[string]int{}, files: map[int]node{}}
	safe := map[int]node{} // contents that were synced
	for i, n := range d.nodes {
		if n.folder {
			t.names[i] = map[string]int{}
		}
	}
	for i, o := range ops {
		switch {
		case lost[i]:
		case o.kind == add:
			t.names[o.folder][o.name] = o.node
		case o.kind == take:
			delete(t.names[o.folder], o.name)
		case o.kind == move:
			if t.names[o.from][o.was] == o.node {
				delete(t.names[o.from], o.was)
			}
			t.names[o.folder][o.name] = o.node
		case o.kind == content:
			t.files[o.node] = o.file
		case o.kind == synced:
			if f, ok := t.files[o.node]; ok {
				safe[o.node] = f
			}
		}
	}
	for i, f := range t.files {
		t.files[i] = f.after(loss, safe[i])
	}
	return t
}

// after is what is left of a file.
func (n node) after(loss Loss, safe node) node {
	if n.mode == safe.mode && slices.Equal(n.content, safe.content) || n.folder {
		return n
	}
	switch loss {
	case Gone:
		if safe.mode == 0 {
			safe.mode = n.mode
		}
		n.content, n.mode = safe.content, safe.mode
	case Zeroed:
		n.content = make([]byte, len(n.content))
	case Halved:
		n.content = n.content[:len(n.content)/2]
	case Kept:
	}
	return n
}

// key tells trees apart.
func (t tree) key() [32]byte {
	h := sha256.New()
	t.describe(h, 0)
	return [32]byte(h.Sum(nil))
}

func (t tree) describe(w interface{ Write([]byte) (int, error) }, number int) {
	names := t.names[number]
	for _, name := range slices.Sorted(maps.Keys(names)) {
		child := names[name]
		f := t.files[child]
		_, _ = fmt.Fprintf(w, "%q %d %o %x(", name, child, f.mode, sha256.Sum256(f.content))
		t.describe(w, child)
		_, _ = fmt.Fprint(w, ")")
	}
}

// build writes a folder out. Files that have several names have them again.
func (t tree) build(number int, path string, built map[int]string) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	for name, child := range t.names[number] {
		to := filepath.Join(path, name)
		if t.names[child] != nil {
			if err := t.build(child, to, built); err != nil {
				return err
			}
			continue
		}
		if first, ok := built[child]; ok {
			if err := os.Link(first, to); err != nil {
				return err
			}
			continue
		}
		built[child] = to
		if err := t.files[child].build(to); err != nil {
			return err
		}
	}
	return nil
}

func (n node) build(path string) error {
	if n.mode == 0 {
		n.mode = 0o600
	}
	if err := os.WriteFile(path, n.content, 0o600); err != nil {
		return err
	}
	if err := os.Chmod(path, n.mode); err != nil {
		return err
	}
	if n.time.IsZero() {
		return nil
	}
	return os.Chtimes(path, n.time, n.time)
}
