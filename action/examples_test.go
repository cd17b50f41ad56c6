package action

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// steps of a workflow that use the Action, as their inputs.
func steps(t *testing.T, workflow string) []map[string]string {
	t.Helper()
	var out []map[string]string
	for _, part := range strings.Split(workflow, "uses: tidegatehq/terraform-provider-tidegate@v1\n        with:\n")[1:] {
		in := map[string]string{}
		last := ""
		for line := range strings.Lines(part) {
			line = strings.TrimRight(line, "\n")
			if rest, ok := strings.CutPrefix(line, "            "); ok {
				in[last] += rest + "\n"
				continue
			}
			m := regexp.MustCompile(`^          ([a-z_]+): (.*)$`).FindStringSubmatch(line)
			if m == nil {
				break
			}
			last = m[1]
			in[last] = strings.TrimPrefix(m[2], "|")
		}
		out = append(out, in)
	}
	return out
}

func TestExampleWorkflowsGiveInputsThatThereAre(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "examples", "workflows", "*.yml"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := steps(t, string(b))
		if len(found) == 0 {
			t.Errorf("%s does not use the Action", file)
		}
		for _, in := range found {
			for name, value := range in {
				switch {
				case strings.Contains(value, "secrets.TIDEGATE_KEY"):
					in[name] = testKey
				case strings.Contains(value, "outputs.artifact"):
					in[name] = "1"
				}
			}
			if _, err := from(in); err != nil {
				t.Errorf("%s: %v: %v", file, in, err)
			}
		}
		for _, want := range []string{"permissions: {}", "timeout-minutes:", "persist-credentials: false"} {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s has no %q", file, want)
			}
		}
		for _, m := range regexp.MustCompile(`uses: (\S+)@(\S+)(.*)`).FindAllStringSubmatch(string(b), -1) {
			if !strings.HasPrefix(m[1], "tidegatehq/") && !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(m[2]) {
				t.Errorf("%s: %s is not pinned to a commit", file, m[1])
			}
		}
	}
}

func TestInstallIsCleanToShellcheck(t *testing.T) {
	t.Parallel()
	need(t, "shellcheck")
	if out, err := exec.CommandContext(t.Context(), "shellcheck", "install.sh").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
