package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/mod/semver"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

const (
	startPatience = 10 * time.Second // for a daemon to answer
	endPatience   = 60 * time.Second // for one that ends: it lets requests finish
	spawnsAllowed = 3                // one may lose the lock to another client's that ends soon after
)

// distrust makes the next write look for the daemon again.
func (e *Engine) distrust() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.checked = false
}

// ensure returns when a daemon of a usable version answers. It starts one where there is none,
// and replaces an older one.
func (e *Engine) ensure(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.checked {
		return nil
	}
	dir, err := e.config.dataDir()
	if err != nil {
		return err
	}
	if err := dir.prepare(); err != nil {
		return err
	}
	var running info
	err = e.send(ctx, http.MethodGet, versionPath, nil, &running)
	if err == nil {
		old, err := e.outdated(running)
		if err != nil {
			return err
		}
		if !old {
			e.checked = true
			return nil
		}
		if err := e.end(ctx, dir); err != nil {
			return err
		}
	}
	if err := e.start(ctx, dir); err != nil {
		return err
	}
	e.checked = true
	return nil
}

// outdated reports whether the daemon is to be replaced by this program's. Releases compare by
// version; a development build is any other build.
func (e *Engine) outdated(running info) (bool, error) {
	mine, theirs := canonical(e.config.Version), canonical(running.Version)
	if !semver.IsValid(mine) || !semver.IsValid(theirs) {
		if len(e.config.Command) == 0 {
			return false, nil
		}
		build := buildOf(e.config.Command[0])
		return build != "" && build != running.Build, nil
	}
	switch order := semver.Compare(mine, theirs); {
	case order > 0:
		return true, nil
	case order < 0 && running.API != apiVersion:
		return false, fmt.Errorf("data directory %s: its engine is of version %s, which %s cannot talk to: use that version, or stop it with tidegate engine stop",
			e.config.DataDir, running.Version, e.config.Version)
	}
	return false, nil
}

func canonical(v string) string { return "v" + strings.TrimPrefix(v, "v") }

