package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// An nginx is one that passes requests on to a model server, and does nothing else.
type nginx struct {
	addr string
	cmd  *exec.Cmd
	dir  string
}

// startNginx returns nil where nginx is not installed.
func startNginx(ctx context.Context, target string) (*nginx, error) {
	program, err := exec.LookPath("nginx")
	if errors.Is(err, exec.ErrNotFound) {
		fmt.Println("routing: nginx is not installed; with it on the PATH the router is measured beside it, too")
		return nil, nil //nolint:nilnil // there is nothing wrong with that
	}
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tidegate-bench-nginx")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	n := &nginx{addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dir: dir}
	config := filepath.Join(dir, "nginx.conf")
	err = os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, n.addr, target), 0o600)
	if err == nil {
		n.cmd = exec.CommandContext(ctx, program, "-p", dir, "-c", config, "-e", filepath.Join(dir, "error.log"))
		err = n.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	for began := time.Now(); ; {
		conn, err := net.Dial("tcp", n.addr)
		if err == nil {
			return n, conn.Close()
		}
		if time.Since(began) > 10*time.Second {
			said, _ := os.ReadFile(filepath.Join(dir, "error.log")) // if it wrote any
			return nil, errors.Join(fmt.Errorf("start nginx: %w\n%s", err, said), n.close())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (n *nginx) close() error {
	if n == nil {
		return nil
	}
	err := n.cmd.Process.Signal(syscall.SIGTERM)
	_ = n.cmd.Wait() // how it ended is of no interest
	return errors.Join(err, os.RemoveAll(n.dir))
}

// freePort returns a port that nobody listened on a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }() // it was only asked for its number
	return l.Addr().(*net.TCPAddr).Port, nil
}

// nginxConfig keeps connections on both sides, as the router does.
const nginxConfig = `daemon off;
pid %[1]s/nginx.pid;
worker_processes auto;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  keepalive_requests 1000000000;
  upstream model {
    server %[3]s;
    keepalive 256;
    keepalive_requests 1000000000;
  }
  server {
    listen %[2]s;
    location / {
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`
