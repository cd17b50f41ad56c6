package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// States of a pull request.
const (
	openPull   = "open"
	mergedPull = "merged"
)

// read makes m say what n has seen. What means the same stays as it was written.
func (m *pipelineModel) read(ctx context.Context, n note, diags *diag.Diagnostics) {
	st := n.Status
	m.ID = types.StringValue(m.address(st.Place))
	if m.Workflow.IsNull() || m.Workflow.IsUnknown() || !workflow.Same(m.Workflow.ValueString(), st.Content) {
		m.Workflow = types.StringValue(st.Content)
	}
	if m.PinnedActions.IsNull() || m.PinnedActions.IsUnknown() {
		m.PinnedActions = pinsValue(pinsIn(st.Content)) // imported
	}
	m.Checks = checksOf(ctx, st.Content, diags)
	m.PullRequestURL, m.Merged = types.StringNull(), types.BoolNull()
	if p := st.Pull; p != nil {
		m.PullRequestURL, m.Merged = types.StringValue(p.URL), types.BoolValue(p.State == mergedPull)
	}
	m.Commit = text(st.Commit, types.StringNull())
	m.RequiredChecks = anyOrder(st.RequiredChecks, m.RequiredChecks)
	m.readEnvironments(n, diags)
	if m.Deploy == nil {
		m.Deploy = []deployModel{} // blocks are none, never null
	}
}

// checksOf are the checks of a workflow; null where it does not parse, which the plan says by itself.
func checksOf(ctx context.Context, yaml string, diags *diag.Diagnostics) types.List {
	checks, err := workflow.Checks(yaml)
	if err != nil {
		return types.ListNull(types.StringType)
	}
	l, more := types.ListValueFrom(ctx, types.StringType, slices.Clip(checks))
	diags.Append(more...)
	return l
}

// readEnvironments makes the blocks say what environments are. For one that is gone there is none, so that the plan adds it.
func (m *pipelineModel) readEnvironments(n note, diags *diag.Diagnostics) {
	blocks := []environmentModel{}
	seen := map[int]bool{}
	for _, was := range m.Environment {
		at := slices.IndexFunc(n.Status.Environments, func(e pipeline.EnvironmentStatus) bool {
			return strings.EqualFold(e.Name, was.Name.ValueString()) // GitHub does not tell the cases apart
		})
		if at < 0 || seen[at] {
			continue
		}
		seen[at] = true
		was.read(n.Status.Environments[at], n.Written, path.Root("environment").AtListIndex(len(blocks)), diags)
		blocks = append(blocks, was)
	}
	for at, st := range n.Status.Environments {
		if seen[at] {
			continue
		}
		imported := environmentModel{Name: types.StringValue(st.Name)}
		imported.read(st, nil, path.Empty(), diags)
		blocks = append(blocks, imported)
	}
	m.Environment = blocks
}

// read makes e say what st is. written are the times of our secrets when we had written them, by environment.
func (e *environmentModel) read(st pipeline.EnvironmentStatus, written map[string]map[string]time.Time, at path.Path, diags *diag.Diagnostics) {
	e.Reviewers = anyOrder(st.Reviewers, e.Reviewers)
	e.Branches = anyOrder(st.Branches, e.Branches)
	e.Variables = dictionary(st.Variables, e.Variables)
	if integer(e.WaitMinutes) != st.WaitMinutes {
		e.WaitMinutes = number(st.WaitMinutes)
	}
	if e.PreventSelfReview.ValueBool() != st.PreventSelfReview {
		e.PreventSelfReview = types.BoolValue(st.PreventSelfReview)
	}
	e.SecretsWO = types.MapNull(types.StringType)
	ours := texts(e.Secrets)
	if e.Secrets.IsNull() || e.Secrets.IsUnknown() { // imported: the version is not known, so the next apply writes them
		ours = slices.Sorted(maps.Keys(st.SecretsUpdated))
	}
	var there []string
	for _, name := range ours {
		now, ok := st.SecretsUpdated[name]
		was, known := written[st.Name][name]
		switch {
		case !ok:
			warnSecret(at, e.Name.ValueString(), name, "is not there any more", diags)
		case e.SecretsDrift.ValueString() == driftUpdated && known && now.After(was):
			warnSecret(at, e.Name.ValueString(), name, "was written by somebody else on "+now.UTC().Format(time.RFC3339), diags)
		default:
			there = append(there, name)
		}
	}
	e.Secrets = list(there, e.Secrets)
	if len(there) == 0 {
		e.Secrets = types.ListNull(types.StringType)
	}
}

func warnSecret(at path.Path, environment, name, what string, diags *diag.Diagnostics) {
	diags.AddAttributeWarning(at.AtName("secrets"), fmt.Sprintf("Secret %s of environment %q %s", name, environment, what),
		"The next apply writes it again, with the value that secrets_wo has then.")
}

// anyOrder is all as a value: as it was where it is the same in another order.
func anyOrder(all []string, was types.List) types.List {
	a, b := slices.Sorted(slices.Values(all)), slices.Sorted(slices.Values(texts(was)))
	if len(a) > 0 && wholly(was) && slices.Equal(a, b) {
		return was
	}
	return list(all, was)
}
