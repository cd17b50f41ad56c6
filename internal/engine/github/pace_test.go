package github

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestWritesOfAClientGoOneByOne(t *testing.T) {
	t.Parallel()
	var now, most, reads atomic.Int32
	both := make(chan struct{})
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet {
			if reads.Add(1) == 2 {
				close(both)
			}
			<-both // reads are not kept waiting for each other
			say(w, 200, map[string]any{"number": 1})
			return
		}
		most.Store(max(most.Load(), now.Add(1)))
		say(w, 201, map[string]any{"id": 1})
		now.Add(-1)
	})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if err := r.SetDeploymentStatus(within(t, time.Minute), 1, DeploymentStatus{State: Succeeded}); err != nil {
				t.Error(err)
			}
		})
	}
	for range 2 {
		all.Go(func() {
			if _, err := r.PullRequest(within(t, time.Minute), 1); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d writes at once", most.Load())
	}
}

func TestNoMoreIsWrittenInAMinuteThanGitHubTakes(t *testing.T) {
	t.Parallel()
	sent := 0
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		sent++
		say(w, 201, map[string]any{"id": 1})
	})
	ctx := within(t, 20*time.Second)
	began := time.Now()
	for n := range writesPerMinute {
		if err := r.SetDeploymentStatus(ctx, 1, DeploymentStatus{State: Succeeded}); err != nil {
			t.Fatalf("write %d: %v", n+1, err)
		}
	}
	if time.Since(began) > 15*time.Second {
		t.Skip("this machine writes too slowly to be held up")
	}
	err := r.SetDeploymentStatus(ctx, 1, DeploymentStatus{State: Succeeded})
	e := wantError(t, err, ErrRateLimit, "content creation", "Nothing was changed")
	if left := time.Until(e.Until); sent != writesPerMinute || left > time.Minute || left < 10*time.Second {
		t.Errorf("%d writes, and the next in %s", sent, left)
	}
	if ctx.Err() != nil {
		t.Error("it waited for what would not come")
	}
}
