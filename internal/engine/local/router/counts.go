package router

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// An outcome is what became of a request.
type outcome int

const (
	good outcome = iota
	// late is a bad answer that did not begin before the time was up, or before the client left: its latency
	// is not known, but long.
	late
	// bad is any other bad answer. How fast it came is no sign of a fast revision.
	bad
)

// counts are a revision's answers, each in one place. Requests, bad ones and slow ones are sums of
// these, so that no part ever outnumbers the whole, whenever and between whichever moments one looks.
type counts struct {
	begun     [gate.Edges + 1]atomic.Uint64 // good answers, by how many edges had passed when they began
	late, bad atomic.Uint64
	waited    atomic.Int64        // nanoseconds until the good answers began
	seconds   prometheus.Observer // until the end of any answer
}

// edges are gate.LatencyEdges as durations.
var edges = func() (all [gate.Edges]time.Duration) {
	for i, e := range gate.LatencyEdges {
		all[i] = time.Duration(math.Round(e * 1e9))
	}
	return all
}()

// passed returns how many edges an answer was slower than.
func passed(began time.Duration) int {
	n, _ := slices.BinarySearch(edges[:], began)
	return n
}

// answered counts an answer at its end: when it began, as the latency gate sees it, and what it took. What a gate judges
// is the beginning: how long a stream goes on is the client's and the model's choice, not a lack of speed.
func (c *counts) answered(o outcome, began, took time.Duration) {
	switch o {
	case good:
		c.begun[passed(began)].Add(1)
		c.waited.Add(int64(began))
	case late:
		c.late.Add(1)
	case bad:
		c.bad.Add(1)
	}
	c.seconds.Observe(took.Seconds())
}

// total adds up what was counted. Between two totals, the later one has no less of anything.
func (c *counts) total() gate.Arm {
	late, bad := c.late.Load(), c.bad.Load()
	a := gate.Arm{Bad: late + bad, Untimed: bad, Slower: make([]uint64, gate.Edges)}
	slower := late
	for i := gate.Edges; i > 0; i-- {
		slower += c.begun[i].Load()
		a.Slower[i-1] = slower
	}
	a.Requests = slower + c.begun[0].Load() + bad
	return a
}

// histogram is the good answers' for Prometheus, which wants fewer buckets.
func (c *counts) histogram(desc *prometheus.Desc, revision string) prometheus.Metric {
	within := make(map[float64]uint64, len(buckets))
	var sum uint64
	for i, e := range gate.LatencyEdges {
		sum += c.begun[i].Load()
		if slices.Contains(buckets, e) {
			within[e] = sum
		}
	}
	sum += c.begun[gate.Edges].Load()
	return prometheus.MustNewConstHistogram(desc, sum, time.Duration(c.waited.Load()).Seconds(), within, revision)
}
