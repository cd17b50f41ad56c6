package gate

import (
	"fmt"
	"math"
)

// sentence says the verdict to a person. The evidence tells where harm was found.
func (g Errors) sentence(v Verdict, e ErrorEvidence) string {
	switch {
	case v.Outcome == Fail:
		return fmt.Sprintf("%s: %s, %s.", counts(v.Seen, true), g.worse(v, &e), against(v))
	case v.Seen.Candidate.Requests == 0:
		return "No candidate request was counted yet."
	case v.Outcome == Pass:
		return fmt.Sprintf("%s: %s.", counts(v.Seen, false), claim(v.Margin))
	case suspicious(v):
		return fmt.Sprintf("%s: the candidate looks worse, but that is not certain yet; %s.", counts(v.Seen, true), against(v))
	}
	return fmt.Sprintf("%s: not enough to tell yet; %s.", counts(v.Seen, false), missing(v))
}

// worse says where the candidate was found to be worse, so that totals that do not show it
// do not surprise.
func (g Errors) worse(v Verdict, e *ErrorEvidence) string {
	rollout := logMean(e.Harm[0])
	step, most := 0, math.Inf(-1)
	for k := range g.Steps {
		if l := logMean(e.Harm[1+k]); l > most {
			step, most = k, l
		}
	}
	if number(rollout) < v.HarmNeeded && most > rollout {
		return fmt.Sprintf("in step %d of %d the candidate is worse", step+1, len(g.Steps))
	}
	if v.Seen.Candidate.share() <= v.Seen.Stable.share() {
		return "compared window by window the candidate is worse"
	}
	return "the candidate is worse"
}

// against gives the evidence for harm.
func against(v Verdict) string {
	return fmt.Sprintf("the evidence of harm is %s (%s needed)", odds(v.Harm), whole(v.HarmNeeded))
}

// missing says what a pass still wants. Only where nothing failed on the candidate is that a number of
// requests; else it depends on what they will be.
func missing(v Verdict) string {
	if v.Margin == (Margin{}) {
		return against(v)
	}
	if v.Seen.Candidate.Bad == 0 {
		if n, ok := goodNeeded(v); ok {
			about := "about"
			if v.Seen.Stable.Bad > 0 {
				about = "at most about" // each further failure on stable speaks for the candidate, too
			}
			if n == 1 {
				return about + " 1 more good candidate request is needed"
			}
			return fmt.Sprintf("%s %s more good candidate requests are needed", about, Grouped(n))
		}
	}
	return fmt.Sprintf("the evidence that it is %s, is %s (%s needed)", claim(v.Margin), odds(v.Pass), whole(v.PassNeeded))
}

// suspicious reports whether there is much evidence of harm, though not enough.
func suspicious(v Verdict) bool { return v.Harm >= math.Sqrt(v.HarmNeeded) }
