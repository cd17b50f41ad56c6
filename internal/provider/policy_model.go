package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

type policyModel struct {
	ID       types.String `tfsdk:"id"`
	Strategy types.String `tfsdk:"strategy"`
	Step     types.List   `tfsdk:"step"`
	Errors   types.Object `tfsdk:"errors"`
	Limits   types.Object `tfsdk:"limits"`
	JSON     types.String `tfsdk:"json"`
	Longest  types.String `tfsdk:"longest"`
}

type policyIdentity struct {
	JSON types.String `tfsdk:"json"`
}

var stepType = types.ObjectType{AttrTypes: map[string]attr.Type{"weight": types.NumberType}}

// A limit is one of the policy's, and where the policy keeps it.
type limit struct {
	name        string
	at          func(*rollout.Limits) *rollout.Duration
	least       time.Duration
	loosest     time.Duration // can make no other limit wrong
	description string
}

var limits = []limit{
	{"step_minimum", func(l *rollout.Limits) *rollout.Duration { return &l.StepMinimum }, time.Second, time.Second,
		"Least time at a step, however good the numbers are."},
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
}

var limitsType = types.ObjectType{AttrTypes: func() map[string]attr.Type {
	t := map[string]attr.Type{}
	for _, l := range limits {
		t[l.name] = types.StringType
	}
	return t
}()}

// policy returns what m says. What is unknown is taken as the loosest there is, so that what
// Validate finds is wrong whatever comes; known is true where nothing was unknown. The policy's
// step i is m's block at[i].
func (m policyModel) policy() (p rollout.Policy, at []int, known bool) {
	p, known = rollout.DefaultPolicy(), true
	if m.Strategy.IsUnknown() || m.Step.IsUnknown() || m.Limits.IsUnknown() || m.Errors.IsUnknown() {
		known = false
	}
	if !m.Strategy.IsNull() && !m.Strategy.IsUnknown() {
		p.Strategy = m.Strategy.ValueString()
	}
	if steps := m.Step.Elements(); len(steps) > 0 {
		p.Steps, p.SkipLeading = nil, false
		for i, s := range steps {
			weight, ok := member[types.Number](s, "weight")
			if !ok || weight.IsUnknown() {
				known = false
				continue
			}
			p.Steps, at = append(p.Steps, rollout.Step{Weight: integer(weight)}), append(at, i)
		}
	}
	if len(p.Steps) == 0 { // all of them are unknown
		p.Steps = rollout.DefaultPolicy().Steps
	}
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
	return p, at, known
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

// imply sets what follows from a policy.
func (m *policyModel) imply(p rollout.Policy) {
	sum := sha256.Sum256([]byte(p.JSON()))
	m.ID = types.StringValue("sha256:" + hex.EncodeToString(sum[:]))
	m.JSON = types.StringValue(p.JSON())
	m.Longest = types.StringValue(p.Longest().String())
}

// read makes m say what p says, in as few words as possible: defaults need no block.
func (m *policyModel) read(p rollout.Policy) error {
	standard := rollout.DefaultPolicy()
	m.Strategy = types.StringValue(p.Strategy)
	steps := []attr.Value{}
	if !p.SkipLeading {
		for _, s := range p.Steps {
			steps = append(steps, types.ObjectValueMust(stepType.AttrTypes, map[string]attr.Value{"weight": number(s.Weight)}))
		}
	} else if !slices.Equal(p.Steps, standard.Steps) {
		return errors.New("skip_leading with steps of one's own cannot be written as a tidegate_rollout_policy: leave it out")
	}
	m.Step = types.ListValueMust(stepType, steps)
	m.Errors = types.ObjectNull(nil)
	if p.Gates.Errors != nil {
		m.Errors = types.ObjectValueMust(nil, nil)
	}
	m.Limits = types.ObjectNull(limitsType.AttrTypes)
	if p.Limits != standard.Limits {
		texts := map[string]attr.Value{}
		for _, l := range limits {
			texts[l.name] = types.StringValue(l.at(&p.Limits).String())
		}
		m.Limits = types.ObjectValueMust(limitsType.AttrTypes, texts)
	}
	m.imply(p)
	return nil
}
