package local_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadOnlyDataDirectoryIsRefusedWithAWayOut(t *testing.T) {
	t.Parallel()
	root := shortDir(t)
	cmd := exec.Command(self(), "engine", "run", "--data-dir", filepath.Join(root, "locked", "d"))
	if os.Geteuid() == 0 { // may write everywhere: somebody else has to try, with a program that he may read
		program := filepath.Join(root, "program")
		copyFile(t, program, self())
		cmd.Path, cmd.Args[0], cmd.Dir = program, program, root
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if err := os.Chmod(root, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "locked"), 0o555); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "cannot be written") || !strings.Contains(string(out), "name another one") {
		t.Errorf("%v: %s", err, out)
	}
}

func copyFile(t *testing.T, dst, src string) {
	t.Helper()
	in, err := os.Open(src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
