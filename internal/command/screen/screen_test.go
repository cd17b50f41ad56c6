package screen

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got, -update writes it anew):\n%s", path, diff)
	}
}

func painter(width int, color bool) Painter {
	return Painter{Width: width, Color: color, Zone: time.UTC, Now: at(10, 0)}
}

func TestEveryPhaseIsDrawnAt80ColumnsWithoutColors(t *testing.T) {
	t.Parallel()
	for name, e := range fixtures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, name, painter(80, false).Endpoint(e))
		})
	}
}

func TestColorsAndWidthsOfARollout(t *testing.T) {
	t.Parallel()
	e := fixtures()["observing"]
	golden(t, "color", painter(100, true).Endpoint(e))
	golden(t, "narrow", painter(50, false).Endpoint(e))
	golden(t, "progress", painter(80, false).Progress(e))
}

func TestTableOfEndpointsFitsOrBreaks(t *testing.T) {
	t.Parallel()
	var all []Endpoint
	for _, name := range slices.Sorted(maps.Keys(fixtures())) {
		all = append(all, fixtures()[name])
	}
	golden(t, "table", painter(100, false).Table(all))
	golden(t, "table-narrow", painter(60, false).Table(all))
}

func TestNoLineIsWiderThanTheTerminalAndColorsChangeNoLetter(t *testing.T) {
	t.Parallel()
	for name, e := range fixtures() {
		for width := leastWidth; width <= mostWidth; width += 1 + width/12 {
			plain, color := painter(width, false).Endpoint(e), painter(width, true).Endpoint(e)
			if ansi.Strip(color) != plain {
				t.Fatalf("%s at %d: colors change the text:\n%s", name, width, color)
			}
			if strings.Contains(plain, "\x1b") {
				t.Fatalf("%s at %d: colors where none were asked for", name, width)
			}
			for _, line := range strings.Split(plain, "\n") {
				if w := ansi.StringWidth(line); w > width {
					t.Errorf("%s at %d: %d columns: %q", name, width, w, line)
				}
			}
		}
	}
}

func TestWhatOthersWroteCannotDriveTheTerminal(t *testing.T) {
	t.Parallel()
	evil := "a\x1b]0;title\x07b\x1b[2Jc\u009b31md\ne\u202ef"
	e := fixtures()["rolled-back"]
	e.ID, e.Status.URL = e.ID+evil, e.Status.URL+evil
	e.Record.Failure.Reason, e.Record.Runner, e.Record.Phase = evil, evil, rollout.Phase(evil)
	e.Record.History[0].Sentence, e.Record.Verdicts[0].Gate, e.Record.Verdicts[0].Sentence = evil, evil, evil
	e.Status.Rejected[0].Reason, e.Status.Rejected[0].Gate, e.Status.Rejected[0].Revision = evil, evil, evil
	e.Status.Stable.Digest = evil
	for _, text := range []string{painter(80, false).Endpoint(e), painter(80, false).Table([]Endpoint{e})} {
		for _, r := range text {
			if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e') {
				t.Fatalf("%q reaches the terminal in\n%q", r, text)
			}
		}
	}
}

func TestRecordsOfLaterOrBrokenProgramsAreDrawn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*rollout.Record){
		"later policy":  func(r *rollout.Record) { r.Policy = []byte(`{"schema": 9, "waves": 3}`) },
		"no policy":     func(r *rollout.Record) { r.Policy = nil },
		"step too far":  func(r *rollout.Record) { r.Step = 17 },
		"step below":    func(r *rollout.Record) { r.Step = -1 },
		"weight beyond": func(r *rollout.Record) { r.Weight = 1 << 40 },
		"later phase":   func(r *rollout.Record) { r.Phase = "shadowing" },
		"no verdict":    func(r *rollout.Record) { r.Verdicts = nil },
	} {
		e := fixtures()["observing"]
		change(&e.Record)
		if text := painter(80, true).Endpoint(e); !strings.Contains(text, e.ID) {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestCanvasDrawsInPlaceAndWithinTheTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	columns, rows := 10, 6
	c := Canvas{Out: &out, Size: func() (int, int) { return columns, rows }}
	draw := func(stays []string, drawing, want string) {
		t.Helper()
		out.Reset()
		if err := c.Draw(stays, drawing); err != nil {
			t.Fatal(err)
		}
		if want = "\x1b[?2026h" + want + "\x1b[?2026l"; out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	}
	up := func(n int) string { return strings.Repeat("\x1b[A", n) + "\r\x1b[J" }
	draw(nil, "one\ntwo\n", "one\ntwo\n")
	draw([]string{"stays"}, "three\n", up(2)+"stays\nthree\n")
	draw(nil, strings.Repeat("x", 25)+"\n", up(1)+strings.Repeat("x", 25)+"\n")
	columns = 20 // the 25 letters now take two rows
	draw(nil, "four\n", up(2)+"four\n")
	var high strings.Builder
	for i := range 9 {
		fmt.Fprintln(&high, i)
	}
	draw(nil, high.String(), up(1)+"0\n1\n2\n3\n4\n")
	draw([]string{"end"}, "", up(5)+"end\n")
	draw(nil, "last\n", "last\n")
}
