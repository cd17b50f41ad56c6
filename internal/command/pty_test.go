package command_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A terminal is a command at one.
type terminal struct {
	*exec.Cmd
	t    *testing.T
	file *os.File
	done chan struct{}
	out  output
}

func (l *lab) terminal(env string, args ...string) *terminal {
	l.t.Helper()
	c := exec.Command(self(l.t), append(args, "--data-dir", l.dir)...)
	c.Env = append(os.Environ(), "TERM=xterm-256color", env)
	f, err := pty.StartWithSize(c, &pty.Winsize{Cols: 90, Rows: 40})
	if err != nil {
		l.t.Fatal(err)
	}
	x := &terminal{t: l.t, Cmd: c, file: f, done: make(chan struct{})}
	go func() {
		defer close(x.done)
		b := make([]byte, 4096)
		for {
			n, err := f.Read(b)
			_, _ = x.out.Write(b[:n])
			if err != nil {
				return // Linux says EIO where the other side is closed
			}
		}
	}()
	l.t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = f.Close()
	})
	return x
}

func (x *terminal) text() string { return x.out.String() }

func (x *terminal) shows(what string) {
	x.t.Helper()
	x.out.shows(x.t, what)
}

// code waits for the end.
func (x *terminal) code() int {
	x.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- x.Wait() }()
	select {
	case <-ended:
		<-x.done
		return x.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		x.t.Fatalf("%v has not ended:\n%q", x.Args, x.text())
		return 0
	}
}

func TestTerminalsShowTheRolloutInPlaceAndCtrlCEndsIt(t *testing.T) {
	t.Parallel()
	l := newLab(t, slowly)
	l.traffic()
	l.stage(model{Name: "v2"})
	watch, plain, dumb := l.terminal("NO_COLOR=", "status", "-w"), l.terminal("NO_COLOR=1", "status", "-w"), l.terminal("TERM=dumb", "status", "-w")
	watch.shows("staged")
	p := l.terminal("NO_COLOR=", "promote", "penguins")
	for _, x := range []*terminal{watch, p} {
		x.shows("\x1b[36m▶ 25%\x1b[0m") // a color
		x.shows("\x1b[A\x1b[A")         // again, in place
		x.shows("errors")
	}
	plain.shows("▶ 25%")
	dumb.shows("25% of traffic goes to the candidate")
	if text := plain.text(); strings.Contains(text, "\x1b[36m") || !strings.Contains(text, "\x1b[A") {
		t.Errorf("NO_COLOR: want no color, and drawings in place: %q", text)
	}
	if text := dumb.text(); strings.Contains(text, "\x1b") {
		t.Errorf("TERM=dumb: %q", text)
	}
	// Ctrl-C goes to all of a terminal's processes; whoever only watches changes nothing.
	if _, err := io.WriteString(plain.file, "\x03"); err != nil {
		t.Fatal(err)
	}
	if code := plain.code(); code != 3 {
		t.Errorf("status --watch ended by Ctrl-C: %d, want 3: the rollout goes on", code)
	}
	if _, err := io.WriteString(p.file, "\x03"); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]*terminal{"promote": p, "status --watch": watch, "status --watch at a dumb terminal": dumb} {
		if code := x.code(); code != 2 {
			t.Errorf("%s: exit code %d, want 2: %q", name, code, x.text())
		}
	}
	contains(t, p.text(), "told to stop by SIGINT", "Not promoted")
}

func TestTerminalThatStandsStillDoesNotHoldUpTheRollout(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(p *rollout.Policy) { slowly(p); p.Limits.AbandonedAfter = rollout.Duration(10 * time.Second) })
	l.traffic()
	l.stage(model{Name: "v2"})
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	fill(t, write)
	p := l.startTo(write, "promote", "penguins")
	r := l.until("the candidate has traffic", exposed)
	l.until("its runner goes on writing", func(now rollout.Record) bool { return now.Renewed.Sub(r.Renewed) > 3*time.Second })
	p.signal(syscall.SIGTERM)
	if code := p.code(); code != 2 {
		t.Errorf("exit code %d, want 2: rolled back, although nobody can be told", code)
	}
}

// fill leaves no room in a pipe.
func fill(t *testing.T, w *os.File) {
	t.Helper()
	if err := w.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := fmt.Fprint(w, strings.Repeat(" ", 1024)); err != nil {
			break
		}
	}
	if err := w.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}
