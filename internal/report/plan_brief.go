package report

import (
	"fmt"
	"sort"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// brief tells a plan that has no room: how many of each type, the names of all that is destroyed or replaced, then
// attributes, theirs first, of as many as fit, and the names of the others.
func brief(p terraform.Plan, at place) string {
	b := &pad{room: at.room}
	b.add(fmt.Sprintf("<p>%s: more than has room here. More is %s.</p>\n\n", capital(many(len(p.Changes), "change")), at.elsewhere))
	b.add(typeTable(p, at.room/4))
	feared, others := dangerous(p), harmless(p)
	if len(feared) > mostNamed {
		heading := fmt.Sprintf("Destroyed, replaced or forgotten: %s", count(len(feared)))
		b.add(nameList(heading, feared, (at.room-b.Len())/2))
	}
	room := func(part float64) place {
		return place{room: int(part * float64(at.room-b.Len())), maxValue: at.maxValue}
	}
	b.add(blocks("Destroyed, replaced or forgotten, in detail", feared, room(0.6)))
	b.add(blocks("Other changes, in detail", others, room(0.4)))
	if len(p.Outputs) > 0 {
		told, _ := outputs(p.Outputs, room(0.3))
		b.add(told)
	}
	b.list("Runs provider actions", p.Invokes)
	b.list("Left for a later plan", p.Deferred)
	b.add(nameList(fmt.Sprintf("Other changes: %s", count(len(others))), others, room(0.7).room))
	b.add(nameList(driftHeading(p), p.Drift, room(1).room))
	return b.String()
}

// nameList names changes, as many as fit; "" where hardly any would.
func nameList(heading string, all []terraform.Change, room int) string {
	b := &pad{room: room - 150}
	if len(all) == 0 || room < 1000 || !b.add(opening("<b>"+heading+"</b>", len(all) <= 3*mostNamed), "<ul>\n") {
		return ""
	}
	for i, c := range all {
		if !b.add("<li>", verbs[c.Action], " ", changeTitle(c), "</li>\n") {
			b.room += 80
			b.add(fmt.Sprintf("<li>and %s more</li>\n", count(len(all)-i)))
			break
		}
	}
	b.room = room
	b.add("</ul>\n\n</details>\n\n")
	return b.String()
}

// blocks tells changes with their attributes, as many as fit; of one without room for all attributes, some.
func blocks(heading string, all []terraform.Change, at place) string {
	const usual = 400 // of the smallest ones
	b := &pad{room: at.room - 200}
	told := 0
	for _, c := range all {
		if at.room = b.room - b.Len(); at.room < usual {
			break
		}
		if len(c.Attributes) == 0 {
			continue
		}
		if text, ok := changeBlock(c, at); (ok || told == 0) && b.add(text) {
			told++
		}
	}
	if told == 0 {
		return ""
	}
	return opening(fmt.Sprintf("<b>%s: %s of %s</b>", heading, count(told), count(len(all))), false) + b.String() + "</details>\n\n"
}

// harmless are the others.
func harmless(p terraform.Plan) []terraform.Change {
	var all []terraform.Change
	for _, action := range []terraform.Action{terraform.Update, terraform.Create, terraform.Read, terraform.NoOp} {
		for _, c := range p.Changes {
			if c.Action == action {
				all = append(all, c)
			}
		}
	}
	return all
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
