package router

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// A table is a Table made ready for requests. It never changes.
type table struct {
	stable    *arm
	candidate *arm    // nil: none
	weight    int     // the candidate's percent, as it was told
	share     float64 // the same, 0..1
	split     uint64  // grows where revisions or weight change

	header, cookie string
	salt           uint64 // the hash's state behind the salt
	timeout        time.Duration
}

// An arm is a revision's replicas and counters.
type arm struct {
	revision  string
	candidate bool
	replicas  []*replica
	counts    *counts       // nil where there is no revision: nobody's answers are not counted
	turn      atomic.Uint32 // where the next look for a replica begins
}

// compile makes a table; r.mu is held.
func (r *Router) compile(t Table) *table {
	c := &table{
		stable:  r.arm(t.Stable),
		weight:  t.Weight,
		share:   float64(t.Weight) / 100,
		header:  http.CanonicalHeaderKey(t.StickyHeader),
		cookie:  t.StickyCookie,
		salt:    hash(hash(fnvOffset, t.Salt), "\x00"),
		timeout: t.Timeout,
	}
	if t.Candidate.Revision != "" {
		c.candidate = r.arm(t.Candidate)
		c.candidate.candidate = true
	}
	if last := r.table.Load(); last != nil {
		c.split = last.split
		if last.weight != c.weight || last.stable.counts != c.stable.counts || last.candidate.counter() != c.candidate.counter() {
			c.split++
		}
	}
	return c
}

// counter is the arm's, nil where there is no arm.
func (a *arm) counter() *counts {
	if a == nil {
		return nil
	}
	return a.counts
}

func (r *Router) arm(a Arm) *arm {
	c := &arm{revision: a.Revision, counts: r.metrics.of(a.Revision)}
	for _, addr := range a.Addrs {
		p, ok := r.replicas[addr]
		if !ok {
			p = &replica{addr: addr}
			r.replicas[addr] = p
		}
		c.replicas = append(c.replicas, p)
	}
	return c
}

// choose returns the arm of a caller's request.
func (t *table) choose(c caller) *arm {
	if t.candidate != nil && c.point < t.share {
		return t.candidate
	}
	return t.stable
}

// A caller is who sent a request, as far as routing goes.
type caller struct {
	// point places the request in [0,1): the candidate has the part below its share. A client with
	// a key has the same point at every weight, so that a rising weight moves it only once, and
	// only toward the candidate. Without a key every request has its own.
	point float64
	hash  uint64 // of the key
	known bool   // there is a key
}

func (t *table) caller(req *http.Request) caller {
	key := t.key(req)
	if key == "" {
		return caller{point: rand.Float64()}
	}
	h := mix(hash(t.salt, key))
	return caller{point: float64(h>>11) / (1 << 53), hash: h, known: true}
}

// sticky reports whether clients stay with an arm.
func (t *table) sticky() bool { return t.header != "" || t.cookie != "" }

// wrong reports whether an arm is another than the caller's by the weight that was told. It asks neither choose nor
// what that rests on: it is there to find them wrong.
func (t *table) wrong(c caller, a *arm) bool {
	return c.known && a.candidate != (t.candidate != nil && (c.hash>>11)*100 < uint64(t.weight)<<53)
}

// key returns the client's key, or "".
func (t *table) key(req *http.Request) (key string) {
	if t.header != "" {
		if values := req.Header[t.header]; len(values) > 0 {
			key = values[0]
		}
	}
	if t.cookie != "" {
		if c, err := req.Cookie(t.cookie); err == nil {
			key = c.Value
		}
	}
	return key
}

// The hash is FNV-1a of 64 bits, written out because hash/fnv would allocate, and stable over
// restarts as hash/maphash is not.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func hash(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// mix spreads FNV's low bits over all others: keys that end alike would have near points
// without it. Source: MurmurHash3's fmix64.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// pick returns the replica with the least requests in flight that was not tried, or nil.
// Ties go round.
func (a *arm) pick(tried []*replica) *replica {
	n := len(a.replicas)
	if n == 0 {
		return nil
	}
	first := int(a.turn.Add(1)) % n
	var best *replica
	var least int64
	for i := range n {
		p := a.replicas[(first+i)%n]
		if len(tried) > 0 && slices.Contains(tried, p) {
			continue
		}
		if load := p.inFlight.Load(); best == nil || load < least {
			best, least = p, load
		}
	}
	return best
}
