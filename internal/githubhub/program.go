package githubhub

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A program is the server's process, one for all tests of a test binary.
type program struct {
	path, control string
	modules       string // internal/ of the project
	// stdin is held, or the garbage collector would close it, and with it the process.
	stdin io.Closer
}

var process = sync.OnceValues(launch)

// start starts the server's process with the first test that needs it. The process ends with the test binary, which
// holds the other end of its standard input.
func start(t testing.TB) program {
	t.Helper()
	p, err := process()
	skipWithoutModules(t, err)
	if err != nil {
		t.Fatalf("start the GitHub of this test: %v", err)
	}
	return p
}

// skipWithoutModules skips a test that cannot build what it needs since there is no way to fetch it.
func skipWithoutModules(t testing.TB, err error) {
	t.Helper()
	var b *buildError
	if errors.As(err, &b) && b.offline() {
		t.Skipf("modules cannot be fetched here: %v", err)
	}
}

func launch() (program, error) {
	root, err := projectRoot()
	if err != nil {
		return program{}, err
	}
	p := program{modules: filepath.Join(root, "internal")}
	if p.path, err = build(root, "githubtest", "./cmd/github"); err != nil {
		return program{}, err
	}
	cmd := exec.Command(p.path)
	in, err := cmd.StdinPipe()
	if err != nil {
		return program{}, err
	}
	p.stdin = in
	out, err := cmd.StdoutPipe()
	if err != nil {
		return program{}, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return program{}, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = in.Close()
		return program{}, fmt.Errorf("read its address: %w", errors.Join(err, cmd.Wait()))
	}
	p.control = strings.TrimSpace(line)
	return p, nil
}

// projectRoot is the folder of the module whose tests run.
func projectRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "internal", "githubtest", "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no folder above has internal/githubtest")
		}
		dir = filepath.Dir(dir)
	}
}

// build builds a program of a module of its own below internal, into .cache/bin; one of the same sources that is there
// already is taken as it is.
func build(root, module, pkg string) (string, error) {
	dir := filepath.Join(root, "internal", module)
	sum, err := digest(dir)
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, ".cache", "bin", fmt.Sprintf("%s-%s", filepath.Base(pkg), sum))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return "", err
	}
	// A name of its own until it is whole: other test binaries may build at the same time.
	fresh := fmt.Sprintf("%s.%d", path, os.Getpid())
	cmd := exec.Command("go", "build", "-o", fresh, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &buildError{module, string(out), err}
	}
	forget(path)
	return path, os.Rename(fresh, path)
}

// forget removes what was built of other sources, unless it is so young that another checkout may be using it.
func forget(path string) {
	name, _, _ := strings.Cut(filepath.Base(path), "-")
	others, _ := filepath.Glob(filepath.Join(filepath.Dir(path), name+"-*"))
	for _, old := range others {
		if info, err := os.Stat(old); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.Remove(old)
		}
	}
}

// digest is a hash over the files of a folder that a program is built of.
func digest(dir string) (string, error) {
	h := sha256.New()
	files := os.DirFS(dir)
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || filepath.Ext(path) == ".md" {
			return err
		}
		b, err := fs.ReadFile(files, path)
		fmt.Fprintf(h, "%s %d\n", path, len(b))
		h.Write(b)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:16], err
}

// A buildError is what go said.
type buildError struct {
	module, words string
	err           error
}

func (e *buildError) Error() string {
	return fmt.Sprintf("build internal/%s: %v\n%s", e.module, e.err, e.words)
}

func (e *buildError) Unwrap() error { return e.err }

var unreachable = regexp.MustCompile(`dial tcp|no such host|i/o timeout|connection refused|module lookup disabled|TLS handshake timeout`)

// offline says whether modules could not be fetched, and nothing else is wrong.
func (e *buildError) offline() bool { return unreachable.MatchString(e.words) }
