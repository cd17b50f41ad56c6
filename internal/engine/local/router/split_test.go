package router

import (
	"math"
	"net/http"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// within reports whether x of n is what a chance of p gives, but for six standard deviations.
func within(x, n int, p float64) bool {
	return math.Abs(float64(x)-float64(n)*p) <= 6*math.Sqrt(float64(n)*p*(1-p))
}

func TestWeightIsTheCandidatesShare(t *testing.T) {
	t.Parallel()
	const n = 100_000
	r := open(t, Table{})
	for _, weight := range []int{0, 1, 5, 25, 50, 99, 100} {
		c := r.compile(Table{Stable: stable(), Candidate: candidate(), Weight: weight, StickyHeader: "x-client"})
		free, sticky := 0, 0
		for i := range n {
			if c.choose(c.caller(&http.Request{})) == c.candidate {
				free++
			}
			if c.choose(c.caller(&http.Request{Header: http.Header{"X-Client": {"client-" + strconv.Itoa(i)}}})) == c.candidate {
				sticky++
			}
		}
		if p := float64(weight) / 100; !within(free, n, p) || !within(sticky, n, p) {
			t.Errorf("at weight %d the candidate got %d by request and %d by client of %d", weight, free, sticky, n)
		}
	}
}

func TestRequestsOfOneConnectionAreSplit(t *testing.T) {
	t.Parallel()
	const n = 1000
	r := open(t, Table{Stable: stable(says(t, "s")), Candidate: candidate(says(t, "c")), Weight: 30})
	got := map[string]int{}
	for range n {
		_, body := get(t, r)
		got[body]++
	}
	if got["s"]+got["c"] != n || !within(got["c"], n, .3) {
		t.Errorf("answers were %v", got)
	}
	wantTotals(t, r, "sha256:stable", uint64(got["s"]), 0)
	wantTotals(t, r, "sha256:candidate", uint64(got["c"]), 0)
}

func TestARisingWeightMovesClientsOnlyTowardTheCandidate(t *testing.T) {
	t.Parallel()
	r := open(t, Table{})
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(1, 40, -1).Draw(t, "key")
		salt := rapid.String().Draw(t, "salt")
		req := &http.Request{Header: http.Header{"X-Client": {key}}}
		moved := false
		for weight := range 101 {
			table := Table{Stable: stable(), Candidate: candidate(), Weight: weight, StickyHeader: "X-Client", Salt: salt}
			c := r.compile(table)
			now := c.choose(c.caller(req)) == c.candidate
			if now != (c.choose(c.caller(req)) == c.candidate) {
				t.Fatalf("at weight %d client %q has no fixed arm", weight, key)
			}
			if moved && !now {
				t.Fatalf("at weight %d client %q went back", weight, key)
			}
			moved = now
		}
		if !moved {
			t.Fatalf("client %q is not moved at 100", key)
		}
	})
}

// A client's arm must survive a restart of the engine, and a new version of it.
func TestAClientsPointNeverChanges(t *testing.T) {
	t.Parallel()
	r := open(t, Table{})
	header := r.compile(Table{StickyHeader: "x-client", Salt: "local/here/penguins"})
	cookie := r.compile(Table{StickyCookie: "session", Salt: "local/here/penguins"})
	for key, want := range map[string]float64{"ada": 0.68885617, "bob": 0.48088199} {
		h := header.caller(&http.Request{Header: http.Header{"X-Client": {key}}}).point
		c := cookie.caller(&http.Request{Header: http.Header{"Cookie": {"a=b; session=" + key}}}).point
		if math.Abs(h-want) > 1e-8 || c != h {
			t.Errorf("%s: by header %.8f, by cookie %.8f, want %.8f", key, h, c, want)
		}
	}
	other := r.compile(Table{StickyHeader: "x-client", Salt: "local/here/whales"})
	req := &http.Request{Header: http.Header{"X-Client": {"ada"}}}
	if other.caller(req) == header.caller(req) {
		t.Error("two endpoints try their candidates on the same clients")
	}
}

func TestRequestsWithoutAKeyAreSplitByRequest(t *testing.T) {
	t.Parallel()
	r := open(t, Table{})
	c := r.compile(Table{StickyHeader: "x-client"})
	req := &http.Request{Header: http.Header{"X-Client": {""}}}
	if c.caller(req).point == c.caller(req).point {
		t.Error("clients without a key share one arm")
	}
}

func TestReplicasShareTheLoad(t *testing.T) {
	t.Parallel()
	const n = 300
	r := open(t, Table{Stable: stable(says(t, "a"), says(t, "b"), says(t, "c"))})
	got := map[string]int{}
	for range n {
		_, body := get(t, r)
		settle(t, r)
		got[body]++
	}
	if got["a"] != n/3 || got["b"] != n/3 || got["c"] != n/3 {
		t.Errorf("answers were %v", got)
	}
}

func TestABusyReplicaGetsNoMore(t *testing.T) {
	t.Parallel()
	busy, free := make(chan bool), make(chan bool)
	slow := serve(t, func(http.ResponseWriter, *http.Request) { busy <- true; <-free })
	r := open(t, Table{Stable: stable(slow)})
	done := make(chan bool)
	go func() { get(t, r); done <- true }()
	<-busy
	r.Set(Table{Stable: stable(slow, says(t, "quick"))})
	for range 20 {
		if _, body := get(t, r); body != "quick" {
			t.Fatalf("answer is %q", body)
		}
	}
	free <- true
	<-done
}
