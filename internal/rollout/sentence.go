package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// mostEntries bounds the history, and with it the record.
const mostEntries = 200

// tell adds a sentence to the history. A full history loses its second entry: how it began
// and what was last are what people look for.
func (r *Record) tell(at time.Time, format string, args ...any) {
	h := slices.Clone(r.History) // the record before the event keeps its own
	if len(h) >= mostEntries {
		h = slices.Delete(h, 1, len(h)-mostEntries+2)
	}
	h = append(h, Entry{At: at, Phase: r.Phase, Weight: r.Weight, Sentence: fmt.Sprintf(format, args...)})
	r.History = h
}

// opening says with which step a rollout begins, and why with that one.
func opening(p Policy, first int, rate float64) string {
	goes := fmt.Sprintf("%d%% of traffic goes to the candidate", p.Steps[first].Weight)
	few := strconv.FormatFloat(rate, 'f', 1, 64) + " requests a second are too few for"
	switch first {
	case 0:
		return fmt.Sprintf("%s, the first of %s.", goes, amount(len(p.Steps), "step"))
	case 1:
		return fmt.Sprintf("%s. The step at %d%% was left out: %s it.", goes, p.Steps[0].Weight, few)
	}
	return fmt.Sprintf("%s. The steps from %d%% to %d%% were left out: %s them.", goes, p.Steps[0].Weight, p.Steps[first-1].Weight, few)
}

// seenAt says what was counted at the step that ends.
func (r *Record) seenAt(weight int) string {
	c, s := r.StepSeen.Candidate, r.StepSeen.Stable
	return fmt.Sprintf("%s of %s failed on it at %d%%, %s of %s on stable",
		gate.Grouped(c.Bad), amount(c.Requests, "request"), weight, gate.Grouped(s.Bad), gate.Grouped(s.Requests))
}

// sofar is the latest word of a gate that did not pass, for a rollout that ends without its verdict.
func (r *Record) sofar() string {
	if len(r.Verdicts) == 0 {
		return "Nothing was counted."
	}
	for _, v := range r.Verdicts {
		if v.Outcome != gate.Pass {
			return v.Sentence
		}
	}
	return r.Verdicts[0].Sentence
}

// drives says who drives now, and after whom.
func drives(e TakenOver, r Record) string {
	if r.Runner == "" {
		return e.Runner + " drives the rollout."
	}
	return fmt.Sprintf("%s drives the rollout, taking over from %s, which last wrote %s ago.",
		e.Runner, r.Runner, lasting(e.At.Sub(r.Renewed)))
}

// abandoned says since when nobody drives.
func (r *Record) abandoned(at time.Time) string {
	switch {
	case r.Renewed.IsZero():
		return fmt.Sprintf("Nobody drove the rollout within %s.", lasting(at.Sub(r.Began)))
	case r.Runner == "":
		return fmt.Sprintf("Nobody drives the rollout: its last runner left %s ago.", lasting(at.Sub(r.Renewed)))
	}
	return fmt.Sprintf("Nobody drives the rollout: %s last wrote %s ago.", r.Runner, lasting(at.Sub(r.Renewed)))
}

// ended says who asked for the end, and when.
func (r *Record) ended(why string) string {
	return fmt.Sprintf("The rollout ended with the candidate at %d%% of traffic: %s.", r.Weight, clause(why))
}

// clause fits somebody else's words into a sentence.
func clause(why string) string { return strings.TrimRight(strings.TrimSpace(why), ".") }

// Short is what of a revision's digest tells it from others.
func Short(revision string) string {
	const enough = 12
	if hex, ok := strings.CutPrefix(revision, "sha256:"); ok && len(hex) > enough {
		return hex[:enough]
	}
	return revision
}

// amount writes how many of something there are.
func amount[N int | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return gate.Grouped(uint64(n)) + " " + noun + "s"
}

// lasting writes a duration as people say it: 2h, 3m20s, 1.5s.
func lasting(d time.Duration) string {
	unit := time.Second
	if d < 10*time.Second {
		unit = 100 * time.Millisecond
	}
	s := max(d, 0).Round(unit).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
