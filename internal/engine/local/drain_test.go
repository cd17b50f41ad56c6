package local_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

func TestSlowAnswersOutliveThePromotion(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	l.put("slow.json", model{Name: "slow", Slow: time.Second})
	st, err := l.endpoints().Create(l.ctx(), l.spec("penguins", "slow.json"), "maker")
	if err != nil {
		t.Fatal(err)
	}
	l.put("fast.json", model{Name: "fast"})
	if _, err := l.endpoints().Update(l.ctx(), l.spec("penguins", "fast.json")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the candidate is ready", func() bool {
		r, _, err := l.endpoints().Load(l.ctx(), id)
		return err == nil && !r.Ready.IsZero()
	})
	var asked, all sync.WaitGroup
	for range 5 {
		asked.Add(1)
		all.Go(func() {
			asked.Done()
			if a, _, err := ask(st.URL); err != nil || a.Model == "" {
				t.Errorf("%+v, %v: want the answer that was being made", a, err)
			}
		})
	}
	asked.Wait()
	r, v, err := l.endpoints().Load(l.ctx(), id)
	if err != nil {
		t.Fatal(err)
	}
	r.Epoch, r.Runner, r.Renewed, r.Phase, r.Weight, r.Approved = 1, "test", time.Now(), rollout.Promoted, 100, 100
	if _, err := l.endpoints().Save(l.ctx(), id, r, v); err != nil {
		t.Fatal(err)
	}
	if a, _, err := ask(st.URL); err != nil || a.Model != "fast" {
		t.Errorf("%+v, %v: want the saved weight in force when Save returns", a, err)
	}
	all.Wait()
	eventually(t, "the old server has stopped", func() bool { return len(l.servers()) == 1 })
}

func TestEnvironmentChangesOnBothArmsInMidRollout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st, s := staged(t, l, model{Name: "v2"})
	tr := startTraffic(t, st.URL, 2)
	s.Env.Values = map[string]string{"GREETING": "hello"}
	trial := make(chan struct{})
	changed := make(chan error, 1)
	go func() {
		<-trial
		_, err := l.open().Endpoints().Update(l.ctx(), s)
		changed <- err
	}()
	o := quick
	begin := sync.OnceFunc(func() { close(trial) })
	o.Progress = func(r rollout.Record) {
		if r.Weight > 0 {
			begin()
		}
	}
	r, err := rollout.Run(l.ctx(), l.endpoints(), id, o)
	if err != nil || r.Phase != rollout.Promoted {
		t.Errorf("%s, %v", r.Phase, err)
	}
	if err := <-changed; err != nil {
		t.Error(err)
	}
	eventually(t, "v2 has the new environment", func() bool { return tr.saw(answer{Model: "v2", Greeting: "hello"}) })
	tr.noneDropped(t)
	eventually(t, "one server is left", func() bool { return len(l.servers()) == 1 })
}

func TestNextMakerWaitsForWhatADeadOneBegan(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	l.put("m.json", model{Name: "m", Delay: 3 * time.Second})
	s := l.spec("penguins", "m.json")
	ctx, dies := context.WithCancel(l.ctx())
	go func() { _ = l.postAndVanish(ctx, s) }()
	eventually(t, "the model server starts", func() bool { return len(l.servers()) == 1 })
	first := l.servers()[0]
	dies()
	var st endpoint.Status
	eventually(t, "the second maker is let in", func() bool { // the daemon has to notice the death
		var err error
		st, err = l.endpoints().Create(l.ctx(), s, "second")
		return !errors.Is(err, endpoint.ErrExists)
	})
	if a, _, err := ask(st.URL); err != nil || a.PID != first {
		t.Errorf("%+v, %v: want the server that was starting, process %d", a, err, first)
	}
}
