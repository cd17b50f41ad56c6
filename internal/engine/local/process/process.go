// Package process runs model servers: a Group is the replicas of one revision.
//
// Each replica is a process group of its own. A replica that dies is started again, after a pause
// that doubles from 100 ms to 30 s and is forgotten after a minute of health. A replica that is
// ready is asked again every 2 s; three failures in a row, of 2 s each at most, count as hung.
// Processes that leave their process group (setsid) are out of a group's reach.
package process

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Config says what every replica of a group runs.
type Config struct {
	Name     string   // the endpoint's
	Revision string   // digest
	Dir      string   // working folder
	Command  []string // {port}, {model} and {name} are replaced
	Model    string   // path of the captured model
	Env      []string // "NAME=value": what was declared; PATH, HOME, LANG, PORT, ... are added
	Secrets  []string // values in Env that must not show in a Problem

	Protocol     string // "v2" or "http"
	ReadyPath    string // for "http"
	StartTimeout time.Duration
	State        string // folder for logs and pid files, the group's own
}

// A Group is replicas under supervision.
type Group struct {
	config Config
	pace   pace
	dirty  chan struct{} // holds a token while changed is to be called
	over   chan struct{} // closed when Stop begins
	kill   chan struct{} // closed when Stop's grace has passed
	all    sync.WaitGroup
	late   *time.Timer // fires when StartTimeout is over

	mu        sync.Mutex
	stopped   bool
	replicas  []*replica // without those that go
	slots     map[int]bool
	restarts  int
	everReady bool
	failed    bool
	hindered  bool // the latest start failed for want of something of the machine's
}

// A pace is how long things take. Tests have less patience.
type pace struct {
	probeFirst, probeLast time.Duration // between two probes of a replica that starts
	live, liveTimeout     time.Duration // between two probes of one that is ready, and for each
	pauseFirst, pauseLast time.Duration // between death and restart
	healthy               time.Duration // after which the pause begins anew
	grace                 time.Duration // for a replica that is scaled away, to end well
	hungGrace             time.Duration // for one that is hung or late
}

var defaultPace = pace{
	probeFirst: 50 * time.Millisecond, probeLast: 250 * time.Millisecond,
	live: 2 * time.Second, liveTimeout: 2 * time.Second,
	pauseFirst: 100 * time.Millisecond, pauseLast: 30 * time.Second,
	healthy: time.Minute, grace: 10 * time.Second, hungGrace: 2 * time.Second,
}

// A State is a group as it is now.
type State struct {
	Addrs    []string // of the replicas that are ready
	Restarts int      // since the group began; it only grows
	// Problem says why it is not serving as it should, with the tail of the log; "" if all is well.
	Problem string
	// Failed is true when a start failed for good: the command is missing, or no replica was
	// ready within StartTimeout, or they died three times in a row before they were ready.
	// It goes on trying all the same, and is not Failed once a replica is ready, nor ever after.
	Failed bool
	// Hindered is true where what Failed is about was the machine and not the command: no descriptor,
	// no space, no permission for the engine's own files.
	Hindered bool
}

// Start begins to run replicas and returns at once; changed is called, never concurrently,
// after each change of State. Changes close together may share a call.
func Start(c Config, replicas int, changed func()) *Group {
	return start(c, replicas, changed, defaultPace)
}

func start(c Config, replicas int, changed func(), p pace) *Group {
	g := &Group{
		config: c, pace: p, slots: map[int]bool{},
		dirty: make(chan struct{}, 1), over: make(chan struct{}), kill: make(chan struct{}),
	}
	go g.notify(changed)
	g.late = time.AfterFunc(c.StartTimeout, g.giveUp)
	g.Scale(replicas, nil)
	return g
}

// notify calls changed apart from everything else, so that a slow one delays nobody.
func (g *Group) notify(changed func()) {
	for {
		select {
		case <-g.over:
			return
		case <-g.dirty:
		}
		if changed != nil {
			changed()
		}
	}
}

// touch says that the state may have changed.
func (g *Group) touch() {
	select {
	case g.dirty <- struct{}{}:
	default:
	}
}

// State returns the group's state.
func (g *Group) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := State{Restarts: g.restarts, Failed: g.failed, Hindered: g.failed && g.hindered}
	var why string
	for _, r := range g.replicas {
		switch {
		case r.addr != "":
			s.Addrs = append(s.Addrs, r.addr)
		case why == "":
			why = r.explained()
		}
	}
	if n := len(g.replicas); len(s.Addrs) < n {
		s.Problem = fmt.Sprintf("%d of %d replicas are ready%s", len(s.Addrs), n, why)
	}
	return s
}

// Scale changes the number of replicas and returns at once. Replicas that go are left out of State
// first; then release is called with the address of each that was ready, and when it returns, or
// Stop is called, the replica is stopped. release must therefore turn new requests away before it
// waits for those in flight.
func (g *Group) Scale(replicas int, release func(addr string)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return
	}
	for len(g.replicas) < replicas {
		g.add()
	}
	for len(g.replicas) > max(replicas, 0) {
		g.drop(release)
	}
	g.touch()
}

func (g *Group) add() {
	r := &replica{group: g, slot: 1, quit: make(chan struct{})}
	for g.slots[r.slot] {
		r.slot++
	}
	g.slots[r.slot] = true
	g.replicas = append(g.replicas, r)
	g.all.Go(func() {
		r.run()
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.slots, r.slot)
	})
}

// drop lets one replica go: one that is not ready if there is any, else the newest.
func (g *Group) drop(release func(addr string)) {
	i := len(g.replicas) - 1
	for j, r := range g.replicas {
		if r.addr == "" {
			i = j
		}
	}
	r := g.replicas[i]
	g.replicas = slices.Delete(g.replicas, i, i+1)
	if r.addr == "" || release == nil {
		close(r.quit)
		return
	}
	addr := r.addr
	go func() {
		released := make(chan struct{})
		go func() { defer close(released); release(addr) }()
		select {
		case <-released:
		case <-g.over:
		}
		close(r.quit)
	}()
}

// Stop ends all replicas: SIGTERM, then after grace SIGKILL to the whole process group. It returns when none is left.
// A call of changed that is under way may end later.
func (g *Group) Stop(grace time.Duration) {
	g.mu.Lock()
	if !g.stopped {
		g.stopped = true
		g.late.Stop()
		close(g.over)
		time.AfterFunc(grace, func() { close(g.kill) })
	}
	g.mu.Unlock()
	g.all.Wait()
}

// giveUp says that the start failed, unless it succeeded once.
func (g *Group) giveUp() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fail()
}

// fail is giveUp with the lock held.
func (g *Group) fail() {
	if !g.everReady && len(g.replicas) > 0 {
		g.failed = true
		g.touch()
	}
}

// Reap kills what an earlier daemon left running, by the pid files below dir. A process that
// merely has the number of a dead one is left alone.
func Reap(ctx context.Context, dir string) error { return reap(ctx, dir) }
