package workflow

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxScript = 64 << 10
	maxValue  = 32 << 10
	maxLine   = 1000
)

// oneLiner reports whether a text has one line and no control characters.
func oneLiner(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// line looks at a text of one line that nothing may be computed in.
func (c *checker) line(where at, s string, most int) bool {
	name := where.name()
	switch {
	case !oneLiner(s):
		c.bad(where, "Control characters are not for a workflow", "%s has a line break, another control character, or bytes that are no UTF-8. Want one line of text.", name)
	case len(s) > most:
		c.bad(where, "This is too long", "%s has %d bytes: want at most %d.", name, len(s), most)
	case strings.Contains(s, "${{"):
		c.bad(where, "An expression is not taken here",
			"%s has ${{, which GitHub would compute there. Only values of env and with may have expressions: from there a script reads them as text, and as nothing else.", name)
	default:
		return true
	}
	return false
}

// multiline looks at a text of several lines.
func (c *checker) multiline(where at, s string, most int) bool {
	name := where.name()
	switch {
	case strings.Contains(s, "\r"):
		c.bad(where, "Lines end with carriage returns", "%s has them, as files of Windows do: bash takes them for part of a command. Save it with Unix line ends, or use replace(..., \"\\r\", \"\").", name)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
		c.bad(where, "Control characters are not for a workflow", "%s has one besides tabs and line breaks, or bytes that are no UTF-8.", name)
	case len(s) > most:
		c.bad(where, "This is too long", "%s has %d bytes: want at most %d. Put it in a file of the repository.", name, len(s), most)
	default:
		return true
	}
	return false
}

// script looks at a script. Expressions are refused, as GitHub puts their text into the script before bash reads it: a
// title of a pull request would be run.
func (c *checker) script(where at, s string, needed bool) {
	if strings.TrimSpace(s) == "" {
		if needed || s != "" {
			c.bad(where, "There is nothing to run", "%s is empty: want a command, such as \"make test\".", where.name())
		}
		return
	}
	if c.multiline(where, s, maxScript) && strings.Contains(s, "${{") {
		c.bad(where, "An expression in a script is code from outside",
			"%s has ${{, whose text GitHub would put into the script before bash reads it: whoever chooses the text would choose the commands. "+
				"Put it into env, NAME = \"${{ ... }}\", and write \"$NAME\" in the script.", where.name())
	}
}

// file looks at a path inside of the repository.
func (c *checker) file(where at, s string, root bool) {
	if !c.line(where, s, maxLine) {
		return
	}
	want := "want a path inside of the repository, relative to its root, made of letters, digits, spaces and . _ - / @ + = , ( )."
	if p := path.Clean(s); s == "" || strings.HasPrefix(s, "/") || p == ".." || strings.HasPrefix(p, "../") || p == "." && !root ||
		strings.HasPrefix(p, "-") || p == ".git" || strings.HasPrefix(p, ".git/") || strings.TrimSpace(s) != s || !pathText.MatchString(s) {
		c.bad(where, "This is no path in the repository", "%s is %q: "+want, where.name(), s)
	}
}

// pathText leaves out what some tool takes for a pattern, an option or the end of a word.
var pathText = regexp.MustCompile(`^[\p{L}\p{N}._/@+=,() -]+$`)

// oneOf looks at a word with few choices.
func (c *checker) oneOf(where at, s string, choices ...string) {
	if !slices.Contains(choices, s) {
		c.bad(where, "There is no such choice", "%s is %q: want %s.", where.name(), s, or(choices))
	}
}

// name is the attribute that a path ends with.
func (a at) name() string {
	for i := len(a) - 1; i >= 0; i-- {
		if s, ok := a[i].(string); ok {
			return s
		}
	}
	return "it"
}

// validBranch follows git's rules for names of branches, and has no pattern in it.
func validBranch(s string) bool {
	return branchText(s) && !strings.ContainsAny(s, "*?[]!") && !strings.HasPrefix(s, "refs/")
}

func branchText(s string) bool {
	return s != "" && len(s) <= 244 && oneLiner(s) && !strings.ContainsAny(s, " ~^:\\\"'{}$`") && !strings.Contains(s, "..") &&
		!strings.Contains(s, "//") && !strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "-") && !strings.HasSuffix(s, "/") &&
		!strings.HasSuffix(s, ".") && !strings.HasSuffix(s, ".lock") && s != "@"
}

// patterns looks at branches or patterns of such.
func (c *checker) patterns(where at, all []string) {
	positive := false
	for i, b := range all {
		positive = positive || !strings.HasPrefix(b, "!")
		rest := strings.TrimPrefix(b, "!")
		switch {
		case strings.HasPrefix(rest, "refs/"):
			c.bad(where.in(i), "Branches are named without refs", "%s has %q: want the branch alone, such as \"main\".", where.name(), b)
		case !branchText(rest) || strings.Contains(rest, "!"):
			c.bad(where.in(i), "This is no branch", "%s has %q: want the name of a branch, or a pattern with * and **, such as \"release/**\".", where.name(), b)
		case slices.Index(all, b) < i:
			c.bad(where.in(i), "A branch is named twice", "%s has %q twice: leave one out.", where.name(), b)
		}
	}
	if len(all) > 0 && !positive {
		c.bad(where, "Only exceptions are named", "%s has only patterns with ! before them, which take branches out of others: name those others too, such as \"**\".", where.name())
	}
}

func or(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
