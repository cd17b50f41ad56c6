package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/protocol"
)

// endpoint always says Adelie, by version a for the first half of the answers and b after it;
// every tenth answer of b is a 500.
func endpoint(t *testing.T, half int64) *httptest.Server {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request protocol.Request
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Errorf("the client sent no request: %v", err)
		}
		if _, err := protocol.Birds(request.Inputs, 1); err != nil || r.URL.Path != "/v2/models/penguins/infer" {
			t.Errorf("the client sent %+v to %s: %v", request, r.URL.Path, err)
		}
		i := n.Add(1)
		if i <= half {
			w.Header().Set(VersionHeader, "a")
		}
		if i > half {
			w.Header().Set(VersionHeader, "b")
			if i%10 == 0 {
				http.Error(w, `{"error":"tenth"}`, http.StatusInternalServerError)
				return
			}
		}
		fmt.Fprint(w, `{"outputs":[{"name":"species","shape":[1],"datatype":"BYTES","data":["Adelie"]}]}`)
	}))
	t.Cleanup(s.Close)
	return s
}

// playUntil plays until the endpoint was asked n times, and returns the counts.
func playUntil(t *testing.T, c Config, n uint64) Counts {
	t.Helper()
	p, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for p.Counts().Requests < n && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	counts := p.Stop()
	if counts.Requests < n {
		t.Fatalf("only %d requests in 20 s, want %d", counts.Requests, n)
	}
	return counts
}

func TestEveryAnswerIsToldAsItComes(t *testing.T) {
	t.Parallel()
	s := endpoint(t, 5)
	var mu sync.Mutex
	told := map[Answer]int{}
	c := playUntil(t, Config{URL: s.URL, Model: "penguins", Workers: 3, Answered: func(a Answer) {
		mu.Lock()
		defer mu.Unlock()
		if a.Took <= 0 {
			t.Errorf("an answer took %s", a.Took)
		}
		a.Took = 0
		told[a]++
	}}, 60)
	b := c.Versions["b"]
	if told[Answer{Version: "b", Failed: true}] != int(b.Failed) || told[Answer{Version: "b"}] != int(b.Requests-b.Failed) || told[Answer{Version: "a"}] == 0 {
		t.Errorf("told of %v, counted %+v", told, c.Versions)
	}
}

func TestCountsAreWhatTheEndpointAnswered(t *testing.T) {
	t.Parallel()
	s := endpoint(t, 344)
	c := playUntil(t, Config{URL: s.URL, Model: "penguins", Workers: 1}, 688)
	a, b := c.Versions["a"], c.Versions["b"]
	if a.Requests != 344 || a.Failed != 0 || a.Correct != 152 {
		t.Errorf("version a has %+v, want all 344 rows, of which 152 are Adelie", a)
	}
	if a.Requests+b.Requests != c.Requests || b.Failed != c.Failed || a.Correct+b.Correct != c.Correct {
		t.Errorf("the versions %+v do not add up to %+v", c.Versions, c)
	}
	if want := c.Requests/10 - 34; b.Failed != want || !strings.Contains(c.Problem, `500 {"error":"tenth"}`) {
		t.Errorf("%d failures, the last %q, want %d", b.Failed, c.Problem, want)
	}
	if !a.First.Before(a.Last) || !a.Last.Before(b.First) {
		t.Errorf("version a from %v to %v, then b from %v: want them in turn", a.First, a.Last, b.First)
	}
}

func TestEveryRowComesOnceBeforeAnyComesAgain(t *testing.T) {
	t.Parallel()
	p := newPace(0, 344, 1)
	var rounds [2][]int
	for i := range rounds {
		seen := map[int]bool{}
		for range 344 {
			row, _ := p.take(time.Now())
			if seen[row] {
				t.Fatalf("row %d came twice in round %d", row, i)
			}
			seen[row] = true
			rounds[i] = append(rounds[i], row)
		}
	}
	if fmt.Sprint(rounds[0]) == fmt.Sprint(rounds[1]) {
		t.Error("both rounds have the same order")
	}
}

