// Package screen draws an endpoint and its rollout as text: on a terminal with colors and as wide as it
// is, in place while it changes (Canvas); elsewhere the same without colors, 80 columns wide.
//
// A Painter makes texts of records and knows no terminal, so that what it draws is tested by its text.
package screen

import (
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// An Endpoint is what is drawn.
type Endpoint struct {
	ID     string
	Status endpoint.Status
	Record rollout.Record
}

// A Painter draws for one width. Its zero Width is 80.
type Painter struct {
	Width int
	Color bool
	Zone  *time.Location // of times; nil is local
	Now   time.Time      // times of its day are written without a date
	// Most bounds the entries of the history that are drawn; 0 is 12.
	Most int
}

const (
	defaultWidth = 80
	leastWidth   = 48  // below it, lines are broken by the terminal
	mostWidth    = 110 // above it, eyes lose the line
	defaultMost  = 12
)

func (p Painter) width() int {
	if p.Width == 0 {
		return defaultWidth
	}
	return min(max(p.Width, leastWidth), mostWidth)
}

// A tone is what a text means; the terminal's own palette says how that looks.
type tone string

const (
	strong tone = "1"
	dim    tone = "2"
	good   tone = "32"
	bad    tone = "31"
	wait   tone = "33"
	busy   tone = "36"
)

func (p Painter) paint(t tone, text string) string {
	if !p.Color || text == "" || t == "" {
		return text
	}
	return "\x1b[" + string(t) + "m" + text + "\x1b[0m"
}

// A sheet is a drawing line by line.
type sheet struct {
	Painter
	lines []string
}

func (s *sheet) String() string { return strings.Join(s.lines, "\n") + "\n" }

func (s *sheet) blank() { s.lines = append(s.lines, "") }

// text writes words behind a head, which is drawn already; further lines begin below the words.
func (s *sheet) text(head string, t tone, words string) {
	indent := ansi.StringWidth(head)
	room := max(s.width()-indent, leastWidth/4)
	for i, line := range strings.Split(unglue.Replace(ansi.Wrap(glue(Clean(words)), room, " ")), "\n") {
		if i > 0 {
			head = strings.Repeat(" ", indent)
		}
		s.lines = append(s.lines, strings.TrimRight(head+s.paint(t, strings.TrimRight(line, " ")), " "))
	}
}

// glue keeps commands in `backticks` together: whoever copies one gets one line.
func glue(words string) string {
	parts := strings.Split(words, "`")
	for i := 1; i < len(parts)-1; i += 2 {
		parts[i] = strings.ReplaceAll(parts[i], " ", glued)
	}
	return strings.Join(parts, "`")
}

const glued = "\ue000" // private: no text has it, as wide as a blank

var unglue = strings.NewReplacer(glued, " ")

// flow writes pieces that are drawn already, as many on a line as fit.
func (s *sheet) flow(head string, pieces []string) {
	indent, line, empty := ansi.StringWidth(head), head, true
	for _, piece := range pieces {
		if !empty && ansi.StringWidth(line)+2+ansi.StringWidth(piece) > s.width() {
			s.lines = append(s.lines, line)
			line, empty = strings.Repeat(" ", indent), true
		}
		if !empty {
			line += "  "
		}
		line, empty = line+piece, false
	}
	s.lines = append(s.lines, line)
}

// Clean makes one line of text that others wrote, without what a terminal would obey.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return '�'
		}
		return r
	}, text)
}

// moment writes a time as short as it is clear.
func (p Painter) moment(t time.Time) string {
	zone := p.Zone
	if zone == nil {
		zone = time.Local //nolint:gosmopolitan // people read it where they are
	}
	t, now := t.In(zone), p.Now.In(zone)
	if t.Year() == now.Year() && t.YearDay() == now.YearDay() {
		return t.Format(time.TimeOnly)
	}
	return t.Format("2 Jan 15:04")
}
