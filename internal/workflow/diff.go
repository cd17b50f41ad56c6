package workflow

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/diff"
)

const maxDiffLines = 300

// Diff tells how a file became another: lines that went begin with "- ", lines that came with "+ ", and three around
// each change stay. It is for terminals: what they do not print is written as in Go, "\x1b".
func Diff(before, after string) string {
	lines := diff.Lines(linesOf(before), linesOf(after))
	var b strings.Builder
	for i, l := range lines {
		if i == maxDiffLines {
			fmt.Fprintf(&b, "(%d more lines are not shown)\n", len(lines)-i)
			break
		}
		switch l.Kind {
		case diff.Same:
			b.WriteString("  " + visible(l.Text))
		case diff.Removed:
			b.WriteString("- " + visible(l.Text))
		case diff.Added:
			b.WriteString("+ " + visible(l.Text))
		case diff.Omitted:
			fmt.Fprintf(&b, "@@ %d lines are the same @@", l.N)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}

func visible(line string) string {
	if utf8.ValidString(line) && strings.IndexFunc(line, hidden) < 0 {
		return line
	}
	var b strings.Builder
	for len(line) > 0 {
		r, size := utf8.DecodeRuneInString(line)
		if hidden(r) || r == utf8.RuneError && size == 1 {
			quoted := strconv.Quote(line[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(line[:size])
		}
		line = line[size:]
	}
	return b.String()
}

func hidden(r rune) bool { return r != '\t' && !unicode.IsGraphic(r) }
