package local

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A counter cuts what a router counts into windows. It lives as long as the router: boot tells its numbers from
// those of the next one. Its unit's lock protects it.
type counter struct {
	router front
	boot   string
	table  router.Table // in force
	at     place        // of the rollout that the clients are counted for
	last   uint64       // number of the latest cut
	cuts   []cut        // of this pair of revisions, oldest first
	cells
}

// A place is where in a rollout clients are counted; zero before its first step, and where there is no rollout.
type place struct {
	rollout string
	step    int
	weight  int // that the step is to have
}

// A cut is a moment at which all that was counted is known. A window lies between two of them.
type cut struct {
	number uint64
	// seen is what was counted since the router began, and the clients of the window that ends here.
	seen   gate.Window
	strays uint64 // answers whose requests an earlier weight had split
	inner  bool   // between two counts, see cells
}

// cutsKept are ten minutes of one count a second. Where nothing was saved for as long, nobody drives the rollout.
const cutsKept = 600

func newCounter(r front) *counter { return &counter{router: r, boot: rand.Text()} }

// placeOf returns where a stored rollout stands. While the candidate is prepared it has no place: what clients do then
// tells who fails anyway.
func placeOf(doc *document) place {
	if !doc.inRollout() || doc.Record.Phase == rollout.Preparing {
		return place{}
	}
	return place{doc.Record.ID, doc.Record.Step, doc.Record.Weight}
}

// turn gives the router its table. No window spans two weights or two steps.
func (c *counter) turn(t router.Table, at place, now time.Time) {
	o, fresh := c.table, c.table.Stable.Revision == ""
	switch {
	case t.Stable.Revision != o.Stable.Revision || t.Candidate.Revision != o.Candidate.Revision:
		c.last++
		c.cuts = nil // of other revisions
		c.quiet = nil
	case t.Weight != o.Weight || sticky(t) != sticky(o) || at != c.at:
		c.cut(now)
		// By the time that it is judged, the weight is another.
		c.unsplit()
	}
	c.router.Set(t)
	c.table = t
	if at == c.at {
		return
	}
	clients := c.router.Clients()
	switch {
	case at.rollout == "":
		clients.End()
	case fresh:
		clients.Resume() // the engine was away: who failed before is unknown
	case at.rollout != c.at.rollout:
		clients.Window(now) // the last one before the rollout
		clients.Begin()
	case at.step != c.at.step:
		clients.Step()
	}
	c.at = at
}

func sticky(t router.Table) bool { return t.StickyHeader != "" || t.StickyCookie != "" }

// rest ends a window of clients while nobody judges them.
func (c *counter) rest(now time.Time) {
	if sticky(c.table) && c.at.rollout == "" {
		c.router.Clients().Window(now)
	}
}

// totals is what the revisions of the table answered since the router began.
func (c *counter) totals() gate.Window {
	w := gate.Window{Stable: c.router.Totals(c.table.Stable.Revision), Misrouted: c.router.Misrouted()}
	if c.table.Candidate.Revision != "" {
		w.Candidate = c.router.Totals(c.table.Candidate.Revision)
	}
	return w
}

// cut ends a window.
func (c *counter) cut(now time.Time) uint64 {
	c.endCells()
	c.last++
	k := cut{number: c.last, seen: c.totals(), strays: c.router.Strays()}
	k.seen.Routed = gate.ByRequest
	if sticky(c.table) {
		k.seen.Routed = gate.ByClient
	}
	if sticky(c.table) && c.at.rollout != "" {
		candidate, stable := c.router.Clients().Window(now)
		k.seen.Candidate.Clients, k.seen.Stable.Clients = &candidate, &stable
	}
	if c.table.Weight != c.at.weight {
		k.unsplit() // the candidate has no server, and so no traffic
	}
	c.cuts = append(c.cuts, k)
	if n := len(c.cuts) - cutsKept; n > 0 {
		c.cuts = c.cuts[n:]
	}
	return k.number
}

