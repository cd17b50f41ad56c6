package rollout

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// after lets somebody say something of m's rollout, some time after it came to a phase.
func (m *memory) after(p Phase, d time.Duration, says func() Event) {
	go func() {
		for m.stored().Phase != p {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(d)
		if _, err := Tell(m.t.Context(), m, endpointID, says()); err != nil {
			m.t.Error(err)
		}
	}()
}

func TestRunWaitsForAnApprovalAndWakesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := demoPolicy()
		p.Steps[0].Approval = true
		p.Limits.Approval = Duration(12 * time.Hour)
		m := newMemory(t, p)
		m.ready(time.Second / 2)
		m.after(AwaitingApproval, 3*time.Hour+345*time.Millisecond, yes)
		r, err := Run(t.Context(), watched{m}, endpointID, opts)
		if err != nil || r.Phase != Promoted || r.Epoch != 1 {
			t.Fatalf("%v\n%s", err, told(r))
		}
		var approved, left time.Time
		for _, e := range r.History {
			if strings.HasPrefix(e.Sentence, "alice (user id 1000 of tide) approves going on from 10%.") {
				approved = e.At
			}
			if strings.HasPrefix(e.Sentence, "50% of traffic goes to the candidate") {
				left = e.At
			}
		}
		if waited := left.Sub(approved); approved.IsZero() || waited < 0 || waited > 10*time.Millisecond {
			t.Errorf("went on %s after the approval\n%s", waited, told(r))
		}
		m.counts(r)
	})
}

func TestRunSeesAnApprovalAlsoWithoutAWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, askingPolicy())
		m.ready(time.Second / 2)
		m.after(AwaitingApproval, time.Minute, yes)
		go func() {
			time.Sleep(2 * time.Minute)
			m.after(AwaitingApproval, time.Minute, yes)
		}()
		r, err := Run(t.Context(), audited{m}, endpointID, opts)
		if err != nil || r.Phase != Promoted {
			t.Fatalf("%v\n%s", err, told(r))
		}
		m.counts(r)
	})
}

func TestRunEndsUnapproved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, askingPolicy())
		m.ready(time.Second / 2)
		r, err := Run(t.Context(), audited{m}, endpointID, opts)
		var rolledBack *RolledBackError
		if !errors.As(err, &rolledBack) || r.Failure.Kind != KindUnapproved || m.stored().Weight != 0 {
			t.Errorf("%v\n%s", err, told(r))
		}
		m.counts(r)
	})
}

func TestAPersonEndsARolloutThatARunnerDrives(t *testing.T) {
	for kind, says := range map[string]func() Event{KindOperator: no, KindCancelled: end} {
		for name, store := range map[string]func(m *memory) Store{
			"watched": func(m *memory) Store { return watched{m} },
			"polled":  func(m *memory) Store { return audited{m} },
		} {
			t.Run(kind+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newMemory(t, demoPolicy())
					m.ready(time.Second / 2)
					m.after(Observing, 1234*time.Millisecond, says)
					r, err := Run(t.Context(), store(m), endpointID, opts)
					var rolledBack *RolledBackError
					if !errors.As(err, &rolledBack) || r.Failure.Kind != kind || errors.Is(err, context.Canceled) {
						t.Fatalf("%v\n%s", err, told(r))
					}
					if late := time.Since(r.Failure.At); name == "watched" && late > 0 || late > time.Second {
						t.Errorf("noticed after %s", late)
					}
				})
			})
		}
	}
}

func TestRunLeavesWhereAnApprovalIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, askingPolicy())
		m.ready(time.Second / 2)
		o := opts
		o.LeaveAtApproval = true
		r, err := Run(t.Context(), audited{m}, endpointID, o)
		var waiting *WaitingError
		if !errors.As(err, &waiting) || err.Error() != "the rollout waits for an approval at 10% of traffic" || waiting.Record.Phase != AwaitingApproval {
			t.Fatalf("%v\n%s", err, told(r))
		}
		stored := m.stored()
		if stored.Runner != "" || stored.Weight != 10 || stored.Phase != AwaitingApproval {
			t.Errorf("stored: %s at %d%%, runner %q", stored.Phase, stored.Weight, stored.Runner)
		}
		if last := stored.History[len(stored.History)-1].Sentence; last != "terraform on tide (pid 1) left: going on needs an approval. The weight stays at 10% for the next runner." {
			t.Error(last)
		}
		// Again, and nobody has approved: it counts once, and leaves.
		time.Sleep(10 * time.Second)
		began := time.Now()
		if _, err = Run(t.Context(), audited{m}, endpointID, o); !errors.As(err, &waiting) || time.Since(began) > time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if _, err := Tell(t.Context(), m, endpointID, yes()); err != nil {
			t.Fatal(err)
		}
		// Approved: on to the next step, and there again.
		if r, err = Run(t.Context(), audited{m}, endpointID, o); !errors.As(err, &waiting) || r.Weight != 50 {
			t.Fatalf("%v\n%s", err, told(r))
		}
		if _, err := Tell(t.Context(), m, endpointID, yes()); err != nil {
			t.Fatal(err)
		}
		if r, err = Run(t.Context(), audited{m}, endpointID, o); err != nil || r.Phase != Promoted || r.Epoch != 4 {
			t.Errorf("%v\n%s", err, told(r))
		}
		m.counts(r)
	})
}

