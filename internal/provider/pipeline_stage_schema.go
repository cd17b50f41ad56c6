package provider

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// What stages are where the configuration leaves it out.
const (
	defaultSBOM   = "spdx-json"
	defaultFailOn = "high"
	none          = "none" // what is left out although it has a default
)

// mostMinutes is how long a job can run on a runner of one's own.
const mostMinutes = 5 * 24 * 60

func stageBlocks() map[string]schema.Block {
	return map[string]schema.Block{
		"test": stageBlock("Runs the project's tests, on pushes and pull requests.", map[string]schema.Attribute{
			"run": script("Script of bash that runs the tests, such as `make lint test`. Required."),
			"matrix": schema.MapAttribute{
				Optional: true, ElementType: types.ListType{ElemType: types.StringType},
				MarkdownDescription: "Runs the tests for every combination of these values: `{ python = [\"3.12\", \"3.13\"] }`. `python` sets up that version; " +
					"the script finds each value in `MATRIX_NAME`. The check `test` stands for all of them. Default: one run.",
			},
		}),
		"data": stageBlock("Fetches and checks a dataset.", map[string]schema.Attribute{
			"validate": script("Script of bash that checks it, and finds it in `DATASET`. Default: it is only fetched."),
			"dataset": optional("The dataset: `dvc:data/tx.parquet` is fetched by DVC, `file:data/tx.csv` is a file of the repository. " +
				"Default: none, the script knows."),
		}),
		"train": stageBlock("Makes a model, which later stages get as it is.", map[string]schema.Attribute{
			"run":     script("Script of bash that trains, such as `./ci/train.sh`. Required."),
			"outputs": listOf("Names that the script writes to `GITHUB_OUTPUT`. Later stages find each as `TRAIN_NAME`. Default: none."),
		}),
		"evaluate": evaluateBlock(),
		"package":  packageBlock(),
		"scan": stageBlock("Looks for known vulnerabilities: in what a pull request has, and in what was packaged.", map[string]schema.Attribute{
			"fail_on": optional("Least severity that fails: `negligible`, `low`, `medium`, `high` or `critical`. Default `"+defaultFailOn+"`.",
				oneOf("negligible", "low", "medium", "high", "critical")),
		}),
		"deploy": deployBlock(),
		"monitor": stageBlock("Plans the root modules of all deployments by a schedule, and fails when something was changed behind the configuration's back.",
			map[string]schema.Attribute{
				"schedule": optional("When, as cron with five fields in UTC: `17 5 * * *`. Required."),
				"run":      script("Script of bash to run besides. Default: none."),
			}),
	}
}

func evaluateBlock() schema.Block {
	numbers := func(description string) schema.Attribute {
		return schema.MapAttribute{
			Optional: true, ElementType: types.NumberType, MarkdownDescription: description,
			Validators: []validator.Map{full{}},
		}
	}
	return stageBlock("Judges the model's metrics by bounds. What is out of bounds, or missing, fails.", map[string]schema.Attribute{
		"metrics": optional("JSON file with the metrics, which training writes or which is in the repository, such as `metrics.json`. Required."),
		"min":     numbers("Least values: `{ auc = 0.91 }`."),
		"max":     numbers("Greatest values: `{ p95_ms = 80 }`."),
		"max_regression": schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "How far a metric may get worse than in `reference`: `\"-0.005\"` may fall so much, `\"+5%\"` may rise by so much. " +
				"Without a sign, a metric of `min` may fall and one of `max` may rise.",
		},
		"reference": optional("JSON file in the repository to compare with, such as `metrics/stable.json`. Default: none."),
	})
}

