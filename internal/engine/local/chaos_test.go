package local

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk/powercut"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

var (
	theSchedule   = flag.Uint64("schedule", 0, "print the course of the random schedule of this seed, and play no other")
	manySchedules = flag.Int("schedules", 0, "how many random schedules are played")
	firstSchedule = flag.Uint64("first", 1, "the seed of the first of them")
)

// schedules is how many are played: all in a run of their own, which make test makes without the race detector, and
// some in every other.
func schedules() int {
	switch {
	case *manySchedules > 0:
		return *manySchedules
	case testing.Short():
		return 100
	case raceDetector:
		return 200
	}
	return 1000
}

func TestRolloutsHoldUnderRandomSchedules(t *testing.T) {
	t.Parallel()
	lab := newChaosLab(t, powercut.TempDir(t))
	if *theSchedule != 0 {
		o := lab.play(t, draw(*theSchedule))
		t.Logf("%s\n%s", draw(*theSchedule), o.story)
		if o.broken != "" {
			t.Error(o.broken)
		}
		return
	}
	began := time.Now()
	ends, stored := map[string]int{}, 0
	var mu sync.Mutex
	lab.search(t, schedules(), noMutant, func(seed uint64, o outcome) bool {
		mu.Lock()
		defer mu.Unlock()
		ends[o.end]++
		stored += o.stored
		if o.broken != "" {
			t.Error(lab.report(t, draw(seed), o))
		}
		return o.broken == ""
	})
	t.Logf("%d schedules with %d stored documents in %s, which ended %v", schedules(), stored, time.Since(began).Round(time.Millisecond), ends)
	for _, end := range []string{string(rollout.Promoted), rollout.KindGate, rollout.KindCandidate, rollout.KindBlind,
		rollout.KindCancelled, rollout.KindAbandoned, rollout.KindSuperseded} {
		if ends[end] == 0 && !t.Failed() {
			t.Errorf("no schedule ended %q: the claim is emptier than it looks", end)
		}
	}
}

// search plays schedules on all processors until each says false.
func (lab *chaosLab) search(t *testing.T, n int, m mutant, each func(seed uint64, o outcome) bool) {
	var next atomic.Uint64
	t.Run("search", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("worker", func(t *testing.T) {
				t.Parallel()
				for {
					i := next.Add(1)
					if i > uint64(n) {
						return
					}
					seed := *firstSchedule + i - 1
					sc := draw(seed)
					sc.mutant = m
					if !each(seed, lab.play(t, sc)) {
						next.Store(uint64(n))
					}
				}
			})
		}
	})
}

// report tells how to see a failure again, after having left out what it does not need.
func (lab *chaosLab) report(t *testing.T, sc schedule, o outcome) string {
	for i := 0; i < len(sc.ops); {
		less := sc
		less.ops = slices.Delete(slices.Clone(sc.ops), i, i+1)
		if p := lab.play(t, less); p.broken != "" {
			sc, o = less, p
			continue
		}
		i++
	}
	return fmt.Sprintf("%s\n%s\n%sagain, in full: go test ./internal/engine/local -run RandomSchedules -v -schedule %d", o.broken, sc, o.story, sc.seed)
}

// TestTheSchedulesFindEverySeededMutation tests the harness.
func TestTheSchedulesFindEverySeededMutation(t *testing.T) {
	t.Parallel()
	lab := newChaosLab(t, powercut.TempDir(t))
	for name, tc := range map[string]struct {
		mutant mutant
		broken []string // one of them
	}{
		"the last writer wins":                           {noVersionCheck, []string{"the history was rewritten", "S2: ", "S5: ", "S6: ", "evidence: "}},
		"the cursor is not written with the evidence":    {cursorApart, []string{"evidence: "}},
		"the engine forgets what it counted":             {countsAgain, []string{"evidence: "}},
		"the end of a rollout has no consequences":       {unsettled, []string{"settle: "}},
		"the router does not hear that the weight falls": {deafRouter, []string{"S1: ", "the router"}},
		"a save is answered before it is on disk":        {losesWrites, []string{"versions: "}},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			found := map[string]uint64{}
			lab.search(t, 2000, tc.mutant, func(seed uint64, o outcome) bool {
				mu.Lock()
				defer mu.Unlock()
				if o.broken != "" {
					found[o.broken] = seed
				}
				return len(found) == 0
			})
			t.Logf("found %v", found)
			for broken := range maps.Keys(found) {
				if slices.ContainsFunc(tc.broken, func(want string) bool { return strings.HasPrefix(broken, want) }) {
					return
				}
			}
			t.Errorf("found %v, want %q", found, tc.broken)
		})
	}
}

// FuzzSchedules is for schedules that no dice would throw.
func FuzzSchedules(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x00\x00\x10\x04\x00\x00\x20\x00\x01\x00"))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00\x00\x10\x05\x01\x02\x20\x02\xff\xff\x30\x00\x00\x00"))
	folder := filepath.Join(powercut.TempDir(f), "lab")
	var lab *chaosLab
	var once sync.Once
	f.Fuzz(func(t *testing.T, b []byte) {
		once.Do(func() {
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			lab = newChaosLab(t, folder)
		})
		sc := parse(b)
		if o := lab.play(t, sc); o.broken != "" {
			t.Error(lab.report(t, sc, o))
		}
	})
}
