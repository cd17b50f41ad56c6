package provider

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
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

func (r *policyResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	standard := rollout.DefaultPolicy()
	bounds := map[string]schema.Attribute{}
	for _, l := range limits {
		bounds[l.name] = durationAttribute(l.at(&standard.Limits).String(), l.description, l.least)
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "A rollout policy says by which steps, gates and limits a new model becomes the one that serves. " +
			"It is a value: it is kept in the state only, and endpoints take its `json`. " +
			"Changing it shows as a change of each endpoint that uses it and starts no rollout; a rollout keeps the policy it began with.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{Computed: true, MarkdownDescription: "Digest of `json`."},
			"strategy": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(rollout.Canary),
				MarkdownDescription: "How traffic moves. `canary`, the default: the candidate gets rising shares of real traffic.",
			},
			"json": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The whole policy as canonical JSON, for an endpoint's `rollout.policy`.",
			},
			"longest": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The most time that a rollout by this policy can take, such as `2h0m0s`.",
			},
		},
		Blocks: map[string]schema.Block{
			"step": schema.ListNestedBlock{
				MarkdownDescription: "A share of traffic on trial. Steps rise, and end below 100: all traffic is what follows the last one. " +
					"Default: 1, 5, 10, 25, 50 and 90 percent, without the leading ones that would see hardly a request.",
				NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
					"weight": schema.NumberAttribute{
						Required:            true,
						Validators:          []validator.Number{whole{1, 99}},
						MarkdownDescription: "The candidate's share of traffic in percent, 1 to 99.",
					},
				}},
			},
			"errors": schema.SingleNestedBlock{
				MarkdownDescription: "The gate that compares shares of bad answers: 5xx, no connection, no answer in time. " +
					"It is on where no gate is named.",
			},
			"limits": schema.SingleNestedBlock{
				MarkdownDescription: "Bounds of a rollout in time, as durations such as `90s` or `2h`.",
				Attributes:          bounds,
			},
		},
	}
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
}

var field = regexp.MustCompile(`^(?:(limits)\.|step\[(\d+)\]\.)?(\w+): `)

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
		where = path.Root("limits").AtName(parts[3])
	case parts[2] != "":
		i, _ := strconv.Atoi(parts[2])
		if i < len(at) {
			i = at[i]
		}
		where = path.Root("step").AtListIndex(i).AtName(parts[3])
	case parts[3] == "steps":
		where = path.Root("step")
	case parts[3] != "strategy":
		where = path.Empty()
	}
	diags.AddAttributeError(where, "Invalid rollout policy", strings.TrimPrefix(text, parts[0]))
}

// ModifyPlan computes the policy, so that plans show what it changes elsewhere.
func (r *policyResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var m policyModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	p, _, known := m.policy()
	m.ID, m.JSON, m.Longest = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	if known {
		m.imply(p)
	}
	for name, value := range map[string]types.String{"id": m.ID, "json": m.JSON, "longest": m.Longest} {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), value)...)
	}
}

func (r *policyResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.apply(ctx, req.Plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *policyResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.apply(ctx, req.Plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *policyResource) apply(ctx context.Context, plan tfsdk.Plan, state *tfsdk.State, id *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	var m policyModel
	diags.Append(plan.Get(ctx, &m)...)
	if diags.HasError() {
		return
	}
	p, at, _ := m.policy()
	if explainPolicy(p.Validate(), at, diags); diags.HasError() {
		return
	}
	m.imply(p)
	diags.Append(state.Set(ctx, m)...)
	diags.Append(id.Set(ctx, policyIdentity{m.JSON})...)
}

// Read has nowhere to look: the state is where the policy is.
func (r *policyResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m policyModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
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
