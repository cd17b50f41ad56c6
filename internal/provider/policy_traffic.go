package provider

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

var (
	trafficType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"requests_per_second": types.Float64Type, "error_rate": types.Float64Type, "clients": types.NumberType,
	}}
	expectedType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"decides": types.BoolType, "minutes_to_promote": types.Float64Type,
		"minutes_to_catch": types.Float64Type, "requests_to_catch": types.Int64Type,
	}}
)

func trafficBlock() schema.Block {
	return schema.SingleNestedBlock{
		MarkdownDescription: "The traffic that the policy is meant for. It is no part of the policy: from it the plan computes `expected`, " +
			"and warns where that traffic could not decide a rollout within the limits.",
		Attributes: map[string]schema.Attribute{
			"requests_per_second": schema.Float64Attribute{
				Optional:            true, // required where the block is there
				MarkdownDescription: "Requests a second that the endpoint gets. Required.",
			},
			"error_rate": schema.Float64Attribute{
				Optional:            true,
				MarkdownDescription: "Share of bad answers of the model that serves, such as `0.01`. Default 0: it never fails.",
			},
			"clients": schema.NumberAttribute{
				Optional: true, Validators: []validator.Number{whole{1, 1_000_000_000}},
				MarkdownDescription: "Distinct clients, where routing is sticky by a key. Default: requests are routed one by one.",
			},
		},
		Validators: []validator.Object{trafficRate{}},
	}
}

func expectedAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Computed: true,
		MarkdownDescription: "What rollouts by this policy can be expected to do with `traffic`: about as often better as worse. " +
			"Null without that block.",
		Attributes: map[string]schema.Attribute{
			"decides": schema.BoolAttribute{Computed: true,
				MarkdownDescription: "Whether the traffic decides within the limits: a good candidate is promoted, and one with twice the errors is caught."},
			"minutes_to_promote": schema.Float64Attribute{Computed: true,
				MarkdownDescription: "Minutes until a candidate as good as stable is promoted, without its start. Null where that is beyond the limits."},
			"minutes_to_catch": schema.Float64Attribute{Computed: true,
				MarkdownDescription: "Minutes until a candidate with twice stable's error rate is rolled back. Null where there are no errors to compare, or it is beyond the limits."},
			"requests_to_catch": schema.Int64Attribute{Computed: true,
				MarkdownDescription: "Requests that such a candidate is given until then. Null as above."},
		},
	}
}

// trafficRate wants the argument that no forecast can do without. Terraform itself would require it of a
// policy without the block, too.
type trafficRate struct{}

func (trafficRate) Description(context.Context) string         { return "with requests_per_second" }
func (trafficRate) MarkdownDescription(context.Context) string { return "with requests_per_second" }

func (trafficRate) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if rate, ok := member[types.Float64](req.ConfigValue, "requests_per_second"); ok && rate.IsNull() && !req.ConfigValue.IsNull() {
		resp.Diagnostics.AddAttributeError(req.Path.AtName("requests_per_second"), "Missing requests_per_second",
			"traffic says what a policy is meant for: want requests_per_second = 100, or no block.")
	}
}

// load returns the traffic that m says; ok where there is any. What is unknown is taken as something that is
// right, and known is false.
func (m policyModel) load() (l rollout.Load, known, ok bool) {
	if m.Traffic.IsNull() || m.Traffic.IsUnknown() {
		return rollout.Load{}, !m.Traffic.IsUnknown(), false
	}
	rate, _ := member[types.Float64](m.Traffic, "requests_per_second")
	share, _ := member[types.Float64](m.Traffic, "error_rate")
	clients, _ := member[types.Number](m.Traffic, "clients")
	known = !rate.IsUnknown() && !share.IsUnknown() && !clients.IsUnknown()
	l = rollout.Load{RequestsPerSecond: rate.ValueFloat64(), ErrorRate: share.ValueFloat64(), Clients: integer(clients)}
	if rate.IsUnknown() || rate.IsNull() {
		l.RequestsPerSecond = 1
	}
	return l, known, true
}

// expected is the forecast for p.
func (m policyModel) expected(p rollout.Policy, known bool) types.Object {
	if m.Traffic.IsNull() {
		return types.ObjectNull(expectedType.AttrTypes)
	}
	l, trafficKnown, ok := m.load()
	if !ok || !known || !trafficKnown {
		return types.ObjectUnknown(expectedType.AttrTypes)
	}
	f, err := rollout.Plan(p, l)
	if err != nil {
		return types.ObjectNull(expectedType.AttrTypes)
	}
	values := map[string]attr.Value{
		"decides":            types.BoolValue(f.Feasible),
		"minutes_to_promote": types.Float64Null(),
		"minutes_to_catch":   types.Float64Null(),
		"requests_to_catch":  types.Int64Null(),
	}
	if f.Minutes > 0 {
		values["minutes_to_promote"] = types.Float64Value(tenths(f.Minutes))
	}
	if f.Exposed > 0 {
		values["minutes_to_catch"] = types.Float64Value(tenths(f.CaughtMinutes))
		values["requests_to_catch"] = count(f.Exposed)
	}
	return types.ObjectValueMust(expectedType.AttrTypes, values)
}

func tenths(x float64) float64 { return math.Round(10*x) / 10 }

var trafficField = regexp.MustCompile(`^(\w+): `)

// checkTraffic says what no traffic can be.
func (m policyModel) checkTraffic(diags *diag.Diagnostics) {
	l, _, ok := m.load()
	if !ok {
		return
	}
	if _, err := rollout.Plan(rollout.DefaultPolicy(), l); err != nil {
		at := path.Root("traffic")
		text := err.Error()
		if parts := trafficField.FindStringSubmatch(text); parts != nil {
			at, text = at.AtName(parts[1]), strings.TrimPrefix(text, parts[0])
		}
		diags.AddAttributeError(at, "Invalid traffic", text)
	}
}

// warnOfTraffic says what p cannot decide with the traffic that it is meant for.
func (m policyModel) warnOfTraffic(p rollout.Policy, diags *diag.Diagnostics) {
	l, known, ok := m.load()
	if !ok || !known {
		return
	}
	f, err := rollout.Plan(p, l)
	if err != nil || len(f.Warnings) == 0 {
		return
	}
	var lines []string
	for _, w := range f.Warnings {
		lines = append(lines, sentence(errors.New(w)))
	}
	summary := "Little can be told by this policy's traffic"
	if !f.Feasible {
		summary = "This policy's traffic cannot decide a rollout within its limits"
	}
	diags.AddAttributeWarning(path.Root("traffic"), summary, strings.Join(lines, "\n"))
}
