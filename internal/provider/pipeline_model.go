package provider

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

type pipelineModel struct {
	ID             types.String       `tfsdk:"id"`
	Repository     types.String       `tfsdk:"repository"`
	Directory      types.String       `tfsdk:"directory"`
	Path           types.String       `tfsdk:"path"`
	Name           types.String       `tfsdk:"name"`
	Adopt          types.Bool         `tfsdk:"adopt"`
	Delivery       *deliveryModel     `tfsdk:"delivery"`
	Triggers       *triggersModel     `tfsdk:"triggers"`
	Test           *testModel         `tfsdk:"test"`
	Data           *dataModel         `tfsdk:"data"`
	Train          *trainModel        `tfsdk:"train"`
	Evaluate       *evaluateModel     `tfsdk:"evaluate"`
	Package        *packageModel      `tfsdk:"package"`
	Scan           *scanModel         `tfsdk:"scan"`
	Deploy         []deployModel      `tfsdk:"deploy"`
	Monitor        *monitorModel      `tfsdk:"monitor"`
	YAML           types.String       `tfsdk:"workflow_yaml"`
	Environment    []environmentModel `tfsdk:"environment"`
	RequiredChecks types.List         `tfsdk:"required_checks"`
	Pins           types.Map          `tfsdk:"pins"`
	PinsVersion    types.String       `tfsdk:"pins_version"`
	Workflow       types.String       `tfsdk:"workflow"`
	PinnedActions  types.Map          `tfsdk:"pinned_actions"`
	Checks         types.List         `tfsdk:"checks"`
	PullRequestURL types.String       `tfsdk:"pull_request_url"`
	Merged         types.Bool         `tfsdk:"merged"`
	Commit         types.String       `tfsdk:"commit"`
	Timeouts       timeouts.Value     `tfsdk:"timeouts"`
}

type deliveryModel struct {
	Mode   types.String `tfsdk:"mode"`
	Branch types.String `tfsdk:"branch"`
}

type triggersModel struct {
	Push        types.List `tfsdk:"push"`
	PullRequest types.Bool `tfsdk:"pull_request"`
	Schedule    types.List `tfsdk:"schedule"`
}

type environmentModel struct {
	Name              types.String `tfsdk:"name"`
	Reviewers         types.List   `tfsdk:"reviewers"`
	WaitMinutes       types.Number `tfsdk:"wait_minutes"`
	PreventSelfReview types.Bool   `tfsdk:"prevent_self_review"`
	Branches          types.List   `tfsdk:"branches"`
	Variables         types.Map    `tfsdk:"variables"`
	SecretsWO         types.Map    `tfsdk:"secrets_wo"`
	SecretsWOVersion  types.String `tfsdk:"secrets_wo_version"`
	SecretsDrift      types.String `tfsdk:"secrets_drift"`
	Secrets           types.List   `tfsdk:"secrets"`
}

type pipelineIdentity struct {
	Repository types.String `tfsdk:"repository"`
	Directory  types.String `tfsdk:"directory"`
	Path       types.String `tfsdk:"path"`
}

func (m pipelineModel) identity() pipelineIdentity {
	return pipelineIdentity{m.Repository, m.Directory, m.Path}
}

// spec is what m asks of an engine at a place, without values of secrets. Blocks that are not there mean their defaults.
func (m pipelineModel) spec(at pipeline.Place) pipeline.Spec {
	s := pipeline.Spec{
		Place:          at,
		Delivery:       m.delivery(),
		Adopt:          m.Adopt.ValueBool(),
		Name:           m.Name.ValueString(),
		YAML:           m.YAML.ValueString(),
		RequiredChecks: texts(m.RequiredChecks),
		Pins:           pairs(m.Pins),
	}
	if t := m.Triggers; t != nil {
		s.Triggers = pipeline.Triggers{Push: texts(t.Push), PullRequest: t.PullRequest.ValueBool(), Schedule: texts(t.Schedule)}
	}
	m.stages(&s)
	for _, e := range m.Environment {
		s.Environments = append(s.Environments, e.spec())
	}
	return s
}

// delivery is what m says of it; a repository's is by pull request unless it says more.
func (m pipelineModel) delivery() (d pipeline.Delivery) {
	if m.Directory.IsNull() {
		d.Mode = pipeline.PullRequest
	}
	if m.Delivery == nil {
		return d
	}
	if mode := m.Delivery.Mode.ValueString(); mode != "" {
		d.Mode = mode
	}
	d.Branch = m.Delivery.Branch.ValueString()
	return d
}

// spec is e without values of secrets: which of them are written, apply decides.
func (e environmentModel) spec() pipeline.Environment {
	return pipeline.Environment{
		Name:              e.Name.ValueString(),
		Reviewers:         texts(e.Reviewers),
		WaitMinutes:       integer(e.WaitMinutes),
		PreventSelfReview: e.PreventSelfReview.ValueBool(),
		Branches:          texts(e.Branches),
		Variables:         pairs(e.Variables),
		SecretNames:       e.names(),
	}
}

// names are those of the secrets: of the configuration, which has their values, else of plan or state.
func (e environmentModel) names() []string {
	if e.SecretsWO.IsNull() {
		return texts(e.Secrets)
	}
	return slices.Sorted(maps.Keys(e.SecretsWO.Elements()))
}

// labels are those of a runner: "self-hosted,linux".
func labels(s types.String) (all []string) {
	for _, l := range strings.Split(s.ValueString(), ",") {
		if l = strings.TrimSpace(l); l != "" {
			all = append(all, l)
		}
	}
	return all
}
