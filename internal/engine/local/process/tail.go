package process

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

const (
	tailBytes = 16 << 10
	tailLines = 20
	tailWidth = 200 // characters a line

	pipeBuffer = 4 << 10
)

// A tail passes a server's output on to its log and remembers the end of it.
type tail struct {
	log     io.Writer
	secrets []string // in all forms that are looked for, longest first

	mu   sync.Mutex
	last []byte
	cut  bool // whether something came before last
}

func newTail(log io.Writer, secrets []string) *tail {
	t := &tail{log: log}
	for _, s := range secrets {
		// A key of many lines may be printed line by line.
		for _, s := range append(strings.FieldsFunc(s, lineBreak), s) {
			quoted := strconv.Quote(s)
			t.secrets = append(t.secrets, s, url.QueryEscape(s), quoted[1:len(quoted)-1], base64.StdEncoding.EncodeToString([]byte(s)))
		}
	}
	t.secrets = slices.DeleteFunc(t.secrets, func(s string) bool { return s == "" })
	slices.SortFunc(t.secrets, func(a, b string) int { return len(b) - len(a) })
	return t
}

// Write never fails: an error would close the pipe under the server, for no more than a full disk.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if over := len(t.last) - tailBytes; over > 0 {
		t.last, t.cut = append([]byte(nil), t.last[over:]...), true
	}
	_, _ = t.log.Write(p)
	return len(p), nil
}

// ReadFrom is what os/exec copies a server's pipe with. Its own buffer would be eight times as large, for every server.
func (t *tail) ReadFrom(r io.Reader) (n int64, err error) {
	buffer := make([]byte, pipeBuffer)
	for {
		read, err := r.Read(buffer)
		_, _ = t.Write(buffer[:read])
		n += int64(read)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// note writes a line of our own to the log.
func (t *tail) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(t.log, "[tidegate] "+format+"\n", args...)
}

// words returns the last lines, fit to be shown after a sentence: "" if there are none.
func (t *tail) words() string {
	t.mu.Lock()
	text, cut := string(t.last), t.cut
	t.mu.Unlock()
	if cut && len(t.secrets) > 0 { // a secret may have been cut in two, so that it is not found
		text = text[min(len(text), len(t.secrets[0])):]
	}
	text = t.scrub(escape.ReplaceAllString(t.scrub(text), ""))
	lines := strings.FieldsFunc(text, lineBreak)
	if cut && len(lines) > 1 {
		lines = lines[1:]
	}
	var all strings.Builder
	for _, l := range lines[max(0, len(lines)-tailLines):] {
		if l = printable(l); l != "" {
			all.WriteString("\n  | " + l)
		}
	}
	if all.Len() == 0 {
		return ""
	}
	return "; its last output:" + all.String()
}

func (t *tail) scrub(text string) string {
	for _, s := range t.secrets {
		text = strings.ReplaceAll(text, s, "(secret)")
	}
	return text
}

func lineBreak(r rune) bool { return r == '\n' || r == '\r' }

// escape is a terminal's control sequence.
var escape = regexp.MustCompile(`\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)`)

// printable returns a line without what could confuse a terminal, at a bearable length.
func printable(line string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.TrimRight(line, " \t")))
	if len(runes) > tailWidth {
		return string(runes[:tailWidth]) + "..."
	}
	return string(runes)
}
