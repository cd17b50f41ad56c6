package provider

import (
	"cmp"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A stageModel is what every stage can say.
type stageModel struct {
	RunsOn         types.String `tfsdk:"runs_on"`
	TimeoutMinutes types.Number `tfsdk:"timeout_minutes"`
	Python         types.String `tfsdk:"python"`
	Env            types.Map    `tfsdk:"env"`
	Permissions    types.Map    `tfsdk:"permissions"`
	Step           []stepModel  `tfsdk:"step"`
}

type stepModel struct {
	Name  types.String `tfsdk:"name"`
	Run   types.String `tfsdk:"run"`
	Uses  types.String `tfsdk:"uses"`
	With  types.Map    `tfsdk:"with"`
	Env   types.Map    `tfsdk:"env"`
	After types.Bool   `tfsdk:"after"`
}

type testModel struct {
	stageModel
	Run    types.String `tfsdk:"run"`
	Matrix types.Map    `tfsdk:"matrix"`
}

type dataModel struct {
	stageModel
	Validate types.String `tfsdk:"validate"`
	Dataset  types.String `tfsdk:"dataset"`
}

type trainModel struct {
	stageModel
	Run     types.String `tfsdk:"run"`
	Outputs types.List   `tfsdk:"outputs"`
}

type evaluateModel struct {
	stageModel
	Metrics       types.String `tfsdk:"metrics"`
	Min           types.Map    `tfsdk:"min"`
	Max           types.Map    `tfsdk:"max"`
	MaxRegression types.Map    `tfsdk:"max_regression"`
	Reference     types.String `tfsdk:"reference"`
}

type packageModel struct {
	stageModel
	Image      types.String `tfsdk:"image"`
	Model      types.String `tfsdk:"model"`
	Dockerfile types.String `tfsdk:"dockerfile"`
	SBOM       types.String `tfsdk:"sbom"`
	Sign       types.String `tfsdk:"sign"`
	Provenance types.Bool   `tfsdk:"provenance"`
}

type scanModel struct {
	stageModel
	FailOn types.String `tfsdk:"fail_on"`
}

type monitorModel struct {
	stageModel
	Schedule types.String `tfsdk:"schedule"`
	Run      types.String `tfsdk:"run"`
}

type deployModel struct {
	stageModel
	Name          types.String `tfsdk:"name"`
	Root          types.String `tfsdk:"root"`
	Environment   types.String `tfsdk:"environment"`
	Needs         types.List   `tfsdk:"needs"`
	ImageVariable types.String `tfsdk:"image_variable"`
	Promote       types.List   `tfsdk:"promote"`
	AWS           *awsModel    `tfsdk:"aws"`
	GCP           *gcpModel    `tfsdk:"gcp"`
	Azure         *azureModel  `tfsdk:"azure"`
}

type awsModel struct {
	RoleARN     types.String `tfsdk:"role_arn"`
	PlanRoleARN types.String `tfsdk:"plan_role_arn"`
	Region      types.String `tfsdk:"region"`
}

type gcpModel struct {
	Provider           types.String `tfsdk:"workload_identity_provider"`
	ServiceAccount     types.String `tfsdk:"service_account"`
	PlanServiceAccount types.String `tfsdk:"plan_service_account"`
}

type azureModel struct {
	ClientID       types.String `tfsdk:"client_id"`
	PlanClientID   types.String `tfsdk:"plan_client_id"`
	TenantID       types.String `tfsdk:"tenant_id"`
	SubscriptionID types.String `tfsdk:"subscription_id"`
}

// stages sets the stages that are there.
func (m pipelineModel) stages(s *pipeline.Spec) {
	if t := m.Test; t != nil {
		s.Test = &pipeline.Test{Stage: t.stage(), Run: t.Run.ValueString(), Matrix: matrix(t.Matrix)}
	}
	if d := m.Data; d != nil {
		s.Data = &pipeline.Data{Stage: d.stage(), Validate: d.Validate.ValueString(), Dataset: d.Dataset.ValueString()}
	}
	if t := m.Train; t != nil {
		s.Train = &pipeline.Train{Stage: t.stage(), Run: t.Run.ValueString(), Outputs: texts(t.Outputs)}
	}
	if e := m.Evaluate; e != nil {
		s.Evaluate = &pipeline.Evaluate{
			Stage: e.stage(), Metrics: e.Metrics.ValueString(), Reference: e.Reference.ValueString(),
			Min: bounds(e.Min), Max: bounds(e.Max), MaxRegression: pairs(e.MaxRegression),
		}
	}
	if p := m.Package; p != nil {
		s.Package = &pipeline.Package{
			Stage: p.stage(), Image: p.Image.ValueString(), Model: p.Model.ValueString(), Dockerfile: p.Dockerfile.ValueString(),
			SBOM: unless(none, cmp.Or(p.SBOM.ValueString(), defaultSBOM)), Sign: unless(none, p.Sign.ValueString()),
			Provenance: p.Provenance.ValueBool(),
		}
	}
	if sc := m.Scan; sc != nil {
		s.Scan = &pipeline.Scan{Stage: sc.stage(), FailOn: cmp.Or(sc.FailOn.ValueString(), defaultFailOn)}
	}
	for _, d := range m.Deploy {
		s.Deploys = append(s.Deploys, d.spec())
	}
	if mo := m.Monitor; mo != nil {
		s.Monitor = &pipeline.Monitor{Stage: mo.stage(), Schedule: mo.Schedule.ValueString(), Run: mo.Run.ValueString()}
	}
}

func (m stageModel) stage() pipeline.Stage {
	s := pipeline.Stage{
		RunsOn: labels(m.RunsOn), TimeoutMinutes: integer(m.TimeoutMinutes), Python: m.Python.ValueString(),
		Env: pairs(m.Env), Permissions: pairs(m.Permissions),
	}
	for _, st := range m.Step {
		s.Steps = append(s.Steps, pipeline.Step{
			After: st.After.ValueBool(), Name: st.Name.ValueString(), Run: st.Run.ValueString(), Uses: st.Uses.ValueString(),
			With: pairs(st.With), Env: pairs(st.Env),
		})
	}
	return s
}

func (m deployModel) spec() pipeline.Deploy {
	d := pipeline.Deploy{
		Stage: m.stage(), Name: m.Name.ValueString(), Root: m.Root.ValueString(), Environment: m.Environment.ValueString(),
		Needs: texts(m.Needs), ImageVariable: m.ImageVariable.ValueString(), Promote: texts(m.Promote),
	}
	if a := m.AWS; a != nil {
		d.AWS = &pipeline.AWS{RoleARN: a.RoleARN.ValueString(), PlanRoleARN: a.PlanRoleARN.ValueString(), Region: a.Region.ValueString()}
	}
	if g := m.GCP; g != nil {
		d.GCP = &pipeline.GCP{
			WorkloadIdentityProvider: g.Provider.ValueString(), ServiceAccount: g.ServiceAccount.ValueString(), PlanServiceAccount: g.PlanServiceAccount.ValueString(),
		}
	}
	if a := m.Azure; a != nil {
		d.Azure = &pipeline.Azure{
			ClientID: a.ClientID.ValueString(), PlanClientID: a.PlanClientID.ValueString(), TenantID: a.TenantID.ValueString(), SubscriptionID: a.SubscriptionID.ValueString(),
		}
	}
	return d
}

// unless is s, and "" where it is a word for that.
func unless(word, s string) string {
	if s == word {
		return ""
	}
	return s
}

// matrix returns the known texts of a map of lists; nil for none.
func matrix(m types.Map) map[string][]string {
	return knownOf(m, texts)
}

// bounds returns the known numbers of a map; nil for none.
func bounds(m types.Map) map[string]float64 {
	return knownOf(m, func(n types.Number) float64 {
		f, _ := n.ValueBigFloat().Float64()
		return f
	})
}

// knownOf returns the known values of a map; nil for none.
func knownOf[V attr.Value, T any](m types.Map, read func(V) T) map[string]T {
	var all map[string]T
	for name, e := range m.Elements() {
		v, ok := e.(V)
		if !ok || e.IsNull() || e.IsUnknown() {
			continue
		}
		if all == nil {
			all = map[string]T{}
		}
		all[name] = read(v)
	}
	return all
}