func TestARunnerThatLeavesDoesNotMissAnApproval(t *testing.T) {
	for name, meddle := range map[string]struct {
		says func() Event
		want Phase
	}{"approved": {yes, Promoted}, "rejected": {no, RolledBack}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := demoPolicy()
				p.Steps[0].Approval = true
				m := newMemory(t, p)
				m.ready(time.Second / 2)
				said := false
				store := &meddlesome{memory: m, meddle: func(r Record) {
					if !said && r.Phase == AwaitingApproval && r.Runner == "" {
						said = true
						m.feed(meddle.says())
					}
				}}
				o := opts
				o.LeaveAtApproval = true
				r, err := Run(t.Context(), store, endpointID, o)
				var waiting *WaitingError
				if r.Phase != meddle.want || errors.As(err, &waiting) || !said || r.Epoch != 1 {
					t.Errorf("%v\n%s", err, told(r))
				}
			})
		})
	}
}

// A meddlesome memory changes just before a record is saved.
type meddlesome struct {
	*memory
	meddle func(Record)
}

func (m *meddlesome) Save(ctx context.Context, id string, r Record, v Version) (Version, error) {
	m.meddle(r)
	return m.memory.Save(ctx, id, r, v)
}

func TestLeavingOutlivesErrorsOfTheStore(t *testing.T) {
	for name, f := range map[string]fault{"refused": {errRefused, false}, "lost answer": {errRefused, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, askingPolicy())
				m.ready(time.Second / 2)
				left := 0
				m.fault = func(string, int) *fault {
					if r := m.record(); r.Phase != AwaitingApproval || left > 3 {
						return nil
					}
					left++
					return &f
				}
				o := opts
				o.LeaveAtApproval = true
				r, err := Run(t.Context(), m, endpointID, o)
				var waiting *WaitingError
				if !errors.As(err, &waiting) || m.stored().Runner != "" || left <= 3 {
					t.Fatalf("%v\n%s", err, told(r))
				}
				if n := strings.Count(told(m.stored()), "going on needs an approval. The weight stays"); n != 1 {
					t.Errorf("left %d times\n%s", n, told(m.stored()))
				}
			})
		})
	}
}

func TestARunnerThatIsToldToStopWhileItWaitsSaysSo(t *testing.T) {
	for _, freeze := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t, askingPolicy())
			m.ready(time.Second / 2)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			o := opts
			o.Freeze = freeze
			r, err := Run(ctx, audited{m}, endpointID, o)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			want := RolledBack
			if freeze {
				want = AwaitingApproval
			}
			if s := m.stored(); s.Phase != want || freeze && s.Runner != "" {
				t.Errorf("freeze %t: %s of %q\n%s", freeze, s.Phase, s.Runner, told(r))
			}
		})
	}
}

func TestWhoHoldsARolloutAndSinceWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.feed(TakenOver{Runner: "terraform on tide (pid 1)", At: now()})
		var lives sync.WaitGroup
		defer lives.Wait()
		lives.Go(func() {
			for range 15 {
				time.Sleep(time.Second)
				m.feed(Counted{Cursor: Cursor(`1`), At: now()})
			}
		})
		time.Sleep(10*time.Second + time.Millisecond)
		_, err := Run(t.Context(), m, endpointID, Options{Runner: "tidegate on buoy (pid 2)"})
		var held *HeldError
		if !errors.As(err, &held) || err.Error() != "the rollout is driven by terraform on tide (pid 1) since 2000-01-01T00:00:00Z, which last wrote at 2000-01-01T00:00:11Z" {
			t.Error(err)
		}
		old := HeldError{Runner: "an earlier Tidegate", Since: now()} // whose records do not say since when
		if got := old.Error(); !strings.HasPrefix(got, "the rollout is driven by an earlier Tidegate, which last wrote at 2000-") {
			t.Error(got)
		}
	})
}

