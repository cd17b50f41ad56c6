package report

import (
	"fmt"
	"net/url"
	"sort"
	"strings"
)

// Comment is the page for a pull request: at most CommentLimit, the marker in its first line. What has no room is
// summarised, and is in the summary of the same run.
func (p Page) Comment() string {
	marker := p.marker()
	return marker + p.render(place{room: CommentLimit - len(marker), maxValue: 4 << 10, elsewhere: p.summaryLink()})
}

// Summary is the page for a job summary, at most SummaryLimit, without a marker.
func (p Page) Summary() string {
	return p.render(place{room: SummaryLimit, maxValue: 64 << 10, elsewhere: "in the log of this run"})
}

// Title is the page in some plain words, without any text of others: for a check run's title, a deployment's
// description, a line of a log.
func (p Page) Title() string {
	if len(p.Roots) == 1 {
		return p.Roots[0].verdict().title
	}
	if len(p.Roots) == 0 {
		return noChanges
	}
	var all sum
	first := p.Roots[0].verdict()
	applied := false
	for _, r := range p.Roots {
		if v := r.verdict(); v.rank < first.rank {
			first = v
		}
		applied = applied || r.Apply != nil
		all = all.plus(tally(r.Plan))
	}
	if first.rank < 2 || applied {
		return many(len(p.Roots), "root module") + ", one of them: " + first.title
	}
	return many(len(p.Roots), "root module") + ": " + all.sentence()
}

func (p Page) summaryLink() string {
	if link := p.link("the summary of the run"); link != "" {
		return "in " + link
	}
	return "in the output of the run"
}

// link to the run; "" where there is no URL, or none that a browser should open.
func (p Page) link(text string) string {
	u, err := url.Parse(p.Run)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(p.Run) > 1000 {
		return ""
	}
	return `<a href="` + escaped(u.String()) + `">` + text + "</a>"
}

// render writes all root modules, those in danger first, into the room there is.
func (p Page) render(at place) string {
	roots := append([]Root(nil), p.Roots...)
	sort.SliceStable(roots, func(i, j int) bool { return roots[i].verdict().rank < roots[j].verdict().rank })
	foot := p.foot()
	head := ""
	if len(roots) > 1 {
		head = p.overview(roots, at)
	}
	room := at.room - len(foot) - len(head)
	b := &pad{room: at.room}
	b.add(head)
	for _, s := range p.sections(roots, room, at) {
		b.add(s)
	}
	b.add(foot)
	return b.String()
}

// leastSection is what a section needs to be worth its heading.
const leastSection = 2000

// sections shares the room: what needs less than its share leaves the rest to those after it.
func (p Page) sections(roots []Root, room int, at place) []string {
	var told []Root
	for _, r := range roots {
		if len(roots) == 1 || r.verdict().title != noChanges {
			told = append(told, r)
		}
	}
	room -= 200 // for the last line
	shown := min(len(told), max(1, room/leastSection))
	var full []string
	need, free := 0, room
	for _, r := range told[:shown] {
		at.room = room
		full = append(full, r.section(p, at))
		need += len(full[len(full)-1])
	}
	if need > room {
		order := make([]int, shown)
		for i := range order {
			order[i] = i
		}
		sort.SliceStable(order, func(a, b int) bool { return len(full[order[a]]) < len(full[order[b]]) })
		for n, i := range order {
			if share := free / (shown - n); len(full[i]) > share {
				at.room = share
				full[i] = told[i].section(p, at)
			}
			free -= len(full[i])
		}
	}
	missing := len(told) - shown
	for _, s := range full {
		if s == "" {
			missing++
		}
	}
	if missing > 0 {
		full = append(full, fmt.Sprintf("<p>There is no room here for %s: see the table above. More is %s.</p>\n\n", many(missing, "root module"), at.elsewhere))
	}
	return full
}

// overview is a table of root modules.
func (p Page) overview(roots []Root, at place) string {
	what := "Plan"
	for _, r := range roots {
		if r.Apply != nil {
			what = "Apply"
		}
	}
	b := &pad{room: at.room / 3}
	b.add("<h3>", what, " of ", many(len(roots), "root module"), "</h3>\n\n<table>\n<tr><th align=\"left\">root module</th><th align=\"left\">", strings.ToLower(what), "</th></tr>\n")
	for i, r := range roots {
		v := r.verdict()
		title := escaped(v.title)
		if v.kind == red {
			title = "<b>" + title + "</b>"
		}
		if !b.add("<tr><td>", clipped(r.name(), 200), "</td><td>", title, "</td></tr>\n") {
			b.room += 200
			b.add(fmt.Sprintf("<tr><td colspan=\"2\">and %s more</td></tr>\n", many(len(roots)-i, "root module")))
			break
		}
	}
	b.room += 20
	b.add("</table>\n\n")
	return b.String()
}

// foot says once for all what a review is worth, and where the run is.
func (p Page) foot() string {
	planned, unkeyed := false, false
	for _, r := range p.Roots {
		if f := r.Plan.Fingerprint; r.Apply == nil && r.Err == nil && f.Sum != "" {
			planned, unkeyed = true, unkeyed || !f.Keyed
		}
	}
	text := ""
	switch {
	case planned && p.Fork:
		text = boxed(blue, "**From a fork**: this plan is never applied. What is merged is planned and compared again.")
	case unkeyed:
		text = boxed(yellow, "**Sensitive values are not compared**, for there is no key for fingerprints. A change inside of one, between "+
			"review and apply, goes unnoticed. Give the input `key` a secret of 32 random bytes.")
	case planned:
		text = folded("What a review of this is worth", false, "<p>After the merge the plan is made again. It is applied only if it is this one: "+
			"the same actions on the same resources with the same values, sensitive ones included. Else the apply fails and says what differs. "+
			"The fingerprint that counts is kept elsewhere: to edit this text changes nothing.</p>\n")
	}
	if link := p.link("The run and its log"); link != "" {
		text += "<p><sub>" + link + "</sub></p>\n"
	}
	return text
}
