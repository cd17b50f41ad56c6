package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

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

const (
	contextLines = 3
	maxDiffCells = 1 << 16 // of the table of common lines; beyond it all lines are told as changed
)

// diffLines compares lines: what is the same is told around what is not, and left out elsewhere.
func diffLines(before, after []string) []string {
	head := 0
	for head < len(before) && head < len(after) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < len(before)-head && tail < len(after)-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	lines := same(before[:head], false, true)
	lines = append(lines, changed(before[head:len(before)-tail], after[head:len(after)-tail])...)
	return append(lines, same(before[len(before)-tail:], true, false)...)
}

// same tells unchanged lines: those next to a change, which may stand before and after them.
func same(lines []string, changeBefore, changeAfter bool) []string {
	first, last := 0, 0
	if changeBefore {
		first = contextLines
	}
	if changeAfter {
		last = contextLines
	}
	var told []string
	for i, l := range lines {
		switch left := len(lines) - first - last; {
		case left <= 1 || i < first || i >= len(lines)-last:
			told = append(told, line("  ", l))
		case i == first:
			told = append(told, fmt.Sprintf("@@ %s are the same @@", many(left, "line")))
		}
	}
	return told
}

// changed tells lines by the longest common subsequence.
func changed(before, after []string) []string {
	if len(before)*len(after) > maxDiffCells {
		return appendLines(appendLines(nil, "- ", before), "+ ", after)
	}
	common := commonLines(before, after)
	var told []string
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		if i < len(before) && j < len(after) && before[i] == after[j] {
			from := i
			for i < len(before) && j < len(after) && before[i] == after[j] {
				i, j = i+1, j+1
			}
			told = append(told, same(before[from:i], true, true)...)
			continue
		}
		if j == len(after) || i < len(before) && common[i+1][j] >= common[i][j+1] {
			told = append(told, line("- ", before[i]))
			i++
			continue
		}
		told = append(told, line("+ ", after[j]))
		j++
	}
	return told
}

// commonLines[i][j] is the length of the longest common subsequence of before[i:] and after[j:].
func commonLines(before, after []string) [][]int32 {
	common := make([][]int32, len(before)+1)
	for i := range common {
		common[i] = make([]int32, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if before[i] == after[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	return common
}

func appendLines(told []string, mark string, lines []string) []string {
	for _, l := range lines {
		told = append(told, line(mark, l))
	}
	return told
}
