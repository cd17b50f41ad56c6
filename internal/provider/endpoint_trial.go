package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A trial is what Read notes, in Terraform's private data, of the endpoint's last rollout. It is no attribute, because
// every step of it would show as drift.
type trial struct {
	Candidate string `json:"candidate"` // revision
	Stable    string `json:"stable"`    // likewise
	// Phase is the rollout's, or "staged" where nobody has driven it yet.
	Phase  string `json:"phase"`
	Weight int    `json:"weight"`
	Runner string `json:"runner,omitempty"`
	// Ended says why a rollout was rolled back that has not rejected its candidate; "" while it is not over.
	Ended string `json:"ended,omitempty"`
}

const trialKey = "rollout"

// lastTrial returns what the last Read noted, nil for nothing.
func lastTrial(ctx context.Context, req resource.ModifyPlanRequest, diags *diag.Diagnostics) *trial {
	b, more := req.Private.GetKey(ctx, trialKey)
	diags.Append(more...)
	var t trial
	if len(b) == 0 || json.Unmarshal(b, &t) != nil || t.Candidate == "" {
		return nil
	}
	return &t
}

// trialNote is what Read notes of r: nothing of a rollout whose end the state tells.
func trialNote(r rollout.Record) []byte {
	var t trial
	switch f := r.Failure; {
	case !r.Phase.Final():
		t = trial{Candidate: r.Candidate, Stable: r.Stable, Phase: string(r.Phase), Weight: r.Weight, Runner: r.Runner}
		if r.Staged && r.Epoch == 0 {
			t.Phase = "staged"
		}
	case f != nil && !f.Rejected && f.Kind != rollout.KindSuperseded:
		t = trial{Candidate: r.Candidate, Stable: r.Stable, Phase: string(r.Phase),
			Ended: fmt.Sprintf("%s on %s. %s", by(f.Kind), moment(f.At).ValueString(), f.Reason)}
	}
	b, err := json.Marshal(t)
	if err != nil {
		return []byte("{}") // cannot be: texts and a number
	}
	return b
}

// open reports whether the rollout is not over.
func (t *trial) open() bool { return t != nil && t.Ended == "" }

// of reports whether a revision is the one on trial.
func (t *trial) of(revision string) bool {
	return t.open() && revision != "" && t.Candidate == revision
}

// against reports whether a revision is the one that serves while another is on trial.
func (t *trial) against(revision string) bool {
	return t.open() && revision != "" && t.Stable == revision
}

// warn tells what applying revision means for the rollout, where the plan's changes do not say so.
func (t *trial) warn(name, revision, run string, diags *diag.Diagnostics) {
	if t == nil || revision == "" {
		return
	}
	where := fmt.Sprintf("Revision %s is %s, at %d%% of the traffic", short(t.Candidate), t.Phase, t.Weight)
	title := fmt.Sprintf("A rollout of endpoint %q is not over", name)
	switch {
	case !t.open() && t.Candidate == revision:
		diags.AddAttributeWarning(modelPath, fmt.Sprintf("The last rollout of endpoint %q was rolled back", name),
			fmt.Sprintf("Revision %s was rolled back %s\nIt is not rejected: applying %s it again.", short(revision), t.Ended, next(run)))
	case !t.open() || t.Candidate == revision:
	case t.Stable == revision:
		diags.AddAttributeWarning(modelPath, title, where+". The configuration asks for the model that serves, "+
			"so applying ends that rollout and takes the candidate's traffic away.")
	case t.Runner != "":
		diags.AddAttributeWarning(modelPath, title, fmt.Sprintf("%s, and is driven by %s. The configuration asks for another model: "+
			"apply refuses it while that runner drives, and else puts it in the place of this candidate.", where, t.Runner))
	default:
		diags.AddAttributeWarning(modelPath, title, where+". The configuration asks for another model: applying ends that rollout and "+
			next(run)+" the new candidate instead.")
	}
}

func next(run string) string {
	if run == endpoint.Staged {
		return "stages"
	}
	return "tries"
}

// warnDelete tells at plan what the engine refuses.
func (t *trial) warnDelete(name, id string, diags *diag.Diagnostics) {
	if !t.open() {
		return
	}
	diags.AddAttributeWarning(path.Root("name"), fmt.Sprintf("Endpoint %q is in mid-rollout", name),
		fmt.Sprintf("Revision %s is %s, at %d%% of the traffic. The endpoint is not deleted while that is not over. %s",
			short(t.Candidate), t.Phase, t.Weight, endFirst(id)))
}

// endFirst says how a rollout is brought to its end, for an endpoint that cannot be deleted before.
func endFirst(id string) string {
	return "Let it finish, or end it: \"tidegate cancel " + id + "\", or configure the model that serves and apply that. Then delete it."
}
