package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandsLookWhereFlagsFileAndEnvironmentSay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for file, content := range map[string]string{
		"plain/x": "", "sub/tidegate.json": `{"local": {"data_dir": "../filed"}}`, "bad/tidegate.json": `{"local": {"dir": 1}}`,
		"other.json": `{"local": {"data_dir": "othered"}}`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		in, env, want string
		args          []string
	}{
		"default":            {in: "plain", want: "There is no endpoint in " + dir + "/plain/.tidegate."},
		"environment":        {in: "plain", env: "TIDEGATE_DATA_DIR=e", want: "no endpoint in " + dir + "/plain/e."},
		"file here":          {in: "sub", env: "TIDEGATE_DATA_DIR=e", want: "no endpoint in " + dir + "/filed."},
		"file by name":       {in: "sub", args: []string{"--config", "../other.json"}, want: "no endpoint in " + dir + "/othered."},
		"file by variable":   {in: "sub", env: "TIDEGATE_CONFIG=" + dir + "/other.json", want: "no endpoint in " + dir + "/othered."},
		"flag":               {in: "sub", args: []string{"--data-dir", "f"}, want: "no endpoint in " + dir + "/sub/f."},
		"flag before a file": {in: "bad", args: []string{"--data-dir", "f"}, want: "no endpoint in " + dir + "/bad/f."},
		"broken file":        {in: "bad", want: "tidegate: configuration " + dir + "/bad/tidegate.json: local.dir: unknown: want data_dir"},
		"missing file":       {in: "plain", args: []string{"--config", "none.json"}, want: "none.json: no such file"},
		"empty flag":         {in: "plain", args: []string{"--config", ""}, want: "it is empty: want a path"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(self(t), append([]string{"status"}, c.args...)...)
			cmd.Dir = filepath.Join(dir, c.in)
			cmd.Env = append(os.Environ(), "PWD="+cmd.Dir, c.env)
			out, _ := cmd.CombinedOutput()
			if !strings.Contains(string(out), c.want) || strings.Count(string(out), "\n") != 1 {
				t.Errorf("%s: want %q", out, c.want)
			}
		})
	}
	if _, errs, code := run(t.Context(), "promote", "penguins", "--data-dir", filepath.Join(dir, "none")); code != 1 || !strings.Contains(errs, `endpoint "penguins": there is no such endpoint`) {
		t.Errorf("%d: %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("looking for an endpoint made a data directory")
	}
}

func TestArgumentsThatMeanNothingAreRefused(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	for want, args := range map[string][]string{
		`--on-cancel "stop": want rollback or freeze`:          {"promote", "x", "--on-cancel", "stop"},
		"--timeout -1s: want 0s, as long as it takes, or more": {"promote", "x", "--timeout", "-1s"},
		"--weight 100: want 1 to 99":                           {"approve", "x", "--weight", "100"},
		"--step -1: want 1 or more":                            {"approve", "x", "--step", "-1"},
		"accepts 1 arg(s)":                                     {"rollback"},
		"accepts at most 1 arg(s)":                             {"status", "a", "b"},
		"unknown flag: --force":                                {"cancel", "x", "--force"},
		`kind "kubernetes": want local/CLUSTER/NAME`:           {"status", "kubernetes/prod/ns/penguins"},
		"there is no endpoint to watch: terraform apply makes": {"status", "--watch"},
	} {
		_, errs, code := run(t.Context(), append(args, "--data-dir", dir)...)
		if code != 1 || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: %d, %s: want %q", args, code, errs, want)
		}
	}
}
