// Package diff compares texts line by line, for people to read.
package diff

import "github.com/aymanbagabas/go-udiff/lcs"

// A Kind says what a Line is about.
type Kind int

// The kinds of lines.
const (
	Same    Kind = iota // in both
	Removed             // only before
	Added               // only after
	Omitted             // stands for lines that are in both and far from a change
)

// A Line of a comparison.
type Line struct {
	Kind Kind
	Text string // "" for Omitted
	N    int    // how many lines an Omitted one stands for
}

const contextLines = 3

// Lines compares lines: what is the same is told around what is not, and left out elsewhere. Texts that have little in
// common are told in larger pieces than they need be, not more slowly.
func Lines(before, after []string) []Line {
	var told []Line
	last := 0 // in before, behind the change that was told last
	for _, d := range lcs.DiffLines(before, after) {
		told = same(told, before[last:d.Start], len(told) > 0, true)
		told = all(told, Removed, before[d.Start:d.End])
		told = all(told, Added, after[d.ReplStart:d.ReplEnd])
		last = d.End
	}
	return same(told, before[last:], len(told) > 0, false)
}

// same tells unchanged lines: those next to a change, which may stand before and after them.
func same(told []Line, lines []string, changeBefore, changeAfter bool) []Line {
	first, last := 0, 0
	if changeBefore {
		first = contextLines
	}
	if changeAfter {
		last = contextLines
	}
	for i, l := range lines {
		switch left := len(lines) - first - last; {
		case left <= 1 || i < first || i >= len(lines)-last:
			told = append(told, Line{Kind: Same, Text: l})
		case i == first:
			told = append(told, Line{Kind: Omitted, N: left})
		}
	}
	return told
}

func all(told []Line, kind Kind, lines []string) []Line {
	for _, l := range lines {
		told = append(told, Line{Kind: kind, Text: l})
	}
	return told
}