func TestPaceKeepsTheRateAndForgivesAPause(t *testing.T) {
	t.Parallel()
	p := newPace(100, 10, 1)
	now := p.due
	for i := range 5 {
		if _, wait := p.take(now); wait != time.Duration(i)*10*time.Millisecond {
			t.Errorf("request %d waits %v, want %v", i, wait, time.Duration(i)*10*time.Millisecond)
		}
	}
	late := 0
	now = now.Add(time.Minute)
	for {
		if _, wait := p.take(now); wait > 0 {
			break
		}
		late++
	}
	if late != 11 {
		t.Errorf("after a minute's pause %d requests are due at once, want those of the last 100 ms", late)
	}
}

func TestAnEndpointThatIsGoneIsAFailureWithItsReason(t *testing.T) {
	t.Parallel()
	s := endpoint(t, 0)
	s.Close()
	c := playUntil(t, Config{URL: s.URL, Model: "penguins", Rate: 500, Workers: 2}, 3)
	v := c.Versions[Unknown]
	if c.Failed != c.Requests || v.Failed != c.Failed || c.Problem != "connection refused" {
		t.Errorf("got %+v, want every request to fail with a refused connection", c)
	}
}

func TestAnAnswerWithoutASpeciesIsAFailure(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `{}`, `[]`, `{"outputs":[{"name":"species","data":[]}]}`, `{"outputs":[{"name":"species","data":3}]}`} {
		if _, err := species([]byte(text)); err == nil {
			t.Errorf("%q was taken for an answer", text)
		}
	}
}

func TestStopWaitsForTheAnswerUnderWay(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-release
		fmt.Fprint(w, `{"outputs":[{"name":"species","data":["Adelie"]}]}`)
	}))
	defer s.Close()
	p, err := Start(t.Context(), Config{URL: s.URL, Model: "penguins", Rate: 0.1, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	<-asked
	stopped := make(chan Counts)
	go func() { stopped <- p.Stop() }()
	close(release)
	if c := <-stopped; c.Requests != 1 || c.Failed != 0 {
		t.Errorf("got %+v, want the one answer", c)
	}
}

func TestSinceIsTheDifference(t *testing.T) {
	t.Parallel()
	earlier := Counts{Requests: 10, Failed: 1, Correct: 8, Seconds: 2, Versions: map[string]Version{"1": {Requests: 10, Failed: 1, Correct: 8}}}
	now := Counts{Requests: 30, Failed: 2, Correct: 26, Seconds: 5, Versions: map[string]Version{
		"1": {Requests: 15, Failed: 2, Correct: 12}, "2": {Requests: 15, Correct: 14}}}
	got := now.Since(earlier)
	if got.Requests != 20 || got.Failed != 1 || got.Correct != 18 || got.Seconds != 3 {
		t.Errorf("got %+v", got)
	}
	if one, two := got.Versions["1"], got.Versions["2"]; one.Requests != 5 || one.Failed != 1 || one.Correct != 4 || two.Requests != 15 {
		t.Errorf("got versions %+v", got.Versions)
	}
	if (Counts{}).Accuracy() != 0 || got.Accuracy() != 0.9 {
		t.Errorf("accuracies are %v and %v, want 0 and 0.9", (Counts{}).Accuracy(), got.Accuracy())
	}
}

func TestStartRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{
		{Model: "m", Workers: 1}, {URL: "http://x", Workers: 1}, {URL: "http://x", Model: "m"},
		{URL: "http://x", Model: "m", Workers: 1, Rate: -1},
	} {
		if _, err := Start(context.Background(), c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

func TestRequestsCoverTheWholeDataSet(t *testing.T) {
	t.Parallel()
	rows, err := data.Load()
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := requests()
	if err != nil {
		t.Fatal(err)
	}
	incomplete := 0
	for i, b := range bodies {
		if b.species != rows[i].Species {
			t.Errorf("request %d expects %s, want %s", i, b.species, rows[i].Species)
		}
		if strings.Contains(string(b.json), "null") {
			incomplete++
		}
	}
	if len(bodies) != 344 || incomplete != 11 {
		t.Errorf("%d requests, %d of them with null, want 344 and 11", len(bodies), incomplete)
	}
}
