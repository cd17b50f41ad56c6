package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A same keeps the state's text where the plan's means the same: after an import "60m" in the
// configuration is no change of "1h0m0s" in the state.
type same struct {
	what string
	mean func(a, b string) bool
}

func (s same) Description(context.Context) string {
	return "another spelling of " + s.what + " is no change"
}
func (s same) MarkdownDescription(ctx context.Context) string { return s.Description(ctx) }

func (s same) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	resp.PlanValue = s.keep(req.StateValue, req.PlanValue)
}

// keep returns old where now means the same.
func (s same) keep(old, now types.String) types.String {
	if old.IsNull() || old.IsUnknown() || now.IsNull() || now.IsUnknown() {
		return now
	}
	if s.mean(old.ValueString(), now.ValueString()) {
		return old
	}
	return now
}

var sameDuration = same{"the same duration", func(a, b string) bool {
	x, errX := time.ParseDuration(a)
	y, errY := time.ParseDuration(b)
	return errX == nil && errY == nil && x == y
}}

var samePolicy = same{"the same policy", func(a, b string) bool {
	x, errX := rollout.ParsePolicy([]byte(a))
	y, errY := rollout.ParsePolicy([]byte(b))
	return errX == nil && errY == nil && x.JSON() == y.JSON()
}}

// keepDuration is d in words, in those of old where they mean the same.
func keepDuration(old types.String, d time.Duration) types.String {
	return sameDuration.keep(old, types.StringValue(d.String()))
}

// span reads a duration that was validated; fallback where there is none.
func span(s types.String, fallback time.Duration) time.Duration {
	if d, err := time.ParseDuration(s.ValueString()); err == nil {
		return d
	}
	return fallback
}

func durationAttribute(fallback, description string, least time.Duration) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(fallback),
		Validators:          []validator.String{duration(least)},
		PlanModifiers:       []planmodifier.String{sameDuration},
		MarkdownDescription: description + " Default `" + fallback + "`.",
	}
}

// timeoutsBlock is the usual block, which by itself would take "-5s".
func timeoutsBlock(ctx context.Context, create, update, remove string) schema.Block {
	block, ok := timeouts.Block(ctx, timeouts.Opts{
		Create: true, CreateDescription: create,
		Update: true, UpdateDescription: update,
		Delete: true, DeleteDescription: remove,
	}).(schema.SingleNestedBlock)
	if !ok {
		return timeouts.Block(ctx, timeouts.Opts{Create: true, Update: true, Delete: true})
	}
	block.MarkdownDescription = `How long Terraform waits, as durations such as "90s" or "2h".`
	for name, a := range block.Attributes {
		if text, ok := a.(schema.StringAttribute); ok {
			text.MarkdownDescription = text.Description
			text.Validators = []validator.String{duration(time.Second)}
			block.Attributes[name] = text
		}
	}
	return block
}
