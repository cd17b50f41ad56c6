package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

type policyModel struct {
	ID       types.String  `tfsdk:"id"`
	Preset   types.String  `tfsdk:"preset"`
	Strategy types.String  `tfsdk:"strategy"`
	Alpha    types.Float64 `tfsdk:"alpha"`
	Beta     types.Float64 `tfsdk:"beta"`
	Step     types.List    `tfsdk:"step"`
	Errors   types.Object  `tfsdk:"errors"`
	Latency  types.Object  `tfsdk:"latency"`
	WarmUp   types.Object  `tfsdk:"warm_up"`
	Limits   types.Object  `tfsdk:"limits"`
	Traffic  types.Object  `tfsdk:"traffic"`
	JSON     types.String  `tfsdk:"json"`
	Longest  types.String  `tfsdk:"longest"`
	Expected types.Object  `tfsdk:"expected"`
}

type policyIdentity struct {
	JSON types.String `tfsdk:"json"`
}

var (
	stepType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"weight": types.NumberType, "ratio": types.Float64Type, "floor": types.Float64Type, "minimum": types.StringType,
		"approval": types.BoolType,
	}}
	latencyType = types.ObjectType{AttrTypes: map[string]attr.Type{"tolerance": types.Float64Type}}
	warmUpType  = types.ObjectType{AttrTypes: map[string]attr.Type{"requests": types.NumberType, "time": types.StringType}}
	limitsType  = types.ObjectType{AttrTypes: func() map[string]attr.Type {
		t := map[string]attr.Type{}
		for _, l := range limits {
			t[l.name] = types.StringType
		}
		return t
	}()}
)

// A limit is one of the policy's, and where the policy keeps it. Where that is empty and means a default, at
// puts the default there first.
type limit struct {
	name        string
	at          func(*rollout.Limits) *rollout.Duration
	least       time.Duration
	loosest     time.Duration // can make no other limit wrong
	description string
}

var limits = []limit{
	{"step_minimum", func(l *rollout.Limits) *rollout.Duration { return &l.StepMinimum }, time.Second, time.Second,
		"Least time at a step that has no `minimum` of its own, however good the numbers are."},
	{"step", func(l *rollout.Limits) *rollout.Duration { return &l.Step }, time.Second, longest,
		"Longest time at a step. A step that could not pass by then ends the rollout as inconclusive: rolled back."},
	{"total", func(l *rollout.Limits) *rollout.Duration { return &l.Total }, time.Second, longest,
		"Longest time of all steps together, then inconclusive."},
	{"bake", func(l *rollout.Limits) *rollout.Duration { return &l.Bake }, time.Second, time.Second,
		"Least time at the last step, before all traffic follows."},
	{"blind", func(l *rollout.Limits) *rollout.Duration { return &l.Blind }, 5 * time.Second, longest,
		"How long a rollout may go on without a request to count. It holds after a fifth of it, and is rolled back at it."},
	{"abandoned_after", func(l *rollout.Limits) *rollout.Duration { return &l.AbandonedAfter }, 10 * time.Second, longest,
		"How long after its runner died the engine takes the candidate's traffic away."},
	{"approval", awaiting, time.Second, longest,
		"Longest wait for an approval, then the candidate's traffic is taken away. Waiting counts toward no other limit."},
	{"keep_previous", keeping, 0, longest,
		"How long the revision before stays warm after a promotion, so that going back takes no time. `0s`: not at all."},
}

func awaiting(l *rollout.Limits) *rollout.Duration {
	l.Approval = rollout.Duration(l.Await())
	return &l.Approval
}

func keeping(l *rollout.Limits) *rollout.Duration {
	d := rollout.Duration(l.Keep()) // of its own: copies of a policy share what they point to
	l.KeepPrevious = &d
	return &d
}

func sameLimits(a, b rollout.Limits) bool {
	for _, l := range limits {
		if *l.at(&a) != *l.at(&b) {
			return false
		}
	}
	return true
}

// base returns the policy that m starts from: a preset's, or the default one. While which one is unknown, its
// limits are the loosest there are, and known is false.
func (m policyModel) base() (p rollout.Policy, known bool) {
	p = rollout.DefaultPolicy()
	if m.Preset.IsUnknown() {
		for _, l := range limits {
			*l.at(&p.Limits) = rollout.Duration(l.loosest)
		}
		return p, false
	}
	if preset, err := rollout.Preset(m.Preset.ValueString()); err == nil {
		p = preset
	}
	return p, true
}

// policy returns what the configuration m says. What is unknown is taken as the loosest there is, so that
// what Validate finds is wrong whatever comes; known is true where nothing was unknown. The policy's step i is m's
// block at[i].
func (m policyModel) policy() (p rollout.Policy, at []int, known bool) {
	p, known = m.base()
	for _, v := range []attr.Value{m.Strategy, m.Alpha, m.Beta, m.Step, m.Errors, m.Latency, m.WarmUp, m.Limits} {
		known = known && !v.IsUnknown()
	}
	if !m.Strategy.IsNull() && !m.Strategy.IsUnknown() {
		p.Strategy = m.Strategy.ValueString()
	}
	for _, b := range []struct {
		value types.Float64
		to    *float64
	}{{m.Alpha, &p.Alpha}, {m.Beta, &p.Beta}} {
		if !b.value.IsNull() && !b.value.IsUnknown() {
			*b.to = b.value.ValueFloat64()
		}
	}
	at, stepsKnown := m.steps(&p)
	gatesKnown := m.gates(&p)
	warmUpKnown := m.warmUp(&p)
	limitsKnown := m.limits(&p)
	return p, at, known && stepsKnown && gatesKnown && warmUpKnown && limitsKnown
}

