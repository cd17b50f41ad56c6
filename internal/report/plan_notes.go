package report

import (
	"fmt"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

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
	return "<p><b>What it means for traffic</b></p>\n<ul>\n" + items.String() + "</ul>\n\n"
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
