package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// A weather is how a service fares in each window of one run, whatever any rule does.
type weather struct {
	requests []uint64  // that users send
	share    []float64 // of stable's requests that fail
	slow     []float64 // factor on how long answers take
}

// weather draws one run's.
func (s *Scenario) weather(r *rand.Rand) weather {
	n := int(time.Duration(s.Horizon) / time.Duration(s.Window))
	if s.replayed != nil {
		return s.replayed.weather(n)
	}
	w := weather{make([]uint64, n), make([]float64, n), make([]float64, n)}
	bad, slow := s.incidents(r, n)
	walk := newWalk(s.Errors.Drift, time.Duration(s.Window), r)
	for i := range n {
		w.requests[i] = poisson(r, s.Traffic.RequestsPerSecond*time.Duration(s.Window).Seconds())
		w.share[i] = min(s.Errors.Share*math.Exp(walk.next(r))*bad[i], worst)
		w.slow[i] = slow[i]
	}
	return w
}

// worst is the share of bad answers that drift and incidents go up to.
const worst = 0.5

// incidents returns, for each of n windows, the factors of the incidents that are then.
func (s *Scenario) incidents(r *rand.Rand, n int) (bad, slow []float64) {
	bad, slow = make([]float64, n), make([]float64, n)
	for i := range n {
		bad[i], slow[i] = 1, 1
	}
	c := s.Errors.Incidents
	if c == nil || c.PerHour == 0 {
		return bad, slow
	}
	window := time.Duration(s.Window).Seconds()
	// One that began before the run may still last.
	before := 5 * time.Duration(c.Lasting).Seconds()
	for t := -before; ; {
		t += r.ExpFloat64() * 3600 / c.PerHour
		end := t + r.ExpFloat64()*time.Duration(c.Lasting).Seconds()
		if t >= float64(n)*window {
			return bad, slow
		}
		for i := int(max(t, 0) / window); i < n && float64(i)*window < end; i++ {
			bad[i], slow[i] = c.ErrorsTimes, c.LatencyTimes
		}
	}
}

// A walk is an Ornstein-Uhlenbeck process: it wanders, and returns to 0.
type walk struct{ at, keep, step float64 }

func newWalk(d *Drift, window time.Duration, r *rand.Rand) *walk {
	if d == nil || d.Spread == 0 {
		return &walk{}
	}
	keep := math.Exp2(-window.Seconds() / time.Duration(d.HalfLife).Seconds())
	return &walk{at: d.Spread * r.NormFloat64(), keep: keep, step: d.Spread * math.Sqrt(1-keep*keep)}
}

func (w *walk) next(r *rand.Rand) float64 {
	if w.step == 0 {
		return 0
	}
	w.at = w.keep*w.at + w.step*r.NormFloat64()
	return w.at
}

// A different says how the candidate fares beside stable in one window.
type different struct {
	errors, added, slow float64
}

// candidate returns what is different about the candidate at a weight, a time after its first
// request.
func (s *Scenario) candidate(weight int, since time.Duration) different {
	d := different{1, 0, 1}
	c := s.Candidate
	if weight >= c.FromWeight && since >= time.Duration(c.From) {
		d = different{c.ErrorsTimes, c.ErrorsAdded, c.LatencyTimes}
	}
	if cold := c.ColdStart; cold != nil && since < time.Duration(cold.Lasting) {
		d.errors *= cold.ErrorsTimes
		d.slow *= cold.LatencyTimes
	}
	return d
}

// badly is the candidate's share of bad answers where stable's is p.
func (s *Scenario) badly(p float64, weight int, since time.Duration) float64 {
	if s.replayed != nil {
		return s.replayed.candidate.bad()
	}
	return s.candidate(weight, since).share(p)
}

// share is the candidate's share of bad answers where stable's is p.
func (d different) share(p float64) float64 {
	worse := d.errors * p / (1 - p + d.errors*p)
	return 1 - (1-worse)*(1-d.added)
}
