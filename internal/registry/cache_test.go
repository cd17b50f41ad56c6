package registry

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// settle makes a cache's entries look as if they were hashed long after their files were written.
func settle(t *testing.T, c *Cache) {
	t.Helper()
	f := cacheFile{Schema: cacheSchema}
	for _, e := range c.read() {
		e.Hashed = e.Hashed.Add(time.Minute)
		f.Entries = append(f.Entries, e)
	}
	if err := f.write(c.Path); err != nil {
		t.Fatal(err)
	}
}

// read returns what is in the file.
func (c *Cache) read() map[string]entry {
	fresh := &Cache{Path: c.Path}
	fresh.refresh()
	return fresh.all
}

// forge gives every entry another digest, so that an answer from the cache shows.
func forge(t *testing.T, c *Cache) {
	t.Helper()
	f := cacheFile{Schema: cacheSchema}
	for _, e := range c.read() {
		e.Digest = "sha256:forged"
		f.Entries = append(f.Entries, e)
	}
	if err := f.write(c.Path); err != nil {
		t.Fatal(err)
	}
}

func cached(t *testing.T, c *Cache, path string) (ref, was Reference) {
	t.Helper()
	ref, was, err := c.Hash(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return ref, was
}

func TestCacheDoesNotReadAnUnchangedFileAgain(t *testing.T) {
	t.Parallel()
	c := &Cache{Path: filepath.Join(t.TempDir(), "sub", "digests.json")}
	file := write(t, filepath.Join(t.TempDir(), "x"), "hello")
	if ref, was := cached(t, c, file); ref.Digest != helloDigest || was != (Reference{}) {
		t.Fatalf("first look: %+v, %+v", ref, was)
	}
	settle(t, c)
	forge(t, c)
	if ref, was := cached(t, &Cache{Path: c.Path}, file); ref.Digest != "sha256:forged" || was != ref {
		t.Errorf("the file was read again: %+v, was %+v", ref, was)
	}
	write(t, file, "HELLO") // the same size
	ref, was := cached(t, c, file)
	if ref.Digest != mustHash(t, file).Digest {
		t.Errorf("a changed file has its old digest %s", ref.Digest)
	}
	if was.Digest != "sha256:forged" {
		t.Errorf("was = %+v, want what the last look gave", was)
	}
}

func TestCacheDoesNotTrustAFileHashedRightAfterItsWriting(t *testing.T) {
	t.Parallel()
	c := &Cache{Path: filepath.Join(t.TempDir(), "digests.json")}
	file := write(t, filepath.Join(t.TempDir(), "x"), "hello")
	cached(t, c, file)
	forge(t, c)
	if ref, _ := cached(t, c, file); ref.Digest != helloDigest {
		t.Errorf("digest %s came from a racy entry", ref.Digest)
	}
}

func TestCacheLooksThroughAFakedTime(t *testing.T) {
	t.Parallel()
	c := &Cache{Path: filepath.Join(t.TempDir(), "digests.json")}
	file := write(t, filepath.Join(t.TempDir(), "x"), "hello")
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(file, past, past); err != nil {
		t.Fatal(err)
	}
	cached(t, c, file)
	settle(t, c)
	write(t, file, "HELLO") // in place
	if err := os.Chtimes(file, past, past); err != nil {
		t.Fatal(err)
	}
	if ref, _ := cached(t, c, file); ref.Digest == helloDigest {
		t.Error("a file with the same size and time has the old digest")
	}
}

func TestCacheSeesAChangeDeepInAFolder(t *testing.T) {
	t.Parallel()
	c := &Cache{Path: filepath.Join(t.TempDir(), "digests.json")}
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "a", "b"), "hello")
	first, _ := cached(t, c, dir)
	settle(t, c)
	if ref, was := cached(t, c, dir); ref != first || was != first {
		t.Errorf("second look: %+v, was %+v, want %+v", ref, was, first)
	}
	write(t, file, "HELLO")
	ref, was := cached(t, c, dir)
	if ref != mustHash(t, dir) || was != first {
		t.Errorf("third look: %+v, was %+v", ref, was)
	}
}

func TestCacheThatCannotBeReadOrWrittenStillHashes(t *testing.T) {
	t.Parallel()
	file := write(t, filepath.Join(t.TempDir(), "x"), "hello")
	torn := write(t, filepath.Join(t.TempDir(), "torn.json"), `{"schema":1,"entr`)
	newer := write(t, filepath.Join(t.TempDir(), "newer.json"), `{"schema":99,"entries":[]}`)
	for _, path := range []string{torn, newer, filepath.Join(file, "below-a-file.json")} {
		if ref, _ := cached(t, &Cache{Path: path}, file); ref.Digest != helloDigest {
			t.Errorf("with the cache %s the digest is %s", path, ref.Digest)
		}
	}
}

