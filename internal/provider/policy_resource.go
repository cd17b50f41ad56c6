package provider

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A policyResource is a value: it lives in the state and nowhere else.
type policyResource struct{}

var (
	_ resource.ResourceWithModifyPlan     = &policyResource{}
	_ resource.ResourceWithValidateConfig = &policyResource{}
	_ resource.ResourceWithImportState    = &policyResource{}
	_ resource.ResourceWithIdentity       = &policyResource{}
)

func (r *policyResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_rollout_policy"
	// Another policy is another value: its JSON is all there is to know it by.
	resp.ResourceBehavior.MutableIdentity = true
}

func (r *policyResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"json": identityschema.StringAttribute{RequiredForImport: true, Description: "The policy as JSON."},
	}}
}

func (r *policyResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m policyModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	p, at, _ := m.policy()
	explainPolicy(p.Validate(), at, &resp.Diagnostics)
	m.checkTraffic(&resp.Diagnostics)
	if !m.WarmUp.IsNull() && !m.Latency.IsUnknown() && !m.Errors.IsUnknown() && !m.Preset.IsUnknown() && p.Gates.Latency == nil {
		resp.Diagnostics.AddAttributeError(path.Root("warm_up"), "Invalid rollout policy",
			"There is nothing to warm up for: only latency leaves a fresh revision's first answers out, and this policy does not ask for it. "+
				"Add latency {}, or leave warm_up out.")
	}
}

var field = regexp.MustCompile(`^(?:(limits|warm_up|latency)\.|step\[(\d+)\]\.)?(\w+): `)

// explainPolicy says what is wrong at the attribute where it is wrong. Step i was written as
// block at[i].
func explainPolicy(err error, at []int, diags *diag.Diagnostics) {
	if err == nil {
		return
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			explainPolicy(e, at, diags)
		}
		return
	}
	text := err.Error()
	parts := field.FindStringSubmatch(text)
	if parts == nil {
		diags.AddError("Invalid rollout policy", text)
		return
	}
	where := path.Root(parts[3])
	switch {
	case parts[1] != "":
		where = path.Root(parts[1]).AtName(parts[3])
	case parts[2] != "":
		i, _ := strconv.Atoi(parts[2])
		if i < len(at) {
			i = at[i]
		}
		where = path.Root("step").AtListIndex(i).AtName(parts[3])
	case parts[3] == "steps":
		where = path.Root("step")
	case parts[3] == "schema", parts[3] == "gates":
		where = path.Empty()
	}
	diags.AddAttributeError(where, "Invalid rollout policy", strings.TrimPrefix(text, parts[0]))
}

// ModifyPlan computes the policy, so that plans show what it changes elsewhere. It reads the configuration: what
// is computed depends on nothing else.
func (r *policyResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var config, m policyModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	p, _, known := config.policy()
	m.imply(config, p, known)
	for name, value := range map[string]attr.Value{"id": m.ID, "json": m.JSON, "longest": m.Longest, "expected": m.Expected, "limits": m.Limits} {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), value)...)
	}
	if known {
		config.warnOfTraffic(p, &resp.Diagnostics)
	}
}

func (r *policyResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.apply(ctx, req.Config, req.Plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *policyResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.apply(ctx, req.Config, req.Plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *policyResource) apply(ctx context.Context, config tfsdk.Config, plan tfsdk.Plan, state *tfsdk.State, id *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	var c, m policyModel
	diags.Append(config.Get(ctx, &c)...)
	diags.Append(plan.Get(ctx, &m)...)
	if diags.HasError() {
		return
	}
	p, at, _ := c.policy()
	if explainPolicy(p.Validate(), at, diags); diags.HasError() {
		return
	}
	m.imply(c, p, true)
	diags.Append(state.Set(ctx, m)...)
	diags.Append(id.Set(ctx, policyIdentity{m.JSON})...)
}

// Read has nowhere to look: the state is where the policy is. One that an older version wrote lacks the limits that it
// did not know.
func (r *policyResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m policyModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if p, _, known := m.policy(); known {
		m.fill(m, p)
		resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	}
	resp.Diagnostics.Append(resp.Identity.Set(ctx, policyIdentity{m.JSON})...)
}

// Delete has nothing to remove but the state.
func (r *policyResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

func (r *policyResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id := policyIdentity{types.StringValue(req.ID)}
	if req.ID == "" {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &id)...)
	}
	var m policyModel
	p, err := rollout.ParsePolicy([]byte(id.JSON.ValueString()))
	if err == nil {
		err = m.read(p)
	}
	if err != nil {
		resp.Diagnostics.AddError("Cannot import the rollout policy",
			sentence(err)+"\nA policy is imported by its JSON, such as the attribute json of another one.")
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, policyIdentity{m.JSON})...)
}
