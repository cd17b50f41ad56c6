package report

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// mostNamed is how many names a list at the top has; the rest is below.
const mostNamed = 10

// A box is one of GitHub's alerts: its color is what people see first.
type box string

const (
	red    box = "CAUTION"
	yellow box = "WARNING"
	violet box = "IMPORTANT"
	blue   box = "NOTE"
	green  box = "TIP"
)

// boxed is an alert. It begins with Markdown of our own, as GitHub wants it; blocks of HTML follow, each on a line.
func boxed(kind box, first string, blocks ...string) string {
	lists := strings.ReplaceAll(strings.Join(blocks, "\n> "), "</ul>\n> <ul>", "")
	if lists != "" {
		lists = "\n>\n> " + lists
	}
	return "> [!" + string(kind) + "]\n> " + first + lists + "\n\n"
}

// A verdict is the first thing that is said about a root module.
type verdict struct {
	kind  box
	title string // plain words, without any text of others
	rank  int    // of several root modules the one with the lowest comes first
}

// verdict of a root module: what became of it, else what its plan would do.
func (r Root) verdict() verdict {
	switch {
	case r.Apply != nil:
		return r.Apply.verdict(r.Plan)
	case r.Err != nil:
		return verdict{red, failure(r.Err), 0}
	case r.Plan.Errored:
		return verdict{red, "The plan is not complete", 0}
	case len(r.Violations) > 0:
		return verdict{red, fmt.Sprintf("Blocked by %s", many(len(r.Violations), "guard")), 1}
	}
	return planVerdict(r.Plan)
}

func planVerdict(p terraform.Plan) verdict {
	n := tally(p)
	title := n.sentence()
	switch {
	case n.destroy+n.replace > 0:
		return verdict{red, title, 2}
	case n.forget > 0:
		return verdict{yellow, title, 3}
	case title != noChanges:
		return verdict{blue, title, 4}
	}
	return verdict{green, title, 5}
}

const noChanges = "No changes"

// A sum counts a plan's actions. A replacement is one, and not an addition and a destruction.
type sum struct {
	add, change, replace, destroy int
	forget, read, move, imported  int
	outputs                       int
}

func tally(p terraform.Plan) sum {
	s := sum{outputs: len(p.Outputs)}
	for _, c := range p.Changes {
		switch c.Action {
		case terraform.Create:
			s.add++
		case terraform.Update:
			s.change++
		case terraform.Replace:
			s.replace++
		case terraform.Delete:
			s.destroy++
		case terraform.Forget:
			s.forget++
		case terraform.Read:
			s.read++
		case terraform.NoOp:
		}
		if c.Previous != "" {
			s.move++
		}
		if c.Imported != "" {
			s.imported++
		}
	}
	return s
}

func (s sum) plus(t sum) sum {
	return sum{s.add + t.add, s.change + t.change, s.replace + t.replace, s.destroy + t.destroy, s.forget + t.forget,
		s.read + t.read, s.move + t.move, s.imported + t.imported, s.outputs + t.outputs}
}

// parts are "destroys 1", "replaces 2": those that people fear, and all others.
func (s sum) parts() (feared, others []string) {
	for i, c := range []struct {
		verb string
		n    int
	}{{"destroys", s.destroy}, {"replaces", s.replace}, {"forgets", s.forget}, {"changes", s.change}, {"adds", s.add},
		{"imports", s.imported}, {"moves", s.move}} {
		switch {
		case c.n == 0:
		case i < 3:
			feared = append(feared, c.verb+" "+count(c.n))
		default:
			others = append(others, c.verb+" "+count(c.n))
		}
	}
	return feared, others
}

// sentence is "Destroys 1, replaces 2, changes 4, adds 3": the dangerous first.
func (s sum) sentence() string {
	feared, others := s.parts()
	all := append(feared, others...)
	switch {
	case len(all) == 0 && s.outputs > 0:
		return "Changes " + many(s.outputs, "output") + " only"
	case len(all) == 0 && s.read > 0:
		return "Reads " + many(s.read, "data source") + " during apply"
	case len(all) == 0:
		return noChanges
	}
	return capital(strings.Join(all, ", "))
}

// headline is the sentence in Markdown, the dangerous part of it, or all, in bold type.
func (s sum) headline() string {
	feared, others := s.parts()
	if len(feared) == 0 || len(others) == 0 {
		return "**" + s.sentence() + "**"
	}
	return "**" + capital(strings.Join(feared, ", ")) + "**; " + strings.Join(others, ", ")
}

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
	blocks = append(blocks, violations(r.Violations), notes(r.Plan), findings(r.Findings))
	if r.Apply != nil {
		blocks = append(blocks, r.Apply.applied(maxValue)...)
	}
	return blocks
}

