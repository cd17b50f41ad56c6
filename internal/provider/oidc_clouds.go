package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

var oidcTrustAWS = pureFunction{
	name: "oidc_trust_aws",
	definition: function.Definition{
		Summary: "Trust policy of an AWS role for jobs of GitHub Actions",
		MarkdownDescription: "Returns the trust policy, as JSON, by which jobs with one of these subjects may assume a role, and no others: " +
			"`sub` and `aud` are compared as wholes. It is for `assume_role_policy` of an `aws_iam_role`.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "provider_arn", MarkdownDescription: "ARN of the account's `aws_iam_openid_connect_provider` for " +
				"`token.actions.githubusercontent.com`, or for the issuer of an enterprise."},
			subjectsParameter,
		},
		Return: function.StringReturn{},
	},
	run: func(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
		var arn string
		var subjects []string
		if resp.Error = req.Arguments.Get(ctx, &arn, &subjects); resp.Error != nil {
			return
		}
		policy, err := pipeline.TrustAWS(arn, subjects)
		if err != nil {
			resp.Error = refused(err, "provider_arn", "subjects")
			return
		}
		resp.Error = resp.Result.Set(ctx, policy)
	},
}

var oidcConditionGCP = pureFunction{
	name: "oidc_condition_gcp",
	definition: function.Definition{
		Summary: "Attribute condition of a Google workload identity pool provider for jobs of GitHub Actions",
		MarkdownDescription: "Returns the condition, in CEL, by which a pool takes tokens with one of these subjects, and no others. It is for " +
			"`attribute_condition` of a `google_iam_workload_identity_pool_provider`. Google takes at most 4096 characters.",
		Parameters: []function.Parameter{subjectsParameter},
		Return:     function.StringReturn{},
	},
	run: func(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
		var subjects []string
		if resp.Error = req.Arguments.Get(ctx, &subjects); resp.Error != nil {
			return
		}
		condition, err := pipeline.ConditionGCP(subjects)
		if err != nil {
			resp.Error = refused(err, "subjects")
			return
		}
		resp.Error = resp.Result.Set(ctx, condition)
	},
}

var oidcMembersGCP = pureFunction{
	name: "oidc_members_gcp",
	definition: function.Definition{
		Summary: "Members of a Google IAM policy for jobs of GitHub Actions",
		MarkdownDescription: "Returns the members, `principal://...`, that jobs with these subjects are, as a list. The pool's provider has to map " +
			"`google.subject` to `assertion.sub`. Google takes subjects of at most 127 bytes.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "pool", MarkdownDescription: "Name of the pool, `projects/NUMBER/locations/global/workloadIdentityPools/ID`: " +
				"`name` of a `google_iam_workload_identity_pool`."},
			subjectsParameter,
		},
		Return: function.ListReturn{ElementType: types.StringType},
	},
	run: func(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
		var pool string
		var subjects []string
		if resp.Error = req.Arguments.Get(ctx, &pool, &subjects); resp.Error != nil {
			return
		}
		members, err := pipeline.MembersGCP(pool, subjects)
		if err != nil {
			resp.Error = refused(err, "pool", "subjects")
			return
		}
		resp.Error = resp.Result.Set(ctx, members)
	},
}

// credentialAzure is an element of what oidc_credentials_azure returns.
type credentialAzure struct {
	Issuer    string   `tfsdk:"issuer"`
	Subject   string   `tfsdk:"subject"`
	Audiences []string `tfsdk:"audiences"`
}

var oidcCredentialsAzure = pureFunction{
	name: "oidc_credentials_azure",
	definition: function.Definition{
		Summary: "Federated identity credentials of Azure for jobs of GitHub Actions",
		MarkdownDescription: "Returns one credential for each subject, because Azure compares a subject as a whole: a map for `for_each` of " +
			"`azuread_application_federated_identity_credential` or `azurerm_federated_identity_credential`. Keys are names for them, values have " +
			"`issuer`, `subject` and `audiences`. Azure takes at most 20 for one application.",
		Parameters: []function.Parameter{
			subjectsParameter,
			function.StringParameter{Name: "issuer", AllowNullValue: true, MarkdownDescription: "Issuer of an enterprise's tokens, `https://HOST/_services/token`; " +
				"`null` for that of github.com."},
		},
		Return: function.MapReturn{ElementType: types.ObjectType{AttrTypes: map[string]attr.Type{
			"issuer": types.StringType, "subject": types.StringType, "audiences": types.ListType{ElemType: types.StringType},
		}}},
	},
	run: func(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
		var subjects []string
		var issuer *string
		if resp.Error = req.Arguments.Get(ctx, &subjects, &issuer); resp.Error != nil {
			return
		}
		if issuer != nil && *issuer == "" {
			resp.Error = function.NewArgumentFuncError(1, "issuer is empty: want the address of an enterprise's issuer, or null for "+pipeline.Issuer)
			return
		}
		of := pipeline.Issuer
		if issuer != nil {
			of = *issuer
		}
		all, err := pipeline.CredentialsAzure(subjects, of)
		if err != nil {
			resp.Error = refused(err, "subjects", "issuer")
			return
		}
		credentials := map[string]credentialAzure{}
		for _, c := range all {
			credentials[c.Name] = credentialAzure{c.Issuer, c.Subject, c.Audiences}
		}
		resp.Error = resp.Result.Set(ctx, credentials)
	},
}
