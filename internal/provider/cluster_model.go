package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
)

type clusterModel struct {
	ID                 types.String   `tfsdk:"id"`
	Name               types.String   `tfsdk:"name"`
	Local              types.Object   `tfsdk:"local"`
	DeletionProtection types.Bool     `tfsdk:"deletion_protection"`
	URL                types.String   `tfsdk:"url"`
	Running            types.Bool     `tfsdk:"running"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
}

type clusterIdentity struct {
	Name types.String `tfsdk:"name"`
}

func (m clusterModel) spec() cluster.Spec {
	return cluster.Spec{Name: m.Name.ValueString(), DeletionProtection: m.DeletionProtection.ValueBool()}
}

// read makes m say what st says.
func (m *clusterModel) read(st cluster.Status) {
	m.ID = types.StringValue(clusterAddress(st.Name))
	m.Name = types.StringValue(st.Name)
	m.Local = types.ObjectValueMust(nil, nil)
	m.DeletionProtection = types.BoolValue(st.DeletionProtection)
	m.URL = types.StringValue(st.URL)
	m.Running = types.BoolValue(st.Running)
}

func (m clusterModel) identity() clusterIdentity { return clusterIdentity{m.Name} }

func clusterAddress(name string) string { return "local/" + name }
