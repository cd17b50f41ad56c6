package local

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

const (
	drainLimit  = 30 * time.Second // for requests to servers that are about to stop
	listenAgain = time.Second      // between two tries of a port that was taken
	storeAgain  = time.Second      // between two tries to store what the disk did not take

	windowLength = 5 * time.Second // in which a client fails or not, before a rollout
)

// A unit runs one endpoint: it makes a router and slots of model servers equal to the stored
// document, whenever the document or a server changes.
type unit struct {
	d        *daemon
	id       string
	busy     chan struct{} // holds one: create, update and delete exclude each other
	woken    chan struct{}
	done     chan struct{} // closed by close
	changed  signal        // of document or servers, after the router knows
	retiring sync.WaitGroup
	finished atomic.Bool // as the document says

	mu       sync.Mutex // of all below
	router   front
	unheard  error    // why there is no router
	counter  *counter // of the router
	slots    map[slotKey]*slot
	trial    map[slotKey]bool // slots that an update is trying
	replicas int              // that an update is trying, or 0
	folders  map[string]bool  // of servers that run, or end
	unsaved  *unsavedEnd      // of the rollout, that is not stored yet
	sign     sign             // of a runner
	signed   bool             // a document was looked at for a sign
	timer    *time.Timer      // wakes for an abandoned rollout
	retry    *time.Timer      // wakes for a port that was taken, and a disk that was full
	keeping  *time.Timer      // wakes for the end of a previous revision
}

func newUnit(d *daemon, id string) *unit {
	u := &unit{d: d, id: id, busy: make(chan struct{}, 1), woken: make(chan struct{}, 1), done: make(chan struct{}),
		slots: map[slotKey]*slot{}, trial: map[slotKey]bool{}, folders: map[string]bool{}}
	go u.run()
	return u
}

// run carries out changes that nobody waits for, and feeds the rollout what only the engine sees.
func (u *unit) run() {
	windows := time.NewTicker(windowLength)
	defer windows.Stop()
	var cells lookout
	for {
		select {
		case <-u.done:
			return
		case now := <-windows.C:
			u.rest(now)
			continue
		case now := <-cells.c:
			u.look(now)
			continue
		case <-u.woken:
		}
		u.reconcile()
		u.act()
		cells.set(u)
	}
}

// rest ends a window of clients while nobody counts.
func (u *unit) rest(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.router != nil {
		u.counter.rest(now)
	}
}

// wake makes run look again; safe to call from anywhere.
func (u *unit) wake() {
	select {
	case u.woken <- struct{}{}:
	default:
	}
}

// saved is called after each write of the document: it returns when the router knows.
func (u *unit) saved() {
	u.reconcile()
	u.wake()
}

func (u *unit) folder() string { return u.d.dir.serversOf(u.id) }

// ended removes the logs of model servers that ended long ago, when some more have ended.
func (u *unit) ended(s *slot) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.folders, s.folder)
	prune(u.folder(), u.folders)
}

func (u *unit) log() *slog.Logger { return u.d.log.With("endpoint", u.id) }

// reconcile makes the world equal to the document.
func (u *unit) reconcile() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed() {
		return
	}
	doc, secrets, err := u.d.load(u.id)
	if err != nil {
		u.log().Error("cannot read the endpoint", "error", err)
		return
	}
	if doc == nil { // deleted; close follows
		return
	}
	u.listen(doc)
	stable := u.slot(doc, doc.Stable, secrets)
	var candidate *slot
	if doc.inRollout() {
		candidate = u.slot(doc, *doc.Candidate, secrets)
	}
	var kept *slot
	if doc.Previous != nil {
		kept = u.slot(doc, doc.Previous.deployed, secrets)
	}
	u.route(doc, stable, candidate)
	for key, s := range u.slots {
		if s != stable && s != candidate && s != kept && !u.trial[key] {
			delete(u.slots, key)
			u.retire(s)
		}
	}
	u.changed.fire()
	u.d.changed.fire()
}

func (u *unit) closed() bool {
	select {
	case <-u.done:
		return true
	default:
		return false
	}
}

// listen opens the endpoint's port. A port that was taken while the engine was away is tried
// again until it is free: users have its address.
func (u *unit) listen(doc *document) {
	if u.router != nil {
		return
	}
	failpoint.Hit("port")
	defer failpoint.Hit("port.open")
	r, err := u.d.outside.listen(doc.addr(), prometheus.Labels{"cluster": doc.Spec.Cluster, "endpoint": doc.Spec.Name})
	if err != nil {
		if u.unheard == nil {
			u.log().Error("cannot open the endpoint's address", "error", err)
		}
		u.unheard = err
		u.retry = wakeIn(u, u.retry, listenAgain)
		return
	}
	u.router, u.unheard, u.counter = r, nil, newCounter(r)
	if err := u.d.metrics.Register(r); err != nil {
		u.log().Error("cannot show the endpoint's metrics", "error", err)
	}
}

