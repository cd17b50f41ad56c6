package provider

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// warnDrifted shows which lines of the workflow are not those of the state any more. Terraform shows all lines of a text of which
// one changes, and a workflow has hundreds.
func warnDrifted(was types.String, st pipeline.Status, diags *diag.Diagnostics) {
	if was.IsNull() || workflow.Same(was.ValueString(), st.Content) {
		return
	}
	// Terraform breaks long lines, but not those that begin with a blank.
	lines := strings.ReplaceAll("\n"+strings.TrimRight(workflow.Diff(was.ValueString(), st.Content), "\n"), "\n", "\n  ")
	diags.AddAttributeWarning(path.Root("workflow"), st.Path+" is not what was applied", "It changed like this since:\n"+lines+
		"\n\nThe next apply makes it what the configuration says.")
}
