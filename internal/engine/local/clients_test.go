package local

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// judged is what the gates make of rounds of traffic at weight 50: errors and split, as a rollout asks them.
func (c *counted) judged(clients, rounds int) gate.Judgement {
	c.t.Helper()
	errors, split := gate.NewErrors([]int{50}), gate.NewSplit([]int{50})
	g := gate.Gates{Alpha: 0.01, Beta: 0.05, Errors: &errors, Split: &split}
	e := g.Start()
	c.next()
	c.to(0, 50)
	for range rounds {
		c.ask(clients, 2)
		for _, w := range c.next() {
			e = g.Observe(e, 0, w)
		}
	}
	return g.Judge(e, 0)
}

func TestClientsThatFailBeforeTheRolloutAreLeftOut(t *testing.T) {
	t.Parallel()
	// Four of 200 clients fail everywhere, and all four are the candidate's: by requests this would be
	// a candidate that fails while stable does not.
	var failing []string
	c := newCounted(t, func(_, client string) bool {
		for _, f := range failing {
			if f == client {
				return true
			}
		}
		return false
	})
	for i := 0; len(failing) < 4; i++ {
		if c.candidateAt(50, strconv.Itoa(i)) {
			failing = append(failing, strconv.Itoa(i))
		}
	}
	for range 4 {
		c.ask(200, 1)
		c.now = c.now.Add(windowLength)
		c.rest(c.now)
	}
	j := c.judged(200, 15)
	v := j.Verdict("errors")
	if j.Outcome == gate.Fail || v.Harm > 1 || v.Seen.Candidate.Bad == 0 || v.Seen.Stable.Bad != 0 {
		t.Errorf("%s, harm %v: %s", j.Outcome, v.Harm, v.Sentence)
	}
	if n := len(c.router.Clients().LeftOut()); n != 4 {
		t.Errorf("%d clients are left out, want 4", n)
	}
}

// candidateAt finds out where a client would be at a weight, on a router of its own.
func (c *counted) candidateAt(weight int, client string) bool {
	c.t.Helper()
	r, err := router.Listen("127.0.0.1:0", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = r.Close(c.t.Context()) }()
	t := c.table
	t.Weight = weight
	r.Set(t)
	probe := counted{counter: newCounter(r), t: c.t}
	probe.askAs(client)
	_ = r.Idle(c.t.Context(), t.Candidate.Addrs)
	return r.Totals("candidate").Requests > 0
}

func TestACandidateThatFailsForSomeClientsIsCaught(t *testing.T) {
	t.Parallel()
	c := newCounted(t, func(arm, client string) bool {
		n, _ := strconv.Atoi(client)
		return arm == "candidate" && n%20 == 0 // 5% of them
	})
	j := c.judged(1000, 2)
	if j.Outcome != gate.Fail || j.Reason != "errors" {
		t.Errorf("%s: %s", j.Outcome, j.Verdict("errors").Sentence)
	}
}

func TestClientsThatAreAlwaysSlowSpreadLatencies(t *testing.T) {
	t.Parallel()
	c := newCounted(t, nil)
	c.takes = func(client string) time.Duration {
		if n, _ := strconv.Atoi(client); n%10 == 0 {
			return 20 * time.Millisecond
		}
		return 0
	}
	c.to(0, 50)
	c.next()
	var last gate.Window
	for range 3 {
		c.ask(100, 4)
		for _, w := range c.next() {
			last = w
		}
	}
	// The ten slow clients sent 12 requests each: these are no independent ones.
	if phi := last.Candidate.Clients.Slow; phi < 4 || phi > 40 {
		t.Errorf("slow answers spread %.1f times as much as chance has it, want about 12", phi)
	}
}

func TestClientsAreSplitAsTold(t *testing.T) {
	t.Parallel()
	c := newCounted(t, nil)
	j := c.judged(1000, 3)
	v := j.Verdict("split")
	if n := v.Seen.Candidate.Requests + v.Seen.Stable.Requests; v.Gate != "split" || v.Outcome != gate.Pass || n != 1000 || math.Abs(float64(v.Seen.Candidate.Requests)-500) > 100 {
		t.Errorf("%+v: want each of 1,000 clients once, half of them on the candidate", v)
	}
}

func TestACandidateWithoutAServerIsNoWrongSplit(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{"by client": "X-Client", "by request": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			split := gate.NewSplit([]int{50})
			g := gate.Gates{Alpha: 0.01, Beta: 0.05, Split: &split}
			e := g.Start()
			c := newCounted(t, nil)
			c.table.StickyHeader = header
			c.to(0, 50)
			c.next()
			c.table.Weight = 0 // as the unit makes it
			c.turn(c.table, place{"rollout", 0, 50}, c.now)
			c.ask(200, 1)
			for _, w := range c.next() {
				e = g.Observe(e, 0, w)
			}
			if j := g.Judge(e, 0); j.Hold != "" {
				t.Error(j.Hold)
			}
		})
	}
}

func TestARestartedEngineDoesNotKnowWhoFailedBefore(t *testing.T) {
	t.Parallel()
	c := newCounted(t, func(_, client string) bool { return client == "3" })
	restarted := &counted{counter: newCounter(c.router), t: t, table: c.table, now: c.now}
	restarted.to(0, 25) // the first that it hears of
	restarted.next()
	restarted.ask(20, 1)
	w := restarted.next()[0]
	if r := w.Candidate.Clients.Rollout.Clean + w.Stable.Clients.Rollout.Clean; r != 0 || w.Candidate.Clients.Requests+w.Stable.Clients.Requests != 20 {
		t.Errorf("%+v: want no first failures, and all requests", w)
	}
}
