package local_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// The claims of docs/guides/gates.md once more, smaller, with all parts real: daemon, model servers, router, runner,
// and users who come whether or not the last one was answered.

// perSecond are the requests of all users.
const perSecond = 200

// users ask at a steady pace until the test ends, in turn, each with a key.
func users(t *testing.T, url string) {
	t.Helper()
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		pace := time.NewTicker(time.Second / perSecond)
		defer pace.Stop()
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-pace.C:
			}
			all.Go(func() {
				if _, _, err := askAs(url, strconv.Itoa(i%400)); err != nil {
					t.Error(err)
				}
			})
		}
	})
	t.Cleanup(func() { close(done); all.Wait() })
}

// shortPolicy asks for errors and latency. Its margins are wider than the default's, so that seconds are enough for
// a pass; what it takes to fail is the default's.
func shortPolicy() rollout.Policy {
	p := quickPolicy()
	p.Steps = []rollout.Step{{Weight: 10, Ratio: 10, Floor: 0.05}, {Weight: 50, Ratio: 3, Floor: 0.02}}
	p.Gates.Latency = &rollout.LatencyGate{}
	p.WarmUp = rollout.WarmUp{Requests: 10}
	p.Limits.Step = rollout.Duration(time.Minute)
	return p
}

// tried runs a rollout from a model that takes 20 ms to the model m, by the policy; sticky is the header by which
// clients stay with an arm.
func tried(t *testing.T, m model, sticky string) (rollout.Record, error) {
	t.Helper()
	l := newLab(t)
	l.cluster()
	l.put("v1.json", model{Name: "v1", Slow: 20 * time.Millisecond, Varies: true})
	l.put("next.json", m)
	s := l.spec("penguins", "v1.json")
	s.Rollout.Policy, s.Routing.StickyHeader = shortPolicy().JSON(), sticky
	st, err := l.endpoints().Create(l.ctx(), s, "maker")
	if err != nil {
		t.Fatal(err)
	}
	users(t, st.URL)
	s.Model.URI = "file://next.json"
	if _, err := l.endpoints().Update(l.ctx(), s); err != nil {
		t.Fatal(err)
	}
	r, err := rollout.Run(l.ctx(), l.endpoints(), id, quick)
	t.Logf("%s after %s", r.Phase, time.Since(r.Opened).Round(100*time.Millisecond))
	for _, v := range r.Verdicts {
		t.Log(v.Gate, v.Outcome, v.Sentence)
	}
	return r, err
}

func verdict(r rollout.Record, name string) gate.Verdict {
	return gate.Judgement{Verdicts: r.Verdicts}.Verdict(name)
}

func TestGatesTakeABrokenCandidateOffWithinSeconds(t *testing.T) {
	t.Parallel()
	r, err := tried(t, model{Name: "broken", Every: 2, Slow: 20 * time.Millisecond, Varies: true}, "")
	var back *rollout.RolledBackError
	if !errors.As(err, &back) || r.Failure.Gate != "errors" {
		t.Fatalf("%v: want it rolled back for its errors", err)
	}
	if n := verdict(r, "errors").Seen.Candidate.Requests; n > 40 {
		t.Errorf("%d requests reached it", n)
	}
	if took := r.Failure.At.Sub(r.Opened); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestGatesTakeASlowCandidateOff(t *testing.T) {
	t.Parallel()
	r, err := tried(t, model{Name: "slow", Slow: 30 * time.Millisecond, Varies: true}, "")
	var back *rollout.RolledBackError
	if !errors.As(err, &back) || r.Failure.Gate != "latency" {
		t.Fatalf("%v: want it rolled back for its latency", err)
	}
	v := verdict(r, "latency")
	if v.Edge < .005 || v.Edge > .2 || v.Rates.Candidate.Estimate <= v.Rates.Stable.Estimate || v.Seen.Candidate.Requests > 1000 {
		t.Errorf("%+v", v)
	}
}

func TestGatesPromoteAHealthyCandidate(t *testing.T) {
	t.Parallel()
	r, err := tried(t, model{Name: "healthy", Slow: 20 * time.Millisecond, Varies: true}, "")
	if err != nil || r.Phase != rollout.Promoted {
		t.Fatalf("%s, %v", r.Phase, err)
	}
	if s := verdict(r, "split"); s.Outcome != gate.Pass || verdict(r, "latency").Outcome != gate.Pass {
		t.Errorf("%+v", r.Verdicts)
	}
}

func TestGatesCountClientsWhereTheyAreKnown(t *testing.T) {
	t.Parallel()
	r, err := tried(t, model{Name: "picky", Dislikes: "3", Slow: 20 * time.Millisecond, Varies: true}, "X-Client")
	var back *rollout.RolledBackError
	if !errors.As(err, &back) || r.Failure.Gate != "errors" {
		t.Fatalf("%v: want it rolled back for its errors", err)
	}
	if c := r.Evidence.Clients; c == nil || c.Seen.Candidate.Bad == 0 || c.Seen.Stable.Bad != 0 {
		t.Errorf("%+v: want the failures of the candidate's clients", c)
	}
	if s := verdict(r, "split"); s.Outcome != gate.Pass || s.Seen.Candidate.Requests+s.Seen.Stable.Requests > 400 {
		t.Errorf("%+v: want each client once, split as told", s)
	}
}