// unsplit makes a window say nothing of how the router splits.
func (k *cut) unsplit() {
	k.seen.Routed = ""
	for _, a := range []*gate.Arm{&k.seen.Candidate, &k.seen.Stable} {
		if a.Clients != nil {
			a.Clients.New = 0
		}
	}
}

// A cursor is what the engine gives out as a rollout.Cursor: the number of a cut. What was counted up to it stays with
// the engine. So a window that was given out and never saved is there to be given out again, with its clients.
type cursor struct {
	Boot string `json:"boot"`
	Cut  uint64 `json:"cut"`
}

// count ends a window and returns all of them since old.
func (c *counter) count(old cursor, now time.Time) ([]gate.Window, cursor) {
	next := cursor{c.boot, c.cut(now)}
	c.counted(old, now)
	if old.Boot != c.boot {
		return nil, next
	}
	return c.since(old.Cut), next
}

// since returns the windows behind a cut: none where that is of other revisions, or too long ago.
func (c *counter) since(number uint64) []gate.Window {
	var all []gate.Window
	for i, k := range c.cuts {
		if k.number <= number {
			continue
		}
		if i == 0 {
			return nil // where it began is not known
		}
		before, now := c.cuts[i-1].seen, k.seen
		if c.cuts[i-1].inner || k.inner {
			before, now = untimed(before), untimed(now)
		}
		w, ok := between(before, now)
		if ok {
			ok = c.time(&w, i)
		}
		if k.strays != c.cuts[i-1].strays {
			w.Routed = ""
		}
		if ok && answers(w) {
			all = append(all, w)
		}
	}
	return all
}

// answers reports whether anything was counted in a window.
func answers(w gate.Window) bool {
	clients := func(a gate.Arm) bool { return a.Clients != nil && a.Clients.Requests > 0 }
	return w.Candidate.Requests+w.Stable.Requests+w.Misrouted > 0 || clients(w.Candidate) || clients(w.Stable)
}

// between returns the window from a to b; not ok where a counter ran backwards or its buckets are others.
func between(a, b gate.Window) (w gate.Window, ok bool) {
	w = gate.Window{Routed: b.Routed}
	var one, two, three bool
	w.Candidate, one = betweenArms(a.Candidate, b.Candidate)
	w.Stable, two = betweenArms(a.Stable, b.Stable)
	w.Misrouted, three = less(b.Misrouted, a.Misrouted)
	return w, one && two && three
}

func betweenArms(a, b gate.Arm) (gate.Arm, bool) {
	d := gate.Arm{Clients: b.Clients}
	var requests, bad, untimed bool
	d.Requests, requests = less(b.Requests, a.Requests)
	d.Bad, bad = less(b.Bad, a.Bad)
	d.Untimed, untimed = less(b.Untimed, a.Untimed)
	ok := requests && bad && untimed && len(a.Slower) == len(b.Slower)
	if !ok || a.Slower == nil {
		return d, ok
	}
	d.Slower = make([]uint64, len(b.Slower))
	for i := range d.Slower {
		var forward bool
		if d.Slower[i], forward = less(b.Slower[i], a.Slower[i]); !forward {
			return d, false
		}
	}
	return d, true
}

func less(a, b uint64) (uint64, bool) { return a - b, a >= b }

// count returns the windows since a cursor, and the cursor behind them. A cursor of another time, or of other
// revisions, has no windows: counting starts anew.
func (d *daemon) count(id string, c rollout.Cursor) ([]gate.Window, rollout.Cursor, error) {
	u, err := d.unit(id)
	if err != nil {
		return nil, nil, err
	}
	var old cursor
	if len(c) > 0 {
		if err := json.Unmarshal(c, &old); err != nil {
			return nil, nil, invalid("the cursor is not this engine's: %v", err)
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.router == nil {
		return nil, nil, fmt.Errorf("count requests of %s: its address is not open: %w", id, u.unheard)
	}
	windows, next := u.counter.count(old, time.Now())
	b, err := json.Marshal(next)
	return windows, b, err
}
