package rollout

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

var update = flag.Bool("update", false, "write testdata anew")

// TestEveryTransitionReadsLikeAColleague compares the histories of rollouts with what was
// read and found good.
func TestEveryTransitionReadsLikeAColleague(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, s := range []struct {
		title string
		tell  func(t *testing.T) *story
	}{
		{"A healthy candidate is promoted", tellPromoted},
		{"Thin traffic leaves out one step", func(t *testing.T) *story { return tellThin(t, 40) }},
		{"Thinner traffic leaves out several", func(t *testing.T) *story { return tellThin(t, 1) }},
		{"A broken candidate is rolled back", tellBroken},
		{"Requests stop and come back, then numbers fail", tellBlind},
		{"A step takes too long", tellStepLimit},
		{"All steps take too long", tellTotalLimit},
		{"A runner dies, another leaves, the engine closes the gate", tellAbandoned},
		{"Nobody ever came", func(t *testing.T) *story { return ended(t, Abandoned{noon.Add(10*time.Minute + 1)}) }},
		{"People approve, and take the candidate off when it serves", tellApproved},
		{"Nobody approves", tellUnapproved},
		{"The approval comes when the gates do not pass any more", tellDoubted},
		{"The candidate dies", func(t *testing.T) *story {
			return ended(t, Failed{"exit status 1 after 3 starts: no such model.", noon})
		}},
		{"The user cancels", func(t *testing.T) *story { return ended(t, Cancelled{"cancelled by the user", noon}) }},
		{"Another is asked for", func(t *testing.T) *story { return ended(t, Superseded{"revision bbbbbbbbbbbb was asked for", noon}) }},
	} {
		b.WriteString("# " + s.title + "\n\n" + told(s.tell(t).r) + "\n")
	}
	golden := filepath.Join("testdata", "sentences.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("run with -update if this reads well:\n%s", d)
	}
}

func tellPromoted(t *testing.T) *story {
	s := driven(t, allSteps())
	for i := range 1000 {
		w := traffic(s.r.Weight, 2000, 0)
		if i%4 == 0 {
			w.Stable.Bad = 1
		}
		if s.count(w); s.r.Phase.Final() {
			break
		}
	}
	s.is(Promoted, 100)
	return s
}

// allSteps leaves nothing out.
func allSteps() Policy {
	p := DefaultPolicy()
	p.SkipLeading = false
	return p
}

func tellThin(t *testing.T, perSecond uint64) *story {
	s := begin(t, DefaultPolicy())
	s.then(func(at time.Time) Event { return Ready{at} })
	for range 7 {
		s.count(traffic(0, perSecond, 0))
	}
	return s
}

func tellBroken(t *testing.T) *story {
	s := driven(t, demoPolicy())
	s.count(traffic(10, 1000, 50))
	return s
}

func tellBlind(t *testing.T) *story {
	s := driven(t, demoPolicy())
	s.count(traffic(10, 100, 0))
	s.hold()
	s.count(traffic(10, 100, 0))
	for !s.r.Phase.Final() {
		s.wait(time.Second)
		s.then(func(at time.Time) Event { return Unseen{"the engine does not answer: connection refused", at} })
	}
	return s
}

func tellStepLimit(t *testing.T) *story {
	s := driven(t, demoPolicy())
	for !s.r.Phase.Final() {
		s.count(gate.Window{Candidate: gate.Arm{Requests: 1}, Stable: gate.Arm{Requests: 9}})
	}
	return s
}

func tellTotalLimit(t *testing.T) *story {
	p := demoPolicy()
	p.Limits.Total = Duration(30 * time.Second)
	s := driven(t, p)
	for !s.r.Phase.Final() {
		s.count(traffic(s.r.Weight, 100, 0))
	}
	return s
}

func tellAbandoned(t *testing.T) *story {
	s := driven(t, demoPolicy())
	s.wait(25 * time.Second)
	s.then(func(at time.Time) Event { return TakenOver{"tidegate on buoy (pid 2)", at} })
	s.wait(5 * time.Second)
	s.then(func(at time.Time) Event { return Left{"timed out after 5s", at} })
	s.wait(31 * time.Second)
	s.then(func(at time.Time) Event { return Abandoned{at} })
	return s
}

func tellApproved(t *testing.T) *story {
	s := asking(t, askingPolicy())
	s.wait(40 * time.Minute)
	s.r.LastSeen = s.at
	s.then(func(at time.Time) Event {
		return Approved{"alice", "user id 1000 of tide, by its operating system", at}
	})
	for range 6 {
		s.count(s.healthy())
	}
	s.then(func(at time.Time) Event { return Approved{"the release workflow", "", at} })
	s.count(s.healthy())
	s.wait(10 * time.Minute)
	s.then(func(at time.Time) Event {
		return Rejected{"bob", "user id 1001 of tide, by its operating system", "its answers are nonsense", at}
	})
	return s
}

func tellUnapproved(t *testing.T) *story {
	s := asking(t, askingPolicy())
	s.wait(time.Hour)
	s.r.LastSeen = s.at
	s.count(s.healthy())
	return s
}

func tellDoubted(t *testing.T) *story {
	s := driven(t, askingPolicy())
	s.count(traffic(10, 8_000, 0))
	s.count(traffic(10, 8_000, 0))
	s.approve("alice")
	doubt := traffic(10, 10_000, 1)
	doubt.Stable.Bad = 60
	s.count(doubt)
	s.count(s.healthy())
	return s
}

func ended(t *testing.T, e Event) *story {
	s := begin(t, demoPolicy())
	s.then(func(time.Time) Event { return e })
	return s
}

func TestDurationsReadAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		2 * time.Hour:                       "2h",
		2*time.Hour + 5*time.Second:         "2h0m5s",
		5 * time.Minute:                     "5m",
		10 * time.Minute:                    "10m",
		200 * time.Second:                   "3m20s",
		20 * time.Second:                    "20s",
		1234 * time.Millisecond:             "1.2s",
		12345 * time.Millisecond:            "12s",
		0:                                   "0s",
		-time.Hour:                          "0s",
		49 * time.Hour:                      "49h",
		time.Hour + 30*time.Minute:          "1h30m",
		time.Minute - 10*time.Millisecond:   "1m",
		10*time.Second - 1*time.Millisecond: "10s",
	} {
		if got := lasting(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
