package gate

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestTrackerCountsEachAnswerOnceUnderConcurrency(t *testing.T) {
	tr := NewTracker()
	tr.Begin()
	const each = 20_000
	// So many that none has more requests than count, however long a window lasts on a busy machine.
	const clients = 20_000
	done := make(chan bool)
	for g := range 4 {
		go func() {
			r := rand.New(rand.NewPCG(1, uint64(g)))
			for range each {
				tr.Answered(r.Uint64N(clients), Side(r.IntN(2)), r.IntN(10) == 0)
				tr.Anonymous(Stable, false)
			}
			done <- true
		}()
	}
	var requests, failed uint64
	for running := 4; running > 0; {
		select {
		case <-done:
			running--
		default:
		}
		c, s := tr.Window(noon)
		requests += c.Requests + s.Requests
		failed += c.Rollout.Failed + s.Rollout.Failed
	}
	c, s := tr.Window(noon)
	requests += c.Requests + s.Requests
	if requests != 2*4*each {
		t.Errorf("%d requests counted, want %d", requests, 2*4*each)
	}
	if c.Spread.M+s.Spread.M != 2*4*each {
		t.Errorf("sums over %g requests, want %d", c.Spread.M+s.Spread.M, 2*4*each)
	}
	if failed < 4*each/20 || failed > 4*each/10+1000 {
		t.Errorf("%d first failures: want at most one for each failure, a tenth of %d, and not many fewer", failed, 4*each)
	}
}

func TestTrackerKeepsASampleOfTooManyClients(t *testing.T) {
	tr := NewTracker()
	tr.Begin()
	const clients = 5 * mostClients
	for c := range uint64(clients) {
		tr.Answered(c, Side(c&1), c%100 == 0) // the arm by a bit of the hash, as a router's
	}
	if n := tr.known.Load(); n > mostClients {
		t.Errorf("%d clients are watched, want at most %d", n, mostClients)
	}
	tr.Window(noon)
	for c := range uint64(clients) {
		tr.Answered(c, Side(c&1), c%100 == 0)
	}
	c, s := tr.Window(noon.Add(time.Second))
	sample := float64(clients) / 8 / 2
	for _, n := range []uint64{c.Requests, s.Requests} {
		if math.Abs(float64(n)-sample) > 5*math.Sqrt(sample) {
			t.Errorf("%d and %d requests, want about %.0f each", c.Requests, s.Requests, sample)
		}
	}
}

func TestClientsThatFailAnywayAreLeftOutAndNamed(t *testing.T) {
	tr := NewTracker()
	at := noon
	for i := range 60 { // half an hour
		for c := range uint64(100) {
			bad := c < 3 || c == 3 && i < 2 || c == 4 && i%15 == 0
			tr.Answered(c, Stable, bad)
		}
		tr.Window(at)
		at = at.Add(30 * time.Second)
	}
	tr.Begin()
	if got := tr.LeftOut(); !reflect.DeepEqual(got, []uint64{0, 1, 2}) {
		t.Errorf("left out %v, want those that fail always, not those that failed twice or in 7%%", got)
	}
	tr.Answered(0, Candidate, true)
	tr.Answered(1, Stable, true)
	tr.Answered(9, Stable, false)
	w := close1(tr, at)
	one := NewErrors([]int{50})
	g := Gates{Alpha: .01, Beta: .05, Errors: &one}
	if say := g.Judge(g.Observe(g.Start(), 0, w), 0).Verdicts[0].Sentence; !strings.HasSuffix(say, " Left out: 3 clients that failed on stable already before.") {
		t.Error(say)
	}
	if w.Candidate.Clients.Requests != 0 || w.Stable.Clients.Requests != 1 || w.Stable.Clients.LeftOut != 3 {
		t.Errorf("%+v, %+v", w.Candidate.Clients, w.Stable.Clients)
	}
}

func TestAtMostTheWorstTwentiethIsLeftOut(t *testing.T) {
	tr := NewTracker()
	for i := range 20 {
		for c := range uint64(100) {
			tr.Answered(c, Stable, i < int(c)) // the higher the number, the more it fails
		}
		tr.Window(noon.Add(time.Duration(i) * time.Second))
	}
	tr.Begin()
	if got := tr.LeftOut(); len(got) != 5 {
		t.Errorf("left out %v, want five of a hundred", got)
	}
}

func TestWhatFailedLongAgoIsForgotten(t *testing.T) {
	for _, gap := range []time.Duration{31 * time.Minute, 300 * time.Hour} {
		tr := NewTracker()
		for i := range 20 {
			for c := range uint64(100) {
				tr.Answered(c, Stable, c == 0)
			}
			tr.Window(noon.Add(time.Duration(i) * time.Second))
		}
		tr.Window(noon.Add(gap))
		tr.Begin()
		if got := tr.LeftOut(); len(got) != 0 || tr.known.Load() != 0 {
			t.Errorf("%s later: left out %v, %d clients known", gap, got, tr.known.Load())
		}
	}
}

func TestATrackerThatComesLateCountsNoFirstFailures(t *testing.T) {
	tr := NewTracker()
	tr.Resume()
	tr.Answered(1, Candidate, true)
	w := close1(tr, noon)
	if c := w.Candidate.Clients; c.Rollout != (First{}) || c.Step != (First{}) || c.New != 0 || c.Failing != 1 {
		t.Errorf("%+v", c)
	}
	tr.Step()
	tr.Answered(1, Candidate, true)
	w = close1(tr, noon.Add(time.Second))
	if c := w.Candidate.Clients; c.Rollout != (First{}) || c.Step != (First{1, 1}) || c.New != 1 {
		t.Errorf("after the next step: %+v", c)
	}
}

func BenchmarkTracker(b *testing.B) {
	tr := NewTracker()
	tr.Begin()
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		r := rand.New(rand.NewPCG(1, rand.Uint64()))
		for p.Next() {
			tr.Answered(r.Uint64N(50_000), Stable, false)
		}
	})
}