func packageBlock() schema.Block {
	return stageBlock("Puts the model into an OCI registry. Later stages use it by its digest.", map[string]schema.Attribute{
		"image":      optional("Where to, without a tag: `ghcr.io/acme/fraud`. Required."),
		"model":      optional("The model's file or folder, which training makes or which is in the repository, such as `out/`."),
		"dockerfile": optional("Builds an image from this file, with the model in its folder. Default: the model itself is the artifact, in the format ModelPack."),
		"sbom": optional("Bill of materials: `spdx-json`, `cyclonedx-json` or `none`. Default `"+defaultSBOM+"`.",
			oneOf("spdx-json", "cyclonedx-json", none)),
		"sign": optional("Signature: `keyless` signs by the workflow's identity, which public logs then show with the repository's name; `none`. Default `none`.",
			oneOf("keyless", none)),
		"provenance": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Whether GitHub attests how it was built. Private repositories need GitHub Enterprise Cloud for that. " +
				"Default `false`.",
		},
	})
}

func deployBlock() schema.Block {
	block := schema.ListNestedBlock{
		MarkdownDescription: "Brings what was packaged to one root module, by the Action: plan, apply of the very plan, promotion by its rollout policy. " +
			"Deployments run in the order of `needs`. Credentials of a cloud are by OIDC: there are no keys. Its own steps run in both jobs, and find what was " +
			"packaged in `IMAGE`, as `IMAGE@DIGEST`.",
		NestedObject: schema.NestedBlockObject{
			Attributes: map[string]schema.Attribute{
				"name": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the deployment: 1 to 50 of a-z, 0-9 and -."},
				"root": schema.StringAttribute{Required: true, MarkdownDescription: "Folder of the root module in the repository, such as `infra/prod-eu`."},
				"environment": optional("Environment of GitHub whose reviewers, variables and secrets it has. It is one of the `environment` blocks, or is there already. " +
					"Default: none."),
				"needs":          listOf("Names of deployments that have to succeed before. Default: none."),
				"image_variable": optional("Variable of the root module that gets the packaged `IMAGE@DIGEST`. Default: none."),
				"promote":        listOf("Names of the endpoints whose staged rollouts are driven, in this order. Default: all that the apply staged."),
			},
			Blocks: map[string]schema.Block{
				"aws": cloudBlock("Speaks to AWS as a role, by OIDC.", map[string]string{"role_arn": "ARN of the role, `arn:aws:iam::123456789012:role/deploy`." + trustsEnvironment},
					map[string]string{
						"plan_role_arn": "ARN of the role as which plans and `monitor` run." + plansOnly + " Default: `role_arn`.",
						"region":        "Region, such as `eu-west-1`. Default: the variable `AWS_REGION` of the repository.",
					}),
				"gcp": cloudBlock("Speaks to Google Cloud by workload identity federation.",
					map[string]string{"workload_identity_provider": "`projects/N/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`."},
					map[string]string{
						"service_account":      "Service account to speak as." + trustsEnvironment + " Default: none, direct access: then the token's subject is who has access.",
						"plan_service_account": "Service account as which plans and `monitor` run." + plansOnly + " Default: `service_account`.",
					}),
				"azure": cloudBlock("Speaks to Azure as an application, by a federated credential.",
					map[string]string{"client_id": "Id of the application." + trustsEnvironment, "tenant_id": "Id of the tenant.", "subscription_id": "Id of the subscription."},
					map[string]string{"plan_client_id": "Id of the application as which plans and `monitor` run." + plansOnly + " Default: `client_id`."}),
			},
		},
	}
	maps.Copy(block.NestedObject.Attributes, stageAttributes())
	block.NestedObject.Blocks["step"] = stepsBlock()
	return block
}

// Whom an identity of a cloud trusts.
const (
	trustsEnvironment = " It trusts the deployment's environment, `provider::tidegate::oidc_subjects`, and nothing else if there is another one for plans."
	plansOnly         = " They run before reviewers of the environment have approved anything, so it should only read. It trusts the branch, " +
		"`provider::tidegate::oidc_ref_subjects`, for a job that plans has no environment; the state is then not locked while it plans."
)

