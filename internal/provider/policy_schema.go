package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

func (r *policyResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A rollout policy says by which steps, gates and limits a new model becomes the one that serves. " +
			"It is a value: it is kept in the state only, and endpoints take its `json`. " +
			"Changing it shows as a change of each endpoint that uses it and starts no rollout; a rollout keeps the policy it began with.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{Computed: true, MarkdownDescription: "Digest of `json`."},
			"preset": schema.StringAttribute{
				Optional: true, Validators: []validator.String{oneOf(presets...)},
				MarkdownDescription: "The policy to start from: `fast`, `careful` or `paranoid`; the guide on rollouts tabulates them. " +
					"What else is written takes the place of that part of it: `step` blocks of all its steps, gates of all its gates, " +
					"`warm_up` of its warm-up, `alpha`, `beta` and each of the `limits` of its own. " +
					"Without it a policy starts from the default one, which is `careful` without the gate `latency`.",
			},
			"strategy": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(rollout.Canary),
				MarkdownDescription: "How traffic moves. `canary`, the default: the candidate gets rising shares of real traffic.",
			},
			"alpha": schema.Float64Attribute{
				Optional: true, Validators: []validator.Float64{notZero{"a chance from 0.000001 to 0.2"}},
				MarkdownDescription: "Bound on the chance that a harmless candidate is ever rolled back by a gate, all gates together. " +
					"Evidence of harm fails at 1/`alpha`. Default 0.01, or the preset's.",
			},
			"beta": schema.Float64Attribute{
				Optional: true, Validators: []validator.Float64{notZero{"a chance from 0.000001 to 0.2"}},
				MarkdownDescription: "Bound on the chance that a candidate beyond a step's margin passes that step. " +
					"Evidence for a pass passes at 1/`beta`. Default 0.05, or the preset's.",
			},
			"json": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The whole policy as canonical JSON, for an endpoint's `rollout.policy`.",
			},
			"longest": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The most time that a rollout by this policy can take, such as `2h0m0s`.",
			},
			"expected": expectedAttribute(),
		},
		Blocks: map[string]schema.Block{
			"step": stepBlock(),
			"errors": schema.SingleNestedBlock{
				MarkdownDescription: "The gate that compares shares of bad answers: 5xx, no connection, no answer in time. " +
					"It is on where no gate and no preset is named.",
			},
			"latency": schema.SingleNestedBlock{
				MarkdownDescription: "The gate that compares shares of slow answers, at every latency from 1 ms to 60 s at once: there is no threshold to choose. " +
					"Naming a gate leaves out those that are not named; name `errors {}` too.",
				Attributes: map[string]schema.Attribute{
					"tolerance": schema.Float64Attribute{
						Optional: true, Validators: []validator.Float64{notZero{"1 to 20 times stable's odds of a slow answer"}},
						MarkdownDescription: "How many times stable's odds of a slow answer are still harmless. Default 1.25. On a crowded machine " +
							"a candidate with little traffic answers later than a busy revision, whatever it runs: there 2 or 3 make sense.",
					},
				},
			},
			"warm_up": warmUpBlock(),
			"limits":  limitsBlock(),
			"traffic": trafficBlock(),
		},
	}
}

func stepBlock() schema.Block {
	return schema.ListNestedBlock{
		MarkdownDescription: "A share of traffic on trial. Steps rise, and end below 100: all traffic is what follows the last one. " +
			"Default, where there is no preset: 1, 5, 10, 25, 50 and 90 percent, without the leading ones that would see hardly a request.",
		NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
			"weight": schema.NumberAttribute{
				Required:            true,
				Validators:          []validator.Number{whole{1, 99}},
				MarkdownDescription: "The candidate's share of traffic in percent, 1 to 99.",
			},
			"ratio": schema.Float64Attribute{
				Optional: true, Validators: []validator.Float64{notZero{"more than 1.2 and at most 1000"}},
				MarkdownDescription: "To leave this step, the candidate must be shown to have less than `ratio` times stable's odds of a bad answer (`latency`: of a slow one), " +
					"or less than `floor` of them. More than 1.2; default by the weight that comes next, from 10 for up to 5% down to 1.5 for all traffic.",
			},
			"floor": schema.Float64Attribute{
				Optional: true, Validators: []validator.Float64{notZero{"a share of bad answers from 0.000001 to 0.5"}},
				MarkdownDescription: "Share of bad answers below which the candidate is good enough for the next step, whatever stable's is. " +
					"Default by the weight that comes next, from 0.05 for up to 5% down to 0.001 for all traffic; for `latency` at least 0.05.",
			},
			"minimum": schema.StringAttribute{
				Optional: true, Validators: []validator.String{duration(time.Second)}, PlanModifiers: []planmodifier.String{sameDuration},
				MarkdownDescription: "Least time at this step, such as `5m`. Default: `limits.step_minimum`.",
			},
			"approval": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Leaving this step takes a person's word too, `tidegate approve`, after the gates have passed. Until then, " +
					"at most for `limits.approval`, the weight stays and the gates go on looking for harm. Only endpoints with " +
					"`rollout.run = \"staged\"` take such a policy. Default `false`.",
			},
		}},
	}
}

func warmUpBlock() schema.Block {
	return schema.SingleNestedBlock{
		MarkdownDescription: "How long the latencies of a fresh revision do not count: until it has answered `requests` and got traffic for `time`. " +
			"Errors count from the first request on. An empty block is none. Default: none, or the preset's.",
		Attributes: map[string]schema.Attribute{
			"requests": schema.NumberAttribute{
				Optional: true, Validators: []validator.Number{whole{1, 1_000_000}},
				MarkdownDescription: "Answers whose latency is left out.",
			},
			"time": schema.StringAttribute{
				Optional: true, Validators: []validator.String{duration(time.Second)}, PlanModifiers: []planmodifier.String{sameDuration},
				MarkdownDescription: "Time in which latencies are left out, such as `30s`.",
			},
		},
	}
}

func limitsBlock() schema.Block {
	standard := rollout.DefaultPolicy()
	bounds := map[string]schema.Attribute{}
	for _, l := range limits {
		bounds[l.name] = schema.StringAttribute{
			Optional:            true,
			Computed:            true, // the default is the preset's
			Validators:          []validator.String{duration(l.least)},
			PlanModifiers:       []planmodifier.String{sameDuration},
			MarkdownDescription: l.description + " Default `" + l.at(&standard.Limits).String() + "`, or the preset's.",
		}
	}
	return schema.SingleNestedBlock{
		MarkdownDescription: "Bounds of a rollout in time, as durations such as `90s` or `2h`.",
		Attributes:          bounds,
	}
}
