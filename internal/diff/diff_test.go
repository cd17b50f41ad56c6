package diff_test

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/diff"
)

// tell writes a comparison as people know it.
func tell(lines []diff.Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString([]string{" ", "-", "+", "@"}[l.Kind] + l.Text)
		b.WriteString(strings.Repeat(".", l.N))
		b.WriteByte('|')
	}
	return b.String()
}

func TestALineThatChangesIsToldWithItsNeighbours(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after, want string }{
		{"a", "a", " a|"},
		{"a", "b", "-a|+b|"},
		{"a b c d e f g", "a b c d X f g", " a| b| c| d|-e|+X| f| g|"},
		{"1 2 3 4 5 6 7 8 9", "1 2 3 4 5 6 7 8 X", "@.....| 6| 7| 8|-9|+X|"},
		{"1 2 3 4 5 6 7 8 9", "X 2 3 4 5 6 7 8 9", "-1|+X| 2| 3| 4|@.....|"},
		{"a b c", "a c", " a|-b| c|"},
	} {
		if got := tell(diff.Lines(strings.Fields(c.before), strings.Fields(c.after))); got != c.want {
			t.Errorf("%s, %s: got %s, want %s", c.before, c.after, got, c.want)
		}
	}
}

func TestBothSidesCanBeReadFromAComparison(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c"}))
		before, after := words.Draw(t, "before"), words.Draw(t, "after")
		var one, other int
		for _, l := range diff.Lines(before, after) {
			n := max(l.N, 1)
			if l.Kind != diff.Added {
				if l.Kind != diff.Omitted && before[one] != l.Text {
					t.Fatalf("line %d of before is %q", one, l.Text)
				}
				one += n
			}
			if l.Kind != diff.Removed {
				if l.Kind != diff.Omitted && after[other] != l.Text {
					t.Fatalf("line %d of after is %q", other, l.Text)
				}
				other += n
			}
		}
		if one != len(before) || other != len(after) {
			t.Fatalf("told %d and %d lines of %d and %d", one, other, len(before), len(after))
		}
	})
}

// A comparison of long texts tells each change by itself, however far apart they are.
func TestChangesFarApartInALongTextAreToldApart(t *testing.T) {
	t.Parallel()
	var before, after []string
	for i := range 900 {
		line := strconv.Itoa(i)
		before = append(before, line)
		if i%60 == 30 {
			line = "changed"
		}
		after = append(after, line)
	}
	count := map[diff.Kind]int{}
	for _, l := range diff.Lines(before, after) {
		count[l.Kind]++
	}
	if count[diff.Removed] != 15 || count[diff.Added] != 15 || count[diff.Same] != 15*2*3 || count[diff.Omitted] != 16 {
		t.Errorf("removed, added, same and omitted: %v", count)
	}
}
