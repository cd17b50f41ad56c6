package command

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/command/screen"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A teller tells a rollout while it is driven. What it writes to may be slow, stopped (Ctrl-S) or gone, and none
// of that may hold up the rollout: it writes by itself, always the latest record. The history in it has all
// that was missed.
type teller struct {
	write func(rollout.Record) error
	wake  chan struct{}
	done  chan struct{}

	mu     sync.Mutex
	latest rollout.Record
	closed sync.Once
}

func tell(write func(rollout.Record) error) *teller {
	t := &teller{write: write, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go t.run()
	return t
}

func (t *teller) run() {
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

// show never waits.
func (t *teller) show(r rollout.Record) {
	t.mu.Lock()
	t.latest = r
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// readersPatience is for somebody who does not read what is to be told: there are 2 s from a signal to the end.
const readersPatience = 200 * time.Millisecond

// close waits for what is still to be told, but not for somebody who does not read.
func (t *teller) close() {
	t.closed.Do(func() { close(t.wake) })
	select {
	case <-t.done:
	case <-time.After(readersPatience):
	}
}

// A follower knows which of a history's entries are new. The first look is at the latest entry alone: what was
// before is old.
type follower struct {
	last rollout.Entry
}

func (f *follower) news(history []rollout.Entry) []rollout.Entry {
	from := max(0, len(history)-1)
	for i := len(history) - 1; i >= 0; i-- {
		if history[i].Sentence == f.last.Sentence && history[i].At.Equal(f.last.At) {
			from = i + 1
			break
		}
	}
	return history[from:]
}

// lines makes a line of each new entry: "09:04:02 5% → 25% ...".
func (f *follower) lines(history []rollout.Entry) []string {
	var all []string
	for _, h := range f.news(history) {
		share := fmt.Sprintf("%d%%", h.Weight)
		if h.Weight != f.last.Weight && !f.last.At.IsZero() {
			share = fmt.Sprintf("%d%% → %d%%", f.last.Weight, h.Weight)
		}
		f.last = h
		all = append(all, fmt.Sprintf("%s %s %s", h.At.Local().Format(time.TimeOnly), share, screen.Clean(h.Sentence))) //nolint:gosmopolitan // people read it where they are
	}
	return all
}

// plain tells by lines.
func plain(out io.Writer) func(rollout.Record) error {
	var f follower
	return func(r rollout.Record) error {
		for _, line := range f.lines(r.History) {
			if _, err := fmt.Fprintln(out, line); err != nil {
				return err
			}
		}
		return nil
	}
}

// events tells by lines of JSON.
func events(out io.Writer, id string) func(rollout.Record) error {
	var f follower
	return func(r rollout.Record) error {
		for _, h := range f.news(r.History) {
			f.last = h
			if err := printJSON(out, eventView{"event", id, h.At, h.Phase, h.Weight, h.Sentence}, true); err != nil {
				return err
			}
		}
		return nil
	}
}

// live tells by lines that stay, and a drawing below them that is drawn again.
func live(out io.Writer, id string, st endpoint.Status) func(rollout.Record) error {
	var f follower
	c := canvas(out)
	return func(r rollout.Record) error {
		drawing := ""
		if !r.Phase.Final() {
			drawing = painter(out).Progress(screen.Endpoint{ID: id, Status: st, Record: r})
		}
		return c.Draw(f.lines(r.History), drawing)
	}
}
