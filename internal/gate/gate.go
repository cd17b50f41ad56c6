// Package gate judges a candidate by what its users saw: numbers in, a verdict out.
//
// It knows no clock, network or configuration language. A gate watches windows of
// requests on two arms, the candidate and the stable revision, and keeps evidence
// against two hypotheses: that the candidate is no worse (harm), and that it is
// worse than a margin (pass). Both are e-processes: they may be looked at after every
// window, for ever, and their error bounds still hold. GATES.md, and the guide
// "How a gate judges", give the reasons.
package gate

// An Arm is what one revision answered in a window.
type Arm struct {
	Requests uint64 `json:"requests"` // answered, well or badly
	Bad      uint64 `json:"bad"`      // of them: 5xx, no connection, no answer in time
}

// A Window is what both arms answered in the same interval, in which the weight did not change.
type Window struct {
	Candidate Arm `json:"candidate"`
	Stable    Arm `json:"stable"`
}

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
	Gate    string  `json:"gate"` // "errors"
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
	// Sentence says it to a person, with the numbers.
	Sentence string `json:"sentence"`
}

// A Margin is how much worse a candidate may still be where a level is approved.
type Margin struct {
	Ratio float64 `json:"ratio"` // m: odds of a bad answer, candidate over stable
	Floor float64 `json:"floor"` // d: share of bad answers, 0..1, below which the ratio does not matter
}

// MarginFor returns the margin that approving weight (percent; 100 is promotion) asks for.
// Source: GATES.md, "Pass test".
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
