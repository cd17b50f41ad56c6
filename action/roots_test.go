package action

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRootsAreFoundByGlob(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, file := range []string{
		"main.tf", "infra/prod/main.tf", "infra/prod/b.tf", "infra/dev/main.tofu", "infra/dev/.terraform/modules/x/main.tf",
		"infra/old/main.tf.json", "infra/eu/prod/main.tf", "infra/README.md", "node_modules/x/main.tf", "infra/a+b/main.tf",
	} {
		path := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ patterns, want, err string }{
		{".", ".", ""},
		{"infra/*", "infra/a+b infra/dev infra/old infra/prod", ""},
		{"infra/** !**/old", "infra/a+b infra/dev infra/eu/prod infra/prod", ""},
		{"**", ". infra/a+b infra/dev infra/eu/prod infra/old infra/prod", ""},
		{"**/prod infra/prod/", "infra/eu/prod infra/prod", ""},
		{"infra/a+*", "infra/a+b", ""},
		{"infra/?ev", "infra/dev", ""},
		{"not/there", "not/there", ""}, // which is a root's own error, beside the others'
		{"stage/*", "", "no folder with .tf or .tofu files"},
		{"infra/* !infra/*", "", "nothing is left"},
		{"../other", "", "want a folder inside of"},
		{"/etc", "", "want a folder inside of"},
		{"a/../../b", "", "want a folder inside of"},
	} {
		got, err := findRoots(dir, strings.Fields(c.patterns))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", c.patterns, err, c.err)
			}
			continue
		}
		if err != nil || !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %q, %v, want %q", c.patterns, got, err, c.want)
		}
	}
}
