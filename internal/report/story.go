// Package report makes what people read: plans and applies in comments, check runs and job summaries; charts; a
// recorded terminal story, on the terminal itself and as a picture for a page that allows neither scripts nor fonts
// of its own. It decides nothing and asks nobody.
package report

import (
	"strings"
	"time"
)

// A Style is how a span looks. What it means decides, so that terminal and picture agree.
type Style string

// The styles.
const (
	Plain   Style = ""
	Strong  Style = "strong"
	Dim     Style = "dim"
	Command Style = "command" // what a person would type
	Good    Style = "good"
	Bad     Style = "bad"
)

// A Span is text of one style.
type Span struct {
	Text  string
	Style Style
}

// A Line was printed at a time.
type Line struct {
	At    time.Duration // since the story began
	Spans []Span
}

// Text returns the line without its styles.
func (l Line) Text() string {
	var b strings.Builder
	for _, s := range l.Spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// ANSI returns the line with the escape sequences that color it on a terminal.
func (l Line) ANSI() string {
	codes := map[Style]string{Strong: "1", Dim: "2", Command: "1;36", Good: "32", Bad: "31"}
	var b strings.Builder
	for _, s := range l.Spans {
		code, ok := codes[s.Style]
		if !ok {
			b.WriteString(s.Text)
			continue
		}
		b.WriteString("\x1b[" + code + "m" + s.Text + "\x1b[0m")
	}
	return b.String()
}

// A Chart is a candidate's weight over time.
type Chart struct {
	Title  string // "v2, promoted"
	Points []Point
	Good   bool // promoted
	// From and To are when it happened in the story: the picture draws it meanwhile.
	From, To time.Duration
}

// A Point begins a weight, which lasts until the next point.
type Point struct {
	At     time.Duration // since the candidate was asked for
	Weight int           // percent
}

// A Story is a terminal session as it happened.
type Story struct {
	Title  string // of the window
	Lines  []Line
	Charts []Chart // side by side, on one time scale
}
