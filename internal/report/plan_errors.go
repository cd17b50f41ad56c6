package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

const mostErrorBytes = 4000 // of one error

// failure says in plain words what failed.
func failure(err error) string {
	var e *terraform.Error
	switch {
	case err == nil:
		return "Not all was applied"
	case !errors.As(err, &e):
		return "Failed"
	case e.Lock != nil:
		return "The state is locked"
	case e.Canceled:
		return "Canceled"
	}
	words := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r == ' ' || r == '-' {
			return r
		}
		return -1
	}, clip(e.Doing, 40))
	if words == "" {
		return "Failed"
	}
	return capital(words) + " failed"
}

// failureBox says what stopped the run, and what is the case after it.
func failureBox(err error, after string) string {
	var e *terraform.Error
	if err == nil {
		return boxed(red, "**"+failure(err)+".** "+after)
	}
	if !errors.As(err, &e) {
		return boxed(red, "**Failed.** "+after, "<p>"+prose(clip(err.Error(), 1000))+"</p>")
	}
	if e.Lock != nil {
		return lockBox(*e.Lock, e, after)
	}
	if e.Canceled {
		return boxed(red, "**Canceled.** "+after)
	}
	if killed(err) {
		return boxed(red, "**"+failure(err)+".** "+after+" It was killed by somebody else: the state may still be locked, "+
			"and may not have all that was done. Plan again before anything else.")
	}
	return boxed(red, "**"+failure(err)+".** "+after)
}

// killed reports whether a tool was ended by a signal that was not ours.
func killed(err error) bool {
	var e *terraform.Error
	return errors.As(err, &e) && e.Code < 0 && !e.Canceled
}

// lockBox explains a state that somebody else has locked.
func lockBox(l terraform.Lock, e *terraform.Error, after string) string {
	var rows []string
	since := ""
	if !l.Created.IsZero() {
		since = l.Created.UTC().Format("2 January 2006 15:04:05 MST")
	}
	for _, row := range [][2]string{{"by", l.Who}, {"since", since}, {"for", strings.TrimPrefix(l.Operation, "OperationType")}, {"state", l.Path}, {"lock", l.ID}, {"says", l.Info}} {
		if row[1] != "" {
			rows = append(rows, "<tr><td>"+row[0]+"</td><td>"+clipped(row[1], 200)+"</td></tr>")
		}
	}
	unlock := "force-unlock"
	if l.ID != "" {
		unlock += " " + l.ID
	}
	return boxed(red, "**The state is locked by somebody else.** "+after,
		"<table>"+strings.Join(rows, "")+"</table>",
		"<p>Wait until that run is over, then run this one again. Only if you are sure that it is dead, unlock by hand in "+
			clipped(e.Dir, 200)+": "+clipped(toolCommand(e.Tool)+" "+unlock, 200)+"</p>")
}

func toolCommand(tool string) string {
	if tool == "tofu" {
		return "tofu"
	}
	return "terraform"
}

// errorDetails are the errors in full, as the tool said them.
func errorDetails(err error) []string {
	var e *terraform.Error
	if !errors.As(err, &e) || e.Lock != nil {
		return nil
	}
	if len(e.Diagnostics) > 0 || e.Said == "" {
		return diagnostics(e.Diagnostics)
	}
	return []string{folded("What "+clipped(e.Tool, 20)+" said", true, fence("", saidLines(e.Said)))}
}

// diagnostics are errors, each folded under its summary but the first ones.
func diagnostics(all []terraform.Diagnostic) []string {
	var blocks []string
	for i, d := range all {
		if i == mostNamed {
			return append(blocks, fmt.Sprintf("<p>and %s more</p>\n\n", count(len(all)-i)))
		}
		blocks = append(blocks, diagnostic(d, i < 2))
	}
	return blocks
}

func diagnostic(d terraform.Diagnostic, open bool) string {
	summary := prose(clip(d.Summary, 300))
	if d.Address != "" {
		summary = clipped(d.Address, 300) + ": " + summary
	}
	if d.File != "" {
		summary += " " + clipped(fmt.Sprintf("%s:%d", d.File, d.Line), 200)
	}
	if strings.TrimSpace(d.Detail) == "" {
		return "<ul><li>" + summary + "</li></ul>\n\n"
	}
	return folded(summary, open, fence("", saidLines(d.Detail)))
}

// saidLines are lines of a tool behind its own bar, up to a length.
func saidLines(text string) []string {
	v := terraform.Value{Kind: terraform.Known, Text: strings.Trim(text, "\r\n")}
	var lines []string
	for _, l := range valueLines(v, mostErrorBytes) {
		for _, part := range wrapped(l, 88) {
			lines = append(lines, line("│ ", part))
		}
	}
	return lines
}

// wrapped breaks a long line at blanks: GitHub does not.
func wrapped(l string, wide int) []string {
	var lines []string
	for len(l) > wide {
		i := strings.LastIndexByte(l[:wide+1], ' ')
		if i <= 0 {
			if i = strings.IndexByte(l[1:], ' ') + 1; i == 0 {
				break
			}
		}
		lines, l = append(lines, l[:i]), l[i+1:]
	}
	return append(lines, l)
}

// lasted is a duration as people say it.
func lasted(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
