package rollout

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

var opts = Options{Runner: "terraform on tide (pid 1)"}

// ready makes the candidate of m serve after d.
func (m *memory) ready(d time.Duration) {
	time.AfterFunc(d, func() { m.feed(Ready{At: now()}) })
}

// counts reports an error unless what the record counted is what happened up to its cursor.
func (m *memory) counts(r Record) {
	m.t.Helper()
	happened, counted := minus(behind(m.t, r.Cursor), behind(m.t, m.base)), r.Evidence.Seen
	counted.Stable.Requests += r.Before.Requests
	if !reflect.DeepEqual(counted, happened) {
		m.t.Errorf("counted %+v, happened %+v", counted, happened)
	}
}

func TestRunPromotesAHealthyCandidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, DefaultPolicy())
		m.ready(20 * time.Second)
		var weights []int
		o := opts
		o.Progress = func(r Record) {
			if n := len(weights); n == 0 || weights[n-1] != r.Weight {
				weights = append(weights, r.Weight)
			}
		}
		r, err := Run(t.Context(), audited{m}, endpointID, o)
		if err != nil || r.Phase != Promoted || r.Weight != 100 {
			t.Fatalf("%v: %s at %d%%\n%s", err, r.Phase, r.Weight, told(r))
		}
		if got, want := weights, []int{0, 1, 5, 10, 25, 50, 90, 100}; !equal(got, want) {
			t.Errorf("weights %v, want %v", got, want)
		}
		if stored := m.stored(); stored.Phase != Promoted {
			t.Errorf("stored: %s", stored.Phase)
		}
		m.counts(r)
		// docs/guides/gates.md: 5.5 minutes at 1000 requests a second without errors.
		if spent := r.Renewed.Sub(r.Opened); spent < 5*time.Minute || spent > 7*time.Minute {
			t.Errorf("took %s\n%s", spent, told(r))
		}
	})
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestRunTakesABrokenCandidateOffInTheWriteThatSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, DefaultPolicy())
		m.badly = 50
		m.ready(time.Second / 2)
		r, err := Run(t.Context(), audited{m}, endpointID, opts)
		var rolledBack *RolledBackError
		if !errors.As(err, &rolledBack) || rolledBack.Record.Failure.Kind != KindGate || r.Weight != 0 {
			t.Fatalf("%v: %s at %d%%", err, r.Phase, r.Weight)
		}
		if !strings.HasPrefix(err.Error(), `The gate "errors" failed at 1% of traffic: `) {
			t.Errorf("error %q does not name the gate", err)
		}
		if spent := r.Failure.At.Sub(r.Opened); spent > 5*time.Second {
			t.Errorf("took %s, longer than anybody should be hurt", spent)
		}
		if stored := m.stored(); stored.Weight != 0 || stored.Failure == nil || !stored.Failure.Rejected {
			t.Errorf("stored: %+v", stored)
		}
		m.counts(r)
	})
}

func TestRunBeginsAtOnceWhenTheCandidateIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(1234 * time.Millisecond)
		r, err := Run(t.Context(), watched{m}, endpointID, opts)
		if err != nil {
			t.Fatal(err)
		}
		if waited := r.Opened.Sub(r.Ready); waited != 0 {
			t.Errorf("the first step began %s after the candidate was ready", waited)
		}
	})
}

func TestRunIsDoneAtOnceWhereNothingIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.feed(Cancelled{Why: "enough", At: now()})
		before := m.version
		var rolledBack *RolledBackError
		if _, err := Run(t.Context(), m, endpointID, opts); !errors.As(err, &rolledBack) {
			t.Errorf("rolled back before: %v", err)
		}
		m.bytes = []byte(`{}`)
		if r, err := Run(t.Context(), m, endpointID, opts); err != nil || r.Phase != "" {
			t.Errorf("no rollout ever: %v, %s", err, r.Phase)
		}
		if m.version != before {
			t.Error("a record was written")
		}
	})
}

func TestRunSurvivesErrorsOfTheStore(t *testing.T) {
	for name, err := range map[string]fault{
		"refused":     {errRefused, false},
		"conflict":    {ErrConflict, false},
		"lost answer": {errRefused, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, demoPolicy())
				m.ready(3 * time.Second)
				// Two of three calls of each kind.
				m.fault = func(call string, n int) *fault {
					if n%3 == 0 || call != "save" && err.after {
						return nil
					}
					return &err
				}
				r, err := Run(t.Context(), audited{m}, endpointID, opts)
				if err != nil || r.Phase != Promoted || r.Epoch != 1 {
					t.Fatalf("%v: %s, epoch %d\n%s", err, r.Phase, r.Epoch, told(r))
				}
				m.counts(r)
			})
		})
	}
}

