package checkout_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk/powercut"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/checkout"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

// Whenever the power goes, the file is none, the old one or the new one, and the next apply finishes what was begun.
func TestAPowerCutLeavesTheOldFileOrTheNewOne(t *testing.T) {
	t.Parallel()
	temp := powercut.TempDir(t)
	dir := filepath.Join(temp, "disk")
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := powercut.New(dir)
	place := pipeline.Place{Directory: dir, Path: workflow}
	first := pipeline.Change{Spec: pipeline.Spec{Place: place}, Content: pipelinetest.Content(workflow, "test")}
	st, err := checkout.Open(d).Apply(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	created := d.Now()
	second := first
	second.Content, second.Base, second.Before = pipelinetest.Content(workflow, "lint"), st.Content, st
	if _, err := checkout.Open(d).Apply(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	changed := d.Now()
	err = d.Cuts(temp, 1, func(c powercut.Cut) error {
		b, err := os.ReadFile(filepath.Join(c.Folder, workflow))
		found := string(b)
		switch {
		case errors.Is(err, fs.ErrNotExist) && c.After < created:
		case err == nil && found == first.Content && c.After < changed:
		case err == nil && found == second.Content && c.After > created:
		default:
			return fmt.Errorf("%q, %w", found, err)
		}
		again := second
		again.Directory, again.Before, again.Base = c.Folder, pipeline.Status{}, found
		if _, err := checkout.Open(disk.OS).Apply(t.Context(), again); err != nil {
			return fmt.Errorf("the next apply: %w", err)
		}
		if rest, _ := filepath.Glob(filepath.Join(c.Folder, ".github", "workflows", "*")); len(rest) != 1 {
			return fmt.Errorf("the next apply left %q", rest)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// a failing disk fails at one kind of operation.
type failing struct {
	disk.Disk
	rename, sync, create error
}

func (f failing) Rename(from, to string) error {
	if f.rename != nil {
		return f.rename
	}
	return f.Disk.Rename(from, to)
}

func (f failing) Sync(path string) error {
	if f.sync != nil && filepath.Base(path) == "workflows" {
		return f.sync
	}
	return f.Disk.Sync(path)
}

func (f failing) Truncate(path string, mode os.FileMode) (disk.File, error) {
	if f.create != nil {
		return nil, f.create
	}
	return f.Disk.Truncate(path, mode)
}

func TestAFailedWriteSaysWhatIsTrue(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	for name, d := range map[string]failing{
		"create": {create: full}, "rename": {rename: full},
	} {
		s := subject(t)
		d.Disk = disk.OS
		c := pipeline.Change{Spec: s.Spec, Content: pipelinetest.Content(workflow, "test")}
		st, err := checkout.Open(d).Apply(t.Context(), c)
		if !errors.Is(err, full) || st.Content != "" || st.Made != nil {
			t.Errorf("%s: %+v, %v: want nothing that came into being", name, st, err)
		}
		if rest, _ := filepath.Glob(filepath.Join(s.Spec.Directory, ".github*")); len(rest) != 0 {
			t.Errorf("%s: left %q", name, rest)
		}
		first, err := s.Engine.Apply(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		c.Base, c.Before, c.Content = first.Content, first, pipelinetest.Content(workflow, "lint")
		st, err = checkout.Open(d).Apply(t.Context(), c)
		if !errors.Is(err, full) || st.Content != first.Content || !st.MadeIt(pipeline.MadeFile) || s.Read(t) != first.Content {
			t.Errorf("%s: %+v, %v: want the file of before", name, st, err)
		}
	}
	s := subject(t)
	c := pipeline.Change{Spec: s.Spec, Content: pipelinetest.Content(workflow, "test")}
	st, err := checkout.Open(failing{Disk: disk.OS, sync: full}).Apply(t.Context(), c)
	if !errors.Is(err, full) || st.Content != "" && st.Content != c.Content || st.Content != s.Read(t) {
		t.Errorf("sync: %+v, %v: want what is there", st, err)
	}
}

// Of programs that write at once with one plan, one does, and the others find that the file moved on.
func TestOfManyAppliesAtOnceOneWins(t *testing.T) {
	t.Parallel()
	s := subject(t)
	const many = 8
	var wins, moved int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			c := pipeline.Change{Spec: s.Spec, Content: pipelinetest.Content(workflow, fmt.Sprintf("job%d", i))}
			_, err := s.Engine.Apply(t.Context(), c)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				wins++
			case errors.Is(err, pipeline.ErrMoved):
				moved++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if wins != 1 || moved != many-1 {
		t.Errorf("%d won, %d found that it moved", wins, moved)
	}
}
