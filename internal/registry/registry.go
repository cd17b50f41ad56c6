// Package registry says what a model reference means: which bytes, by digest.
package registry

import (
	"context"
	"io/fs"
)

// A Reference is bytes on this machine, named by what they are.
type Reference struct {
	Path   string `json:"path"`   // absolute: a file or a folder
	Digest string `json:"digest"` // "sha256:HEX", of the bytes, or of the folder's listing
	Size   int64  `json:"size"`   // bytes in all
	Dir    bool   `json:"dir"`
}

// ErrNotExist: nothing is there (yet). Test with errors.Is.
var ErrNotExist = fs.ErrNotExist

// Resolve reads a model URI, "file://models/x.json" (relative to root), "file:///abs/x.json",
// or a plain path, and hashes what is there.
func Resolve(ctx context.Context, uri, root string) (Reference, error) { panic("contract only") }

// Hash hashes a file or a folder.
func Hash(ctx context.Context, path string) (Reference, error) { panic("contract only") }

// Copy copies ref's bytes to the new path dst while hashing them, synced to disk, and removes
// dst again and fails if they are not ref.Digest.
func Copy(ctx context.Context, dst string, ref Reference) error { panic("contract only") }
