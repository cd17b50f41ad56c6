package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

type rolloutData struct {
	Endpoint  types.String  `tfsdk:"endpoint"`
	ID        types.String  `tfsdk:"id"`
	Phase     types.String  `tfsdk:"phase"`
	Step      types.Int64   `tfsdk:"step"`
	Weight    types.Int64   `tfsdk:"weight"`
	Approved  types.Int64   `tfsdk:"approved"`
	Stable    types.String  `tfsdk:"stable"`
	Candidate types.String  `tfsdk:"candidate"`
	Staged    types.Bool    `tfsdk:"staged"`
	Began     types.String  `tfsdk:"began"`
	Runner    types.String  `tfsdk:"runner"`
	Hold      types.String  `tfsdk:"hold"`
	Awaiting  types.String  `tfsdk:"awaiting_since"`
	Approval  *approvalData `tfsdk:"approval"`
	Gates     []gateData    `tfsdk:"gates"`
	Failure   *failureData  `tfsdk:"failure"`
	History   []historyData `tfsdk:"history"`
}

type gateData struct {
	Name              types.String  `tfsdk:"name"`
	Outcome           types.String  `tfsdk:"outcome"`
	Harm              types.Float64 `tfsdk:"harm"`
	HarmNeeded        types.Float64 `tfsdk:"harm_needed"`
	Pass              types.Float64 `tfsdk:"pass"`
	PassNeeded        types.Float64 `tfsdk:"pass_needed"`
	CandidateRequests types.Int64   `tfsdk:"candidate_requests"`
	CandidateBad      types.Int64   `tfsdk:"candidate_bad"`
	StableRequests    types.Int64   `tfsdk:"stable_requests"`
	StableBad         types.Int64   `tfsdk:"stable_bad"`
	Edge              types.Float64 `tfsdk:"edge"`
	CandidateRate     *rateData     `tfsdk:"candidate_rate"`
	StableRate        *rateData     `tfsdk:"stable_rate"`
	Sentence          types.String  `tfsdk:"sentence"`
}

type rateData struct {
	Estimate types.Float64 `tfsdk:"estimate"`
	Low      types.Float64 `tfsdk:"low"`
	High     types.Float64 `tfsdk:"high"`
}

type approvalData struct {
	By  types.String `tfsdk:"by"`
	How types.String `tfsdk:"how"`
	At  types.String `tfsdk:"at"`
}

type failureData struct {
	Kind     types.String `tfsdk:"kind"`
	Gate     types.String `tfsdk:"gate"`
	Rejected types.Bool   `tfsdk:"rejected"`
	Reason   types.String `tfsdk:"reason"`
	At       types.String `tfsdk:"at"`
}

type historyData struct {
	At       types.String `tfsdk:"at"`
	Phase    types.String `tfsdk:"phase"`
	Weight   types.Int64  `tfsdk:"weight"`
	Sentence types.String `tfsdk:"sentence"`
}

// read makes m say what r says. Without a rollout all but the endpoint is null or empty.
func (m *rolloutData) read(r rollout.Record) {
	m.Gates, m.History = []gateData{}, []historyData{}
	if r.Phase == "" {
		return
	}
	m.ID, m.Phase = types.StringValue(r.ID), types.StringValue(string(r.Phase))
	m.Step, m.Weight, m.Approved = count(r.Step), count(r.Weight), count(r.Approved)
	m.Stable, m.Candidate = types.StringValue(r.Stable), types.StringValue(r.Candidate)
	m.Staged, m.Began, m.Runner, m.Hold = types.BoolValue(r.Staged), moment(r.Began), orNull(r.Runner), orNull(r.Hold)
	if !r.AwaitingSince.IsZero() {
		m.Awaiting = moment(r.AwaitingSince)
	}
	if a := r.Approval; a != nil {
		m.Approval = &approvalData{By: types.StringValue(a.By), How: orNull(a.How), At: moment(a.At)}
	}
	for _, v := range r.Verdicts {
		m.Gates = append(m.Gates, newGateData(v))
	}
	if f := r.Failure; f != nil {
		m.Failure = &failureData{
			Kind: types.StringValue(f.Kind), Gate: orNull(f.Gate), Rejected: types.BoolValue(f.Rejected),
			Reason: types.StringValue(f.Reason), At: moment(f.At),
		}
	}
	for _, e := range r.History {
		m.History = append(m.History, historyData{
			At: moment(e.At), Phase: types.StringValue(string(e.Phase)), Weight: count(e.Weight), Sentence: types.StringValue(e.Sentence),
		})
	}
}

func newGateData(v gate.Verdict) gateData {
	g := gateData{
		Name: types.StringValue(v.Gate), Outcome: types.StringValue(string(v.Outcome)),
		Harm: types.Float64Value(v.Harm), HarmNeeded: types.Float64Value(v.HarmNeeded),
		Pass: types.Float64Value(v.Pass), PassNeeded: types.Float64Value(v.PassNeeded),
		CandidateRequests: count(v.Seen.Candidate.Requests), CandidateBad: count(v.Seen.Candidate.Bad),
		StableRequests: count(v.Seen.Stable.Requests), StableBad: count(v.Seen.Stable.Bad),
		Sentence: types.StringValue(v.Sentence),
	}
	if v.Edge > 0 {
		g.Edge = types.Float64Value(v.Edge)
	}
	if v.Rates != (gate.Rates{}) {
		g.CandidateRate, g.StableRate = newRateData(v.Rates.Candidate), newRateData(v.Rates.Stable)
	}
	return g
}

func newRateData(i gate.Interval) *rateData {
	return &rateData{types.Float64Value(i.Estimate), types.Float64Value(i.Low), types.Float64Value(i.High)}
}

func count[N int | uint64](n N) types.Int64 { return types.Int64Value(int64(n)) }

func moment(t time.Time) types.String { return types.StringValue(t.UTC().Format(time.RFC3339)) }

func orNull(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}
