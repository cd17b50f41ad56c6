package registry

import (
	"os"
	"path/filepath"
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
	for i := range cacheMax + 10 {
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
