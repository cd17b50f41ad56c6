//go:build failpoints

package failpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	variable = "TIDEGATE_ENGINE_FAILPOINTS"
	module   = "github.com/tidegatehq/terraform-provider-tidegate/"
	callers  = 2 // above the function that holds a point, to tell what it does there
)

var (
	folder = os.Getenv(variable)
	role   = roleOf(os.Args[1:], os.Getenv("TF_PLUGIN_MAGIC_COOKIE"))
	mu     sync.Mutex
)

// Hit says that a place was reached, and ends the process where that is armed. The words tell one name's uses apart.
func Hit(name string, words ...string) {
	if folder == "" {
		return
	}
	point := strings.Join(append(append([]string{role, name}, words...), path()), " ")
	point = strings.TrimSpace(point)
	mu.Lock()
	defer mu.Unlock()
	must(note(point))
	die, err := due(point)
	must(err)
	if die {
		must(syscall.Kill(os.Getpid(), syscall.SIGKILL))
		select {} // nothing comes after it
	}
}

// must ends a process that cannot keep its books: a test would believe wrong ones. The folder of a test that is over
// is gone, and nobody reads it.
func must(err error) {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return
	}
	panic(fmt.Sprintf("failpoint: %v", err))
}

func roleOf(args []string, cookie string) string {
	switch {
	case cookie != "":
		return "provider"
	case len(args) > 1 && args[0] == "engine" && args[1] == "run":
		return "daemon"
	case len(args) > 0:
		return args[0]
	}
	return "command"
}

// path names the module's functions that called the one that holds the point, the nearest first.
func path() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	var names []string
	for first := true; len(names) < callers; first = false {
		f, more := frames.Next()
		if name, ours := strings.CutPrefix(f.Function, module); ours && !first {
			name = short(name)
			if len(names) == 0 || names[len(names)-1] != name {
				names = append(names, name)
			}
		}
		if !more {
			break
		}
	}
	return strings.Join(names, "<")
}

// closure is what the compiler adds to the names of functions without one.
var closure = regexp.MustCompile(`(\.(func|gowrap)?\d+)+$|-(fm|range\d+)$`)

// short is "act" for "internal/engine/local.(*unit).act.func1".
func short(function string) string {
	name := closure.ReplaceAllString(function, "")
	return name[strings.LastIndexByte(name, '.')+1:]
}

func note(point string) error {
	f, err := os.OpenFile(filepath.Join(folder, "hits"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%d %d %s\n", time.Now().UnixNano(), os.Getpid(), point)
	return errors.Join(err, f.Close())
}

// due counts an armed point down, and reports whether this hit is the one.
func due(point string) (bool, error) {
	armed := filepath.Join(folder, "armed", url.PathEscape(point))
	b, err := os.ReadFile(armed)
	if err != nil {
		return false, err
	}
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return false, err
	}
	if n > 1 {
		return false, os.WriteFile(armed, []byte(strconv.Itoa(n-1)), 0o600)
	}
	// Of two processes that reach it at once, one can rename it.
	err = os.Rename(armed, filepath.Join(folder, "fired", url.PathEscape(point)))
	return err == nil, err
}
