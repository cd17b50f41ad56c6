package crashtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

const (
	modelServer = "tg-model" // the name under which the test binary is a model server
	program     = "terraform-provider-tidegate"
)

// bin holds the program, built with failpoints, and the model server.
var bin string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == modelServer {
		os.Exit(serveModel(os.Args[1:]))
	}
	code, err := test(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func test(m *testing.M) (code int, err error) {
	if bin, err = os.MkdirTemp("", "tg-bin"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	return m.Run(), nil
}

// built is done once, by the first test that needs it.
var built = sync.OnceValue(func() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.Symlink(self, filepath.Join(bin, modelServer)); err != nil {
		return err
	}
	config := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"tidegatehq/tidegate\" = %q\n  }\n  direct {}\n}\n", bin)
	if err := os.WriteFile(filepath.Join(bin, "terraform.rc"), []byte(config), 0o600); err != nil {
		return err
	}
	return build(filepath.Join(bin, program))
})

// build makes the program. The race detector makes its lives several times as long, and so takes most of them away where
// there is little time for them.
func build(to string) error {
	args := []string{"build", "-o", to, "-tags", "failpoints"}
	if raceDetector && os.Getenv(everything) == "all" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return nil
}
