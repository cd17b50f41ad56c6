package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// terraform-exec is not used to start the tool: it kills it when the context ends or this process dies, which leaves
// locks behind, and holds the JSON of a plan in memory.

// A command is one run of the tool.
type command struct {
	doing  string // "plan": what an error says was being done
	args   []string
	stdout io.Writer    // gets what it says, for commands whose answer is data
	piped  bool         // stdout gets it through a pipe: for much data, and commands that hold no lock
	text   bool         // it speaks to people; else, without stdout, one JSON object a line
	event  func(*event) // sees each of these
	fine   []int        // exit codes that are no failure, beside 0
	code   func(int)    // learns the exit code, if it is fine
}

// run runs the tool to its end.
func (r *Root) run(ctx context.Context, c command) error {
	if err := ctx.Err(); err != nil {
		return &Error{Doing: c.doing, Dir: r.Dir, Tool: r.Tool.Name, Code: -1, Canceled: true, cause: err}
	}
	if r.PluginCache != "" {
		abs, err := filepath.Abs(r.PluginCache)
		if err == nil {
			err = os.MkdirAll(abs, 0o750)
		}
		if err != nil {
			return fmt.Errorf("make the folder for providers %q: %w", r.PluginCache, err)
		}
		r.PluginCache = abs
	}
	log := io.Discard
	if r.Log != nil {
		log = r.Log
	}
	l := &listener{c: c, scrub: r.scrubber(), log: r.scrubber().Writer(log)}
	cmd := exec.Command(r.Tool.Path, c.args...)
	cmd.Dir, cmd.Env = r.Dir, r.environment()
	apart(cmd)
	code, err := r.execute(ctx, cmd, l)
	if err != nil {
		return fmt.Errorf("start %s in %q: %w", r.Tool.Path, r.Dir, err)
	}
	if err := l.close(); err != nil && code == 0 {
		return fmt.Errorf("%s %s in %q: take what it says: %w", r.Tool.Name, c.doing, r.Dir, err)
	}
	if code != 0 && !slices.Contains(c.fine, code) {
		return l.failure(&Error{Doing: c.doing, Dir: r.Dir, Tool: r.Tool.Name, Code: code, cause: ctx.Err(), Canceled: ctx.Err() != nil})
	}
	if c.code != nil {
		c.code(code)
	}
	return nil
}

// execute starts cmd, listens to it, interrupts it once when ctx ends, and waits for it.
func (r *Root) execute(ctx context.Context, cmd *exec.Cmd, l *listener) (code int, err error) {
	var stdout, stderr *spool
	if stderr, err = newSpool(l.stderr); err != nil {
		return 0, err
	}
	defer stderr.close()
	cmd.Stderr = stderr.file
	if l.c.piped {
		cmd.Stdout = writerFunc(l.stdout)
	} else {
		if stdout, err = newSpool(l.stdout); err != nil {
			return 0, err
		}
		defer stdout.close()
		cmd.Stdout = stdout.file
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	over := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-ctx.Done():
			_ = cmd.Process.Signal(os.Interrupt) // it may be over just now
		case <-over:
		}
	})
	for _, s := range []*spool{stdout, stderr} {
		if s != nil {
			waiting.Go(func() { s.follow(over) })
		}
	}
	err = cmd.Wait()
	close(over)
	waiting.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.ExitCode(), nil
	case l.err() != nil:
		return 0, nil // close tells
	}
	return 0, err
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A spool is what the tool writes to: a file without a name. Into a pipe it could not write any more once this process
// was killed, would die of that, and leave the state locked and half written.
type spool struct {
	file *os.File
	to   func([]byte) (int, error)
	at   int64
}

func newSpool(to func([]byte) (int, error)) (*spool, error) {
	f, err := os.CreateTemp("", "tidegate-output-*")
	if err != nil {
		return nil, fmt.Errorf("make a file for what the tool says: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spool{file: f, to: to}, nil
}

func (s *spool) close() { _ = s.file.Close() } // nothing of it is kept

// lookEvery is how often a spool is looked at: often enough to seem at once.
const lookEvery = 25 * time.Millisecond

// follow passes on what is written, until the tool is over and all of it was passed on.
func (s *spool) follow(over <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.drain()
		case <-over:
			s.drain()
			return
		}
	}
}

func (s *spool) drain() {
	buf := make([]byte, 64<<10)
	for {
		n, err := s.file.ReadAt(buf, s.at)
		s.at += int64(n)
		if n > 0 {
			_, _ = s.to(buf[:n]) // the listener keeps its first error
		}
		if err != nil || n == 0 {
			return
		}
	}
}

// mostSaid bounds what is kept of what the tool said, for errors.
const mostSaid = 8 << 10

// A listener hears both streams of the tool.
type listener struct {
	c     command
	scrub *Scrubber
	log   io.WriteCloser

	mu          sync.Mutex
	lines       []byte // of stdout, the last not complete
	said        []byte
	diagnostics []Diagnostic
	wrong       error // of passing on what was asked for
}

func (l *listener) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wrong
}

func (l *listener) stdout(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.c.stdout != nil:
		if _, err := l.c.stdout.Write(p); err != nil {
			l.wrong = err
			return 0, err
		}
	case l.c.text:
		l.tell(p)
	default:
		l.lines = append(l.lines, p...)
		for {
			i := bytes.IndexByte(l.lines, '\n')
			if i < 0 {
				break
			}
			l.line(l.lines[:i])
			l.lines = l.lines[i+1:]
		}
	}
	return len(p), nil
}

func (l *listener) stderr(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell(p)
	return len(p), nil
}

// line is one of the JSON objects that the tool says instead of words.
func (l *listener) line(b []byte) {
	e, ok := parseEvent(b)
	if !ok {
		l.tell(append(bytes.Clone(b), '\n'))
		return
	}
	if d := e.Diagnostic; d != nil {
		l.diagnostics = append(l.diagnostics, l.clean(d))
	}
	if l.c.event != nil {
		l.c.event(e)
	}
	if words := e.words(); words != "" {
		_, _ = io.WriteString(l.log, blot(l.scrub.String(words))+"\n")
	}
}

// tell logs, and keeps the end of what was said. A log that nobody takes is no reason to call an apply failed.
func (l *listener) tell(p []byte) {
	_, _ = l.log.Write(p)
	l.said = append(l.said, p...)
	if over := len(l.said) - mostSaid; over > 0 {
		l.said = append(l.said[:0], l.said[over:]...)
	}
}

func (l *listener) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) > 0 {
		l.line(l.lines)
		l.lines = nil
	}
	_ = l.log.Close()
	return l.wrong
}

// failure completes the error of a tool that failed.
func (l *listener) failure(e *Error) *Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Diagnostics = l.diagnostics
	said := string(l.said)
	if len(e.Diagnostics) == 0 {
		e.Said = blot(l.scrub.String(said))
	}
	for _, d := range e.Diagnostics {
		said += "\n" + d.Detail
	}
	e.Lock = findLock(l.scrub.String(said))
	return e
}
