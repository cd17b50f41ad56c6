package content

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
)

const (
	schema       = 1
	manifestName = "manifest.json"
	workDir      = "work"
)

// A manifest says what a revision's folder holds. Its paths are relative to that folder, so that
// a data directory can be moved.
type manifest struct {
	Schema     int               `json:"schema"`
	Revision   endpoint.Revision `json:"revision"`
	Command    []string          `json:"command"` // as the user wrote it
	Executable string            `json:"executable,omitempty"`
	Model      string            `json:"model"`
	Files      []string          `json:"files,omitempty"` // as in endpoint.File
	Blobs      []string          `json:"blobs"`           // names
	Listing    []item            `json:"listing"`
}

// An item is a file as it was staged.
type item struct {
	Path     string      `json:"path"`
	Mode     os.FileMode `json:"mode"`
	Size     int64       `json:"size"`
	Modified time.Time   `json:"modified"`
}

func readManifest(place string) (manifest, error) {
	b, err := os.ReadFile(filepath.Join(place, manifestName))
	if err != nil {
		return manifest{}, err
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return manifest{}, fmt.Errorf("%w: %s: %w", ErrDamaged, filepath.Join(place, manifestName), err)
	}
	if m.Schema != schema {
		return manifest{}, fmt.Errorf("%w: %s has the schema %d, this program knows %d",
			ErrDamaged, filepath.Join(place, manifestName), m.Schema, schema)
	}
	return m, nil
}

func (m manifest) write(to disk.Disk, place string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return disk.Write(to, filepath.Join(place, manifestName), b, 0o400)
}

func (m manifest) layout(place string) Layout {
	l := Layout{
		Dir:     filepath.Join(place, workDir),
		Model:   filepath.Join(place, m.Model),
		Command: append([]string(nil), m.Command...),
	}
	if m.Executable != "" {
		l.Command[0] = filepath.Join(place, m.Executable)
	}
	return l
}

// list records what was staged. What a model server later adds is not part of it.
func (m *manifest) list(place string) error {
	return filepath.WalkDir(place, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(place, path)
		if err != nil {
			return err
		}
		m.Listing = append(m.Listing, item{Path: rel, Mode: info.Mode(), Size: info.Size(), Modified: info.ModTime()})
		return nil
	})
}

// whole finds files that are missing or have another size.
func (m manifest) whole(place string) error {
	for _, i := range m.Listing {
		info, err := os.Lstat(filepath.Join(place, i.Path))
		if err != nil {
			return fmt.Errorf("%w: %s", ErrDamaged, err.Error()) // not fs.ErrNotExist: the revision is there
		}
		if !info.Mode().IsRegular() || info.Size() != i.Size {
			return fmt.Errorf("%w: %s has %d bytes, not %d", ErrDamaged, filepath.Join(place, i.Path), info.Size(), i.Size)
		}
	}
	return nil
}

// intact tells whether the revision is still what was staged. Where the time of a file says that
// it was written since, all is hashed again.
func (m manifest) intact(ctx context.Context, place string) bool {
	if m.whole(place) != nil {
		return false
	}
	for _, i := range m.Listing {
		info, err := os.Lstat(filepath.Join(place, i.Path))
		if err != nil || info.Mode() != i.Mode {
			return false
		}
		if !info.ModTime().Equal(i.Modified) {
			return m.verify(ctx, place)
		}
	}
	return true
}

// verify captures what is there, as if it were a user's project.
func (m manifest) verify(ctx context.Context, place string) bool {
	l := m.layout(place)
	spec := endpoint.Spec{
		Root:    l.Dir,
		Model:   endpoint.Model{URI: l.Model},
		Runtime: endpoint.Runtime{Command: l.Command, Files: m.Files},
	}
	got, err := endpoint.CaptureWith(ctx, spec, registry.Hash)
	want := m.Revision
	return err == nil && got.Model == want.Model && got.Command == want.Command && got.Files == want.Files
}