// steps sets the policy's steps where there are blocks.
func (m policyModel) steps(p *rollout.Policy) (at []int, known bool) {
	blocks, standard, known := m.Step.Elements(), p.Steps, true
	if len(blocks) == 0 {
		return nil, true
	}
	p.Steps, p.SkipLeading = nil, false
	for i, b := range blocks {
		weight, ok := member[types.Number](b, "weight")
		ratio, _ := member[types.Float64](b, "ratio")
		floor, _ := member[types.Float64](b, "floor")
		minimum, _ := member[types.String](b, "minimum")
		approval, _ := member[types.Bool](b, "approval")
		known = known && ok && !weight.IsUnknown() && !ratio.IsUnknown() && !floor.IsUnknown() && !minimum.IsUnknown() && !approval.IsUnknown()
		if !ok || weight.IsUnknown() {
			continue
		}
		s := rollout.Step{Weight: integer(weight), Ratio: ratio.ValueFloat64(), Floor: floor.ValueFloat64(),
			Approval: approval.ValueBool()}
		if !minimum.IsNull() {
			s.Minimum = rollout.Duration(span(minimum, time.Second))
		}
		p.Steps, at = append(p.Steps, s), append(at, i)
	}
	if len(p.Steps) == 0 { // all of them are unknown
		p.Steps = standard
	}
	return at, known
}

// gates sets the gates that are named, if any is.
func (m policyModel) gates(p *rollout.Policy) (known bool) {
	if m.Errors.IsUnknown() || m.Latency.IsUnknown() || m.Errors.IsNull() && m.Latency.IsNull() {
		return true
	}
	p.Gates = rollout.Gates{}
	if !m.Errors.IsNull() {
		p.Gates.Errors = &rollout.ErrorsGate{}
	}
	if m.Latency.IsNull() {
		return true
	}
	tolerance, _ := member[types.Float64](m.Latency, "tolerance")
	p.Gates.Latency = &rollout.LatencyGate{Tolerance: tolerance.ValueFloat64()}
	return !tolerance.IsUnknown()
}

// warmUp sets the warm-up where there is the block. Without the gate that it belongs to it is none.
func (m policyModel) warmUp(p *rollout.Policy) (known bool) {
	known = true
	if !m.WarmUp.IsNull() && !m.WarmUp.IsUnknown() {
		requests, _ := member[types.Number](m.WarmUp, "requests")
		lasting, _ := member[types.String](m.WarmUp, "time")
		known = !requests.IsUnknown() && !lasting.IsUnknown()
		p.WarmUp = rollout.WarmUp{Requests: integer(requests), Time: rollout.Duration(span(lasting, 0))}
	}
	if p.Gates.Latency == nil || m.WarmUp.IsUnknown() {
		p.WarmUp = rollout.WarmUp{}
	}
	return known
}

// limits sets the limits that are named.
func (m policyModel) limits(p *rollout.Policy) (known bool) {
	known = true
	for _, l := range limits {
		text, _ := member[types.String](m.Limits, l.name)
		switch {
		case text.IsUnknown() || m.Limits.IsUnknown():
			known = false
			*l.at(&p.Limits) = rollout.Duration(l.loosest)
		case !text.IsNull():
			*l.at(&p.Limits) = rollout.Duration(span(text, l.loosest))
		}
	}
	return known
}

// member returns an object's attribute; its zero value, null, where the object has none.
func member[T attr.Value](object attr.Value, name string) (value T, ok bool) {
	o, ok := object.(types.Object)
	if !ok {
		return value, false
	}
	value, ok = o.Attributes()[name].(T)
	return value, ok
}

// imply sets what follows from the policy p that the configuration says: all that is computed.
func (m *policyModel) imply(config policyModel, p rollout.Policy, known bool) {
	m.ID, m.JSON, m.Longest = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	if known {
		sum := sha256.Sum256([]byte(p.JSON()))
		m.ID = types.StringValue("sha256:" + hex.EncodeToString(sum[:]))
		m.JSON = types.StringValue(p.JSON())
		m.Longest = types.StringValue(p.Longest().String())
	}
	m.Expected = config.expected(p, known)
	m.fill(config, p)
}

// fill sets the limits that the configuration does not say, where it has the block.
func (m *policyModel) fill(config policyModel, p rollout.Policy) {
	if config.Limits.IsNull() || config.Limits.IsUnknown() || m.Limits.IsUnknown() {
		return
	}
	texts := m.Limits.Attributes()
	for _, l := range limits {
		if said, _ := member[types.String](config.Limits, l.name); !said.IsNull() {
			continue
		}
		old, _ := texts[l.name].(types.String)
		texts[l.name] = types.StringUnknown()
		if !config.Preset.IsUnknown() {
			texts[l.name] = keepDuration(old, time.Duration(*l.at(&p.Limits)))
		}
	}
	m.Limits = types.ObjectValueMust(limitsType.AttrTypes, texts)
}
