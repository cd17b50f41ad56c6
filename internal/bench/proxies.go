package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
)

// proxyWord makes this program a proxy: bench proxy KIND TARGET. Each is a process of its own, as nginx is: they share
// neither a scheduler nor a heap with those who load them.
const proxyWord = "proxy"

// A proxy is a child process in front of a model server.
type proxy struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

func startProxy(kind, target string) (*proxy, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &proxy{cmd: exec.Command(self, proxyWord, kind, target)}
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the %s proxy: %w", kind, err), p.close())
	}
	p.addr = strings.TrimSpace(line)
	return p, nil
}

// close ends the process by ending its input.
func (p *proxy) close() error { return errors.Join(p.stdin.Close(), p.cmd.Wait()) }

// serveProxy is one until its input ends.
func serveProxy(kind, target string) error {
	switch kind {
	case "model":
		s := httptest.NewServer(http.HandlerFunc(answer))
		fmt.Println(s.Listener.Addr())
	case "bare":
		to := &url.URL{Scheme: "http", Host: target}
		s := httptest.NewServer(&httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to); r.SetXForwarded() },
			Transport: &http.Transport{MaxIdleConnsPerHost: 256},
		})
		fmt.Println(s.Listener.Addr())
	case "router":
		r, err := router.Listen("127.0.0.1:0", prometheus.Labels{"cluster": "bench", "endpoint": "bench"})
		if err != nil {
			return err
		}
		r.Set(router.Table{
			Stable:    router.Arm{Revision: "sha256:a", Addrs: []string{target}},
			Candidate: router.Arm{Revision: "sha256:b", Addrs: []string{target}},
			Weight:    25,
			Timeout:   time.Minute,
		})
		fmt.Println(r.Addr())
		defer func() { _ = r.Close(context.Background()) }() // nobody asks any more
	default:
		return fmt.Errorf("proxy %q: want model, bare or router", kind)
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// answer is a model server that costs next to nothing.
func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"model_name":"bench","outputs":[{"name":"y","shape":[1],"datatype":"INT64","data":[1]}]}`)
}
