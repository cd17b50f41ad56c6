package provider

import (
	"context"
	"math/big"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/numberdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What an argument is where the configuration leaves it out.
const (
	defaultProtocol     = "v2"
	defaultStartTimeout = "60s"
	defaultAnswer       = "60s" // routing.timeout
	defaultRun          = endpoint.Inline
	defaultOnCancel     = "rollback"
	mostReplicas        = 16
)

func (r *endpointResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A model endpoint is one address that serves one model. The first apply brings the model up at once. " +
			"Another model, or another runtime, becomes a candidate: apply gives it rising shares of real traffic by the rollout policy, " +
			"and succeeds only if it was promoted. A candidate that does worse is rolled back, and the apply fails and names the gate; " +
			"the state then holds the model that serves, so the next plan says what is not in place. " +
			"With `rollout.run` `staged` apply only makes the candidate ready, and others give it traffic. " +
			"Replicas, environment, routing and rollout settings change in place.",
		Attributes: endpointAttributes(),
		Blocks: map[string]schema.Block{
			"model": schema.SingleNestedBlock{
				Validators:          []validator.Object{required{`model { uri = "file://models/v1.json" }`}},
				MarkdownDescription: "The model that is served. Required.",
				Attributes: map[string]schema.Attribute{
					"uri": schema.StringAttribute{
						Required:   true,
						Validators: []validator.String{modelURI()},
						MarkdownDescription: "Where its bytes are: `file://models/v1.json` below the root module, or `file:///srv/models/v1.json`; " +
							"a file or a folder. The bytes are copied when they are applied, and other bytes behind the same URI are another model.",
					},
				},
			},
			"runtime": runtimeBlock(),
			"routing": routingBlock(),
			"rollout": rolloutBlock(),
			"timeouts": timeoutsBlock(ctx,
				"How long to wait until the model serves. Default: `start_timeout` and 5 minutes.",
				"How long a change may take, with the rollout that apply drives. Default: the policy's longest duration (none where `run` is `staged`), `start_timeout` and 5 minutes.",
				"How long to wait for requests in flight and the model servers' end. Default `5m`."),
		},
	}
}

func endpointAttributes() map[string]schema.Attribute {
	keep := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	another := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	return map[string]schema.Attribute{
		"id": schema.StringAttribute{
			Computed: true, PlanModifiers: keep,
			MarkdownDescription: "Address of the endpoint, `local/CLUSTER/NAME`.",
		},
		"name": schema.StringAttribute{
			Required: true, PlanModifiers: another, Validators: []validator.String{dnsLabel()},
			MarkdownDescription: "Name of the endpoint, a DNS label. Another name is another endpoint.",
		},
		"cluster": schema.StringAttribute{
			Required: true, PlanModifiers: another, Validators: []validator.String{clusterID()},
			MarkdownDescription: "Id of the cluster that it runs in, `local/NAME`.",
		},
		"replicas": schema.NumberAttribute{
			Optional: true, Computed: true, Default: numberdefault.StaticBigFloat(big.NewFloat(1)),
			Validators:          []validator.Number{whole{1, mostReplicas}},
			MarkdownDescription: "How many model servers run, 1 to 16. Default 1.",
		},
		"deletion_protection": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: "Refuse to delete the endpoint until this is `false` and applied. Default `false`.",
		},
		"url": schema.StringAttribute{
			Computed: true, PlanModifiers: keep,
			MarkdownDescription: "Where it answers, such as `http://127.0.0.1:41871`. It stays for the endpoint's life.",
		},
		"model_digest": schema.StringAttribute{
			Computed:            true,
			MarkdownDescription: "Digest of the model's bytes, `sha256:...`.",
		},
		"revision": schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "Digest of all that runs: the model, the command and its executable, the further files. " +
				"Another revision is a rollout.",
		},
		"rejected": rejectedAttribute(),
	}
}

func rejectedAttribute() schema.Attribute {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	return schema.ListNestedAttribute{
		Computed:      true,
		PlanModifiers: []planmodifier.List{listplanmodifier.UseStateForUnknown()},
		MarkdownDescription: "Revisions that a rollout turned away, newest first. They are not tried again until `rollout.retry` changes; " +
			"plan warns, and apply refuses them at once.",
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"revision":     text("Digest of the revision."),
			"model_digest": text("Digest of its model."),
			"gate":         text("The gate that failed; or `candidate` (it could not serve), `inconclusive`, `blind`, `operator` (a person took it off)."),
			"reason":       text("What happened, with the numbers."),
			"retry":        text("`rollout.retry` at the time."),
			"at":           text("When, RFC 3339."),
		}},
	}
}

