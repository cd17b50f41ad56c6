package provider

import (
	"errors"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// presets are the policies that a policy may start from.
var presets = []string{rollout.Fast, rollout.Careful, rollout.Paranoid}

// What 0 means in a policy.
const standardAlpha, standardBeta, standardTolerance = 0.01, 0.05, 1.25

// read makes m say what p says, in as few words as possible: a policy that is a preset needs nothing else, and
// what is as in the policy that m starts from needs no block.
func (m *policyModel) read(p rollout.Policy) error {
	preset, base, ok := closest(p)
	if !ok {
		return errors.New("skip_leading with steps of one's own cannot be written as a tidegate_rollout_policy: leave it out")
	}
	m.Preset = preset
	m.Strategy = types.StringValue(p.Strategy)
	m.Alpha, m.Beta = bound(p.Alpha, base.Alpha, standardAlpha), bound(p.Beta, base.Beta, standardBeta)
	m.readSteps(p, base)
	m.Errors, m.Latency = types.ObjectNull(nil), types.ObjectNull(latencyType.AttrTypes)
	if named := preset.IsNull() || !reflect.DeepEqual(p.Gates, base.Gates); named {
		if p.Gates.Errors != nil {
			m.Errors = types.ObjectValueMust(nil, nil)
		}
		if l := p.Gates.Latency; l != nil {
			m.Latency = types.ObjectValueMust(latencyType.AttrTypes, map[string]attr.Value{
				"tolerance": bound(l.Tolerance, 0, standardTolerance),
			})
		}
	}
	m.WarmUp = types.ObjectNull(warmUpType.AttrTypes)
	if p.WarmUp != base.WarmUp && p.Gates.Latency != nil {
		parts := map[string]attr.Value{"requests": types.NumberNull(), "time": types.StringNull()}
		if p.WarmUp.Requests > 0 {
			parts["requests"] = number(p.WarmUp.Requests)
		}
		if p.WarmUp.Time > 0 {
			parts["time"] = types.StringValue(p.WarmUp.Time.String())
		}
		m.WarmUp = types.ObjectValueMust(warmUpType.AttrTypes, parts)
	}
	m.Limits = types.ObjectNull(limitsType.AttrTypes)
	if !sameLimits(p.Limits, base.Limits) {
		texts := map[string]attr.Value{}
		for _, l := range limits {
			texts[l.name] = types.StringValue(l.at(&p.Limits).String())
		}
		m.Limits = types.ObjectValueMust(limitsType.AttrTypes, texts)
	}
	m.Traffic = types.ObjectNull(trafficType.AttrTypes)
	m.imply(*m, p, true)
	return nil
}

// closest returns the policy that p is best told from, and its name: a preset only where p is that, or
// leaves out leading steps of the preset's.
func closest(p rollout.Policy) (preset types.String, base rollout.Policy, ok bool) {
	standard := rollout.DefaultPolicy()
	leaves := func(base rollout.Policy) bool { return p.SkipLeading && base.SkipLeading && sameSteps(p, base) }
	for _, name := range presets {
		if base, err := rollout.Preset(name); err == nil && p.JSON() == base.JSON() {
			return types.StringValue(name), base, true
		}
	}
	if !p.SkipLeading || leaves(standard) {
		return types.StringNull(), standard, true
	}
	for _, name := range presets {
		if base, err := rollout.Preset(name); err == nil && leaves(base) {
			return types.StringValue(name), base, true
		}
	}
	return types.StringNull(), standard, false
}

func sameSteps(p, q rollout.Policy) bool { return reflect.DeepEqual(p.Steps, q.Steps) }

func (m *policyModel) readSteps(p, base rollout.Policy) {
	steps := []attr.Value{}
	for _, s := range p.Steps {
		if p.SkipLeading == base.SkipLeading && sameSteps(p, base) {
			break
		}
		parts := map[string]attr.Value{
			"weight": number(s.Weight), "ratio": types.Float64Null(), "floor": types.Float64Null(), "minimum": types.StringNull(),
			"approval": types.BoolNull(),
		}
		if s.Ratio != 0 {
			parts["ratio"] = types.Float64Value(s.Ratio)
		}
		if s.Floor != 0 {
			parts["floor"] = types.Float64Value(s.Floor)
		}
		if s.Minimum != 0 {
			parts["minimum"] = types.StringValue(s.Minimum.String())
		}
		if s.Approval {
			parts["approval"] = types.BoolValue(true)
		}
		steps = append(steps, types.ObjectValueMust(stepType.AttrTypes, parts))
	}
	m.Step = types.ListValueMust(stepType, steps)
}

// bound is a number that differs from the one that is meant without a word.
func bound(p, base, standard float64) types.Float64 {
	if meant(p, standard) == meant(base, standard) {
		return types.Float64Null()
	}
	return types.Float64Value(meant(p, standard))
}

// meant is a policy's number, where 0 is the standard one.
func meant(x, standard float64) float64 {
	if x == 0 {
		return standard
	}
	return x
}
