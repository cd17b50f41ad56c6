package provider

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// What may be unknown while a workflow is rendered, checked, or its place is asked. None of it is in the file.
var (
	unknownAtRender = []string{"repository", "directory", "delivery", "timeouts", "required_checks", "environment", "adopt", "pins_version"}
	unknownAtCheck  = []string{"timeouts", "variables", "secrets_wo", "secrets_wo_version", "pins_version"}
	unknownAtRead   = append([]string{"repository", "directory"}, unknownAtCheck...)
)

// ValidateConfig checks what needs nothing but the configuration. What is unknown is not complained about.
func (r *pipelineResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	if !blocksKnown(req.Config.Raw) {
		return
	}
	var m pipelineModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	m.validate(&resp.Diagnostics)
	if resp.Diagnostics.HasError() || !knownBut(req.Config.Raw, unknownAtRead...) {
		return
	}
	// Neither the root module's folder nor the provider's owner is known here.
	at := pipeline.Place{Repository: m.Repository.ValueString(), Path: m.Path.ValueString()}
	if at.Repository != "" && !strings.Contains(at.Repository, "/") {
		at.Repository = "owner/" + at.Repository
	}
	if dir := m.Directory.ValueString(); dir != "" {
		at.Directory = filepath.Join("/", dir)
	}
	problems := workflow.Validate(m.spec(at))
	explainProblems(slices.DeleteFunc(problems, m.saidOtherwise), &resp.Diagnostics)
}

// saidOtherwise reports whether a problem is about a place that is not known yet, or about a choice that the schema knows better.
func (m pipelineModel) saidOtherwise(p pipeline.Problem) bool {
	switch at := attributePath(p.Path); {
	case at.Equal(path.Root("repository")), at.Equal(path.Root("directory")):
		return m.Repository.IsUnknown() || m.Directory.IsUnknown() || m.Repository.IsNull() == m.Directory.IsNull()
	case at.Equal(path.Root("package").AtName("sbom")), at.Equal(path.Root("package").AtName("sign")), at.Equal(path.Root("scan").AtName("fail_on")):
		return true
	}
	return false
}

func (m pipelineModel) validate(diags *diag.Diagnostics) {
	switch {
	case m.Repository.IsNull() && m.Directory.IsNull():
		diags.AddAttributeError(path.Root("repository"), "Missing repository",
			`Want repository = "OWNER/NAME" on GitHub, or directory = "FOLDER", a checkout of one: exactly one of them.`)
	case !m.Repository.IsNull() && !m.Directory.IsNull() && !m.Repository.IsUnknown() && !m.Directory.IsUnknown():
		diags.AddAttributeError(path.Root("directory"), "Both repository and directory",
			"The file can be in the repository "+m.Repository.String()+" or in the folder "+m.Directory.String()+": remove one of them.")
	}
	for i, e := range m.Environment {
		at := path.Root("environment").AtListIndex(i)
		if !e.SecretsWO.IsNull() && e.SecretsWOVersion.IsNull() {
			diags.AddAttributeError(at.AtName("secrets_wo_version"), "Missing secrets_wo_version",
				"secrets_wo is kept nowhere, so a change of it does not show. Add secrets_wo_version = \"1\", and change it whenever secrets_wo changes.")
		}
		if e.SecretsWO.IsNull() && !e.SecretsWOVersion.IsNull() && !e.SecretsWOVersion.IsUnknown() {
			diags.AddAttributeError(at.AtName("secrets_wo_version"), "secrets_wo_version without secrets_wo",
				"There is nothing that it is the version of. Leave it out, or add secrets_wo.")
		}
	}
}

// A draft is a plan in the making.
type draft struct {
	*pipelineResource
	config, plan pipelineModel
	was          *pipelineModel // nil for a new pipeline
	seen         note           // of was
	leaving      note           // of the pipeline that this one replaces
	req          resource.ModifyPlanRequest
	resp         *resource.ModifyPlanResponse
}

// ModifyPlan computes the workflow, so that the plan shows it, and asks the place what an apply would stumble over.
func (r *pipelineResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.backend == nil || !blocksKnown(req.Config.Raw) {
		return // what is computed is unknown by itself where blocks are
	}
	d := draft{pipelineResource: r, req: req, resp: resp}
	resp.Diagnostics.Append(req.Config.Get(ctx, &d.config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &d.plan)...)
	if !req.State.Raw.IsNull() {
		var was pipelineModel
		resp.Diagnostics.Append(req.State.Get(ctx, &was)...)
		d.leaving = noteOf(ctx, req.Private, &resp.Diagnostics)
		if !d.plan.replaces(was) {
			d.was, d.seen, d.leaving = &was, d.leaving, note{}
		}
	}
	if resp.Diagnostics.HasError() {
		return
	}
	at, err := r.place(d.config)
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("repository"), "Which repository is not clear", sentence(err))
		return
	}
	d.planPlace(ctx, at)
	d.planBranch()
	d.planSecrets(ctx)
	spec := d.config.spec(at)
	if d.planWorkflow(ctx, spec); resp.Diagnostics.HasError() {
		return
	}
	if knownBut(req.Config.Raw, unknownAtCheck...) {
		known := d.seen.Status
		if d.was == nil {
			known = d.leaving.Status
		}
		r.ask(ctx, spec, known, &resp.Diagnostics)
	}
	d.informOfImport(ctx)
}

