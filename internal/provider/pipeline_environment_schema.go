package provider

import (
	"math"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// What may become of a secret behind our back that counts as drift.
const (
	driftDeleted = "deleted"
	driftUpdated = "updated"
)

func environmentBlock() schema.Block {
	return schema.ListNestedBlock{
		MarkdownDescription: "An environment of the repository that deployments name. It is read back after it was written: what GitHub's plan for the " +
			"repository does not give is an error. One that the pipeline made is removed with it.",
		NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
			"name":      schema.StringAttribute{Required: true, MarkdownDescription: "Name of the environment, such as `production`."},
			"reviewers": listOf("Who has to approve a deployment, one of them is enough: logins such as `octocat`, teams such as `@acme/ml-leads`. At most 6. Default: nobody."),
			"wait_minutes": schema.NumberAttribute{
				Optional: true, Validators: []validator.Number{whole{0, math.MaxInt32}},
				MarkdownDescription: "Minutes that a deployment waits, 0 to 43200. Default 0.",
			},
			"prevent_self_review": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Whether nobody may approve a deployment that they started. Default `false`.",
			},
			"branches":  listOf("Branches that may deploy to it, or patterns of such: `main`, `release/*`. Default: all."),
			"variables": pairsOf("Variables of the environment. Others that are there are left alone."),
			"secrets_wo": schema.MapAttribute{
				Optional: true, WriteOnly: true, Sensitive: true, ElementType: types.StringType, Validators: []validator.Map{full{}},
				MarkdownDescription: "Secrets of the environment, by name. Values are sealed for GitHub, and are in no state or plan; names are. " +
					"They are written when `secrets_wo_version` changes, or where one is missing. Needs Terraform 1.11. Default: none.",
			},
			"secrets_wo_version": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty(`a version, such as "1"`)},
				MarkdownDescription: "Version of `secrets_wo`, any text or number: change it with the values. Required with `secrets_wo`.",
			},
			"secrets_drift": schema.StringAttribute{
				Optional: true, Validators: []validator.String{oneOf(driftDeleted, driftUpdated)},
				MarkdownDescription: "What counts as drift of a secret, and has it written again. `deleted`, the default: that it is not there any more. " +
					"`updated`: that too, and that somebody else wrote it since.",
			},
			"secrets": schema.ListAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "Names of the secrets of `secrets_wo` that are in place, sorted. Null where there are none.",
			},
		}},
	}
}
