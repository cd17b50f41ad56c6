package process

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk/powercut"
)

// After a cut no model server runs, and a pid file that is half there must not keep the next daemon from starting.
func TestAPowerCutLeavesPidFilesThatCanBeReaped(t *testing.T) {
	t.Parallel()
	temp := powercut.TempDir(t)
	root := filepath.Join(temp, "disk")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	d := powercut.New(root)
	path := filepath.Join(root, "replica-1.pid")
	p := pidFile{Command: []string{"model-server"}, Port: 1, Model: "/models/nobody", Revision: "sha256:nobody"}
	for range 2 { // before the process starts, and after
		if err := p.write(d, path); err != nil {
			t.Fatal(err)
		}
		p.Pid, p.Start = 1<<30, "never"
	}
	if err := d.Remove(path); err != nil {
		t.Fatal(err)
	}
	err := d.Cuts(temp, 4, func(c powercut.Cut) error {
		if err := reap(t.Context(), c.Folder); err != nil {
			return err
		}
		if left, _ := filepath.Glob(filepath.Join(c.Folder, "*.pid")); len(left) > 0 {
			return fmt.Errorf("%v are left", left)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
