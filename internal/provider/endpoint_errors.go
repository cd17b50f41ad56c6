package provider

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// doing is how an engine's errors begin, which a summary has said already.
var doing = regexp.MustCompile(`^[a-z]+ (?:cluster|endpoint) \S+: `)

// sentence is err as a sentence of its own.
func sentence(err error) string {
	text := strings.TrimSpace(err.Error())
	text = strings.TrimPrefix(text, doing.FindString(text))
	if first, size := utf8.DecodeRuneInString(text); size > 0 && !strings.Contains(strings.SplitN(text, " ", 2)[0], "/") {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
		return text
	}
	return text + "."
}

func explainCreate(ctx context.Context, s endpoint.Spec, wait time.Duration, err error, diags *diag.Diagnostics) {
	id := endpoint.ID(s.Cluster, s.Name)
	switch {
	case errors.Is(err, endpoint.ErrExists):
		diags.AddAttributeError(path.Root("name"), fmt.Sprintf("Endpoint %q exists already", s.Name),
			sentence(err)+"\nChoose another name, or take it over: terraform import ADDRESS "+id)
	case explainCommon(s, err, diags):
	case ctx.Err() != nil:
		diags.AddError(fmt.Sprintf("Endpoint %q was not created", s.Name), because(ctx, wait, err)+"\nNothing of it is left.")
	default:
		diags.AddError(fmt.Sprintf("Cannot create endpoint %q", s.Name), sentence(err)+"\nNothing of it is left.")
	}
}

// explainCommon explains what creating and changing have in common, and reports whether it did.
func explainCommon(s endpoint.Spec, err error, diags *diag.Diagnostics) bool {
	switch {
	case errors.Is(err, endpoint.ErrChanged):
		explainChanged(s, err, diags)
	case errors.Is(err, cluster.ErrNotFound):
		diags.AddAttributeError(path.Root("cluster"), fmt.Sprintf("There is no cluster %q", s.Cluster),
			sentence(err)+"\nWrite cluster = tidegate_cluster.NAME.id, so that the cluster is made first.")
	default:
		return false
	}
	return true
}

func explainChanged(s endpoint.Spec, err error, diags *diag.Diagnostics) {
	diags.AddAttributeError(modelPath, fmt.Sprintf("What endpoint %q runs changed after the plan", s.Name),
		sentence(err)+"\nNothing was changed: only what was planned is applied. Make a new plan.")
}

func explainUpdate(ctx context.Context, s endpoint.Spec, wait time.Duration, st endpoint.Status, rec rollout.Record, err error, diags *diag.Diagnostics) {
	var rolledBack *rollout.RolledBackError
	var rejected *endpoint.RejectedError
	var held *rollout.HeldError
	var waiting *rollout.WaitingError
	switch {
	case errors.As(err, &rejected):
		explainRejected(s, rejected.Rejection, diags)
	case errors.As(err, &held):
		diags.AddError(fmt.Sprintf("The rollout of endpoint %q has another runner", s.Name),
			fmt.Sprintf("It is driven by %s, %s.\nLet that finish, or end it, then apply again: this apply would go on with it.",
				held.Runner, sinceWhen(held)))
	case errors.As(err, &waiting):
		explainWaiting(s, waiting.Record, diags)
	case errors.Is(err, rollout.ErrNotStored):
		diags.AddError(fmt.Sprintf("The rollout of endpoint %q ended, which could not be stored", s.Name), sentence(err)+
			"\nThen plan again: it shows the model that serves, and what became of this one.")
	case errors.Is(err, endpoint.ErrNotFound):
		diags.AddError(fmt.Sprintf("Endpoint %q is gone", s.Name), "Somebody removed it after the plan. Make a new plan: it will be created.")
	case errors.Is(err, endpoint.ErrBusy):
		diags.AddError(fmt.Sprintf("A rollout of endpoint %q is under way", s.Name),
			sentence(err)+"\nNothing was changed. Let it finish, or end it, then apply again: \"tidegate status "+endpoint.ID(s.Cluster, s.Name)+
				"\" shows where it is, \"tidegate cancel "+endpoint.ID(s.Cluster, s.Name)+"\" ends it.")
	case explainCommon(s, err, diags):
	case errors.As(err, &rolledBack) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		explainRolledBack(s, st, rolledBack.Record, diags)
	case ctx.Err() != nil && s.Rollout.Run == endpoint.Staged:
		explainStaging(ctx, s, wait, st, rec, diags)
	case ctx.Err() != nil:
		explainInterrupted(ctx, s, wait, st, rec, diags)
	default:
		diags.AddError(fmt.Sprintf("Cannot update endpoint %q", s.Name), sentence(err))
	}
}

func explainRejected(s endpoint.Spec, r endpoint.Rejection, diags *diag.Diagnostics) {
	diags.AddAttributeError(modelPath, fmt.Sprintf("Endpoint %q has rejected this model", s.Name),
		fmt.Sprintf("The rollout of %s (%s) was rolled back %s on %s. %s\nNo traffic was moved. %s", s.Model.URI, short(r.Model),
			by(r.Gate), r.At.UTC().Format(time.RFC3339), r.Reason, nextAfterRejection))
}

