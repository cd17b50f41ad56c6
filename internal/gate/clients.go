package gate

import "math"

// Clients counts an arm's clients in a window, as a Tracker knows them. With sticky routing the client
// is the unit: one that always fails says nothing about its arm by failing again.
type Clients struct {
	// Requests and Failing are the window's requests of the clients that are counted, and how many of these
	// clients had a bad answer: an episode, however many of a client's requests failed.
	Requests uint64 `json:"requests"`
	Failing  uint64 `json:"failing"`
	// Rollout and Step count first failures, since the rollout and since the step began.
	Rollout First `json:"rollout"`
	Step    First `json:"step"`
	// New are the clients that came first in this step in this window; Known all that came in this
	// step so far.
	New   uint64 `json:"new"`
	Known uint64 `json:"known"`
	// Spread sums over the arm's clients since the rollout began.
	Spread Spread `json:"spread"`
	// Slow is how many times more slow answers vary between clients than chance would have it, at the edge where
	// they do most, on both arms; 0 where latencies are not tracked.
	Slow float64 `json:"slow,omitempty"`
	// LeftOut are the clients that are not counted, as they failed on stable already before.
	LeftOut uint64 `json:"left_out,omitempty"`
}

// First counts clients of a window without a bad answer before it, on either arm, and how many of
// them have one now.
type First struct {
	Clean  uint64 `json:"clean"`
	Failed uint64 `json:"failed"`
}

// A Spread is sums over clients of the episodes x and the requests m of each. It tells how much more
// failures vary between clients than chance would have it.
type Spread struct {
	XX float64 `json:"xx"`
	XM float64 `json:"xm"`
	MM float64 `json:"mm"`
	X  float64 `json:"x"`
	M  float64 `json:"m"`
}

func (f First) arm() Arm { return Arm{Requests: f.Clean, Bad: f.Failed}.sound() }

func (c *Clients) episodes() Arm { return Arm{Requests: c.Requests, Bad: c.Failing}.sound() }

// byClient reports whether a window can be judged by clients.
func byClient(w *Window) bool {
	c, s := w.Candidate.Clients, w.Stable.Clients
	return c != nil && s != nil && c.sound() && s.sound()
}

// sound refuses counters that ran backwards.
func (c *Clients) sound() bool {
	return max(c.Requests, c.Failing, c.Rollout.Clean, c.Step.Clean, c.New, c.Known) < absurd
}

// fewClients is the number of candidate clients below which a step's evidence is left out: what a handful of clients
// do tells more about them than about the arm.
const fewClients = 10

// ClientEvidence is what is remembered of clients.
type ClientEvidence struct {
	// First holds ln of the factors of first failures, shaped as ErrorEvidence.Harm.
	First [][]float64 `json:"first"`
	Seen  Window      `json:"seen"` // requests and episodes
	// Known are the candidate's clients at each step.
	Known []uint64 `json:"known"`
	// Spreads are the candidate's and stable's sums. Earlier are those of trackers that are no more.
	Spreads [2]Spread `json:"spreads"`
	Earlier [2]Spread `json:"earlier,omitzero"`
	LeftOut uint64    `json:"left_out,omitempty"`
}

// shaped returns a copy with rows and columns of a gate.
func (e *ClientEvidence) shaped(rows, columns int) *ClientEvidence {
	if e == nil {
		e = &ClientEvidence{}
	}
	next := &ClientEvidence{
		First:   shapedRows(e.First, rows, columns),
		Seen:    Window{Candidate: e.Seen.Candidate.sound(), Stable: e.Seen.Stable.sound()},
		Known:   make([]uint64, rows-1),
		Spreads: e.Spreads,
		Earlier: e.Earlier,
		LeftOut: e.LeftOut,
	}
	copy(next.Known, e.Known)
	return next
}

// observe adds a window's counts. The factors are the gate's.
func (e *ClientEvidence) observe(step int, c, s *Clients) {
	e.Seen.Candidate = e.Seen.Candidate.plus(c.episodes())
	e.Seen.Stable = e.Seen.Stable.plus(s.episodes())
	if step >= 0 && step < len(e.Known) {
		e.Known[step] = max(e.Known[step], c.Known)
	}
	e.LeftOut = max(c.LeftOut, s.LeftOut)
	for i, now := range [2]Spread{c.Spread, s.Spread} {
		if now.M < e.Spreads[i].M { // another tracker: its clients are new to it
			e.Earlier[i] = e.Earlier[i].plus(e.Spreads[i])
		}
		e.Spreads[i] = now
	}
}

func (s Spread) plus(t Spread) Spread {
	return Spread{finite(s.XX + t.XX), finite(s.XM + t.XM), finite(s.MM + t.MM), finite(s.X + t.X), finite(s.M + t.M)}
}

// variance returns the sum over clients of (x - p m)^2, where p is the arm's share.
func (s Spread) variance() float64 {
	if !(s.M > 0) {
		return 0
	}
	p := s.X / s.M
	return s.XX - 2*p*s.XM + p*p*s.MM
}

// phi is how many times more failures vary between clients than chance would have it, at least 1.
func (e *ClientEvidence) phi() float64 {
	c, s := e.Spreads[0].plus(e.Earlier[0]), e.Spreads[1].plus(e.Earlier[1])
	phi := (c.variance() + s.variance()) / (c.X + s.X)
	if !(phi > 1) {
		return 1
	}
	return math.Min(phi, math.MaxFloat64)
}

// row returns ln of half E_F, half E_T tempered by phi. harm is E_T's row.
func (e *ClientEvidence) row(i int, harm []float64) float64 {
	phi := e.phi()
	var episodes, both mean
	for _, l := range harm {
		episodes.add(l / phi)
	}
	both.add(logMean(e.First[i]))
	both.add(episodes.log())
	if i > 0 && e.Known[i-1] < fewClients {
		return math.Min(both.log(), 0)
	}
	return both.log()
}
