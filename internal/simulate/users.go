package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// A Seen is what was counted in one window.
type Seen struct {
	Lasting           time.Duration
	Candidate, Stable Arm
	answers           []answer // where clients are known; good until the next window
}

// An Arm is what one revision answered.
type Arm struct {
	Requests, Bad uint64
	// Latency counts the requests between edges[i-1] and edges[i]; nil where nobody measures.
	Latency []uint64
	// Pods are the same requests, replica by replica; nil where requests are counted one by one.
	Pods []Arm
}

// An answer is one request of one client.
type answer struct {
	client uint64
	side   gate.Side
	bad    bool
}

// edges are the latencies in seconds at which histograms are cut, the gate's own; the last class has no
// end.
var edges = gate.LatencyEdges[:]

// users send requests in one run under one rule.
type users struct {
	s *Scenario
	r *rand.Rand
	// place says for each client from which share of traffic on it is the candidate's; the first
	// failing of them see all errors.
	place   []float64
	failing int
	answers []answer
	// chances are those of the classes between edges, by the factor on the latency.
	chances map[float64][]float64
}

func newUsers(s *Scenario, r *rand.Rand) *users {
	u := &users{s: s, r: r, chances: map[float64][]float64{}}
	if c := s.Clients; c != nil {
		u.place = make([]float64, c.Count)
		for i := range u.place {
			u.place[i] = r.Float64()
		}
		u.failing = int(math.Ceil(c.Failing * float64(c.Count)))
	}
	return u
}

// window draws what both arms answer to so many requests at a weight, where stable fails with
// the share p and takes slow times as long as usual.
func (u *users) window(requests uint64, p, slow float64, weight int, since time.Duration) Seen {
	badly := u.s.badly(p, weight, since)
	w := Seen{Lasting: time.Duration(u.s.Window)}
	switch {
	case u.place != nil:
		u.byClient(&w, requests, p, badly, float64(weight)/100)
	default:
		w.Candidate.Requests = binomial(u.r, requests, float64(weight)/100)
		w.Stable.Requests = requests - w.Candidate.Requests
		if u.s.Totals != nil {
			u.byPod(&w.Candidate, badly)
			u.byPod(&w.Stable, p)
			break
		}
		w.Candidate.Bad = u.bad(w.Candidate.Requests, badly)
		w.Stable.Bad = u.bad(w.Stable.Requests, p)
	}
	if c := u.s.replayed; c != nil {
		w.Candidate.Latency = c.latency(u.r, w.Candidate.Requests, c.candidate)
		w.Stable.Latency = c.latency(u.r, w.Stable.Requests, c.stable)
	}
	if u.s.Latency != nil {
		w.Candidate.Latency = u.latency(w.Candidate.Requests, slow*u.s.candidate(weight, since).slow)
		w.Stable.Latency = u.latency(w.Stable.Requests, slow)
	}
	return w
}

// byClient lets each request be sent by a client. Stable's errors fall on the failing clients only, as many as the
// share says; what the candidate fails more often falls on anybody.
func (u *users) byClient(w *Seen, requests uint64, stable, candidate, weight float64) {
	concentrated := float64(len(u.place)) / float64(u.failing)
	usual := [2]float64{gate.Candidate: min(1, min(stable, candidate)*concentrated), gate.Stable: min(1, stable*concentrated)}
	more := max(0, candidate-stable)
	u.answers = u.answers[:0]
	for range requests {
		client := u.r.IntN(len(u.place))
		arm, side := &w.Stable, gate.Stable
		if u.place[client] < weight {
			arm, side = &w.Candidate, gate.Candidate
		}
		bad := client < u.failing && u.r.Float64() < usual[side] ||
			side == gate.Candidate && more > 0 && u.r.Float64() < more
		arm.Requests++
		if bad {
			arm.Bad++
		}
		u.answers = append(u.answers, answer{uint64(client), side, bad})
	}
	w.answers = u.answers
}

// byPod lets each replica answer a part, with bursts of its own.
func (u *users) byPod(a *Arm, p float64) {
	pods := make([]uint64, u.s.Totals.Pods)
	even := make([]float64, len(pods))
	for i := range even {
		even[i] = 1 / float64(len(pods))
	}
	multinomial(u.r, a.Requests, even, pods)
	for _, n := range pods {
		pod := Arm{Requests: n, Bad: u.bad(n, p)}
		a.Bad += pod.Bad
		a.Pods = append(a.Pods, pod)
	}
}

// bad draws how many of n requests fail. In bursts, as many of them begin as keep the share.
func (u *users) bad(n uint64, p float64) uint64 {
	burst := u.s.Errors.Burst
	if burst <= 1 {
		return binomial(u.r, n, p)
	}
	longest := 2*burst - 1 // uniform from 1 to it, burst on average
	var bad uint64
	for range binomial(u.r, n, p/burst) {
		bad += 1 + uint64(u.r.Float64()*longest)
	}
	return min(bad, n)
}

// latency draws a histogram of n answers that take slow times as long as usual.
func (u *users) latency(n uint64, slow float64) []uint64 {
	chances, ok := u.chances[slow]
	if !ok {
		chances = u.s.Latency.classes(slow)
		u.chances[slow] = chances
	}
	counts := make([]uint64, len(chances))
	multinomial(u.r, n, chances, counts)
	return counts
}

// classes returns the chances of the classes between edges, and beyond the last.
func (l Latency) classes(slow float64) []float64 {
	below := func(edge float64) float64 {
		z := math.Log(edge/(slow*time.Duration(l.Median).Seconds())) / l.Spread
		return math.Erfc(-z/math.Sqrt2) / 2
	}
	chances := make([]float64, len(edges)+1)
	last := 0.0
	for i, e := range edges {
		now := below(e)
		chances[i], last = now-last, now
	}
	chances[len(edges)] = 1 - last
	return chances
}

// slowest reads the 99th percentile of a histogram as Prometheus does, linearly within a class; the last
// edge where it lies beyond.
// Source: prometheus.io/docs, histogram_quantile().
func slowest(counts []uint64) float64 {
	const q = 0.99
	var all uint64
	for _, c := range counts {
		all += c
	}
	rank := q * float64(all)
	var below float64
	for i, c := range counts {
		if i == len(edges) {
			break
		}
		if below += float64(c); below < rank || c == 0 {
			continue
		}
		from := 0.0
		if i > 0 {
			from = edges[i-1]
		}
		return from + (edges[i]-from)*(rank-(below-float64(c)))/float64(c)
	}
	return edges[len(edges)-1]
}
