package command_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

func TestEvaluateHasExitCodesForScripts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "m.json")
	if err := os.WriteFile(file, []byte(`{"acc": 0.9, "bad": NaN}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		out  string
		errs string
	}{
		{[]string{"--min", "acc=0.9"}, 0, "1 of 1 rules hold\n", ""},
		{[]string{"--min", "acc=0.91"}, 4, "FAILED acc is 0.9, at least 0.91 is asked\n", "tidegate: metrics " + file + " are not good enough: 0 of 1 rules hold\n"},
		{[]string{"--min", "acc=0.9", "--max", "bad=1"}, 1, "bad is NaN, not a finite number", "1 of 2 rules hold\n"},
		{[]string{"--min", "acc=0.9", "--min", "acc2=1", "--reference", file}, 1, "", "tidegate: reference: only max_regression compares with it"},
		{nil, 1, "", "tidegate: want at least one of min, max and max_regression"},
		{[]string{"--min", "acc"}, 1, "", `tidegate: invalid argument "acc" for "--min" flag: min: min "acc": want metric=number`},
		{[]string{"--token", "x"}, 1, "", "tidegate: unknown flag: --token"},
	} {
		out, errs, code := run(t.Context(), append([]string{"evaluate", "--metrics", file}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) {
			t.Errorf("%v: exit code %d, out %q, err %q; want %d, %q, %q", c.args, code, out, errs, c.code, c.out, c.errs)
		}
	}
}

func TestHelpOfTheModesHasTheirFlagsAndNoSecrets(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string][]string{
		"plan":     {"--root", "--protect", "--save", "--review", "--detailed-exitcode", "TIDEGATE_KEY"},
		"apply":    {"--reviewed", "--verify", "--saved", "--max-changes"},
		"evaluate": {"--metrics", "--min", "--max", "--max-regression", "--reference"},
	} {
		out, _, code := run(t.Context(), mode, "--help")
		for _, flag := range want {
			if !strings.Contains(out, flag) {
				t.Errorf("%s --help does not tell of %s:\n%s", mode, flag, out)
			}
		}
		for _, flag := range []string{"--key", "--secrets", "--token", "--artifact"} {
			if strings.Contains(out, flag+" ") {
				t.Errorf("%s takes %s", mode, flag)
			}
		}
		if code != 0 {
			t.Errorf("%s --help: exit code %d", mode, code)
		}
	}
	if out, _, _ := run(t.Context(), "--help"); !strings.Contains(out, "\n  plan ") || strings.Contains(out, "\n  action ") {
		t.Errorf("%s", out)
	}
}

// A process is this test binary as tidegate.
type process struct {
	*exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

func tidegate(ctx context.Context, t *testing.T, dir string, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.CommandContext(ctx, exe, args...)}
	p.Dir, p.Stdout, p.Stderr = dir, p, p
	return p
}

func code(err error) int {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// A runner that cancels a job interrupts the process that exec made of its shell, and nobody else.
func TestAnInterruptedApplyWaitsForTerraformAndTheLock(t *testing.T) {
	t.Parallel()
	if _, err := terraform.Find(t.Context(), "", nil); err != nil {
		if os.Getenv("TIDEGATE_TERRAFORM") != "" { // make test brings one
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	config := "resource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" {\n    command = \"exec sleep 300\"\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	apply := tidegate(ctx, t, dir, "apply", "--verify", "none")
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(apply.said(), "Provisioning with 'local-exec'") {
		if ctx.Err() != nil {
			t.Fatalf("it did not begin:\n%s", apply.said())
		}
		time.Sleep(20 * time.Millisecond)
	}
	plan := tidegate(ctx, t, dir, "plan", "--lock-timeout", "0s")
	if err := plan.Run(); code(err) != 1 || !strings.Contains(plan.said(), "OperationTypeApply") {
		t.Errorf("a plan while the state is locked: %v\n%s", err, plan.said())
	}
	if err := apply.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := apply.Wait(); code(err) != 130 {
		t.Errorf("interrupted: %v, want exit code 130\n%s", err, apply.said())
	}
	plan = tidegate(ctx, t, dir, "plan", "--lock-timeout", "0s")
	if err := plan.Run(); err != nil {
		t.Errorf("the lock is held: %v\n%s", err, plan.said())
	}
}
