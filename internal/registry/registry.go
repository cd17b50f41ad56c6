// Package registry says what a model reference means: which bytes, by digest.
//
// A file's digest is the SHA-256 of its bytes. A folder's digest is the SHA-256 of a listing:
// one line for each file, in the order of their paths, with the path, whether it is executable,
// its size and its digest. Empty folders do not count, as in git. A link counts as the bytes that
// it leads to, and must not lead out of the folder: a digest names all that it stands for.
package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A Reference is bytes on this machine, named by what they are.
type Reference struct {
	Path   string `json:"path"`   // absolute: a file or a folder
	Digest string `json:"digest"` // "sha256:HEX", of the bytes, or of the folder's listing
	Size   int64  `json:"size"`   // bytes in all
	Dir    bool   `json:"dir"`
}

var (
	// ErrNotExist means that nothing is there (yet). Test with errors.Is.
	ErrNotExist = fs.ErrNotExist
	// ErrChanged means that the bytes are not those that the digest names.
	ErrChanged = errors.New("the bytes have changed")
)

// Resolve reads a model URI, "file://models/x.json" (relative to root), "file:///abs/x.json",
// or a plain path, and hashes what is there.
func Resolve(ctx context.Context, uri, root string) (Reference, error) {
	path, err := Locate(uri, root)
	if err != nil {
		return Reference{}, err
	}
	return Hash(ctx, path)
}

// Hash hashes a file or a folder.
func Hash(ctx context.Context, path string) (Reference, error) {
	return hashWith(ctx, path, hashFile)
}

// A fileHasher returns the digest and the size of one regular file.
type fileHasher func(ctx context.Context, path string) (digest string, size int64, err error)

func hashWith(ctx context.Context, path string, file fileHasher) (Reference, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Reference{}, fmt.Errorf("hash %s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return Reference{}, fmt.Errorf("hash: %w", err)
	}
	if info.IsDir() {
		return hashFolder(ctx, path, file)
	}
	if !info.Mode().IsRegular() {
		return Reference{}, specialError(path, info)
	}
	digest, size, err := file(ctx, path)
	if err != nil {
		return Reference{}, err
	}
	return Reference{Path: path, Digest: digest, Size: size}, nil
}

func hashFolder(ctx context.Context, path string, file fileHasher) (Reference, error) {
	files, err := list(ctx, path)
	if err != nil {
		return Reference{}, err
	}
	ref, sum := Reference{Path: path, Dir: true}, sha256.New()
	for _, f := range files {
		digest, size, err := file(ctx, f.path)
		if err != nil {
			return Reference{}, err
		}
		f.line(sum, digest, size)
		ref.Size += size
	}
	ref.Digest = digestOf(sum)
	return ref, nil
}

func hashFile(ctx context.Context, path string) (digest string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, fmt.Errorf("hash: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	size, err = stream(ctx, sum, f)
	if err != nil {
		return "", 0, fmt.Errorf("hash %s: %w", path, err)
	}
	return digestOf(sum), size, nil
}

// stream copies r to w in pieces, so that a cancelled plan does not read gigabytes to their end.
func stream(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	const piece = 1 << 20
	var total int64
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := io.CopyN(w, r, piece)
		total += n
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

func digestOf(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }
