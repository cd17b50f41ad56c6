package workflow

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// PinYAML writes commits in place of the refs that actions have in text, each with its version in a comment. All else
// stays, byte for byte; so do local actions, images and what is pinned already. An error names line and action.
func PinYAML(text string, pins Pins) (string, error) {
	root, err := parse(text)
	if err != nil {
		return "", err
	}
	p := &pinning{text: text, lines: linesAt(text), pins: pins, actions: map[*yaml.Node]bool{}}
	all := usesOf(root)
	for _, n := range all {
		p.actions[n] = true
	}
	var edits []edit
	for _, n := range all {
		e, needed, err := p.edit(n)
		if err != nil {
			return "", fmt.Errorf("line %d: %w", n.Line, err)
		}
		if needed {
			edits = append(edits, e)
		}
	}
	pinned := edited(text, edits)
	// The edits are of text and what they mean is YAML: nothing but the refs may have changed.
	if err := onlyPinned(root, pinned, pins); err != nil {
		return "", err
	}
	return pinned, nil
}

// An edit replaces text[from:to].
type edit struct {
	from, to int
	text     string
}

// edited is a text after its edits, of which none overlap. An alias is edited where its anchor is, and that once.
func edited(text string, edits []edit) string {
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for _, e := range slices.Compact(edits) {
		b.WriteString(text[at:e.from] + e.text)
		at = e.to
	}
	return b.String() + text[at:]
}

// A pinning is of one text.
type pinning struct {
	text    string
	lines   []int // where each begins
	pins    Pins
	actions map[*yaml.Node]bool // all that a step or a job uses
}

// edit pins what one node uses.
func (p *pinning) edit(n *yaml.Node) (edit, bool, error) {
	value := resolve(n)
	if value.Kind != yaml.ScalarNode || value.Value == "" {
		return edit{}, false, errors.New("uses is not the name of an action")
	}
	u := parseUses(value.Value)
	if u.local || u.image || u.pinned() {
		return edit{}, false, nil
	}
	if !u.action() {
		return edit{}, false, fmt.Errorf("uses %q is not OWNER/REPOSITORY@REF", value.Value)
	}
	if value != n && !p.actions[value] {
		return edit{}, false, fmt.Errorf("%q is an alias of something that is no action: write its name here", value.Value)
	}
	pin, ok := pinOf(p.pins, u)
	if !ok || !fullCommit.MatchString(pin.Commit) {
		return edit{}, false, fmt.Errorf("action %q has no commit to be pinned to: set pins = { %q = \"v1.2.3\" }, or a commit of 40 digits", value.Value, u.name)
	}
	from, ok := p.find(value)
	if !ok {
		return edit{}, false, fmt.Errorf("action %q cannot be pinned in place: write it on the line of its uses, without escapes", value.Value)
	}
	at := from + len(u.name) + 1
	return withVersion(p.text, edit{at, at + len(u.ref), pin.Commit}, pin.Version), true, nil
}

// find returns where the value of a node is in the text. It is not found if it is spread over lines or written with escapes.
func (p *pinning) find(n *yaml.Node) (int, bool) {
	at, ok := p.offset(n.Line, n.Column)
	if !ok {
		return 0, false
	}
	// An anchor and a tag may stand before the value.
	rest := p.text[at:]
	for strings.HasPrefix(rest, "&") || strings.HasPrefix(rest, "!") {
		end := strings.IndexAny(rest, " \t\r\n")
		if end < 0 {
			return 0, false
		}
		rest = strings.TrimLeft(rest[end:], " \t")
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 && rest != "" {
		rest = rest[1:]
	}
	return len(p.text) - len(rest), strings.HasPrefix(rest, n.Value)
}

// offset returns the byte at a line and a column, both from 1, as YAML counts them: columns are characters.
func (p *pinning) offset(line, column int) (int, bool) {
	if line < 1 || line > len(p.lines) {
		return 0, false
	}
	at := p.lines[line-1]
	for range column - 1 {
		_, size := utf8.DecodeRuneInString(p.text[at:])
		at += size
	}
	return at, at < len(p.text)
}

// linesAt are the bytes at which lines begin.
func linesAt(text string) []int {
	at := []int{0}
	if strings.HasPrefix(text, "\ufeff") {
		at[0] = len("\ufeff")
	}
	for _, b := range lineBreak.FindAllStringIndex(text, -1) {
		at = append(at, b[1])
	}
	return at
}

// lineBreak is what YAML 1.1 ends a line with.
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// restOfLine is what may follow an action on its line for a comment to have room: the end of quotes, brackets, and a comment.
var restOfLine = regexp.MustCompile(`^(["']?[ \t}\]]*)(?:([ \t])#[ \t]*(.*))?$`)

// versionText is a version that can be in a comment.
var versionText = regexp.MustCompile(`^[!-~]+$`)

// withVersion adds the version in a comment, where the line takes one, before a comment that is there.
func withVersion(text string, e edit, version string) edit {
	line := text[e.to:]
	if end := lineBreak.FindStringIndex(line); end != nil {
		line = line[:end[0]]
	}
	m := restOfLine.FindStringSubmatchIndex(line)
	if !versionText.MatchString(version) || m == nil {
		return e
	}
	end := m[3]
	if first, _, _ := strings.Cut(line[max(m[6], 0):max(m[7], 0)], " "); strings.TrimRight(first, ",;:.") == version {
		return e // it is there already
	}
	before := strings.TrimRight(line[:end], " \t")
	return edit{e.from, e.to + len(before), e.text + before + " # " + version}
}

// onlyPinned checks that a pinned text has the pins, and is else what it was.
func onlyPinned(before *yaml.Node, pinned string, pins Pins) error {
	after, err := parse(pinned)
	if err != nil {
		return fmt.Errorf("the workflow cannot be pinned in place: %w", err)
	}
	for _, n := range usesOf(before) {
		value := resolve(n)
		if u := parseUses(value.Value); u.action() && !u.pinned() {
			pin, _ := pinOf(pins, u)
			value.Value = u.name + "@" + pin.Commit
		}
	}
	if !identical(before, after) {
		return errors.New("the workflow cannot be pinned in place: write each action on the line of its uses, and its comment behind it")
	}
	return nil
}

// identical reports whether two trees have the same values, anchors and aliases. Trees of parse are finite.
func identical(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Value != b.Value || a.Tag != b.Tag || a.Anchor != b.Anchor || len(a.Content) != len(b.Content) {
		return false
	}
	return slices.EqualFunc(a.Content, b.Content, identical)
}
