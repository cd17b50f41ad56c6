package router

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// An exchange is one request and its answer.
type exchange struct {
	router *Router
	req    *http.Request // as ReverseProxy made it; its context ends when the client leaves
	out    *http.Request // as it goes out; its context ends too when the answer does not begin in time
	cancel context.CancelCauseFunc
	began  time.Time

	body    *upload // nil: none
	limit   time.Duration
	clock   *time.Timer // runs for limit; nil: the answer may begin at any time
	settled atomic.Bool // whether the answer begins in time is known

	caller   caller
	begun    time.Duration // until the answer began
	table    *table        // that arm was chosen by
	arm      *arm          // that the answer is charged to
	counts   *counts       // of its revision; nil once the answer was counted
	replica  *replica      // that is held; nil: none
	fellBack bool          // the candidate could not be reached
}

// begin starts the clock.
func begin(r *Router, req *http.Request) *exchange {
	ctx, cancel := context.WithCancelCause(req.Context())
	x := &exchange{router: r, req: req, out: req.WithContext(ctx), cancel: cancel, began: time.Now()}
	t := r.table.Load()
	x.limit, x.caller = t.timeout, t.caller(req)
	if x.limit > 0 {
		x.clock = time.AfterFunc(x.limit, x.expire)
	}
	if req.Body != nil {
		x.body = &upload{Reader: req.Body, clock: x.clock, limit: x.limit}
		x.out.Body = x.body
	}
	return x
}

func (x *exchange) expire() {
	if x.settled.CompareAndSwap(false, true) {
		x.cancel(errImpatient)
	}
}

// settle stops the clock, and reports whether it is in time.
func (x *exchange) settle() bool {
	if x.clock != nil {
		x.clock.Stop()
	}
	return x.settled.CompareAndSwap(false, true)
}

// answered makes the answer count itself when it ends.
func (x *exchange) answered(res *http.Response) (*http.Response, error) {
	upgrade, switched := res.Body.(io.ReadWriteCloser)
	switched = switched && res.StatusCode == http.StatusSwitchingProtocols
	var err error
	switch {
	case !x.settle():
		err = errImpatient
	case switched && !agreed(x.req.Header, res.Header):
		err = errUpgrade
	}
	if err != nil {
		res.Body.Close()
		return nil, x.failed(err)
	}
	x.begun = time.Since(x.began)
	if x.body != nil {
		x.begun -= time.Duration(x.body.waited.Load())
	}
	if switched {
		x.count(good) // what follows is a conversation, not an answer
		res.Body = &upgraded{ReadWriteCloser: upgrade, x: x}
		return res, nil
	}
	a := &answer{ReadCloser: res.Body, x: x}
	if res.StatusCode >= 500 {
		a.outcome = bad
	}
	res.Body = a
	return res, nil
}

// agreed reports whether the protocol that a model server switches to is the one that was
// asked for. ReverseProxy checks too, but forgets to close the connection then.
func agreed(asked, answered http.Header) bool {
	connection := strings.ToLower(strings.Join(answered["Connection"], ","))
	return strings.Contains(connection, "upgrade") && strings.EqualFold(asked.Get("Upgrade"), answered.Get("Upgrade"))
}

// fallBack gives the request to the stable arm. The candidate is charged for it, and the
// stable revision not credited, so that one request is one answer.
func (x *exchange) fallBack() {
	x.count(bad)
	x.fellBack = true
}

// count counts the answer, once.
func (x *exchange) count(o outcome) {
	if x.counts == nil {
		return
	}
	now := x.router.table.Load()
	x.counts.answered(o, x.begun, time.Since(x.began))
	if now.split != x.table.split {
		x.router.strays.Add(1)
	}
	if x.table.sticky() {
		x.tell(now, o)
	}
	x.counts = nil
}

// tell tells of the client's answer whoever counts clients. A revision that is in the table no more has no side.
//
// A good answer to a request that was split by another weight is left out: it would make its client look as if this
// weight had split it. Bad ones are told, however late: they may be the only sign of a revision that hangs.
func (x *exchange) tell(now *table, o outcome) {
	if x.table.wrong(x.caller, x.arm) {
		x.router.misrouted.Add(1)
	}
	side := gate.Stable
	switch x.counts {
	case now.stable.counts:
	case now.candidate.counter():
		side = gate.Candidate
	default:
		return
	}
	switch {
	case o == good && now.split != x.table.split:
		return
	case !x.caller.known:
		x.router.clients.Anonymous(side, o != good)
		return
	}
	x.router.clients.Answered(x.caller.hash, side, o != good)
	switch o {
	case good:
		x.router.clients.Timed(x.caller.hash, side, passed(x.begun))
	case late:
		x.router.clients.Timed(x.caller.hash, side, gate.Edges)
	case bad:
	}
}

// release lets go of the replica.
func (x *exchange) release() {
	if x.replica != nil {
		x.router.leave(x.replica)
		x.replica = nil
	}
}

// end is the last of an exchange.
func (x *exchange) end() {
	x.release()
	x.cancel(nil)
}

// An upload is a request's body on its way to a model server. The clock stands while the
// client is being waited for: a slow client is not a slow model.
type upload struct {
	io.Reader
	clock  *time.Timer
	limit  time.Duration
	waited atomic.Int64 // nanoseconds for the client
	read   atomic.Bool  // something may have been read
	broken atomic.Bool  // the client did not send all of it
}

func (u *upload) Read(p []byte) (int, error) {
	u.read.Store(true)
	if u.clock != nil {
		u.clock.Stop()
		defer u.clock.Reset(u.limit)
	}
	began := time.Now()
	n, err := u.Reader.Read(p)
	u.waited.Add(int64(time.Since(began)))
	if err != nil && err != io.EOF {
		u.broken.Store(true)
	}
	return n, err
}

// Close does nothing: the transport closes what it could not send, and the next replica may
// still take it. ReverseProxy closes the client's side.
func (u *upload) Close() error { return nil }

// An answer counts itself at its end.
type answer struct {
	io.ReadCloser
	x       *exchange
	outcome outcome // by its status
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	switch {
	case err == io.EOF, err != nil && a.x.req.Context().Err() != nil:
		a.x.count(a.outcome)
	case err != nil:
		a.x.count(bad)
	}
	return n, err
}

// Close before the end means that the client left: that is nobody's fault.
func (a *answer) Close() error {
	err := a.ReadCloser.Close()
	a.x.count(a.outcome)
	a.x.end()
	return err
}

// An upgraded connection holds its replica until it closes.
type upgraded struct {
	io.ReadWriteCloser
	x      *exchange
	closed atomic.Bool
}

func (u *upgraded) Close() error {
	err := u.ReadWriteCloser.Close()
	if u.closed.CompareAndSwap(false, true) {
		u.x.end()
	}
	return err
}

// CloseWrite passes the end of one direction on.
func (u *upgraded) CloseWrite() error {
	if half, ok := u.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return http.ErrNotSupported
}
