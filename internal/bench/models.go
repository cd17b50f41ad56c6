package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// A thousand model servers weigh next to nothing: each asks this process to answer at its port, and becomes a
// sleep. The engine starts, asks and watches them as it does any others.

// modelServer is the name under which this program is one: bench-model SOCKET PORT MODEL.
const modelServer = "bench-model"

// serveModel asks who listens at the socket to answer at the port for the model, and then only lives.
func serveModel(socket, port, model string) error {
	conn, err := net.Dial("unix", socket) //nolint:gosec // the command line is this program's own
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(conn, port, filepath.Base(model)); err != nil {
		return err
	}
	said, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if said != "ok\n" {
		return fmt.Errorf("port %s: %s", port, strings.TrimSpace(said))
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		return err
	}
	return syscall.Exec(sleep, []string{"sleep", "86400"}, nil)
}

// models answer for model servers.
type models struct {
	socket  string
	handler func(model string) http.Handler

	mu  sync.Mutex
	all []net.Listener
}

func serveModels(dir string, handler func(model string) http.Handler) (*models, error) {
	m := &models{socket: filepath.Join(dir, "models.sock"), handler: handler}
	l, err := net.Listen("unix", m.socket)
	if err != nil {
		return nil, err
	}
	m.all = []net.Listener{l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go m.take(conn)
		}
	}()
	return m, nil
}

// take opens the port that a model server names.
func (m *models) take(conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	port, model, _ := strings.Cut(strings.TrimSpace(line), " ")
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		_, _ = fmt.Fprintln(conn, err) // it fails, and the engine says so
		return
	}
	m.mu.Lock()
	m.all = append(m.all, l)
	m.mu.Unlock()
	go http.Serve(l, m.handler(model)) //nolint:errcheck,gosec // until close
	_, _ = fmt.Fprintln(conn, "ok")
}

// close stops answering at the ports opened so far.
func (m *models) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.all {
		_ = l.Close() // it was only listened to
	}
	m.all = nil
}

// command is a file that runs a model server.
func (m *models) command(dir string) error {
	text := fmt.Sprintf("#!/bin/sh\nexec %s %s \"$PORT\" \"$MODEL_PATH\"\n", modelServer, m.socket)
	return os.WriteFile(filepath.Join(dir, "serve"), []byte(text), 0o700) //nolint:gosec // it is a program
}
