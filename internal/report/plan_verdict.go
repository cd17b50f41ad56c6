package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

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
	outputs, invoke, deferred     int
}

func tally(p terraform.Plan) sum {
	s := sum{outputs: len(p.Outputs), invoke: len(p.Invokes), deferred: len(p.Deferred)}
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
		s.read + t.read, s.move + t.move, s.imported + t.imported,
		s.outputs + t.outputs, s.invoke + t.invoke, s.deferred + t.deferred}
}

// parts are "destroys 1", "replaces 2": those that people fear, and all others.
func (s sum) parts() (feared, others []string) {
	for i, c := range []struct {
		n    int
		told string
	}{{s.destroy, "destroys %s"}, {s.replace, "replaces %s"}, {s.forget, "forgets %s"}, {s.change, "changes %s"}, {s.add, "adds %s"},
		{s.imported, "imports %s"}, {s.move, "moves %s"}, {s.invoke, "runs " + many(s.invoke, "provider action")}, {s.deferred, "leaves %s for a later plan"}} {
		told := strings.ReplaceAll(c.told, "%s", count(c.n))
		switch {
		case c.n == 0:
		case i < 3:
			feared = append(feared, told)
		default:
			others = append(others, told)
		}
	}
	return feared, others
}

// sentence is "Destroys 1, replaces 2, changes 4, adds 3": the dangerous first.
func (s sum) sentence() string {
	feared, others := s.parts()
	all := slices.Concat(feared, others)
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
