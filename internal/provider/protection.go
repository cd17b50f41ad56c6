package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// guard refuses a plan that deletes or replaces what is protected. The engine would refuse
// too, but in the middle of an apply. replacing are the attributes whose change replaces.
func guard(ctx context.Context, noun string, req resource.ModifyPlanRequest, diags *diag.Diagnostics, replacing ...path.Path) {
	var protected types.Bool
	var name types.String
	diags.Append(req.State.GetAttribute(ctx, path.Root("deletion_protection"), &protected)...)
	diags.Append(req.State.GetAttribute(ctx, path.Root("name"), &name)...)
	if !protected.ValueBool() {
		return
	}
	next := "To delete it all the same, set deletion_protection = false, apply that, then delete it."
	if req.Plan.Raw.IsNull() {
		diags.AddError(fmt.Sprintf("Deletion protection of %s %q is on", noun, name.ValueString()),
			"This plan would delete it. "+next)
		return
	}
	for _, p := range replacing {
		var was, will types.String
		diags.Append(req.State.GetAttribute(ctx, p, &was)...)
		diags.Append(req.Plan.GetAttribute(ctx, p, &will)...)
		if !will.IsUnknown() && !was.Equal(will) {
			diags.AddAttributeError(p, fmt.Sprintf("Deletion protection of %s %q is on", noun, name.ValueString()),
				fmt.Sprintf("Another %s replaces it: this plan would delete it. %s", p, next))
		}
	}
}

// because is err, or what ended the wait for it.
func because(ctx context.Context, wait time.Duration, err error) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Sprintf("It was not done within %s: %s\nRaise the limit in the timeouts block if it only needs longer.", wait, err)
	case ctx.Err() != nil:
		return "It was cancelled: " + err.Error()
	}
	return sentence(err)
}
