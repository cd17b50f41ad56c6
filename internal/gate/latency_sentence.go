package gate

import "fmt"

// sentence says the verdict to a person.
func (g *Latency) sentence(v Verdict, e *LatencyEvidence) string {
	if e.Candidate.Requests == 0 {
		return "No candidate request was timed yet."
	}
	seen := slower(v)
	switch {
	case v.Outcome == Fail:
		return fmt.Sprintf("%s: the candidate is slower, %s.", seen, against(v))
	case v.Outcome == Pass:
		return fmt.Sprintf("%s: at every latency %s.", seen, claim(v.Margin))
	case suspicious(v):
		return fmt.Sprintf("%s: the candidate looks slower, but that is not certain yet; %s.", seen, against(v))
	case v.Margin == (Margin{}):
		return fmt.Sprintf("%s: not enough to tell yet; %s.", seen, against(v))
	}
	return fmt.Sprintf("%s: not enough to tell yet; the evidence that there it is %s, is %s (%s needed).",
		seen, claim(v.Margin), odds(v.Pass), whole(v.PassNeeded))
}

// slower says what both arms did at the verdict's edge.
func slower(v Verdict) string {
	c, s := v.Seen.Candidate, v.Seen.Stable
	took := fmt.Sprintf("%s of %s took longer than %s on the candidate", share(c), amount(c.Requests, "answer"), duration(v.Edge))
	if s.Requests == 0 {
		return took + ", none was timed on stable"
	}
	return fmt.Sprintf("%s, %s of %s on stable", took, share(s), Grouped(s.Requests))
}

// share writes the part of an arm's answers that is slow, "none" where no answer is.
func share(a Arm) string {
	if a.Bad == 0 {
		return "none"
	}
	return percent(a.share())
}
