package local_test

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// Skewed is a runner whose wall clock is another than the engine's, now by this and now by that:
// what it writes as the time of its sign says so, and what it reads of it is as it wrote it.
type skewed struct {
	endpoint.Engine
	by func() time.Duration

	mu   sync.Mutex
	last time.Duration
	dead bool // it writes nothing any more
}

func (s *skewed) Load(ctx context.Context, id string) (rollout.Record, rollout.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, v, err := s.Engine.Load(ctx, id)
	if !r.Renewed.IsZero() {
		r.Renewed = r.Renewed.Add(-s.last)
	}
	return r, v, err
}

func (s *skewed) Save(ctx context.Context, id string, r rollout.Record, v rollout.Version) (rollout.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return "", errors.New("this runner is dead")
	}
	by := s.by()
	if !r.Renewed.IsZero() {
		r.Renewed = r.Renewed.Add(by)
	}
	now, err := s.Engine.Save(ctx, id, r, v)
	if err == nil {
		s.last = by
	}
	return now, err
}

func always(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

func TestClockThatJumpsDisturbsNoLivingRollout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := l.created("penguins")
	l.put("next.json", model{Name: "v2"})
	s := l.spec("penguins", "next.json")
	p := lenientPolicy()
	p.Limits.AbandonedAfter = rollout.Duration(10 * time.Second) // every jump is far longer
	p.Limits.StepMinimum, p.Limits.Bake = rollout.Duration(3*time.Second), rollout.Duration(3*time.Second)
	s.Rollout.Policy = p.JSON()
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	startTraffic(t, st.URL, 8)
	n := 0
	jumps := []time.Duration{0, -3 * time.Hour, 3 * time.Hour, -11 * time.Second, 0, 48 * time.Hour}
	runner := &skewed{Engine: l.endpoints(), by: func() time.Duration { n++; return jumps[n/3%len(jumps)] }}
	began := time.Now()
	r, err := rollout.Run(l.ctx(), runner, id, quick)
	if err != nil || r.Phase != rollout.Promoted {
		t.Fatalf("%s, %v, %+v: want it promoted", r.Phase, err, r.Failure)
	}
	if spent := time.Since(began); spent < 6*time.Second {
		t.Errorf("promoted after %s: want no step shorter than its minimum", spent)
	}
	if n < 3*len(jumps) {
		t.Errorf("%d writes: not every jump was made", n)
	}
}

// killedRunner leaves a rollout with traffic whose runner dies in mid-sentence, and whose clock was so far off.
func killedRunner(t *testing.T, l *lab, by time.Duration) (url string) {
	t.Helper()
	st := l.created("penguins")
	l.put("next.json", model{Name: "v2"})
	if _, err := l.endpoints().Update(l.ctx(), impatient(l.spec("penguins", "next.json"))); err != nil {
		t.Fatal(err)
	}
	startTraffic(t, st.URL, 2)
	ctx, cancel := context.WithCancel(l.ctx())
	runner := &skewed{Engine: l.endpoints(), by: always(by)}
	o := quick
	o.Progress = func(r rollout.Record) {
		if r.Weight > 0 {
			runner.mu.Lock()
			runner.dead = true
			runner.mu.Unlock()
			cancel()
		}
	}
	if _, err := rollout.Run(ctx, runner, id, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	r, _, err := l.endpoints().Load(l.ctx(), id)
	if err != nil || r.Weight == 0 || r.Runner == "" || time.Until(r.Renewed) < by/2 {
		t.Fatalf("weight %d, renewed %s, %v: want a rollout whose dead runner wrote in the future", r.Weight, r.Renewed, err)
	}
	return st.URL
}

func TestClockSetBackStillClosesAnAbandonedGate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	url := killedRunner(t, l, 3*time.Hour)
	began := time.Now()
	r := l.final()
	if r.Failure.Kind != rollout.KindAbandoned {
		t.Errorf("%+v", r.Failure)
	}
	if spent := time.Since(began); spent < 5*time.Second {
		t.Errorf("closed after %s: its runner had 10 s", spent)
	}
	if r.Failure.At.Before(r.Renewed) {
		t.Errorf("abandoned at %s, before the last sign at %s", r.Failure.At, r.Renewed)
	}
	only(t, url, "v1")
}

func TestClockSetBackStillClosesAnAbandonedGateAfterTheEngineWasKilled(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	url := killedRunner(t, l, 3*time.Hour)
	if err := syscall.Kill(l.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	l.cluster() // starts the next engine
	if r := l.final(); r.Failure.Kind != rollout.KindAbandoned {
		t.Errorf("%+v", r.Failure)
	}
	only(t, url, "v1")
}

func TestClockOfADeadRunnerAheadDoesNotHoldTheEndpoint(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	killedRunner(t, l, 3*time.Hour)
	l.put("third.json", model{Name: "v3"})
	s := l.spec("penguins", "third.json")
	_, err := l.endpoints().Update(l.ctx(), s)
	if err != nil && !errors.Is(err, endpoint.ErrBusy) {
		t.Fatal(err)
	}
	eventually(t, "the endpoint is free for another model", func() bool {
		_, err := l.endpoints().Update(l.ctx(), s)
		return err == nil
	})
}
