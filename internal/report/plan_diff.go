package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/diff"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

const (
	inlineRunes = 160 // a longer value gets a block of its own
	pathRunes   = 200
	padRunes    = 32 // paths are padded up to this
)

// diffBlock is a diff of attributes: one line before, one after. Values that are long or have lines get blocks of
// their own below, folded. What has no room is counted in left, and the text says so.
func diffBlock(attributes []terraform.Attribute, at place) (text string, left int) {
	wide := 0
	for _, a := range attributes {
		if n := utf8.RuneCountInString(a.Path); n <= padRunes && !long(a) {
			wide = max(wide, n)
		}
	}
	var lines []string
	size := 200 // the fence, and the last line
	for _, a := range attributes {
		if long(a) {
			continue
		}
		told := attributeLines(a, wide)
		if size += len(told) + len(strings.Join(told, "")); size > at.room {
			left++
			continue
		}
		lines = append(lines, told...)
	}
	b := &pad{room: at.room - 100}
	if len(lines) > 0 {
		b.add(fence("diff", lines), "\n")
	}
	full := false // the others are not tried: a plan may have very many
	for _, a := range attributes {
		if !long(a) {
			continue
		}
		if room := b.room - b.Len(); full || room < 400 || !b.add(foldedValue(a, min(at.maxValue, room/2))) {
			full = true
			left++
		}
	}
	if left > 0 {
		b.room = at.room
		b.add("<p>", many(left, "more attribute"), "</p>\n\n")
	}
	return b.String(), left
}

// long reports whether a value does not go on a line.
func long(a terraform.Attribute) bool { return longValue(a.Before) || longValue(a.After) }

func longValue(v terraform.Value) bool {
	return v.Kind == terraform.Known && (len(v.Text) > inlineRunes || strings.ContainsAny(v.Text, "\n\r"))
}

func attributeLines(a terraform.Attribute, wide int) []string {
	path := fmt.Sprintf("%-*s = ", wide, visible(clip(a.Path, pathRunes)))
	why := ""
	if a.Forces {
		why = "  # forces replacement"
	}
	if a.Before.Kind == terraform.Sensitive && a.After.Kind == terraform.Sensitive {
		return []string{line("! ", path+"(sensitive)"+why)} // orange: it changes, and there is nothing to compare
	}
	var lines []string
	if a.Before.Kind != terraform.Absent {
		lines = append(lines, line("- ", path+shownValue(a.Before)))
		if a.After.Kind == terraform.Absent {
			lines[0] += why
		}
	}
	if a.After.Kind != terraform.Absent {
		lines = append(lines, line("+ ", path+shownValue(a.After)+why))
	}
	return lines
}

func shownValue(v terraform.Value) string {
	switch v.Kind {
	case terraform.Absent:
		return "(none)"
	case terraform.Unknown:
		return "(known after apply)"
	case terraform.Sensitive:
		return "(sensitive)"
	case terraform.Known:
	}
	return v.Text
}

// foldedValue is a long value: what changes in it, or all of it where it comes or goes.
func foldedValue(a terraform.Attribute, maxValue int) string {
	before, after := valueLines(a.Before, maxValue), valueLines(a.After, maxValue)
	if known := a.Before.Kind == terraform.Known && a.After.Kind == terraform.Known; known && endsLine(a.Before) != endsLine(a.After) {
		const without = "(no line break at the end)"
		if endsLine(a.Before) {
			after = append(after, without)
		}
		if endsLine(a.After) {
			before = append(before, without)
		}
	}
	what := "changes"
	switch {
	case a.Before.Kind == terraform.Absent:
		what = "is added"
	case a.After.Kind == terraform.Absent:
		what = "is removed"
	}
	if a.Forces {
		what += ", which forces replacement"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s %s: %s</summary>\n\n", clipped(a.Path, pathRunes), what, many(max(len(before), len(after)), "line"))
	b.WriteString(fence("diff", diffLines(before, after)))
	b.WriteString("\n</details>\n\n")
	return b.String()
}

func endsLine(v terraform.Value) bool { return strings.HasSuffix(v.Text, "\n") }

// valueLines are the lines of a value, up to so many bytes; it says what it leaves out.
func valueLines(v terraform.Value, most int) []string {
	if v.Kind == terraform.Absent {
		return nil
	}
	text := shownValue(v)
	rest := 0
	if len(text) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text, rest = text[:cut], len(text)-cut
	}
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	if rest > 0 {
		lines = append(lines, fmt.Sprintf("(%s more bytes are not shown)", count(rest)))
	}
	return lines
}

// diffLines compares lines: what is the same is told around what is not, and left out elsewhere.
func diffLines(before, after []string) []string {
	var told []string
	for _, l := range diff.Lines(before, after) {
		switch l.Kind {
		case diff.Same:
			told = append(told, line("  ", l.Text))
		case diff.Removed:
			told = append(told, line("- ", l.Text))
		case diff.Added:
			told = append(told, line("+ ", l.Text))
		case diff.Omitted:
			told = append(told, fmt.Sprintf("@@ %s are the same @@", many(l.N, "line")))
		}
	}
	return told
}
