package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A Promotion is what became of the staged rollouts of a root module.
type Promotion struct {
	Root      string
	Endpoints []Promoted
	Left      []string // endpoints whose turn did not come
}

// A Promoted is an endpoint whose turn came.
type Promoted struct {
	ID      string
	Message string // how it ended, for people
	Driven  bool   // else there was nothing to drive
	Good    bool
	Record  rollout.Record
}

// Title is the promotion in some plain words: "1 of 2 endpoints promoted".
func (p Promotion) Title() string {
	promoted, bad := 0, 0
	for _, e := range p.Endpoints {
		switch {
		case !e.Good:
			bad++
		case e.Driven:
			promoted++
		}
	}
	switch {
	case bad+len(p.Left) > 0:
		return fmt.Sprintf("%s of %s promoted", count(promoted), many(len(p.Endpoints)+len(p.Left), "endpoint"))
	case promoted == 0:
		return "Nothing to promote"
	}
	return many(promoted, "endpoint") + " promoted"
}

// Markdown is the promotion with its evidence, at most limit bytes, which are 1,000 or more.
func (p Promotion) Markdown(limit int) string {
	kind := green
	var lines []string
	for i, e := range p.Endpoints {
		if !e.Good {
			kind = red
		}
		if i < mostNamed {
			lines = append(lines, "<p>"+prose(clip(e.Message, 600))+"</p>")
		}
	}
	if len(p.Left) > 0 {
		kind = red
		lines = append(lines, "<p>Left as it is: "+strings.Join(codes(p.Left), ", ")+"</p>")
	}
	b := &pad{room: limit - 100}
	if !b.add("<h3>Promotion in "+clipped(p.Root, 100)+"</h3>\n\n", boxed(kind, "**"+p.Title()+"**", lines...)) {
		b.add("<h3>Promotion</h3>\n\n", boxed(kind, "**"+p.Title()+"**"))
	}
	for _, e := range p.Endpoints {
		if e.Driven {
			e.write(b)
		}
	}
	return b.String()
}

func codes(texts []string) []string {
	var out []string
	for i, t := range texts {
		if i == mostNamed {
			return append(out, fmt.Sprintf("and %s more", count(len(texts)-i)))
		}
		out = append(out, clipped(t, 100))
	}
	return out
}

// write tells the story of a rollout and what the gates saw. What there is no room for is left out, and said.
func (e Promoted) write(b *pad) {
	if !b.add("<h4>" + clipped(e.ID, 200) + "</h4>\n\n") {
		return
	}
	b.table("<tr><th align=\"left\">time</th><th align=\"left\">users on the candidate</th><th align=\"left\">what happened</th></tr>\n", func(row func(string)) {
		for _, h := range e.Record.History {
			row("<tr><td>" + code(h.At.UTC().Format(time.TimeOnly)) + "</td><td><code>" + bar(h.Weight) + "</code></td><td>" + prose(clip(h.Sentence, 600)) + "</td></tr>\n")
		}
	})
	b.table("<tr><th align=\"left\">gate</th><th align=\"left\">verdict</th><th align=\"left\">evidence</th></tr>\n", func(row func(string)) {
		for _, v := range e.Record.Verdicts {
			row("<tr><td>" + clipped(v.Gate, 60) + "</td><td>" + verdictWord(v.Outcome) + "</td><td>" + prose(clip(v.Sentence, 600)) + "</td></tr>\n")
		}
	})
}

// table adds a table, if it has rows: as many as there is room for.
func (p *pad) table(head string, rows func(row func(string))) {
	const end, more = "</table>\n\n", 60
	p.room -= len(end) + more
	begun, left := false, 0
	rows(func(row string) {
		if left == 0 && !begun {
			begun = p.add("<table>\n", head)
		}
		if !begun || left > 0 || !p.add(row) {
			left++
		}
	})
	p.room += len(end) + more
	if !begun {
		return
	}
	if left > 0 {
		p.add(fmt.Sprintf("<tr><td colspan=\"3\">and %s more</td></tr>\n", count(left)))
	}
	p.add(end)
}

// bar draws a share.
func bar(percent int) string {
	const wide = 20
	full := min(wide, max(0, (percent*wide+50)/100))
	return strings.Repeat("█", full) + strings.Repeat("░", wide-full) + fmt.Sprintf(" %d%%", percent)
}

func verdictWord(o gate.Outcome) string {
	if o == gate.Fail {
		return "<b>fail</b>"
	}
	return escaped(string(o))
}
