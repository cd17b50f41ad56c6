package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	markerBegin = "<!-- tidegate:plan:1 "
	markerEnd   = " -->"
	// maxMarker is more than a comment could hold.
	maxMarker = 16 << 10
	// maxMarked keeps the marker small beside what people read; what counts is in check runs.
	maxMarked = 6 << 10
)

// MarkerOf is the beginning of each comment with this name, and of no other's: by it a comment is found.
func MarkerOf(name string) string { return markerBegin + hidden(name) + " " }

// marker is the first line of the page's comment.
func (p Page) marker() string {
	m := Marker{Name: p.Name, Head: p.Head, Roots: []MarkedRoot{}}
	for size, i := 0, 0; i < len(p.Roots); i++ {
		r := p.Roots[i]
		marked := MarkedRoot{Root: r.Dir, Workspace: r.Workspace, Fingerprint: r.Plan.Fingerprint.Sum, Keyed: r.Plan.Fingerprint.Keyed}
		if size += len(hidden(marked)); size > maxMarked {
			break
		}
		m.Roots = append(m.Roots, marked)
	}
	return MarkerOf(p.Name) + hidden(m) + markerEnd + "\n"
}

// hidden is JSON of plain ASCII in which nothing ends an HTML comment or speaks to a runner: < and > are escaped by
// encoding/json, two hyphens and two number signs here.
func hidden(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "null" // strings and booleans can always be written
	}
	var b strings.Builder
	for _, r := range strings.NewReplacer("--", `-\u002d`, "##", `#\u0023`).Replace(string(data)) {
		switch {
		case r < utf8.RuneSelf-1:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// ParseMarker reads the marker of a comment. It is false for a comment without one, or with one of a newer program.
func ParseMarker(body string) (Marker, bool) {
	first, _, _ := strings.Cut(body, "\n")
	rest, ok := strings.CutPrefix(strings.TrimSuffix(first, "\r"), markerBegin)
	if !ok || len(first) > maxMarker {
		return Marker{}, false
	}
	rest, ok = strings.CutSuffix(rest, markerEnd)
	if !ok {
		return Marker{}, false
	}
	var name string
	var m Marker
	d := json.NewDecoder(strings.NewReader(rest))
	if d.Decode(&name) != nil || d.Decode(&m) != nil || d.More() || m.Name != name {
		return Marker{}, false
	}
	return m, true
}
