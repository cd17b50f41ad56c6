package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func rollouts() Rollouts {
	climbing := func(weights ...int) []Moment {
		var all []Moment
		for i, w := range weights {
			all = append(all, Moment{At: time.Duration(i+1) * time.Minute, Weight: w, Alarm: float64(i) / float64(len(weights)-1)})
		}
		return all
	}
	return Rollouts{Title: "two & a half <rules>", Horizon: 8 * time.Minute, Rollouts: []Rollout{
		{Name: "one", Outcome: "promoted after 4.0 min", Good: true, Moments: climbing(5, 5, 25, 50), After: 100},
		{Name: "other", Outcome: "rolled back after 2.0 min", Moments: climbing(10, 10)},
		{Name: "nothing yet"},
	}}
}

func bars() Bars {
	return Bars{Title: "exposed", Unit: "requests", Bars: []Bar{
		{Name: "one", Value: 2469, Note: "100% rolled back", Good: true}, {Name: "other", Value: 416_981, Note: "1.0% rolled back"}, {Name: "none"}}}
}

func courses() Evidence {
	at := []time.Duration{time.Minute, 2 * time.Minute}
	return Evidence{Title: "evidence", Needed: 100, Lines: []Course{{At: at, Alarm: []float64{-0.2, -0.4}}, {At: at, Alarm: []float64{0.4, 1}, Bad: true}}}
}

func TestChartsAreTheGoldenPictures(t *testing.T) {
	for name, got := range map[string][]byte{"rollouts.svg": rollouts().SVG(), "bars.svg": bars().SVG(), "evidence.svg": courses().SVG()} {
		golden := filepath.Join("testdata", name)
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
			t.Errorf("%s changed; look at it, then run with -update:\n%s", name, diff)
		}
	}
}

func TestChartsAreWellFormedWhateverTheyShowAndCarryNothingActive(t *testing.T) {
	hostile := `"><script>alert(1)</script>` + "\x00\xff"
	for name, picture := range map[string][]byte{
		"rollouts":       rollouts().SVG(),
		"no rollouts":    Rollouts{}.SVG(),
		"hostile":        Rollouts{Title: hostile, Rollouts: []Rollout{{Name: hostile, Outcome: hostile, Moments: []Moment{{Alarm: -7}}}}}.SVG(),
		"bars":           bars().SVG(),
		"no bars":        Bars{}.SVG(),
		"hostile bars":   Bars{Title: hostile, Unit: hostile, Bars: []Bar{{hostile, -1, hostile, true}, {hostile, 1e18, hostile, true}}}.SVG(),
		"evidence":       courses().SVG(),
		"no evidence":    Evidence{}.SVG(),
		"uneven courses": Evidence{Title: hostile, Lines: []Course{{At: []time.Duration{1}}, {Alarm: []float64{9}}}}.SVG(),
	} {
		isPicture(t, name, picture)
	}
}

// isPicture checks that an SVG is one, does nothing by itself, and has numbers where numbers belong.
func isPicture(t *testing.T, name string, picture []byte) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(picture))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: not well-formed: %v\n%s", name, err, picture)
		}
		if start, ok := token.(xml.StartElement); ok && slices.Contains([]string{"script", "image", "a", "foreignObject"}, start.Name.Local) {
			t.Errorf("%s: holds a <%s>", name, start.Name.Local)
		}
	}
	if strings.Contains(string(picture), "NaN") || strings.Contains(string(picture), "Inf") {
		t.Errorf("%s: a coordinate is no number\n%s", name, picture)
	}
}

func TestPowersOfTenAreShort(t *testing.T) {
	for decade, want := range map[float64]string{0: "1", 2: "100", 3: "1k", 5: "100k", 6: "1M", 18: "1000000T"} {
		if got := power(decade); got != want {
			t.Errorf("%g: %s, want %s", decade, got, want)
		}
	}
}
