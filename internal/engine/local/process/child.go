package process

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// A child is one running process, the leader of its process group.
type child struct {
	cmd    *exec.Cmd
	pid    int
	port   int
	began  time.Time
	dead   chan struct{} // closed when the leader has exited; the others may live on
	reaped bool          // whether exit is known already; set before dead is closed
	exit   error

	looked    time.Time // when elsewhere was found out
	elsewhere []int     // ports that it listens on
}

// startChild starts the command. A file that was written a moment ago may still be open for
// writing in a process that another goroutine is forking right now: that passes.
func startChild(c Config, port int, out io.Writer) (*child, error) {
	for try := 0; ; try++ {
		cmd, err := command(c, port)
		if err != nil {
			return nil, err
		}
		cmd.Stdout, cmd.Stderr = out, out
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.WaitDelay = 250 * time.Millisecond // for those who hold the pipe and left the group
		err = cmd.Start()
		if errors.Is(err, syscall.ETXTBSY) && try < 20 {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			return nil, err
		}
		ch := &child{cmd: cmd, pid: cmd.Process.Pid, port: port, began: time.Now(), dead: make(chan struct{})}
		go func() {
			ch.reaped, ch.exit = awaitExit(cmd)
			close(ch.dead)
		}()
		return ch, nil
	}
}

func (c *child) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)) }

// end stops the whole process group and returns how the leader ended. If the leader lives, all get
// SIGTERM and until grace is over or kill is closed to end well: a shell in front of a server
// dies at once, and its server still finishes what it is doing. Then SIGKILL.
func (c *child) end(grace time.Duration, kill <-chan struct{}) string {
	select {
	case <-c.dead: // by itself: what it leaves behind has nobody to wait for
	default:
		_ = syscall.Kill(-c.pid, syscall.SIGTERM) // it may be gone by now, which is as well
		c.wait(grace, kill)
	}
	_ = syscall.Kill(-c.pid, syscall.SIGKILL)
	<-c.dead
	// SIGKILL works at once but for processes in the kernel's hands, for which nobody can do more.
	c.wait(5*time.Second, nil)
	if !c.reaped {
		c.exit = c.cmd.Wait()
	}
	return c.ended()
}

// wait returns when the group is gone, at latest after limit or when kill is closed.
func (c *child) wait(limit time.Duration, kill <-chan struct{}) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c.dead:
	case <-timer.C:
		return
	case <-kill:
		return
	}
	for groupAlive(c.pid) {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-timer.C:
			return
		case <-kill:
			return
		}
	}
}

// ended says how the leader ended.
func (c *child) ended() string {
	after := round(time.Since(c.began))
	var exit *exec.ExitError
	switch {
	case c.exit == nil || errors.Is(c.exit, exec.ErrWaitDelay):
		return "exited with status 0 after " + after
	case errors.As(c.exit, &exit) && exit.Exited():
		return fmt.Sprintf("exited with status %d after %s", exit.ExitCode(), after)
	default:
		return fmt.Sprintf("ended after %s: %v", after, c.exit)
	}
}

// diagnose says what a failed probe of a starting server means.
func (c *child) diagnose(err error) string {
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err.Error()
	}
	if now := time.Now(); now.Sub(c.looked) > time.Second/4 { // it costs a walk through /proc
		c.looked, c.elsewhere = now, listening(c.pid)
	}
	if len(c.elsewhere) == 0 || slices.Contains(c.elsewhere, c.port) {
		return fmt.Sprintf("it did not listen on 127.0.0.1:%d (PORT and {port}); is it listening elsewhere?", c.port)
	}
	return fmt.Sprintf("it did not listen on 127.0.0.1:%d (PORT and {port}) but on port %d: "+
		"pass {port} in the command, or have it read PORT", c.port, c.elsewhere[0])
}

// freePort returns a port that nobody listened on a moment ago. Should somebody take it before the
// server does, the server fails and is started again with another.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
