package github

import (
	"cmp"
	"slices"
	"strings"
)

// nearest are the names that are most like a word, the nearest first, as many as fit in n.
func nearest(word string, names []string, n int) []string {
	word = strings.ToLower(word)
	out := slices.Clone(names)
	slices.SortStableFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(edits(word, strings.ToLower(a)), edits(word, strings.ToLower(b))), strings.Compare(a, b))
	})
	return out[:min(n, len(out))]
}

// edits is how many letters have to be changed, put in or left out to make b of a (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
