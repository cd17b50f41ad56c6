package checkout_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

// must fails the test for the first of errs that is one.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestPlacesThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(dir, outside string) error
		place   func(*pipeline.Place)
		want    string
	}{
		"a link to a folder outside": {
			prepare: func(dir, outside string) error { return os.Symlink(outside, filepath.Join(dir, ".github")) },
			want:    "is a link, which GitHub does not follow",
		},
		"a link to a file outside": {
			prepare: func(dir, outside string) error {
				return errors.Join(os.MkdirAll(filepath.Join(dir, ".github/workflows"), 0o755),
					os.Symlink(filepath.Join(outside, "file"), filepath.Join(dir, workflow)))
			},
			want: "is a link, which GitHub does not follow",
		},
		"a link to nothing": {
			prepare: func(dir, _ string) error { return os.Symlink("nothing", filepath.Join(dir, ".github")) },
			want:    "is a link, which GitHub does not follow",
		},
		"a file where a folder must be": {
			prepare: func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, ".github"), nil, 0o644) },
			want:    ".github is there and is no folder",
		},
		"a folder where the file must be": {
			prepare: func(dir, _ string) error { return os.MkdirAll(filepath.Join(dir, workflow), 0o755) },
			want:    "is there and is no file",
		},
		"a pipe, which would be waited for": {
			prepare: func(dir, _ string) error {
				return errors.Join(os.MkdirAll(filepath.Join(dir, ".github/workflows"), 0o755),
					syscall.Mkfifo(filepath.Join(dir, workflow), 0o600))
			},
			want: "is there and is no file",
		},
		"a file that is no workflow": {
			prepare: func(dir, _ string) error {
				return errors.Join(os.MkdirAll(filepath.Join(dir, ".github/workflows"), 0o755),
					os.WriteFile(filepath.Join(dir, workflow), make([]byte, 1<<20+1), 0o644))
			},
			want: "more than 1048576 bytes",
		},
		"a path that leads out":     {place: func(p *pipeline.Place) { p.Path = "../x.yml" }, want: "want an absolute folder, and a path below it"},
		"a path from the top":       {place: func(p *pipeline.Place) { p.Path = "/etc/x.yml" }, want: "want an absolute folder, and a path below it"},
		"a folder that is relative": {place: func(p *pipeline.Place) { p.Directory = "x" }, want: "want an absolute folder"},
		"a folder that is a file": {
			prepare: func(dir, _ string) error { return os.WriteFile(filepath.Join(dir, "file"), nil, 0o644) },
			place:   func(p *pipeline.Place) { p.Directory = filepath.Join(p.Directory, "file") },
			want:    "file is no folder",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := subject(t)
			outside := t.TempDir()
			must(t, os.WriteFile(filepath.Join(outside, "file"), []byte("theirs"), 0o600))
			if c.prepare != nil {
				must(t, c.prepare(s.Spec.Directory, outside))
			}
			if c.place != nil {
				c.place(&s.Spec.Place)
			}
			_, err := s.Engine.Apply(t.Context(), pipeline.Change{Spec: s.Spec, Content: pipelinetest.Content(workflow, "test")})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("apply: %v, want %q", err, c.want)
			}
			if problems := problems(t, s); !strings.Contains(problems, c.want) {
				t.Errorf("check: %q, want %q", problems, c.want)
			}
			st := pipeline.Status{Place: s.Spec.Place, Content: "x", Made: []string{pipeline.MadeFile}}
			if _, err := s.Engine.Get(t.Context(), st); err == nil || errors.Is(err, pipeline.ErrNotFound) {
				t.Errorf("get: %v: want an error that says why, and a pipeline not taken for gone", err)
			}
			if _, err := s.Engine.Delete(t.Context(), st, pipeline.Delivery{}); err == nil {
				t.Error("delete went on")
			}
			if b, _ := os.ReadFile(filepath.Join(outside, "file")); string(b) != "theirs" {
				t.Errorf("outside: %q", b)
			}
			if more, _ := os.ReadDir(outside); len(more) != 1 {
				t.Errorf("outside: %v", more)
			}
		})
	}
}

// problems are the sentences of a check, errors and warnings.
func problems(t *testing.T, s pipelinetest.Subject) string {
	t.Helper()
	all, err := s.Engine.Check(t.Context(), s.Spec, pipeline.Status{})
	must(t, err)
	var text []string
	for _, p := range all {
		if p.Warning {
			p.Summary = "warning: " + p.Summary
		}
		text = append(text, p.Summary+": "+p.Detail)
	}
	return strings.Join(text, "\n")
}

