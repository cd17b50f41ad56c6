package terraform

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// An Error is a tool that failed. All its texts are scrubbed.
type Error struct {
	Doing       string // "plan", "init", ...
	Dir         string
	Tool        string
	Code        int // exit code; -1 for a signal, or a tool that was not started
	Diagnostics []Diagnostic
	Said        string // the last that it said, where there are no diagnostics
	Lock        *Lock  // set where the state was locked by somebody else
	Canceled    bool   // the context ended
	cause       error
}

// A Diagnostic is an error or a warning of the tool, scrubbed.
type Diagnostic struct {
	Severity string // "error" or "warning"
	Summary  string
	Detail   string
	Address  string // of a resource, or ""
	File     string
	Line     int
}

// Error says what failed, in the tool's own words, and what to do about a lock.
func (e *Error) Error() string {
	head := e.Brief()
	if e.Lock != nil {
		return head + ": " + e.Lock.Explain(e.Tool)
	}
	var words []string
	for _, d := range e.Diagnostics {
		if d.Severity == "error" {
			words = append(words, d.String())
		}
	}
	if len(words) == 0 && e.Said != "" {
		words = []string{plainWords(e.Said)}
	}
	if len(words) == 0 {
		words = []string{fmt.Sprintf("exit code %d", e.Code)}
	}
	if e.Code < 0 && !e.Canceled {
		words = append(words, "It was killed by somebody else. The state may still be locked, and may not have all that was done: plan again before anything else.")
	}
	return head + ": " + strings.Join(words, "\n")
}

// Brief is what failed, without the tool's words.
func (e *Error) Brief() string {
	how := "failed"
	if e.Canceled {
		how = "was canceled"
	}
	return fmt.Sprintf("%s %s in %q %s", e.Tool, e.Doing, e.Dir, how)
}

// Unwrap is the context's error for a run that was canceled.
func (e *Error) Unwrap() error { return e.cause }

// String is the diagnostic on some lines: what, where, and the detail.
func (d Diagnostic) String() string {
	s := d.Summary
	if d.Address != "" {
		s += " (" + d.Address + ")"
	}
	if d.File != "" {
		s += fmt.Sprintf(" at %s:%d", d.File, d.Line)
	}
	if d.Detail != "" {
		s += ": " + d.Detail
	}
	return s
}

var (
	frames = regexp.MustCompile(`(?m)^[ \t]*[╷│╵][ \t]?`)
	colour = regexp.MustCompile("\x1b\\[[0-9;]*m")
)

// plainWords is what the tool said to people from its first error on, without frames and colours.
func plainWords(s string) string {
	s = frames.ReplaceAllString(colour.ReplaceAllString(s, ""), "")
	if i := strings.Index(s, "Error: "); i >= 0 {
		s = s[i+len("Error: "):]
	}
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// A Lock on a state that somebody else holds.
type Lock struct {
	ID        string
	Path      string
	Operation string    // "OperationTypeApply"
	Who       string    // "runner@host"
	Version   string    // of the tool that holds it
	Created   time.Time // zero where the backend does not say
	Info      string
}

var lockLine = regexp.MustCompile(`(?m)^\s*(ID|Path|Operation|Who|Version|Created|Info):[ \t]*(.*?)[ \t]*$`)

// findLock reads what the tool says of a lock; nil where it says nothing.
func findLock(said string) *Lock {
	said = frames.ReplaceAllString(colour.ReplaceAllString(said, ""), "")
	_, info, ok := strings.Cut(said, "Lock Info:")
	if !ok {
		return nil
	}
	l := &Lock{}
	for _, m := range lockLine.FindAllStringSubmatch(info, -1) {
		value := m[2]
		switch m[1] {
		case "ID":
			l.ID = value
		case "Path":
			l.Path = value
		case "Operation":
			l.Operation = value
		case "Who":
			l.Who = value
		case "Version":
			l.Version = value
		case "Info":
			l.Info = value
		case "Created":
			if at, err := time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", value); err == nil {
				l.Created = at
			}
		}
	}
	if l.ID == "" {
		return nil
	}
	return l
}

// Explain says who holds the lock, since when, and how to unlock.
func (l *Lock) Explain(tool string) string {
	who, since, doing := "somebody", "", ""
	if l.Who != "" {
		who = l.Who
	}
	if !l.Created.IsZero() {
		since = " since " + l.Created.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	if op, ok := strings.CutPrefix(l.Operation, "OperationType"); ok && op != "" {
		doing = ", for " + strings.ToLower(op)
	}
	return fmt.Sprintf("the state is locked by %s%s%s (lock %s). Nothing was changed. If that run is still going, wait for it and try again, "+
		"or set a lock timeout. If it is surely over, unlock with: %s force-unlock %s", who, since, doing, l.ID, tool, l.ID)
}
