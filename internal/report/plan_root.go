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

// boxed puts HTML, line by line, into an alert. The lines hold no line breaks.
func boxed(kind box, lines ...string) string {
	return "> [!" + string(kind) + "]\n> " + strings.Join(lines, "\n> ") + "\n\n"
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

// sentence is "Destroys 1, replaces 2, changes 4, adds 3": the dangerous first.
func (s sum) sentence() string {
	var parts []string
	for _, c := range []struct {
		verb string
		n    int
	}{{"destroys", s.destroy}, {"replaces", s.replace}, {"forgets", s.forget}, {"changes", s.change}, {"adds", s.add},
		{"imports", s.imported}, {"moves", s.move}} {
		if c.n > 0 {
			parts = append(parts, c.verb+" "+count(c.n))
		}
	}
	switch {
	case len(parts) == 0 && s.outputs > 0:
		return "Changes " + many(s.outputs, "output") + " only"
	case len(parts) == 0 && s.read > 0:
		return "Reads " + many(s.read, "data source") + " during apply"
	case len(parts) == 0:
		return noChanges
	}
	text := strings.Join(parts, ", ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// top is what is never folded nor left out: the verdict, what is dangerous, what went wrong.
func (r Root) top() string {
	var b strings.Builder
	if r.Apply != nil {
		b.WriteString(r.Apply.top(r.Plan))
	}
	if r.Err != nil {
		b.WriteString(failureBox(r.Err, "Nothing was planned."))
		b.WriteString(errorDetails(r.Err))
	}
	if r.Err == nil && (r.Apply == nil || r.Apply.Refusal != nil) {
		b.WriteString(planBox(r.Plan, r.Apply != nil))
	}
	b.WriteString(violations(r.Violations))
	return b.String()
}

// planBox is the headline of a plan, with the names of what is destroyed or replaced.
func planBox(p terraform.Plan, refused bool) string {
	v := planVerdict(p)
	title := v.title
	if refused {
		title = "Would be applied now: " + strings.ToLower(title[:1]) + title[1:]
	}
	lines := []string{"<p><b>" + title + "</b>" + planRemark(p) + "</p>"}
	if p.Errored {
		v.kind = red
		lines = []string{"<p><b>The plan is not complete.</b> Terraform stopped with an error; what it found until then: " + title + ".</p>"}
	}
	dangers := dangerous(p)
	for i, c := range dangers {
		if i == mostNamed {
			lines = append(lines, fmt.Sprintf("<ul><li>and %s more</li></ul>", count(len(dangers)-i)))
			break
		}
		lines = append(lines, "<ul><li>"+verbs[c.Action]+" "+changeTitle(c)+"</li></ul>")
	}
	return boxed(v.kind, joinLists(lines)...)
}

// planRemark follows the counts.
func planRemark(p terraform.Plan) string {
	n := tally(p)
	switch {
	case n.destroy+n.replace > 0:
		return ""
	case n == sum{} && len(p.Drift) > 0:
		return ". What changed outside of " + toolWord(p) + " is listed below."
	case n == sum{}:
		return ". What is there is what is configured."
	}
	return ". Nothing is destroyed or replaced."
}

// joinLists makes one list of neighbouring ones, on one line.
func joinLists(lines []string) []string {
	return strings.Split(strings.ReplaceAll(strings.Join(lines, "\n"), "</ul>\n<ul>", ""), "\n")
}

// violations of guards.
func violations(all []terraform.Violation) string {
	if len(all) == 0 {
		return ""
	}
	lines := []string{fmt.Sprintf("<p><b>Blocked by %s</b>: this plan is not applied.</p>", many(len(all), "guard"))}
	for i, v := range all {
		if i == 2*mostNamed {
			lines = append(lines, fmt.Sprintf("<ul><li>and %s more</li></ul>", count(len(all)-i)))
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
	return boxed(red, joinLists(lines)...)
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

// reviewed says what a review of this plan is worth, and what it was made with.
func (r Root) reviewed(p Page) string {
	if r.Err != nil && r.Apply == nil {
		return ""
	}
	f := r.Plan.Fingerprint
	facts := []string{toolName(r.Plan)}
	if p.Head != "" {
		facts = append(facts, "commit "+code(clip(p.Head, 12)))
	}
	if f.Sum != "" {
		facts = append(facts, "fingerprint "+code(clip(f.Sum, 12)))
	}
	text := "<p><sub>" + strings.Join(facts, " · ") + ".</sub></p>\n\n"
	switch {
	case f.Sum == "" || r.Apply != nil:
		return text
	case p.Fork:
		return text + "<p>This pull request comes from a fork: its plan is never applied. What is applied is planned and reviewed again.</p>\n\n"
	case f.Keyed:
		return text + folded("What reviewed means", false, "<p>After the merge the plan is made again. It is applied only if it is this one: "+
			"the same actions on the same resources with the same values, sensitive ones included. Else apply fails and says what differs.</p>\n")
	}
	return text + boxed(yellow, "<p><b>Sensitive values are not compared</b>: there is no key for fingerprints. "+
		"A change inside of a sensitive value between review and apply would not be noticed. Set a key of 32 random bytes as a secret.</p>")
}

func toolWord(p terraform.Plan) string {
	word, _, _ := strings.Cut(toolName(p), " ")
	return word
}

// toolName is "Terraform 1.11.4".
func toolName(p terraform.Plan) string {
	name := "Terraform"
	if p.Tool == "tofu" {
		name = "OpenTofu"
	}
	return strings.TrimSpace(name + " " + escaped(clip(p.Version, 30)))
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

// section is all about one root module. It is "" where there is not even room for its top.
func (r Root) section(p Page, at place) string {
	b := &pad{room: at.room}
	tail := r.reviewed(p)
	b.room -= len(tail)
	if !b.add(r.heading()) || !b.add(r.top()) {
		return ""
	}
	b.add(notes(r.Plan))
	b.add(findings(r.Findings))
	if r.Apply != nil {
		b.add(r.Apply.applied(at.maxValue))
	}
	at.room = b.room - b.Len()
	b.add(r.below(at))
	b.room += len(tail)
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
	return strings.ToUpper(e.Doing[:min(1, len(e.Doing))]) + e.Doing[min(1, len(e.Doing)):] + " failed"
}
