package router

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// newOrigin makes the connections to model servers.
func newOrigin() *http.Transport {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &http.Transport{
		DialContext:         dialer.DialContext,
		MaxIdleConnsPerHost: 1024,
		// Shorter than model servers keep an idle connection (gunicorn 2 s, node and uvicorn
		// 5 s): a request that meets its end would fail, and be counted as the model's failure.
		IdleConnTimeout:    time.Second,
		DisableCompression: true, // else Accept-Encoding would not be the client's
	}
}

// fullDuplex lets a model server answer while it still reads: net/http would throw away the
// unread beginning of the body when the answer begins, and the model server would miss it.
//
// The rest of a body that nobody read is read here: net/http would read it after the handler,
// which in full duplex it cannot without cutting the connection (it panics).
func fullDuplex(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.ContentLength == 0 {
			next.ServeHTTP(w, req)
			return
		}
		body := req.Body                                 // ReverseProxy puts another in its place
		http.NewResponseController(w).EnableFullDuplex() //nolint:errcheck // HTTP/1 and 2 have it
		next.ServeHTTP(w, req)
		_, _ = io.CopyN(io.Discard, body, restRead)
	})
}

// restRead bounds what is read of a body for the sake of its connection, as net/http does.
const restRead = 256 << 10

// rewrite leaves the request as it is, but for X-Forwarded-*. ReverseProxy would drop query
// parameters that it cannot read; they are the model server's to judge.
func rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	p.SetXForwarded()
}

// A forwarder is the ReverseProxy's transport.
type forwarder struct{ *Router }

// RoundTrip sends a request to a replica of the arm that it falls to, and returns the
// answer's beginning. What goes on is counted when the answer's body is closed.
func (f forwarder) RoundTrip(req *http.Request) (*http.Response, error) {
	x := begin(f.Router, req)
	res, err := x.send()
	if err != nil {
		return nil, x.failed(err)
	}
	return x.answered(res)
}

// send tries replicas until one takes the request. As long as none does, nothing was sent, and
// the next may have it: first those of the same arm, then, so that a dead candidate costs no
// user an answer, the stable ones.
func (x *exchange) send() (*http.Response, error) {
	var tried []*replica
	var refused error
	for {
		a, p := x.claim(tried)
		if p == nil && a.candidate {
			x.fallBack()
			continue
		}
		if p == nil {
			return nil, unreachable(refused)
		}
		x.address(p)
		res, err := x.router.origin.RoundTrip(x.out)
		if err == nil || !x.unsent(err) {
			return res, err
		}
		x.release()
		tried, refused = append(tried, p), err
	}
}

// claim chooses arm and replica by the table in force, and holds the replica. The replica is
// nil where the arm has none that was not tried.
func (x *exchange) claim(tried []*replica) (*arm, *replica) {
	for {
		t := x.router.table.Load()
		a := t.stable
		if !x.fellBack {
			a = t.choose(x.caller)
			x.table, x.arm, x.counts = t, a, a.counts
		}
		p := a.pick(tried)
		if p == nil {
			return a, nil
		}
		if x.router.enter(t, p) {
			x.replica = p
			return a, p
		}
	}
}

// unsent reports whether err means that nobody saw the request.
func (x *exchange) unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && x.out.Context().Err() == nil && (x.body == nil || !x.body.read.Load())
}

// address sends the request to p. The URL is another each time: the last belongs to whom it
// was given to.
func (x *exchange) address(p *replica) {
	target := *x.req.URL
	target.Scheme, target.Host = "http", p.addr
	x.out.URL = &target
}

// buffers are shared by all routers: ReverseProxy would make 32 KiB an answer.
type buffers struct{}

const bufferSize = 32 << 10

var bufferPool = sync.Pool{New: func() any { return new([bufferSize]byte) }}

func (buffers) Get() []byte  { return bufferPool.Get().(*[bufferSize]byte)[:] }
func (buffers) Put(b []byte) { bufferPool.Put((*[bufferSize]byte)(b)) }