// wakeIn moves a timer that wakes the unit, made if it is nil.
func wakeIn(u *unit, t *time.Timer, d time.Duration) *time.Timer {
	if t == nil {
		return time.AfterFunc(d, u.wake)
	}
	t.Reset(d)
	return t
}

// slot returns the running slot of a revision, started if it is not there.
func (u *unit) slot(doc *document, r deployed, secrets map[string]string) *slot {
	key := keyOf(r, doc.Spec.Env.Values, secrets)
	s, ok := u.slots[key]
	if !ok {
		s = u.startSlot(key, doc, r, doc.Spec.Env.Values, secrets)
		u.slots[key] = s
	}
	s.scale(u, max(doc.Spec.Replicas, u.replicas))
	return s
}

// route gives the router its table. A candidate without a ready server gets no request: its
// weight comes back with it.
func (u *unit) route(doc *document, stable, candidate *slot) {
	if u.router == nil {
		return
	}
	t := router.Table{
		Stable:       router.Arm{Revision: stable.key.revision, Addrs: stable.state().Addrs},
		StickyHeader: doc.Spec.Routing.StickyHeader,
		StickyCookie: doc.Spec.Routing.StickyCookie,
		Salt:         u.id,
		Timeout:      doc.Spec.Routing.Timeout,
	}
	if candidate != nil {
		t.Candidate = router.Arm{Revision: candidate.key.revision, Addrs: candidate.state().Addrs}
		if len(t.Candidate.Addrs) > 0 && u.pending(doc) == nil {
			t.Weight = doc.Record.Weight
		}
	}
	failpoint.Hit("route")
	u.counter.turn(t, placeOf(doc), time.Now())
	failpoint.Hit("routed")
}

// release returns when a replica that is to go has no request any more.
func (u *unit) release(addr string) {
	u.reconcile() // the table names it no more
	u.idle([]string{addr})
}

// retire stops a slot that the table does not name any more, after its requests.
func (u *unit) retire(s *slot) {
	u.retiring.Go(func() {
		u.idle(s.state().Addrs)
		s.stop()
		u.ended(s)
		u.d.collect()
	})
}

// idle waits for the requests to addrs to end, or for the unit to close.
func (u *unit) idle(addrs []string) {
	u.mu.Lock()
	r := u.router
	u.mu.Unlock()
	if r == nil || len(addrs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	go func() {
		select {
		case <-u.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := r.Idle(ctx, addrs); err != nil {
		u.log().Warn("requests were cut off: they took too long", "limit", drainLimit, "addresses", addrs)
	}
}

// begin takes the unit for one create, update or delete.
func (u *unit) begin(ctx context.Context) error {
	select {
	case u.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("endpoint %s: another change is being made to it: %w", u.id, ctx.Err())
	}
}

func (u *unit) end() { <-u.busy }

// await returns when ok says so, or with its error, or ctx's. ok is called with u.mu held, after
// each change.
func (u *unit) await(ctx context.Context, ok func(*document) (bool, error)) error {
	for {
		next := u.changed.next()
		doc, _, err := u.d.load(u.id)
		if err != nil {
			return err
		}
		if doc == nil {
			return notFound(u.id)
		}
		u.mu.Lock()
		done, err := ok(doc)
		u.mu.Unlock()
		if done || err != nil {
			return err
		}
		select {
		case <-next:
		case <-u.d.stopping:
			return errStopping
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// status is the endpoint as it is now.
func (u *unit) status(doc *document) endpoint.Status {
	st := doc.status()
	u.mu.Lock()
	defer u.mu.Unlock()
	addrs, problem := u.stable(doc)
	st.Ready, st.Problem = len(addrs) > 0 && u.router != nil, problem
	if unsaved := u.problem(doc); unsaved != "" {
		st.Problem = unsaved
	}
	if u.unheard != nil {
		st.Problem = u.unheard.Error()
	}
	return st
}

// stable returns the addresses of the stable revision's servers, and what is wrong with them.
func (u *unit) stable(doc *document) ([]string, string) {
	s := u.runs(doc.Stable.Revision.Digest)
	if s == nil {
		return nil, "the model server is not running"
	}
	st := s.state()
	if len(st.Addrs) == 0 && st.Problem == "" {
		st.Problem = "the model server is starting"
	}
	return st.Addrs, st.Problem
}

// close ends the unit: requests first, bounded by ctx, then all model servers.
func (u *unit) close(ctx context.Context) {
	u.mu.Lock()
	if u.closed() {
		u.mu.Unlock()
		return
	}
	close(u.done)
	r, slots := u.router, u.slots
	u.slots = map[slotKey]*slot{}
	for _, t := range []*time.Timer{u.timer, u.retry, u.keeping} {
		if t != nil {
			t.Stop()
		}
	}
	u.mu.Unlock()
	if r != nil {
		if err := r.Close(ctx); err != nil {
			u.log().Warn("requests were cut off by the end of the endpoint", "error", err)
		}
		u.d.metrics.Unregister(r)
	}
	for _, s := range slots {
		u.retiring.Go(s.stop)
	}
	u.retiring.Wait()
	u.changed.fire()
}
