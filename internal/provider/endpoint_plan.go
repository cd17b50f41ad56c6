package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// ModifyPlan finds out what would run, from bytes on this machine. It asks no engine: a plan
// works offline, and before there is an engine.
func (r *endpointResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !req.State.Raw.IsNull() {
		guard(ctx, "endpoint", req, &resp.Diagnostics, path.Root("name"), path.Root("cluster"))
	}
	if req.Plan.Raw.IsNull() || r.backend == nil {
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
	if req.State.Raw.IsNull() {
		return
	}
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	staged := unfinished(ctx, req, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	r.planRejected(ctx, rev, plan, state, staged, resp)
}

// planRejected plans what success leaves: the rejections of the state, where the new revision
// is none of them. It warns of what apply would refuse.
func (r *endpointResource) planRejected(ctx context.Context, rev endpoint.Revision, plan, state endpointModel, staged *stagedRollout, resp *resource.ModifyPlanResponse) {
	var rejected []rejectedModel
	resp.Diagnostics.Append(state.Rejected.ElementsAs(ctx, &rejected, false)...)
	serves := rev.Digest != "" && rev.Digest == state.Revision.ValueString()
	open := rev.Digest == ""
	for _, old := range rejected {
		if serves || old.Revision.ValueString() != rev.Digest {
			continue
		}
		if plan.retryUnknown() || old.Retry.ValueString() != plan.retry() {
			open = true // it is tried again, and forgiven if that goes well
			continue
		}
		warnRejected(plan, rev, old, &resp.Diagnostics)
	}
	if serves && staged != nil {
		// The stable model was configured again in mid-rollout. State and configuration agree,
		// and without a change Terraform would not call Update: the candidate would stay. That
		// the rollout's end may still add a rejection is a change, and true.
		open = true
		staged.warn(state, &resp.Diagnostics)
	}
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
			sentence(errors.New(old.Reason.ValueString())), nextAfterRejection))
}

const nextAfterRejection = "Configure the model that serves, or a better one. To try this one again all the same, set rollout.retry to another text."

// A stagedRollout is what Read notes, in Terraform's private data, of a rollout that is not over.
// It is no attribute, because every step of it would show as drift.
type stagedRollout struct {
	Candidate string `json:"candidate"` // revision
	Phase     string `json:"phase"`
	Weight    int    `json:"weight"`
}

const stagedKey = "staged"

// unfinished returns what the last Read noted, nil for nothing.
func unfinished(ctx context.Context, req resource.ModifyPlanRequest, diags *diag.Diagnostics) *stagedRollout {
	b, more := req.Private.GetKey(ctx, stagedKey)
	diags.Append(more...)
	var s stagedRollout
	if len(b) == 0 || json.Unmarshal(b, &s) != nil || s.Candidate == "" {
		return nil
	}
	return &s
}

// stagedNote is what Read notes of r.
func stagedNote(r rollout.Record) []byte {
	var s stagedRollout
	if !r.Phase.Final() {
		s = stagedRollout{Candidate: r.Candidate, Phase: string(r.Phase), Weight: r.Weight}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return []byte("{}") // cannot be: texts and a number
	}
	return b
}

func (s stagedRollout) warn(state endpointModel, diags *diag.Diagnostics) {
	diags.AddAttributeWarning(modelPath, fmt.Sprintf("A rollout of endpoint %q is not over", state.Name.ValueString()),
		fmt.Sprintf("Revision %s is %s at %d%% of the traffic. The configuration asks for the model that serves, "+
			"so applying ends that rollout and takes the candidate's traffic away.", short(s.Candidate), s.Phase, s.Weight))
}

// short is enough of a digest to tell it from others.
func short(digest string) string {
	const enough = len("sha256:") + 12
	if len(digest) <= enough {
		return digest
	}
	return digest[:enough]
}
