package gate

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Side is one of the two arms.
type Side int

// The sides.
const (
	Candidate Side = iota
	Stable
)

// A Tracker turns single answers into the counts of Clients.
//
// It runs all the time, so that it knows before a rollout which clients fail anyway: Answered or Anonymous for
// each answer, Timed for its latency, from any goroutine; Window at the end of each window, every few seconds; Begin and Step
// where a rollout begins, and where its weight changes. It has no clock and takes at most 65,536 clients; of more it
// watches a sample, by a hash that has nothing to do with the one by which clients are routed.
type Tracker struct {
	level  atomic.Uint32 // a client is watched if so many bits of its second hash are 0
	known  atomic.Int64
	shards [64]shard

	mu      sync.Mutex // one of Window, Begin, Step, thinning at a time
	slot    int64      // the five minutes that the last window ended in
	rollout bool
	// After Resume first failures are unknown: of the rollout for good, of the step until the next.
	blind, blindStep bool
	spreads          [2]Spread
	came             [2]uint64 // clients in this step, by side
	left             []uint64
	// A client with more requests in a window than this has no episodes: one that sends half of all traffic would make
	// the arms differ by what it does.
	most uint32
	slow [2]groups
}

// Episodes count of clients with at most ten times as many requests as the average one, and at least twenty.
const (
	heavy      = 10
	leastHeavy = 20
)

// mostClients bounds a tracker.
const mostClients = 1 << 16

type shard struct {
	mu      sync.Mutex
	clients map[uint64]*client
	active  []*client // with an answer in this window
	strange [2]Arm    // answers without a key
	_       [64]byte  // locks of neighbours do not share a cache line
}

type client struct {
	key    uint64
	now    [2]answers
	m, x   [2]float64 // requests and episodes on each side, since the rollout began
	past   [slots]pastSlot
	active bool
	left   bool // out
	failed bool // in this rollout
	step   progress
}

type answers struct {
	requests uint32
	bad      bool
}

// progress is a client's in the step.
type progress struct{ came, failed bool }

// Before a rollout 30 minutes count, in slots of five.
const (
	slots    = 6
	slotTime = 5 * time.Minute
)

// A pastSlot counts windows in which a client was active on stable, and had a bad answer there.
type pastSlot struct{ active, bad uint16 }

// NewTracker returns a tracker that knows nobody.
func NewTracker() *Tracker {
	t := &Tracker{}
	for i := range t.shards {
		t.shards[i].clients = map[uint64]*client{}
	}
	return t
}

// Answered notes an answer to a client, given by a hash of its key.
func (t *Tracker) Answered(hash uint64, side Side, bad bool) {
	if !t.watched(hash) {
		return
	}
	s := &t.shards[mix(hash)%uint64(len(t.shards))]
	s.mu.Lock()
	c, ok := s.clients[hash]
	if !ok {
		c = &client{key: hash}
		s.clients[hash] = c
	}
	if !c.active {
		c.active = true
		s.active = append(s.active, c)
	}
	c.now[side].requests++
	c.now[side].bad = c.now[side].bad || bad
	s.mu.Unlock()
	if !ok && t.known.Add(1) > mostClients && t.mu.TryLock() {
		t.thin()
		t.mu.Unlock()
	}
}

// Anonymous notes an answer to a request without a key. It counts as a client of its own: which arm answered it was
// decided for this request alone.
func (t *Tracker) Anonymous(side Side, bad bool) {
	s := &t.shards[0]
	s.mu.Lock()
	s.strange[side].Requests++
	if bad {
		s.strange[side].Bad++
	}
	s.mu.Unlock()
}

// watched reports whether a client is in the sample.
func (t *Tracker) watched(hash uint64) bool {
	level := t.level.Load()
	return level == 0 || mix(hash)>>(64-min(level, 63)) == 0
}

