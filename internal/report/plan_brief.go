package report

import (
	"fmt"
	"sort"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// brief tells what has no room: how many of each type, the names of those that are destroyed or replaced, and the
// attributes of as many of these as fit.
func brief(p terraform.Plan, at place) string {
	b := &pad{room: at.room}
	dangers := dangerous(p)
	b.add(fmt.Sprintf("<p>All %s have no room here. The whole plan is %s.</p>\n\n", many(len(p.Changes), "change"), at.elsewhere))
	b.add(typeTable(p, at.room/3))
	if len(dangers) > mostNamed {
		names := &pad{room: min(at.room/2, at.room-b.Len()-200)}
		for i, c := range dangers {
			if !names.add("<li>", verbs[c.Action], " ", changeTitle(c), "</li>\n") {
				names.room += 100
				names.add(fmt.Sprintf("<li>and %s more</li>\n", count(len(dangers)-i)))
				break
			}
		}
		b.add(opening(fmt.Sprintf("<b>All that is destroyed or replaced: %s</b>", count(len(dangers))), true), "<ul>\n", names.String(), "</ul>\n\n</details>\n\n")
	}
	more := &pad{room: at.room - b.Len() - 200}
	told := 0
	for _, c := range dangers {
		if more.room-more.Len() < 400 {
			break
		}
		if len(c.Attributes) > 0 && more.add(changeBlock(c, at.maxValue)) {
			told++
		}
	}
	if told > 0 {
		b.add(opening(fmt.Sprintf("<b>What is lost with %s of them</b>", count(told)), false), more.String(), "</details>\n\n")
	}
	return b.String()
}

// dangerous are the changes that destroy or replace something, or let go of it.
func dangerous(p terraform.Plan) []terraform.Change {
	var all []terraform.Change
	for _, action := range []terraform.Action{terraform.Delete, terraform.Replace, terraform.Forget} {
		for _, c := range p.Changes {
			if c.Action == action {
				all = append(all, c)
			}
		}
	}
	return all
}

var verbs = map[terraform.Action]string{
	terraform.Delete: "<b>destroys</b>", terraform.Replace: "<b>replaces</b>", terraform.Update: "changes",
	terraform.Create: "adds", terraform.Forget: "<b>forgets</b>", terraform.Read: "reads", terraform.NoOp: "moves or imports",
}

// typeTable counts changes by type, the dangerous types first.
func typeTable(p terraform.Plan, room int) string {
	byType := map[string]map[terraform.Action]int{}
	for _, c := range p.Changes {
		if byType[c.Type] == nil {
			byType[c.Type] = map[terraform.Action]int{}
		}
		byType[c.Type][c.Action]++
	}
	types := make([]string, 0, len(byType))
	for t := range byType {
		types = append(types, t)
	}
	sort.Slice(types, func(i, j int) bool {
		a, b := byType[types[i]], byType[types[j]]
		for _, g := range groups {
			if a[g.action] != b[g.action] {
				return a[g.action] > b[g.action]
			}
		}
		return types[i] < types[j]
	})
	b := &pad{room: room}
	b.add("<table>\n<tr><th align=\"left\">type</th><th>destroys</th><th>replaces</th><th>changes</th><th>adds</th><th>other</th></tr>\n")
	for i, t := range types {
		n := byType[t]
		row := "<tr><td>" + clipped(t, 100) + "</td>"
		for _, v := range []int{n[terraform.Delete], n[terraform.Replace], n[terraform.Update], n[terraform.Create],
			n[terraform.Forget] + n[terraform.Read] + n[terraform.NoOp]} {
			row += "<td align=\"right\">" + positive(v) + "</td>"
		}
		if !b.add(row, "</tr>\n") {
			b.room += 200
			b.add(fmt.Sprintf("<tr><td colspan=\"6\">and %s more types</td></tr>\n", count(len(types)-i)))
			break
		}
	}
	b.room += 20
	b.add("</table>\n\n")
	return b.String()
}

// positive leaves a zero out, so that what is there stands out.
func positive(n int) string {
	if n == 0 {
		return ""
	}
	return count(n)
}
