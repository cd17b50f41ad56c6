package router

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// The two benchmarks stand side by side: the router, and a ReverseProxy with the same tuned
// transport that does nothing else. The router should not be slower.

func BenchmarkRouter(b *testing.B) {
	r := open(b, Table{
		Stable:    stable(predicts(b)),
		Candidate: candidate(predicts(b)),
		Weight:    10,
		Timeout:   1e10,
	})
	benchmark(b, r.Addr())
}

func BenchmarkBareReverseProxy(b *testing.B) {
	target := &url.URL{Scheme: "http", Host: predicts(b)}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target); p.SetXForwarded() }, Transport: newOrigin()}
	s := httptest.NewServer(proxy)
	b.Cleanup(s.Close)
	benchmark(b, s.Listener.Addr().String())
}

// predicts is a model server that is quick: what is measured is the way to it.
func predicts(b *testing.B) string {
	slog.SetLogLoggerLevel(slog.LevelError)
	answer := []byte(`{"model_name":"penguins","outputs":[{"name":"species","datatype":"BYTES","shape":[1],"data":["Gentoo"]}]}`)
	return serve(b, func(w http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer)
	})
}

func benchmark(b *testing.B, addr string) {
	for _, conns := range []int{1, 16, 64} {
		b.Run(strconv.Itoa(conns)+"-connections", func(b *testing.B) {
			b.ReportAllocs()
			var left atomic.Int64
			left.Store(int64(b.N))
			var clients sync.WaitGroup
			for range conns {
				clients.Go(func() { client(b, addr, &left) })
			}
			clients.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// client sends the same bytes again and again over one connection, as cheaply as it can.
func client(b *testing.B, addr string, left *atomic.Int64) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	row := `{"inputs":[{"name":"row","datatype":"FP64","shape":[1,4],"data":[47.5,15.0,218,4950]}]}`
	request := []byte("POST /v2/models/penguins/infer HTTP/1.1\r\nHost: penguins\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(row)) + "\r\n\r\n" + row)
	in := bufio.NewReader(conn)
	for left.Add(-1) >= 0 {
		if _, err := conn.Write(request); err != nil {
			b.Error(err)
			return
		}
		if err := discardAnswer(in); err != nil {
			b.Error(err)
			return
		}
	}
}

func discardAnswer(in *bufio.Reader) error {
	length := 0
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
		if line == "\r\n" {
			break
		}
		if strings.HasPrefix(line, "HTTP/1.1 ") && !strings.HasPrefix(line, "HTTP/1.1 200") {
			return errors.New(line)
		}
	}
	_, err := in.Discard(length)
	return err
}
