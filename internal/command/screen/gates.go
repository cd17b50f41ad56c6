package screen

import (
	"fmt"
	"math"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// gates draws each gate: harm toward its threshold, health toward its, and both arms' rates.
func (s *sheet) gates(r rollout.Record) {
	if have, needed, several := together(r.Verdicts); several {
		s.blank()
		s.flow("  ", []string{s.paint(strong, "all gates")})
		s.meter("harm", have, needed, bad, "to roll back")
	}
	for _, v := range r.Verdicts {
		s.blank()
		s.gate(v, r)
	}
}

func (s *sheet) gate(v gate.Verdict, r rollout.Record) {
	t := dim
	switch v.Outcome {
	case gate.Pass:
		t = good
	case gate.Fail:
		t = bad
	case gate.Wait:
		t = wait
	}
	name := Clean(v.Gate)
	if v.Edge > 0 {
		name += ", answers slower than " + latency(v.Edge)
	}
	s.flow("  ", []string{s.paint(strong, name), s.paint(t, string(v.Outcome))})
	told := r.Hold
	if r.Failure != nil {
		told += r.Failure.Reason
	}
	if v.Sentence != "" && !strings.Contains(told, v.Sentence) { // it stands above already
		s.text("    ", "", v.Sentence)
	}
	if v.Gate == "split" { // the router's check: it holds, and has nothing to pass
		s.meter("wrong", v.Harm, v.HarmNeeded, bad, "to hold")
		return
	}
	s.meter("harm", v.Harm, v.HarmNeeded, bad, "to roll back")
	s.meter("health", v.Pass, v.PassNeeded, good, "to pass")
	s.rates(v.Rates)
}

// cells is how much of a line a bar gets.
func (s *sheet) cells() int { return min(max(s.width()-52, 8), 30) }

func (s *sheet) meter(name string, value, needed float64, t tone, what string) {
	if !(needed > 1) {
		return
	}
	line := fmt.Sprintf("    %-9s  %s  %s of %s", name, s.bar(toward(value, needed), s.cells(), t), evidence(value), evidence(needed))
	if ansi.StringWidth(line)+1+len(what) <= s.width() {
		line += " " + what
	}
	s.lines = append(s.lines, line)
}

// together is the evidence of harm on which the rollout is decided, where several gates have some. A gate's
// bound is its part of the whole's, so that their shares of what each needs add up.
func together(verdicts []gate.Verdict) (have, needed float64, several bool) {
	var sum, all float64
	n := 0
	for _, v := range verdicts {
		if v.Gate != "split" && v.HarmNeeded > 0 {
			n++
			sum += v.Harm / v.HarmNeeded
			all += 1 / v.HarmNeeded
		}
	}
	if n < 2 {
		return 0, 0, false
	}
	return sum / all, 1 / all, true
}

// rates draws shares of bad answers, or slow ones, with their bounds, on one scale.
func (s *sheet) rates(r gate.Rates) {
	most := math.Max(r.Candidate.High, r.Stable.High)
	if !(most > 0) {
		return // nothing was seen on either arm
	}
	for _, arm := range []struct {
		name string
		i    gate.Interval
		t    tone
	}{{"candidate", r.Candidate, busy}, {"stable", r.Stable, good}} {
		s.lines = append(s.lines, fmt.Sprintf("    %-9s  %s  %s (%s to %s)", arm.name, s.interval(arm.i, most, s.cells(), arm.t), gate.Share(arm.i.Estimate), gate.Share(arm.i.Low), gate.Share(arm.i.High)))
	}
}
