// Package checkout keeps pipelines in a folder of this machine that is a checkout of a repository: it writes the
// workflow's file, and leaves commit and push to whoever works there. What only GitHub has (environments, required
// checks, pull requests) is refused.
//
// The file is replaced in one step, so that whatever reads it, and after whatever, finds the old one or the new one.
// A file that Tidegate did not write is not touched unless adopted, and one that changed since the plan is not either.
package checkout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Pipelines are those in folders. It is a pipeline.Engine.
type Pipelines struct{ disk disk.Disk }

var _ pipeline.Engine = Pipelines{}

// Open returns the engine of folders, which writes to d.
func Open(d disk.Disk) Pipelines { return Pipelines{disk: d} }

// Apply writes the file.
func (p Pipelines) Apply(ctx context.Context, c pipeline.Change) (pipeline.Status, error) {
	for _, problem := range only(c.Spec) {
		return pipeline.Status{}, fmt.Errorf("%s: %s", problem.Summary, problem.Detail)
	}
	f, err := locate(c.Place)
	if err != nil {
		return pipeline.Status{}, err
	}
	unlock, err := hold(ctx, c.Directory)
	if err != nil {
		return pipeline.Status{}, err
	}
	defer unlock()
	now, err := f.read()
	if err != nil {
		return pipeline.Status{}, err
	}
	made, err := claim(c, now)
	if err != nil {
		return pipeline.Status{}, fmt.Errorf("write %s: %w", f.path, err)
	}
	st := pipeline.Status{Place: c.Place, Content: c.Content, Made: made}
	if now == c.Content {
		return st, nil
	}
	folders, err := f.write(p.disk, c.Content)
	for _, name := range folders {
		if !st.MadeIt(name) { // a person had removed it
			st.Made = append(st.Made, name)
		}
	}
	if err != nil {
		return left(c, st, f), fmt.Errorf("write %s: %w", f.path, err)
	}
	return st, nil
}

// claim says whether the file may be written, and what of it came into being by the pipeline.
func claim(c pipeline.Change, now string) ([]string, error) {
	made := slices.Clone(c.Before.Made)
	known := c.Before.Place == c.Place
	switch {
	case now == "" && !c.Before.MadeIt(pipeline.MadeFile):
		made = append(made, pipeline.MadeFile)
	case now == "" || known:
	case pipeline.Ours(now, c.Path): // the last create was killed before Terraform could write it down
		made = append(made, pipeline.MadeFile)
	case !c.Adopt:
		return nil, fmt.Errorf("%w. Choose another path, or set adopt = true to take it over: it is then overwritten, and stays when the pipeline is destroyed", pipeline.ErrExists)
	}
	if now != c.Base && now != c.Content {
		return nil, fmt.Errorf("%w, and was left as it is. Plan again to see what would become of it", pipeline.ErrMoved)
	}
	return made, nil
}

// left is what is true after a write that failed: zero if nothing came into being.
func left(c pipeline.Change, st pipeline.Status, f file) pipeline.Status {
	now, err := f.read()
	if err != nil || now == "" {
		return c.Before
	}
	if c.Before.Place != c.Place && now != c.Content {
		return pipeline.Status{} // still the file that was to be adopted
	}
	st.Content = now
	return st
}

// Get reads the file.
func (Pipelines) Get(_ context.Context, known pipeline.Status) (pipeline.Status, error) {
	f, err := locate(known.Place)
	if errors.Is(err, fs.ErrNotExist) {
		return pipeline.Status{}, fmt.Errorf("%w: %w", pipeline.ErrNotFound, err)
	}
	if err != nil {
		return pipeline.Status{}, err
	}
	content, err := f.read()
	if err != nil {
		return pipeline.Status{}, err
	}
	if content == "" {
		return pipeline.Status{}, fmt.Errorf("%w: there is no %s", pipeline.ErrNotFound, f.path)
	}
	st := pipeline.Status{Place: known.Place, Content: content, Made: known.Made}
	if known.Content == "" && pipeline.Ours(content, known.Path) { // imported
		st.Made = []string{pipeline.MadeFile}
	}
	return st, nil
}

// Delete removes the file, if it came into being by the pipeline and is still its, and the folders that were made for it
// and are empty then.
func (p Pipelines) Delete(ctx context.Context, known pipeline.Status, _ pipeline.Delivery) (*pipeline.Pull, error) {
	f, err := locate(known.Place)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	unlock, err := hold(ctx, known.Directory)
	if err != nil {
		return nil, err
	}
	defer unlock()
	now, err := f.read()
	if err != nil {
		return nil, err
	}
	if now != "" && known.MadeIt(pipeline.MadeFile) && (now == known.Content || pipeline.Ours(now, known.Path)) {
		if err := f.remove(p.disk); err != nil {
			return nil, fmt.Errorf("remove %s: %w", f.path, err)
		}
	}
	return nil, f.removeFolders(p.disk, known)
}

// hold keeps other programs of ours out of a folder: between comparing and writing nothing of theirs comes.
func hold(ctx context.Context, folder string) (unlock func(), err error) {
	l := flock.New(folder, flock.SetFlag(os.O_RDONLY)) // a folder can be locked, which leaves no file behind in it
	_, err = l.TryLockContext(ctx, 20*time.Millisecond)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("wait for another program that writes in %s: %w", folder, ctx.Err())
	}
	if err != nil {
		return func() {}, nil //nolint:nilerr // file systems of some networks have no locks: comparing has to do there
	}
	return func() { _ = l.Close() }, nil
}

// top is the folder at which a checkout begins, folder or one above it; "" if it is in none.
func top(folder string) string {
	for dir := folder; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil { // a folder, or a file in worktrees and submodules
			return dir
		}
		if filepath.Dir(dir) == dir {
			return ""
		}
	}
}
