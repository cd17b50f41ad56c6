package simulate

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// Replay asks what rules would have done with traffic that was counted: the windows' requests, in
// their order and from the beginning again until the horizon, and both arms failing, and taking
// time, as they did in all windows together. Each rule gives the candidate its own weights, so who
// meets it is drawn anew in every run.
//
// Names are rules of a scenario, "tidegate" by the policy that is given (nil is the default).
func Replay(ctx context.Context, windows []Seen, policy []byte, names []string, horizon time.Duration, o Options) (Result, error) {
	var candidate, stable Arm
	var lasting time.Duration
	for _, w := range windows {
		candidate, stable = candidate.plus(w.Candidate), stable.plus(w.Stable)
		lasting += w.Lasting
	}
	if candidate.Requests == 0 || stable.Requests == 0 || lasting <= 0 {
		return Result{}, errors.New("replay traffic: want windows in which both arms answered requests: there is nothing to replay")
	}
	s := Scenario{
		Title:   "the traffic as counted",
		Window:  Duration(lasting / time.Duration(len(windows))),
		Horizon: Duration(horizon),
		Traffic: Traffic{float64(candidate.Requests+stable.Requests) / lasting.Seconds()},
		Policy:  policy,
	}.filled()
	s.Rules = nil
	for _, name := range names {
		s.Rules = append(s.Rules, RuleSpec{Name: name})
	}
	s.replayed = &counted{windows: windows, stable: stable, candidate: candidate}
	return Run(ctx, s, o)
}

// Counted is a window as gates see it, for Replay.
func Counted(w gate.Window, lasting time.Duration) Seen {
	return Seen{Lasting: lasting, Candidate: armOf(w.Candidate), Stable: armOf(w.Stable)}
}

func armOf(g gate.Arm) Arm {
	a := Arm{Requests: g.Requests, Bad: min(g.Bad, g.Requests)}
	if len(g.Slower) != len(edges) {
		return a
	}
	a.Latency = make([]uint64, len(edges)+1)
	before := g.Requests
	for i, n := range g.Slower {
		n = min(n, before) // counters that ran backwards are no latency
		a.Latency[i] = before - n
		before = n
	}
	a.Latency[len(edges)] = before
	return a
}

// counted is traffic that was counted once and is replayed.
type counted struct {
	windows           []Seen
	stable, candidate Arm // of all windows
}

// weather is the traffic again and again. Nothing else moves.
func (c *counted) weather(n int) weather {
	w := weather{make([]uint64, n), make([]float64, n), make([]float64, n)}
	for i := range n {
		seen := c.windows[i%len(c.windows)]
		w.requests[i] = seen.Candidate.Requests + seen.Stable.Requests
		w.share[i] = c.stable.bad()
		w.slow[i] = 1
	}
	return w
}

// latency draws n answers from those of an arm.
func (c *counted) latency(r *rand.Rand, n uint64, a Arm) []uint64 {
	if a.Latency == nil {
		return nil
	}
	var all float64
	for _, count := range a.Latency {
		all += float64(count)
	}
	chances := make([]float64, len(a.Latency))
	for i, count := range a.Latency {
		chances[i] = float64(count) / max(1, all)
	}
	counts := make([]uint64, len(chances))
	multinomial(r, n, chances, counts)
	return counts
}

func (a Arm) bad() float64 { return float64(a.Bad) / float64(a.Requests) }
