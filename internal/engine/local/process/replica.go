package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

const (
	deathsToFail = 3  // in a row, before the first readiness
	hungAfter    = 3  // probes in a row
	logSize      = 10 // megabytes a file
	logBackups   = 3
)

// A replica is one model server after another, on a port of its own each.
type replica struct {
	group *Group
	slot  int           // its number, and what its files are called
	quit  chan struct{} // closed when it is to go

	// Guarded by the group's lock.
	addr    string // while it is ready
	problem string // why it is not ready; kept until it is
	first   bool   // whether problem is about a first start that is still under way
	deaths  int    // in a row without being ready
}

// run starts the replica again and again until it is to go.
func (r *replica) run() {
	p := r.group.pace
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval, pause.Multiplier = p.pauseFirst, p.pauseLast, 2
	log := &lumberjack.Logger{Filename: r.file("log"), MaxSize: logSize, MaxBackups: logBackups}
	defer log.Close()
	for again := false; !r.leaving(); again = true {
		if again {
			r.group.restarted()
		}
		out := newTail(log, r.group.config.Secrets)
		healthy, reason := r.live(out)
		if r.leaving() {
			return
		}
		if healthy >= p.healthy {
			pause.Reset()
		}
		wait := pause.NextBackOff()
		r.died(fmt.Sprintf("%s; it is started again after %s", reason, round(wait)), out)
		select {
		case <-r.quit:
		case <-r.group.over:
		case <-time.After(wait):
		}
	}
}

// leaving tells whether the replica is to go.
func (r *replica) leaving() bool {
	select {
	case <-r.quit:
		return true
	case <-r.group.over:
		return true
	default:
		return false
	}
}

// grace is how long a process may take to end. What Stop grants ends by the group's kill.
func (r *replica) grace(reason string) time.Duration {
	select {
	case <-r.group.over:
		return time.Hour
	default:
	}
	if reason != "" {
		return r.group.pace.hungGrace
	}
	return r.group.pace.grace
}

func (r *replica) file(kind string) string {
	return filepath.Join(r.group.config.State, fmt.Sprintf("replica-%d.%s", r.slot, kind))
}

// live runs one process until it is gone, and returns for how long it was ready, and why it went.
func (r *replica) live(out *tail) (healthy time.Duration, reason string) {
	c, err := r.launch(out)
	r.group.hinder(err)
	if err != nil {
		reason = "cannot be started: " + err.Error()
		out.note("%s", reason)
		r.explain(reason, false, out)
		if permanent(err) {
			r.group.giveUp()
		}
		return 0, reason
	}
	ctx, cancel := r.until(c)
	defer cancel()
	reason = r.starting(ctx, c, out)
	if reason == "" && ctx.Err() == nil {
		failpoint.Hit("server.ready")
		ready := time.Now()
		r.ready(c)
		reason = r.watch(ctx, c)
		r.unready()
		healthy = time.Since(ready)
	}
	failpoint.Hit("server.end")
	if exited := c.end(r.grace(reason), r.group.kill); reason == "" {
		reason = exited
	}
	failpoint.Hit("server.ended")
	if err := os.Remove(r.file("pid")); err != nil {
		out.note("cannot remove the pid file: %v", err)
	}
	out.note("%s", reason)
	return healthy, reason
}

// launch starts a process and writes down which one it is.
func (r *replica) launch(out *tail) (*child, error) {
	port, err := freePort()
	if err != nil {
		return nil, hindrance{err}
	}
	if err := os.MkdirAll(r.group.config.State, 0o700); err != nil {
		return nil, hindrance{err}
	}
	mark := pidFile{Port: port, Model: r.group.config.Model, Revision: r.group.config.Revision}
	failpoint.Hit("pid.write")
	if err := mark.write(disk.OS, r.file("pid")); err != nil { // a crash before the next write leaves no stray
		return nil, hindrance{err}
	}
	failpoint.Hit("server.start")
	c, err := startChild(r.group.config, port, out)
	if err != nil {
		return nil, errors.Join(err, os.Remove(r.file("pid")))
	}
	failpoint.Hit("server.started")
	mark.Pid, mark.Command = c.pid, c.cmd.Args
	mark.Start, err = startOf(c.pid)
	if err == nil {
		err = mark.write(disk.OS, r.file("pid"))
	}
	if err != nil {
		out.note("cannot write the pid file: %v", err)
	}
	failpoint.Hit("pid.written")
	out.note("started process %d on port %d", c.pid, port)
	return c, nil
}

