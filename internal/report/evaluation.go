package report

import (
	"fmt"
	"strconv"
)

// An Evaluation is how a model's metrics were judged.
type Evaluation struct {
	Metrics   string // where they come from: a file's name
	Reference string // "" for none
	Rows      []Metric
}

// A Metric under one rule. A nil number is one that is not there.
type Metric struct {
	Name      string
	Kind      string // "minimum", "maximum" or "regression"
	Limit     string // as it was asked for: "0.9", "-1%"
	Value     *float64
	Allowed   *float64 // what the value was held against
	Reference *float64
	Pass      bool
	Why       string // a sentence: why there is no answer
}

// Title is the evaluation in some plain words: "2 of 5 metrics do not pass".
func (e Evaluation) Title() string {
	failed := 0
	for _, m := range e.Rows {
		if !m.Pass {
			failed++
		}
	}
	switch {
	case len(e.Rows) == 0:
		return "Nothing was evaluated"
	case failed > 0:
		return fmt.Sprintf("%s of %s not passed", count(failed), many(len(e.Rows), "rule"))
	}
	return many(len(e.Rows), "rule") + " passed"
}

// Markdown is the evaluation as a table, what fails first, at most limit bytes, which are 1,000 or more.
func (e Evaluation) Markdown(limit int) string {
	kind, failed := green, []Metric(nil)
	rows := make([]Metric, 0, len(e.Rows))
	for _, m := range e.Rows {
		if m.Pass {
			rows = append(rows, m)
			continue
		}
		failed = append(failed, m)
	}
	if len(failed) > 0 || len(e.Rows) == 0 {
		kind = red
	}
	b := &pad{room: limit - 200}
	source := "<p>" + clipped(e.Metrics, 100)
	if e.Reference != "" {
		source += " against the reference " + clipped(e.Reference, 100)
	}
	if !b.add("<h3>Evaluation</h3>\n\n", boxed(kind, "**"+e.Title()+"**", source+"</p>")) {
		b.add("<h3>Evaluation</h3>\n\n", boxed(kind, "**"+e.Title()+"**"))
	}
	if len(e.Rows) == 0 {
		return b.String()
	}
	b.add("<table>\n<tr><th align=\"left\">metric</th><th>value</th><th align=\"left\">wanted</th><th>reference</th><th align=\"left\">verdict</th></tr>\n")
	for i, m := range append(failed, rows...) {
		if !b.add(m.row()) {
			b.room += 100
			b.add(fmt.Sprintf("<tr><td colspan=\"5\">and %s more</td></tr>\n", count(len(e.Rows)-i)))
			break
		}
	}
	b.room = limit
	b.add("</table>\n")
	return b.String()
}

func (m Metric) row() string {
	verdict := "pass"
	if !m.Pass {
		verdict = "<b>fail</b>"
		if m.Why != "" {
			verdict += ": " + prose(clip(m.Why, 300))
		}
	}
	return "<tr><td>" + clipped(m.Name, 200) + "</td><td align=\"right\">" + figure(m.Value) + "</td><td>" + m.wanted() +
		"</td><td align=\"right\">" + figure(m.Reference) + "</td><td>" + verdict + "</td></tr>\n"
}

// wanted is the limit in words, and what a regression's comes to.
func (m Metric) wanted() string {
	limit := code(clip(m.Limit, 60))
	switch m.Kind {
	case "minimum":
		return "at least " + limit
	case "maximum":
		return "at most " + limit
	}
	if m.Allowed == nil {
		return "reference " + limit
	}
	return "reference " + limit + ": " + figure(m.Allowed)
}

// figure is a number with all its digits: none of them is rounded over a limit.
func figure(v *float64) string {
	if v == nil {
		return ""
	}
	return escaped(strconv.FormatFloat(*v, 'g', -1, 64))
}
