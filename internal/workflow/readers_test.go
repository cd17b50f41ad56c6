package workflow_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestActReadsTheGoldenWorkflows(t *testing.T) {
	t.Parallel()
	if said := githubhub.Validate(t, filepath.Join("testdata", "render")); said != "" {
		t.Error(said)
	}
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "bad.yml"), []byte("on: push\njobs:\n  a:\n    runs-on: x\n    stepz: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := githubhub.Validate(t, bad); !strings.Contains(said, "stepz") {
		t.Errorf("act does not find what is wrong with a workflow: %s", said)
	}
}

const zizmorVersion = "1.32.0"

func TestZizmorHasNothingAgainstTheGoldenWorkflows(t *testing.T) {
	t.Parallel()
	zizmor := installZizmor(t)
	audit := func(dir string) (string, error) {
		files, err := filepath.Glob(filepath.Join(dir, "*.yml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no workflows in %s: %v", dir, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		// Without its file of settings, which could turn findings off, and without asking GitHub.
		cmd := exec.CommandContext(ctx, zizmor, append([]string{"--offline", "--no-config", "--no-progress", "--format", "plain"}, files...)...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if said, err := audit(filepath.Join("testdata", "render")); err != nil {
		t.Errorf("%v:\n%s", err, said)
	}
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "bad.yml"), []byte(`on: pull_request_target
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.event.pull_request.title }}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := audit(bad); err == nil || !strings.Contains(said, "template-injection") {
		t.Errorf("zizmor does not find what is wrong with a workflow: %v: %s", err, said)
	}
}

// installZizmor gets the program from PyPI, once for all. Where PyPI or pip is not there, the test says so.
func installZizmor(t *testing.T) string {
	t.Helper()
	cache, err := filepath.Abs(filepath.Join("..", "..", ".cache"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "zizmor-"+zizmorVersion)
	program := filepath.Join(dir, "bin", "zizmor")
	if err := os.MkdirAll(cache, 0o750); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(dir + ".lock")
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Unlock() }()
	if _, err := os.Stat(program); err == nil {
		return program
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	fresh, err := os.MkdirTemp(cache, "zizmor-new-") //nolint:usetesting // it is renamed, so it is on the same file system
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
		"--only-binary", ":all:", "--target", fresh, "zizmor=="+zizmorVersion)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Skipf("zizmor %s cannot be fetched from PyPI here: %v: %s", zizmorVersion, err, said.String())
	}
	if err := errors.Join(os.RemoveAll(dir), os.Rename(fresh, dir)); err != nil {
		t.Fatal(err)
	}
	return program
}