func sinceWhen(e *rollout.HeldError) string {
	wrote := "which last wrote at " + e.Since.Format(time.TimeOnly)
	if e.Took.IsZero() {
		return wrote
	}
	return "since " + e.Took.Format(time.DateTime) + ", " + wrote
}

// explainWaiting is about a rollout that was staged with another policy than apply would begin one with.
func explainWaiting(s endpoint.Spec, rec rollout.Record, diags *diag.Diagnostics) {
	id := endpoint.ID(s.Cluster, s.Name)
	diags.AddError(fmt.Sprintf("The rollout of endpoint %q waits for an approval", s.Name),
		fmt.Sprintf("It keeps the policy that it began with, and that wants a person's word before more than %d%% of the traffic. "+
			"The candidate keeps its weight.\nRun \"tidegate approve %s\", then apply again to go on. Otherwise the engine takes the "+
			"candidate's traffic away %s after its last runner.", rec.Weight, id, abandonedAfter(rec)))
}

// explainInterrupted says where a rollout was left when its apply ended before it.
func explainInterrupted(ctx context.Context, s endpoint.Spec, wait time.Duration, st endpoint.Status, rec rollout.Record, diags *diag.Diagnostics) {
	what := "was cancelled"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		what = fmt.Sprintf("was not over within %s (timeouts.update)", wait)
	}
	detail := fmt.Sprintf("All traffic is on %s. The candidate is not rejected: apply again to try it again.", serving(st))
	if !rec.Phase.Final() {
		detail = fmt.Sprintf("The candidate keeps %d%% of the traffic, the rest is on %s. Apply again to go on. "+
			"Otherwise the engine takes the candidate's traffic away once the policy's limits.abandoned_after is over.", rec.Weight, serving(st))
	}
	diags.AddError(fmt.Sprintf("The rollout of endpoint %q %s", s.Name, what), detail)
}

// serving names the model that serves.
func serving(st endpoint.Status) string {
	if st.Spec.Name == "" {
		return "the model that served before"
	}
	return fmt.Sprintf("the model that served before, %s (%s)", st.Spec.Model.URI, short(st.Stable.Model))
}

// explainRolledBack names the gate.
func explainRolledBack(s endpoint.Spec, st endpoint.Status, rec rollout.Record, diags *diag.Diagnostics) {
	var f rollout.Failure
	if rec.Failure != nil {
		f = *rec.Failure
	}
	lines := []string{f.Reason, exposure(s, rec), "All traffic is on " + serving(st) + "."}
	if f.Rejected {
		lines = append(lines, "This model is rejected now: apply refuses it at once. "+nextAfterRejection)
	} else {
		lines = append(lines, "The candidate is not rejected: apply again to try it again.")
	}
	who := f.Kind
	if f.Kind == rollout.KindGate {
		who = f.Gate
	}
	diags.AddAttributeError(modelPath, fmt.Sprintf("Rollout of endpoint %q was rolled back %s", s.Name, by(who)), strings.Join(lines, "\n"))
}

// by says who rolled back: a gate by its name, else a kind of failure.
func by(who string) string {
	switch who {
	case rollout.KindCandidate:
		return "because the candidate could not serve"
	case rollout.KindInconclusive:
		return "as inconclusive"
	case rollout.KindBlind:
		return "because too little was seen of it"
	case rollout.KindOperator:
		return "by a person"
	case rollout.KindUnapproved:
		return "because nobody approved it"
	case rollout.KindSplit:
		return "because it was given more traffic than was approved"
	case rollout.KindCancelled:
		return "because it was cancelled"
	case rollout.KindAbandoned:
		return "because nobody drove it"
	case rollout.KindSuperseded:
		return "because something else was asked for"
	}
	return fmt.Sprintf("by gate %q", who)
}

// exposure says what users saw of the candidate.
func exposure(s endpoint.Spec, rec rollout.Record) string {
	began, most := time.Time{}, 0
	for _, e := range rec.History {
		if e.Weight > 0 && began.IsZero() {
			began = e.At
		}
		most = max(most, e.Weight)
	}
	if began.IsZero() || rec.Failure == nil {
		return fmt.Sprintf("No request reached the candidate, %s.", s.Model.URI)
	}
	return fmt.Sprintf("The candidate, %s, was given %d requests in %s, at most %d%% of the traffic.", s.Model.URI,
		rec.Evidence.Seen.Candidate.Requests, rec.Failure.At.Sub(began).Round(time.Second), most)
}

func explainDelete(ctx context.Context, m endpointModel, wait time.Duration, err error, diags *diag.Diagnostics) {
	name := m.Name.ValueString()
	switch {
	case errors.Is(err, endpoint.ErrProtected):
		diags.AddAttributeError(path.Root("deletion_protection"), fmt.Sprintf("Deletion protection of endpoint %q is on", name),
			"Set deletion_protection = false, apply that, then delete it.")
	case errors.Is(err, endpoint.ErrBusy):
		diags.AddError(fmt.Sprintf("Endpoint %q is in mid-rollout", name),
			sentence(err)+"\n"+endFirst(m.ID.ValueString()))
	default:
		diags.AddError(fmt.Sprintf("Cannot delete endpoint %q", name), because(ctx, wait, err))
	}
}