// informOfImport says what the first plan after an import is: an update that Terraform shows, since an import finds no arguments.
func (d *draft) informOfImport(ctx context.Context) {
	var text types.String
	d.resp.Diagnostics.Append(d.resp.Plan.GetAttribute(ctx, path.Root("workflow"), &text)...)
	if !d.imported() || !text.Equal(d.was.Workflow) {
		return
	}
	more := ""
	if slices.ContainsFunc(d.config.Environment, func(e environmentModel) bool { return !e.SecretsWO.IsNull() }) {
		more = " Secrets are written once, since nobody can tell whether those that are there have the values of secrets_wo."
	}
	d.resp.Diagnostics.AddWarning("The workflow was imported, and is what the configuration says",
		"The update takes the arguments into the state, which an import cannot find in the file. The file is not written."+more)
}

// replaces reports whether m is another pipeline than the one of the state.
func (m pipelineModel) replaces(state pipelineModel) bool {
	return !m.Repository.Equal(state.Repository) || !m.Directory.Equal(state.Directory) || !m.Path.Equal(state.Path)
}

func (d *draft) set(ctx context.Context, at path.Path, v attr.Value) {
	d.resp.Diagnostics.Append(d.resp.Plan.SetAttribute(ctx, at, v)...)
}

func (d *draft) planPlace(ctx context.Context, at pipeline.Place) {
	if d.config.Repository.IsUnknown() || d.config.Directory.IsUnknown() || d.config.Path.IsUnknown() {
		return
	}
	d.set(ctx, path.Root("id"), types.StringValue(d.config.address(at)))
}

// planBranch makes another pipeline of one that is to be on another branch than it is on.
func (d *draft) planBranch() {
	is, want := d.seen.Status.Branch, d.config.delivery().Branch
	if d.was == nil || is == "" || want == "" || want == is {
		return
	}
	d.resp.RequiresReplace = append(d.resp.RequiresReplace, path.Root("delivery").AtName("branch"))
	d.was, d.seen = nil, note{}
}

// planSecrets plans the names of secrets, which a missing one then differs from.
func (d *draft) planSecrets(ctx context.Context) {
	for i, e := range d.config.Environment {
		names := types.ListNull(types.StringType)
		switch {
		case e.SecretsWO.IsUnknown():
			names = types.ListUnknown(types.StringType)
		case len(e.SecretsWO.Elements()) > 0:
			names = list(e.names(), names)
		}
		d.set(ctx, path.Root("environment").AtListIndex(i).AtName("secrets"), names)
	}
}

// planWorkflow plans what is in the file, and what follows from it.
func (d *draft) planWorkflow(ctx context.Context, spec pipeline.Spec) {
	text, pins, checks := types.StringUnknown(), types.MapUnknown(types.StringType), types.ListUnknown(types.StringType)
	if knownBut(d.req.Config.Raw, unknownAtRender...) {
		yaml, used, ok := d.render(ctx, spec)
		if !ok {
			return
		}
		if d.was != nil && workflow.Same(d.was.Workflow.ValueString(), yaml) {
			yaml = d.was.Workflow.ValueString() // another wording is no change
		}
		text, pins = types.StringValue(yaml), pinsValue(used)
		checks = checksOf(ctx, yaml, &d.resp.Diagnostics)
	}
	d.set(ctx, path.Root("workflow"), text)
	d.set(ctx, path.Root("pinned_actions"), pins)
	d.set(ctx, path.Root("checks"), checks)

	url, merged, commit := types.StringUnknown(), types.BoolUnknown(), types.StringUnknown()
	switch {
	case !d.config.Directory.IsNull():
		url, merged, commit = types.StringNull(), types.BoolNull(), types.StringNull()
	case d.was != nil && text.Equal(d.was.Workflow) && (d.imported() || d.config.delivery() == d.was.delivery()):
		url, merged, commit = d.was.PullRequestURL, d.was.Merged, d.was.Commit
	}
	d.set(ctx, path.Root("pull_request_url"), url)
	d.set(ctx, path.Root("merged"), merged)
	d.set(ctx, path.Root("commit"), commit)
}

// render returns the workflow and its pins, and false after it has said what is wrong.
func (d *draft) render(ctx context.Context, spec pipeline.Spec) (string, workflow.Pins, bool) {
	diags := &d.resp.Diagnostics
	p := pinner{hub: d.github, own: d.commit, away: d.away()}
	if d.was != nil {
		p.old = pinsOf(d.was.PinnedActions)
		p.moved = !d.config.PinsVersion.Equal(d.was.PinsVersion) && !d.imported()
	}
	pins := p.pins(ctx, spec, diags)
	if diags.HasError() {
		return "", nil, false
	}
	at := path.Root("workflow")
	if spec.YAML != "" {
		at = path.Root("workflow_yaml")
	}
	yaml, err := workflow.Render(spec, pins)
	if err != nil {
		diags.AddAttributeError(at, "The workflow cannot be made", sentence(err))
		return "", nil, false
	}
	findings, err := workflow.Lint(spec.Path, yaml)
	if err != nil {
		diags.AddAttributeError(at, "The workflow cannot be checked", sentence(err))
	}
	explainFindings(spec, yaml, findings, at, diags)
	if !diags.HasError() {
		adviseOn(spec, yaml, at, diags)
	}
	return yaml, pins, !diags.HasError()
}

// imported reports whether the state is an import's: then it has no arguments to compare with.
func (d *draft) imported() bool { return d.was != nil && d.seen.Imported }

// ask has the place looked at. A place that cannot be reached is a warning, once for all pipelines: plans work offline.
func (r *pipelineResource) ask(ctx context.Context, s pipeline.Spec, known pipeline.Status, diags *diag.Diagnostics) {
	e, err := r.pipelines(s.Place)
	if errors.Is(err, errUnknown) || s.Repository != "" && r.away() != nil {
		return
	}
	var problems []pipeline.Problem
	if err == nil {
		problems, err = e.Check(ctx, s, known)
	}
	explainProblems(problems, diags)
	if err != nil {
		r.warnUnreachable(s.Place, err, diags)
	}
}
