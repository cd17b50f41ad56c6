package local

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// A counted is an endpoint's router with its counter, on real connections, and time that a test moves.
type counted struct {
	*counter
	t      *testing.T
	table  router.Table
	now    time.Time
	cursor cursor
	takes  func(client string) time.Duration // of both arms; nil: no time
}

// newCounted has two arms; fails says whether a request of a client fails on one.
func newCounted(t *testing.T, fails func(arm, client string) bool) *counted {
	t.Helper()
	r, err := router.Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(t.Context()) })
	c := &counted{counter: newCounter(r), t: t, now: time.Unix(1e9, 0)}
	arm := func(name string) router.Arm {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			client := req.Header.Get("X-Client")
			if c.takes != nil {
				time.Sleep(c.takes(client))
			}
			if fails != nil && fails(name, client) {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}))
		t.Cleanup(s.Close)
		return router.Arm{Revision: name, Addrs: []string{s.Listener.Addr().String()}}
	}
	c.table = router.Table{Stable: arm("stable"), Candidate: arm("candidate"), StickyHeader: "X-Client", Salt: "local/here/penguins"}
	c.turn(c.table, place{}, c.now)
	return c
}

// to brings a rollout to a step.
func (c *counted) to(step, weight int) {
	c.table.Weight = weight
	c.turn(c.table, place{"rollout", step, weight}, c.now)
}

// clients ask n times each.
func (c *counted) ask(clients, n int) {
	c.t.Helper()
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := w; i < clients; i += 8 {
				for range n {
					c.askAs(strconv.Itoa(i))
				}
			}
		})
	}
	all.Wait()
	if err := c.router.Idle(c.t.Context(), append(c.table.Stable.Addrs, c.table.Candidate.Addrs...)); err != nil {
		c.t.Fatal(err)
	}
}

var keptOpen = http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

