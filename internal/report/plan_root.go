package report

import (
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// mostNamed is how many names a list at the top has; the rest is below.
const mostNamed = 10

// top is what is told before the changes, block by block: the verdict, what is dangerous, what went wrong.
func (r Root) top(maxValue int) []string {
	var blocks []string
	if r.Apply != nil {
		blocks = append(blocks, r.Apply.top(r.Plan)...)
	}
	if r.Err != nil {
		blocks = append(blocks, failureBox(r.Err, "Nothing was planned."))
		blocks = append(blocks, errorDetails(r.Err)...)
	}
	if r.Err == nil && (r.Apply == nil || r.Apply.Refusal != nil) {
		blocks = append(blocks, planBox(r.Plan, r.Apply != nil))
	}
	blocks = append(blocks, violations(r.Violations))
	if !r.planIsPast() {
		blocks = append(blocks, notes(r.Plan))
	}
	blocks = append(blocks, findings(r.Findings))
	if r.Apply != nil {
		blocks = append(blocks, r.Apply.applied(maxValue)...)
	}
	return blocks
}

// planIsPast reports whether the plan was applied, or was tried to be.
func (r Root) planIsPast() bool { return r.Apply != nil && r.Apply.Refusal == nil }

// facts are what a plan was made of and with.
func (r Root) facts(p Page) string {
	if r.Err != nil && r.Apply == nil {
		return ""
	}
	facts := []string{toolName(r.Plan)}
	if r.Apply != nil && r.Apply.Commit != "" {
		facts = append(facts, "commit "+code(short(r.Apply.Commit)))
	}
	if r.Apply == nil && p.Head != "" {
		facts = append(facts, "commit "+code(short(p.Head)))
	}
	if sum := r.Plan.Fingerprint.Sum; sum != "" {
		facts = append(facts, "fingerprint "+code(short(sum)))
	}
	return "<p><sub>" + strings.Join(facts, " · ") + "</sub></p>\n\n"
}

// short is the beginning of a hash.
func short(hash string) string { return strings.TrimSuffix(clip(hash, 12), "…") }

func toolWord(p terraform.Plan) string {
	if p.Tool == "tofu" {
		return "OpenTofu"
	}
	return "Terraform"
}

// toolName is "Terraform 1.11.4".
func toolName(p terraform.Plan) string {
	return strings.TrimSpace(toolWord(p) + " " + prose(clip(p.Version, 30)))
}

// name is how people call a root module.
func (r Root) name() string {
	switch {
	case r.Workspace == "" || r.Workspace == "default":
		return r.Dir
	case r.Dir == "." || r.Dir == "":
		return r.Workspace
	}
	return r.Dir + " (" + r.Workspace + ")"
}

// section is all about one root module. It is "" where there is no room for it.
func (r Root) section(p Page, at place) string {
	tail := r.facts(p)
	b := &pad{room: at.room - len(tail) - 200}
	v := r.verdict()
	if !b.add(r.heading()) || b.room < 2*b.Len()+400 {
		return ""
	}
	missing := 0
	full := b.room
	b.room = full * 3 / 4 // the rest is for changes
	for i, block := range r.top(at.maxValue) {
		switch {
		case b.add(block):
		case i == 0 && b.add(boxed(v.kind, "**"+v.title+"**")):
		default:
			missing++
		}
	}
	b.room = full
	if missing > 0 {
		b.add("<p>Some of what there is to say has no room here. More is ", at.elsewhere, ".</p>\n\n")
	}
	at.room = b.room - b.Len()
	b.add(r.below(at))
	b.room += len(tail) + 200
	b.add(tail)
	return b.String()
}

// below is all that the plan changes: folded where it was applied already.
func (r Root) below(at place) string {
	begin, end := "", ""
	if r.planIsPast() && (len(r.Plan.Changes) > 0 || len(r.Plan.Outputs) > 0) {
		begin, end = opening("<b>The plan</b>: "+tally(r.Plan).sentence(), false), "</details>\n\n"
		if told := notes(r.Plan); len(begin)+len(told) < at.room/2 {
			begin += told
		}
	}
	at.room -= len(begin) + len(end)
	at.open = len(r.Plan.Changes) <= 3 && !r.planIsPast()
	all, ok := changes(r.Plan, at)
	if !ok {
		at.open = false
		all = brief(r.Plan, at)
	}
	return begin + all + end
}

// heading of the section.
func (r Root) heading() string {
	what := "Plan"
	if r.Apply != nil {
		what = "Apply"
	}
	if r.name() == "." || r.name() == "" {
		return "<h3>" + what + "</h3>\n\n"
	}
	return "<h3>" + what + ": " + clipped(r.name(), 200) + "</h3>\n\n"
}