func TestAFolderThatIsNotThereIsAWarningAtPlanAndAnErrorAtApply(t *testing.T) {
	t.Parallel()
	s := subject(t)
	st, err := s.Engine.Apply(t.Context(), pipeline.Change{Spec: s.Spec, Content: pipelinetest.Content(workflow, "test")})
	must(t, err, os.RemoveAll(s.Spec.Directory))
	if text := problems(t, s); !strings.HasPrefix(text, "warning: There is no such folder") || !strings.Contains(text, s.Spec.Directory) {
		t.Error(text)
	}
	if _, err := s.Engine.Apply(t.Context(), pipeline.Change{Spec: s.Spec, Content: "x"}); err == nil || !strings.Contains(err.Error(), "no such file or directory") {
		t.Errorf("apply: %v", err)
	}
	if _, err := s.Engine.Get(t.Context(), st); !errors.Is(err, pipeline.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.Engine.Delete(t.Context(), st, pipeline.Delivery{}); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func TestAFolderWhoseWorkflowsNobodyRunsIsAWarning(t *testing.T) {
	t.Parallel()
	s := subject(t)
	if text := problems(t, s); text != "" {
		t.Errorf("of a checkout: %s", text)
	}
	git := filepath.Join(s.Spec.Directory, ".git")
	must(t, os.Remove(git), os.WriteFile(git, []byte("gitdir: elsewhere\n"), 0o644))
	if text := problems(t, s); text != "" {
		t.Errorf("of a worktree: %s", text)
	}
	must(t, os.Remove(git))
	if text := problems(t, s); !strings.HasPrefix(text, "warning: The folder is no checkout") {
		t.Errorf("of a plain folder: %q", text)
	}
	above := s.Spec.Directory
	s.Spec.Directory = filepath.Join(above, "deep", "below")
	must(t, os.Mkdir(git, 0o755), os.MkdirAll(s.Spec.Directory, 0o755))
	if text := problems(t, s); !strings.HasPrefix(text, "warning: GitHub does not look for workflows there") || !strings.Contains(text, above+", and") {
		t.Errorf("of a folder in a checkout: %q", text)
	}
}

func TestWhatOnlyGitHubHasIsRefused(t *testing.T) {
	t.Parallel()
	s := subject(t)
	s.Spec.Delivery = pipeline.Delivery{Mode: pipeline.PullRequest}
	s.Spec.Environments = []pipeline.Environment{{Name: "staging"}, {Name: "production"}}
	s.Spec.RequiredChecks = []string{"test"}
	text := problems(t, s)
	for _, want := range []string{"no delivery", `Environment "staging"`, `Environment "production"`, "no required checks", `set repository = "OWNER/NAME"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: want %q", text, want)
		}
	}
	if _, err := s.Engine.Apply(t.Context(), pipeline.Change{Spec: s.Spec, Content: "x"}); err == nil || s.Read(t) != "" {
		t.Errorf("apply: %v, and the file %q", err, s.Read(t))
	}
}

func TestFoldersThatWereMadeGoWithThePipelineIfTheyAreEmpty(t *testing.T) {
	t.Parallel()
	for name, theirs := range map[string]string{"": "", ".github": ".github/CODEOWNERS", ".github/workflows": ".github/workflows/own.yml"} {
		s := subject(t)
		st, err := s.Engine.Apply(t.Context(), pipeline.Change{Spec: s.Spec, Content: pipelinetest.Content(workflow, "test")})
		must(t, err)
		if info, err := os.Stat(filepath.Join(s.Spec.Directory, workflow)); err != nil || info.Mode().Perm()&0o600 != 0o600 || info.Mode().Perm()&0o111 != 0 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		if theirs != "" {
			must(t, os.WriteFile(filepath.Join(s.Spec.Directory, theirs), nil, 0o644))
		}
		_, err = s.Engine.Delete(t.Context(), st, pipeline.Delivery{})
		must(t, err)
		for _, folder := range []string{".github", ".github/workflows"} {
			_, err := os.Stat(filepath.Join(s.Spec.Directory, folder))
			if stays := strings.HasPrefix(name, folder); stays != (err == nil) {
				t.Errorf("with %q: %s: %v", theirs, folder, err)
			}
		}
	}
	// Folders that were there stay.
	s := subject(t)
	must(t, os.Mkdir(filepath.Join(s.Spec.Directory, ".github"), 0o755))
	st, err := s.Engine.Apply(t.Context(), pipeline.Change{Spec: s.Spec, Content: pipelinetest.Content(workflow, "test")})
	must(t, err)
	_, err = s.Engine.Delete(t.Context(), st, pipeline.Delivery{})
	must(t, err)
	if rest, err := os.ReadDir(filepath.Join(s.Spec.Directory, ".github")); err != nil || len(rest) != 0 {
		t.Errorf("%v, %v: want .github, and nothing in it", rest, err)
	}
}

// Git on Windows turns line ends: the file is still ours.
func TestAFileWithWindowsLineEndsIsOurs(t *testing.T) {
	t.Parallel()
	s := subject(t)
	s.Write(t, strings.ReplaceAll(pipelinetest.Content(workflow, "test"), "\n", "\r\n"))
	if text := problems(t, s); text != "" {
		t.Error(text)
	}
}
