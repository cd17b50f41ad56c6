package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

type rolloutDataSource struct{ *backend }

var _ datasource.DataSourceWithConfigure = &rolloutDataSource{}

func (d *rolloutDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_rollout"
}

func (d *rolloutDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	d.backend, _ = req.ProviderData.(*backend)
}

func (d *rolloutDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	text := func(description string) schema.Attribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: description}
	}
	number := func(description string) schema.Attribute {
		return schema.Int64Attribute{Computed: true, MarkdownDescription: description}
	}
	evidence := func(description string) schema.Attribute {
		return schema.Float64Attribute{Computed: true, MarkdownDescription: description}
	}
	rate := func(description string) schema.Attribute {
		return schema.SingleNestedAttribute{
			Computed: true, MarkdownDescription: description,
			Attributes: map[string]schema.Attribute{
				"estimate": evidence("As counted."),
				"low":      evidence("Lower bound of a confidence sequence: at most one in twenty such ever misses the true share, whenever one looks."),
				"high":     evidence("Its upper bound."),
			},
		}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "The present or last rollout of an endpoint, as it is when Terraform reads it. " +
			"The endpoint itself exports none of this, because every step would show as a change. " +
			"For the rollout that the same apply drives, read it with `depends_on` on the endpoint.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				Required: true, Validators: []validator.String{endpointID()},
				MarkdownDescription: "Id of the endpoint, `local/CLUSTER/NAME`.",
			},
			"id": text("The rollout's id; null if there was none."),
			"phase": text("Where it stands: `preparing`, `observing`, `holding`, `awaiting approval`, `promoted` or `rolled back`; " +
				"null if there was none."),
			"step":      number("Step that it is at or ended at, 0 for the first."),
			"weight":    number("The candidate's share of traffic now, in percent."),
			"approved":  number("The highest share that was approved, in percent."),
			"stable":    text("Revision that users had when it began."),
			"candidate": text("Revision on trial."),
			"staged": schema.BoolAttribute{Computed: true,
				MarkdownDescription: "Whether it began by `rollout.run = \"staged\"`: then it waits at weight 0 until somebody promotes the candidate."},
			"began":          text("When it began, RFC 3339."),
			"runner":         text("Who drives it; null before the first runner and after one that left."),
			"hold":           text("Why the gates hold the weight; null while they do not."),
			"awaiting_since": text("Since when it waits for an approval, RFC 3339; null while it does not."),
			"approval": schema.SingleNestedAttribute{
				Computed:            true,
				MarkdownDescription: "A person's word that the present step may be left, or that the last one could; null without one.",
				Attributes: map[string]schema.Attribute{
					"by":  text("Who approved it."),
					"how": text("How that was established."),
					"at":  text("When, RFC 3339."),
				},
			},
			"gates": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "What the gates say, with the numbers behind it.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":               text("The gate: `errors`, `latency` or `split`, the check of the router."),
					"outcome":            text("`wait`, `pass` or `fail`."),
					"harm":               evidence("Evidence that the candidate is worse."),
					"harm_needed":        evidence("By itself the gate fails here. All gates' evidence together, each by its share of `alpha`, may be enough before."),
					"pass":               evidence("Evidence that it is good enough for the next step."),
					"pass_needed":        evidence("The gate passes here."),
					"candidate_requests": number("Requests that the candidate answered."),
					"candidate_bad":      number("Of them, bad answers; for `latency` those slower than `edge`."),
					"stable_requests":    number("Requests that the stable revision answered meanwhile."),
					"stable_bad":         number("Of them, bad answers; for `latency` those slower than `edge`."),
					"edge":               evidence("The latency in seconds that the numbers speak of; null for other gates than `latency`."),
					"candidate_rate":     rate("The candidate's share of bad (or slow) answers; null for `split`."),
					"stable_rate":        rate("Stable's share of bad (or slow) answers; null for `split`."),
					"sentence":           text("The same in a sentence."),
				}},
			},
			"failure": schema.SingleNestedAttribute{
				Computed:            true,
				MarkdownDescription: "Why it was rolled back; null if it was not.",
				Attributes: map[string]schema.Attribute{
					"kind":     text("`gate`, `candidate`, `inconclusive`, `blind`, `operator` (a person took it off), `split`, `cancelled`, `unapproved`, `abandoned` or `superseded`."),
					"gate":     text("The gate that failed: the one with the most evidence; null where none did."),
					"rejected": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the candidate is not tried again."},
					"reason":   text("What happened, with the numbers."),
					"at":       text("When, RFC 3339."),
				},
			},
			"history": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "What happened, oldest first.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"at":       text("When, RFC 3339."),
					"phase":    text("The phase from then on."),
					"weight":   number("The candidate's share of traffic from then on, in percent."),
					"sentence": text("What happened."),
				}},
			},
		},
	}
}

func (d *rolloutDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m rolloutData
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.ready(&resp.Diagnostics) {
		return
	}
	id := m.Endpoint.ValueString()
	r, _, err := d.endpoints.Load(ctx, id)
	if errors.Is(err, rollout.ErrNotFound) {
		resp.Diagnostics.AddAttributeError(path.Root("endpoint"), fmt.Sprintf("There is no endpoint %q", id),
			"Take the id of a tidegate_model_endpoint, so that it is made first.")
		return
	}
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot read the rollout of endpoint %q", id), sentence(err))
		return
	}
	m.read(r)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}
