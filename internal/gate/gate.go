// Package gate judges a candidate by what its users saw: numbers in, a verdict out.
//
// It knows no clock, network or configuration language. A gate watches windows of
// requests on two arms, the candidate and the stable revision, and keeps evidence
// against two hypotheses: that the candidate is no worse (harm), and that it is
// worse than a margin (pass).
//
//	errors := gate.NewErrors([]int{5, 25, 50}) // one margin for each step's exit
//	g := gate.Gates{Alpha: .01, Beta: .05, Errors: &errors}
//	e := g.Start()                             // no evidence
//	e = g.Observe(e, step, window)             // after every window
//	switch j := g.Judge(e, step); j.Outcome {  // as often as you like
//	case gate.Fail: // roll back; j.Reason names the gate, its verdict's sentence says why
//	case gate.Pass: // the next level is approved
//	case gate.Wait: // go on counting; j.Hold says if the weight has to stay
//	}
//
// # Evidence
//
// Evidence is an e-value: what a bet against a hypothesis has made of a stake of 1. If the
// hypothesis holds, the bet wins nothing on average, however long it runs, so the chance
// that it EVER stands at 100 or more is at most 1 in 100 (Ville's inequality). That is why a
// gate may be asked after every window, stopped, resumed and asked again, without the
// inflated error rates of a test that is repeated until it says yes. Evidence from different
// windows multiplies; the mean of e-values is an e-value. 1 is no evidence at all.
//
// # One window
//
// A window gives a 2x2 table: good and bad answers on either arm, in the same interval. Given
// its margins (how many requests each arm had, how many failed in all), the share of the
// failures that fell on the candidate depends only on the odds ratio w between the arms, by
// Fisher's noncentral hypergeometric law. How often requests fail, and that it changes by the
// minute, cancels. The evidence of a window for a ratio w1 against a ratio w0 is the quotient
// of the two probabilities (kernel.go). A window without a request on one arm, without a
// failure or with nothing but failures has quotient 1: no traffic is no evidence.
//
// # Harm
//
// The hypothesis to refute: the odds of a bad answer are at most 1.1 times stable's (the
// tolerance), in every window. The bet is spread over larger ratios, from 1.25 to 200, half of
// it since the rollout began and half over bets that start with a step and end with it, so
// that a healthy past does not shield harm that begins late. At 1/Alpha the gate fails.
//
// # Pass
//
// The hypothesis to refute: the odds are at least m times stable's AND at least a share d of the
// candidate's answers is bad. One half of the bet compares the arms, at equal odds against m times;
// the other looks at the candidate alone, because two revisions that never fail have nothing to
// compare. At 1/Beta the gate passes: "less than m times worse, or below d". Every step
// has its own m and d (MarginFor), stricter for more traffic, and each step's bet runs from the first
// window on. The harm test is asked first.
//
// # Latency
//
// The same questions at each of 97 latencies: how many answers took longer. The bet on harm is spread over those that
// between 1% and 50% of stable's answers exceed; a pass needs every one of them by itself (latency.go).
//
// # Several gates
//
// The mean of their evidence, weighted by shares of Alpha, is evidence, whatever the gates have to do with each other:
// 1/Alpha of that fails (gates.go).
//
// # Clients
//
// Where a client stays with an arm, its failures are one piece of news. A Tracker counts who fails for the
// first time, and how much failures cluster on clients (tracker.go). First failures are exact evidence; the rest counts
// by its root, the more clients differ the higher (clients.go). Where only totals of pods are known, the spread between
// pods takes that place (totals.go), and with fewer than four pods harm holds the weight instead of rolling back.
//
// # The router
//
// That the weights are what they should be is checked as well (split.go).
//
// # What the numbers promise
//
// A harmless candidate ever fails with probability at most Alpha; one beyond a step's margin
// ever passes that step with probability at most Beta. This holds for any change of traffic
// or base rate, any rule for weights that does not look into the future, and any crash in
// between. It supposes that requests fail independently of each other, given the moment; where clients or totals are
// counted, what is tempered rests on simulation.
//
// The guide "A rollout, from plan to promotion" says it without the mathematics.
package gate

