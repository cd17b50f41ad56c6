package gate

import "sync/atomic"

// groups counts slow answers of clients in groups. That groups of independent clients differ more than chance would have
// it is that clients do, and by as much: so nothing need be kept of each client at each edge.
type groups struct {
	counts atomic.Pointer[groupCounts] // nil until an answer is timed: most endpoints have no clients that stay
}

type groupCounts struct {
	took [groupCount][Edges + 1]atomic.Uint64 // by how many edges an answer took longer than
	// began is what took was when the rollout began.
	began [groupCount][Edges + 1]uint64
}

const groupCount = 32

// Timed notes how long an answer to a client took: longer than so many of LatencyEdges. As Answered it may be called by
// any goroutine, for those answers whose latency counts.
func (t *Tracker) Timed(hash uint64, side Side, edges int) {
	// Other bits of the second hash than those by which clients are sampled, and shards chosen.
	g := mix(hash) >> 16 % groupCount
	t.slow[side].made().took[g][max(0, min(edges, Edges))].Add(1)
}

// made returns the counts, which begin at zero.
func (g *groups) made() *groupCounts {
	if c := g.counts.Load(); c != nil {
		return c
	}
	g.counts.CompareAndSwap(nil, &groupCounts{})
	return g.counts.Load()
}

func (g *groups) begin() {
	n := g.counts.Load()
	if n == nil {
		return
	}
	for i := range n.took {
		for j := range n.took[i] {
			n.began[i][j] = n.took[i][j].Load()
		}
	}
}

// A crowd is groups' answers since the rollout began: all, and those slower than an edge.
type crowd struct {
	since    [groupCount][Edges + 1]uint64
	all      [groupCount]float64
	slower   [groupCount]float64
	requests float64
	filled   float64
}

func (g *groups) crowd() (c crowd) {
	n := g.counts.Load()
	if n == nil {
		return c
	}
	for i := range n.took {
		for j := range n.took[i] {
			c.since[i][j] = n.took[i][j].Load() - n.began[i][j]
			c.all[i] += float64(c.since[i][j])
		}
		c.requests += c.all[i]
		if c.all[i] > 0 {
			c.filled++
		}
	}
	return c
}

// slowSpread returns phi of slow answers since the rollout began, the largest of the edges that a gate looks at; 0
// where no answer was timed.
func (t *Tracker) slowSpread() float64 {
	c, s := t.slow[Candidate].crowd(), t.slow[Stable].crowd()
	if c.requests+s.requests == 0 {
		return 0
	}
	most := 1.0
	for edges := Edges; edges > 0; edges-- {
		squaresC, expectedC := c.dispersion(edges)
		squaresS, expectedS := s.dispersion(edges)
		if expected := expectedC + expectedS; expected > 0 {
			most = max(most, (squaresC+squaresS)/expected)
		}
	}
	return most
}

// dispersion adds the answers slower than exactly so many edges. It returns the sum over groups of (x - p m)^2 for
// those slower than the last of these edges, and what chance makes of it; nothing where no gate looks.
func (c *crowd) dispersion(edges int) (squares, expected float64) {
	var slow float64
	for i := range c.slower {
		c.slower[i] += float64(c.since[i][edges])
		slow += c.slower[i]
	}
	p := slow / c.requests
	if !(p >= rarest && p <= commonest) || c.filled < 2 {
		return 0, 0
	}
	for i, x := range c.slower {
		d := x - p*c.all[i]
		squares += d * d
	}
	return squares, slow * (1 - p) * (1 - 1/c.filled)
}
