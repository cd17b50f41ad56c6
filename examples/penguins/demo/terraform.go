package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A terraform runs terraform or tofu.
type terraform struct {
	path   string
	config string // CLI configuration that puts the build in the registry's place
}

func findTerraform(dir string) (terraform, error) {
	names := []string{"terraform", "tofu"}
	if path := os.Getenv("TIDEGATE_TERRAFORM"); path != "" {
		names = []string{path}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return terraform{path: path, config: filepath.Join(dir, "terraformrc")}, nil
		}
	}
	return terraform{}, fmt.Errorf("no %s on the PATH: install one, or run make demo, which fetches it", strings.Join(names, " or "))
}

func (t terraform) name() string { return filepath.Base(t.path) }

// A result is what a run of Terraform said.
type result struct {
	exit        int
	diagnostics []diagnostic
	errors      string // what was written to stderr
}

type diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
}

// find returns the diagnostic of a severity whose summary holds some words.
func (r result) find(severity, words string) (diagnostic, bool) {
	for _, d := range r.diagnostics {
		if d.Severity == severity && strings.Contains(d.Summary, words) {
			return d, true
		}
	}
	return diagnostic{}, false
}

func (r result) text() string {
	var b strings.Builder
	for _, d := range r.diagnostics {
		fmt.Fprintf(&b, "%s: %s\n%s\n", d.Severity, d.Summary, d.Detail)
	}
	return b.String() + r.errors
}

// running is the process group of what runs now, 0 for none.
var running atomic.Int64

// killRunning ends it without asking.
func killRunning() {
	if group := running.Load(); group > 0 {
		_ = syscall.Kill(-int(group), syscall.SIGKILL)
	}
}

// patience is how long a program that was interrupted may take to end well.
const patience = 90 * time.Second

// execute runs a program in a session of its own: a Ctrl-C at the terminal reaches it once, as
// the end of ctx, and the provider finds no terminal to write its progress over ours.
func execute(ctx context.Context, dir string, env []string, name string, args ...string) (stdout []byte, stderr string, exit int, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		return nil, "", 0, fmt.Errorf("run %s: %w", name, err)
	}
	running.Store(int64(cmd.Process.Pid))
	err = cmd.Wait()
	running.Store(0)
	var failed *exec.ExitError
	if ctx.Err() == nil && errors.As(err, &failed) && failed.Exited() {
		return out.Bytes(), errs.String(), failed.ExitCode(), nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.Bytes(), errs.String(), 0, err
}

// run runs a command that takes -json. An exit code is no error.
func (t terraform) run(ctx context.Context, dir string, args ...string) (result, error) {
	stdout, stderr, exit, err := execute(ctx, dir, t.environment(), t.path, args...)
	if err != nil {
		return result{}, fmt.Errorf("%s %s: %w", t.name(), args[0], err)
	}
	r := result{exit: exit, errors: stderr}
	lines := bufio.NewScanner(bytes.NewReader(stdout))
	lines.Buffer(nil, len(stdout)+1)
	for lines.Scan() {
		var line struct{ Diagnostic *diagnostic }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Diagnostic != nil {
			r.diagnostics = append(r.diagnostics, *line.Diagnostic)
		}
	}
	return r, lines.Err()
}

// An outputValue is one output as terraform output -json writes it.
type outputValue[T any] struct{ Value T }

// outputs reads a root's outputs into a struct of outputValues.
func (t terraform) outputs(ctx context.Context, dir string, into any) error {
	stdout, stderr, exit, err := execute(ctx, dir, t.environment(), t.path, "output", "-json")
	if err != nil {
		return fmt.Errorf("%s output: %w", t.name(), err)
	}
	if exit != 0 {
		return fmt.Errorf("%s output: %s", t.name(), stderr)
	}
	if err := json.Unmarshal(stdout, into); err != nil {
		return fmt.Errorf("%s output: %w", t.name(), err)
	}
	return nil
}

// environment is ours without what would steer Terraform or the provider elsewhere.
func (t terraform) environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TF_") && !strings.HasPrefix(v, "TIDEGATE_") {
			env = append(env, v)
		}
	}
	return append(env, "TF_CLI_CONFIG_FILE="+t.config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
}
