package terraform

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A plan file is a zip in which the tool keeps the state that it planned with and the lock file. Reading them there costs
// no run of the tool and no look at the backend, and they are those of the plan. Files of a remote backend, or that
// OpenTofu encrypts, are none: then the backend is asked.

const (
	lockFileName = ".terraform.lock.hcl"
	mostLockFile = 16 << 20
)

// ReadPlan is the plan in a file. The key may be nil: see Fingerprint.
func (r *Root) ReadPlan(ctx context.Context, file string, key []byte) (Plan, error) {
	s := Source{Tool: r.Tool, Key: key, Scrub: r.scrubber()}
	var err error
	if s.Workspace, err = r.CurrentWorkspace(); err != nil {
		return Plan{}, err
	}
	if s.Lineage, s.LockFile, err = inside(r.path(file)); err != nil {
		if s.Lineage, err = r.Lineage(ctx); err != nil {
			return Plan{}, err
		}
		if s.LockFile, err = r.lockFile(); err != nil {
			return Plan{}, err
		}
	}
	pr, pw := io.Pipe()
	shown := make(chan error, 1)
	go func() {
		err := r.ShowJSON(ctx, file, pw)
		shown <- err
		pw.CloseWithError(err) // nil is the end
	}()
	p, err := Parse(pr, s)
	_ = pr.CloseWithError(errors.New("the plan's JSON is not read any more"))
	showErr := <-shown
	// Where the tool failed, the reader was told so: that is closer to the cause than the JSON that it did not finish. Where
	// the reader gave up first, the tool failed for want of one.
	var failed *Error
	if err == nil || errors.As(err, &failed) {
		err = showErr
	}
	if err != nil {
		return Plan{}, fmt.Errorf("plan of %q: %w", r.Dir, err)
	}
	return p, nil
}

// inside reads the lineage and the lock file that a plan file holds.
func inside(file string) (lineage string, lock []byte, err error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	found := false
	for _, f := range z.File {
		switch f.Name {
		case "tfstate":
			found = true
			lineage, err = readZipped(f, lineageOf)
		case lockFileName:
			lock, err = readZipped(f, func(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, mostLockFile)) })
		}
		if err != nil {
			return "", nil, err
		}
	}
	if !found {
		return "", nil, errors.New("there is no state in the plan file")
	}
	return lineage, lock, nil
}

func readZipped[T any](f *zip.File, read func(io.Reader) (T, error)) (out T, err error) {
	r, err := f.Open()
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return read(r)
}

// lineageOf reads a state as far as its lineage, which stands at the beginning.
func lineageOf(r io.Reader) (lineage string, err error) {
	found := errors.New("found")
	s := newSkimmer(r)
	err = s.object(func(key string) error {
		if key != "lineage" {
			return s.skip()
		}
		if err := s.take(&lineage); err != nil {
			return err
		}
		return found
	})
	if err == nil || errors.Is(err, found) {
		return lineage, nil
	}
	return "", fmt.Errorf("read the state's lineage: %w", err)
}

// Lineage is the id of the state in the backend, "" if there is none yet.
func (r *Root) Lineage(ctx context.Context) (string, error) {
	var out bytes.Buffer
	if err := r.run(ctx, command{doing: "state pull", args: []string{"state", "pull"}, stdout: &out}); err != nil {
		return "", err
	}
	if len(bytes.TrimSpace(out.Bytes())) == 0 {
		return "", nil
	}
	return lineageOf(&out)
}

func (r *Root) lockFile() ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(r.Dir, lockFileName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return b, err
}
