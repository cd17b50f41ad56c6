package report

import (
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// Text of others gets into Markdown in three ways only, each of which says it as it is: code, prose and fence.
// code and prose are for HTML blocks, on one line: Markdown inside of a block is not read, so that entities are all
// the escaping there is. GitHub reads mentions, issues, commits, emoji and formulas out of plain words, never out of
// <code> and <pre>.

// code is text of others as a code element.
func code(text string) string { return "<code>" + escaped(text) + "</code>" }

// clipped is code of at most so many characters as they are seen; for lists.
func clipped(text string, runes int) string {
	if len(text) > 4*runes {
		text = text[:4*runes] + "…" // enough for so many of them, and quick
	}
	return code(clip(visible(text), runes))
}

// prose is a sentence of others. Words that are no plain words, such as @everyone, #1, a URL, are code in it.
func prose(sentence string) string {
	var b strings.Builder
	for i, word := range strings.Fields(sentence) {
		if i > 0 {
			b.WriteByte(' ')
		}
		core := strings.Trim(word, `.,;:()"'!?`)
		if plain(core) && !strings.HasPrefix(word, ":") {
			b.WriteString(escaped(word))
			continue
		}
		begin := strings.Index(word, core)
		if strings.HasPrefix(word, ":") || core == "" {
			b.WriteString(code(word))
			continue
		}
		b.WriteString(escaped(word[:begin]) + code(core) + escaped(word[begin+len(core):]))
	}
	return b.String()
}

// plain reports whether GitHub sees nothing in a word but a word or a number.
func plain(word string) bool {
	letters, digits := 0, 0
	for _, r := range word {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		case strings.ContainsRune("'’-.,%", r):
			if (r == '.' || r == ',') && (digits == 0 || letters > 0) {
				return false // only numbers have them inside
			}
		default:
			return false
		}
	}
	switch {
	case digits == 0:
		return letters < 40
	case letters > 0:
		return len(word) < 7 && !strings.Contains(word, "-") // S3, v2; a longer one may be a commit, and GH-1 an issue
	}
	return digits < 7 || strings.ContainsAny(word, ".,")
}

// escaped is visible text in HTML. Where entities can, they break what the runner of a workflow would take for its old
// command, "##[add-mask]", in a log.
func escaped(text string) string {
	return strings.ReplaceAll(html.EscapeString(visible(text)), "##[", "##&#91;")
}

// visible is text on one line, in which what nobody sees, or what moves what is seen, is told by its number: control
// characters, ANSI sequences, right-to-left overrides, zero-width and unusual spaces.
func visible(text string) string {
	if isVisible(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteRune(utf8.RuneError)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case shown(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[size:]
	}
	return b.String()
}

func isVisible(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !shown(r) }) < 0
		}
	}
	return true
}

// shown reports whether a character is seen as itself. Fillers are letters to Unicode, and look like nothing.
func shown(r rune) bool {
	return unicode.IsPrint(r) && !strings.ContainsRune("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0", r)
}

// clip is the beginning of a text that is longer than so many characters.
func clip(text string, runes int) string {
	if len(text) <= runes {
		return text
	}
	n := 0
	for i := range text {
		if n == runes {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// fence is a block of lines as they are. Its own marks are longer than any inside. All lines have been made by line,
// which keeps them from ending the block and from speaking to the runner.
func fence(language string, lines []string) string {
	longest := 2
	for _, l := range lines {
		run := 0
		for i := range len(l) {
			run++
			if l[i] != '`' {
				run = 0
			}
			longest = max(longest, run)
		}
	}
	marks := strings.Repeat("`", longest+1)
	return marks + language + "\n" + strings.Join(lines, "\n") + "\n" + marks + "\n"
}

// line is a line of a fence, behind a mark such as "+ ". Entities mean nothing here: the runner's commands, "::warning::"
// at a line's beginning and "##[warning]" anywhere, are broken by a number.
func line(mark, text string) string {
	whole := mark + strings.ReplaceAll(visible(strings.ReplaceAll(text, "\t", "    ")), "##[", `##\u005b`)
	if trimmed := strings.TrimLeft(whole, " "); strings.HasPrefix(trimmed, "::") {
		return whole[:len(whole)-len(trimmed)] + `\u003a` + trimmed[1:]
	}
	return whole
}

// count writes 1234567 as 1,234,567.
func count(n int) string { return gate.Grouped(uint64(n)) }

// many is "1 resource" or "2 resources".
func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(n) + " " + what + "s"
}
