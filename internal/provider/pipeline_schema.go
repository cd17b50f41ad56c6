package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

func (r *pipelineResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	blocks := stageBlocks()
	blocks["delivery"] = deliveryBlock()
	blocks["triggers"] = triggersBlock()
	blocks["environment"] = environmentBlock()
	blocks["timeouts"] = timeoutsBlock(ctx,
		"How long to wait until environments, file and rules are in place, waiting for GitHub's rate limits included. Default `10m`.",
		"How long a change may take, waiting for GitHub's rate limits included. Default `10m`.",
		"How long the removal may take. Default `10m`.")
	resp.Schema = schema.Schema{
		MarkdownDescription: "A pipeline is the delivery workflow of a model in its repository: one file of GitHub Actions with tests, training, " +
			"evaluation, packaging, scan, deployments and monitoring, the environments that it deploys to, their secrets, and the checks that a " +
			"pull request has to pass. The file is brought by a pull request, by a commit, or into a folder that is a checkout. The plan shows " +
			"it as a diff, and what is wrong with it as errors. What people change in the file is drift once it changes the meaning; comments " +
			"and format are theirs. Every stage is optional. The guide \"From a repository to a pipeline\" tells what it needs.",
		Attributes: pipelineAttributes(),
		Blocks:     blocks,
	}
}

func pipelineAttributes() map[string]schema.Attribute {
	another := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	all := pipelineComputed()
	for name, a := range map[string]schema.Attribute{
		"repository": schema.StringAttribute{
			Optional: true, PlanModifiers: another,
			MarkdownDescription: "Repository on GitHub, `OWNER/NAME`, or `NAME` of `github.owner` of the provider block. Exactly one of `repository` and `directory` is there. Another one is another pipeline.",
		},
		"directory": schema.StringAttribute{
			Optional: true, PlanModifiers: another, Validators: []validator.String{notEmpty("a folder, such as ../fraud")},
			MarkdownDescription: "Folder that is a checkout of the repository; a relative path begins at the root module. The file is written there, " +
				"to be committed by whoever works there. A folder has no `delivery`, `environment` and `required_checks`. Another one is another pipeline.",
		},
		"path": schema.StringAttribute{
			Required: true, PlanModifiers: another,
			MarkdownDescription: "Path of the workflow's file in the repository, `.github/workflows/NAME.yml`. Another one is another pipeline.",
		},
		"name": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty("a name, such as fraud")},
			MarkdownDescription: "Name of the workflow, as GitHub lists it. Default: the file's name without its ending.",
		},
		"adopt": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Take over a file or an environment that somebody else made. What was taken over stays when the pipeline is destroyed. " +
				"Default `false`: then it is an error.",
		},
		"workflow_yaml": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty("a workflow, such as file(\"fraud.yml\")")},
			MarkdownDescription: "The workflow in your own words, instead of `triggers` and stages. It is linted and its actions are pinned all the same.",
		},
		"required_checks": schema.ListAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.List{full{}},
			MarkdownDescription: "Names of jobs that a pull request into the branch has to pass, such as `test`. They are kept in a ruleset of its own, " +
				"and only GitHub Actions can report them. `checks` lists which there are. Default: none.",
		},
		"pins": schema.MapAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.Map{full{}},
			MarkdownDescription: "Versions that you want for actions, by name: `{ \"actions/checkout\" = \"v7.0.1\" }`, or a full commit of 40 digits. " +
				"A version is resolved to its commit by GitHub. Default: the pins of the state, then those that this version of Tidegate knows.",
		},
		"pins_version": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty(`a version, such as "1"`)},
			MarkdownDescription: "Any text or number. Another one moves all pins, those in `pins` that are full commits aside: to the newest version of the same major " +
				"version where GitHub can be asked, else to what this version of Tidegate knows.",
		},
	} {
		all[name] = a
	}
	return all
}

// pipelineComputed is what comes out of a pipeline.
func pipelineComputed() map[string]schema.Attribute {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"id": schema.StringAttribute{
			Computed:            true,
			MarkdownDescription: "Address of the pipeline: `github/OWNER/NAME/PATH`, or `directory/FOLDER/PATH`.",
		},
		"workflow": text("The workflow's file. While people have changed its meaning, the state holds theirs and the plan shows the difference."),
		"pinned_actions": schema.MapAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "What the actions are pinned to, by name: the full commit, a blank, the version. They stay until `pins` or `pins_version` moves them.",
		},
		"checks": schema.ListAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "Names of the checks that the workflow's jobs report on a pull request, for `required_checks`.",
		},
		"pull_request_url": text("Address of the pull request that brings the file, or brought it last. Null where it was committed."),
		"merged": schema.BoolAttribute{
			Computed:            true,
			MarkdownDescription: "Whether that pull request was merged. Null where there is none.",
		},
		"commit": text("Commit that brought the file last. Null in a folder."),
	}
}

func deliveryBlock() schema.Block {
	return schema.SingleNestedBlock{
		MarkdownDescription: "How the file gets onto its branch. Default: by a pull request to the default branch.",
		Attributes: map[string]schema.Attribute{
			"mode": schema.StringAttribute{
				Optional: true, Validators: []validator.String{oneOf(pipeline.PullRequest, pipeline.Commit)},
				MarkdownDescription: "`pull_request`, the default: a pull request, which later changes update while it is open. Apply does not wait for " +
					"it to be merged. `commit`: one commit on the branch, never forced; where the branch refuses it, a pull request.",
			},
			"branch": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty("a branch, such as main")},
				MarkdownDescription: "Branch that the file belongs on. Default: the repository's default branch.",
			},
		},
	}
}

func triggersBlock() schema.Block {
	return schema.SingleNestedBlock{
		MarkdownDescription: "When the workflow runs. It can always be started by hand. Deployments run on the branches of `push` and by hand only.",
		Attributes: map[string]schema.Attribute{
			"push": listOf("Branches whose pushes start it, or patterns of such: `main`, `release/*`. Default: none."),
			"pull_request": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Whether pull requests start it; they get no secrets and deploy nothing. Default `false`.",
			},
			"schedule": listOf("Times that start it, as cron with five fields in UTC: `17 5 * * *`. Default: none."),
		},
	}
}

func (r *pipelineResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"repository": identityschema.StringAttribute{OptionalForImport: true, Description: "Repository on GitHub, OWNER/NAME; not with directory."},
		"directory":  identityschema.StringAttribute{OptionalForImport: true, Description: "Folder of the checkout, as the configuration has it; not with repository."},
		"path":       identityschema.StringAttribute{RequiredForImport: true, Description: "Path of the workflow's file."},
	}}
}