func TestRunHoldsAndEndsBlindWhereCountingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(time.Second / 2)
		m.fault = func(call string, _ int) *fault {
			if call == "count" && m.record().Weight == 50 {
				return &fault{err: errRefused}
			}
			return nil
		}
		r, err := Run(t.Context(), audited{m}, endpointID, opts)
		var rolledBack *RolledBackError
		if !errors.As(err, &rolledBack) || r.Failure.Kind != KindBlind || r.Weight != 0 {
			t.Fatalf("%v\n%s", err, told(r))
		}
		if !strings.Contains(told(r), "The weight is held at 50%") || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("history:\n%s", told(r))
		}
		if spent := r.Failure.At.Sub(r.StepBegan); spent < 20*time.Second || spent > 22*time.Second {
			t.Errorf("blind for %s", spent)
		}
	})
}

func TestRunNeverGivesUpARollBack(t *testing.T) {
	for name, badly := range map[string]float64{"the gate failed": 50, "the store was away for too long": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, demoPolicy())
				m.ready(time.Second / 2)
				m.badly = badly
				var away time.Time
				m.fault = func(string, int) *fault {
					if m.record().Weight == 0 {
						return nil
					}
					if away.IsZero() {
						away = time.Now()
						return nil // one count that shows it
					}
					if time.Since(away) < 5*time.Minute {
						return &fault{err: errRefused}
					}
					m.badly = 0 // whatever it does now
					return nil
				}
				r, err := Run(t.Context(), audited{m}, endpointID, opts)
				var rolledBack *RolledBackError
				if !errors.As(err, &rolledBack) || !r.Failure.Rejected || m.stored().Weight != 0 {
					t.Fatalf("%v\n%s", err, told(r))
				}
				if want := map[bool]string{true: KindGate, false: KindBlind}[badly > 0]; r.Failure.Kind != want {
					t.Errorf("%s, want %s: %s", r.Failure.Kind, want, r.Failure.Reason)
				}
			})
		})
	}
}

func TestRunGivesUpAStoreThatFailsBeforeTheFirstStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.fault = func(string, int) *fault { return &fault{err: errRefused} }
		began := time.Now()
		if _, err := Run(t.Context(), m, endpointID, opts); !errors.Is(err, errRefused) {
			t.Error(err)
		}
		if spent := time.Since(began); spent > 2*Lease {
			t.Errorf("before it was claimed: after %s", spent)
		}
		m.fault = func(call string, n int) *fault {
			if call == "save" && n > 1 {
				return &fault{err: errRefused}
			}
			return nil
		}
		m.calls["save"] = 0
		if _, err := Run(t.Context(), m, endpointID, opts); !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "the store has failed for 2") {
			t.Error(err)
		}
	})
}

func TestRunStopsWhereTheEndpointIsGoneOrTheRecordIsNewer(t *testing.T) {
	for name, want := range map[string]error{"gone": ErrNotFound, "newer": ErrNewer} {
		for _, late := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, demoPolicy())
				m.fault = func(call string, n int) *fault {
					if late && n < 4 || !late && call == "save" {
						return nil
					}
					if name == "gone" {
						return &fault{err: ErrNotFound}
					}
					if r := m.record(); r.Schema == Schema {
						r.Schema++
						m.write(r)
					}
					return nil
				}
				if _, err := Run(t.Context(), m, endpointID, opts); !errors.Is(err, want) {
					t.Errorf("%s, late %t: %v", name, late, err)
				}
			})
		}
	}
}

func TestRunNoticesACallThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(time.Second / 2)
		r, err := Run(t.Context(), &hanging{memory: m, from: 5, to: 6}, endpointID, opts)
		if err != nil || r.Phase != Promoted {
			t.Fatalf("%v: %s\n%s", err, r.Phase, told(r))
		}
		if !strings.Contains(told(r), "counting failed, context deadline exceeded") {
			t.Errorf("history:\n%s", told(r))
		}
	})
}

// A hanging memory does not answer some Counts.
type hanging struct {
	*memory
	n        int
	from, to int // to 0 is for ever
}

func (h *hanging) Count(ctx context.Context, id string, c Cursor) ([]gate.Window, Cursor, error) {
	if h.n++; h.n >= h.from && (h.to == 0 || h.n < h.to) {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}
	return h.memory.Count(ctx, id, c)
}

