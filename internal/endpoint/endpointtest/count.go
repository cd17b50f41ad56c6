package endpointtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// count asks an endpoint with a candidate, and counts.
func count(t *testing.T, s Subject) {
	st := s.created(t, "counted")
	s.update(t, s.Spec("counted", Better))
	s.await(t, "counted", func(r rollout.Record) bool { return !r.Ready.IsZero() })
	_, since, err := s.Engine.Count(within(t), s.id("counted"), nil)
	if err != nil {
		t.Fatal(err)
	}
	const asked = 20
	for range asked {
		res, err := http.Get(st.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	seen, next := s.counted(t, since, asked)
	if again, _ := s.counted(t, since, asked); again != seen {
		t.Errorf("%d answers, then %d: want a window whose save failed to be given again", seen, again)
	}
	if after, _, err := s.Engine.Count(within(t), s.id("counted"), next); err != nil || answers(after) != 0 {
		t.Errorf("%d answers more, %v: want none twice", answers(after), err)
	}
}

// counted counts since a cursor until some answers are seen, and returns how many.
func (s Subject) counted(t *testing.T, since rollout.Cursor, least uint64) (uint64, rollout.Cursor) {
	t.Helper()
	for ctx := within(t); ; {
		windows, next, err := s.Engine.Count(ctx, s.id("counted"), since)
		if err != nil {
			t.Fatalf("count: %v", err)
		}
		sound(t, windows)
		if n := answers(windows); n >= least {
			return n, next
		}
		time.Sleep(20 * time.Millisecond) // an answer is counted when it has ended
	}
}

func answers(windows []gate.Window) (n uint64) {
	for _, w := range windows {
		n += w.Candidate.Requests + w.Stable.Requests
	}
	return n
}

// sound checks what gates expect of windows.
func sound(t *testing.T, windows []gate.Window) {
	t.Helper()
	for _, w := range windows {
		for _, a := range []gate.Arm{w.Candidate, w.Stable} {
			if a.Bad > a.Requests || a.Untimed > a.Requests || a.Slower != nil && len(a.Slower) != gate.Edges {
				t.Errorf("impossible window %+v", w)
			}
			for _, n := range a.Slower {
				if n > a.Requests-a.Untimed {
					t.Errorf("impossible window %+v", w)
				}
			}
		}
	}
}
