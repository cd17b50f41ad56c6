package screen

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// Endpoint draws all of an endpoint and its rollout.
func (p Painter) Endpoint(e Endpoint) string {
	s := p.body(e)
	s.rejected(e.Status.Rejected)
	s.history(e.Record.History)
	return s.String()
}

// Progress draws what changes from second to second, for a place where the history is printed anyway.
func (p Painter) Progress(e Endpoint) string { return p.body(e).String() }

func (p Painter) body(e Endpoint) *sheet {
	s := &sheet{Painter: p}
	s.title(e)
	s.weights(e)
	if e.Record.Phase != "" {
		s.steps(e.Record)
		s.standing(e)
		s.gates(e.Record)
	}
	return s
}

func (s *sheet) title(e Endpoint) {
	where, t := Standing(e.Record)
	s.flow("", []string{s.paint(strong, Clean(e.ID)), s.paint(t, where)})
	address := "  " + Clean(e.Status.URL)
	if e.Status.Ready {
		s.lines = append(s.lines, s.paint(dim, address))
		return
	}
	problem := e.Status.Problem
	if problem == "" {
		problem = "the stable revision does not answer"
	}
	s.text("  "+s.paint(bad, "not ready")+"  ", "", problem)
}

// Standing says in some words where a rollout stands, and in which tone.
func Standing(r rollout.Record) (string, tone) {
	steps := policyOf(r).Steps
	at := fmt.Sprintf(", step %d of %d", r.Step+1, len(steps))
	if r.Step >= len(steps) || r.Step < 0 {
		at = ""
	}
	switch r.Phase {
	case "":
		return "no rollout yet", dim
	case rollout.Promoted:
		return string(r.Phase), good
	case rollout.RolledBack:
		return string(r.Phase), bad
	case rollout.Holding:
		return string(r.Phase) + at, wait
	case rollout.AwaitingApproval:
		if r.Approval != nil {
			return "approved" + at, busy
		}
		return string(r.Phase) + at, wait
	case rollout.Preparing:
		if r.Staged && r.Epoch == 0 {
			return "staged", busy
		}
		return string(r.Phase), busy
	case rollout.Observing:
		return string(r.Phase) + at, busy
	}
	return Clean(string(r.Phase)), wait
}

// policyOf reads a record's policy. A policy of a later schema, or a broken one, shows what can be read
// of it: a drawing is no judge.
func policyOf(r rollout.Record) rollout.Policy {
	if p, err := rollout.ParsePolicy(r.Policy); err == nil {
		return p
	}
	return rollout.Policy{}
}

// weights draws how traffic is split, and between which revisions.
func (s *sheet) weights(e Endpoint) {
	s.blank()
	r := e.Record
	stable := Short(e.Status.Stable.Digest)
	if e.Status.Candidate == nil || r.Phase.Final() {
		cells := max(s.width()-len("  stable  100%  ")-len(stable)-2, 10)
		s.lines = append(s.lines, "  "+s.paint(good, "stable")+"  100%  "+s.paint(good, strings.Repeat("█", min(cells, 40)))+"  "+stable)
		return
	}
	weight := min(max(r.Weight, 0), 100)
	left, right := fmt.Sprintf("%d%%", weight), fmt.Sprintf("%d%%", 100-weight)
	cells := min(max(s.width()-len("  candidate  ")-len("  stable")-len(left)-len(right)-4, 8), 60)
	s.lines = append(s.lines, "  "+s.paint(busy, "candidate")+"  "+left+"  "+s.bar(float64(weight)/100, cells, busy)+"  "+right+"  "+s.paint(good, "stable"))
	candidate := Short(e.Status.Candidate.Revision.Digest)
	gap := max(len("  candidate  ")+len(left)+cells+len("  ")+len(right)+len("  stable")+2-2-len(candidate)-len(stable), 2)
	s.lines = append(s.lines, s.paint(dim, "  "+candidate+strings.Repeat(" ", gap)+stable))
}

