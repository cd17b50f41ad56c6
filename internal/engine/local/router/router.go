// Package router splits an endpoint's requests between two arms by weight, and counts the answers.
//
// A Router is the address that users have. It stands on net/http's ReverseProxy; its own part
// is the transport below it (forward.go): which arm, which replica of it, what to do when that
// one does not take the request, and what to count when the answer ends.
package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// An Arm is a revision and the model servers that answer for it.
type Arm struct {
	Revision string   // its digest
	Addrs    []string // "127.0.0.1:PORT" of the replicas that are ready
}

// A Table says who gets what.
type Table struct {
	Stable    Arm
	Candidate Arm // zero: none
	Weight    int // the candidate's percent

	StickyHeader, StickyCookie string        // at most one
	Salt                       string        // of the sticky hash: the endpoint's id
	Timeout                    time.Duration // for an answer to begin; 0 is for ever
}

// A Router is one endpoint's address.
type Router struct {
	addr   string
	server *http.Server
	ended  chan struct{}      // closed when the server has stopped
	drop   context.CancelFunc // ends every request

	table   atomic.Pointer[table]
	origin  *http.Transport
	metrics *metrics

	clients   *gate.Tracker
	misrouted atomic.Uint64
	strays    atomic.Uint64

	mu       sync.Mutex
	replicas map[string]*replica // by address
	emptied  chan struct{}       // closed and replaced when a replica became idle
	waiting  atomic.Int32        // callers of Idle: nobody closes emptied without one
}

// Listen opens addr ("127.0.0.1:PORT", 0 for any) and answers 503 until Set is called.
func Listen(addr string, labels prometheus.Labels) (*Router, error) {
	return Places(nil).Listen(addr, labels)
}

// Listen opens an address whose connections share these places with others'; nil is as many as come.
func (p Places) Listen(addr string, labels prometheus.Labels) (*Router, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		_, port, _ := net.SplitHostPort(addr)
		return nil, fmt.Errorf("listen on %s: another program uses port %s, which belongs to the endpoint; "+
			"find it with `lsof -nP -iTCP:%s -sTCP:LISTEN`, stop it, and try again: %w", addr, port, port, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	r := &Router{
		addr:     listener.Addr().String(),
		ended:    make(chan struct{}),
		origin:   newOrigin(),
		metrics:  newMetrics(labels),
		clients:  gate.NewTracker(),
		replicas: map[string]*replica{},
		emptied:  make(chan struct{}),
	}
	r.table.Store(&table{stable: &arm{}})
	base, drop := context.WithCancel(context.Background())
	r.drop = drop
	r.server = &http.Server{
		Handler: fullDuplex(&httputil.ReverseProxy{
			Rewrite:      rewrite,
			Transport:    forwarder{r},
			BufferPool:   buffers{},
			ErrorHandler: answerError,
			ErrorLog:     slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug), // counted, so not worth more
		}),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	go func() {
		defer close(r.ended)
		if err := r.server.Serve(p.listen(listener)); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("the endpoint's address stopped listening", "addr", r.addr, "error", err)
		}
	}()
	return r, nil
}

// Addr is the address that it listens on.
func (r *Router) Addr() string { return r.addr }

// Set replaces the table for the requests that begin from now on.
func (r *Router) Set(t Table) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.compile(t)
	r.table.Store(now)
	r.forget(now)
	r.metrics.prune(t.Stable.Revision, t.Candidate.Revision)
}

// Totals returns what a revision answered since the router began. Answers are counted when
// they end; slow are good ones that began late, and those that did not begin in time. The table's revisions
// are remembered, and the last few before them.
func (r *Router) Totals(revision string) gate.Arm { return r.metrics.totals(revision) }

// Clients is told of every answer while clients stay with an arm.
func (r *Router) Clients() *gate.Tracker { return r.clients }

// Misrouted returns how many requests of clients with a key were answered by another arm than their key and the
// weight in force say, since the router began.
func (r *Router) Misrouted() uint64 { return r.misrouted.Load() }

// Strays returns how many answers came after the revisions or the weight had changed that split their requests. They say
// nothing of how the present weight splits.
func (r *Router) Strays() uint64 { return r.strays.Load() }

// Close stops listening, waits for requests in flight until ctx ends, then drops them.
func (r *Router) Close(ctx context.Context) error {
	err := r.server.Shutdown(ctx)
	if err == nil {
		err = r.Idle(ctx, r.addrs()) // Shutdown does not wait for upgraded connections
	}
	r.drop()
	if err != nil {
		err = errors.Join(fmt.Errorf("close %s: requests in flight were dropped: %w", r.addr, err), r.server.Close())
	}
	<-r.ended
	r.origin.CloseIdleConnections()
	return err
}

// Describe and Collect make a Router a prometheus.Collector.
func (r *Router) Describe(ch chan<- *prometheus.Desc) { r.metrics.describe(ch) }

// Collect sends the counters.
func (r *Router) Collect(ch chan<- prometheus.Metric) { r.metrics.collect(ch, r.table.Load()) }
