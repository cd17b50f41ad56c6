package simulate

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// tidegateRule is Tidegate itself: the real Next with the real gates. The people whom a policy asks approve at once,
// so that a step takes one window longer than without them: what is compared is rules, and no rule knows how long people
// take.
type tidegateRule struct {
	name   string
	policy rollout.Policy
	// rate is what Next would measure before the first step, to leave out steps that are too thin.
	rate float64
}

// newTidegate reads a policy: a preset's name, JSON, or none for the default; with latency where the
// scenario has some.
func newTidegate(name string, policy json.RawMessage, s Scenario) (Rule, error) {
	r := tidegateRule{name, rollout.DefaultPolicy(), s.Traffic.RequestsPerSecond}
	if s.Latency != nil {
		r.policy.Gates.Latency = &rollout.LatencyGate{}
		r.policy.WarmUp = rollout.WarmUp{Requests: 20, Time: Duration(10 * time.Second)}
	}
	var preset string
	if len(policy) == 0 || json.Unmarshal(policy, &preset) == nil && preset == "default" {
		return r, nil
	}
	var err error
	if preset == "" {
		r.policy, err = rollout.ParsePolicy(policy)
		return r, err
	}
	if r.policy, err = rollout.Preset(preset); err != nil {
		return nil, fmt.Errorf(`%q: want "default", %q, %q, %q or a policy's JSON`, preset, rollout.Fast, rollout.Careful, rollout.Paranoid)
	}
	return r, nil
}

func (t tidegateRule) Name() string { return t.name }

// noon is when virtual clocks begin.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// measured is how long Next watches traffic before it opens the first step.
const measured = 5 * time.Second

func (t tidegateRule) Start(*rand.Rand) Trial {
	at := noon.Add(-measured)
	c := &tidegateTrial{policy: t.policy, now: at,
		rec: rollout.Begin("sha256:candidate000", "sha256:stable000000", t.policy, at)}
	c.next(rollout.TakenOver{Runner: "simulate", At: at})
	c.next(rollout.Ready{At: at})
	c.next(rollout.Counted{At: at})
	c.now = noon
	c.next(rollout.Counted{At: noon, Windows: []gate.Window{
		{Stable: gate.Arm{Requests: uint64(math.Ceil(t.rate * measured.Seconds()))}}}})
	return c
}

type tidegateTrial struct {
	policy  rollout.Policy
	rec     rollout.Record
	now     time.Time
	clients *gate.Tracker // the router's; nil where clients are not known
	early   time.Time     // the end of the last window before the rollout
	begun   bool          // for clients
}

func (c *tidegateTrial) next(e rollout.Event) { c.rec = rollout.Next(c.policy, c.rec, e) }

func (c *tidegateTrial) Weight() int { return c.rec.Weight }

// Before lets the router know its clients. No rollout is on yet, so the clock stands still at its beginning.
func (c *tidegateTrial) Before(w Seen) {
	if c.clients == nil {
		c.clients = gate.NewTracker()
		c.early = noon.Add(-30 * time.Minute)
	}
	c.early = c.early.Add(w.Lasting)
	c.track(w, c.early)
}

// track counts a window's clients.
func (c *tidegateTrial) track(w Seen, end time.Time) (candidate, stable gate.Clients) {
	for _, a := range w.answers {
		c.clients.Answered(spread(a.client), a.side, a.bad)
	}
	return c.clients.Window(end)
}

// spread is a client's key, hashed as a router does.
func spread(client uint64) uint64 { return (client + 1) * 0x9e3779b97f4a7c15 }

func (c *tidegateTrial) See(w Seen) {
	c.now = c.now.Add(w.Lasting)
	counted := w.window()
	if c.clients != nil {
		if !c.begun {
			c.clients.Begin()
			c.begun = true
		}
		candidate, stable := c.track(w, c.now)
		counted.Candidate.Clients, counted.Stable.Clients, counted.Routed = &candidate, &stable, gate.ByClient
	}
	step := c.rec.Step
	c.next(rollout.Counted{At: c.now, Windows: []gate.Window{counted}})
	if c.rec.Phase == rollout.AwaitingApproval {
		c.next(rollout.Approved{By: "simulate", At: c.now})
	}
	if c.clients != nil && c.rec.Step != step {
		c.clients.Step()
	}
}

// window is what a gate sees of it.
func (w Seen) window() gate.Window {
	g := gate.Window{Candidate: w.Candidate.gate(), Stable: w.Stable.gate(), Routed: gate.ByRequest}
	if w.Stable.Pods != nil {
		g.Totals, g.Routed = true, ""
	}
	return g
}

func (a Arm) gate() gate.Arm {
	g := gate.Arm{Requests: a.Requests, Bad: a.Bad}
	for _, p := range a.Pods {
		g.Pods = append(g.Pods, gate.Arm{Requests: p.Requests, Bad: p.Bad})
	}
	if a.Latency == nil {
		return g
	}
	g.Slower = make([]uint64, len(edges))
	slower := a.Latency[len(edges)]
	for i := len(edges) - 1; i >= 0; i-- {
		g.Slower[i] = slower
		slower += a.Latency[i]
	}
	return g
}

func (c *tidegateTrial) End() (End, string) {
	switch c.rec.Phase {
	case rollout.Promoted:
		return Promoted, c.rec.History[len(c.rec.History)-1].Sentence
	case rollout.RolledBack:
		if c.rec.Failure.Kind != rollout.KindGate {
			return Inconclusive, c.rec.Failure.Reason
		}
		return RolledBack, c.rec.Failure.Reason
	default:
		return "", ""
	}
}

// Alarm is the logarithm of the evidence of harm as a share of that of what is needed: 0 is no evidence, below
// is evidence that there is no harm. The split check, which is about the router, counts where it ends a rollout.
func (c *tidegateTrial) Alarm() float64 {
	if c.rec.Failure != nil && c.rec.Failure.Gate != "" {
		return 1
	}
	most := math.Inf(-1)
	for _, v := range c.rec.Verdicts {
		if v.Gate != "split" && v.HarmNeeded > 1 && v.Harm > 0 {
			most = max(most, math.Log(v.Harm)/math.Log(v.HarmNeeded))
		}
	}
	if math.IsInf(most, -1) {
		return 0
	}
	return min(1, most)
}