// steps lists the policy's steps, with the present one marked.
func (s *sheet) steps(r rollout.Record) {
	steps := policyOf(r).Steps
	if len(steps) == 0 {
		return
	}
	var pieces []string
	for i, step := range steps {
		text := fmt.Sprintf("%d%%", step.Weight)
		if step.Approval {
			text += " approval"
		}
		mark, t := "○", dim
		switch {
		case r.Phase == rollout.Promoted || i < r.Step:
			mark, t = "✓", good
		case i > r.Step:
		case r.Phase == rollout.RolledBack:
			mark, t = "✗", bad
		case r.Phase != rollout.Preparing:
			mark, t = "▶", busy
		}
		pieces = append(pieces, s.paint(t, mark+" "+text))
	}
	last := s.paint(dim, "○ promotion")
	if r.Phase == rollout.Promoted {
		last = s.paint(good, "✓ promotion")
	}
	s.blank()
	s.flow("  Steps  ", append(pieces, last))
}

// standing says what a person should know: why it stands where it stands, and who has to do what.
func (s *sheet) standing(e Endpoint) {
	r := e.Record
	s.blank()
	say := func(t tone, format string, args ...any) { s.text("  ", t, fmt.Sprintf(format, args...)) }
	switch {
	case r.Failure != nil:
		say(bad, "%s", r.Failure.Reason)
	case r.Hold != "":
		say(wait, "Held: %s", r.Hold)
	case r.Phase == rollout.Holding:
		say(wait, "Held since %s: no request was counted.", s.moment(r.HeldSince))
	}
	if r.Phase == rollout.AwaitingApproval {
		s.approval(e.ID, r)
	}
	if keep := e.Status.Previous; keep != nil && r.Phase == rollout.Promoted {
		say("", "Revision %s, which served before, is kept until %s: `tidegate rollback %s` goes back to it.",
			Short(keep.Revision.Digest), s.moment(keep.Until), e.ID)
	}
	s.driver(e.ID, r)
}

func (s *sheet) approval(id string, r rollout.Record) {
	if a := r.Approval; a != nil {
		s.text("  ", good, fmt.Sprintf("Approved by %s (%s) at %s; the gates are asked once more.", a.By, a.How, s.moment(a.At)))
		return
	}
	until := r.AwaitingSince.Add(policyOf(r).Limits.Await())
	s.text("  ", wait, fmt.Sprintf("Waits for an approval since %s, until %s: `tidegate approve %s`.", s.moment(r.AwaitingSince), s.moment(until), id))
}

// driver says who drives, or what happens if nobody does.
func (s *sheet) driver(id string, r rollout.Record) {
	switch {
	case r.Phase.Final():
	case r.Staged && r.Epoch == 0:
		s.text("  ", "", fmt.Sprintf("Staged at %s, at weight 0: `tidegate promote %s` starts the rollout.", s.moment(r.Began), id))
	case r.Runner == "":
		last := r.Renewed
		if last.Before(r.Began) {
			last = r.Began
		}
		closes := last.Add(time.Duration(policyOf(r).Limits.AbandonedAfter))
		s.text("  ", wait, fmt.Sprintf("Nobody drives it: the engine takes the candidate off at %s, unless `tidegate promote %s` or an apply goes on.", s.moment(closes), id))
	case r.Took.IsZero():
		s.text("  ", dim, fmt.Sprintf("Driven by %s, which last wrote at %s.", r.Runner, s.moment(r.Renewed)))
	default:
		s.text("  ", dim, fmt.Sprintf("Driven by %s since %s; it last wrote at %s.", r.Runner, s.moment(r.Took), s.moment(r.Renewed)))
	}
}

func (s *sheet) rejected(all []endpoint.Rejection) {
	const most = 3
	if len(all) == 0 {
		return
	}
	s.blank()
	s.lines = append(s.lines, "  "+s.paint(strong, "Rejected"))
	for i, r := range all {
		if i == most {
			s.text("    ", dim, fmt.Sprintf("and %d earlier ones", len(all)-most))
			return
		}
		s.text("    "+Short(r.Revision)+"  ", "", fmt.Sprintf("%s, %s: %s", s.moment(r.At), r.Gate, r.Reason))
	}
}

// history is oldest first: the last line is what happened last.
func (s *sheet) history(all []rollout.Entry) {
	most := s.Most
	if most == 0 {
		most = defaultMost
	}
	if len(all) == 0 {
		return
	}
	s.blank()
	s.lines = append(s.lines, "  "+s.paint(strong, "History"))
	if left := len(all) - most; left > 0 {
		s.text("    ", dim, fmt.Sprintf("%d earlier ones are left out; --json has all", left))
		all = all[left:]
	}
	for _, h := range all {
		s.text(fmt.Sprintf("    %s  %s  ", s.paint(dim, s.moment(h.At)), fmt.Sprintf("%3d%%", h.Weight)), "", h.Sentence)
	}
}
