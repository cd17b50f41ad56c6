package provider

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Functions are pure: they ask nobody, and work without a configured provider.
func (p *tidegate) Functions(context.Context) []func() function.Function {
	return []func() function.Function{
		func() function.Function { return oidcSubjects },
		func() function.Function { return oidcRefSubjects },
		func() function.Function { return oidcTrustAWS },
		func() function.Function { return oidcConditionGCP },
		func() function.Function { return oidcMembersGCP },
		func() function.Function { return oidcCredentialsAzure },
	}
}

// A pureFunction is a function with its name, its definition and what it does.
type pureFunction struct {
	name       string
	definition function.Definition
	run        func(ctx context.Context, req function.RunRequest, resp *function.RunResponse)
}

var _ function.Function = pureFunction{}

func (f pureFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = f.name
}

func (f pureFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = f.definition
}

func (f pureFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	f.run(ctx, req, resp)
}

// refused tells what is wrong with an argument, given the names of all in their order.
func refused(err error, arguments ...string) *function.FuncError {
	var bad *pipeline.InputError
	if errors.As(err, &bad) {
		if i := slices.Index(arguments, bad.Argument); i >= 0 {
			return function.NewArgumentFuncError(int64(i), bad.Message)
		}
	}
	return function.NewFuncError(err.Error())
}

var (
	repositoryParameter = function.StringParameter{
		Name:                "repository",
		MarkdownDescription: "One repository, `OWNER/NAME`, in capitals and small letters as GitHub shows it: clouds compare exactly.",
	}
	idsParameter = function.ObjectParameter{
		Name: "ids", AllowNullValue: true,
		AttributeTypes: map[string]attr.Type{"owner": types.Int64Type, "repository": types.Int64Type},
		MarkdownDescription: "The numbers that GitHub has for owner and repository: `{ owner = 123456, repository = 456789 }`, from " +
			"`gh api repos/OWNER/NAME --jq '{owner: .owner.id, repository: .id}'`. With them the second form is there too; `null` for the first form only.",
	}
	subjectsParameter = function.ListParameter{
		Name: "subjects", ElementType: types.StringType,
		MarkdownDescription: "Subjects, such as those of `oidc_subjects`. A wildcard is an error, and so is an empty list.",
	}
)

const subjectsDescription = "First `repo:OWNER/NAME:...`, then `repo:OWNER@ID/NAME@ID:...` if `ids` are given. GitHub writes the second form for " +
	"repositories that were created, renamed or transferred since 15 July 2026, or that were told to; that form never " +
	"fits another repository, while a name can be taken by somebody else once it is free. Enterprise Server writes the first. "

var oidcSubjects = pureFunction{
	name: "oidc_subjects",
	definition: function.Definition{
		Summary: "Subjects of the OIDC tokens of jobs with an environment",
		MarkdownDescription: "Returns what GitHub writes into the claim `sub` of a job's token if the job has this environment, as a list. " +
			subjectsDescription + "A `:` in the environment's name is written as `%3A`, as GitHub does. In a `tidegate_pipeline`, " +
			"`deploy-NAME` has the environment: this is whom a deployment's `role_arn`, `service_account` or `client_id` trusts.",
		Parameters: []function.Parameter{
			repositoryParameter,
			function.StringParameter{Name: "environment", MarkdownDescription: "The environment's name, written as the workflow has it."},
			idsParameter,
		},
		Return: function.ListReturn{ElementType: types.StringType},
	},
	run: func(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
		runSubjects(ctx, req, resp, "environment")
	},
}

var oidcRefSubjects = pureFunction{
	name: "oidc_ref_subjects",
	definition: function.Definition{
		Summary: "Subjects of the OIDC tokens of jobs without an environment",
		MarkdownDescription: "Returns what GitHub writes into the claim `sub` of a job's token if the job has no environment, as a list. " +
			subjectsDescription + "Prefer `oidc_subjects`: an environment has reviewers and branches, a ref has not. In a `tidegate_pipeline`, " +
			"`plan-NAME` and `monitor-NAME` have none: the identity that plans (`plan_role_arn`, `plan_service_account`, `plan_client_id`) trusts the ref of each branch " +
			"whose pushes deploy, and of the default branch for `monitor`. Whoever may push to that branch is that identity, so let it only read.",
		Parameters: []function.Parameter{
			repositoryParameter,
			function.StringParameter{Name: "ref", MarkdownDescription: "What the workflow runs for: `refs/heads/main`, `refs/tags/v1.0.0`, or " +
				"`pull_request` for whatever a pull request starts."},
			idsParameter,
		},
		Return: function.ListReturn{ElementType: types.StringType},
	},
	run: func(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
		runSubjects(ctx, req, resp, "ref")
	},
}

// runSubjects is both functions of subjects; second is the name of the argument in which they differ.
func runSubjects(ctx context.Context, req function.RunRequest, resp *function.RunResponse, second string) {
	var of, from string
	var ids *struct {
		Owner      types.Int64 `tfsdk:"owner"`
		Repository types.Int64 `tfsdk:"repository"`
	}
	if resp.Error = req.Arguments.Get(ctx, &of, &from, &ids); resp.Error != nil {
		return
	}
	o := pipeline.Origin{Repository: of}
	if ids != nil {
		if ids.Owner.IsNull() || ids.Repository.IsNull() || ids.Owner.ValueInt64() < 1 || ids.Repository.ValueInt64() < 1 {
			resp.Error = function.NewArgumentFuncError(2, "ids want two positive numbers, owner and repository; or null instead of the object")
			return
		}
		o.OwnerID, o.RepositoryID = ids.Owner.ValueInt64(), ids.Repository.ValueInt64()
	}
	switch {
	case second == "environment":
		o.Environment = from
	case from == "":
		resp.Error = function.NewArgumentFuncError(1, "ref is empty: want refs/heads/main, refs/tags/v1.0.0 or pull_request")
		return
	default:
		o.Ref = from
	}
	subjects, err := o.Subjects()
	if err != nil {
		resp.Error = refused(err, "repository", second, "ids")
		return
	}
	resp.Error = resp.Result.Set(ctx, subjects)
}