func TestCacheIsBoundedAndSafeForMany(t *testing.T) {
	t.Parallel()
	c := &Cache{Path: filepath.Join(t.TempDir(), "digests.json")}
	f := cacheFile{Schema: cacheSchema}
	for i := range 2 * cacheMax {
		f.Entries = append(f.Entries, entry{Reference: Reference{Path: string(rune(i))}, Hashed: time.Unix(int64(i), 0)})
	}
	if err := f.write(c.Path); err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(t.TempDir(), "x"), "hello")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { cached(t, &Cache{Path: c.Path}, file) })
	}
	wg.Wait()
	all := c.read()
	if len(all) != cacheMax || all[file].Digest != helloDigest {
		t.Errorf("%d entries, the file's is %+v", len(all), all[file])
	}
	wantAlone(t, c.Path)
}

func TestCacheGrowsByWhatIsNew(t *testing.T) {
	t.Parallel()
	c := &Cache{Path: filepath.Join(t.TempDir(), "digests.json")}
	dir := t.TempDir()
	var last int64
	for i := range 300 {
		cached(t, c, write(t, filepath.Join(dir, strconv.Itoa(i)), "hello"))
		info, err := os.Stat(c.Path)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && (!os.SameFile(info, c.from) || info.Size()-last > 1000) {
			t.Fatalf("entry %d: the file was written anew, or grew by %d bytes", i, info.Size()-last)
		}
		last = info.Size()
	}
	if all := c.read(); len(all) != 300 || all[filepath.Join(dir, "7")].Digest != helloDigest {
		t.Errorf("%d entries, one is %+v", len(all), all[filepath.Join(dir, "7")])
	}
}

func TestCacheFileThatGrowsForEverIsWrittenAnew(t *testing.T) {
	t.Parallel()
	c := &Cache{Path: filepath.Join(t.TempDir(), "digests.json")}
	file := write(t, filepath.Join(t.TempDir(), "x"), "hello") // hashed right after its writing: each look is an entry
	for range 1000 {
		cached(t, c, file)
	}
	if info, err := os.Stat(c.Path); err != nil || info.Size() > 3*leastFile {
		t.Errorf("one file's entries take %d bytes, %v", info.Size(), err)
	}
}

func TestCacheReadsBehindATornLine(t *testing.T) {
	t.Parallel()
	c := &Cache{Path: filepath.Join(t.TempDir(), "digests.json")}
	dir := t.TempDir()
	first := write(t, filepath.Join(dir, "first"), "hello")
	cached(t, c, first)
	f, err := os.OpenFile(c.Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"path":"/torn","dig`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	second := write(t, filepath.Join(dir, "second"), "hello")
	cached(t, &Cache{Path: c.Path}, second)
	for _, all := range []map[string]entry{c.read(), func() map[string]entry { c.refresh(); return c.all }()} {
		if len(all) != 2 || all[first].Digest != helloDigest || all[second].Digest != helloDigest {
			t.Errorf("entries: %+v", all)
		}
	}
}

func TestCacheAddsToAnEarlierTidegatesFile(t *testing.T) {
	t.Parallel()
	old := write(t, filepath.Join(t.TempDir(), "digests.json"), `{"schema":1,"entries":[{"path":"/old","digest":"sha256:old"}]}`)
	file := write(t, filepath.Join(t.TempDir(), "x"), "hello")
	c := &Cache{Path: old}
	cached(t, c, file)
	if all := c.read(); len(all) != 2 || all["/old"].Digest != "sha256:old" || all[file].Digest != helloDigest {
		t.Errorf("entries: %+v", all)
	}
}

func TestCacheLearnsWhatAnotherProgramWrites(t *testing.T) {
	t.Parallel()
	c := &Cache{Path: filepath.Join(t.TempDir(), "digests.json")}
	other := &Cache{Path: c.Path}
	dir := t.TempDir()
	for i := range 20 {
		file := write(t, filepath.Join(dir, strconv.Itoa(i)), "hello")
		one, two := c, other
		if i%2 == 1 {
			one, two = other, c
		}
		ref, _ := cached(t, one, file)
		if _, was := cached(t, two, file); was != ref {
			t.Fatalf("file %d: was %+v, want %+v", i, was, ref)
		}
	}
}
