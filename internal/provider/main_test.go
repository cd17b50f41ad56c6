package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/command"
)

// modelServer is the name under which the test binary is a model server.
const modelServer = "tg-model"

// bin holds the test binary under the names of all its parts; see TestMain.
var bin string

// TestMain is many programs, as main.go is: tests run real Terraform, which starts this binary
// as the provider, which starts it as the engine, which starts it as model servers.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == modelServer:
		os.Exit(serveModel(os.Args[1:]))
	case len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-"): // a command, such as "engine"
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := command.Main(ctx, os.Args[1:], "test", os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	case os.Getenv("TF_PLUGIN_MAGIC_COOKIE") != "":
		if err := serveProvider(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code, err := test(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func serveProvider() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return providerserver.Serve(context.Background(), New("test", []string{self, "engine", "run"}, BuiltFrom(strings.Repeat("7", 40))),
		providerserver.ServeOpts{Address: "registry.terraform.io/tidegatehq/tidegate"})
}

func test(m *testing.M) (code int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	if bin, err = os.MkdirTemp("", "tg-bin"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	for _, name := range []string{modelServer, "terraform-provider-tidegate"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			return 1, err
		}
	}
	config := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"tidegatehq/tidegate\" = %q\n  }\n  direct {}\n}\n", bin)
	if err := os.WriteFile(filepath.Join(bin, "terraform.rc"), []byte(config), 0o600); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
