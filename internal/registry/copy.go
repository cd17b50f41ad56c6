package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// TempPrefix begins the names of what Copy has not finished: a killed Copy leaves one behind,
// in the folder of its destination.
const TempPrefix = ".copying-"

// Copy copies the bytes at ref.Path to the new path dst while hashing them, synced to disk, and
// fails with ErrChanged if they are not those of ref.Digest. There is all of dst or nothing.
// The copied files are read-only, and executable where the original is.
func Copy(ctx context.Context, dst string, ref Reference) error {
	temp, err := os.MkdirTemp(filepath.Dir(dst), TempPrefix)
	if err != nil {
		return fmt.Errorf("copy %s: %w", ref.Path, err)
	}
	err = copyBy(ctx, filepath.Join(temp, "new"), dst, ref)
	return errors.Join(err, os.RemoveAll(temp))
}

// copyBy copies to the path temp and then renames it to dst.
func copyBy(ctx context.Context, temp, dst string, ref Reference) error {
	info, err := os.Stat(ref.Path)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	var digest string
	switch {
	case info.IsDir():
		digest, err = copyFolder(ctx, temp, ref.Path)
	case info.Mode().IsRegular():
		digest, _, err = copyFile(ctx, temp, ref.Path, info.Mode()&0o111 != 0)
	default:
		err = specialError(ref.Path, info)
	}
	if err != nil {
		return err
	}
	if digest != ref.Digest {
		return fmt.Errorf("copy %s: %w: its digest is %s, not %s", ref.Path, ErrChanged, digest, ref.Digest)
	}
	if err := os.Rename(temp, dst); err != nil {
		return fmt.Errorf("copy %s: %w", ref.Path, err)
	}
	return SyncFolder(filepath.Dir(dst))
}

func copyFolder(ctx context.Context, dst, src string) (string, error) {
	files, err := list(ctx, src)
	if err != nil {
		return "", err
	}
	sum, folders := sha256.New(), map[string]bool{dst: true}
	for _, f := range files {
		to := filepath.Join(dst, filepath.FromSlash(f.rel))
		for d := filepath.Dir(to); !folders[d]; d = filepath.Dir(d) {
			folders[d] = true
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			return "", fmt.Errorf("copy %s: %w", src, err)
		}
		digest, size, err := copyFile(ctx, to, f.path, f.executable)
		if err != nil {
			return "", err
		}
		f.line(sum, digest, size)
	}
	for d := range folders {
		if err := SyncFolder(d); err != nil {
			return "", err
		}
	}
	return digestOf(sum), nil
}

func copyFile(ctx context.Context, dst, src string, executable bool) (digest string, size int64, err error) {
	in, err := os.Open(src)
	if err != nil {
		return "", 0, fmt.Errorf("copy: %w", err)
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
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

// SyncFolder makes the names in a folder survive a crash.
func SyncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync the folder %s: %w", path, err)
	}
	return nil
}
