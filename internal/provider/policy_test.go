package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// Policies of many kinds, as changes of the default one or of a preset.
func policies(t *testing.T) map[string]rollout.Policy {
	t.Helper()
	change := func(p rollout.Policy, f func(*rollout.Policy)) rollout.Policy {
		f(&p)
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	preset := func(name string) rollout.Policy {
		p, err := rollout.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	standard := rollout.DefaultPolicy()
	return map[string]rollout.Policy{
		"standard": standard, "fast": preset("fast"), "careful": preset("careful"), "paranoid": preset("paranoid"),
		"own steps": change(standard, func(p *rollout.Policy) {
			p.SkipLeading = false
			p.Steps = []rollout.Step{{Weight: 3, Ratio: 2.5}, {Weight: 7, Floor: 0.003, Minimum: rollout.Duration(90 * time.Second)}, {Weight: 70}}
		}),
		"the standard's steps, all of them": change(standard, func(p *rollout.Policy) { p.SkipLeading = false }),
		"latency only": change(standard, func(p *rollout.Policy) {
			p.Gates = rollout.Gates{Latency: &rollout.LatencyGate{}}
			p.WarmUp.Requests = 7
		}),
		"tolerant":          change(standard, func(p *rollout.Policy) { p.Gates.Latency = &rollout.LatencyGate{Tolerance: 3} }),
		"tolerant by words": change(standard, func(p *rollout.Policy) { p.Gates.Latency = &rollout.LatencyGate{Tolerance: 1.25} }),
		"bounds":            change(standard, func(p *rollout.Policy) { p.Alpha, p.Beta = 0.001, 0.2 }),
		"bounds in words":   change(standard, func(p *rollout.Policy) { p.Alpha, p.Beta = 0.01, 0.05 }),
		"paranoid, with its steps and other bounds": change(preset("paranoid"), func(p *rollout.Policy) { p.Alpha, p.Beta = 0.01, 0.1 }),
		"paranoid, by errors only": change(preset("paranoid"), func(p *rollout.Policy) {
			p.Gates.Latency, p.WarmUp = nil, rollout.WarmUp{}
		}),
		"careful, without warm-up":  change(preset("careful"), func(p *rollout.Policy) { p.WarmUp = rollout.WarmUp{} }),
		"paranoid, without warm-up": change(preset("paranoid"), func(p *rollout.Policy) { p.WarmUp = rollout.WarmUp{} }),
		"approved": change(standard, func(p *rollout.Policy) {
			p.SkipLeading = false
			p.Steps = []rollout.Step{{Weight: 5}, {Weight: 50, Approval: true}}
			p.Limits.Approval = rollout.Duration(2 * time.Hour)
		}),
		"waits and keeps as is meant": change(preset("fast"), func(p *rollout.Policy) {
			keep := rollout.Duration(30 * time.Minute)
			p.Limits.Approval, p.Limits.KeepPrevious = rollout.Duration(24*time.Hour), &keep
		}),
		"keeps nothing": change(preset("fast"), func(p *rollout.Policy) { p.Limits.KeepPrevious = new(rollout.Duration) }),
		"fast, longer": change(preset("fast"), func(p *rollout.Policy) {
			p.Limits.Bake, p.WarmUp.Time = rollout.Duration(7*time.Minute), rollout.Duration(time.Minute)
		}),
	}
}

// What an import writes into the state means exactly what was imported.
func TestReadPolicyMeansTheSamePolicy(t *testing.T) {
	t.Parallel()
	for name, p := range policies(t) {
		var m policyModel
		if err := m.read(p); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, _, known := m.policy()
		if !known || got.JSON() != p.JSON() {
			t.Errorf("%s: known %v\n%s\nwant\n%s", name, known, got.JSON(), p.JSON())
		}
		if m.JSON.ValueString() != p.JSON() {
			t.Errorf("%s: json\n%s\nwant\n%s", name, m.JSON.ValueString(), p.JSON())
		}
	}
}

func TestReadPolicyUsesAPresetsName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"fast": "fast", "waits and keeps as is meant": "fast", "careful": "careful", "paranoid": "paranoid", "standard": "", "own steps": ""} {
		var m policyModel
		if err := m.read(policies(t)[name]); err != nil {
			t.Fatal(err)
		}
		if got := m.Preset.ValueString(); got != want {
			t.Errorf("%s is read as preset %q, want %q", name, got, want)
		}
		if want != "" && (len(m.Step.Elements()) > 0 || !m.Limits.IsNull() || !m.Errors.IsNull() || !m.WarmUp.IsNull()) {
			t.Errorf("preset %s is read with more words than its name: %+v", name, m)
		}
	}
}

func TestReadPolicyRefusesWhatNoArgumentsSay(t *testing.T) {
	t.Parallel()
	p := rollout.DefaultPolicy()
	p.Steps = []rollout.Step{{Weight: 3}, {Weight: 40}}
	var m policyModel
	if err := m.read(p); err == nil || !strings.Contains(err.Error(), "skip_leading with steps of one's own") {
		t.Errorf("got %v, want a refusal", err)
	}
}

// A policy without the arguments of this version has the bytes that endpoints remember from the last.
func TestOldPoliciesKeepTheirBytes(t *testing.T) {
	t.Parallel()
	m := policyModel{
		Strategy: types.StringValue("canary"), Errors: types.ObjectValueMust(nil, nil),
		Step: types.ListNull(stepType), Latency: types.ObjectNull(latencyType.AttrTypes), WarmUp: types.ObjectNull(warmUpType.AttrTypes),
		Limits: types.ObjectNull(limitsType.AttrTypes), Traffic: types.ObjectNull(trafficType.AttrTypes),
	}
	p, _, known := m.policy()
	const want = `{"schema":1,"strategy":"canary","steps":[{"weight":1},{"weight":5},{"weight":10},{"weight":25},{"weight":50},{"weight":90}],` +
		`"skip_leading":true,"gates":{"errors":{}},"limits":{"step_minimum":"30s","step":"2h0m0s","total":"2h0m0s","bake":"3m0s","blind":"5m0s","abandoned_after":"10m0s"}}`
	if !known || p.JSON() != want {
		t.Errorf("known %v\n%s\nwant\n%s", known, p.JSON(), want)
	}
}
