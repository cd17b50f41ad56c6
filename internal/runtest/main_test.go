package runtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// bin is what the tests build.
var bin string

func TestMain(m *testing.M) {
	code, err := test(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func test(m *testing.M) (code int, err error) {
	if bin, err = os.MkdirTemp("", "tg-run"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	return m.Run(), nil
}

// mirror is where Terraform finds the provider: init looks for it as for any other.
func mirror() string { return filepath.Join(bin, "mirror") }

// built is the program, which is the provider too, and the model server.
var built = sync.OnceValues(func() (string, error) {
	to := filepath.Join(mirror(), "registry.terraform.io", "tidegatehq", "tidegate", "0.0.1", runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-tidegate_v0.0.1")
	for out, pkg := range map[string]string{to: ".", filepath.Join(bin, "penguin-server"): "./examples/penguins/serve"} {
		cmd := exec.Command("go", "build", "-o", out, pkg)
		cmd.Dir = filepath.Join("..", "..")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", pkg, err, text)
		}
	}
	config := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror())
	return to, os.WriteFile(filepath.Join(bin, "terraform.rc"), []byte(config), 0o600)
})

func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// possible skips where there is not what the workflow finds on a machine of GitHub's.
func possible(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs whole workflows")
	}
	for _, tool := range []string{"bash", "go", "git", "make", "tar", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("TIDEGATE_TERRAFORM") != "" { // make test is to run all
			t.Fatalf("the end-to-end runs need %s: install it", tool)
		} else if err != nil {
			t.Skipf("GitHub's machines have %s, and this one has not", tool)
		}
	}
	if _, err := terraform.Find(t.Context(), "", nil); err != nil {
		if os.Getenv("TIDEGATE_TERRAFORM") != "" { // make test brings one
			t.Fatal(err)
		}
		t.Skip(err)
	}
}
