package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// succeeded is true only where all was done, and seen to be done.
func (a Apply) succeeded() bool {
	r := a.Result
	return a.Refusal == nil && a.Err == nil && !r.Canceled && len(r.Failed)+len(r.Unfinished)+len(r.Skipped) == 0
}

// verdict of an apply.
func (a Apply) verdict(p terraform.Plan) verdict {
	switch {
	case a.Refusal != nil:
		return verdict{red, "Refused: nothing was applied", 0}
	case a.succeeded():
		return verdict{green, "Applied: " + done(a.Result), 4}
	case a.Result.Canceled:
		return verdict{red, "Canceled: " + done(a.Result), 0}
	}
	back, failed := a.failures()
	switch {
	case len(back) > 0 && len(failed) == 0:
		return verdict{red, "Apply failed: " + wasRolledBack(len(back)), 0}
	case len(back)+len(failed) > 0:
		return verdict{red, fmt.Sprintf("Apply failed: %s of %s", count(len(back)+len(failed)), many(len(p.Changes), "change")), 0}
	}
	return verdict{red, failure(a.Err), 0}
}

// failures are what was rolled back, and all other failures. A rollback is known by the provider's own words.
func (a Apply) failures() (rolledBack, failed []terraform.AppliedChange) {
	for _, c := range a.Result.Failed {
		if strings.Contains(c.Address, "tidegate_model_endpoint.") && strings.Contains(c.Error.Summary, " was rolled back ") {
			rolledBack = append(rolledBack, c)
			continue
		}
		failed = append(failed, c)
	}
	return rolledBack, failed
}

// done is "added 3, changed 4".
func done(r terraform.Applied) string {
	n := map[terraform.Action]int{}
	for _, c := range r.Done {
		n[c.Action]++
	}
	var parts []string
	for _, v := range []struct {
		action terraform.Action
		verb   string
	}{{terraform.Delete, "destroyed"}, {terraform.Replace, "replaced"}, {terraform.Forget, "forgot"}, {terraform.Update, "changed"}, {terraform.Create, "added"}} {
		if n[v.action] > 0 {
			parts = append(parts, v.verb+" "+count(n[v.action]))
		}
	}
	if len(parts) == 0 {
		return "nothing was changed"
	}
	return strings.Join(parts, ", ")
}

// top of an apply: what became of it.
func (a Apply) top(p terraform.Plan) []string {
	var blocks []string
	switch {
	case a.Refusal != nil:
		return []string{a.refused()}
	case a.succeeded():
		blocks = append(blocks, boxed(green, "**"+a.verdict(p).title+"**"+a.within()+"."))
	default:
		blocks = append(blocks, a.failed(p)...)
	}
	if a.Verify == "none" {
		blocks = append(blocks, boxed(yellow, "**Applied without a review** (verify: none). Nothing compared this plan with a reviewed one."))
	}
	return append(blocks, a.staged())
}

func (a Apply) within() string {
	if a.Took <= 0 {
		return ""
	}
	return " in " + lasted(a.Took)
}

func wasRolledBack(n int) string {
	if n == 1 {
		return "1 endpoint was rolled back"
	}
	return count(n) + " endpoints were rolled back"
}

// refused says why, and what differs from what was reviewed.
func (a Apply) refused() string {
	lines := []string{"<p>" + prose(clip(a.Refusal.Why, 1000)) + "</p>"}
	for i, d := range a.Refusal.Differences {
		if i == 2*mostNamed {
			lines = append(lines, andMore(len(a.Refusal.Differences)-i))
			break
		}
		lines = append(lines, "<ul><li>"+difference(d)+"</li></ul>")
	}
	return boxed(red, "**Refused: nothing was applied.**", lines...)
}

// difference is "resource x is another: its ami and tags differ".
func difference(d terraform.Difference) string {
	text := clipped(d.Part, 300) + " " + prose(clip(d.How, 200))
	if len(d.Attributes) == 0 {
		return text
	}
	named := make([]string, 0, 5)
	for _, a := range d.Attributes[:min(5, len(d.Attributes))] {
		named = append(named, clipped(a, 80))
	}
	text += ": " + strings.Join(named, ", ")
	if n := len(d.Attributes) - 5; n > 0 {
		text += fmt.Sprintf(" and %s more", count(n))
	}
	return text
}

