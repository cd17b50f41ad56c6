package page

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What the template shows: everything is text already, and nothing is escaped yet.
type (
	engineView struct {
		Version, DataDir, Summary string
		Endpoints                 []endpointView
	}
	endpointView struct {
		ID, Name, Cluster, URL string
		Replicas, Problem      string
		Badge                  badge
		News                   string // the last thing that happened, for screen readers
		Arms                   []armView
		Weight, Rest           int // the candidate's and the stable revision's percent
		Split                  bool
		Rollout                *rolloutView // nil: there was none
		Rejected               []rejectionView
		Previous               *previousView // nil: none is kept
	}
	badge   struct{ Text, Kind string } // Kind is "good", "bad", "wait", "busy" or "calm"
	armView struct {
		Role, Share, Requests, Bad, BadShare string
		Revision, Model                      digest
	}
	digest      struct{ Short, Full string }
	rolloutView struct {
		Where, Driver, Failure string
		Held                   string // why the gates hold the weight
		Waits                  *waitView
		Approval               string // who let the step be left
		Steps                  []stepView
		Together               *meterView // the gates' evidence of harm, where several have some
		Gates                  []gateView
		History                []entryView
		Open                   bool // whether the history is worth its place
	}
	stepView struct {
		Weight int
		State  string // "done", "now", "failed" or "next"
	}
	entryView struct {
		At       moment
		Phase    string
		Weight   int
		Sentence string
	}
	rejectionView struct {
		At              moment
		Revision, Model digest
		Gate, Reason    string
	}
	moment struct{ Text, Exact string }
)

func view(s Snapshot, zone *time.Location) engineView {
	v := engineView{Version: s.Version, DataDir: s.DataDir}
	underWay, troubled := 0, 0
	for _, e := range s.Endpoints {
		v.Endpoints = append(v.Endpoints, viewEndpoint(e, zone))
		if !e.Record.Phase.Final() {
			underWay++
		}
		if !e.Ready {
			troubled++
		}
	}
	v.Summary = plural(len(s.Endpoints), "endpoint") + ", " + plural(underWay, "rollout") + " under way"
	if troubled > 0 {
		v.Summary += fmt.Sprintf(", %d not ready", troubled)
	}
	return v
}

func viewEndpoint(e Endpoint, zone *time.Location) endpointView {
	path := strings.TrimPrefix(e.ID, "local/")
	cluster, name, ok := strings.Cut(path, "/")
	if !ok {
		cluster, name = "", e.ID
	}
	weight := min(max(e.Weight, 0), 100)
	v := endpointView{
		ID: e.ID, Name: name, Cluster: cluster, URL: e.URL, Problem: e.Problem,
		Replicas: fmt.Sprintf("%d of %s ready", e.ReplicasReady, plural(e.Replicas, "replica")),
		Badge:    phaseBadge(e),
		Weight:   weight, Rest: 100 - weight,
		Split:    e.Candidate.Digest != "",
		Arms:     []armView{viewArm("stable", e.Stable, 100-weight)},
		Rollout:  viewRollout(e.ID, e.Record, zone),
		Previous: viewPrevious(e.ID, e.Previous, zone),
		Rejected: viewRejected(e.Rejected, zone),
	}
	if v.Split {
		v.Arms = append(v.Arms, viewArm("candidate", e.Candidate, weight))
	}
	if n := len(e.Record.History); n > 0 {
		v.News = name + ": " + e.Record.History[n-1].Sentence
	}
	if e.Problem != "" {
		v.News = name + ": " + e.Problem
	}
	return v
}

func phaseBadge(e Endpoint) badge {
	switch phase := e.Record.Phase; {
	case !e.Ready:
		return badge{"not ready", "bad"}
	case phase == "":
		return badge{"serving", "calm"}
	case phase == rollout.Promoted:
		return badge{string(phase), "good"}
	case phase == rollout.RolledBack:
		return badge{string(phase), "bad"}
	case staged(e.Record):
		return badge{"staged", "wait"}
	case phase == rollout.Holding, phase == rollout.AwaitingApproval:
		return badge{string(phase), "wait"}
	default:
		return badge{string(phase), "busy"}
	}
}

func viewArm(role string, r Revision, share int) armView {
	v := armView{
		Role: role, Share: fmt.Sprintf("%d%%", share),
		Requests: gate.Grouped(r.Requests), Bad: gate.Grouped(r.Bad), BadShare: "–",
		Revision: short(r.Digest), Model: short(r.Model),
	}
	if r.Requests > 0 {
		v.BadShare = gate.Share(float64(r.Bad) / float64(r.Requests))
	}
	return v
}

func viewRollout(id string, r rollout.Record, zone *time.Location) *rolloutView {
	if r.Phase == "" {
		return nil
	}
	v := &rolloutView{Open: r.Phase != rollout.Promoted}
	steps := stepWeights(r.Policy)
	for i, w := range steps {
		v.Steps = append(v.Steps, stepView{w, stepState(r, i)})
	}
	v.Where = where(r, len(steps))
	if r.Runner != "" && !r.Phase.Final() {
		v.Driver = fmt.Sprintf("%s, last heard of at %s", r.Runner, r.Renewed.In(zone).Format(time.TimeOnly))
	}
	if r.Failure != nil {
		v.Failure = r.Failure.Reason
	}
	v.Held = r.Hold
	v.Waits, v.Approval = viewWait(id, r, zone), viewApproval(r.Approval, zone)
	v.Together = together(r.Verdicts)
	for _, verdict := range r.Verdicts {
		if strings.Contains(v.Failure+v.Held, verdict.Sentence) {
			verdict.Sentence = "" // it stands above already
		}
		v.Gates = append(v.Gates, viewGate(verdict))
	}
	for _, e := range slices.Backward(r.History) {
		v.History = append(v.History, entryView{when(e.At, zone), string(e.Phase), e.Weight, e.Sentence})
	}
	return v
}

// stepWeights reads the steps out of a policy. A policy of a later schema, or a broken one,
// shows what can be read of it: the page is no judge.
func stepWeights(policy json.RawMessage) []int {
	var p struct {
		Steps []struct {
			Weight int `json:"weight"`
		} `json:"steps"`
	}
	_ = json.Unmarshal(policy, &p)
	var weights []int
	for _, s := range p.Steps {
		weights = append(weights, s.Weight)
	}
	return weights
}

func stepState(r rollout.Record, i int) string {
	switch {
	case r.Phase == rollout.Promoted || i < r.Step:
		return "done"
	case i == r.Step && r.Phase == rollout.RolledBack:
		return "failed"
	case i == r.Step && r.Phase != rollout.Preparing:
		return "now"
	}
	return "next"
}

func where(r rollout.Record, steps int) string {
	switch r.Phase {
	case rollout.Preparing:
		if !r.Ready.IsZero() {
			return "The candidate can serve. It gets no traffic yet."
		}
		return "The candidate starts. It gets no traffic yet."
	case rollout.Promoted:
		return "The candidate became the stable revision."
	case rollout.RolledBack:
		return "All traffic is on the stable revision."
	default:
	}
	if steps == 0 {
		return fmt.Sprintf("Step %d at %d%% of the traffic.", r.Step+1, r.Weight)
	}
	return fmt.Sprintf("Step %d of %d at %d%% of the traffic.", r.Step+1, steps, r.Weight)
}

func viewRejected(rejected []endpoint.Rejection, zone *time.Location) []rejectionView {
	var v []rejectionView
	for _, r := range rejected {
		v = append(v, rejectionView{when(r.At, zone), short(r.Revision), short(r.Model), r.Gate, r.Reason})
	}
	return v
}
