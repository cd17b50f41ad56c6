package router

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
)

// A replica is one model server's address. There is one value an address, whatever tables
// name it, so that requests in flight are known across Set.
type replica struct {
	addr     string
	inFlight atomic.Int64
}

// enter counts a request in, by the table in force when it returns. Counting comes first and
// looking whether the table is still in force second: so whoever calls Set and then Idle
// misses no request, and nothing is sent to a replica that was drained.
func (r *Router) enter(t *table, p *replica) bool {
	p.inFlight.Add(1)
	if r.table.Load() == t {
		return true
	}
	r.leave(p)
	return false
}

// leave counts a request out.
func (r *Router) leave(p *replica) {
	if p.inFlight.Add(-1) > 0 || r.waiting.Load() == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.emptied)
	r.emptied = make(chan struct{})
}

// forget drops replicas that the table does not name and nobody uses; r.mu is held and the
// table in force.
func (r *Router) forget(t *table) {
	named := func(a *arm, p *replica) bool { return a != nil && slices.Contains(a.replicas, p) }
	maps.DeleteFunc(r.replicas, func(_ string, p *replica) bool {
		return p.inFlight.Load() == 0 && !named(t.stable, p) && !named(t.candidate, p)
	})
}

// Idle returns when no request is in flight to any of addrs, or with ctx's error. Only for
// addresses that no table names any longer does it stay true.
func (r *Router) Idle(ctx context.Context, addrs []string) error {
	r.waiting.Add(1)
	defer r.waiting.Add(-1)
	for {
		busy, emptied := r.busy(addrs)
		if len(busy) == 0 {
			return nil
		}
		select {
		case <-emptied:
		case <-ctx.Done():
			return fmt.Errorf("requests are still in flight to %s: %w", strings.Join(busy, ", "), ctx.Err())
		}
	}
}

// busy returns the addresses with requests in flight, and a channel that is closed when one
// of them has no more.
func (r *Router) busy(addrs []string) ([]string, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var busy []string
	for _, addr := range addrs {
		if p, ok := r.replicas[addr]; ok && p.inFlight.Load() > 0 {
			busy = append(busy, addr)
		}
	}
	return busy, r.emptied
}

func (r *Router) addrs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.replicas))
}
