package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
)

// ModifyPlan finds out what would run, from bytes on this machine. It asks no engine: a plan
// works offline, and before there is an engine.
func (r *endpointResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !req.State.Raw.IsNull() {
		guard(ctx, "endpoint", req, &resp.Diagnostics, path.Root("name"), path.Root("cluster"))
	}
	if req.Plan.Raw.IsNull() {
		r.planDelete(ctx, req, &resp.Diagnostics)
		return
	}
	if r.backend == nil {
		return
	}
	var plan, state endpointModel
	var rev endpoint.Revision
	if !undecided(req.Plan.Raw, req.Plan.Schema.GetBlocks()) {
		resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
		if resp.Diagnostics.HasError() {
			return
		}
		rev = r.resolve(ctx, plan, &resp.Diagnostics)
	}
	r.planRevision(ctx, rev, resp)
	plan.checkApprovals(&resp.Diagnostics)
	if req.State.Raw.IsNull() {
		return
	}
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	last := lastTrial(ctx, req, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.replaces(state) {
		last.warnDelete(state.Name.ValueString(), state.ID.ValueString(), &resp.Diagnostics)
		return // the new endpoint is planned by itself
	}
	r.planRejected(ctx, rev, plan, state, last, resp)
}

// replaces reports whether m is another endpoint than the one of the state.
func (m endpointModel) replaces(state endpointModel) bool {
	another := func(will, was types.String) bool { return !will.IsNull() && !will.IsUnknown() && !will.Equal(was) }
	return another(m.Name, state.Name) || another(m.Cluster, state.Cluster)
}

// planDelete warns of what the engine refuses to delete.
func (r *endpointResource) planDelete(ctx context.Context, req resource.ModifyPlanRequest, diags *diag.Diagnostics) {
	var state endpointModel
	diags.Append(req.State.Get(ctx, &state)...)
	lastTrial(ctx, req, diags).warnDelete(state.Name.ValueString(), state.ID.ValueString(), diags)
}

// planRejected plans what success leaves: the rejections of the state, where the new revision
// is none of them. It warns of what apply would refuse.
func (r *endpointResource) planRejected(ctx context.Context, rev endpoint.Revision, plan, state endpointModel, last *trial, resp *resource.ModifyPlanResponse) {
	var rejected []rejectedModel
	resp.Diagnostics.Append(state.Rejected.ElementsAs(ctx, &rejected, false)...)
	there := rev.Digest != "" && rev.Digest == state.Revision.ValueString()
	open := rev.Digest == ""
	for _, old := range rejected {
		switch {
		case old.Revision.ValueString() != rev.Digest:
		case last.of(rev.Digest):
			open = open || plan.run() != endpoint.Staged // driven to its end it is forgiven; staged, nothing is decided
		case there:
		case plan.retryUnknown() || old.Retry.ValueString() != plan.retry():
			open = true // it is tried again, and forgiven if that goes well
		default:
			warnRejected(plan, rev, old, &resp.Diagnostics)
		}
	}
	if there && last.against(rev.Digest) {
		// The stable model was configured again in mid-rollout. State and configuration agree,
		// and without a change Terraform would not call Update: the candidate would stay. That
		// the rollout's end may still add a rejection is a change, and true.
		open = true
	}
	last.warn(plan.Name.ValueString(), rev.Digest, plan.run(), &resp.Diagnostics)
	if open {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("rejected"), types.ListUnknown(rejectedType))...)
	}
}

func (r *endpointResource) planRevision(ctx context.Context, rev endpoint.Revision, resp *resource.ModifyPlanResponse) {
	model, revision := types.StringUnknown(), types.StringUnknown()
	if rev.Digest != "" {
		model, revision = types.StringValue(rev.Model), types.StringValue(rev.Digest)
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("model_digest"), model)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("revision"), revision)...)
}

// resolve returns the revision that plan asks for, zero while that cannot be told.
func (r *endpointResource) resolve(ctx context.Context, plan endpointModel, diags *diag.Diagnostics) endpoint.Revision {
	if !plan.captured() {
		return endpoint.Revision{}
	}
	s := plan.spec(r.root)
	rev, changed, err := r.look(ctx, s)
	if len(changed) > 0 && !r.wasRead(endpoint.ID(s.Cluster, s.Name)) {
		warnChanged(s, changed, diags)
	}
	switch {
	case errors.Is(err, registry.ErrNotExist):
		diags.AddAttributeWarning(r.blame(ctx, s), "Nothing there yet",
			sentence(err)+"\nThat is fine if something makes it in this apply: let the endpoint depend on that. "+
				"Until then the plan cannot say what will run. If nothing makes it, the apply fails here.")
	case err != nil:
		diags.AddAttributeError(r.blame(ctx, s), fmt.Sprintf("Cannot capture what endpoint %q runs", s.Name), sentence(err))
	}
	return rev
}

// blame finds the argument that cannot be captured, by capturing one after the other.
func (r *endpointResource) blame(ctx context.Context, s endpoint.Spec) path.Path {
	part := s
	part.Runtime.Command, part.Runtime.Files = []string{"looked-up-in-path"}, nil
	if _, _, err := r.look(ctx, part); err != nil {
		return modelPath
	}
	part.Runtime.Command = s.Runtime.Command
	if _, _, err := r.look(ctx, part); err != nil {
		return runtimePath.AtName("command")
	}
	return runtimePath.AtName("files")
}

// warnChanged tells what Terraform's own words hide. After the plan walk nothing reads an
// endpoint, so a file that changed since the last look changed after the plan was made. The
// plan of a new endpoint reads nothing either: the words must be true for both.
func warnChanged(s endpoint.Spec, changed []seen, diags *diag.Diagnostics) {
	var lines []string
	for _, c := range changed {
		now := "is gone or cannot be read now"
		if c.now != "" {
			now = "is " + short(c.now) + " now"
		}
		lines = append(lines, fmt.Sprintf("%s was %s when it was last planned, and %s.", c.path, short(c.was), now))
	}
	diags.AddAttributeWarning(modelPath, fmt.Sprintf("What endpoint %q runs changed after the last plan", s.Name),
		strings.Join(lines, "\n")+"\nIf this applies a plan that was made before, Terraform refuses it next: its error "+
			"\"Provider produced inconsistent final plan\" blames the provider, but the cause is this change. Make a new plan and apply that.")
}

// warnRejected says offline what apply would refuse.
func warnRejected(plan endpointModel, rev endpoint.Revision, old rejectedModel, diags *diag.Diagnostics) {
	diags.AddAttributeWarning(modelPath, fmt.Sprintf("Endpoint %q has rejected this model", plan.Name.ValueString()),
		fmt.Sprintf("The rollout of %s (%s) was rolled back %s on %s. %s\nApply will refuse it at once, and leave the traffic alone. %s",
			plan.Model.URI.ValueString(), short(rev.Model), by(old.Gate.ValueString()), old.At.ValueString(),
			old.Reason.ValueString(), nextAfterRejection))
}

const nextAfterRejection = "Configure the model that serves, or a better one. To try this one again all the same, set rollout.retry to another text."

// short is enough of a digest to tell it from others.
func short(digest string) string {
	const enough = len("sha256:") + 12
	if len(digest) <= enough {
		return digest
	}
	return digest[:enough]
}
