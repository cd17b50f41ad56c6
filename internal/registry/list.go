package registry

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A listed file is a regular file of a folder, found directly or through links.
type listed struct {
	rel        string // below the folder, with slashes
	path       string // where its bytes are
	executable bool
}

// line writes what a folder's digest covers of one file. Quoting keeps a line break in a name
// from looking like another file.
func (f listed) line(sum hash.Hash, digest string, size int64) {
	mode := "-"
	if f.executable {
		mode = "x"
	}
	fmt.Fprintf(sum, "%q %s %d %s\n", f.rel, mode, size, digest)
}

// list returns a folder's files, in the order of their paths.
func list(ctx context.Context, folder string) ([]listed, error) {
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	l := lister{ctx: ctx, folder: folder, root: root}
	if err := l.walk("", []string{root}); err != nil {
		return nil, err
	}
	if len(l.files) == 0 {
		return nil, fmt.Errorf("the folder %s holds no files: is it the right one, and is it written already?", folder)
	}
	slices.SortFunc(l.files, func(a, b listed) int { return strings.Compare(a.rel, b.rel) })
	return l.files, nil
}

type lister struct {
	ctx          context.Context //nolint:containedctx // it lives for one call of list
	folder, root string
	files        []listed
}

// walk lists the folder rel, whose real path is the last of above; above holds the folders that it
// is in, so that a link to one of them is found before it is followed for ever.
func (l *lister) walk(rel string, above []string) error {
	if err := l.ctx.Err(); err != nil {
		return fmt.Errorf("list %s: %w", l.folder, err)
	}
	here := above[len(above)-1]
	entries, err := os.ReadDir(here)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	for _, e := range entries {
		at, err := l.follow(filepath.Join(here, e.Name()), e)
		if err != nil {
			return err
		}
		info, err := os.Stat(at)
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		name := path.Join(rel, e.Name())
		switch {
		case info.Mode().IsRegular():
			l.files = append(l.files, listed{rel: name, path: at, executable: info.Mode()&0o111 != 0})
		case !info.IsDir():
			return specialError(at, info)
		case slices.Contains(above, at):
			return fmt.Errorf("the link %s leads to a folder that it is in: remove it", filepath.Join(here, e.Name()))
		default:
			if err := l.walk(name, append(slices.Clip(above), at)); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow returns the path itself, or where it leads to if it is a link.
func (l *lister) follow(p string, e fs.DirEntry) (string, error) {
	if e.Type()&fs.ModeSymlink == 0 {
		return p, nil
	}
	to, err := filepath.EvalSymlinks(p)
	if errors.Is(err, fs.ErrNotExist) {
		// Not ErrNotExist: the model is there, and waiting does not mend the link.
		return "", fmt.Errorf("the link %s leads nowhere: remove or mend it", p)
	}
	if err != nil {
		return "", fmt.Errorf("follow the link %s: %w", p, err)
	}
	if to != l.root && !strings.HasPrefix(to, strings.TrimSuffix(l.root, "/")+"/") {
		return "", fmt.Errorf("the link %s leads out of the folder %s, to %s: put the file itself there (cp -L)", p, l.folder, to)
	}
	return to, nil
}

func specialError(p string, info fs.FileInfo) error {
	return fmt.Errorf("%s is neither a file nor a folder (%s): a model is made of files", p, info.Mode().Type())
}
