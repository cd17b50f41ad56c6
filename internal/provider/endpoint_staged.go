package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// shown is what a state holds of an endpoint. Until a rollout is over that is the revision that serves. Of a staged
// one it is the candidate, from when that can serve: then all is done that Terraform was asked for.
func shown(st endpoint.Status, rec rollout.Record) endpoint.Status {
	c := st.Candidate
	if c == nil || st.Spec.Rollout.Run != endpoint.Staged || rec.Candidate != c.Revision.Digest ||
		rec.Ready.IsZero() || rec.Phase == rollout.RolledBack {
		return st
	}
	st.Spec.Model, st.Spec.Runtime, st.Stable = c.Model, c.Runtime, c.Revision
	return st
}

// stage waits until the candidate that Update began can serve. Whoever drives it meanwhile does no harm.
func (r *endpointResource) stage(ctx context.Context, id string, s endpoint.Spec) error {
	p := watch(ctx, s.Name)
	defer p.close()
	for {
		rec, v, err := r.endpoints.Load(ctx, id)
		if err != nil {
			return err
		}
		if rec.Candidate != s.Expected.Digest {
			return &notPromotedError{is: rec.Candidate, want: s.Expected.Digest}
		}
		p.show(rec)
		if rec.Phase == rollout.RolledBack {
			return &rollout.RolledBackError{Record: rec}
		}
		if !rec.Ready.IsZero() {
			return nil
		}
		if err := r.changed(ctx, id, v); err != nil {
			return err
		}
	}
}

// changed returns when the record may be another than v.
func (r *endpointResource) changed(ctx context.Context, id string, v rollout.Version) error {
	if w, ok := r.endpoints.(rollout.Watcher); ok {
		return w.Changed(ctx, id, v)
	}
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// explainStaging says where a candidate was left when the apply that staged it ended before it could serve.
func explainStaging(ctx context.Context, s endpoint.Spec, wait time.Duration, st endpoint.Status, rec rollout.Record, diags *diag.Diagnostics) {
	what := "was cancelled"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		what = fmt.Sprintf("was not over within %s (timeouts.update)", wait)
	}
	detail := "The candidate has none of it, and goes on starting. Apply again to wait for it. To give it up, configure the model that serves and apply that."
	if rec.Candidate != s.Expected.Digest || rec.Phase.Final() {
		detail = "No candidate was staged. Apply again."
	}
	diags.AddError(fmt.Sprintf("Staging the candidate of endpoint %q %s", s.Name, what),
		fmt.Sprintf("The traffic stays with %s. %s", serving(st), detail))
}

// warnDriverless tells that a rollout which apply has left to others is in its midst, and that nobody goes on with it.
func warnDriverless(s endpoint.Spec, rec rollout.Record, diags *diag.Diagnostics) {
	driven := rec.Runner != "" && time.Since(rec.Renewed) < rollout.Lease
	if rec.Phase.Final() || rec.Weight == 0 || driven {
		return
	}
	diags.AddAttributeWarning(path.Root("rollout").AtName("run"), fmt.Sprintf("Nobody drives the rollout of endpoint %q", s.Name),
		fmt.Sprintf("The candidate has %d%% of the traffic, and its last runner is gone. Go on with: tidegate promote %s\n"+
			"Otherwise the engine takes the candidate's traffic away %s after that runner.",
			rec.Weight, endpoint.ID(s.Cluster, s.Name), abandonedAfter(rec)))
}

// abandonedAfter is how long a rollout may be without a runner, in words.
func abandonedAfter(rec rollout.Record) string {
	p, err := rollout.ParsePolicy(rec.Policy)
	if err != nil {
		return "limits.abandoned_after"
	}
	return time.Duration(p.Limits.AbandonedAfter).String() + " (limits.abandoned_after)"
}

// checkApprovals refuses an apply that would have to wait for a person, and hold Terraform's lock all the while.
func (m endpointModel) checkApprovals(diags *diag.Diagnostics) {
	if m.Rollout == nil || m.Rollout.Policy.IsUnknown() || m.Rollout.Run.IsUnknown() || m.Rollout.Run.ValueString() == endpoint.Staged {
		return
	}
	p, err := rollout.ParsePolicy([]byte(m.Rollout.Policy.ValueString()))
	if err != nil || !p.Approvals() {
		return
	}
	diags.AddAttributeError(path.Root("rollout").AtName("run"), fmt.Sprintf("Endpoint %q cannot wait for an approval inline", m.Name.ValueString()),
		fmt.Sprintf("rollout.policy has a step with approval = true, and with rollout.run = %q it is apply that would wait for it, "+
			"while it holds the lock of the state. Set rollout.run = %q: then apply stages the candidate, \"tidegate promote\" drives it and "+
			"\"tidegate approve\" lets it go on. Or take approval = true out of the policy's steps.", endpoint.Inline, endpoint.Staged))
}
