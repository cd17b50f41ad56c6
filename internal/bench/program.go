package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A program is a build of Tidegate, with a Terraform that uses it.
type program struct {
	dir       string // everything is below it
	terraform string
	env       []string
}

// terraformVariable names the Terraform to measure with; make sets it.
const terraformVariable = "TIDEGATE_TERRAFORM"

// build makes a program in a folder of its own, as a release is built.
func build(ctx context.Context) (*program, error) {
	terraform := os.Getenv(terraformVariable)
	if terraform == "" {
		terraform = "terraform"
	}
	terraform, err := exec.LookPath(terraform)
	if err != nil {
		return nil, fmt.Errorf("find Terraform: %w: put it on the PATH, or its path into %s", err, terraformVariable)
	}
	dir, err := os.MkdirTemp("", "tidegate-bench")
	if err != nil {
		return nil, err
	}
	p := &program{dir: dir, terraform: terraform}
	if err := p.make(ctx); err != nil {
		return nil, errors.Join(err, p.remove())
	}
	return p, nil
}

func (p *program) make(ctx context.Context) error {
	const here = "github.com/tidegatehq/terraform-provider-tidegate"
	for exe, pkg := range map[string]string{p.exe(): here, p.bare(): here + "/internal/provider/bareprovider"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", exe, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.Symlink(self, filepath.Join(p.bin(), modelServer)); err != nil {
		return err
	}
	config := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"tidegatehq/tidegate\" = %q\n  }\n  direct {}\n}\n", p.bin())
	rc := filepath.Join(p.dir, "terraform.rc")
	if err := os.WriteFile(rc, []byte(config), 0o600); err != nil {
		return err
	}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "TF_") || strings.HasPrefix(name, "TIDEGATE_") || name == "PATH" || name == "XDG_CACHE_HOME" {
			continue
		}
		p.env = append(p.env, kv)
	}
	p.env = append(p.env, "TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"XDG_CACHE_HOME="+filepath.Join(p.dir, "cache"), "PATH="+p.bin()+string(os.PathListSeparator)+os.Getenv("PATH"))
	return nil
}

func (p *program) bin() string  { return filepath.Join(p.dir, "bin") }
func (p *program) exe() string  { return filepath.Join(p.bin(), "terraform-provider-tidegate") }
func (p *program) bare() string { return filepath.Join(p.bin(), "bare") }

func (p *program) remove() error { return os.RemoveAll(p.dir) }

// run runs a command in a folder, and says what it printed if it fails.
func (p *program) run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, p.env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return nil
}
