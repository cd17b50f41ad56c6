package main

import (
	"slices"
	"sync"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/replay"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/simulate"
)

// window is how long answers are counted together.
const window = time.Second

// A traffic is what users saw of a candidate and of the version before it, second by second: what the other
// tools' rules are asked about afterwards.
type traffic struct {
	candidate string // version
	mu        sync.Mutex
	began     time.Time
	windows   []simulate.Seen
}

// watch begins to count the answers of a candidate, and what else is answered meanwhile.
func (d *demo) watch(candidate string) *traffic {
	t := &traffic{candidate: candidate, began: time.Now()}
	d.watched.Store(t)
	return t
}

func (d *demo) answered(a replay.Answer) {
	if t := d.watched.Load(); t != nil {
		t.add(a)
	}
}

// add counts an answer.
func (t *traffic) add(a replay.Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := int(time.Since(t.began) / window)
	for len(t.windows) <= at {
		t.windows = append(t.windows, simulate.Seen{Lasting: window, Candidate: noAnswers(), Stable: noAnswers()})
	}
	arm := &t.windows[at].Stable
	if a.Version == t.candidate {
		arm = &t.windows[at].Candidate
	}
	arm.Requests++
	if a.Failed {
		arm.Bad++
	}
	class, _ := slices.BinarySearch(gate.LatencyEdges[:], a.Took.Seconds())
	arm.Latency[class]++
}

func noAnswers() simulate.Arm { return simulate.Arm{Latency: make([]uint64, gate.Edges+1)} }

// seen returns the seconds in which both versions answered: there the weights are the rollout's.
func (t *traffic) seen() []simulate.Seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	var both []simulate.Seen
	for _, w := range t.windows {
		if w.Candidate.Requests > 0 && w.Stable.Requests > 0 {
			both = append(both, w)
		}
	}
	return both
}

// crowded reports whether the clocks of users measured this machine rather than the versions: the better one answers
// in a millisecond wherever there is a processor for it. The router's clock, which the gate judged by, does not see users wait
// for theirs.
func (t *traffic) crowded() bool {
	_, usual := t.medians()
	return usual > 20*time.Millisecond
}

// medians returns how long half of the answers took at most, of the candidate and of the other.
func (t *traffic) medians() (candidate, other time.Duration) {
	c, s := noAnswers(), noAnswers()
	for _, w := range t.seen() {
		for i := range c.Latency {
			c.Latency[i] += w.Candidate.Latency[i]
			s.Latency[i] += w.Stable.Latency[i]
		}
	}
	return median(c.Latency), median(s.Latency)
}

// median returns the upper end of the class that holds the middle answer.
func median(classes []uint64) time.Duration {
	var all, below uint64
	for _, n := range classes {
		all += n
	}
	for i, n := range classes {
		if below += n; all > 0 && 2*below >= all && i < gate.Edges {
			return time.Duration(gate.LatencyEdges[i] * float64(time.Second))
		}
	}
	return 0
}
