package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
)

// TempPrefix begins the names of what Copy has not finished: a killed Copy leaves one behind,
// in the folder of its destination.
const TempPrefix = ".copying-"

// Copy copies the bytes at ref.Path to the new path dst on a disk while hashing them, synced to disk, and
// fails with ErrChanged if they are not those of ref.Digest. There is all of dst or nothing.
// The copied files are read-only, and executable where the original is.
func Copy(ctx context.Context, to disk.Disk, dst string, ref Reference) error {
	temp, err := to.MkdirTemp(filepath.Dir(dst), TempPrefix)
	if err != nil {
		return fmt.Errorf("copy %s: %w", ref.Path, err)
	}
	err = copyBy(ctx, to, filepath.Join(temp, "new"), dst, ref)
	return errors.Join(err, to.RemoveAll(temp))
}

// copyBy copies to the path temp and then renames it to dst.
func copyBy(ctx context.Context, to disk.Disk, temp, dst string, ref Reference) error {
	info, err := os.Stat(ref.Path)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	var digest string
	switch {
	case info.IsDir():
		digest, err = copyFolder(ctx, to, temp, ref.Path)
	case info.Mode().IsRegular():
		digest, _, err = copyFile(ctx, to, temp, ref.Path, info.Mode()&0o111 != 0)
	default:
		err = specialError(ref.Path, info)
	}
	if err != nil {
		return err
	}
	if digest != ref.Digest {
		return fmt.Errorf("copy %s: %w: its digest is %s, not %s", ref.Path, ErrChanged, digest, ref.Digest)
	}
	err = to.Rename(temp, dst)
	if err == nil {
		err = to.Sync(filepath.Dir(dst))
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", ref.Path, err)
	}
	return nil
}

func copyFolder(ctx context.Context, on disk.Disk, dst, src string) (string, error) {
	files, err := list(ctx, src)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	folders := []string{dst} // those above before those below
	if err := on.Mkdir(dst, 0o750); err != nil {
		return "", fmt.Errorf("copy %s: %w", src, err)
	}
	for _, f := range files {
		to := filepath.Join(dst, filepath.FromSlash(f.rel))
		made, err := makeFolders(on, filepath.Dir(to), folders)
		if err != nil {
			return "", fmt.Errorf("copy %s: %w", src, err)
		}
		folders = made
		digest, size, err := copyFile(ctx, on, to, f.path, f.executable)
		if err != nil {
			return "", err
		}
		f.line(sum, digest, size)
	}
	for _, d := range folders {
		if err := on.Sync(d); err != nil {
			return "", fmt.Errorf("copy %s: %w", src, err)
		}
	}
	return digestOf(sum), nil
}

// makeFolders makes path, and what is missing above it, and returns all folders that were made so far.
func makeFolders(on disk.Disk, path string, made []string) ([]string, error) {
	if slices.Contains(made, path) {
		return made, nil
	}
	made, err := makeFolders(on, filepath.Dir(path), made)
	if err != nil {
		return made, err
	}
	return append(made, path), on.Mkdir(path, 0o750)
}

func copyFile(ctx context.Context, on disk.Disk, dst, src string, executable bool) (digest string, size int64, err error) {
	in, err := os.Open(src)
	if err != nil {
		return "", 0, fmt.Errorf("copy: %w", err)
	}
	defer in.Close()
	out, err := on.Create(dst, 0o600)
	if err != nil {
		return "", 0, fmt.Errorf("copy %s: %w", src, err)
	}
	sum := sha256.New()
	size, err = stream(ctx, io.MultiWriter(out, sum), in)
	mode := os.FileMode(0o444)
	if executable {
		mode = 0o555
	}
	if err == nil {
		err = out.Chmod(mode)
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return "", 0, fmt.Errorf("copy %s to %s: %w", src, dst, err)
	}
	return digestOf(sum), size, nil
}
