package local

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A runner counts once a second. Users of a broken candidate should not have to wait for that: the engine looks at what
// was counted fifty times a second, and says when it decides.
//
// Looking early is only fair if what is looked at is evidence in its own right. A window that ends because a request
// failed is none: its last request failed. So where windows may end is fixed before it is known what happens in them.
// Cells end at ticks of a clock, the first at which both arms have had a few requests; that depends on traffic, not
// on how requests ended. Each is a window by itself, the product of their factors is the evidence, and it may be looked at
// behind every cell (Ville's inequality), as behind every window.
//
// Cells in a row in which nothing failed, on either arm, are kept as one window. Its factor is 1, as that of each of
// them is, and the half of the pass that looks at the candidate alone knows only totals. So nothing that is judged depends on it.
//
// Latencies are not judged by cells: what a stalled process may say is bounded by window (the rollout's policy), and a stall
// must not count twenty times. The last window before a count has those of all.
//
// With sticky routing there are no cells: who failed is counted by window.
type cells struct {
	quiet   *cut      // the last end of a cell behind which nothing failed since the last cut
	asked   time.Time // when somebody last counted
	decided bool      // what was counted since then decides
}

const (
	cellLength = 20 * time.Millisecond
	// fewest requests on each arm make a cell: in smaller ones an arm that happens to have none, or one, says less than the
	// same requests in a longer window.
	fewest = 10
	// Without a runner nobody looks. Cells that are not counted are kept for no longer than this, some hundred.
	silence = 3 * time.Second
)

// ticks reports whether cells are cut.
func (c *counter) ticks() bool {
	return c.at.rollout != "" && c.at.weight > 0 && c.table.Weight == c.at.weight && !sticky(c.table)
}

// tick ends a cell if it is time, and reports whether it may have changed what the gates say.
func (c *counter) tick(now time.Time) bool {
	if !c.ticks() || len(c.cuts) == 0 || now.Sub(c.asked) > silence {
		return false
	}
	return c.cell(c.totals(), c.router.Strays())
}

// cell is tick, given all that was counted.
func (c *counter) cell(seen gate.Window, strays uint64) bool {
	seen = untimed(seen)
	seen.Routed = gate.ByRequest
	from := c.cuts[len(c.cuts)-1].seen
	if c.quiet != nil {
		from = c.quiet.seen
	}
	w, ok := between(untimed(from), seen)
	candidate, stable := w.Candidate, w.Stable
	if !ok || candidate.Requests < fewest || stable.Requests < fewest {
		return false
	}
	end := cut{seen: seen, strays: strays, inner: true}
	if candidate.Bad+stable.Bad == 0 {
		c.quiet = &end
		return false
	}
	c.endCells()
	c.last++
	end.number = c.last
	c.cuts = append(c.cuts, end)
	// Where the candidate did no worse than its share there is nothing to look at.
	return candidate.Bad*(candidate.Requests+stable.Requests) > (candidate.Bad+stable.Bad)*candidate.Requests
}

// untimed is a window without latencies.
func untimed(w gate.Window) gate.Window {
	w.Candidate.Slower, w.Stable.Slower = nil, nil
	return w
}

// unsplit makes the latest cut, and the cells right before it, say nothing of how the router splits.
func (c *counter) unsplit() {
	for i := len(c.cuts) - 1; i >= 0; i-- {
		c.cuts[i].unsplit()
		if i == 0 || !c.cuts[i-1].inner {
			return
		}
	}
}

// endCells ends the window of the cells in which nothing failed.
func (c *counter) endCells() {
	if c.quiet == nil {
		return
	}
	c.last++
	c.quiet.number = c.last
	c.cuts = append(c.cuts, *c.quiet)
	c.quiet = nil
}

// counted notes that all up to old was saved: cells up to there are not asked for again.
func (c *counter) counted(old cursor, now time.Time) {
	c.asked, c.decided = now, false
	if old.Boot == c.boot {
		c.cuts = slices.DeleteFunc(c.cuts, func(k cut) bool { return k.inner && k.number < old.Cut })
	}
}

// time gives a window its latencies: none behind a cell, and those since the last cut that is none behind others. Not
// ok where a counter ran backwards.
func (c *counter) time(w *gate.Window, i int) (ok bool) {
	if c.cuts[i].inner {
		return true
	}
	from := i - 1
	for from > 0 && c.cuts[from].inner {
		from--
	}
	if from == i-1 {
		return true
	}
	if c.cuts[from].inner {
		return true // where they began is not known
	}
	whole, ok := between(c.cuts[from].seen, c.cuts[i].seen)
	w.Timed = &gate.Window{Candidate: whole.Candidate, Stable: whole.Stable}
	return ok
}

// look ends a cell, and fires changed where what was counted since the record's cursor decides. It decides nothing itself:
// the runner does, whose count ends the last window.
func (u *unit) look(now time.Time) {
	u.mu.Lock()
	worth := u.router != nil && u.counter.tick(now)
	u.mu.Unlock()
	if !worth {
		return
	}
	doc, _, err := u.d.load(u.id)
	if err != nil || doc == nil || !doc.inRollout() {
		return
	}
	p, err := rollout.ParsePolicy(doc.Record.Policy)
	var from cursor
	if err != nil || json.Unmarshal(doc.Record.Cursor, &from) != nil {
		return
	}
	u.mu.Lock()
	var windows []gate.Window
	if from.Boot == u.counter.boot {
		windows = u.counter.since(from.Cut)
	}
	u.mu.Unlock()
	next := rollout.Next(p, doc.Record, rollout.Counted{Windows: windows, Cursor: doc.Record.Cursor, At: now.UTC().Round(0)})
	if next.Phase != rollout.RolledBack {
		return
	}
	u.mu.Lock()
	u.counter.decided = true
	u.mu.Unlock()
	u.changed.fire()
}

// due reports whether what was counted decides.
func (u *unit) due() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.router != nil && u.counter.decided
}

// lookout is a clock that ticks only while there is something to look at.
type lookout struct {
	ticker *time.Ticker
	c      <-chan time.Time // nil while it stands
}

func (l *lookout) set(u *unit) {
	u.mu.Lock()
	on := u.router != nil && u.counter.ticks()
	u.mu.Unlock()
	switch {
	case on && l.ticker == nil:
		l.ticker = time.NewTicker(cellLength)
		l.c = l.ticker.C
	case !on && l.ticker != nil:
		l.ticker.Stop()
		l.ticker, l.c = nil, nil
	}
}