// planBox is the headline of a plan, with the names of what is destroyed or replaced.
func planBox(p terraform.Plan, refused bool) string {
	v := planVerdict(p)
	first := tally(p).headline()
	switch {
	case p.Errored:
		v.kind = red
		first = "**The plan is not complete**: " + toolWord(p) + " stopped with an error. What it found until then: " + first
	case refused:
		first = "What would be applied now: " + first
	}
	var lines []string
	dangers := dangerous(p)
	for i, c := range dangers {
		if i == mostNamed {
			lines = append(lines, andMore(len(dangers)-i))
			break
		}
		lines = append(lines, "<ul><li>"+verbs[c.Action]+" "+changeTitle(c)+"</li></ul>")
	}
	return boxed(v.kind, first+planRemark(p), lines...)
}

func andMore(n int) string { return fmt.Sprintf("<ul><li>and %s more</li></ul>", count(n)) }

// planRemark follows the counts.
func planRemark(p terraform.Plan) string {
	n := tally(p)
	switch {
	case p.Errored || n.destroy+n.replace > 0:
		return "."
	case n == sum{} && len(p.Drift) > 0:
		return ". What changed outside of " + toolWord(p) + " is listed below."
	case n == sum{}:
		return ". What is there is what is configured."
	}
	return ". Nothing is destroyed or replaced."
}

// violations of guards.
func violations(all []terraform.Violation) string {
	if len(all) == 0 {
		return ""
	}
	var lines []string
	for i, v := range all {
		if i == 2*mostNamed {
			lines = append(lines, andMore(len(all)-i))
			break
		}
		where := ""
		if v.Address != "" {
			where = clipped(v.Address, 300) + ": "
		}
		rule := code(clip(v.Guard, 60))
		if v.Rule != "" {
			rule += " " + clipped(v.Rule, 100)
		}
		lines = append(lines, "<ul><li>"+where+prose(clip(v.Message, 500))+" ("+rule+")</li></ul>")
	}
	return boxed(red, fmt.Sprintf("**Blocked by %s**: this plan is not applied.", many(len(all), "guard")), lines...)
}

// notes explain resources of Tidegate's own.
func notes(p terraform.Plan) string {
	var items strings.Builder
	n := 0
	for _, c := range p.Changes {
		if len(c.Note) == 0 {
			continue
		}
		if n++; n > 2*mostNamed {
			continue
		}
		fmt.Fprintf(&items, "<li>%s<br>%s</li>\n", clipped(c.Address, 300), proseAll(c.Note))
	}
	if n > 2*mostNamed {
		fmt.Fprintf(&items, "<li>and %s more</li>\n", count(n-2*mostNamed))
	}
	if n == 0 {
		return ""
	}
	return "<p><b>What it means for endpoints</b></p>\n<ul>\n" + items.String() + "</ul>\n\n"
}

func proseAll(sentences []string) string {
	told := make([]string, 0, len(sentences))
	for _, s := range sentences {
		told = append(told, prose(clip(s, 600)))
	}
	return strings.Join(told, "<br>")
}

// findings of fmt and validate.
func findings(all []terraform.Finding) string {
	if len(all) == 0 {
		return ""
	}
	var items strings.Builder
	failed := 0
	for i, f := range all {
		if f.Severity == "error" {
			failed++
		}
		if i >= 2*mostNamed {
			continue
		}
		where := ""
		if f.File != "" {
			where = f.File
			if f.Line > 0 {
				where += fmt.Sprintf(":%d", f.Line)
			}
			where = clipped(where, 200) + " "
		}
		fmt.Fprintf(&items, "<li>%s%s %s</li>\n", where, prose(clip(f.Summary, 300)), prose(clip(f.Detail, 500)))
	}
	if len(all) > 2*mostNamed {
		fmt.Fprintf(&items, "<li>and %s more</li>\n", count(len(all)-2*mostNamed))
	}
	summary := "<b>Remarks on the configuration: " + count(len(all)) + "</b>"
	if failed > 0 {
		summary += fmt.Sprintf(" (%s)", many(failed, "error"))
	}
	return folded(summary, failed > 0, "<ul>\n"+items.String()+"</ul>\n")
}

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
	if r.Apply != nil && r.Apply.Refusal == nil && len(r.Plan.Changes) > 0 {
		begin, end = opening("<b>The plan</b>: "+tally(r.Plan).sentence(), false), "</details>\n\n"
	}
	at.room -= len(begin) + len(end)
	all, ok := changes(r.Plan, at)
	if !ok {
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

// failure says in plain words what failed.
func failure(err error) string {
	var e *terraform.Error
	switch {
	case !errors.As(err, &e):
		return "Failed"
	case e.Lock != nil:
		return "The state is locked"
	case e.Canceled:
		return "Canceled"
	}
	words := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r == ' ' || r == '-' {
			return r
		}
		return -1
	}, clip(e.Doing, 40))
	if words == "" {
		return "Failed"
	}
	return capital(words) + " failed"
}
