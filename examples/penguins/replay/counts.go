package replay

import (
	"maps"
	"sync"
	"time"
)

// Counts are what users of an endpoint saw.
type Counts struct {
	Requests uint64             `json:"requests"`
	Failed   uint64             `json:"failed"`  // any answer but 200, or none
	Correct  uint64             `json:"correct"` // answered with the right species
	Seconds  float64            `json:"seconds"` // from the start to the last answer
	Versions map[string]Version `json:"versions"`
	// Problem is the latest failure in the endpoint's words, "" if there was none.
	Problem string `json:"problem,omitempty"`
}

// A Version is one model version's part.
type Version struct {
	Requests uint64    `json:"requests"`
	Failed   uint64    `json:"failed"`
	Correct  uint64    `json:"correct"`
	First    time.Time `json:"first"` // when its first request was sent
	Last     time.Time `json:"last"`  // when its last request was sent
}

// Accuracy is the share of requests that got the right species; a failure is not right.
func (c Counts) Accuracy() float64 { return share(c.Correct, c.Requests) }

// Accuracy is the share of the version's requests that got the right species.
func (v Version) Accuracy() float64 { return share(v.Correct, v.Requests) }

// share is 0 of nothing.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Since returns what was seen after an earlier snapshot of the same player.
func (c Counts) Since(earlier Counts) Counts {
	difference := c
	difference.Requests -= earlier.Requests
	difference.Failed -= earlier.Failed
	difference.Correct -= earlier.Correct
	difference.Seconds -= earlier.Seconds
	difference.Versions = map[string]Version{}
	for name, v := range c.Versions {
		before := earlier.Versions[name]
		v.Requests -= before.Requests
		v.Failed -= before.Failed
		v.Correct -= before.Correct
		difference.Versions[name] = v
	}
	return difference
}

type tally struct {
	mu     sync.Mutex
	began  time.Time
	counts Counts
}

func (t *tally) add(a answer, sent time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.counts.Versions[a.version]
	t.counts.Requests++
	v.Requests++
	if a.problem != "" {
		t.counts.Failed++
		v.Failed++
		t.counts.Problem = a.problem
	}
	if a.right {
		t.counts.Correct++
		v.Correct++
	}
	if v.First.IsZero() || sent.Before(v.First) {
		v.First = sent
	}
	if sent.After(v.Last) {
		v.Last = sent
	}
	t.counts.Versions[a.version] = v
	t.counts.Seconds = time.Since(t.began).Seconds()
}

func (t *tally) copy() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.Versions = maps.Clone(c.Versions)
	return c
}
