package local

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/process"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// A simFront is an endpoint's address without connections: it splits what a schedule asks, and counts.
type simFront struct {
	clients *gate.Tracker
	deaf    bool // a mutant: it does not hear that the candidate gets less

	mu     sync.Mutex
	table  router.Table
	totals map[string]gate.Arm
}

func (f *simFront) Set(t router.Table) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deaf && t.Weight < f.table.Weight {
		return
	}
	f.table = t
}

func (f *simFront) Totals(revision string) gate.Arm {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.totals[revision]
}

func (f *simFront) now() router.Table {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.table
}

// ask sends n requests, of which a share is answered badly, by revision.
func (f *simFront) ask(n int, rng *rand.Rand, bad func(revision string) float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	candidate := binomial(rng, n, float64(f.table.Weight)/100)
	f.answer(rng, f.table.Candidate, candidate, bad)
	f.answer(rng, f.table.Stable, n-candidate, bad)
}

func (f *simFront) answer(rng *rand.Rand, to router.Arm, n int, bad func(revision string) float64) {
	if n == 0 || to.Revision == "" {
		return
	}
	share := bad(to.Revision)
	if len(to.Addrs) == 0 {
		share = 1
	}
	a := f.totals[to.Revision]
	a.Requests += uint64(n)
	a.Bad += uint64(binomial(rng, n, share))
	f.totals[to.Revision] = a
}

func binomial(rng *rand.Rand, n int, share float64) int {
	switch share {
	case 0:
		return 0
	case 1:
		return n
	}
	k := 0
	for range n {
		if rng.Float64() < share {
			k++
		}
	}
	return k
}

func (f *simFront) Misrouted() uint64                    { return 0 }
func (f *simFront) Strays() uint64                       { return 0 }
func (f *simFront) Clients() *gate.Tracker               { return f.clients }
func (f *simFront) Idle(context.Context, []string) error { return nil }
func (f *simFront) Close(context.Context) error          { return nil }
func (f *simFront) Describe(chan<- *prometheus.Desc)     {}
func (f *simFront) Collect(chan<- prometheus.Metric)     {}

// A temper is how model servers of a revision are.
type temper struct {
	ready time.Duration // from start to ready; 0 is never
	dies  time.Duration // after it was ready, again and again; 0 is never
	bad   float64       // share of its answers
}

// simServers are model servers without processes. They know one replica.
type simServers struct {
	temper  temper
	timeout time.Duration
	addr    string
	changed func()

	mu      sync.Mutex
	state   process.State
	stopped bool
}

const simRestart = 300 * time.Millisecond

func startSim(t temper, c process.Config, changed func()) *simServers {
	g := &simServers{temper: t, timeout: c.StartTimeout, addr: "127.0.0.1:1", changed: changed}
	g.state.Problem = "it starts"
	if t.ready > 0 {
		time.AfterFunc(t.ready, g.up)
	}
	time.AfterFunc(c.StartTimeout, g.late)
	return g
}

func (g *simServers) up() {
	g.change(func(s *process.State) { s.Addrs, s.Failed, s.Problem = []string{g.addr}, false, "" })
	if g.temper.dies > 0 {
		time.AfterFunc(g.temper.dies, g.die)
	}
}

func (g *simServers) late() {
	g.change(func(s *process.State) {
		if s.Restarts == 0 && len(s.Addrs) == 0 {
			s.Failed, s.Problem = true, "no replica was ready in time"
		}
	})
}

// die is a crash of a server that was ready.
func (g *simServers) die() {
	g.change(func(s *process.State) {
		if len(s.Addrs) > 0 {
			s.Addrs, s.Problem = nil, "it died"
			s.Restarts++
			time.AfterFunc(simRestart, g.up)
		}
	})
}

func (g *simServers) change(fn func(*process.State)) {
	g.mu.Lock()
	if !g.stopped {
		fn(&g.state)
	}
	g.mu.Unlock()
	g.changed()
}

func (g *simServers) State() process.State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.state
	s.Addrs = slices.Clone(s.Addrs)
	return s
}

func (g *simServers) Scale(int, func(string)) {}

func (g *simServers) Stop(time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
}