func TestRunEndsAtOnceWhenTheEngineEndsTheRollout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(time.Second / 2)
		began := time.Now()
		time.AfterFunc(4300*time.Millisecond, func() { m.feed(Failed{Why: "it died", At: now()}) })
		r, err := Run(t.Context(), watched{m}, endpointID, opts)
		var rolledBack *RolledBackError
		if !errors.As(err, &rolledBack) || r.Failure.Kind != KindCandidate || r.Epoch != 1 {
			t.Fatalf("%v\n%s", err, told(r))
		}
		if spent := time.Since(began); spent != 4300*time.Millisecond {
			t.Errorf("noticed after %s", spent)
		}
	})
}

// replaced lets another rollout begin after d.
func (m *memory) replaced(d time.Duration) {
	time.AfterFunc(d, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.write(Begin("sha256:dddddddddddddddddddd", "sha256:aaaaaaaaaaaaaaaaaaaa", demoPolicy(), now()))
	})
}

func TestRunEndsWhenAnotherRolloutBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.replaced(2500 * time.Millisecond)
		r, err := Run(t.Context(), m, endpointID, opts)
		var rolledBack *RolledBackError
		if !errors.As(err, &rolledBack) || r.Failure.Kind != KindSuperseded || r.Candidate != "sha256:cccccccccccccccccccc" {
			t.Fatalf("%v\n%s", err, told(r))
		}
		if stored := m.stored(); stored.Runner != "" || stored.Phase != Preparing {
			t.Errorf("the new rollout was touched: %+v", stored)
		}
	})
}

func TestRunForgetsABlindnessThatTheStoreRefutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.ready(time.Second / 2)
		// The last save before the store went away was carried out. By it the silence is a
		// second shorter than the runner knows, and that is just what it takes.
		var away time.Time
		m.fault = func(call string, _ int) *fault {
			switch {
			case away.IsZero() && call == "save" && m.totals.Candidate.Requests > 0:
				away = time.Now()
				return &fault{errRefused, true}
			case !away.IsZero() && time.Since(away) < 19900*time.Millisecond:
				return &fault{err: errRefused}
			}
			return nil
		}
		r, err := Run(t.Context(), audited{m}, endpointID, opts)
		if err != nil || r.Phase != Promoted || !strings.Contains(told(r), "The weight is held") {
			t.Errorf("%v\n%s", err, told(r))
		}
		m.counts(r)
	})
}

func TestRunRollsBackARecordWhosePolicyWasEdited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		r := m.record()
		r.Policy = []byte(strings.Replace(string(r.Policy), `"weight":50`, `"weight":5`, 1))
		m.write(r)
		r, err := Run(t.Context(), m, endpointID, opts)
		if err == nil || !strings.Contains(err.Error(), "step[1].weight: 5 after 10: weights must rise") || r.Phase != RolledBack {
			t.Errorf("%v: %s", err, r.Phase)
		}
	})
}

func TestRunRefusesOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {Runner: "r", Interval: Lease}, {Runner: "r", Interval: -1}} {
		if _, err := Run(t.Context(), nil, endpointID, o); err == nil {
			t.Errorf("accepted: %+v", o)
		}
	}
}

// An alarming memory says a moment after each change that what was counted decides.
type alarming struct{ watched }

const alarm = 50 * time.Millisecond

func (a alarming) Changed(ctx context.Context, id string, v Version) error {
	if a.stored().Weight == 0 {
		return a.watched.Changed(ctx, id, v)
	}
	if err := sleep(ctx, alarm); err != nil {
		return err
	}
	return ErrDue
}

func TestRunCountsAtOnceWhereTheStoreSaysThatItDecides(t *testing.T) {
	p := DefaultPolicy()
	p.Steps, p.SkipLeading = []Step{{Weight: 50}}, false
	for name, tt := range map[string]struct {
		open func(m *memory) Store
		want time.Duration
	}{
		"told":     {func(m *memory) Store { return alarming{watched{m}} }, alarm},
		"not told": {func(m *memory) Store { return watched{m} }, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, p)
				m.badly = 100
				m.ready(0)
				r, err := Run(t.Context(), tt.open(m), endpointID, opts)
				var back *RolledBackError
				if !errors.As(err, &back) || r.Failure.Kind != KindGate {
					t.Fatalf("%v\n%s", err, told(r))
				}
				if after := r.Failure.At.Sub(r.StepBegan); after != tt.want {
					t.Errorf("rolled back %s after the step's beginning, want %s", after, tt.want)
				}
				m.counts(r)
			})
		})
	}
}
