package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
)

// wide is how many characters a line may have.
const wide = 96

// A teller prints the story and keeps it for the picture. What goes on meanwhile is shown on
// the last line of a terminal, or every few seconds in a log, and is not kept.
type teller struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	began    time.Time
	lines    []report.Line
}

func newTeller(out *os.File) *teller {
	t := &teller{out: out, began: time.Now()}
	if info, err := out.Stat(); err == nil {
		t.terminal = info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	return t
}

// start begins the story anew.
func (t *teller) start() { t.began, t.lines = time.Now(), nil }

func (t *teller) elapsed() time.Duration { return time.Since(t.began) }

// say prints a line and keeps it.
func (t *teller) say(spans ...report.Span) { t.sayAt(time.Now(), spans...) }

// sayAt prints what happened at a time that may be over.
func (t *teller) sayAt(at time.Time, spans ...report.Span) {
	line := report.Line{At: max(0, at.Sub(t.began)), Spans: spans}
	t.lines = append(t.lines, line)
	text := line.Text()
	if t.terminal && os.Getenv("NO_COLOR") == "" {
		text = line.ANSI()
	}
	t.print(text + "\n")
}

func (t *teller) print(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.terminal {
		text = "\r\x1b[K" + text
	}
	_, _ = io.WriteString(t.out, text)
}

// close leaves the terminal with a clean last line.
func (t *teller) close() {
	if t.terminal {
		t.print("")
	}
}

// during does work and shows meanwhile what goes on, and for how long.
func (t *teller) during(what func() string, work func() error) error {
	every := 5 * time.Second
	if t.terminal {
		every = 200 * time.Millisecond
	}
	done := make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		began := time.Now()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				t.show(time.Since(began), what())
			}
		}
	})
	err := work()
	close(done)
	showing.Wait()
	t.close()
	return err
}

func (t *teller) show(elapsed time.Duration, what string) {
	text := fmt.Sprintf("  ... %3.0f s  %s", elapsed.Seconds(), what)
	if !t.terminal {
		text += "\n"
	}
	t.print(text)
}

// typed prints a command as a person would type it.
func (t *teller) typed(arguments string) {
	t.say()
	t.say(dim("$ "), command("terraform "+arguments))
}

// quote prints a diagnostic nearly as Terraform does: of its paragraphs only those that are
// named, with an ellipsis for the others.
func (t *teller) quote(d diagnostic, style func(string) report.Span, paragraphs ...int) {
	severity := strings.ToUpper(d.Severity[:1]) + d.Severity[1:]
	for _, line := range wrap(severity+": "+d.Summary, wide-4) {
		t.say(dim("  │ "), style(line))
	}
	elided := false
	for i, paragraph := range strings.Split(d.Detail, "\n") {
		if !slices.Contains(paragraphs, i) {
			if !elided {
				t.say(dim("  │ …"))
			}
			elided = true
			continue
		}
		elided = false
		for _, line := range wrap(paragraph, wide-4) {
			t.say(dim("  │ "), plain(line))
		}
	}
}

// wrap breaks text between words. A word that is too long has a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func plain(s string) report.Span   { return report.Span{Text: s} }
func strong(s string) report.Span  { return report.Span{Text: s, Style: report.Strong} }
func dim(s string) report.Span     { return report.Span{Text: s, Style: report.Dim} }
func command(s string) report.Span { return report.Span{Text: s, Style: report.Command} }
func good(s string) report.Span    { return report.Span{Text: s, Style: report.Good} }
func bad(s string) report.Span     { return report.Span{Text: s, Style: report.Bad} }

func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }
