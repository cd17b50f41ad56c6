package rollout

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bring lets good seconds pass until the rollout is at a phase.
func (m *memory) bring(to Phase) {
	m.feed(TakenOver{Runner: "terraform on tide (pid 1)", At: now()})
	m.feed(Ready{At: now()})
	m.feed(Counted{Cursor: Cursor(`1`), At: now()})
	for range 20 {
		if m.record().Phase == to {
			return
		}
		time.Sleep(time.Second)
		r := m.record()
		s := story{r: r}
		m.feed(Counted{Windows: one(s.healthy()), Cursor: Cursor(`1`), At: now()})
	}
	m.t.Fatalf("never %s:\n%s", to, told(m.record()))
}

func one[T any](x T) []T { return []T{x} }

var (
	yes = func() Event { return Approved{By: "alice", How: "user id 1000 of tide", At: now()} }
	no  = func() Event { return Rejected{By: "bob", How: "user id 1001 of tide", Why: "it is slow", At: now()} }
	end = func() Event { return Cancelled{Why: "carol changed her mind", At: now()} }
)

func TestTellSavesWhatPeopleSayAndTakesNothingOver(t *testing.T) {
	for name, tc := range map[string]struct {
		at    Phase
		says  func() Event
		phase Phase
		kind  string
	}{
		"approves":             {AwaitingApproval, yes, AwaitingApproval, ""},
		"rejects":              {Observing, no, RolledBack, KindOperator},
		"rejects where asked":  {AwaitingApproval, no, RolledBack, KindOperator},
		"rejects what it runs": {Promoted, no, RolledBack, KindOperator},
		"cancels":              {Observing, end, RolledBack, KindCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := askingPolicy()
				if tc.at == Promoted {
					p = demoPolicy()
				}
				m := newMemory(t, p)
				m.bring(tc.at)
				before := m.stored()
				r, err := Tell(t.Context(), m, endpointID, tc.says())
				if err != nil || r.Phase != tc.phase {
					t.Fatalf("%v: %s\n%s", err, r.Phase, told(r))
				}
				stored := m.stored()
				if d := cmp.Diff(stored, r); d != "" {
					t.Errorf("stored and returned: %s", d)
				}
				if r.Epoch != before.Epoch || r.Runner != before.Runner || !r.Renewed.Equal(before.Renewed) {
					t.Errorf("took over: epoch %d of %s, renewed %s", r.Epoch, r.Runner, r.Renewed)
				}
				if tc.kind != "" && r.Failure.Kind != tc.kind {
					t.Errorf("failure %+v", r.Failure)
				}
				if (r.Approval != nil) != (tc.kind == "") {
					t.Errorf("approval %+v", r.Approval)
				}
			})
		})
	}
}

func TestTellRefusesWhatHasNoMeaningAndChangesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		at   Phase // "" for none ever
		says func() Event
		want string
	}{
		"approve nothing":             {"", yes, "The endpoint never had a rollout."},
		"reject nothing":              {"", no, "The endpoint never had a rollout."},
		"approve before a step":       {Preparing, yes, "Nothing waits for an approval: the rollout is preparing at 0% of traffic."},
		"approve too early":           {Observing, yes, "Nothing waits for an approval: the rollout is observing at 10% of traffic."},
		"approve what is promoted":    {Promoted, yes, "The last rollout is over: promoted."},
		"cancel what is promoted":     {Promoted, end, "The last rollout is over: promoted."},
		"approve what is rolled back": {RolledBack, yes, "The last rollout is over: rolled back."},
		"reject what is rolled back":  {RolledBack, no, "The last rollout is over: rolled back."},
		"cancel what is rolled back":  {RolledBack, end, "The last rollout is over: rolled back."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, demoPolicy())
				switch tc.at {
				case "":
					m.bytes = []byte(`{}`)
				case Preparing:
				case RolledBack:
					m.feed(Failed{Why: "it died", At: now()})
				default:
					m.bring(tc.at)
				}
				before := string(m.bytes)
				_, err := Tell(t.Context(), m, endpointID, tc.says())
				var refused *RefusedError
				if !errors.As(err, &refused) || err.Error() != tc.want || refused.Record.Phase != tc.at {
					t.Errorf("%v, want %s", err, tc.want)
				}
				if string(m.bytes) != before {
					t.Error("the record was changed")
				}
			})
		})
	}
}

func TestAnApprovalIsGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, askingPolicy())
		m.bring(AwaitingApproval)
		if _, err := Tell(t.Context(), m, endpointID, yes()); err != nil {
			t.Fatal(err)
		}
		before := m.stored()
		_, err := Tell(t.Context(), m, endpointID, Approved{By: "dave", At: now()})
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), "alice (user id 1000 of tide) approved it already, at 2000-01-01T") {
			t.Error(err)
		}
		if d := cmp.Diff(before, m.stored()); d != "" {
			t.Error(d)
		}
	})
}

func TestTellSaysAgainWhatWasNotSaved(t *testing.T) {
	for name, tc := range map[string]struct {
		fault fault
		times int
	}{
		"refused":         {fault{errRefused, false}, 3},
		"conflicts":       {fault{ErrConflict, false}, 5},
		"a lost answer":   {fault{errRefused, true}, 1},
		"several of them": {fault{errRefused, true}, 3},
	} {
		for _, says := range []func() Event{yes, no, end} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newMemory(t, askingPolicy())
					m.bring(AwaitingApproval)
					entries := len(m.stored().History)
					m.fault = func(call string, n int) *fault {
						if call == "save" && n <= tc.times {
							return &tc.fault
						}
						return nil
					}
					e := says()
					r, err := Tell(t.Context(), audited{m}, endpointID, e)
					if err != nil {
						t.Fatal(err)
					}
					if n := len(m.stored().History); n != entries+1 || len(r.History) != n {
						t.Errorf("said %d times:\n%s", n-entries, told(m.stored()))
					}
				})
			})
		}
	}
}

// A late memory carries out the first save only when the second one arrives.
type late struct {
	*memory
	first *Record
	v     Version
}

func (l *late) Save(ctx context.Context, id string, r Record, v Version) (Version, error) {
	if l.first == nil {
		l.first, l.v = &r, v
		return "", errRefused
	}
	if l.v != "" {
		if _, err := l.memory.Save(ctx, id, *l.first, l.v); err != nil {
			l.t.Error(err)
		}
		l.v = ""
	}
	return l.memory.Save(ctx, id, r, v)
}

func TestAWordThatIsSavedLateIsSavedOnce(t *testing.T) {
	for _, says := range []func() Event{yes, no, end} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t, askingPolicy())
			m.bring(AwaitingApproval)
			entries := len(m.stored().History)
			r, err := Tell(t.Context(), &late{memory: m}, endpointID, says())
			if err != nil || len(r.History) != entries+1 || len(m.stored().History) != entries+1 {
				t.Errorf("%v\n%s", err, told(m.stored()))
			}
		})
	}
}

// A meddled memory changes before the first save.
type meddled struct {
	*memory
	meddle func()
}

func (m *meddled) Save(ctx context.Context, id string, r Record, v Version) (Version, error) {
	if m.meddle != nil {
		m.meddle()
		m.meddle = nil
	}
	return m.memory.Save(ctx, id, r, v)
}

func TestAWordCountsForTheRolloutAndStepThatItWasSaidOf(t *testing.T) {
	for name, says := range map[string]func() Event{"approve": yes, "reject": no, "cancel": end} {
		t.Run(name+", and another rollout begins", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, askingPolicy())
				m.bring(AwaitingApproval)
				other := Begin("sha256:dddddddddddddddddddd", "sha256:aaaaaaaaaaaaaaaaaaaa", askingPolicy(), now())
				_, err := Tell(t.Context(), &meddled{m, func() { m.write(other) }}, endpointID, says())
				var refused *RefusedError
				if !errors.As(err, &refused) || err.Error() != "Another rollout has begun meanwhile." || m.stored().Phase != Preparing {
					t.Errorf("%v\n%s", err, told(m.stored()))
				}
			})
		})
	}
	t.Run("approve, and the next step waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t, askingPolicy())
			m.bring(AwaitingApproval)
			_, err := Tell(t.Context(), &meddled{m, func() {
				m.feed(Approved{By: "dave", At: now()})
				for range 6 {
					time.Sleep(time.Second)
					s := story{r: m.record()}
					m.feed(Counted{Windows: one(s.healthy()), Cursor: Cursor(`1`), At: now()})
				}
			}}, endpointID, yes())
			var refused *RefusedError
			if !errors.As(err, &refused) || err.Error() != "The rollout went on meanwhile: it is awaiting approval at 50% of traffic." || m.stored().Approval != nil {
				t.Errorf("%v\n%s", err, told(m.stored()))
			}
		})
	})
	t.Run("reject, and the next step begins", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t, demoPolicy())
			m.bring(Observing)
			r, err := Tell(t.Context(), &meddled{m, func() { m.climb(50) }}, endpointID, no())
			if err != nil || r.Phase != RolledBack || !strings.Contains(r.Failure.Reason, "at 50% of traffic") {
				t.Errorf("%v\n%s", err, told(r))
			}
		})
	})
}

// climb feeds good seconds until the candidate has a weight.
func (m *memory) climb(weight int) {
	for m.record().Weight != weight {
		time.Sleep(time.Second)
		s := story{r: m.record()}
		m.feed(Counted{Windows: one(s.healthy()), Cursor: Cursor(`1`), At: now()})
	}
}

func TestTellGivesUpAndSaysWhatMayHaveBecomeOfIt(t *testing.T) {
	for name, tc := range map[string]struct {
		call string
		want string
	}{
		"nothing is heard": {"load", "tell the rollout of local/here/penguins: connection refused: nothing was changed"},
		"sent in vain":     {"save", "connection refused: it was sent and not answered, and may be saved all the same: look at the rollout"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory(t, demoPolicy())
				m.fault = func(call string, _ int) *fault {
					if call == tc.call {
						return &fault{err: errRefused}
					}
					return nil
				}
				began := time.Now()
				_, err := Tell(t.Context(), m, endpointID, no())
				if !errors.Is(err, errRefused) || !strings.Contains(err.Error(), tc.want) {
					t.Error(err)
				}
				if spent := time.Since(began); spent > tellPatience || m.calls["load"] < 5 {
					t.Errorf("%d tries in %s", m.calls["load"], spent)
				}
			})
		})
	}
	t.Run("a store that hangs once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory(t, demoPolicy())
			if _, err := Tell(t.Context(), &stuck{memory: m, times: 1}, endpointID, no()); err != nil {
				t.Error(err)
			}
		})
	})
}

// A stuck memory does not answer.
type stuck struct {
	*memory
	times int // how many Loads; then all is well
}

func (s *stuck) Load(ctx context.Context, id string) (Record, Version, error) {
	if s.times--; s.times >= 0 {
		<-ctx.Done()
		return Record{}, "", ctx.Err()
	}
	return s.memory.Load(ctx, id)
}

func TestTellStopsWhereTheEndpointIsGoneOrTheRecordIsNewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.fault = func(string, int) *fault { return &fault{err: ErrNotFound} }
		if _, err := Tell(t.Context(), m, endpointID, no()); !errors.Is(err, ErrNotFound) || m.calls["load"] != 1 {
			t.Error(err)
		}
		m.fault = nil
		r := m.record()
		r.Schema = Schema + 1
		m.write(r)
		before := string(m.bytes)
		if _, err := Tell(t.Context(), m, endpointID, no()); !errors.Is(err, ErrNewer) || string(m.bytes) != before {
			t.Error(err)
		}
	})
}

func TestTellIsForPeopleWithANameAndForWhatTheyMaySay(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]Event{
		"rollout.Ready is not for people to say":      Ready{At: noon},
		"rollout.Superseded is not for people to say": Superseded{At: noon},
		"who says it has no name":                     Approved{By: " \n", At: noon},
		"no name":                                     Rejected{How: "user id 0", At: noon},
	} {
		if _, err := Tell(t.Context(), nil, endpointID, e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: %v", e, err)
		}
	}
}

func TestAnApprovalOfARolloutThatCannotBeJudgedIsNoSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, askingPolicy())
		m.bring(AwaitingApproval)
		r := m.record()
		r.Step = 7
		m.write(r)
		r, err := Tell(t.Context(), m, endpointID, yes())
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "cannot be judged") || r.Phase != RolledBack || m.stored().Weight != 0 {
			t.Errorf("%v: %s", err, r.Phase)
		}
	})
}

func TestTellPassesOnWhatOnlyTheEngineKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, demoPolicy())
		m.bring(Promoted)
		m.fault = func(call string, _ int) *fault {
			if call == "save" {
				return &fault{err: &RefusedError{Why: "The revision before is not kept any more."}}
			}
			return nil
		}
		_, err := Tell(t.Context(), m, endpointID, no())
		var refused *RefusedError
		if !errors.As(err, &refused) || err.Error() != "The revision before is not kept any more." || refused.Record.Phase != Promoted || m.calls["save"] != 1 {
			t.Errorf("%v after %d tries", err, m.calls["save"])
		}
	})
}
