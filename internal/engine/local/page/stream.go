package page

import (
	"bytes"
	"context"
	"net/http"
	"time"
)

// quiet is how long a stream says nothing before it shows that it is still there.
const quiet = 15 * time.Second

// events streams the part of the page that changes, each time that it did.
func (s *site) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	var last []byte
	spoke := time.Now()
	for {
		now, err := s.render("engine")
		if err != nil {
			return
		}
		event := []byte(":\n\n") // a comment, so that both ends notice when the other is gone
		if !bytes.Equal(now, last) {
			event = message(now)
		}
		if len(event) > 3 || time.Since(spoke) >= quiet {
			if _, err := w.Write(event); err != nil {
				return
			}
			if err := out.Flush(); err != nil {
				return
			}
			last, spoke = now, time.Now()
		}
		if !s.wait(r.Context()) {
			return
		}
	}
}

// message frames a fragment as an event. Whoever loses the stream comes back after a second.
func message(fragment []byte) []byte {
	var b bytes.Buffer
	b.WriteString("retry: 1000\n")
	for line := range bytes.Lines(fragment) {
		b.WriteString("data: ")
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// wait returns after a change, or when it is time to look at the counts, but never before
// the pause; false when the stream is over.
func (s *site) wait(ctx context.Context) bool {
	pause := time.NewTimer(s.pause)
	defer pause.Stop()
	beat, cancel := context.WithTimeout(ctx, s.beat)
	defer cancel()
	if !s.changes(beat) && beat.Err() == nil {
		return false
	}
	select {
	case <-pause.C:
		return true
	case <-ctx.Done():
		return false
	}
}