// TestARunnerKnowsItsOwnClaimHoweverLateItIsSaved: the first claim of three is carried out when the runner has long tried again.
func TestARunnerKnowsItsOwnClaimHoweverLateItIsSaved(t *testing.T) {
	for name, tries := range map[string]int{"while the next is on its way": 1, "while it is watched for": 0, "after another that was lost": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, demoPolicy())
				if tries == 0 { // a runner that is gone, by a clock that is ahead, and then set back
					m.feed(TakenOver{Runner: "gone", At: now().Add(-Lease)})
				}
				m.feed(Ready{At: now()})
				s := &tardy{memory: m, tries: tries}
				began := time.Now()
				r, err := Run(t.Context(), s, endpointID, opts)
				if err != nil || r.Runner != opts.Runner || r.Phase != Promoted {
					t.Fatalf("%v\n%s", err, told(r))
				}
				want := uint64(1)
				if tries == 0 {
					want = 2
				}
				if waited := r.Opened.Sub(began); r.Epoch != want || waited > Lease/2 {
					t.Errorf("epoch %d, want %d; the first step began after %s\n%s", r.Epoch, want, waited, told(r))
				}
			})
		})
	}
}

// A tardy memory leaves the first claim for later: until further tries came, or, where none may come, until it is
// loaded again, by when the lease of the runner before looks fresh.
type tardy struct {
	*memory
	tries int
	claim *Record
	v     Version
	loads int
}

func (s *tardy) Save(ctx context.Context, id string, r Record, v Version) (Version, error) {
	switch {
	case s.claim == nil:
		s.claim, s.v = &r, v
		return "", errRefused
	case s.v != "" && s.tries > 1:
		s.tries--
		return "", errRefused
	}
	s.carryOut(ctx, id)
	return s.memory.Save(ctx, id, r, v)
}

func (s *tardy) carryOut(ctx context.Context, id string) {
	if s.v == "" {
		return
	}
	if _, err := s.memory.Save(ctx, id, *s.claim, s.v); err != nil {
		s.t.Error(err)
	}
	s.v = ""
}

func (s *tardy) Load(ctx context.Context, id string) (Record, Version, error) {
	r, v, err := s.memory.Load(ctx, id)
	if s.tries > 0 || s.claim == nil || s.v == "" {
		return r, v, err
	}
	if s.loads++; s.loads > 1 {
		s.carryOut(ctx, id)
		return s.memory.Load(ctx, id)
	}
	r.Renewed = now()
	return r, v, err
}

// A deaf memory hears nothing any more once the runner has been told to stop.
type deaf struct {
	*memory
	ctx context.Context
}

func (d deaf) wait(ctx context.Context) error {
	if d.ctx.Err() == nil {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (d deaf) Load(ctx context.Context, id string) (Record, Version, error) {
	if err := d.wait(ctx); err != nil {
		return Record{}, "", err
	}
	return d.memory.Load(ctx, id)
}

func (d deaf) Save(ctx context.Context, id string, r Record, v Version) (Version, error) {
	if err := d.wait(ctx); err != nil {
		return "", err
	}
	return d.memory.Save(ctx, id, r, v)
}

func (d deaf) Count(ctx context.Context, id string, c Cursor) ([]gate.Window, Cursor, error) {
	if err := d.wait(ctx); err != nil {
		return nil, nil, err
	}
	return d.memory.Count(ctx, id, c)
}

func TestARunnerIsGoneWithinTwoSecondsAlsoWhereTheStoreHangs(t *testing.T) {
	for _, freeze := range []bool{false, true} {
		for _, at := range []time.Duration{0, time.Millisecond, 700 * time.Millisecond, 3 * time.Second, time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, askingPolicy())
				m.ready(time.Second / 2)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(at, cancel)
				began := time.Now().Add(at)
				o := opts
				o.Freeze = freeze
				_, err := Run(ctx, deaf{m, ctx}, endpointID, o)
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				if spent := time.Since(began); spent > 1900*time.Millisecond {
					t.Errorf("stopped after %s: gone after %s", at, spent)
				}
			})
		}
	}
}
