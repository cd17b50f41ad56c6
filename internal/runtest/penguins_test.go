package runtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// penguins is the example as a repository of its own: a Go module that trains a model, and a Makefile.
func penguins(t *testing.T) githubhub.Files {
	t.Helper()
	project := filepath.Join("..", "..")
	files := githubhub.Files{"Makefile": makefile, "go.sum": text(t, filepath.Join(project, "go.sum"))}
	// What else the project requires is not needed, and does no harm.
	files["go.mod"] = regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(text(t, filepath.Join(project, "go.mod")), "module example.com/penguins")
	for _, folder := range []string{"classifier", "data", "train"} {
		from := filepath.Join(project, "examples", "penguins", folder)
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(filepath.Dir(from), path)
			files[filepath.ToSlash(name)] = strings.ReplaceAll(text(t, path), "github.com/tidegatehq/terraform-provider-tidegate/examples/penguins", "example.com/penguins")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// The version that is trained is a variable: another one is another commit.
const makefile = `include version.mk

.PHONY: test validate model
test:
	go test ./...
validate:
	go test ./data -count=1
	test "$$(wc -l < "$$DATASET")" -gt 300
model:
	go run ./train -version $(VERSION) -out out/model.json -metrics out/metrics.json
	echo "version=$(VERSION)" >> "$$GITHUB_OUTPUT"
`

func version(v int) githubhub.Files {
	return githubhub.Files{"version.mk": fmt.Sprintf("VERSION := %d\n", v)}
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
