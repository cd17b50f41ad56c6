package simulate

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// An Outcome is what one rule did in one run.
type Outcome struct {
	End End           `json:"end"`
	At  time.Duration `json:"at"` // since the candidate's first request
	// Exposed are the candidate's requests until the rollout ended; Users those until the horizon,
	// which a promoted candidate serves to the last.
	Exposed uint64 `json:"exposed"`
	Users   uint64 `json:"users"`
	Failed  uint64 `json:"failed"` // users' requests until the horizon, on either arm
	Why     string `json:"why"`
}

// A Point is one window of a rollout.
type Point struct {
	At     time.Duration // its end
	Weight int           // percent
	Alarm  float64       // how far a rollback has come by then, to 1
	Stable float64       // share of stable's requests that fail, the weather
}

// Options of a Run.
type Options struct {
	Runs    int    // 1 or more
	Seed    uint64 // equal seeds give equal results
	Workers int    // all processors where 0
	// Progress is called after each run, by one worker at a time; may be nil.
	Progress func(done, runs int)
}

// Run simulates. It ends early only with ctx's error.
func Run(ctx context.Context, s Scenario, o Options) (Result, error) {
	s = s.filled()
	rules, err := s.rules()
	if err != nil {
		return Result{}, err
	}
	outcomes := make([][]Outcome, len(rules))
	for i := range outcomes {
		outcomes[i] = make([]Outcome, o.Runs)
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	done := 0
	for range min(workers, o.Runs) {
		wg.Go(func() {
			for run := int(next.Add(1)) - 1; run < o.Runs && ctx.Err() == nil; run = int(next.Add(1)) - 1 {
				weather := s.weather(source(o.Seed, run, 0))
				for i, rule := range rules {
					outcomes[i][run], _ = s.trial(rule, weather, source(o.Seed, run, 1+i), nil)
				}
				mu.Lock()
				if done++; o.Progress != nil {
					o.Progress(done, o.Runs)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	return result(s, o, rules, outcomes), nil
}

// Trace returns one run of each rule window by window, of the same weather as that run of Run.
func Trace(s Scenario, seed uint64, run int) ([]Trail, error) {
	s = s.filled()
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	weather := s.weather(source(seed, run, 0))
	var trails []Trail
	for i, rule := range rules {
		t := Trail{Rule: rule.Name()}
		t.Outcome, t.Points = s.trial(rule, weather, source(seed, run, 1+i), []Point{})
		trails = append(trails, t)
	}
	return trails, nil
}

// A Trail is one rule's rollout in one run.
type Trail struct {
	Rule    string
	Outcome Outcome
	Points  []Point // until it ended
}

// source is the randomness of one part of one run: the weather is part 0, rules follow. A run
// draws the same whichever worker does it, and a rule the same whichever rules follow it.
func source(seed uint64, run, part int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(run)<<16|uint64(part)))
}

// trial runs one rollout to the horizon. It records points where they are not nil.
func (s *Scenario) trial(rule Rule, w weather, r *rand.Rand, points []Point) (Outcome, []Point) {
	t := rule.Start(r)
	u := newUsers(s, r)
	if m, ok := t.(interface{ Before(w Seen) }); ok && s.Clients != nil {
		s.history(m.Before, u)
	}
	var o Outcome
	window := time.Duration(s.Window)
	for i, requests := range w.requests {
		at := time.Duration(i+1) * window
		if o.End != "" {
			s.aftermath(&o, r, requests, w.share[i], at)
			continue
		}
		weight := t.Weight()
		seen := u.window(requests, w.share[i], w.slow[i], weight, at-window)
		o.Exposed += seen.Candidate.Requests
		o.Users += seen.Candidate.Requests
		o.Failed += seen.Candidate.Bad + seen.Stable.Bad
		t.See(seen)
		if points != nil {
			points = append(points, Point{at, weight, t.Alarm(), w.share[i]})
		}
		o.End, o.Why = t.End()
		o.At = at
	}
	if o.End == "" {
		o.End, o.Why = Inconclusive, "the horizon came first"
	}
	return o, points
}

// history is the half an hour before a rollout, in which a gate learns which clients fail anyway.
func (s *Scenario) history(before func(w Seen), u *users) {
	window := time.Duration(s.Window)
	for range 30 * time.Minute / window {
		before(u.window(poisson(u.r, s.Traffic.RequestsPerSecond*window.Seconds()), s.Errors.Share, 1, 0, 0))
	}
}

// aftermath lets users live with what was decided.
func (s *Scenario) aftermath(o *Outcome, r *rand.Rand, requests uint64, p float64, at time.Duration) {
	if o.End == Promoted {
		o.Users += requests
		p = s.badly(p, 100, at-time.Duration(s.Window))
	}
	o.Failed += binomial(r, requests, p)
}
