package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// pipelineTimeout is enough for a wait on GitHub's secondary rate limit.
const pipelineTimeout = 10 * time.Minute

// A pipelineResource is a workflow in a repository, with its environments and rules.
type pipelineResource struct{ *backend }

var (
	_ resource.ResourceWithConfigure      = &pipelineResource{}
	_ resource.ResourceWithModifyPlan     = &pipelineResource{}
	_ resource.ResourceWithValidateConfig = &pipelineResource{}
	_ resource.ResourceWithImportState    = &pipelineResource{}
	_ resource.ResourceWithIdentity       = &pipelineResource{}
)

func (r *pipelineResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_pipeline"
}

func (r *pipelineResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.backend, _ = req.ProviderData.(*backend)
}

// open returns the engine of m's place, and explains it if there is none.
func (r *pipelineResource) open(m pipelineModel, diags *diag.Diagnostics) (pipeline.Engine, pipeline.Place) {
	at, err := r.place(m)
	if err == nil {
		var e pipeline.Engine
		if e, err = r.pipelines(at); err == nil {
			return e, at
		}
	}
	diags.AddError("Cannot reach "+where(at), sentence(err))
	return nil, at
}

// Create makes the pipeline. One that fails returns no state, because a state with an error would be tainted, and then
// environments be deleted with all that they hold: what is there carries the pipeline's mark, and the next create goes on with it.
func (r *pipelineResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	defer failpoint.Hit("pipeline.create.answer")
	var m, config pipelineModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	wait, diags := m.Timeouts.Create(ctx, pipelineTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	e, at := r.open(m, &resp.Diagnostics)
	if e == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	c := pipeline.Change{Spec: m.spec(at), Content: m.Workflow.ValueString()}
	m.writeSecrets(&c, config, nil)
	st, err := e.Get(ctx, pipeline.Status{Place: at, Branch: c.Delivery.Branch})
	if err != nil && !errors.Is(err, pipeline.ErrNotFound) {
		explainPipeline(ctx, at, wait, err, &resp.Diagnostics)
		return
	}
	c.Base = st.Content
	st, err = e.Apply(ctx, c)
	if err != nil {
		explainPipeline(ctx, at, wait, err, &resp.Diagnostics)
		explainLeft(st, &resp.Diagnostics)
		return
	}
	var n note
	n.wrote(st)
	m.done(st)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, pipelineNote, n.json())...)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, m.identity())...)
	informOfPull(st, &resp.Diagnostics)
}

// Update changes the pipeline. Whatever comes of it, the state is what is true.
func (r *pipelineResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	defer failpoint.Hit("pipeline.update.answer")
	var m, was, config pipelineModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &was)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	wait, diags := m.Timeouts.Update(ctx, pipelineTimeout)
	resp.Diagnostics.Append(diags...)
	n := noteOf(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	e, at := r.open(m, &resp.Diagnostics)
	if e == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	c := pipeline.Change{Spec: m.spec(at), Content: m.Workflow.ValueString(), Base: n.Status.Content, Before: n.Status}
	if workflow.Same(c.Content, c.Base) {
		c.Content = c.Base // comments and format are people's
	}
	m.writeSecrets(&c, config, &was)
	st, err := e.Apply(ctx, c)
	if err != nil {
		explainPipeline(ctx, at, wait, err, &resp.Diagnostics)
		if st.Path == "" {
			return // the state stays as it was
		}
		n.Status, n.Imported = st, false
		m = m.after(was, c.Content, st)
		m.read(ctx, n, &diag.Diagnostics{}) // what is missing is said by the error
	} else {
		n.wrote(st)
		m.done(st)
		informOfPull(st, &resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, pipelineNote, n.json())...)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, m.identity())...)
}

func (r *pipelineResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	defer failpoint.Hit("pipeline.read.answer")
	var m pipelineModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, m.identity())...) // also of what is gone: the framework wants it
	n := noteOf(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || r.backend == nil {
		return
	}
	at, err := r.place(m)
	var e pipeline.Engine
	if err == nil {
		e, err = r.pipelines(at)
	}
	if errors.Is(err, errUnknown) || at.Repository != "" && !m.Workflow.IsNull() && r.away() != nil {
		return // what was known stays
	}
	if n.Status.Path == "" {
		n = note{Status: pipeline.Status{Branch: n.Status.Branch}, Imported: m.Workflow.IsNull()}
	}
	n.Status.Place = at
	var st pipeline.Status
	if err == nil {
		st, err = e.Get(ctx, n.Status)
	}
	switch {
	case errors.Is(err, pipeline.ErrNotFound):
		resp.State.RemoveResource(ctx)
		return
	case err != nil && !m.Workflow.IsNull() && (unreachable(err) || errors.Is(err, github.ErrNoToken)):
		r.warnUnreachable(at, err, &resp.Diagnostics)
		return // what was known stays
	case err != nil:
		resp.Diagnostics.AddError("Cannot read the pipeline "+m.address(at), sentence(err))
		return
	}
	n.Status = st
	warnDrifted(m.Workflow, st, &resp.Diagnostics)
	m.read(ctx, n, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, pipelineNote, n.json())...)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *pipelineResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	defer failpoint.Hit("pipeline.delete.answer")
	var m pipelineModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	n := noteOf(ctx, req.Private, &resp.Diagnostics)
	wait, diags := m.Timeouts.Delete(ctx, pipelineTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	e, at := r.open(m, &resp.Diagnostics)
	if e == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	pull, err := e.Delete(ctx, n.Status, m.delivery())
	if err != nil {
		explainPipeline(ctx, at, wait, err, &resp.Diagnostics)
		return
	}
	if pull != nil && pull.State == openPull {
		resp.Diagnostics.AddWarning("The removal of "+where(at)+" waits in a pull request", fmt.Sprintf(
			"The workflow runs until %s is merged. Terraform does not wait for it, and has forgotten the pipeline.", pull.URL))
	}
}

func (r *pipelineResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var id pipelineIdentity
	if req.ID != "" {
		address, branch := branchOf(req.ID)
		var err error
		if id, err = pipelineAddress(address); err != nil {
			resp.Diagnostics.AddError("Cannot import the pipeline", err.Error())
			return
		}
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, pipelineNote, note{Status: pipeline.Status{Branch: branch}}.json())...)
	} else {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &id)...)
	}
	if id.Repository.IsNull() == id.Directory.IsNull() {
		resp.Diagnostics.AddError("Cannot import the pipeline", "Want an identity with repository or directory, exactly one of them, and path.")
		return
	}
	values := map[string]types.String{"path": id.Path, "repository": id.Repository, "directory": id.Directory}
	setAll(ctx, &resp.State, &resp.Diagnostics, values)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, id)...)
}
