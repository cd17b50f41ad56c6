package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

type pipelineRunData struct {
	Repository types.String `tfsdk:"repository"`
	Path       types.String `tfsdk:"path"`
	Branch     types.String `tfsdk:"branch"`
	Event      types.String `tfsdk:"event"`
	Status     types.String `tfsdk:"status"`
	Limit      types.Number `tfsdk:"limit"`
	Conclusion types.String `tfsdk:"conclusion"`
	URL        types.String `tfsdk:"url"`
	Runs       []runData    `tfsdk:"runs"`
}

type runData struct {
	ID         types.Int64  `tfsdk:"id"`
	Number     types.Int64  `tfsdk:"number"`
	Event      types.String `tfsdk:"event"`
	Branch     types.String `tfsdk:"branch"`
	Commit     types.String `tfsdk:"commit"`
	Status     types.String `tfsdk:"status"`
	Conclusion types.String `tfsdk:"conclusion"`
	CreatedAt  types.String `tfsdk:"created_at"`
	Duration   types.Int64  `tfsdk:"duration_seconds"`
	URL        types.String `tfsdk:"url"`
}

func (m *pipelineRunData) query() github.RunQuery {
	q := github.RunQuery{
		Path: m.Path.ValueString(), Branch: m.Branch.ValueString(), Event: m.Event.ValueString(),
		Status: m.Status.ValueString(), Limit: integer(m.Limit),
	}
	if q.Limit == 0 {
		q.Limit = usualRuns
	}
	return q
}

// read makes m say what there is.
func (m *pipelineRunData) read(runs []pipeline.Run) {
	m.Runs, m.Conclusion, m.URL = []runData{}, types.StringNull(), types.StringNull()
	for _, r := range runs {
		if r.Conclusion != "" && m.Conclusion.IsNull() {
			m.Conclusion, m.URL = types.StringValue(r.Conclusion), types.StringValue(r.URL)
		}
		m.Runs = append(m.Runs, runData{
			ID: types.Int64Value(r.ID), Number: count(r.Number), Event: types.StringValue(r.Event), Branch: orNull(r.Branch),
			Commit: types.StringValue(r.Commit), Status: types.StringValue(r.Status), Conclusion: orNull(r.Conclusion),
			CreatedAt: moment(r.Created), Duration: types.Int64Value(int64(r.Duration / time.Second)), URL: types.StringValue(r.URL),
		})
	}
}
