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
	share     float64 // the candidate's, 0..1

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
	return c
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

// choose returns the arm of a request.
func (t *table) choose(req *http.Request) *arm {
	if t.candidate == nil || t.share <= 0 {
		return t.stable
	}
	if t.share >= 1 || t.point(req) < t.share {
		return t.candidate
	}
	return t.stable
}

// point places a request in [0,1): the candidate has the part below its share. A client with
// a key has the same point at every weight, so that a rising weight moves it only once, and
// only toward the candidate. Without a key every request has its own.
func (t *table) point(req *http.Request) float64 {
	key := ""
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
	if key == "" {
		return rand.Float64()
	}
	return float64(mix(hash(t.salt, key))>>11) / (1 << 53)
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