func runtimeBlock() schema.Block {
	return schema.SingleNestedBlock{
		Validators:          []validator.Object{required{`runtime { command = ["./model-server"] }`}},
		MarkdownDescription: "What serves the model. Required.",
		Attributes: map[string]schema.Attribute{
			"command": schema.ListAttribute{
				Required: true, ElementType: types.StringType,
				Validators: []validator.List{listvalidator.SizeAtLeast(1)},
				MarkdownDescription: "The program and its arguments, in which `{port}`, `{model}` and `{name}` are replaced. " +
					"A program with a slash in it is a file: it is copied with the model, and other bytes are another revision. " +
					"Without a slash it is looked up in PATH. The environment holds PORT, MODEL_PATH, TIDEGATE_ENDPOINT and TIDEGATE_REVISION.",
			},
			"files": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Further files or folders that the program reads, as paths below the root module. They are copied with the model " +
					"and lie in the program's working folder under the same paths.",
			},
			"protocol": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(defaultProtocol),
				Validators: []validator.String{oneOf("v2", "http")},
				MarkdownDescription: "How readiness is asked for. `v2`, the default: the Open Inference Protocol v2, " +
					"`/v2/health/ready` and `/v2/models/NAME/ready`. `http`: `ready_path`.",
			},
			"ready_path": schema.StringAttribute{
				Optional: true, Validators: []validator.String{readyPath()},
				MarkdownDescription: "Path that answers 2xx when the model can serve. Required with `http`, refused with `v2`.",
			},
			"start_timeout": durationAttribute(defaultStartTimeout, "How long a model server may take from its start until it is ready.", time.Second),
			"env": schema.MapAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Environment of the model servers. It is in the state: secrets belong into `env_wo`.",
			},
			"env_wo": schema.MapAttribute{
				Optional: true, WriteOnly: true, Sensitive: true, ElementType: types.StringType,
				MarkdownDescription: "Secret environment of the model servers. It goes to the engine and into no state or plan. " +
					"It is applied when `env_wo_version` changes. Needs Terraform 1.11.",
			},
			"env_wo_version": schema.StringAttribute{
				Optional: true, Validators: []validator.String{notEmpty(`a version, such as "1"`)},
				MarkdownDescription: "Version of `env_wo`: change it with the secrets. Required with `env_wo`.",
			},
		},
	}
}

func routingBlock() schema.Block {
	return schema.SingleNestedBlock{
		MarkdownDescription: "Who gets an answer from the candidate. Without stickiness each request is drawn for itself.",
		Attributes: map[string]schema.Attribute{
			"sticky_header": schema.StringAttribute{
				Optional: true, Validators: []validator.String{token()},
				MarkdownDescription: "Header that names the client: it stays with one revision, and more weight only moves clients to the candidate.",
			},
			"sticky_cookie": schema.StringAttribute{
				Optional: true, Validators: []validator.String{token()},
				MarkdownDescription: "Cookie that names the client. At most one of the two.",
			},
			"timeout": durationAttribute(defaultAnswer, "How long an answer may take to begin. Later counts as a bad answer.", time.Millisecond),
		},
	}
}

func rolloutBlock() schema.Block {
	return schema.SingleNestedBlock{
		MarkdownDescription: "How another revision gets its traffic.",
		Attributes: map[string]schema.Attribute{
			"policy": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(rollout.DefaultPolicy().JSON()),
				Validators:          []validator.String{policyJSON()},
				PlanModifiers:       []planmodifier.String{samePolicy},
				MarkdownDescription: "The `json` of a `tidegate_rollout_policy`. Default: the policy that one without arguments has.",
			},
			"run": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(defaultRun),
				Validators: []validator.String{oneOf(endpoint.Inline, endpoint.Staged)},
				MarkdownDescription: "Who drives it. `inline`, the default: apply does, and ends with it. `staged`: apply starts the candidate, " +
					"waits until it can serve and leaves it without traffic; `tidegate promote` drives it, from a later job of the " +
					"pipeline or by hand. The state then holds the staged model, and the one that serves again if the candidate is rolled back.",
			},
			"retry": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Any text. Another one lets rejected revisions try again.",
			},
			"on_cancel": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(defaultOnCancel),
				Validators: []validator.String{oneOf("rollback", "freeze")},
				MarkdownDescription: "What happens to the candidate when apply, or whoever else drives it, is interrupted or times out. `rollback`, the default: its traffic is taken away. " +
					"`freeze`: its weight stays until the next one goes on, or the policy's `abandoned_after` is over.",
			},
		},
	}
}

func (r *endpointResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"cluster": identityschema.StringAttribute{RequiredForImport: true, Description: "Id of the cluster, local/NAME."},
		"name":    identityschema.StringAttribute{RequiredForImport: true, Description: "Name of the endpoint."},
	}}
}
