package report

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func story() Story {
	at := func(seconds int, spans ...Span) Line {
		return Line{At: time.Duration(seconds) * time.Second, Spans: spans}
	}
	points := func(pairs ...int) []Point {
		var ps []Point
		for i := 0; i < len(pairs); i += 2 {
			ps = append(ps, Point{time.Duration(pairs[i]) * time.Second, pairs[i+1]})
		}
		return ps
	}
	return Story{
		Title: "make demo",
		Lines: []Line{
			at(0, Span{"$ ", Dim}, Span{"terraform apply -var version=2", Command}),
			at(3, Span{"  5%   ", Plain}, Span{"no <error> & 1,000 requests", Dim}),
			at(9, Span{"promoted", Good}, Span{" in ", Plain}, Span{"6 s", Strong}),
			at(9),
			at(20, Span{"Error: \"errors\" failed\x00", Bad}),
		},
		Charts: []Chart{
			{Title: "v2, promoted", Good: true, From: 0, To: 9 * time.Second, Points: points(0, 0, 1, 5, 4, 25, 6, 100)},
			{Title: "v3, rolled back", From: 10 * time.Second, To: 20 * time.Second, Points: points(0, 0, 1, 5, 3, 0)},
		},
	}
}

func TestSVGIsTheGoldenPicture(t *testing.T) {
	got := story().SVG()
	golden := filepath.Join("testdata", "story.svg")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the picture changed; look at it, then run with -update:\n%s", diff)
	}
}

func TestSVGIsWellFormedWhateverTheTextAndCarriesNothingActive(t *testing.T) {
	for name, s := range map[string]Story{
		"story":      story(),
		"empty":      {},
		"no history": {Title: "x", Lines: story().Lines, Charts: []Chart{{Title: "none"}}},
		"hostile": {Title: `"><script>alert(1)</script>`, Lines: []Line{{Spans: []Span{{"]]></text><script>\xff\x1b[31m&lt;", Bad}}}},
			Charts: []Chart{{Title: "</text>", Points: []Point{{0, 0}}}}},
	} {
		isPicture(t, name, s.SVG())
	}
}

func TestALineReadsTheSameWithAndWithoutColors(t *testing.T) {
	l := story().Lines[2]
	if got, want := l.Text(), "promoted in 6 s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := l.ANSI(), "\x1b[32mpromoted\x1b[0m in \x1b[1m6 s\x1b[0m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTicksAreRoundAndFew(t *testing.T) {
	for seconds, want := range map[float64]float64{1: 0.2, 6: 1, 13: 2, 25: 5, 60: 10, 140: 20, 700: 100} {
		if got := tick(seconds); got != want {
			t.Errorf("marks over %v s are %v s apart, want %v", seconds, got, want)
		}
	}
}
