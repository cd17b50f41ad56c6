package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// slack is for what has no limit of its own: copying bytes, stopping model servers.
const slack = 5 * time.Minute

type endpointResource struct{ *backend }

var (
	_ resource.ResourceWithConfigure      = &endpointResource{}
	_ resource.ResourceWithModifyPlan     = &endpointResource{}
	_ resource.ResourceWithValidateConfig = &endpointResource{}
	_ resource.ResourceWithImportState    = &endpointResource{}
	_ resource.ResourceWithIdentity       = &endpointResource{}
)

func (r *endpointResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_model_endpoint"
}

func (r *endpointResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend, _ = req.ProviderData.(*backend)
}

// Create deploys straight to stable: there is nothing to compare with. One that fails leaves
// nothing behind and returns no state, because a state with an error would be tainted.
func (r *endpointResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer failpoint.Hit("endpoint.create.answer")
	var m, config endpointModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !r.ready(&resp.Diagnostics) {
		return
	}
	spec := m.spec(r.root)
	wait, diags := m.Timeouts.Create(ctx, spec.Runtime.StartTimeout+slack)
	resp.Diagnostics.Append(diags...)
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if spec.Expected, diags = r.expect(ctx, m, spec); diags.HasError() {
		resp.Diagnostics.Append(diags...)
		return
	}
	spec.Env.Secrets = config.secrets()
	st, err := r.endpoints.Create(ctx, spec, r.owner)
	if err != nil {
		explainCreate(ctx, spec, wait, err, &resp.Diagnostics)
		return
	}
	resp.Diagnostics.Append(m.read(ctx, st)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, m.identity())...)
}

// expect captures what is to run, and refuses other bytes than the plan showed.
func (r *endpointResource) expect(ctx context.Context, m endpointModel, s endpoint.Spec) (rev endpoint.Revision, diags diag.Diagnostics) {
	rev, _, err := r.look(ctx, s)
	if err != nil {
		diags.AddAttributeError(r.blame(ctx, s), fmt.Sprintf("Cannot capture what endpoint %q runs", s.Name), sentence(err))
		return rev, diags
	}
	if planned := m.Revision; !planned.IsUnknown() && planned.ValueString() != rev.Digest {
		explainChanged(s, fmt.Errorf("%w: revision %s was planned, and %s is there now", endpoint.ErrChanged,
			short(planned.ValueString()), short(rev.Digest)), &diags)
	}
	return rev, diags
}

// Update changes the endpoint, and drives the rollout that follows from it or leaves it staged. Whatever comes of
// it, the state is what is true.
func (r *endpointResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	defer failpoint.Hit("endpoint.update.answer")
	var m, was, config endpointModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &was)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !r.ready(&resp.Diagnostics) {
		return
	}
	spec := m.spec(r.root)
	wait, diags := m.Timeouts.Update(ctx, spec.Runtime.StartTimeout+longestRollout(spec)+slack)
	resp.Diagnostics.Append(diags...)
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if spec.Expected, diags = r.expect(ctx, m, spec); diags.HasError() {
		resp.Diagnostics.Append(diags...)
		return
	}
	if spec.Env.SecretsVersion != was.secretsVersion() {
		spec.Env.Secrets = config.secrets() // else they stay as they are
	}
	st, rec, err := r.change(ctx, spec)
	if err != nil {
		explainUpdate(ctx, spec, wait, st, rec, err, &resp.Diagnostics)
	}
	if st.Spec.Name == "" {
		return // the state stays as it was
	}
	rejected := m.Rejected
	resp.Diagnostics.Append(m.read(ctx, st)...)
	if err == nil && !rejected.IsUnknown() {
		m.Rejected = rejected // as planned; what changed meanwhile is the next Read's
	}
	if err == nil && spec.Rollout.Run == endpoint.Staged {
		warnDriverless(spec, rec, &resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, trialKey, trialNote(rec))...)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, m.identity())...)
}

func (m endpointModel) secretsVersion() string {
	if m.Runtime == nil {
		return ""
	}
	return m.Runtime.EnvWOVersion.ValueString()
}

// longestRollout is the most time that apply can take to drive a rollout of s.
func longestRollout(s endpoint.Spec) time.Duration {
	if s.Rollout.Run == endpoint.Staged {
		return 0 // others drive it
	}
	p, err := rollout.ParsePolicy([]byte(s.Rollout.Policy))
	if err != nil {
		return rollout.DefaultPolicy().Longest()
	}
	return p.Longest()
}

func (r *endpointResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer failpoint.Hit("endpoint.read.answer")
	var m endpointModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, m.identity())...) // also of what is gone: the framework wants it
	if resp.Diagnostics.HasError() || !r.known() {
		return // what was known stays
	}
	cluster, err := clusterName(m.Cluster.ValueString())
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("cluster"), "Cannot read the endpoint", err.Error())
		return
	}
	id := endpoint.ID(cluster, m.Name.ValueString())
	st, rec, err := r.view(ctx, id)
	if errors.Is(err, endpoint.ErrNotFound) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot read endpoint %q", m.Name.ValueString()), sentence(err))
		return
	}
	r.noteRead(id)
	resp.Diagnostics.Append(m.read(ctx, shown(st, rec))...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, trialKey, trialNote(rec))...)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *endpointResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer failpoint.Hit("endpoint.delete.answer")
	var m endpointModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	wait, diags := m.Timeouts.Delete(ctx, slack)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.ready(&resp.Diagnostics) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := r.endpoints.Delete(ctx, m.ID.ValueString()); err != nil {
		explainDelete(ctx, m, wait, err, &resp.Diagnostics)
	}
}

func (r *endpointResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var id endpointIdentity
	if req.ID != "" {
		cluster, name, err := endpointName(req.ID)
		if err != nil {
			resp.Diagnostics.AddError("Cannot import the endpoint", err.Error())
			return
		}
		id = endpointIdentity{types.StringValue(clusterAddress(cluster)), types.StringValue(name)}
	} else {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &id)...)
	}
	setAll(ctx, &resp.State, &resp.Diagnostics, map[string]types.String{"cluster": id.Cluster, "name": id.Name})
	resp.Diagnostics.Append(resp.Identity.Set(ctx, id)...)
}

func setAll(ctx context.Context, state *tfsdk.State, diags *diag.Diagnostics, values map[string]types.String) {
	for name, value := range values {
		diags.Append(state.SetAttribute(ctx, path.Root(name), value)...)
	}
}
