package githubhub

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Validate lets act read the workflows of a folder by GitHub's own schema, strictly, and returns what it says against them:
// "" is nothing. It is another reader of the same file than actionlint. It runs none of them, and needs no hub.
func Validate(t testing.TB, dir string) string {
	t.Helper()
	absolute, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	root, err := projectRoot()
	if err != nil {
		t.Fatal(err)
	}
	act, err := build(root, "acttool", "github.com/nektos/act")
	skipWithoutModules(t, err)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, act, "--validate", "--strict", "--no-recurse", "--workflows", absolute)
	cmd.Dir = t.TempDir() // else act looks for settings and repositories around it
	cmd.Env = actEnvironment(t.TempDir())
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	return string(out) + err.Error()
}