func (c *counted) askAs(client string) {
	req, err := http.NewRequest(http.MethodGet, "http://"+c.router.(*router.Router).Addr(), nil)
	if err != nil {
		c.t.Error(err)
		return
	}
	req.Header.Set("X-Client", client)
	res, err := keptOpen.Do(req)
	if err != nil {
		c.t.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}

// next counts as a runner does whose saves succeed.
func (c *counted) next() []gate.Window {
	c.now = c.now.Add(windowLength)
	var windows []gate.Window
	windows, c.cursor = c.count(c.cursor, c.now)
	return windows
}

func requestsOf(windows []gate.Window) (candidate, stable uint64) {
	for _, w := range windows {
		candidate += w.Candidate.Requests
		stable += w.Stable.Requests
	}
	return candidate, stable
}

func TestWindowsAreCutWhereTheWeightChanges(t *testing.T) {
	t.Parallel()
	c := newCounted(t, nil)
	c.table.StickyHeader = ""
	c.to(0, 5)
	c.next()
	c.ask(10, 1)
	c.to(1, 50)
	c.ask(40, 1)
	got := c.next()
	if len(got) != 2 {
		t.Fatalf("%+v: want a window at each weight", got)
	}
	for i, want := range []struct {
		requests uint64
		routed   gate.Routing
	}{{10, ""}, {40, gate.ByRequest}} {
		w := got[i]
		if n := w.Candidate.Requests + w.Stable.Requests; n != want.requests || w.Routed != want.routed {
			t.Errorf("window %d has %d requests, routed %q: want %d, %q", i, n, w.Routed, want.requests, want.routed)
		}
		if len(w.Candidate.Slower) != gate.Edges || len(w.Stable.Slower) != gate.Edges || w.Candidate.Clients != nil {
			t.Errorf("window %d: want the latencies of both arms, and no clients", i)
		}
	}
	if again := c.next(); len(again) != 0 {
		t.Errorf("%+v: want no window without a request", again)
	}
}

func TestAWindowWhoseSaveFailedIsGivenAgain(t *testing.T) {
	t.Parallel()
	c := newCounted(t, func(_, client string) bool { return client == "7" })
	c.to(0, 25)
	c.next()
	saved := c.cursor
	c.ask(20, 2)
	lost := c.next()
	c.ask(20, 1)
	c.to(1, 50)
	c.cursor = saved
	again := c.next()
	if len(lost) != 1 || len(again) != 2 || !reflect.DeepEqual(lost[0], again[0]) {
		t.Fatalf("first %+v, then %+v: want the lost window again, and what came after it", lost, again)
	}
	var clients, failing uint64
	for _, w := range again {
		clients += w.Candidate.Clients.Requests + w.Stable.Clients.Requests
		failing += w.Candidate.Clients.Rollout.Failed + w.Stable.Clients.Rollout.Failed
	}
	if candidate, stable := requestsOf(again); candidate+stable != 60 || clients != 60 || failing != 1 {
		t.Errorf("%d requests, %d of clients, %d first failures: want 60, 60, 1", candidate+stable, clients, failing)
	}
	if after := c.next(); len(after) != 0 {
		t.Errorf("%+v: want what was saved not to count again", after)
	}
}

func TestAnswersThatAnEarlierWeightSplitSayNothingOfThisOne(t *testing.T) {
	t.Parallel()
	c := newCounted(t, nil)
	arrived, goOn := make(chan bool), make(chan bool)
	c.takes = func(client string) time.Duration {
		if client == "slow" {
			arrived <- true
			<-goOn
		}
		return 0
	}
	c.table.StickyHeader = ""
	c.to(0, 5)
	c.next()
	var slow sync.WaitGroup
	slow.Go(func() { c.askAs("slow") })
	<-arrived
	c.to(1, 50)
	close(goOn)
	slow.Wait()
	c.ask(10, 1)
	first := c.next()
	c.ask(10, 1)
	second := c.next()
	if len(first) != 1 || len(second) != 1 || first[0].Routed != "" || second[0].Routed != gate.ByRequest {
		t.Errorf("%+v, then %+v: want only the second to tell how the router splits", first, second)
	}
}

func TestOtherNumbersThanTheCursorsHaveNoWindow(t *testing.T) {
	t.Parallel()
	c := newCounted(t, nil)
	c.next()
	mine := c.cursor
	c.ask(5, 1)
	for name, other := range map[string]cursor{"none": {}, "of another boot": {"another", mine.Cut}, "from the future": {mine.Boot, mine.Cut + 100}} {
		if w, next := c.count(other, c.now); len(w) != 0 || next.Boot != mine.Boot {
			t.Errorf("a cursor %s: %+v", name, w)
		}
	}
	c.table.Candidate.Revision = "another"
	c.to(0, 5)
	if w, _ := c.count(mine, c.now); len(w) != 0 {
		t.Errorf("other revisions: %+v", w)
	}
	c.next()
	mine = c.cursor
	for range cutsKept + 1 {
		c.next()
	}
	if w, _ := c.count(mine, c.now); len(w) != 0 {
		t.Errorf("long ago: %d windows", len(w))
	}
	if len(c.cuts) > cutsKept {
		t.Errorf("%d cuts are kept", len(c.cuts))
	}
}

func TestCountersThatRunBackwardsOrChangeBucketsHaveNoWindow(t *testing.T) {
	t.Parallel()
	arm := func(slower ...uint64) gate.Window {
		return gate.Window{Stable: gate.Arm{Requests: 10, Bad: 2, Untimed: 1, Slower: slower}, Misrouted: 1}
	}
	if w, ok := between(arm(5, 1), arm(7, 1)); !ok || w.Stable.Slower[0] != 2 || w.Stable.Slower[1] != 0 || w.Misrouted != 0 {
		t.Errorf("%+v, %v", w, ok)
	}
	for name, change := range map[string]func(*gate.Window){
		"fewer requests":  func(w *gate.Window) { w.Stable.Requests-- },
		"fewer bad":       func(w *gate.Window) { w.Stable.Bad-- },
		"fewer untimed":   func(w *gate.Window) { w.Stable.Untimed-- },
		"fewer slow":      func(w *gate.Window) { w.Stable.Slower[1]-- },
		"fewer misrouted": func(w *gate.Window) { w.Misrouted-- },
		"another bucket":  func(w *gate.Window) { w.Stable.Slower = append(w.Stable.Slower, 1) },
		"no buckets":      func(w *gate.Window) { w.Stable.Slower = nil },
	} {
		next := arm(5, 1)
		change(&next)
		if w, ok := between(arm(5, 1), next); ok {
			t.Errorf("%s: %+v", name, w)
		}
	}
}