// buildOf names a program by its bytes, "" where they cannot be read.
func buildOf(program string) string {
	path, err := exec.LookPath(program)
	if err != nil {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// end stops the daemon and returns when it has ended, though another may have started since.
// One that is just starting hears of it when it listens.
func (e *Engine) end(ctx context.Context, dir dataDir) error {
	told := 0
	for began := time.Now(); ; {
		free, err := dir.free()
		if err != nil || free {
			return err
		}
		var running info
		if e.send(ctx, http.MethodGet, versionPath, nil, &running) == nil {
			if told != 0 && told != running.PID {
				return nil
			}
			if e.send(ctx, http.MethodPost, "/v1/stop", nil, nil) == nil {
				told = running.PID
			}
		}
		if time.Since(began) > endPatience {
			return fmt.Errorf("data directory %s: its engine was told to stop and did not end in %s: see its daemon.log", dir, endPatience)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// free reports whether no daemon holds the directory.
func (d dataDir) free() (bool, error) {
	l := flock.New(d.lock())
	ok, err := l.TryLock()
	if err != nil {
		return false, d.explain(err)
	}
	return ok, l.Close() // with the lock, if it was free
}

// start runs a daemon and returns when one answers: this one, or another client's.
func (e *Engine) start(ctx context.Context, dir dataDir) error {
	var child spawned
	began, spawns, silent := time.Now(), 0, 0
	for {
		var running info
		err := e.send(ctx, http.MethodGet, versionPath, nil, &running)
		if err == nil {
			child.end(running.PID)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if silent++; !errors.Is(err, errSilent) {
			silent = 0
		}
		if silent > silencesAllowed {
			return dir.hung()
		}
		free, err := dir.free()
		if err != nil {
			return err
		}
		select {
		case err := <-child.exited:
			child.exited = nil
			if free && spawns == spawnsAllowed {
				return fmt.Errorf("start the engine of %s: it ended at once (%w):\n%s", dir, orEnded(err), dir.startLogSince(child.offset))
			}
		default:
		}
		if free && child.exited == nil {
			if child, err = e.reach.spawn(dir); err != nil {
				return fmt.Errorf("start the engine of %s: %w", dir, err)
			}
			spawns++
			began = time.Now()
		}
		patience := startPatience
		if !free && child.exited == nil {
			patience = endPatience // somebody else's, which starts or ends
		}
		if time.Since(began) > patience {
			return fmt.Errorf("start the engine of %s: it did not answer in %s; see %s:\n%s", dir, patience, dir.log(), dir.startLogSince(child.offset))
		}
		if err := pause(ctx, 15*time.Millisecond); err != nil {
			return err
		}
	}
}

func orEnded(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// A spawned daemon is one that this client started.
type spawned struct {
	process *os.Process
	exited  <-chan error // nil when it has exited, or was never started
	offset  int64        // of what it printed, in the start log
}

// end stops a daemon that started beside the one that answers: it would lose the lock, or take
// it when the other one ends.
func (s spawned) end(winner int) {
	if s.exited != nil && s.process.Pid != winner && s.process.Signal(syscall.SIGTERM) == nil {
		<-s.exited //nolint:errcheck // how it ended is of no interest
	}
}

// spawn starts the daemon detached: in its own session, with three descriptors of its own and
// a listed environment. A descriptor that leaks keeps `terraform apply | cat` from ending.
func (e *Engine) spawn(dir dataDir) (spawned, error) {
	if len(e.config.Command) == 0 {
		return spawned{}, errors.New("no command is known that starts it")
	}
	program, err := exec.LookPath(e.config.Command[0])
	if err != nil {
		return spawned{}, err
	}
	if program, err = filepath.Abs(program); err != nil {
		return spawned{}, err
	}
	if err := dir.trimStartLog(); err != nil {
		return spawned{}, dir.explain(err)
	}
	out, err := os.OpenFile(dir.startLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return spawned{}, dir.explain(err)
	}
	defer func() { _ = out.Close() }() // the child has its own
	st, err := out.Stat()
	if err != nil {
		return spawned{}, dir.explain(err)
	}
	closeOnExec()
	cmd := exec.Command(program, append(append([]string{}, e.config.Command[1:]...), "--data-dir", string(dir))...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Dir = string(dir)
	cmd.Env = daemonEnvironment(os.Environ())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	failpoint.Hit("daemon.start")
	defer failpoint.Hit("daemon.started")
	if err := cmd.Start(); err != nil {
		return spawned{}, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	return spawned{cmd.Process, done, st.Size()}, nil
}

// daemonEnvironment keeps what a daemon needs: Terraform's own variables are secrets of others.
func daemonEnvironment(all []string) []string {
	var kept []string
	for _, kv := range all {
		name, _, _ := strings.Cut(kv, "=")
		switch name {
		case "PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "USER":
			kept = append(kept, kv)
		}
		if strings.HasPrefix(name, "TIDEGATE_ENGINE_") {
			kept = append(kept, kv)
		}
	}
	return kept
}

// closeOnExec marks the descriptors that this process inherited itself, such as the ends of
// somebody's pipes. Go's own are marked already.
func closeOnExec() {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return
	}
	for _, en := range entries {
		var fd int
		if _, err := fmt.Sscan(en.Name(), &fd); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// startLogSince returns the end of what a daemon printed before it had a log.
func (d dataDir) startLogSince(offset int64) string {
	b, err := os.ReadFile(d.startLog())
	if err != nil || offset > int64(len(b)) {
		return "(nothing was printed)"
	}
	text := strings.TrimSpace(string(b[offset:]))
	if len(text) > 2000 {
		text = "..." + text[len(text)-2000:]
	}
	if text == "" {
		return "(nothing was printed)"
	}
	return text
}