// until returns a context that ends when the process is dead or the replica is to go.
func (r *replica) until(c *child) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-c.dead:
		case <-r.quit:
		case <-r.group.over:
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx, cancel
}

// starting waits until the process is ready, and returns what is wrong if it does not get so.
func (r *replica) starting(ctx context.Context, c *child, out *tail) (reason string) {
	cfg, wait := r.group.config, r.group.pace.probeFirst
	deadline := time.Now().Add(cfg.StartTimeout)
	for ctx.Err() == nil {
		err := probe(ctx, cfg, c.port, r.group.pace.liveTimeout)
		if err == nil || ctx.Err() != nil {
			return ""
		}
		r.explain(c.diagnose(err), true, out)
		left := time.Until(deadline)
		if left <= 0 {
			r.group.giveUp()
			return fmt.Sprintf("was not ready within %s: %s", cfg.StartTimeout, c.diagnose(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(wait, left)):
		}
		wait = min(wait*5/4, r.group.pace.probeLast)
	}
	return ""
}

// watch asks the process again and again, until it is gone or hung.
func (r *replica) watch(ctx context.Context, c *child) (reason string) {
	for failures := 0; failures < hungAfter; {
		select {
		case <-ctx.Done():
			return ""
		case <-time.After(r.group.pace.live):
		}
		err := probe(ctx, r.group.config, c.port, r.group.pace.liveTimeout)
		if ctx.Err() != nil {
			return ""
		}
		failures++
		if err == nil {
			failures = 0
		}
		reason = fmt.Sprintf("hangs, it failed %d probes in a row: %v", failures, err)
	}
	return reason
}

func (r *replica) ready(c *child) {
	g := r.group
	g.mu.Lock()
	defer g.mu.Unlock()
	r.addr, r.problem, r.first, r.deaths = c.addr(), "", false, 0
	g.everReady, g.failed = true, false
	g.touch()
}

func (r *replica) unready() {
	r.group.mu.Lock()
	defer r.group.mu.Unlock()
	r.addr = ""
	r.group.touch()
}

// explain says why the replica is not ready before its first death. After it, the reason of that
// death says more.
func (r *replica) explain(problem string, first bool, out *tail) {
	g := r.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if problem += out.words(); r.deaths == 0 && problem != r.problem {
		r.problem, r.first = problem, first
		g.touch()
	}
}

// explained returns the problem to be put after ": ", or nothing. Call it with the group's lock held.
func (r *replica) explained() string {
	who := fmt.Sprintf(": replica %d ", r.slot)
	switch {
	case r.problem == "" && r.group.failed:
		return fmt.Sprintf("%swas not ready within %s", who, r.group.config.StartTimeout)
	case r.problem == "":
		return ""
	case !r.first:
		return who + r.problem
	case r.group.failed:
		return fmt.Sprintf("%swas not ready within %s: %s", who, r.group.config.StartTimeout, r.problem)
	default:
		return who + "is not ready yet: " + r.problem
	}
}

func (r *replica) died(reason string, out *tail) {
	g := r.group
	g.mu.Lock()
	defer g.mu.Unlock()
	r.problem, r.first = reason+out.words(), false
	r.deaths++
	if r.deaths >= deathsToFail {
		g.fail()
	}
	g.touch()
}

func (g *Group) restarted() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.restarts++
	g.touch()
}

// permanent tells errors that waiting does not mend.
func permanent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) ||
		errors.Is(err, syscall.ENOEXEC) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.E2BIG)
}

func round(d time.Duration) string {
	if d < time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return strings.TrimSuffix(d.Round(100*time.Millisecond).String(), "m0s")
}
