package local

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const (
	manyRestarts = 3           // of one revision's servers, of which it is told though they serve
	clockSkew    = time.Minute // that clocks may be apart
	dialLimit    = 2 * time.Second
)

// endpoint looks at one endpoint, its servers and its rollout.
func (x *examination) endpoint(e EndpointStatus) {
	if x.Engine != nil {
		x.servers(e)
	}
	x.address(e)
	x.rollout(e)
	x.clock(e)
}

func (x *examination) servers(e EndpointStatus) {
	logs := x.cmd("logs " + e.ID)
	for _, s := range e.Servers {
		name := fmt.Sprintf("The %s revision (%s)", s.Role, s.Model)
		switch {
		case s.Problem != "":
			x.found(e.ID, logs, "%s does not run as it should, after %s: %s.", name, times(s.Restarts, "restart"), s.Problem)
		case s.Ready < s.Wanted:
			x.found(e.ID, logs, "%s has %d of %s ready.", name, s.Ready, times(s.Wanted, "replica"))
		case s.Restarts >= manyRestarts:
			x.found(e.ID, logs, "%s serves, but its model servers were restarted %s.", name, times(s.Restarts, "time"))
		}
	}
	if len(e.Servers) == 0 && !e.Status.Ready {
		x.found(e.ID, logs, "It does not serve: %s.", e.Status.Problem) // an engine of before there was a doctor
	}
}

func times(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// address finds who else has the endpoint's port.
func (x *examination) address(e EndpointStatus) {
	addr := strings.TrimPrefix(e.Status.URL, "http://")
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return
	}
	do := fmt.Sprintf("lsof -nP -iTCP:%s -sTCP:LISTEN, and end what it shows: users have this address", port)
	if x.Engine != nil {
		if e.AddressProblem != "" {
			x.found(e.ID, do, "Its address cannot be opened: %s.", e.AddressProblem)
		}
		return
	}
	if x.held() {
		return // an engine is there, which does not answer us
	}
	c, err := net.DialTimeout("tcp", addr, dialLimit)
	if err != nil {
		return // free
	}
	_ = c.Close()
	x.found(e.ID, do, "No engine runs, and another program has its address %s.", addr)
}

// rollout says what waits, and for whom.
func (x *examination) rollout(e EndpointStatus) {
	r := e.Record
	since := func(t time.Time) string { return t.Local().Format(time.DateTime) }
	switch {
	case r.Phase == rollout.RolledBack && r.Failure != nil && r.Failure.Kind == rollout.KindAbandoned:
		x.found(e.ID, "apply again, and let the runner go on to the end", "Its last rollout was abandoned: %s", r.Failure.Reason)
	case r.Phase.Final():
	case waitsForRunner(r):
		x.found(e.ID, "tidegate promote "+e.ID+", or tidegate cancel "+e.ID, "A candidate is staged since %s and waits to be promoted.", since(r.Began))
	case r.Runner == "" || x.now.Sub(r.Renewed) > rollout.Lease:
		x.undriven(e, since)
	case r.Phase == rollout.AwaitingApproval && r.Approval == nil:
		x.found(e.ID, "tidegate approve "+e.ID+", or tidegate rollback "+e.ID, "The rollout waits for an approval at %d%% of traffic since %s.", r.Weight, since(r.AwaitingSince))
	case r.Phase == rollout.Holding:
		why := strings.TrimSuffix(r.Hold, ".")
		if why == "" {
			why = "no request is counted"
		}
		x.found(e.ID, "send requests to "+e.Status.URL+", or tidegate rollback "+e.ID, "The rollout is held at %d%% of traffic since %s: %s.", r.Weight, since(r.HeldSince), why)
	}
}

// undriven tells of a rollout whose runner is gone.
func (x *examination) undriven(e EndpointStatus, since func(time.Time) string) {
	r := e.Record
	who := "Nobody drives the rollout"
	if r.Runner != "" {
		who = r.Runner + " drove the rollout and does not write any more"
	}
	last := later(r.Renewed, r.Began)
	closes := "no engine runs that would close it"
	if p, err := rollout.ParsePolicy(r.Policy); err == nil && x.Engine != nil {
		closes = "the engine closes it at " + since(last.Add(time.Duration(p.Limits.AbandonedAfter)))
	}
	x.found(e.ID, "tidegate promote "+e.ID+" or apply again, which go on with it; or tidegate cancel "+e.ID,
		"%s, the last time at %s (%s, weight %d%%): %s.", who, since(last), r.Phase, r.Weight, closes)
}

// clock finds records of later than now.
func (x *examination) clock(e EndpointStatus) {
	r := e.Record
	latest := later(r.Renewed, r.Began)
	for _, h := range r.History {
		latest = later(latest, h.At)
	}
	if ahead := latest.Sub(x.now); ahead > clockSkew {
		x.found("clock", "date; and have the clock kept right, by systemd-timesyncd or chrony",
			"The record of %s is of %s, %s from now: this clock was set back, or a runner's is ahead. Limits of time run by these clocks.",
			e.ID, latest.Local().Format(time.DateTime), ahead.Round(time.Second))
	}
}
