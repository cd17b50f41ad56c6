package router

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

func newCounts() *counts {
	return newMetrics(prometheus.Labels{}).of("sha256:stable")
}

func TestAnAnswerIsSlowerThanTheEdgesThatItPassed(t *testing.T) {
	t.Parallel()
	for i, edge := range edges {
		for _, c := range []struct {
			took   time.Duration
			slower int // edges
		}{{edge - 1, i}, {edge, i}, {edge + 1, i + 1}} {
			counts := newCounts()
			counts.answered(good, c.took, c.took)
			a := counts.total()
			n := 0
			for _, slow := range a.Slower {
				n += int(slow)
			}
			if a.Requests != 1 || a.Bad != 0 || a.Untimed != 0 || len(a.Slower) != gate.Edges || n != c.slower {
				t.Errorf("%s: slower than %d edges, want %d: %+v", c.took, n, c.slower, a)
			}
		}
	}
}

func TestTotalsAreConsistentWhileAnswersAreCounted(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 5000
	c := newCounts()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				c.answered(outcome((i+w)%3), edges[(i*7+w)%gate.Edges]+1, time.Second)
			}
		})
	}
	done := make(chan bool)
	go func() { all.Wait(); close(done) }()
	last := c.total()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		now := c.total()
		requests, bad, untimed := now.Requests-last.Requests, now.Bad-last.Bad, now.Untimed-last.Untimed
		if bad > requests || untimed > bad {
			t.Fatalf("impossible window from %+v to %+v", last, now)
		}
		before := requests - untimed
		for i := range now.Slower {
			slower := now.Slower[i] - last.Slower[i]
			if slower > before {
				t.Fatalf("%d slower than edge %d after %d slower than the edge before it", slower, i, before)
			}
			before = slower
		}
		if before < bad-untimed {
			t.Fatalf("%d slower than the last edge, and %d did not begin in time", before, bad-untimed)
		}
		last = now
	}
	if last.Requests != writers*each {
		t.Errorf("%d requests, want %d", last.Requests, writers*each)
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	c := newCounts()
	if n := testing.AllocsPerRun(1000, func() { c.answered(good, time.Millisecond, time.Millisecond) }); n > 0 {
		t.Errorf("%v allocations an answer", n)
	}
}

// slowerThan returns how many answers were slower than an edge that there is.
func slowerThan(t *testing.T, a gate.Arm, edge float64) uint64 {
	t.Helper()
	i := slices.Index(gate.LatencyEdges[:], edge)
	if i < 0 || len(a.Slower) != gate.Edges {
		t.Fatalf("edge %v is number %d, of %d counts", edge, i, len(a.Slower))
	}
	return a.Slower[i]
}

func TestLatencyIsTheTimeUntilTheAnswerBegins(t *testing.T) {
	t.Parallel()
	const wait = 60 * time.Millisecond
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		slow   uint64 // than 50 ms
	}{
		"a slow model": {func(w http.ResponseWriter, _ *http.Request) { time.Sleep(wait); io.WriteString(w, "ok") }, 1},
		"a long stream": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			http.NewResponseController(w).Flush()
			time.Sleep(wait)
			io.WriteString(w, "ok")
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, Table{Stable: stable(serve(t, c.answer))})
			get(t, r)
			settle(t, r)
			if got := r.Totals("sha256:stable"); slowerThan(t, got, .05) != c.slow || got.Untimed != 0 || got.Requests != 1 {
				t.Errorf("%d of %d slower than 50 ms, want %d", slowerThan(t, got, .05), got.Requests, c.slow)
			}
		})
	}
}

func TestAClientThatSendsSlowlyDoesNotMakeTheModelSlow(t *testing.T) {
	t.Parallel()
	r := open(t, Table{Stable: stable(serve(t, func(w http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		io.WriteString(w, "ok")
	}))})
	body, send := io.Pipe()
	go func() {
		for range 4 {
			time.Sleep(50 * time.Millisecond) // this is the client being slow, not the test waiting
			io.WriteString(send, "slow ")
		}
		send.Close()
	}()
	res, err := http.Post("http://"+r.Addr(), "", body)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	settle(t, r)
	if got := r.Totals("sha256:stable"); slowerThan(t, got, .1) != 0 {
		t.Errorf("the client's 200 ms are the model's: %+v", got)
	}
}

func TestBadAnswersSayNothingOfLatencyUnlessTheyCameLate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		addr            func(*testing.T) string
		slower, untimed uint64
	}{
		"a quick failure": {func(t *testing.T) string {
			return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		}, 0, 1},
		"no connection": {func(t *testing.T) string { return nobody(t) }, 0, 1},
		"no answer in time": {func(t *testing.T) string {
			return serve(t, func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
		}, 1, 0},
		"a beginning of one": {func(t *testing.T) string { return serve(t, hijack("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno")) }, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, Table{Timeout: 20 * time.Millisecond, Stable: stable(c.addr(t))})
			if res, err := http.Get("http://" + r.Addr()); err == nil {
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			settle(t, r)
			a := r.Totals("sha256:stable")
			if a.Requests != 1 || a.Bad != 1 || a.Untimed != c.untimed || slowerThan(t, a, 60) != c.slower || slowerThan(t, a, .001) != c.slower {
				t.Errorf("%+v: want %d slower than every edge, %d without a latency", a, c.slower, c.untimed)
			}
		})
	}
}

func TestTheHistogramIsOfTheGatesBuckets(t *testing.T) {
	t.Parallel()
	for _, b := range buckets {
		if !slices.Contains(gate.LatencyEdges[:], b) {
			t.Errorf("bucket %v is none of the gate's edges", b)
		}
	}
	r := open(t, Table{Stable: stable(says(t, "s"))})
	get(t, r)
	settle(t, r)
	if n := testutil.CollectAndCount(r, "tidegate_endpoint_answer_start_seconds"); n != 1 {
		t.Errorf("%d histograms, want 1", n)
	}
}