// An Arm is what one revision answered in a window.
type Arm struct {
	Requests uint64 `json:"requests"` // answered, well or badly
	Bad      uint64 `json:"bad"`      // of them: 5xx, no connection, no answer in time
	// Slower[i] is how many of the requests that were timed took longer than LatencyEdges[i]; nil: not measured.
	// A source with fewer edges repeats at one that it does not know the count of the next that it does.
	Slower []uint64 `json:"slower,omitempty"`
	// Untimed are requests whose latency says nothing, as a bad answer's: else a revision that fails fast would look
	// fast, and one that mends such failures slow. An answer that did not begin in time is timed: it was slow.
	Untimed uint64 `json:"untimed,omitempty"`
	// Clients counts clients instead of requests; nil where no key tells who they are.
	Clients *Clients `json:"clients,omitempty"`
	// Pods are the same requests, replica by replica, where a source knows totals only.
	Pods []Arm `json:"pods,omitempty"`
}

// A Window is what both arms answered in the same interval, in which the weight did not change.
type Window struct {
	Candidate Arm `json:"candidate"`
	Stable    Arm `json:"stable"`
	// Totals means that all that is known is totals of counters, so that requests of one burst
	// look like independent ones. Then evidence counts by how much stable's pods spread.
	Totals bool `json:"totals,omitempty"`
	// Routed says what weights were applied to; empty where that is not known.
	Routed Routing `json:"routed,omitempty"`
	// Timed holds the requests whose latency counts, where they are others than the window's: of several windows in a
	// row the last has those of all. Then neither has it a histogram of its own.
	Timed *Window `json:"timed,omitempty"`
	// Misrouted requests were answered by another arm than their client's key says.
	Misrouted uint64 `json:"misrouted,omitempty"`
}

// A Routing is the unit that goes to one arm or the other.
type Routing string

// The routings.
const (
	ByRequest Routing = "request" // each request for itself
	ByClient  Routing = "client"  // sticky: a client stays, with all of its requests
)

// An Outcome is what a gate says now.
type Outcome string

// The three outcomes. No evidence is Wait, never Pass.
const (
	Wait Outcome = "wait"
	Pass Outcome = "pass"
	Fail Outcome = "fail"
)

// A Verdict is an outcome with the numbers it rests on.
type Verdict struct {
	Gate    string  `json:"gate"` // "errors", "latency" or "split"
	Outcome Outcome `json:"outcome"`
	// Seen is all that was counted since the rollout began.
	Seen Window `json:"seen"`
	// Harm is the evidence that the candidate is worse, an e-value; it fails at HarmNeeded.
	// Both are capped at math.MaxFloat64, so that they are numbers in JSON.
	Harm       float64 `json:"harm"`
	HarmNeeded float64 `json:"harm_needed"`
	// Pass is the evidence that it is less than Margin.Ratio times worse, or below
	// Margin.Floor; it passes at PassNeeded.
	Pass       float64 `json:"pass"`
	PassNeeded float64 `json:"pass_needed"`
	Margin     Margin  `json:"margin"`
	// Rates are the shares of bad (or slow) answers that were seen, with confidence sequences.
	Rates Rates `json:"rates,omitzero"`
	// Edge is the latency, in seconds, that Seen, Rates and Sentence speak of; latency only.
	Edge float64 `json:"edge,omitempty"`
	// Sentence says it to a person, with the numbers.
	Sentence string `json:"sentence"`
}

// A Margin is how much worse a candidate may still be where a level is approved.
type Margin struct {
	Ratio float64 `json:"ratio"` // m: odds of a bad answer, candidate over stable
	Floor float64 `json:"floor"` // d: share of bad answers, 0..1, below which the ratio does not matter
}

// MarginFor returns the margin that approving weight (percent; 100 is promotion) asks for.
// Source: docs/guides/gates.md, "Pass test".
func MarginFor(weight int) Margin {
	switch {
	case weight <= 5:
		return Margin{10, 0.05}
	case weight <= 10:
		return Margin{4, 0.02}
	case weight <= 25:
		return Margin{3, 0.01}
	case weight <= 50:
		return Margin{2, 0.005}
	}
	return Margin{1.5, 0.001}
}

// MarginsFor returns the margins of steps with these weights (percent). A pass at a step approves the next weight, at
// the last one promotion.
func MarginsFor(weights []int) []Margin {
	var all []Margin
	for i := range weights {
		next := 100
		if i+1 < len(weights) {
			next = weights[i+1]
		}
		all = append(all, MarginFor(next))
	}
	return all
}
