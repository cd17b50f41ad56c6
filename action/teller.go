package action

import (
	"fmt"
	"sync"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A Teller tells a rollout while it is driven. What it writes to may be slow, stopped (Ctrl-S) or gone, and none
// of that may hold up the rollout: it writes by itself, always the latest record. The history in it has all
// that was missed.
type Teller struct {
	write func(rollout.Record) error
	wake  chan struct{}
	done  chan struct{}

	mu     sync.Mutex
	latest rollout.Record
	closed sync.Once
}

// NewTeller tells by write, until that fails: then nobody reads any more.
func NewTeller(write func(rollout.Record) error) *Teller {
	t := &Teller{write: write, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go t.run()
	return t
}

func (t *Teller) run() {
	defer close(t.done)
	for range t.wake {
		t.mu.Lock()
		r := t.latest
		t.mu.Unlock()
		if t.write(r) != nil {
			return // nobody reads it any more; the rollout goes on
		}
	}
}

// Show never waits.
func (t *Teller) Show(r rollout.Record) {
	t.mu.Lock()
	t.latest = r
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// ReadersPatience is for somebody who does not read what is to be told: there are 2 s from a signal to the end.
const ReadersPatience = 200 * time.Millisecond

// Close waits for what is still to be told, but not for somebody who does not read.
func (t *Teller) Close() {
	t.closed.Do(func() { close(t.wake) })
	select {
	case <-t.done:
	case <-time.After(ReadersPatience):
	}
}

// A Follower knows which of a history's entries are new. The first look is at the latest entry alone: what was
// before is old.
type Follower struct {
	last rollout.Entry
}

// News are the entries since the last look.
func (f *Follower) News(history []rollout.Entry) []rollout.Entry {
	from := max(0, len(history)-1)
	for i := len(history) - 1; i >= 0; i-- {
		if history[i].Sentence == f.last.Sentence && history[i].At.Equal(f.last.At) {
			from = i + 1
			break
		}
	}
	if n := len(history); n > 0 {
		f.last = history[n-1]
	}
	return history[from:]
}

// Lines makes a line of each new entry: "09:04:02 5% → 25% ...".
func (f *Follower) Lines(history []rollout.Entry) []string {
	before := f.last
	var all []string
	for _, h := range f.News(history) {
		share := fmt.Sprintf("%d%%", h.Weight)
		if h.Weight != before.Weight && !before.At.IsZero() {
			share = fmt.Sprintf("%d%% → %d%%", before.Weight, h.Weight)
		}
		before = h
		all = append(all, fmt.Sprintf("%s %s %s", clock(h.At), share, h.Sentence))
	}
	return all
}
