package command

import (
	"encoding/json"
	"io"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/command/screen"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// viewSchema is the number of the JSON below. Fields may be added to it; what is there keeps its name and meaning.
const viewSchema = 1

// What --json prints. The guide "The command line" explains it. Records have a JSON of their own, which follows
// what a runner needs; this one follows what scripts ask.
type (
	statusView struct {
		Schema    int           `json:"schema"`
		ID        string        `json:"id"`
		URL       string        `json:"url"`
		Ready     bool          `json:"ready"`
		Problem   string        `json:"problem,omitempty"`
		Stable    revisionView  `json:"stable"`
		Candidate *revisionView `json:"candidate,omitempty"`
		Previous  *previousView `json:"previous,omitempty"`
		Rollout   *rolloutView  `json:"rollout,omitempty"` // none yet
		ExitCode  int           `json:"exit_code"`         // of status, and of promote that ends like that
	}
	revisionView struct {
		Revision string `json:"revision"`
		Model    string `json:"model"`
		URI      string `json:"uri,omitempty"`
	}
	previousView struct {
		revisionView
		Until time.Time `json:"until"`
	}
	rolloutView struct {
		ID        string            `json:"id"`
		Phase     rollout.Phase     `json:"phase"`
		Weight    int               `json:"weight"`   // percent, of the candidate
		Approved  int               `json:"approved"` // the most it may have
		Step      int               `json:"step"`     // from 1
		Steps     []rollout.Step    `json:"steps"`
		Staged    bool              `json:"staged"` // and not begun yet
		Began     time.Time         `json:"began"`
		Runner    string            `json:"runner,omitempty"`
		Took      time.Time         `json:"took,omitzero"`
		Renewed   time.Time         `json:"renewed,omitzero"`
		Hold      string            `json:"hold,omitempty"`
		HeldSince time.Time         `json:"held_since,omitzero"`
		Awaiting  bool              `json:"awaiting_approval"`
		Since     time.Time         `json:"awaiting_since,omitzero"`
		Approval  *rollout.Approval `json:"approval,omitempty"`
		Failure   *rollout.Failure  `json:"failure,omitempty"`
		Gates     []gateView        `json:"gates"`
		History   []rollout.Entry   `json:"history"`
	}
	gateView struct {
		Name       string       `json:"name"`
		Outcome    gate.Outcome `json:"outcome"`
		Harm       float64      `json:"harm"`
		HarmNeeded float64      `json:"harm_needed"`
		Pass       float64      `json:"pass"`
		PassNeeded float64      `json:"pass_needed"`
		Margin     gate.Margin  `json:"margin"`
		Edge       float64      `json:"edge_seconds,omitempty"`
		Candidate  armView      `json:"candidate"`
		Stable     armView      `json:"stable"`
		Sentence   string       `json:"sentence"`
	}
	armView struct {
		Requests uint64        `json:"requests"`
		Bad      uint64        `json:"bad"`
		Rate     gate.Interval `json:"rate"`
	}
	// eventView is a line while a rollout is driven.
	eventView struct {
		Type     string        `json:"type"` // "event"
		Endpoint string        `json:"endpoint"`
		At       time.Time     `json:"at"`
		Phase    rollout.Phase `json:"phase"`
		Weight   int           `json:"weight"`
		Sentence string        `json:"sentence"`
	}
	// resultView is the last line.
	resultView struct {
		Type     string       `json:"type"` // "result"
		Endpoint string       `json:"endpoint"`
		Outcome  string       `json:"outcome"`
		ExitCode int          `json:"exit_code"`
		Message  string       `json:"message"`
		Rollout  *rolloutView `json:"rollout,omitempty"`
	}
)

func viewStatus(e screen.Endpoint) statusView {
	st := e.Status
	v := statusView{
		Schema: viewSchema, ID: e.ID, URL: st.URL, Ready: st.Ready, Problem: st.Problem,
		Stable:  viewRevision(st.Stable, st.Spec.Model),
		Rollout: viewRollout(e.Record), ExitCode: codeOf(e.Record),
	}
	if c := st.Candidate; c != nil {
		one := viewRevision(c.Revision, c.Model)
		v.Candidate = &one
	}
	if p := st.Previous; p != nil {
		v.Previous = &previousView{viewRevision(p.Revision, p.Model), p.Until}
	}
	return v
}

func viewRevision(r endpoint.Revision, m endpoint.Model) revisionView {
	return revisionView{Revision: r.Digest, Model: r.Model, URI: m.URI}
}

func viewRollout(r rollout.Record) *rolloutView {
	if r.Phase == "" {
		return nil
	}
	v := &rolloutView{
		ID: r.ID, Phase: r.Phase, Weight: r.Weight, Approved: r.Approved, Step: r.Step + 1, Steps: []rollout.Step{},
		Staged: r.Staged && r.Epoch == 0 && !r.Phase.Final(), Began: r.Began, Runner: r.Runner, Took: r.Took, Renewed: r.Renewed,
		Hold: r.Hold, HeldSince: r.HeldSince, Awaiting: r.Phase == rollout.AwaitingApproval && r.Approval == nil, Since: r.AwaitingSince,
		Approval: r.Approval, Failure: r.Failure, Gates: []gateView{}, History: r.History,
	}
	if p, err := rollout.ParsePolicy(r.Policy); err == nil {
		v.Steps = p.Steps
	}
	for _, g := range r.Verdicts {
		v.Gates = append(v.Gates, gateView{
			Name: g.Gate, Outcome: g.Outcome, Harm: g.Harm, HarmNeeded: g.HarmNeeded, Pass: g.Pass, PassNeeded: g.PassNeeded,
			Margin: g.Margin, Edge: g.Edge, Sentence: g.Sentence,
			Candidate: armView{g.Seen.Candidate.Requests, g.Seen.Candidate.Bad, g.Rates.Candidate},
			Stable:    armView{g.Seen.Stable.Requests, g.Seen.Stable.Bad, g.Rates.Stable},
		})
	}
	return v
}

// printJSON prints v, for people to read or as one line.
func printJSON(out io.Writer, v any, line bool) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if !line {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}
