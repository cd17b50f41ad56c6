package terraform

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// mostDepth bounds how deep a value is looked into; what lies deeper is one leaf, and not shown. No schema is that deep.
const mostDepth = 200

// A side is a value before or after a change, with what the plan marks in it. sensitive and unknown have the value's
// structure, with true where the mark holds for all below.
type side struct{ value, sensitive, unknown any }

// A leaf is a place in a resource where the walk ends on both sides.
type leaf struct {
	path          trail
	before, after cell
}

// A cell is one side of a leaf.
type cell struct {
	value  any // as decoded, possibly a whole tree; nil where there is none
	kind   Kind
	marked bool // sensitive by the plan's own marks, also where it is unknown
}

// A trail is the way from a resource to a leaf: attribute names and map keys as strings, indices as ints.
type trail []any

// String writes the path as an expression does: tags["a b"].x[0].
func (p trail) String() string {
	var b strings.Builder
	for _, e := range p {
		switch e := e.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(e) + "]")
		case string:
			switch {
			case !isName(e):
				b.WriteString("[" + quote(e) + "]")
			case b.Len() > 0:
				b.WriteString("." + e)
			default:
				b.WriteString(e)
			}
		}
	}
	return b.String()
}

// isName reports whether an expression can name s without quotes.
func isName(s string) bool {
	for i, c := range s {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// walk calls f for every leaf below before and after, in the order of their paths. A trail is f's only until it returns.
func walk(before, after side, f func(leaf)) { descend(nil, before, after, f) }

func descend(p trail, before, after side, f func(leaf)) {
	b, bOpen := before.open(p)
	a, aOpen := after.open(p)
	if !bOpen && !aOpen {
		if b.kind != Absent || a.kind != Absent {
			f(leaf{p, b, a})
		}
		return
	}
	// Where only one side goes on, the other one ends here, and beside it nothing does.
	if b.kind != Absent || a.kind != Absent {
		f(leaf{p, b, a})
	}
	if !bOpen {
		before = side{}
	}
	if !aOpen {
		after = side{}
	}
	if before.isList() || after.isList() {
		if before.isObject() || after.isObject() { // they have nothing in common
			descend(p, before, side{}, f)
			descend(p, side{}, after, f)
			return
		}
		for i := range max(before.length(), after.length()) {
			descend(append(p, i), before.at(i), after.at(i), f)
		}
		return
	}
	for _, key := range keys(before, after) {
		descend(append(p, key), before.member(key), after.member(key), f)
	}
}

// open says whether the walk goes on below s, and if not, what is there.
func (s side) open(p trail) (cell, bool) {
	marked := s.sensitive == true
	if s.unknown == true {
		return cell{kind: Unknown, marked: marked}, false
	}
	switch {
	case s.value == nil && !holds(s.unknown):
		return cell{}, false
	case marked, len(p) >= mostDepth:
		return cell{value: s.value, kind: Sensitive, marked: true}, false
	}
	switch v := s.value.(type) {
	case map[string]any:
		if len(v) > 0 || holds(s.unknown) {
			return cell{}, true
		}
	case []any:
		if len(v) > 0 || holds(s.unknown) {
			return cell{}, true
		}
	case nil:
		return cell{}, true // unknown below, and nothing else
	}
	return cell{value: s.value, kind: Known}, false
}

// holds reports whether a mark is true anywhere.
func holds(mark any) bool {
	switch m := mark.(type) {
	case bool:
		return m
	case []any:
		return slices.ContainsFunc(m, holds)
	case map[string]any:
		for _, v := range m {
			if holds(v) {
				return true
			}
		}
	}
	return false
}

func (s side) isList() bool {
	_, value := s.value.([]any)
	_, unknown := s.unknown.([]any)
	return value || s.value == nil && unknown
}

func (s side) isObject() bool {
	_, value := s.value.(map[string]any)
	_, unknown := s.unknown.(map[string]any)
	return value || s.value == nil && unknown
}

func (s side) length() int {
	v, _ := s.value.([]any)
	u, _ := s.unknown.([]any)
	return max(len(v), len(u))
}

func (s side) at(i int) side {
	at := func(list any) any {
		if l, ok := list.([]any); ok && i < len(l) {
			return l[i]
		}
		return nil
	}
	return side{at(s.value), at(s.sensitive), at(s.unknown)}
}

func (s side) member(key string) side {
	member := func(object any) any {
		m, _ := object.(map[string]any)
		return m[key]
	}
	return side{member(s.value), member(s.sensitive), member(s.unknown)}
}

// keys of both sides' values, and of what is unknown in them, sorted.
func keys(sides ...side) []string {
	all := map[string]struct{}{}
	for _, s := range sides {
		for _, object := range []any{s.value, s.unknown} {
			m, _ := object.(map[string]any)
			for k := range m {
				all[k] = struct{}{}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// text writes a value as HCL does; a text of several lines stands as it is.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if strings.Contains(v, "\n") {
			return v
		}
		return quote(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = inline(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		if len(v) == 0 {
			return "{}"
		}
		parts := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			name := k
			if !isName(k) {
				name = quote(k)
			}
			parts = append(parts, name+" = "+inline(v[k]))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	}
	return "?" // nothing that JSON has
}

// inline is text on one line.
func inline(v any) string {
	if s, ok := v.(string); ok {
		return quote(s)
	}
	return text(v)
}

var hclEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{")

// quote writes a string as HCL does.
func quote(s string) string { return `"` + hclEscapes.Replace(s) + `"` }
