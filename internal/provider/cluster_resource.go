package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

// clusterTimeout is enough to start a daemon on a busy machine, and to stop its model servers.
const clusterTimeout = 5 * time.Minute

type clusterResource struct{ *backend }

var (
	_ resource.ResourceWithConfigure   = &clusterResource{}
	_ resource.ResourceWithModifyPlan  = &clusterResource{}
	_ resource.ResourceWithImportState = &clusterResource{}
	_ resource.ResourceWithIdentity    = &clusterResource{}
)

func (r *clusterResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_cluster"
}

func (r *clusterResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend, _ = req.ProviderData.(*backend)
}

func (r *clusterResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	keep := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	resp.Schema = schema.Schema{
		MarkdownDescription: "A cluster is where endpoints run. A `local` one is this machine: applying it starts the embedded " +
			"engine, a daemon that outlives Terraform. If it was stopped, the next plan shows `running` as a change and apply starts it again.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Computed: true, PlanModifiers: keep,
				MarkdownDescription: "Address of the cluster, `local/NAME`.",
			},
			"name": schema.StringAttribute{
				Required:            true,
				Validators:          []validator.String{dnsLabel()},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
				MarkdownDescription: "Name of the cluster, a DNS label. Another name is another cluster.",
			},
			"deletion_protection": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Refuse to delete the cluster until this is `false` and applied. Default `false`.",
			},
			"url": schema.StringAttribute{
				Computed: true, PlanModifiers: keep,
				MarkdownDescription: "Address of the engine's page, which shows endpoints, weights and gates as they are now.",
			},
			"running": schema.BoolAttribute{
				Computed:            true,
				MarkdownDescription: "Whether the engine runs. Endpoints answer only while it does.",
			},
		},
		Blocks: map[string]schema.Block{
			"local": schema.SingleNestedBlock{
				Validators:          []validator.Object{required{"local {}, the embedded engine on this machine"}},
				MarkdownDescription: "The embedded engine on this machine, in the provider's `local.data_dir`. Required.",
			},
			"timeouts": timeoutsBlock(ctx,
				"How long to wait for the engine to start. Default `5m`.",
				"How long to wait for the engine to start again. Default `5m`.",
				"How long to wait for the engine to stop. Default `5m`."),
		},
	}
}

func (r *clusterResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"name": identityschema.StringAttribute{RequiredForImport: true, Description: "Name of the cluster."},
	}}
}

// ModifyPlan always plans a running engine, so that one that was stopped is a change.
func (r *clusterResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !req.State.Raw.IsNull() {
		guard(ctx, "cluster", req, &resp.Diagnostics, path.Root("name"))
	}
	if req.Plan.Raw.IsNull() {
		return
	}
	var name types.String
	var was types.Bool
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("running"), &was)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("running"), true)...)
	if !name.IsUnknown() {
		// The id is planned, so that endpoints can be checked before their cluster exists.
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("id"), clusterAddress(name.ValueString()))...)
	}
	if !was.ValueBool() {
		// A new daemon may have its page elsewhere.
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("url"), types.StringUnknown())...)
	}
}

func (r *clusterResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer failpoint.Hit("cluster.create.answer")
	r.apply(ctx, req.Plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *clusterResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	defer failpoint.Hit("cluster.update.answer")
	r.apply(ctx, req.Plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

// apply makes the planned cluster real and records what came of it.
func (r *clusterResource) apply(ctx context.Context, plan tfsdk.Plan, state *tfsdk.State, id *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	var m clusterModel
	diags.Append(plan.Get(ctx, &m)...)
	wait, more := m.Timeouts.Update(ctx, clusterTimeout)
	if state.Raw.IsNull() {
		wait, more = m.Timeouts.Create(ctx, clusterTimeout)
	}
	diags.Append(more...)
	if diags.HasError() || !r.ready(diags) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	st, err := r.clusters.Apply(ctx, m.spec())
	if err != nil {
		diags.AddError(fmt.Sprintf("Cannot apply cluster %q", m.Name.ValueString()), because(ctx, wait, err))
	}
	if st.Name == "" {
		return // nothing came into being
	}
	m.read(st)
	diags.Append(state.Set(ctx, m)...)
	diags.Append(id.Set(ctx, m.identity())...)
}

func (r *clusterResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer failpoint.Hit("cluster.read.answer")
	var m clusterModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, m.identity())...) // also of what is gone: the framework wants it
	if resp.Diagnostics.HasError() || !r.known() {
		return // what was known stays
	}
	st, err := r.clusters.Get(ctx, m.Name.ValueString())
	if errors.Is(err, cluster.ErrNotFound) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot read cluster %q", m.Name.ValueString()), err.Error())
		return
	}
	m.read(st)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *clusterResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer failpoint.Hit("cluster.delete.answer")
	var m clusterModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	wait, diags := m.Timeouts.Delete(ctx, clusterTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.ready(&resp.Diagnostics) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := r.clusters.Delete(ctx, m.Name.ValueString()); err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot delete cluster %q", m.Name.ValueString()), because(ctx, wait, err))
	}
}

func (r *clusterResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var id clusterIdentity
	if req.ID != "" {
		name, err := clusterName(req.ID)
		if err != nil {
			resp.Diagnostics.AddError("Cannot import the cluster", err.Error())
			return
		}
		id.Name = types.StringValue(name)
	} else {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &id)...)
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("name"), id.Name)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, id)...)
}
