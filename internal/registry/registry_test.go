package registry

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
)

const helloDigest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func mustHash(t *testing.T, path string) Reference {
	t.Helper()
	ref, err := Hash(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// wantError fails unless err says all of words.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one about %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func TestResolveReadsEveryFormOfAFileURI(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	file := write(t, filepath.Join(root, "models", "x y.json"), "hello")
	for _, uri := range []string{
		"file://models/x%20y.json", "file://models/x y.json", "FILE://./models/../models/x%20y.json",
		"file://" + file, "models/x y.json", file,
	} {
		ref, err := Resolve(t.Context(), uri, root)
		if want := (Reference{Path: file, Digest: helloDigest, Size: 5}); err != nil || ref != want {
			t.Errorf("Resolve(%q) = %+v, %v, want %+v", uri, ref, err, want)
		}
	}
}

func TestLocateRefusesWhatIsNoPath(t *testing.T) {
	t.Parallel()
	for uri, says := range map[string]string{
		"oci://ghcr.io/x/y:1": "oci://ghcr.io/x/y:1: want file://PATH",
		"s3://bucket/x":       "want file://PATH",
		"file://":             "names no file",
		"":                    "names no file",
		"file:models/x":       "two slashes",
		"file:///":            "root of all files",
		"file://a%zz":         "%25",
		"file://a%00b":        "zero byte",
	} {
		_, err := Locate(uri, "/root")
		wantError(t, err, says)
	}
}

func TestResolveSaysWhenNothingIsThereYet(t *testing.T) {
	t.Parallel()
	_, err := Resolve(t.Context(), "file://models/later.json", t.TempDir())
	if !errors.Is(err, ErrNotExist) {
		t.Fatalf("err = %v, want ErrNotExist", err)
	}
	wantError(t, err, "models/later.json")
}

func TestAFoldersDigestCoversNamesModesAndBytes(t *testing.T) {
	t.Parallel()
	folder := func() string {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "b", "c"), "hello")
		write(t, filepath.Join(dir, "a"), "x")
		return dir
	}
	one := mustHash(t, folder())
	if !one.Dir || one.Size != 6 {
		t.Errorf("ref = %+v, want a folder of 6 bytes", one)
	}
	if again := mustHash(t, folder()); again.Digest != one.Digest {
		t.Error("the same folder elsewhere has another digest")
	}
	seen := map[string]string{one.Digest: "untouched"}
	for name, change := range map[string]func(dir string) error{
		"bytes":  func(d string) error { return os.WriteFile(filepath.Join(d, "a"), []byte("y"), 0o644) },
		"name":   func(d string) error { return os.Rename(filepath.Join(d, "a"), filepath.Join(d, "z")) },
		"mode":   func(d string) error { return os.Chmod(filepath.Join(d, "a"), 0o755) },
		"folder": func(d string) error { return os.Rename(filepath.Join(d, "b"), filepath.Join(d, "bb")) },
		"more":   func(d string) error { return os.WriteFile(filepath.Join(d, "n"), nil, 0o644) },
	} {
		dir := folder()
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		digest := mustHash(t, dir).Digest
		if other, dup := seen[digest]; dup {
			t.Errorf("another %s has the same digest as %s", name, other)
		}
		seen[digest] = name
	}
}

func TestLinksInsideAFolderCountAsTheirBytes(t *testing.T) {
	t.Parallel()
	plain, linked := t.TempDir(), t.TempDir()
	write(t, filepath.Join(plain, "a", "x"), "hello")
	write(t, filepath.Join(plain, "b", "x"), "hello")
	write(t, filepath.Join(plain, "c"), "hello")
	write(t, filepath.Join(linked, "a", "x"), "hello")
	link(t, "a", filepath.Join(linked, "b"))
	link(t, "b/x", filepath.Join(linked, "c"))
	if p, l := mustHash(t, plain), mustHash(t, linked); p.Digest != l.Digest {
		t.Errorf("digests %s and %s differ", p.Digest, l.Digest)
	}
}

func TestAFolderRefusesWhatADigestCannotName(t *testing.T) {
	t.Parallel()
	outside := write(t, filepath.Join(t.TempDir(), "secret"), "x")
	for says, spoil := range map[string]func(dir string){
		"leads out of the folder": func(d string) { link(t, outside, filepath.Join(d, "out")) },
		"leads nowhere":           func(d string) { link(t, "gone", filepath.Join(d, "dangling")) },
		"a folder that it is in":  func(d string) { link(t, ".", filepath.Join(d, "loop")) },
		"neither a file nor a folder": func(d string) {
			if err := syscall.Mkfifo(filepath.Join(d, "pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "model"), "hello")
		spoil(dir)
		_, err := Hash(t.Context(), dir)
		wantError(t, err, says, dir)
		if errors.Is(err, ErrNotExist) {
			t.Errorf("%v counts as not there yet", err)
		}
	}
	empty := t.TempDir()
	if err := os.Mkdir(filepath.Join(empty, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Hash(t.Context(), empty)
	wantError(t, err, "holds no files")
}

func TestHashingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "x"), "hello")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, p := range []string{file, dir} {
		if _, err := Hash(ctx, p); !errors.Is(err, context.Canceled) {
			t.Errorf("Hash(%s) = %v, want Canceled", p, err)
		}
	}
}

func TestCopyCopiesWhatItHashed(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	write(t, filepath.Join(src, "a", "run"), "hello")
	if err := os.Chmod(filepath.Join(src, "a", "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, "a", filepath.Join(src, "b"))
	for name, path := range map[string]string{"file": filepath.Join(src, "a", "run"), "folder": src} {
		ref, dst := mustHash(t, path), filepath.Join(t.TempDir(), "copy")
		if err := Copy(t.Context(), disk.OS, dst, ref); err != nil {
			t.Fatal(err)
		}
		if got := mustHash(t, dst); got.Digest != ref.Digest {
			t.Errorf("the copied %s has the digest %s, want %s", name, got.Digest, ref.Digest)
		}
		wantAlone(t, dst)
	}
}

func TestCopyRefusesOtherBytesAndLeavesNothing(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	file := write(t, filepath.Join(src, "x"), "hello")
	for _, path := range []string{file, src} {
		write(t, file, "hello")
		ref := mustHash(t, path)
		write(t, file, "other")
		folder := t.TempDir()
		err := Copy(t.Context(), disk.OS, filepath.Join(folder, "copy"), ref)
		if !errors.Is(err, ErrChanged) {
			t.Fatalf("err = %v, want ErrChanged", err)
		}
		wantError(t, err, path, ref.Digest, mustHash(t, path).Digest)
		if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
			t.Errorf("%v is left, %v", left, err)
		}
	}
}

// wantAlone fails if anything but path is in its folder.
func wantAlone(t *testing.T, path string) {
	t.Helper()
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("beside %s: %v, %v", path, left, err)
	}
}
