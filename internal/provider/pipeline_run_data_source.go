package provider

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

type pipelineRunDataSource struct{ *backend }

var _ datasource.DataSourceWithConfigure = &pipelineRunDataSource{}

func (d *pipelineRunDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_pipeline_run"
}

func (d *pipelineRunDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	d.backend, _ = req.ProviderData.(*backend)
}

// How many runs are read where nothing says it, and at most: one request has no more.
const (
	usualRuns = 10
	mostRuns  = 100
)

var runWorkflow = regexp.MustCompile(`^\.github/workflows/[^/]+\.ya?ml$`)

func (d *pipelineRunDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	number := func(description string) schema.Attribute {
		return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "The last runs of a workflow on GitHub, as they are when Terraform reads them. Those of a public repository can be read without a token. " +
			"A `check` block or a `postcondition` makes something of how they ended.",
		Attributes: map[string]schema.Attribute{
			"repository": schema.StringAttribute{
				Required: true, Validators: []validator.String{check{"a repository", checkRunRepository}},
				MarkdownDescription: "`OWNER/NAME`; `NAME` alone is one of `github.owner` of the provider block.",
			},
			"path": schema.StringAttribute{
				Required: true, Validators: []validator.String{check{"a workflow's file", checkRunWorkflow}},
				MarkdownDescription: "The workflow's file in the repository, such as `.github/workflows/fraud.yml`.",
			},
			"branch": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty("a branch, such as main")},
				MarkdownDescription: "Only runs of this branch: for pull requests, of the branch that is to be merged. Default: of all.",
			},
			"event": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty("an event, such as push")},
				MarkdownDescription: "Only runs that this event started, such as `push`, `pull_request`, `schedule` or `workflow_dispatch`. Default: of all.",
			},
			"status": schema.StringAttribute{
				Optional: true,
				Validators: []validator.String{oneOf("completed", "in_progress", "queued", "requested", "waiting", "pending",
					"success", "failure", "cancelled", "timed_out", "skipped", "neutral", "stale", "action_required")},
				MarkdownDescription: "Only runs that stand so, or ended so: `completed`, `in_progress`, `queued`, `requested`, `waiting` or `pending`; `success`, `failure`, " +
					"`cancelled`, `timed_out`, `skipped`, `neutral`, `stale` or `action_required`. Default: all.",
			},
			"limit": schema.NumberAttribute{
				Optional: true, Validators: []validator.Number{whole{1, mostRuns}},
				MarkdownDescription: fmt.Sprintf("How many runs to read, %d at most. Default: %d.", mostRuns, usualRuns),
			},
			"conclusion": text("How the newest of `runs` that is completed ended: `success`, `failure`, `cancelled` or another of GitHub's; null if there is none."),
			"url":        text("Page of that run; null if there is none."),
			"runs": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The runs, the newest first; empty if there was none.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":               number("GitHub's number of the run."),
					"number":           number("The workflow's own count of its runs."),
					"event":            text("What started it."),
					"branch":           text("Branch that it is of; null for none."),
					"commit":           text("Commit that it is of."),
					"status":           text("`queued`, `in_progress`, `completed` or another of GitHub's."),
					"conclusion":       text("How it ended; null while it has not."),
					"created_at":       text("When it was started, RFC 3339."),
					"duration_seconds": number("How long it took; of one that still runs, how long so far."),
					"url":              text("Its page."),
				}},
			},
		},
	}
}

func checkRunRepository(name string) error {
	if !runRepository.MatchString(name) {
		return fmt.Errorf("%q: want OWNER/NAME, such as acme/fraud, or NAME of the provider block's owner", name)
	}
	return nil
}

var runRepository = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]*/)?[A-Za-z0-9._-]+$`)

func checkRunWorkflow(name string) error {
	if !runWorkflow.MatchString(name) {
		return fmt.Errorf("%q: want a file right in .github/workflows that ends in .yml or .yaml, such as .github/workflows/fraud.yml", name)
	}
	return nil
}

func (d *pipelineRunDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m pipelineRunData
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	runs, err := d.runs(ctx, m, &resp.Diagnostics)
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot read the runs of %s in %s", m.Path.ValueString(), m.Repository.ValueString()), sentence(err))
		return
	}
	m.read(runs)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

// runs are those that m asks for.
func (d *pipelineRunDataSource) runs(ctx context.Context, m pipelineRunData, diags *diag.Diagnostics) ([]pipeline.Run, error) {
	name, err := d.repository(m.Repository.ValueString())
	if err != nil {
		return nil, err
	}
	hub, err := d.github()
	if err != nil {
		return nil, err
	}
	repo, err := hub.Repository(name)
	if err != nil {
		return nil, err
	}
	runs, err := repo.Runs(ctx, m.query())
	if !errors.Is(err, github.ErrNotFound) {
		return runs, err
	}
	// GitHub knows a workflow since it was on the default branch, or ran: one that was just delivered is not there yet.
	if _, missing := repo.IDs(ctx); missing != nil {
		return nil, missing // nor is the repository
	}
	diags.AddAttributeWarning(path.Root("path"), "GitHub knows no such workflow yet", fmt.Sprintf(
		"%s has no workflow %s, so there are no runs of it. It is there some seconds after its file came to the default branch, or after it first ran.", name, m.Path.ValueString()))
	return nil, nil
}
