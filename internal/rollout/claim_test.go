package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestOfTwoRunnersOneDrives(t *testing.T) {
	for name, store := range map[string]func(m *memory) Store{
		"polled":  func(m *memory) Store { return audited{m} },
		"watched": func(m *memory) Store { return watched{m} },
		"slow":    func(m *memory) Store { return slow{m} },
	} {
		for _, apart := range []time.Duration{0, 1, 2500 * time.Millisecond} {
			for _, names := range [][2]string{{"one", "other"}, {"twin", "twin"}} {
				t.Run(fmt.Sprintf("%s, %s apart, %s", name, apart, names), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						m := newMemory(t, demoPolicy())
						m.ready(time.Second / 2)
						errs := make(chan error, 2)
						for _, name := range names {
							go func() {
								_, err := Run(t.Context(), store(m), endpointID, Options{Runner: name})
								errs <- err
							}()
							time.Sleep(apart)
						}
						first, second := <-errs, <-errs
						var held *HeldError
						if !errors.As(first, &held) || second != nil {
							t.Errorf("%v and %v", first, second)
						}
						r := m.stored()
						if r.Phase != Promoted || r.Epoch != 1 || held.Runner != r.Runner {
							t.Errorf("%s, epoch %d of %s; held by %s", r.Phase, r.Epoch, r.Runner, held.Runner)
						}
						m.counts(r)
					})
				})
			}
		}
	}
}

func TestAClaimWhoseAnswerWasLostIsNotAnothersClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(time.Second / 2)
		// Of two claims in the same instant the first is saved. Nobody is told.
		m.fault = func(call string, n int) *fault {
			if call == "save" && n <= 2 {
				return &fault{errRefused, n == 1}
			}
			return nil
		}
		errs := make(chan error, 2)
		for _, name := range []string{"one", "other"} {
			go func() {
				_, err := Run(t.Context(), slow{m}, endpointID, Options{Runner: name})
				errs <- err
			}()
		}
		first, second := <-errs, <-errs
		var held *HeldError
		if r := m.stored(); !errors.As(first, &held) || second != nil || r.Epoch != 1 || r.Phase != Promoted {
			t.Errorf("%v and %v: %s, epoch %d\n%s", first, second, r.Phase, r.Epoch, told(r))
		}
	})
}

// A slow memory is long in answering a Load.
type slow struct{ *memory }

func (s slow) Load(ctx context.Context, id string) (Record, Version, error) {
	r, v, err := s.memory.Load(ctx, id)
	time.Sleep(time.Millisecond)
	return r, v, err
}

func TestTheEndOfTheContextIsNoLackOfEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.feed(Ready{At: now()})
		ctx, cancel := context.WithTimeout(t.Context(), 21*time.Second+time.Millisecond)
		defer cancel()
		r, err := Run(ctx, &hanging{memory: m, from: 3}, endpointID, opts)
		if !errors.Is(err, context.DeadlineExceeded) || r.Failure.Kind != KindCancelled {
			t.Errorf("%v\n%s", err, told(r))
		}
	})
}

// killed makes m answer nothing from the n-th save on, as if the runner was dead. It was
// carried out where after is set.
func (m *memory) killed(n int, after bool) {
	first := true
	m.fault = func(call string, k int) *fault {
		if call == "save" && k == n && first {
			first = false
			return &fault{errRefused, after}
		}
		if first {
			return nil
		}
		return &fault{err: errRefused}
	}
}

func TestAStaleLeaseIsTakenOverAndItsEvidenceContinued(t *testing.T) {
	for _, gone := range []time.Duration{0, time.Minute / 4} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t, demoPolicy())
			m.ready(time.Second / 2)
			ctx, kill := context.WithCancel(t.Context())
			m.killed(5, true)
			go func() {
				time.Sleep(5 * time.Second)
				kill()
			}()
			if _, err := Run(ctx, m, endpointID, opts); err == nil {
				t.Fatal("not killed")
			}
			m.fault = nil
			before := m.stored()
			time.Sleep(gone)
			began := time.Now()
			r, err := Run(t.Context(), audited{m}, endpointID, Options{Runner: "another"})
			if err != nil || r.Epoch != before.Epoch+1 || r.Runner != "another" {
				t.Fatalf("%v: epoch %d after %d\n%s", err, r.Epoch, before.Epoch, told(r))
			}
			if !strings.Contains(told(r), "another drives the rollout, taking over from terraform on tide (pid 1), which last wrote") {
				t.Errorf("history:\n%s", told(r))
			}
			if gone > Lease && !r.History[len(before.History)].At.Equal(began) {
				t.Error("a lease that has run out was waited for")
			}
			m.counts(r)
		})
	}
}

func TestOnlyTheRestOfALeaseIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.feed(TakenOver{Runner: "one that dies", At: now()})
		m.feed(Ready{At: now()})
		time.Sleep(3 * time.Second)
		r, err := Run(t.Context(), m, endpointID, opts)
		if err != nil || r.Epoch != 2 {
			t.Errorf("%v: epoch %d", err, r.Epoch)
		}
		if waited := r.History[3].At.Sub(r.Began); waited != Lease {
			t.Errorf("taken over %s after the last sign of the first runner\n%s", waited, told(r))
		}
	})
}

func TestALeaseFromAFastClockIsWatchedNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.feed(TakenOver{Runner: "one with a fast clock", At: now().Add(time.Hour)})
		m.feed(Ready{At: now()})
		r, err := Run(t.Context(), m, endpointID, opts)
		if err != nil || r.Epoch != 2 {
			t.Errorf("%v: epoch %d", err, r.Epoch)
		}
		if waited := r.History[3].At.Sub(r.Began); waited != Lease {
			t.Errorf("taken over after %s\n%s", waited, told(r))
		}
	})
}

func TestARunnerThatWasTakenOverStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		go func() {
			time.Sleep(3 * time.Second)
			m.feed(TakenOver{Runner: "another", At: now()})
		}()
		_, err := Run(t.Context(), m, endpointID, opts)
		var held *HeldError
		if !errors.As(err, &held) || held.Runner != "another" {
			t.Fatal(err)
		}
		if r := m.stored(); r.Epoch != 2 || r.Runner != "another" || r.Phase.Final() {
			t.Errorf("%s, epoch %d of %s", r.Phase, r.Epoch, r.Runner)
		}
	})
}

func TestTheEndOfTheContextRollsBack(t *testing.T) {
	for name, tc := range map[string]struct {
		limit func(ctx context.Context) (context.Context, context.CancelFunc)
		cause error
		why   string
	}{
		"cancelled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(3500*time.Millisecond, cancel)
			return ctx, cancel
		}, context.Canceled, "The rollout ended with the candidate at 50% of traffic: cancelled by the user."},
		"timed out": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 3500*time.Millisecond)
		}, context.DeadlineExceeded, "The rollout ended with the candidate at 50% of traffic: timed out after 3.5s."},
		"told why": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(3500*time.Millisecond, func() { cancel(errors.New("the engine stops")) })
			return ctx, func() { cancel(nil) }
		}, context.Canceled, "The rollout ended with the candidate at 50% of traffic: the engine stops."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, demoPolicy())
				m.feed(Ready{At: now()})
				m.perSecond = 100_000
				ctx, cancel := tc.limit(t.Context())
				defer cancel()
				r, err := Run(ctx, audited{m}, endpointID, opts)
				var rolledBack *RolledBackError
				if !errors.As(err, &rolledBack) || !errors.Is(err, tc.cause) || err.Error() != tc.why {
					t.Fatalf("%v\n%s", err, told(r))
				}
				if stored := m.stored(); stored.Weight != 0 || stored.Failure.Kind != KindCancelled || stored.Failure.Rejected {
					t.Errorf("stored: %+v", stored.Failure)
				}
				m.counts(r)
			})
		})
	}
}

// An interrupted store's runner is told to stop while its claim is on the way. The claim is carried out, and who
// does not wait for the answer does not get it.
type interrupted struct {
	*memory
	stop func()
}

func (i interrupted) Save(ctx context.Context, id string, r Record, v Version) (Version, error) {
	i.stop()
	saved, err := i.memory.Save(context.WithoutCancel(ctx), id, r, v)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return saved, err
}

func TestARunnerThatIsStoppedWhileItTakesOverSaysItsLastWords(t *testing.T) {
	for _, freeze := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t, demoPolicy())
			ctx, stop := context.WithCancel(t.Context())
			_, err := Run(ctx, interrupted{m, stop}, endpointID, Options{Runner: "a runner", Freeze: freeze})
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			r := m.stored()
			if freeze && (r.Phase != Preparing || r.Runner != "" || r.Epoch != 1) {
				t.Errorf("freeze: %s, driven by %q", r.Phase, r.Runner)
			}
			if !freeze && (r.Phase != RolledBack || r.Failure.Kind != KindCancelled) {
				t.Errorf("%s, driven by %q: want it cancelled", r.Phase, r.Runner)
			}
		})
	}
}

func TestFreezeLeavesTheWeightForTheNextRunner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(time.Second / 2)
		m.perSecond = 100_000
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		o := opts
		o.Freeze = true
		r, err := Run(ctx, m, endpointID, o)
		var rolledBack *RolledBackError
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &rolledBack) {
			t.Fatal(err)
		}
		if stored := m.stored(); stored.Weight != 50 || stored.Runner != "" || stored.Phase != Observing {
			t.Errorf("stored: %s at %d%%, runner %q", stored.Phase, stored.Weight, stored.Runner)
		}
		if !strings.Contains(told(r), "left: timed out after 3.5s. The weight stays at 50% for the next runner.") {
			t.Errorf("history:\n%s", told(r))
		}
		began := time.Now()
		r, err = Run(t.Context(), audited{m}, endpointID, Options{Runner: "another"})
		if err != nil || r.Epoch != 2 || time.Since(began) > 5*time.Second {
			t.Errorf("%v after %s, epoch %d\n%s", err, time.Since(began), r.Epoch, told(r))
		}
		m.counts(r)
	})
}

func TestFreezeDoesNotFreezeAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(time.Second / 2)
		m.badly = 50
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		m.fault = func(call string, _ int) *fault {
			if call == "save" && m.totals.Candidate.Bad > 0 && ctx.Err() == nil {
				time.AfterFunc(10*time.Millisecond, cancel)
				return &fault{err: errRefused}
			}
			return nil
		}
		o := opts
		o.Freeze = true
		r, err := Run(ctx, m, endpointID, o)
		var rolledBack *RolledBackError
		if !errors.As(err, &rolledBack) || r.Failure.Kind != KindGate || m.stored().Weight != 0 {
			t.Errorf("%v\n%s", err, told(r))
		}
	})
}

func TestAFailureThatCannotBeSavedIsNotCalledFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(time.Second / 2)
		m.badly = 50
		m.fault = func(string, int) *fault {
			if m.totals.Candidate.Bad > 0 {
				return &fault{err: errRefused}
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		o := opts
		o.Freeze = true
		if _, err := Run(ctx, m, endpointID, o); err == nil || !strings.Contains(err.Error(), "the candidate keeps 10% of traffic") {
			t.Error(err)
		}
	})
}

func TestLastWordsAreNotSaidIntoAnotherRollout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		ctx, cancel := context.WithTimeout(t.Context(), 2600*time.Millisecond)
		defer cancel()
		m.replaced(2500 * time.Millisecond)
		r, err := Run(ctx, m, endpointID, opts)
		var rolledBack *RolledBackError
		if !errors.As(err, &rolledBack) || r.Failure.Kind != KindSuperseded {
			t.Errorf("%v\n%s", err, told(r))
		}
		if stored := m.stored(); stored.Phase != Preparing || stored.Candidate == r.Candidate {
			t.Errorf("the new rollout was touched:\n%s", told(stored))
		}
	})
}

func TestLastWordsOutliveConflictsAndErrors(t *testing.T) {
	for name, err := range map[string]fault{
		"refused":     {errRefused, false},
		"conflict":    {ErrConflict, false},
		"lost answer": {errRefused, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, demoPolicy())
				m.ready(time.Second / 2)
				ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
				defer cancel()
				failed := 0
				m.fault = func(call string, _ int) *fault {
					if ctx.Err() == nil || call != "save" || failed > 3 {
						return nil
					}
					failed++
					return &err
				}
				r, err := Run(ctx, audited{m}, endpointID, opts)
				var rolledBack *RolledBackError
				if !errors.As(err, &rolledBack) || m.stored().Weight != 0 || r.Failure.Kind != KindCancelled {
					t.Errorf("%v\n%s", err, told(r))
				}
			})
		})
	}
}

func TestLastWordsThatCannotBeSaidAreExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(time.Second / 2)
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		m.fault = func(string, int) *fault {
			if ctx.Err() != nil {
				return &fault{err: errRefused}
			}
			return nil
		}
		began := time.Now()
		_, err := Run(ctx, m, endpointID, opts)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(),
			"could not be written, connection refused: the candidate keeps 10% of traffic until the engine takes it off, 30s after the last sign of a runner") {
			t.Error(err)
		}
		if spent := time.Since(began); spent > 5*time.Second {
			t.Errorf("took %s", spent)
		}
	})
}

func TestRunSurvivesEveryCrash(t *testing.T) {
	for _, badly := range []float64{0, 50} {
		for _, after := range []bool{false, true} {
			for n := 1; ; n++ {
				crashed := true
				synctest.Test(t, func(t *testing.T) { crashed = crash(t, badly, n, after) })
				if t.Failed() {
					t.Fatalf("killed at save %d, carried out: %t, %g%% bad", n, after, badly)
				}
				if !crashed {
					break
				}
			}
		}
	}
}

// crash kills a runner at its n-th save, lets another one resume, and reports whether there
// was such a save.
func crash(t *testing.T, badly float64, n int, after bool) bool {
	m := newMemory(t, demoPolicy())
	m.ready(1500 * time.Millisecond)
	m.badly = badly
	m.killed(n, after)
	dead := m.fault
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	m.fault = func(call string, k int) *fault {
		f := dead(call, k)
		if f != nil {
			kill()
		}
		return f
	}
	_, err := Run(ctx, audited{m}, endpointID, opts)
	crashed := ctx.Err() != nil
	m.fault = nil
	time.Sleep(time.Duration(n%7) * time.Second)
	r, err2 := Run(t.Context(), audited{m}, endpointID, Options{Runner: "another"})
	want, kind := Promoted, ""
	if badly > 0 {
		want, kind = RolledBack, KindGate
	}
	if r.Phase != want || r.Failure != nil && r.Failure.Kind != kind {
		t.Errorf("%v, then %v: %s\n%s", err, err2, r.Phase, told(r))
	}
	m.counts(r)
	return crashed
}
