package checkout_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/checkout"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

const workflow = ".github/workflows/fraud.yml"

// subject is a new checkout.
func subject(t *testing.T) pipelinetest.Subject {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, workflow)
	return pipelinetest.Subject{
		Engine: checkout.Open(disk.OS),
		Spec:   pipeline.Spec{Place: pipeline.Place{Directory: dir, Path: workflow}},
		Write: func(t *testing.T, content string) {
			t.Helper()
			err := os.Remove(path)
			if content != "" {
				err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644))
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		Read: func(t *testing.T) string {
			t.Helper()
			b, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			return string(b)
		},
	}
}

func TestFoldersKeepThePromiseOfAnEngine(t *testing.T) {
	t.Parallel()
	pipelinetest.Run(t, subject)
}
