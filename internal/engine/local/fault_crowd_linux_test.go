package local_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// each calls fn for all of n, some at once.
func each(n, atOnce int, fn func(i int)) {
	var all sync.WaitGroup
	turns := make(chan int)
	for range atOnce {
		all.Go(func() {
			for i := range turns {
				fn(i)
			}
		})
	}
	for i := range n {
		turns <- i
	}
	close(turns)
	all.Wait()
}

func TestCrowdOf100EndpointsRollsOutAtOnceAndAllEndRightly(t *testing.T) {
	t.Parallel()
	n := 100
	if testing.Short() || local.Raced {
		n = 20
	}
	l := newLab(t)
	l.cluster()
	l.put("v1.json", model{Name: "v1"})
	l.put("good.json", model{Name: "good"})
	l.put("bad.json", model{Name: "bad", Every: 2})
	spec := func(i int, file string) endpoint.Spec {
		s := l.spec(fmt.Sprintf("e%d", i), file)
		s.Rollout.Policy = lenientPolicy().JSON()
		s.Runtime.StartTimeout = time.Minute
		return s
	}
	next := func(i int) string { return []string{"good.json", "bad.json"}[i%2] }
	urls := make([]string, n)
	each(n, 16, func(i int) {
		st, err := l.endpoints().Create(l.ctx(), spec(i, "v1.json"), "maker")
		for try := 0; err != nil && strings.Contains(err.Error(), "address already in use") && try < 5; try++ { // another test's
			st, err = l.endpoints().Create(l.ctx(), spec(i, "v1.json"), "maker")
		}
		if err != nil {
			t.Error(err)
		}
		urls[i] = st.URL
	})
	if t.Failed() {
		return
	}
	pid := l.pid()
	before := usageOf(t, pid)
	each(n, 16, func(i int) {
		if _, err := l.endpoints().Update(l.ctx(), spec(i, next(i))); err != nil {
			t.Error(err)
		}
	})
	stop := make(chan struct{})
	var asking sync.WaitGroup
	for w := range 8 { // each asks every endpoint in turn
		asking.Go(func() {
			for i := w * n / 8; ; i++ {
				select {
				case <-stop:
					return
				default:
					if _, code, err := ask(urls[i%n]); err != nil || code == 503 {
						t.Errorf("%s: %d, %v", urls[i%n], code, err)
						return
					}
				}
			}
		})
	}
	began := time.Now()
	each(n, n, func(i int) {
		o := quick
		o.Interval = time.Second // as Terraform's
		ctx := l.ctx()
		r, err := rollout.Run(ctx, l.endpoints(), endpoint.ID("here", fmt.Sprintf("e%d", i)), o)
		for err != nil && !r.Phase.Final() && ctx.Err() == nil { // where the machine is too slow for a lease, as one applies again
			r, err = rollout.Run(ctx, l.endpoints(), endpoint.ID("here", fmt.Sprintf("e%d", i)), o)
		}
		var back *rollout.RolledBackError
		switch {
		case i%2 == 0 && (err != nil || r.Phase != rollout.Promoted):
			t.Errorf("e%d, a good one: %s, %v", i, r.Phase, err)
		case i%2 == 1 && (!errors.As(err, &back) || r.Failure.Gate != "errors"):
			t.Errorf("e%d, a bad one: %s, %v", i, r.Phase, err)
		}
	})
	t.Logf("%d rollouts in %s", n, time.Since(began))
	close(stop)
	asking.Wait()
	client.CloseIdleConnections()
	each(n, 4, func(i int) {
		want := []string{"good", "v1"}[i%2]
		if a, _, err := ask(urls[i]); err != nil || a.Model != want {
			t.Errorf("e%d: %+v, %v: want %s", i, a, err, want)
		}
	})
	client.CloseIdleConnections()
	eventually(t, "one server an endpoint is left", func() bool { return len(l.servers()) == n })
	eventually(t, "descriptors are what they were", func() bool { return usageOf(t, pid).descriptors <= before.descriptors+20 })
	if now := usageOf(t, pid); now.kilobytes > before.kilobytes+300<<10 && !local.Raced {
		t.Errorf("%d MiB in memory, %d before", now.kilobytes>>10, before.kilobytes>>10)
	}
}