func cloudBlock(description string, needed, more map[string]string) schema.Block {
	attributes := map[string]schema.Attribute{}
	for name, text := range needed {
		attributes[name] = optional(text + " Required.")
	}
	for name, text := range more {
		attributes[name] = optional(text)
	}
	return schema.SingleNestedBlock{
		MarkdownDescription: description, Attributes: attributes,
	}
}

// stageBlock is a stage with what every stage can say.
func stageBlock(description string, own map[string]schema.Attribute) schema.Block {
	attributes := stageAttributes()
	maps.Copy(attributes, own)
	return schema.SingleNestedBlock{
		MarkdownDescription: description,
		Attributes:          attributes,
		Blocks:              map[string]schema.Block{"step": stepsBlock()},
	}
}

func stageAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"runs_on": optional("Label of the runner, or several of them with commas between: `gpu-large`, `self-hosted,linux,gpu`. Default `ubuntu-latest`.",
			runnerLabels()),
		"timeout_minutes": schema.NumberAttribute{
			Optional: true, Validators: []validator.Number{whole{1, mostMinutes}},
			MarkdownDescription: "Minutes after which the job is ended, 1 to 7200. Default: the stage's, as the workflow shows.",
		},
		"python":      optional("Version of Python to set up, such as `3.13`. Default: that of the `test` stage, or none."),
		"env":         pairsOf("Environment of the job's scripts. It is in the file, for all to read: secrets belong into an `environment`."),
		"permissions": pairsOf("Permissions of the job's `GITHUB_TOKEN` besides what the stage needs: `{ packages = \"read\" }`."),
	}
}

func stepsBlock() schema.Block {
	return schema.ListNestedBlock{
		MarkdownDescription: "A step of your own, a script or an action, for what the typed arguments do not cover.",
		NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
			"name": optional("Name of the step. Default: GitHub's."),
			"run":  script("Script of bash. Exactly one of `run` and `uses` is there."),
			"uses": optional("Action, `OWNER/NAME@VERSION`. It is pinned to the version's commit, like all others."),
			"with": pairsOf("Inputs of the action."),
			"env":  pairsOf("Environment of the step."),
			"after": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "Whether it runs after the stage's own work; else before it. Default `false`.",
			},
		}},
	}
}

func optional(description string, checks ...validator.String) schema.Attribute {
	return schema.StringAttribute{Optional: true, Validators: checks, MarkdownDescription: description}
}

func script(description string) schema.Attribute {
	return optional(description, notEmpty("a script, such as make test"))
}

func listOf(description string) schema.Attribute {
	return schema.ListAttribute{
		Optional: true, ElementType: types.StringType, MarkdownDescription: description,
		Validators: []validator.List{full{}},
	}
}

func pairsOf(description string) schema.Attribute {
	return schema.MapAttribute{
		Optional: true, ElementType: types.StringType, MarkdownDescription: description + " Default: none.",
		Validators: []validator.Map{full{}},
	}
}

// runnerLabels wants what runners can be called; a comma stands between several.
func runnerLabels() validator.String {
	return check{"labels of a runner", func(s string) error {
		if len(labels(types.StringValue(s))) == 0 {
			return fmt.Errorf("%q: want the label of a runner, such as ubuntu-latest, or several with commas between", s)
		}
		return nil
	}}
}

// A full refuses lists and maps with something in them that is null: it would be left out in silence.
type full struct{}

func (full) Description(context.Context) string         { return "nothing in it is null" }
func (full) MarkdownDescription(context.Context) string { return "nothing in it is null" }

func (full) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	for i, v := range req.ConfigValue.Elements() {
		refuseNull(req.Path.AtListIndex(i), v, &resp.Diagnostics)
	}
}

func (full) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	for name, v := range req.ConfigValue.Elements() {
		refuseNull(req.Path.AtMapKey(name), v, &resp.Diagnostics)
	}
}

func refuseNull(at path.Path, v attr.Value, diags *diag.Diagnostics) {
	if v.IsNull() {
		diags.AddAttributeError(at, "Invalid "+at.String(), "It is null: want a value. Leave it out if it is not needed.")
	}
}
