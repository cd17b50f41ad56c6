package endpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
)

// A Hasher tells which bytes are at a path: registry.Hash, or one that remembers.
type Hasher func(ctx context.Context, path string) (registry.Reference, error)

// Capture hashes all that s runs: the model, the executable where the command names a file,
// the further files. What is missing on disk is an error that wraps registry.ErrNotExist.
// The digest covers the words of the runtime too, but not what changes in place.
func Capture(ctx context.Context, s Spec) (Revision, error) {
	return CaptureWith(ctx, s, registry.Hash)
}

// CaptureWith is Capture with another way to hash.
func CaptureWith(ctx context.Context, s Spec, hash Hasher) (Revision, error) {
	path, err := s.ModelPath()
	if err != nil {
		return Revision{}, err
	}
	model, err := hash(ctx, path)
	if err != nil {
		return Revision{}, s.about("model "+s.Model.URI, err)
	}
	command, err := s.captureExecutable(ctx, hash)
	if err != nil {
		return Revision{}, err
	}
	files, err := s.CaptureFiles(ctx, hash)
	if err != nil {
		return Revision{}, err
	}
	r := Revision{Model: model.Digest, Command: command, Files: FilesDigest(files)}
	r.Digest = s.RevisionDigest(r)
	return r, nil
}

// ModelPath returns where the model's bytes are, or will be.
func (s Spec) ModelPath() (string, error) {
	path, err := registry.Locate(s.Model.URI, s.Root)
	if err != nil {
		return "", fmt.Errorf("model %w", err)
	}
	return path, nil
}

// Executable returns the path of the command's file, or "" when it is looked up in PATH.
func (s Spec) Executable() string {
	if len(s.Runtime.Command) == 0 || !strings.Contains(s.Runtime.Command[0], "/") {
		return ""
	}
	if name := s.Runtime.Command[0]; filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(s.Root, s.Runtime.Command[0])
}

func (s Spec) captureExecutable(ctx context.Context, hash Hasher) (string, error) {
	if len(s.Runtime.Command) == 0 || s.Runtime.Command[0] == "" {
		return "", errors.New(`the command is empty: want the program and its arguments, such as ["./model-server"]`)
	}
	path := s.Executable()
	if path == "" {
		return "", nil
	}
	what := "command " + s.Runtime.Command[0]
	info, err := os.Stat(path)
	if err != nil {
		return "", s.about(what, err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: %s is not a file: want a program", what, path)
	}
	if info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s: %s is not executable: run chmod +x on it, or name its interpreter first", what, path)
	}
	ref, err := hash(ctx, path)
	if err != nil {
		return "", s.about(what, err)
	}
	return ref.Digest, nil
}

// FilePaths returns the further files as clean slash paths below Root, in order, each once.
func (s Spec) FilePaths() ([]string, error) {
	var paths []string
	for _, f := range s.Runtime.Files {
		p := filepath.ToSlash(filepath.Clean(f))
		if f == "" || p == "." || !filepath.IsLocal(f) {
			return nil, fmt.Errorf("file %q: want a path below the root module %s, such as labels.txt", f, s.Root)
		}
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// A File is one of the further files of a runtime, or a folder of them.
type File struct {
	Rel        string // below Root, with slashes
	Executable bool   // a file that may be run; always false for a folder, whose digest covers it
	registry.Reference
}

// CaptureFiles hashes the further files, in the order of their paths.
func (s Spec) CaptureFiles(ctx context.Context, hash Hasher) ([]File, error) {
	paths, err := s.FilePaths()
	if err != nil {
		return nil, err
	}
	var files []File
	for _, p := range paths {
		path := filepath.Join(s.Root, filepath.FromSlash(p))
		info, err := os.Stat(path)
		if err != nil {
			return nil, s.about("file "+p, err)
		}
		ref, err := hash(ctx, path)
		if err != nil {
			return nil, s.about("file "+p, err)
		}
		files = append(files, File{Rel: p, Executable: !info.IsDir() && info.Mode()&0o111 != 0, Reference: ref})
	}
	return files, nil
}

// FilesDigest names all further files together, by path, digest and whether they may be run
// (so that a forgotten chmod, mended, is a new revision): "" for none.
func FilesDigest(files []File) string {
	if len(files) == 0 {
		return ""
	}
	var lines []string
	for _, f := range files {
		lines = append(lines, f.Rel, f.Digest, strconv.FormatBool(f.Executable))
	}
	return digestJSON(lines)
}

// RevisionDigest returns the digest that r should have: over its digests and over what a model
// server can tell of the spec. That includes the model's name, because {model} ends in it and a
// server may choose a format by its extension.
func (s Spec) RevisionDigest(r Revision) string {
	path, err := s.ModelPath()
	if err != nil {
		path = s.Model.URI
	}
	return digestJSON(struct {
		Model     string   `json:"model"`
		ModelName string   `json:"model_name"`
		Command   string   `json:"command"`
		Words     []string `json:"words"`
		Files     string   `json:"files"`
		Protocol  string   `json:"protocol"`
		ReadyPath string   `json:"ready_path"`
	}{r.Model, filepath.Base(path), r.Command, s.Runtime.Command, r.Files, s.Runtime.Protocol, s.Runtime.ReadyPath})
}

// digestJSON hashes v's JSON, which for structs, lists and strings has one form only.
func digestJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // cannot be: nothing but structs, lists and strings comes here
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// about says what could not be captured, and where relative paths begin if it is missing.
func (s Spec) about(what string, err error) error {
	if errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf("%s: %w (relative paths begin at %s)", what, err, s.Root)
	}
	return fmt.Errorf("%s: %w", what, err)
}