// failed tells a failed apply: rollbacks first, as what they are.
func (a Apply) failed(p terraform.Plan) []string {
	back, failed := a.failures()
	all := slices.Concat(back, failed)
	if len(all) == 0 {
		return append(append([]string{failureBox(a.Err, a.stays())}, errorDetails(a.Err)...), a.notDone())
	}
	var lines []string
	errs := make([]terraform.Diagnostic, len(all))
	for i, c := range all {
		errs[i] = c.Error
		errs[i].Address = c.Address
		switch address := ""; {
		case i < mostNamed:
			if c.Address != "" {
				address = clipped(c.Address, 300) + ": "
			}
			lines = append(lines, "<ul><li>"+address+prose(clip(c.Error.Summary, 300))+"</li></ul>")
		case i == mostNamed:
			lines = append(lines, andMore(len(all)-i))
		}
	}
	title := a.verdict(p).title
	if a.Result.Canceled {
		title = "Canceled" // what was done follows
	}
	first := "**" + title + "**" + a.within() + ". " + a.stays()
	return append(append([]string{boxed(red, first, lines...)}, diagnostics(errs)...), a.notDone())
}

// stays says what is the case after a failure. What was begun may have been done in part.
func (a Apply) stays() string {
	switch {
	case len(a.Result.Done) > 0:
		return "Done before that, and in the state: " + done(a.Result) + "."
	case len(a.Result.Unfinished) > 0 || killed(a.Err):
		return "Nothing is known to be done."
	}
	return "Nothing was changed."
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// notDone lists what was not begun, and what was cut off.
func (a Apply) notDone() string {
	text := ""
	if n := len(a.Result.Unfinished); n > 0 {
		text += folded(fmt.Sprintf("<b>Begun, and cut off: %s</b>. Look at them before the next apply", count(n)), true, names(a.Result.Unfinished))
	}
	if n := len(a.Result.Skipped); n > 0 {
		text += folded(fmt.Sprintf("<b>Not applied: %s</b>", count(n)), n <= 5, names(a.Result.Skipped))
	}
	return text
}

func names(addresses []string) string {
	var b strings.Builder
	b.WriteString("<ul>\n")
	for i, address := range addresses {
		if i == 5*mostNamed {
			fmt.Fprintf(&b, "<li>and %s more</li>\n", count(len(addresses)-i))
			break
		}
		b.WriteString("<li>" + clipped(address, 200) + "</li>\n")
	}
	b.WriteString("</ul>\n")
	return b.String()
}

// staged are the rollouts that somebody has to drive.
func (a Apply) staged() string {
	if len(a.Staged) == 0 {
		return ""
	}
	rows := ""
	for i, s := range a.Staged {
		if i == 2*mostNamed {
			rows += fmt.Sprintf("<tr><td colspan=\"3\">and %s more</td></tr>", count(len(a.Staged)-i))
			break
		}
		rows += "<tr><td>" + clipped(s.Endpoint, 200) + "</td><td>" + clipped(s.Model, 200) + "</td><td>" + clipped(s.Next, 200) + "</td></tr>"
	}
	return boxed(violet, "**Staged: "+many(len(a.Staged), "rollout")+".** No candidate has traffic until it is promoted.",
		"<table><tr><th align=\"left\">endpoint</th><th align=\"left\">candidate</th><th align=\"left\">next</th></tr>"+rows+"</table>")
}

// applied tells the warnings and outputs of an apply.
func (a Apply) applied(maxValue int) []string {
	var blocks []string
	if n := len(a.Result.Warnings); n > 0 {
		blocks = append(blocks, folded("<b>Warnings: "+count(n)+"</b>", false, strings.Join(diagnostics(a.Result.Warnings), "")))
	}
	if n := len(a.Result.Outputs); n > 0 {
		all := make([]terraform.Attribute, n)
		for i, o := range a.Result.Outputs {
			all[i] = terraform.Attribute{Path: o.Name, After: o.Value}
		}
		text, _ := diffBlock(all, place{room: 4 * maxValue, maxValue: maxValue})
		blocks = append(blocks, folded("<b>Outputs: "+count(n)+"</b>", false, text))
	}
	return blocks
}