// mix is the second hash.
// Source: the finalizer of splitmix64, Steele, Lea, Flood, Fast splittable pseudorandom number generators (2014).
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// thin halves the sample until it fits.
func (t *Tracker) thin() {
	for t.known.Load() > mostClients {
		t.level.Add(1)
		t.each(func(s *shard) { t.drop(s, func(c *client) bool { return !t.watched(c.key) }) })
	}
}

func (t *Tracker) drop(s *shard, which func(*client) bool) {
	s.active = slices.DeleteFunc(s.active, which)
	for key, c := range s.clients {
		if which(c) {
			delete(s.clients, key)
			t.known.Add(-1)
		}
	}
}

// each calls f with every shard, locked.
func (t *Tracker) each(f func(*shard)) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		f(s)
		s.mu.Unlock()
	}
}

// Begin begins a rollout and its first step, as first failures go. Clients that fail on stable anyway are left out
// until the next rollout: those with at least 3 bad windows and a tenth of theirs bad in the half hour before, but
// at most the worst 5% of all.
func (t *Tracker) Begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rollout, t.blind, t.blindStep = true, false, false
	t.forget()
	t.left = nil
	for _, c := range t.failing() {
		c.left = true
		t.left = append(t.left, c.key)
	}
}

// Resume is Begin for a tracker that was not there when the rollout began. Who failed before it is unknown,
// so it counts no first failures of the rollout, and none of the step before the next one.
func (t *Tracker) Resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rollout, t.blind, t.blindStep = true, true, true
	t.forget()
	t.left = nil
}

// forget makes every client new to the rollout.
func (t *Tracker) forget() {
	t.spreads, t.came = [2]Spread{}, [2]uint64{}
	for side := range t.slow {
		t.slow[side].begin()
	}
	t.each(func(s *shard) {
		for _, c := range s.clients {
			*c = client{key: c.key, past: c.past}
		}
		s.active, s.strange = s.active[:0], [2]Arm{}
	})
}

// failing returns the clients that fail anyway, which only the shards' locks protect.
func (t *Tracker) failing() []*client {
	type record struct {
		c     *client
		share float64
	}
	var found []record
	all := 0
	t.each(func(s *shard) {
		for _, c := range s.clients {
			var active, bad int
			for _, p := range c.past {
				active += int(p.active)
				bad += int(p.bad)
			}
			if active > 0 {
				all++
			}
			if bad >= 3 && 10*bad >= active {
				found = append(found, record{c, float64(bad) / float64(active)})
			}
		}
	})
	slices.SortFunc(found, func(a, b record) int {
		if a.share > b.share || a.share == b.share && a.c.key < b.c.key {
			return -1
		}
		return 1
	})
	var left []*client
	for _, r := range found[:min(len(found), all/20)] {
		left = append(left, r.c)
	}
	return left
}

// Step begins the next step.
func (t *Tracker) Step() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blindStep = false
	t.came = [2]uint64{}
	t.each(func(s *shard) {
		for _, c := range s.clients {
			c.step = progress{}
		}
	})
}

// End ends a rollout: from here on clients that do not come for half an hour are forgotten.
func (t *Tracker) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rollout = false
}

// LeftOut names the clients that do not count in this rollout, by their hashes.
func (t *Tracker) LeftOut() []uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.left)
}

// turn goes to the slot of a time. Slots that begin are empty; clients that have none left are forgotten.
func (t *Tracker) turn(at time.Time) {
	slot := max(0, at.Unix()/int64(slotTime.Seconds()))
	begun := min(slot-t.slot, slots)
	t.slot = slot
	if begun <= 0 {
		return // the same one, or the clock jumped back
	}
	t.each(func(s *shard) {
		for _, c := range s.clients {
			for i := range begun {
				c.past[(slot-i)%slots] = pastSlot{}
			}
		}
		if !t.rollout {
			t.drop(s, func(c *client) bool { return c.past == [slots]pastSlot{} && !c.active })
		}
	})
	if !t.rollout && t.known.Load() < mostClients/4 && t.level.Load() > 0 {
		t.level.Add(^uint32(0))
	}
}
