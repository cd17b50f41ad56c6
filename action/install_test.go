package action

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// install runs the step of action.yml that gets the program, as a runner does.
func install(t *testing.T, dir string, env ...string) (program, said string, err error) {
	t.Helper()
	output := filepath.Join(t.TempDir(), "output")
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "action", "install.sh"))
	cmd.Env = append(os.Environ(), "GITHUB_OUTPUT="+output, "TIDEGATE_VERSION=", "TIDEGATE_REPOSITORY=acme/provider")
	cmd.Env = append(cmd.Env, env...)
	b, err := cmd.CombinedOutput()
	set, _ := os.ReadFile(output)
	program, _ = strings.CutPrefix(strings.TrimSpace(string(set)), "program=")
	return program, string(b), err
}

// actionDir is a copy of what install.sh needs of the action's folder.
func actionDir(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("install.sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "action"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"action/install.sh": string(script),
		"VERSION":           version + "\n",
		"go.mod":            "module example.com/tidegate\n",
		"main.go":           "package main\n\nfunc main() { println(\"built from source\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// releases serves a release as GitHub does, and counts what is fetched. broken changes the archive after its sum.
func releases(t *testing.T, version string, broken bool) (url string, fetched *int) {
	t.Helper()
	name := fmt.Sprintf("terraform-provider-tidegate_%s_%s_%s.zip", version, runtime.GOOS, runtime.GOARCH)
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	f, err := z.Create("terraform-provider-tidegate_v" + version)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write([]byte("#!/bin/sh\necho released " + version + "\n"))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(archive.Bytes())
	if broken {
		sum[0]++
	}
	n := new(int)
	base := "/acme/provider/releases/download/v" + version + "/"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*n++
		switch r.URL.Path {
		case base + name:
			_, _ = w.Write(archive.Bytes())
		case base + "terraform-provider-tidegate_" + version + "_SHA256SUMS":
			_, _ = fmt.Fprintf(w, "%s  another.zip\n%x  %s\n", strings.Repeat("0", 64), sum, name)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, n
}

// needTerraform skips a test where there is neither terraform nor tofu. make test brings one: there it fails.
func needTerraform(t *testing.T) {
	t.Helper()
	_, err := terraform.Find(t.Context(), "", nil)
	if err != nil && os.Getenv("TIDEGATE_TERRAFORM") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
}

func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not on this machine; it is on GitHub's", tool)
		}
	}
}

func TestInstallGetsTheReleaseOfItsOwnVersionOnce(t *testing.T) {
	t.Parallel()
	need(t, "bash", "curl", "unzip")
	url, fetched := releases(t, "1.2.3", false)
	temp := t.TempDir()
	dir := actionDir(t, "1.2.3")
	for range 2 {
		program, said, err := install(t, dir, "GITHUB_SERVER_URL="+url, "RUNNER_TEMP="+temp)
		if err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		if out, err := exec.CommandContext(t.Context(), program).Output(); err != nil || string(out) != "released 1.2.3\n" {
			t.Fatalf("%s: %v: %q", program, err, out)
		}
	}
	if *fetched != 2 {
		t.Errorf("%d files were fetched for two steps of a job, want 2", *fetched)
	}
}

func TestInstallRunsNothingThatIsNotWhatItsSumSays(t *testing.T) {
	t.Parallel()
	need(t, "bash", "curl", "unzip")
	url, _ := releases(t, "1.2.3", true)
	program, said, err := install(t, actionDir(t, "dev"), "TIDEGATE_VERSION=v1.2.3", "GITHUB_SERVER_URL="+url, "RUNNER_TEMP="+t.TempDir())
	if err == nil || program != "" || !strings.Contains(said, "It was not run") {
		t.Errorf("%q, %v: %s", program, err, said)
	}
	_, said, err = install(t, actionDir(t, "dev"), "TIDEGATE_VERSION=9.9.9", "GITHUB_SERVER_URL="+url, "RUNNER_TEMP="+t.TempDir())
	if err == nil || !strings.Contains(said, "Is 9.9.9 a released version?") {
		t.Errorf("%v: %s", err, said)
	}
	_, said, err = install(t, actionDir(t, "dev"), "TIDEGATE_VERSION=../evil", "GITHUB_SERVER_URL="+url, "RUNNER_TEMP="+t.TempDir())
	if err == nil || !strings.Contains(said, "want a released one") {
		t.Errorf("%v: %s", err, said)
	}
}

func TestInstallBuildsWhatWasNotReleased(t *testing.T) {
	t.Parallel()
	need(t, "bash", "go")
	program, said, err := install(t, actionDir(t, "dev"), "RUNNER_TEMP="+t.TempDir(), "GOFLAGS=-mod=mod")
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if out, err := exec.CommandContext(t.Context(), program).CombinedOutput(); err != nil || string(out) != "built from source\n" {
		t.Errorf("%v: %q", err, out)
	}
}
