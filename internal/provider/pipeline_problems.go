package provider

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// explainProblems says what is wrong at the attribute where it is.
func explainProblems(problems []pipeline.Problem, diags *diag.Diagnostics) {
	for _, p := range problems {
		at := attributePath(p.Path)
		if p.Warning {
			diags.AddAttributeWarning(at, p.Summary, p.Detail)
			continue
		}
		diags.AddAttributeError(at, p.Summary, p.Detail)
	}
}

// mapAttributes are those whose keys the user names.
var mapAttributes = map[string]bool{
	"env": true, "permissions": true, "with": true, "matrix": true, "min": true, "max": true, "max_regression": true,
	"variables": true, "pins": true, "secrets_wo": true,
}

// attributePath is a problem's path as the framework has it.
func attributePath(parts []any) path.Path {
	at, inMap := path.Empty(), false
	for _, part := range parts {
		switch part := part.(type) {
		case int:
			at, inMap = at.AtListIndex(part), false
		case string:
			if inMap {
				at, inMap = at.AtMapKey(part), false
				continue
			}
			at, inMap = at.AtName(part), mapAttributes[part]
		}
	}
	return at
}

// explainFindings says what is wrong with a rendered workflow, at the argument that it comes from where that can be told, and
// with the line where it is.
func explainFindings(s pipeline.Spec, yaml string, findings []workflow.Finding, at path.Path, diags *diag.Diagnostics) {
	lines := strings.Split(yaml, "\n")
	for _, f := range findings {
		at := at
		if argument := workflow.Blame(s, yaml, f); argument != nil {
			at = attributePath(argument)
		}
		if f.Line < 1 || f.Line > len(lines) {
			diags.AddAttributeError(at, "The workflow is not right", f.Message)
			continue
		}
		diags.AddAttributeError(at, fmt.Sprintf("The workflow is not right at line %d, column %d", f.Line, f.Column),
			fmt.Sprintf("%s (%s)\n\n%s", f.Message, f.Kind, quote(lines, f.Line, f.Column)))
	}
}

// adviseOn says what a workflow does that is more than most need.
func adviseOn(s pipeline.Spec, yaml string, at path.Path, diags *diag.Diagnostics) {
	lines := strings.Split(yaml, "\n")
	for _, f := range workflow.Advice(yaml) {
		at := at
		if argument := workflow.Blame(s, yaml, f); argument != nil {
			at = attributePath(argument)
		}
		diags.AddAttributeWarning(at, fmt.Sprintf("The workflow gives away more than it needs at line %d, column %d", f.Line, f.Column),
			fmt.Sprintf("%s (%s)\n\n%s", f.Message, f.Kind, quote(lines, f.Line, f.Column)))
	}
}

// quote shows a line of a text with the one before it, and where in it something is.
func quote(lines []string, line, column int) string {
	var b strings.Builder
	for i := max(1, line-1); i <= line; i++ {
		fmt.Fprintf(&b, "%5d | %s\n", i, strings.TrimRight(lines[i-1], "\r"))
	}
	if column > 0 && column <= len(lines[line-1])+1 {
		b.WriteString("      | " + strings.Repeat(" ", column-1) + "^")
	}
	return strings.TrimRight(b.String(), "\n")
}
