package crashtest

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The folder of internal/failpoint, which is in the stage's.
const (
	failpoints = "TIDEGATE_ENGINE_FAILPOINTS"
	armedDir   = "armed"
	firedDir   = "fired"
)

func (s *stage) points() string { return filepath.Join(s.dir, "failpoints") }

// A hit is a point that a process reached.
type hit struct {
	at    time.Time
	pid   int
	point string // "daemon store.written write<saveRecord"
}

// hits returns all of them, oldest first.
func (s *stage) hits() []hit {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.points(), "hits"))
	if err != nil {
		s.t.Fatal(err)
	}
	var all []hit
	for line := range bytes.Lines(b) {
		f := strings.SplitN(strings.TrimSpace(string(line)), " ", 3)
		at, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil || len(f) != 3 {
			s.t.Fatalf("a hit reads %q, %v", line, err)
		}
		pid, err := strconv.Atoi(f[1])
		if err != nil {
			s.t.Fatalf("a hit reads %q, %v", line, err)
		}
		all = append(all, hit{time.Unix(0, at), pid, f[2]})
	}
	return all
}

// arm makes a process die at the n-th hit of a point from now on.
func (s *stage) arm(point string, n int) {
	s.t.Helper()
	file := filepath.Join(s.points(), armedDir, url.PathEscape(point))
	if err := os.WriteFile(file+".new", []byte(strconv.Itoa(n)), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		s.t.Fatal(err)
	}
}

// disarm takes back the points that were not reached.
func (s *stage) disarm() {
	s.t.Helper()
	for _, p := range s.listed(armedDir) {
		if err := os.Remove(filepath.Join(s.points(), armedDir, url.PathEscape(p))); err != nil {
			s.t.Fatal(err)
		}
	}
}

// fired returns the points at which a process died.
func (s *stage) fired() map[string]bool {
	s.t.Helper()
	all := map[string]bool{}
	for _, p := range s.listed(firedDir) {
		all[p] = true
	}
	return all
}

// bury forgets them, for the next chapter.
func (s *stage) bury() {
	s.t.Helper()
	for p := range s.fired() {
		if err := os.Remove(filepath.Join(s.points(), firedDir, url.PathEscape(p))); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *stage) listed(dir string) []string {
	s.t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.points(), dir))
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		p, err := url.PathUnescape(e.Name())
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// A death is where a process is to die in a chapter of the life.
type death struct {
	chapter string
	point   string
	nth     int
	tries   int // lives that did not come by
}

func (d death) String() string { return fmt.Sprintf("%s: %s (%d)", d.chapter, d.point, d.nth) }
