package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
)

// marker tells a work folder from one that somebody else made.
const marker = "made-by-the-demo"

// program is the provider, and the command line.
const program = "terraform-provider-tidegate"

// prepare builds the programs and lays the root modules out.
func (d *demo) prepare(ctx context.Context) error {
	bin := filepath.Join(d.dir, "bin")
	if err := os.MkdirAll(bin, 0o750); err != nil {
		return err
	}
	config := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"tidegatehq/tidegate\" = %q\n  }\n  direct {}\n}\n", bin)
	for path, text := range map[string]string{marker: "make demo-clean removes this folder.\n", "terraformrc": config} {
		if err := os.WriteFile(filepath.Join(d.dir, path), []byte(text), 0o600); err != nil {
			return err
		}
	}
	for _, path := range []string{"main.tf", filepath.Join("status", "main.tf"), filepath.Join(pipelineRoot, "main.tf")} {
		if err := d.copyExample(path); err != nil {
			return err
		}
	}
	if err := d.call(ctx, "building the provider", d.project, "go", "build", "-ldflags", "-X main.commit="+d.commit(ctx), "-o", filepath.Join(bin, program), "."); err != nil {
		return err
	}
	for _, build := range []struct{ what, out, from string }{
		{"the training program", filepath.Join(bin, "train"), "./examples/penguins/train"},
		{"the model server", filepath.Join(d.dir, "penguin-server"), "./examples/penguins/serve"},
	} {
		if err := d.call(ctx, "building "+build.what, d.project, "go", "build", "-o", build.out, build.from); err != nil {
			return err
		}
	}
	return nil
}

// noCommit stands for the commit of a source tree that is in none.
const noCommit = "0000000000000000000000000000000000000000"

// commit is what the build is of, as a release knows it: the workflow's own Action is pinned to it. The tree may have been
// changed since, or be from an archive that was unpacked in some other repository.
func (d *demo) commit(ctx context.Context) string {
	for _, args := range [][]string{{"ls-files", "--error-unmatch", "go.mod"}, {"rev-parse", "HEAD"}} {
		stdout, _, exit, err := execute(ctx, d.project, os.Environ(), "git", args...)
		if err != nil || exit != 0 {
			return noCommit
		}
		if commit := strings.TrimSpace(string(stdout)); len(commit) == len(noCommit) {
			return commit
		}
	}
	return noCommit
}

// trainAll makes the four versions.
func (d *demo) trainAll(ctx context.Context) error {
	d.say()
	d.say(plain("Four models, trained just now on the Palmer penguins, and measured on rows held out:"))
	for _, version := range []string{"1", "2", "3", "4"} {
		if err := d.train(ctx, version); err != nil {
			return err
		}
	}
	return nil
}

// train makes a version and says how good it is, before anybody uses it.
func (d *demo) train(ctx context.Context, version string) error {
	metricsFile := filepath.Join(d.dir, "models", "v"+version+".metrics")
	err := d.call(ctx, "training version "+version, d.dir, filepath.Join(d.dir, "bin", "train"), "-version", version, "-metrics", metricsFile)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(metricsFile)
	if err != nil {
		return err
	}
	var metrics struct {
		About    string
		Accuracy float64
		LogLoss  float64 `json:"log_loss"`
	}
	if err := json.Unmarshal(b, &metrics); err != nil {
		return fmt.Errorf("read %s: %w", metricsFile, err)
	}
	line := []report.Span{plain(fmt.Sprintf("  v%s  %-42s %6s right", version, metrics.About, percent(metrics.Accuracy)))}
	switch version {
	case "3":
		line = append(line, dim("  looks best, fails on missing values"))
	case "4":
		line = append(line, dim("  right, and slow"))
	}
	d.say(line...)
	return nil
}

// call runs a program that says nothing unless it fails.
func (d *demo) call(ctx context.Context, what, dir, name string, args ...string) error {
	return d.during(func() string { return what }, func() error {
		stdout, stderr, exit, err := execute(ctx, dir, os.Environ(), name, args...)
		if err == nil && exit != 0 {
			err = fmt.Errorf("exit code %d: %s%s", exit, stdout, stderr)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	})
}

func (d *demo) copyExample(path string) error {
	b, err := os.ReadFile(filepath.Join(d.project, "examples", "penguins", path))
	if err != nil {
		return err
	}
	to := filepath.Join(d.dir, path)
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// clean destroys what an earlier run made, stops its engine and removes the work folder.
func (d *demo) clean(ctx context.Context) error {
	if !exists(d.dir) {
		return nil
	}
	if !exists(filepath.Join(d.dir, marker)) {
		return fmt.Errorf("clean %s: it holds no file %q, so the demo did not make it; remove it yourself, or name another with -dir", d.dir, marker)
	}
	if err := d.stopAll(ctx); err != nil {
		return fmt.Errorf("clean %s: %w", d.dir, err)
	}
	if err := os.RemoveAll(d.dir); err != nil {
		return fmt.Errorf("clean: %w", err)
	}
	d.say(dim("Stopped and removed what the demo made in " + d.options.dir + "."))
	return nil
}

// stopAll ends endpoints and engine. An engine that stops takes its model servers with it, so
// a destroy that fails, of a half-made state for instance, is not the last word.
func (d *demo) stopAll(ctx context.Context) error {
	tidegate := filepath.Join(d.dir, "bin", program)
	if !exists(tidegate) {
		return nil // it never got as far as an engine
	}
	if exists(filepath.Join(d.dir, "terraform.tfstate")) {
		err := d.during(func() string { return "terraform destroy" }, func() error {
			got, err := d.tool.run(ctx, d.dir, "destroy", "-json", "-input=false", "-auto-approve")
			if err == nil && got.exit != 0 {
				err = errors.New(strings.TrimSpace(got.text()))
			}
			return err
		})
		if err != nil {
			d.say(dim("The destroy did not work; stopping the engine does. " + err.Error()))
		}
	}
	data := filepath.Join(d.dir, ".tidegate")
	if !exists(data) {
		return nil
	}
	return d.call(ctx, "stopping the engine", d.dir, tidegate, "engine", "stop", "--data-dir", data)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
