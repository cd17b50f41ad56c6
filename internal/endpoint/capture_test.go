package endpoint

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
)

// project makes a root module with a model, a server and a further file.
func project(t *testing.T) Spec {
	t.Helper()
	root := t.TempDir()
	put(t, filepath.Join(root, "models/v1.json"), 0o644)
	put(t, filepath.Join(root, "bin/server"), 0o755)
	put(t, filepath.Join(root, "labels.txt"), 0o644)
	return Spec{
		Name: "penguins", Root: root, Replicas: 1,
		Model: Model{URI: "file://models/v1.json"},
		Runtime: Runtime{
			Command: []string{"./bin/server", "--port={port}"}, Files: []string{"labels.txt"}, Protocol: "v2",
		},
	}
}

func put(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(filepath.Base(path)), mode); err != nil {
		t.Fatal(err)
	}
}

func capture(t *testing.T, s Spec) Revision {
	t.Helper()
	r, err := Capture(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCaptureNamesAllThatRuns(t *testing.T) {
	t.Parallel()
	s := project(t)
	r := capture(t, s)
	for what, d := range map[string]string{"digest": r.Digest, "model": r.Model, "command": r.Command, "files": r.Files} {
		if !strings.HasPrefix(d, "sha256:") || len(d) != 71 {
			t.Errorf("%s is %q, want sha256:HEX", what, d)
		}
	}
	moved := project(t)
	if other := capture(t, moved); other != r {
		t.Errorf("the same project elsewhere is %+v, want %+v", other, r)
	}
}

func TestCaptureTellsRevisionsApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{capture(t, project(t)).Digest: "untouched"}
	overwrite := func(name string) func(*Spec) {
		return func(s *Spec) {
			if err := os.WriteFile(filepath.Join(s.Root, name), []byte("other"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for what, change := range map[string]func(*Spec){
		"model":  overwrite("models/v1.json"),
		"server": overwrite("bin/server"),
		"file":   overwrite("labels.txt"),
		"file mode": func(s *Spec) {
			if err := os.Chmod(filepath.Join(s.Root, "labels.txt"), 0o755); err != nil {
				t.Fatal(err)
			}
		},
		"words":      func(s *Spec) { s.Runtime.Command[1] = "--port=1" },
		"split word": func(s *Spec) { s.Runtime.Command = []string{"./bin/server", "--port", "{port}"} },
		"no files":   func(s *Spec) { s.Runtime.Files = nil },
		"protocol":   func(s *Spec) { s.Runtime.Protocol = "http" },
		"ready path": func(s *Spec) { s.Runtime.ReadyPath = "/ready" },
		"model name": func(s *Spec) {
			s.Model.URI = "file://models/v1.onnx"
			if err := os.Rename(filepath.Join(s.Root, "models/v1.json"), filepath.Join(s.Root, "models/v1.onnx")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		s := project(t)
		change(&s)
		d := capture(t, s).Digest
		if other, dup := seen[d]; dup {
			t.Errorf("another %s is the same revision as %s", what, other)
		}
		seen[d] = what
	}
}

func TestCaptureLeavesOutWhatChangesInPlace(t *testing.T) {
	t.Parallel()
	s := project(t)
	want := capture(t, s)
	s.Replicas, s.Runtime.StartTimeout, s.DeletionProtection = 7, 9, true
	s.Env = Env{Values: map[string]string{"A": "b"}, Secrets: map[string]string{"K": "s"}}
	s.Routing.StickyHeader, s.Rollout.Policy = "X-User", "{}"
	s.Runtime.Files = []string{"./labels.txt", "labels.txt"}
	if got := capture(t, s); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestACommandFromPathHasNoDigest(t *testing.T) {
	t.Parallel()
	s := project(t)
	s.Runtime.Command = []string{"python3", "server.py"}
	if r := capture(t, s); r.Command != "" || s.Executable() != "" {
		t.Errorf("command digest %q, executable %q", r.Command, s.Executable())
	}
}

func TestCaptureSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for says, c := range map[string]struct {
		change  func(*Spec)
		missing bool
	}{
		"model file://models/v9.json":     {func(s *Spec) { s.Model.URI = "file://models/v9.json" }, true},
		"model oci://x: want file://PATH": {func(s *Spec) { s.Model.URI = "oci://x" }, false},
		"command ./bin/gone":              {func(s *Spec) { s.Runtime.Command[0] = "./bin/gone" }, true},
		"is not executable":               {func(s *Spec) { s.Runtime.Command[0] = "./labels.txt" }, false},
		"is not a file":                   {func(s *Spec) { s.Runtime.Command[0] = "./bin" }, false},
		"the command is empty":            {func(s *Spec) { s.Runtime.Command = nil }, false},
		"file gone.txt":                   {func(s *Spec) { s.Runtime.Files = []string{"gone.txt"} }, true},
		`file "../x"`:                     {func(s *Spec) { s.Runtime.Files = []string{"../x"} }, false},
		`file "/etc/passwd"`:              {func(s *Spec) { s.Runtime.Files = []string{"/etc/passwd"} }, false},
		`file "a/../.."`:                  {func(s *Spec) { s.Runtime.Files = []string{"a/../.."} }, false},
		`file "."`:                        {func(s *Spec) { s.Runtime.Files = []string{"."} }, false},
	} {
		s := project(t)
		c.change(&s)
		_, err := Capture(t.Context(), s)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
		if errors.Is(err, registry.ErrNotExist) != c.missing {
			t.Errorf("%v: missing is not %v", err, c.missing)
		}
	}
}

func TestCaptureWithHashesEverythingByTheGivenHash(t *testing.T) {
	t.Parallel()
	s, asked := project(t), map[string]bool{}
	_, err := CaptureWith(t.Context(), s, func(_ context.Context, path string) (registry.Reference, error) {
		asked[filepath.Base(path)] = true
		return registry.Reference{Digest: "sha256:x"}, nil
	})
	if err != nil || !asked["v1.json"] || !asked["server"] || !asked["labels.txt"] {
		t.Errorf("asked for %v, %v", asked, err)
	}
}
