package terraform

import (
	"encoding/binary"
	"io"
	"strings"
	"sync"
)

// Mask stands where a secret was.
const Mask = "***"

// leastSecret is the length below which a value is left alone, in bytes.
const leastSecret = 8

// A Scrubber replaces exact values by Mask: raw, in base64 (standard and URL, at any offset), percent-encoded,
// escaped for JSON and HCL, and line by line. Values shorter than 8 bytes are left alone: they would hit half of
// every text. It may be used and added to from several goroutines; a nil one leaves all as it is.
type Scrubber struct {
	mu sync.RWMutex
	// needles by their first 8 bytes: all are at least that long, so that one look finds the few that may be there.
	needles map[uint64][]string
	maybe   [1 << 10]uint64     // a bit for each hash of first bytes, before the map is asked
	starts  map[string]struct{} // beginnings shorter than 8 bytes, for what may go on in the next write
	longest int                 // needle
	added   map[string]struct{} // what Add saw
}

// NewScrubber returns a Scrubber of these values.
func NewScrubber(secrets ...string) *Scrubber {
	s := &Scrubber{}
	s.Add(secrets...)
	return s
}

// Add adds values.
func (s *Scrubber) Add(secrets ...string) {
	for _, secret := range secrets {
		s.add(secret, true)
	}
}

// add adds the forms of a value; lines says whether each line of it is a secret of its own.
func (s *Scrubber) add(secret string, lines bool) {
	if len(secret) < leastSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.added[secret]; ok {
		return
	}
	if s.added == nil {
		s.added = map[string]struct{}{}
	}
	s.added[secret] = struct{}{}
	for _, form := range forms(secret, lines) {
		s.insert(form)
	}
}

// insertRaw adds a value as it is, and no other form of it.
func (s *Scrubber) insertRaw(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.insert(secret)
}

func (s *Scrubber) insert(needle string) {
	if len(needle) < leastSecret {
		return
	}
	if s.needles == nil {
		s.needles, s.starts = map[uint64][]string{}, map[string]struct{}{}
	}
	head := binary.LittleEndian.Uint64([]byte(needle[:leastSecret]))
	for _, known := range s.needles[head] {
		if known == needle {
			return
		}
	}
	s.needles[head] = append(s.needles[head], needle)
	bit := bitOf(head)
	s.maybe[bit>>6] |= 1 << (bit & 63)
	for n := 1; n < leastSecret; n++ {
		s.starts[needle[:n]] = struct{}{}
	}
	s.longest = max(s.longest, len(needle))
}

func bitOf(head uint64) uint64 { return head * 0x9e3779b97f4a7c15 >> 48 }

// at is the length of the longest secret that begins at i, 0 if none does.
func (s *Scrubber) at(text string, i int) int {
	if len(text)-i < leastSecret {
		return 0
	}
	b := text[i : i+leastSecret]
	head := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
	if bit := bitOf(head); s.maybe[bit>>6]&(1<<(bit&63)) == 0 {
		return 0
	}
	longest := 0
	for _, needle := range s.needles[head] {
		if len(needle) > longest && strings.HasPrefix(text[i:], needle) {
			longest = len(needle)
		}
	}
	return longest
}

// goesOn reports whether the end of text, from i, may be the beginning of a secret.
func (s *Scrubber) goesOn(text string, i int) bool {
	rest := text[i:]
	if len(rest) < leastSecret {
		_, ok := s.starts[rest]
		return ok
	}
	for _, needle := range s.needles[binary.LittleEndian.Uint64([]byte(rest[:leastSecret]))] {
		if len(needle) > len(rest) && strings.HasPrefix(needle, rest) {
			return true
		}
	}
	return false
}

// String is text without secrets. Secrets that overlap are one Mask.
func (s *Scrubber) String(text string) string {
	if s == nil || len(text) < leastSecret {
		return text
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	out, done := s.scrub(nil, text, 0, len(text))
	if done == 0 {
		return text
	}
	return string(append(out, text[done:]...))
}

// scrub looks for secrets that begin before end, and appends text to out up to where the last of them ends, which it
// returns. The first covered bytes are known to be secret, and their Mask is in out.
func (s *Scrubber) scrub(out []byte, text string, covered, end int) (_ []byte, done int) {
	done = covered
	if s.longest == 0 {
		return out, done
	}
	for i := range end {
		n := s.at(text, i)
		if n == 0 {
			continue
		}
		if i >= done {
			out = append(append(out, text[done:i]...), Mask...)
		}
		done = max(done, i+n)
	}
	return out, done
}

// Writer scrubs what is written to it, also a secret that comes in pieces, and passes it on. What may be the beginning
// of a secret is held back until more is written or it is closed; closing does not close w.
func (s *Scrubber) Writer(w io.Writer) io.WriteCloser { return &scrubbing{s: s, w: w} }

type scrubbing struct {
	mu      sync.Mutex
	s       *Scrubber
	w       io.Writer
	held    []byte
	covered int // bytes of held that belong to a secret whose Mask is written
}

func (w *scrubbing) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = append(w.held, p...)
	if err := w.flush(false); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (w *scrubbing) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush(true)
}

// flush writes what is decided: all before the first place that may begin a secret.
func (w *scrubbing) flush(all bool) error {
	text := string(w.held)
	end := len(text)
	var out []byte
	done := 0
	if w.s != nil {
		w.s.mu.RLock()
		if !all {
			end = w.s.undecided(text)
		}
		out, done = w.s.scrub(nil, text, w.covered, end)
		w.s.mu.RUnlock()
	}
	if done < end {
		out = append(out, text[done:end]...)
	}
	w.held, w.covered = append(w.held[:0], text[end:]...), max(done-end, 0)
	if len(out) == 0 {
		return nil
	}
	_, err := w.w.Write(out)
	return err
}

// undecided is where the first secret may begin that goes on behind text; its length if none does.
func (s *Scrubber) undecided(text string) int {
	for i := max(0, len(text)-s.longest+1); i < len(text); i++ {
		if s.goesOn(text, i) {
			return i
		}
	}
	return len(text)
}
