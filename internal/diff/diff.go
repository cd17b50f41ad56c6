// Package diff compares texts line by line, for people to read.
package diff

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

const (
	contextLines = 3
	maxCells     = 1 << 16 // of the table of common lines; beyond it all lines are told as changed
)

// Lines compares lines: what is the same is told around what is not, and left out elsewhere.
func Lines(before, after []string) []Line {
	head := 0
	for head < len(before) && head < len(after) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < len(before)-head && tail < len(after)-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	lines := same(nil, before[:head], false, true)
	lines = changed(lines, before[head:len(before)-tail], after[head:len(after)-tail])
	return same(lines, before[len(before)-tail:], true, false)
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

// changed tells lines by the longest common subsequence.
func changed(told []Line, before, after []string) []Line {
	if len(before)*len(after) > maxCells {
		return all(all(told, Removed, before), Added, after)
	}
	common := commonLines(before, after)
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		if i < len(before) && j < len(after) && before[i] == after[j] {
			from := i
			for i < len(before) && j < len(after) && before[i] == after[j] {
				i, j = i+1, j+1
			}
			told = same(told, before[from:i], true, true)
			continue
		}
		if j == len(after) || i < len(before) && common[i+1][j] >= common[i][j+1] {
			told = append(told, Line{Kind: Removed, Text: before[i]})
			i++
			continue
		}
		told = append(told, Line{Kind: Added, Text: after[j]})
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

func all(told []Line, kind Kind, lines []string) []Line {
	for _, l := range lines {
		told = append(told, Line{Kind: kind, Text: l})
	}
	return told
}
