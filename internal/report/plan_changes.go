package report

import (
	"fmt"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// A place is where a text is to be read, and how much of it there may be.
type place struct {
	room      int    // bytes
	maxValue  int    // bytes of one value
	open      bool   // resources with few attributes are not folded
	elsewhere string // where the rest is: "in the summary of the run"
}

// A pad takes what fits.
type pad struct {
	strings.Builder
	room int
}

// add reports whether there was room for all of it; else it takes nothing.
func (p *pad) add(parts ...string) bool {
	size := 0
	for _, s := range parts {
		size += len(s)
	}
	if p.Len()+size > p.room {
		return false
	}
	for _, s := range parts {
		p.WriteString(s)
	}
	return true
}

// groups are the actions as headings say them.
var groups = []struct {
	action terraform.Action
	verb   string
	open   int // a group of up to so many is not folded
}{
	{terraform.Delete, "Destroys", 20},
	{terraform.Replace, "Replaces", 20},
	{terraform.Update, "Changes", 10},
	{terraform.Create, "Adds", 5},
	{terraform.Forget, "Forgets", 5},
	{terraform.Read, "Reads during apply", 0},
	{terraform.NoOp, "Moves or imports", 10},
}

// changes tells all changes, outputs and drift. It is false where there is no room for all of it.
func changes(p terraform.Plan, at place) (string, bool) {
	b := &pad{room: at.room}
	byAction := map[terraform.Action][]terraform.Change{}
	for _, c := range p.Changes {
		byAction[c.Action] = append(byAction[c.Action], c)
	}
	for _, g := range groups {
		heading := fmt.Sprintf("%s %s", g.verb, count(len(byAction[g.action])))
		if !b.group(heading, byAction[g.action], g.open, at) {
			return "", false
		}
	}
	if !b.list("Runs provider actions", p.Invokes) || !b.list("Left for a later plan", p.Deferred) {
		return "", false
	}
	at.room = b.room - b.Len()
	if text, ok := outputs(p.Outputs, at); !ok || !b.add(text) {
		return "", false
	}
	if !b.group(driftHeading(p), p.Drift, 0, at) {
		return "", false
	}
	return b.String(), true
}

// list names addresses below a heading; it is false where there is no room.
func (p *pad) list(heading string, addresses []string) bool {
	return len(addresses) == 0 || p.add(folded(fmt.Sprintf("<b>%s: %s</b>", heading, count(len(addresses))), len(addresses) <= 10, names(addresses)))
}

func driftHeading(p terraform.Plan) string {
	return fmt.Sprintf("Changed outside of %s: %s", toolWord(p), count(len(p.Drift)))
}

// group is a list of changes below a heading, folded where it is long; it is false where there is no room.
func (p *pad) group(heading string, all []terraform.Change, open int, at place) bool {
	begin, end := "<h4>"+heading+"</h4>\n\n", ""
	switch {
	case len(all) == 0:
		return true
	case len(all) > open:
		begin, end = opening("<b>"+heading+"</b>", false), "</details>\n\n"
	}
	if !p.add(begin) {
		return false
	}
	for i, c := range all {
		at.room = p.room - p.Len()
		block, ok := changeBlock(c, at)
		if !ok {
			return false
		}
		if len(c.Attributes) == 0 { // neighbours without attributes are one list
			if i > 0 && len(all[i-1].Attributes) == 0 {
				block = strings.TrimPrefix(block, "<ul>")
			}
			if i+1 < len(all) && len(all[i+1].Attributes) == 0 {
				block = strings.TrimSuffix(block, "</ul>\n\n") + "\n"
			}
		}
		if !p.add(block) {
			return false
		}
	}
	return p.add(end)
}

func opening(summary string, open bool) string {
	if open {
		return "<details open><summary>" + summary + "</summary>\n\n"
	}
	return "<details><summary>" + summary + "</summary>\n\n"
}

func folded(summary string, open bool, content string) string {
	return opening(summary, open) + content + "</details>\n\n"
}

// changeBlock is one resource: its address, and its attributes folded below. It is false where there is no room for all
// of them.
func changeBlock(c terraform.Change, at place) (string, bool) {
	if len(c.Attributes) == 0 {
		return "<ul><li>" + changeTitle(c) + "</li></ul>\n\n", true
	}
	title := changeTitle(c)
	at.room -= len(title) + 100
	text, left := diffBlock(c.Attributes, at)
	return folded(title, at.open && len(c.Attributes) <= fewAttributes, text), left == 0
}

// fewAttributes are so few that people see them without a click, in a small plan.
const fewAttributes = 12

// changeTitle is a resource's address and what is to be known about it on the same line.
func changeTitle(c terraform.Change) string {
	parts := []string{clipped(c.Address, 300)}
	if c.Deposed != "" {
		parts = append(parts, "deposed object "+clipped(c.Deposed, 40))
	}
	if c.Previous != "" {
		parts = append(parts, "moved from "+clipped(c.Previous, 300))
	}
	if c.Imported != "" {
		parts = append(parts, "imported by id "+clipped(c.Imported, 200))
	}
	if why := because(c); why != "" {
		parts = append(parts, why)
	}
	return strings.Join(parts, ", ")
}

// reasons are Terraform's own, in words.
var reasons = map[string]string{
	"replace_because_tainted":           "it is tainted",
	"replace_by_request":                "it was asked for by -replace",
	"replace_by_triggers":               "of its <code>replace_triggered_by</code>",
	"delete_because_no_resource_config": "it is no longer configured",
	"delete_because_no_module":          "its module is no longer configured",
	"delete_because_wrong_repetition":   "<code>count</code> or <code>for_each</code> came or went",
	"delete_because_count_index":        "its index is beyond <code>count</code>",
	"delete_because_each_key":           "its key is no longer in <code>for_each</code>",
	"delete_because_no_move_target":     "what it was moved to is not configured",
	"read_because_config_unknown":       "its arguments are known after apply",
	"read_because_dependency_pending":   "what it depends on changes",
	"read_because_check_nested":         "a check block asks for it",
}

// because says why a resource is replaced, destroyed or read.
func because(c terraform.Change) string {
	var forced []string
	for _, a := range c.Attributes {
		if a.Forces {
			forced = append(forced, clipped(a.Path, 60))
		}
	}
	why, ok := reasons[c.Reason]
	switch {
	case len(forced) > 3:
		why = fmt.Sprintf("%s and %s more attributes change", strings.Join(forced[:3], ", "), count(len(forced)-3))
	case len(forced) > 0:
		why = strings.Join(forced, ", ") + " changes"
		if len(forced) > 1 {
			why = strings.Join(forced, ", ") + " change"
		}
	case c.Reason == "replace_because_cannot_update":
		why = "it cannot be changed in place"
	case !ok && c.Reason != "":
		why = "of " + clipped(c.Reason, 80)
	}
	if why == "" {
		return ""
	}
	if c.Action == terraform.Replace && c.CreateFirst {
		return "because " + why + "; the new one is created first"
	}
	return "because " + why
}

// outputs that change; it is false where there is no room for all of them.
func outputs(all []terraform.OutputChange, at place) (string, bool) {
	if len(all) == 0 {
		return "", true
	}
	attributes := make([]terraform.Attribute, len(all))
	for i, o := range all {
		attributes[i] = terraform.Attribute{Path: o.Name, Before: o.Before, After: o.After}
	}
	at.room -= 200
	text, left := diffBlock(attributes, at)
	return folded(fmt.Sprintf("<b>Outputs that change: %s</b>", count(len(all))), false, text), left == 0
}
