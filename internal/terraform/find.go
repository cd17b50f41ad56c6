package terraform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A Tool is a Terraform or an OpenTofu on this machine.
type Tool struct {
	Name    string // "terraform" or "tofu"
	Path    string // absolute
	Version string // "1.11.4"
}

// tools are what Find looks for, in this order.
var tools = []string{"terraform", "tofu"}

// Find finds the tool: "terraform" or "tofu" on the PATH, a path to one, or with "" whichever is there, Terraform first.
// env is the environment that it is looked up and asked in; nil is this process's.
func Find(ctx context.Context, name string, env []string) (Tool, error) {
	if env == nil {
		env = os.Environ()
	}
	file, err := findTool(name, lookup(env, "PATH"))
	if err != nil {
		return Tool{}, err
	}
	return ask(ctx, file, env)
}

func findTool(name, path string) (string, error) {
	switch {
	case name == "":
		for _, tool := range tools {
			if file, err := inPath(tool, path); err == nil {
				return file, nil
			}
		}
		return "", errors.New("there is neither terraform nor tofu on the PATH: install one before this step " +
			"(hashicorp/setup-terraform or opentofu/setup-opentofu in a workflow), or give its path as the tool")
	case strings.ContainsRune(name, filepath.Separator):
		file, err := filepath.Abs(name)
		if err == nil {
			err = executable(file)
		}
		if err != nil {
			return "", fmt.Errorf("tool %q: %w; want a path to terraform or tofu", name, err)
		}
		return file, nil
	case name == "terraform" || name == "tofu":
		file, err := inPath(name, path)
		if err != nil {
			return "", fmt.Errorf("there is no %s on the PATH: install it before this step (%s in a workflow), or leave the tool out to use whichever is there",
				name, map[string]string{"terraform": "hashicorp/setup-terraform", "tofu": "opentofu/setup-opentofu"}[name])
		}
		return file, nil
	}
	return "", fmt.Errorf("tool %q: want \"terraform\", \"tofu\", or a path to one with a slash in it", name)
}

// inPath looks a program up in a PATH that need not be this process's. Relative folders do not count: a checkout
// could bring a program of its own.
func inPath(name, path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if file := filepath.Join(dir, name); executable(file) == nil {
			return file, nil
		}
	}
	return "", exec.ErrNotFound
}

func executable(file string) error {
	st, err := os.Stat(file)
	switch {
	case err != nil:
		return errors.New("there is no such file")
	case st.IsDir():
		return errors.New("that is a folder")
	case st.Mode()&0o111 == 0:
		return errors.New("the file is not executable")
	}
	return nil
}

var versionLine = regexp.MustCompile(`^(Terraform|OpenTofu) v([0-9][0-9A-Za-z.+-]*)`)

// ask asks a program for its name and version, in one go.
func ask(ctx context.Context, file string, env []string) (Tool, error) {
	cmd := exec.CommandContext(ctx, file, "version") //nolint:gosec // running what the user names is the product
	cmd.Dir = os.TempDir()                           // where there is no configuration, it has no providers to count
	cmd.Env = append(without(env, "TF_CLI_ARGS", "TF_CLI_ARGS_version"), "CHECKPOINT_DISABLE=1")
	out, err := cmd.Output()
	m := versionLine.FindSubmatch(out)
	switch {
	case ctx.Err() != nil:
		return Tool{}, ctx.Err()
	case err != nil:
		return Tool{}, fmt.Errorf("ask %s for its version: %w; is it terraform or tofu?", file, err)
	case m == nil:
		return Tool{}, fmt.Errorf("ask %s for its version: it answers neither as Terraform nor as OpenTofu does", file)
	}
	return Tool{Name: map[string]string{"Terraform": "terraform", "OpenTofu": "tofu"}[string(m[1])], Path: file, Version: string(m[2])}, nil
}

// lookup is the last value of a name in an environment.
func lookup(env []string, name string) (value string) {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v
		}
	}
	return value
}

// without is an environment without some names.
func without(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains(names, name)
	})
}
