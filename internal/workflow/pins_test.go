package workflow

import (
	"regexp"
	"testing"
)

func TestEveryBuiltInPinIsACommitThatTwoFilesName(t *testing.T) {
	t.Parallel()
	var (
		commit  = regexp.MustCompile(`^[0-9a-f]{40}$`)
		version = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+$`)
		name    = regexp.MustCompile(`^[a-z0-9-]+/[a-z0-9-]+$`)
		source  = regexp.MustCompile(`^([\w-]+/[\w-]+ [\w./-]+ @[0-9a-f]{40}|indexed file [0-9]+)$`)
	)
	if len(knownPins) == 0 {
		t.Fatal("no pins")
	}
	commits := map[string]string{}
	for action, k := range knownPins {
		if !name.MatchString(action) || !commit.MatchString(k.Commit) || !version.MatchString(k.Version) {
			t.Errorf("%s: %+v is not a repository, a commit and a version", action, k.Pin)
		}
		if other := commits[k.Commit]; other != "" {
			t.Errorf("%s and %s are pinned to the same commit", action, other)
		}
		commits[k.Commit] = action
		for _, s := range k.sources {
			if !source.MatchString(s) {
				t.Errorf("%s: source %q is not a file", action, s)
			}
		}
		if k.sources[0] == k.sources[1] {
			t.Errorf("%s: both sources are %s", action, k.sources[0])
		}
	}
}

func TestAnActionInAFolderIsPinnedAsItsRepository(t *testing.T) {
	t.Parallel()
	whole, ok := Known("anchore/sbom-action")
	part, found := Known("anchore/sbom-action/download-syft")
	if !ok || !found || whole != part {
		t.Errorf("got %v %v, want %v", part, found, whole)
	}
	for _, unknown := range []string{"", "anchore", "acme/deploy", "./local", "docker://alpine", Own} {
		if _, ok := Known(unknown); ok {
			t.Errorf("%q is known", unknown)
		}
	}
}
