package workflow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A writer makes YAML of a tree. It has few forms, chosen for readers: plain words, quotes where a word could be taken
// for something else, and literal blocks for scripts.
type writer struct{ strings.Builder }

// text is a tree as YAML.
func text(tree fields) string {
	var w writer
	w.fields(0, "", tree)
	return w.String()
}

func comment(text string) string {
	var w writer
	w.comment(0, text)
	return w.String()
}

func (w *writer) line(indent int, text string) {
	if text != "" {
		w.WriteString(strings.Repeat(" ", indent))
		w.WriteString(text)
	}
	w.WriteString("\n")
}

// comment writes lines that nobody parses.
func (w *writer) comment(indent int, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		w.line(indent, strings.TrimRight("# "+oneLine(line), " "))
	}
}

// fields writes a mapping. lead is what stands before its first name: the dash of a list, or nothing.
func (w *writer) fields(indent int, lead string, fs fields) {
	for i, f := range fs {
		at, dash := indent, ""
		if lead != "" && i == 0 {
			at, dash = indent-len(lead), lead
		}
		if f.gap {
			w.line(0, "")
		}
		w.comment(at, f.above)
		w.field(at, dash, f)
	}
}

func (w *writer) field(indent int, dash string, f field) {
	inner := indent + len(dash) + 2
	note := ""
	if f.note != "" {
		note = " # " + oneLine(f.note)
	}
	head := dash + scalar(f.name, false) + ":"
	if f.name == "on" && indent == 0 {
		head = "on:" // all write it without quotes; GitHub and actionlint know it as this word
	}
	switch v := f.value.(type) {
	case nil:
		w.line(indent, head+note)
	case fields:
		if len(v) == 0 {
			w.line(indent, head+" {}"+note)
			return
		}
		w.line(indent, head+note)
		w.fields(inner, "", v)
	case list:
		w.line(indent, head+note)
		w.list(inner, v)
	case words:
		w.line(indent, head+" "+flow(v)+note)
	case script:
		w.script(indent, inner, head, string(v))
	default:
		w.line(indent, head+" "+value(v)+note)
	}
}

// list writes one element a line, of mappings the first name behind the dash.
func (w *writer) list(indent int, l list) {
	for i, element := range l {
		if fs, ok := element.(fields); ok {
			if i > 0 && len(fs) > 0 && fs[0].gap {
				w.line(0, "")
			}
			if len(fs) > 0 {
				fs = slices.Clone(fs)
				fs[0].gap = false
			}
			w.fields(indent+2, "- ", fs)
			continue
		}
		w.line(indent, "- "+value(element))
	}
}

// script writes a literal block, or a word or quotes where no block can hold the text.
func (w *writer) script(indent, inner int, head, text string) {
	if !strings.Contains(text, "\n") && isPlain(text, false) || !fitsBlock(text) {
		w.line(indent, head+" "+scalar(text, false))
		return
	}
	body, ended := strings.CutSuffix(text, "\n")
	if ended {
		w.line(indent, head+" |")
	}
	if !ended {
		w.line(indent, head+" |-")
	}
	for line := range strings.SplitSeq(body, "\n") {
		w.line(inner, line)
	}
}

// fitsBlock reports whether a literal block gives a text back as it is. Its first line fixes the indentation, and what
// comes after its last line is cut off.
func fitsBlock(text string) bool {
	body := strings.TrimSuffix(text, "\n")
	lines := strings.Split(body, "\n")
	first, last := lines[0], lines[len(lines)-1]
	if strings.TrimSpace(last) == "" || first == "" || first[0] == ' ' || first[0] == '\t' {
		return false
	}
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && r != '\t' && !unicode.IsPrint(r)
	})
}

func value(v any) string {
	switch v := v.(type) {
	case string:
		return scalar(v, false)
	case quoted:
		return quote(string(v))
	case int, bool:
		return fmt.Sprint(v)
	}
	panic(fmt.Sprintf("workflow: cannot write a %T", v)) // a mistake of this package, whatever a user says
}

func flow(v words) string {
	parts := make([]string, len(v))
	for i, s := range v {
		parts[i] = scalar(s, true)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// scalar writes a string so that it is read as that string.
func scalar(s string, inFlow bool) string {
	if isPlain(s, inFlow) {
		return s
	}
	return quote(s)
}

var (
	// Narrower than YAML: what begins with an indicator or has something unusual in it goes in quotes.
	plain     = regexp.MustCompile(`^[A-Za-z0-9_./$(][ -~]*$`)
	plainFlow = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./-]*$`)
	// numeric is all that some version of YAML takes for a number, a time or a date.
	numeric = regexp.MustCompile(`^[-+.]?[0-9][0-9a-fA-FxXoOTtZz_.:+ -]*$|^\.(?i:inf|nan)$`)
	// special are the words of YAML 1.1 and 1.2 that are no strings.
	special = regexp.MustCompile(`^(?i:null|true|false|yes|no|on|off|y|n)$`)
)

func isPlain(s string, inFlow bool) bool {
	form := plain
	if inFlow {
		form = plainFlow
	}
	return form.MatchString(s) && !numeric.MatchString(s) && !special.MatchString(s) &&
		!strings.Contains(s, ": ") && !strings.Contains(s, " #") && !strings.HasSuffix(s, ":") && !strings.HasSuffix(s, " ")
}

// quote writes a string in double quotes, or in single ones where these need no escapes.
func quote(s string) string {
	if strings.ContainsAny(s, `"\`) && !strings.ContainsFunc(s, func(r rune) bool { return r == '\'' || !unicode.IsPrint(r) }) {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			_, _ = fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			_, _ = fmt.Fprintf(&b, `\u%04x`, r)
		default:
			_, _ = fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// oneLine keeps a comment a comment, whatever is said in it.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
