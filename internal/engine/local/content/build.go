package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
)

// stagingPrefix begins the names of revisions that are not finished.
const stagingPrefix = ".staging-"

// A builder lays out one revision at a path.
type builder struct {
	store    *Store
	at       string
	manifest manifest
}

// fill puts the files first, so that an executable in one of their folders ends up executable.
func (b *builder) fill(ctx context.Context, spec endpoint.Spec, rev endpoint.Revision) error {
	if err := b.store.mkdirs(filepath.Join(b.at, workDir)); err != nil {
		return err
	}
	if err := b.files(ctx, spec, rev); err != nil {
		return err
	}
	if exe := spec.Executable(); exe != "" {
		to := filepath.Join("bin", filepath.Base(exe))
		if rel, err := filepath.Rel(spec.Root, exe); err == nil && filepath.IsLocal(rel) {
			to = filepath.Join(workDir, rel)
		}
		b.manifest.Executable = to
		if err := b.put(ctx, to, registry.Reference{Path: exe, Digest: rev.Command}, true); err != nil {
			return fmt.Errorf("command %s: %w", spec.Runtime.Command[0], err)
		}
	}
	model, err := spec.ModelPath()
	if err != nil {
		return err
	}
	b.manifest.Model = filepath.Join("model", filepath.Base(model))
	if err := b.put(ctx, b.manifest.Model, registry.Reference{Path: model, Digest: rev.Model}, false); err != nil {
		return fmt.Errorf("model %s: %w", spec.Model.URI, err)
	}
	return b.manifest.list(b.at)
}

func (b *builder) files(ctx context.Context, spec endpoint.Spec, rev endpoint.Revision) error {
	files, err := spec.CaptureFiles(ctx, registry.Hash)
	if err != nil {
		return err
	}
	if got := endpoint.FilesDigest(files); got != rev.Files {
		return fmt.Errorf("runtime files: %w: together they are %q, not %q", registry.ErrChanged, got, rev.Files)
	}
	for _, f := range files {
		if err := b.put(ctx, filepath.Join(workDir, filepath.FromSlash(f.Rel)), f.Reference, f.Executable); err != nil {
			return fmt.Errorf("file %s: %w", f.Rel, err)
		}
		b.manifest.Files = append(b.manifest.Files, f.Rel)
	}
	return nil
}

// put makes ref a blob and links it into the revision at the relative path to.
func (b *builder) put(ctx context.Context, to string, ref registry.Reference, executable bool) error {
	failpoint.Hit("blob")
	name, err := b.store.blob(ctx, ref, executable)
	failpoint.Hit("blob.there")
	if err != nil {
		return err
	}
	b.manifest.Blobs = append(b.manifest.Blobs, name)
	return b.store.link(filepath.Join(b.store.blobs(), name), filepath.Join(b.at, to))
}

// blob copies ref into the store unless it is there, and returns its name. Links to a file share
// its mode, so bytes that are both data and executable are two blobs.
func (s *Store) blob(ctx context.Context, ref registry.Reference, executable bool) (string, error) {
	name, err := hexOf(ref.Digest)
	if err != nil {
		return "", err
	}
	mode := os.FileMode(0o444)
	if executable {
		name, mode = name+".x", 0o555
	}
	path := filepath.Join(s.blobs(), name)
	// All of it is read again: damage must not spread to a new revision.
	there, err := registry.Hash(ctx, path)
	if err != nil || there.Digest != ref.Digest {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err := s.disk.RemoveAll(path); err != nil {
			return "", err
		}
		if err := registry.Copy(ctx, s.disk, path, ref); err != nil {
			return "", err
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.IsDir() || info.Mode() == mode {
		return name, err
	}
	if err := s.disk.Chmod(path, mode); err != nil {
		return name, err
	}
	return name, s.disk.Sync(path)
}

// link makes the file or folder src appear at dst: by hard links, or by copies where the file
// system has none. A file that is there already gives way.
func (s *Store) link(src, dst string) error {
	return filepath.WalkDir(src, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dst, rel)
		if e.IsDir() {
			return s.mkdirs(to)
		}
		if err := s.mkdirs(filepath.Dir(to)); err != nil {
			return err
		}
		if err := s.disk.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if s.disk.Link(path, to) == nil {
			return nil
		}
		return s.duplicate(path, to)
	})
}

func (s *Store) duplicate(src, dst string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := s.disk.Create(dst, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// mkdirs makes a folder of a revision that is not finished: all of them are synced at its end.
func (s *Store) mkdirs(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	if err := s.mkdirs(filepath.Dir(path)); err != nil {
		return err
	}
	return s.disk.Mkdir(path, 0o750)
}

func (s *Store) syncFolders(root string) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return s.disk.Sync(path)
	})
}
