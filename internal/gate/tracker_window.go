package gate

import (
	"math"
	"time"
)

// Window ends a window at a time and returns what it counted.
func (t *Tracker) Window(end time.Time) (candidate, stable Clients) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(end)
	t.limit()
	var both [2]Clients
	t.each(func(s *shard) {
		for _, c := range s.active {
			t.count(c, &both)
		}
		s.active = s.active[:0]
		for side, a := range s.strange {
			t.countStrangers(side, a, &both)
		}
		s.strange = [2]Arm{}
	})
	for side := range both {
		c := &both[side]
		c.Spread, c.Known, c.LeftOut = t.spreads[side], t.came[side], uint64(len(t.left))
		if t.blind {
			c.Rollout = First{}
		}
		if t.blindStep {
			c.Step, c.New = First{}, 0
		}
	}
	both[Candidate].Slow = t.slowSpread()
	both[Stable].Slow = both[Candidate].Slow
	return both[Candidate], both[Stable]
}

// limit sets how many requests of a client are too many.
func (t *Tracker) limit() {
	var requests, clients uint64
	t.each(func(s *shard) {
		for _, c := range s.active {
			requests += uint64(c.now[Candidate].requests) + uint64(c.now[Stable].requests)
			clients++
		}
	})
	t.most = uint32(min(max(heavy*requests/max(clients, 1), leastHeavy), math.MaxUint32))
}

// count adds what a client did in the window, and makes it ready for the next.
func (t *Tracker) count(c *client, both *[2]Clients) {
	before, beforeStep := c.failed, c.step
	for side := range both {
		now := c.now[side]
		if now.requests == 0 || c.left {
			continue
		}
		to := &both[side]
		if now.bad {
			c.failed, c.step.failed = true, true
		}
		to.Rollout.add(!before, now.bad)
		to.Step.add(!beforeStep.failed, now.bad)
		if !beforeStep.came {
			to.New++
			t.came[side]++
		}
		c.step.came = true
		if now.requests <= t.most {
			t.episode(c, side, to)
		}
	}
	if stable := c.now[Stable]; stable.requests > 0 {
		p := &c.past[t.slot%slots]
		p.active++
		if stable.bad {
			p.bad++
		}
	}
	c.now, c.active = [2]answers{}, false
}

// episode adds a client's requests, and whether any of them failed.
func (t *Tracker) episode(c *client, side int, to *Clients) {
	now, x := c.now[side], 0.0
	to.Requests += uint64(now.requests)
	if now.bad {
		to.Failing++
		x = 1
	}
	t.spreads[side].move(&c.x[side], &c.m[side], x, float64(now.requests))
}

// countStrangers adds answers without a key.
func (t *Tracker) countStrangers(side int, a Arm, both *[2]Clients) {
	to, first := &both[side], First{Clean: a.Requests, Failed: a.Bad}
	to.Requests += a.Requests
	to.Failing += a.Bad
	to.Rollout = to.Rollout.plus(first)
	to.Step = to.Step.plus(first)
	to.New += a.Requests
	t.came[side] += a.Requests
	n, x := float64(a.Requests), float64(a.Bad)
	t.spreads[side] = t.spreads[side].plus(Spread{XX: x, XM: x, MM: n, X: x, M: n})
}

func (f *First) add(clean, bad bool) {
	if clean {
		f.Clean++
		if bad {
			f.Failed++
		}
	}
}

func (f First) plus(g First) First { return First{f.Clean + g.Clean, f.Failed + g.Failed} }

// move changes the sums as a client has x episodes and m requests more.
func (s *Spread) move(x, m *float64, dx, dm float64) {
	nx, nm := *x+dx, *m+dm
	s.XX += nx*nx - *x**x
	s.XM += nx*nm - *x**m
	s.MM += nm*nm - *m**m
	s.X += dx
	s.M += dm
	*x, *m = nx, nm
}
