package provider

import (
	"cmp"
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

type endpointModel struct {
	ID                 types.String   `tfsdk:"id"`
	Name               types.String   `tfsdk:"name"`
	Cluster            types.String   `tfsdk:"cluster"`
	Model              *modelModel    `tfsdk:"model"`
	Runtime            *runtimeModel  `tfsdk:"runtime"`
	Replicas           types.Number   `tfsdk:"replicas"`
	Routing            *routingModel  `tfsdk:"routing"`
	Rollout            *rolloutModel  `tfsdk:"rollout"`
	DeletionProtection types.Bool     `tfsdk:"deletion_protection"`
	URL                types.String   `tfsdk:"url"`
	ModelDigest        types.String   `tfsdk:"model_digest"`
	Revision           types.String   `tfsdk:"revision"`
	Rejected           types.List     `tfsdk:"rejected"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
}

type endpointIdentity struct {
	Cluster types.String `tfsdk:"cluster"`
	Name    types.String `tfsdk:"name"`
}

type modelModel struct {
	URI types.String `tfsdk:"uri"`
}

type runtimeModel struct {
	Command      types.List   `tfsdk:"command"`
	Files        types.List   `tfsdk:"files"`
	Protocol     types.String `tfsdk:"protocol"`
	ReadyPath    types.String `tfsdk:"ready_path"`
	StartTimeout types.String `tfsdk:"start_timeout"`
	Env          types.Map    `tfsdk:"env"`
	EnvWO        types.Map    `tfsdk:"env_wo"`
	EnvWOVersion types.String `tfsdk:"env_wo_version"`
}

type routingModel struct {
	StickyHeader types.String `tfsdk:"sticky_header"`
	StickyCookie types.String `tfsdk:"sticky_cookie"`
	Timeout      types.String `tfsdk:"timeout"`
}

type rolloutModel struct {
	Policy   types.String `tfsdk:"policy"`
	Run      types.String `tfsdk:"run"`
	Retry    types.String `tfsdk:"retry"`
	OnCancel types.String `tfsdk:"on_cancel"`
}

type rejectedModel struct {
	Revision    types.String `tfsdk:"revision"`
	ModelDigest types.String `tfsdk:"model_digest"`
	Gate        types.String `tfsdk:"gate"`
	Reason      types.String `tfsdk:"reason"`
	Retry       types.String `tfsdk:"retry"`
	At          types.String `tfsdk:"at"`
}

var rejectedType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"revision": types.StringType, "model_digest": types.StringType, "gate": types.StringType,
	"reason": types.StringType, "retry": types.StringType, "at": types.StringType,
}}

// spec is what m asks of an engine, without secrets. Blocks that are not there mean their defaults.
func (m endpointModel) spec(root string) endpoint.Spec {
	name, _ := clusterName(m.Cluster.ValueString()) // it was validated
	s := endpoint.Spec{
		Cluster: name, Name: m.Name.ValueString(), Root: root,
		Replicas:           integer(m.Replicas),
		Routing:            endpoint.Routing{Timeout: span(types.StringValue(defaultAnswer), 0)},
		Rollout:            endpoint.Rollout{Policy: rollout.DefaultPolicy().JSON(), Run: defaultRun, OnCancel: defaultOnCancel},
		DeletionProtection: m.DeletionProtection.ValueBool(),
	}
	if m.Model != nil {
		s.Model.URI = m.Model.URI.ValueString()
	}
	if rt := m.Runtime; rt != nil {
		s.Runtime = endpoint.Runtime{
			Command: texts(rt.Command), Files: texts(rt.Files),
			Protocol: rt.Protocol.ValueString(), ReadyPath: rt.ReadyPath.ValueString(),
			StartTimeout: span(rt.StartTimeout, 0),
		}
		s.Env = endpoint.Env{Values: pairs(rt.Env), SecretsVersion: rt.EnvWOVersion.ValueString()}
	}
	if m.Routing != nil {
		s.Routing.StickyHeader = m.Routing.StickyHeader.ValueString()
		s.Routing.StickyCookie = m.Routing.StickyCookie.ValueString()
		s.Routing.Timeout = span(m.Routing.Timeout, s.Routing.Timeout)
	}
	if m.Rollout != nil {
		if p, err := rollout.ParsePolicy([]byte(m.Rollout.Policy.ValueString())); err == nil {
			s.Rollout.Policy = p.JSON()
		}
		s.Rollout.Run = m.run()
		s.Rollout.Retry = m.Rollout.Retry.ValueString()
		s.Rollout.OnCancel = m.Rollout.OnCancel.ValueString()
	}
	return s
}

// captured reports whether all is known that a revision is made of.
func (m endpointModel) captured() bool {
	return m.Model != nil && !m.Model.URI.IsUnknown() && m.Runtime != nil &&
		wholly(m.Runtime.Command) && wholly(m.Runtime.Files) &&
		!m.Runtime.Protocol.IsUnknown() && !m.Runtime.ReadyPath.IsUnknown()
}

// secrets are what env_wo of the configuration says: an empty map where it says nothing.
func (m endpointModel) secrets() map[string]string {
	s := map[string]string{}
	if m.Runtime != nil {
		for k, v := range pairs(m.Runtime.EnvWO) {
			s[k] = v
		}
	}
	return s
}

func (m endpointModel) retry() string {
	if m.Rollout == nil {
		return ""
	}
	return m.Rollout.Retry.ValueString()
}

// run is who drives a rollout; "" while that is unknown.
func (m endpointModel) run() string {
	if m.Rollout == nil {
		return defaultRun
	}
	return m.Rollout.Run.ValueString()
}

func (m endpointModel) retryUnknown() bool { return m.Rollout != nil && m.Rollout.Retry.IsUnknown() }

// read makes m say what st says. What the user wrote stays where it means the same, and a
// block that says nothing but defaults is not made up.
func (m *endpointModel) read(ctx context.Context, st endpoint.Status) (diags diag.Diagnostics) {
	s := st.Spec
	m.ID = types.StringValue(endpoint.ID(s.Cluster, s.Name))
	m.Name = types.StringValue(s.Name)
	m.Cluster = types.StringValue(clusterAddress(s.Cluster))
	m.Model = &modelModel{URI: types.StringValue(s.Model.URI)}
	m.Replicas = number(s.Replicas)
	m.DeletionProtection = types.BoolValue(s.DeletionProtection)
	m.URL = types.StringValue(st.URL)
	m.ModelDigest = types.StringValue(st.Stable.Model)
	m.Revision = types.StringValue(st.Stable.Digest)
	m.readRuntime(s)
	m.readRouting(s.Routing)
	m.readRollout(s.Rollout)

	rejected := []rejectedModel{}
	for _, r := range st.Rejected {
		rejected = append(rejected, rejectedModel{
			Revision: types.StringValue(r.Revision), ModelDigest: types.StringValue(r.Model),
			Gate: types.StringValue(r.Gate), Reason: types.StringValue(r.Reason),
			Retry: types.StringValue(r.Retry), At: types.StringValue(r.At.UTC().Format(time.RFC3339)),
		})
	}
	m.Rejected, diags = types.ListValueFrom(ctx, rejectedType, rejected)
	return diags
}

func (m *endpointModel) readRuntime(s endpoint.Spec) {
	var was runtimeModel
	if m.Runtime != nil {
		was = *m.Runtime
	}
	m.Runtime = &runtimeModel{
		Command:      list(s.Runtime.Command, was.Command),
		Files:        list(s.Runtime.Files, was.Files),
		Protocol:     types.StringValue(s.Runtime.Protocol),
		ReadyPath:    text(s.Runtime.ReadyPath, was.ReadyPath),
		StartTimeout: keepDuration(was.StartTimeout, s.Runtime.StartTimeout),
		Env:          dictionary(s.Env.Values, was.Env),
		EnvWO:        types.MapNull(types.StringType),
		EnvWOVersion: text(s.Env.SecretsVersion, was.EnvWOVersion),
	}
}

func (m *endpointModel) readRouting(r endpoint.Routing) {
	standard := endpoint.Routing{Timeout: span(types.StringValue(defaultAnswer), 0)}
	if m.Routing == nil && r == standard {
		return
	}
	var was routingModel
	if m.Routing != nil {
		was = *m.Routing
	}
	m.Routing = &routingModel{
		StickyHeader: text(r.StickyHeader, was.StickyHeader),
		StickyCookie: text(r.StickyCookie, was.StickyCookie),
		Timeout:      keepDuration(was.Timeout, r.Timeout),
	}
}

func (m *endpointModel) readRollout(r endpoint.Rollout) {
	standard := endpoint.Rollout{Policy: rollout.DefaultPolicy().JSON(), Run: defaultRun, OnCancel: defaultOnCancel}
	r.Run = cmp.Or(r.Run, defaultRun)
	if m.Rollout == nil && r == standard {
		return
	}
	var was rolloutModel
	if m.Rollout != nil {
		was = *m.Rollout
	}
	m.Rollout = &rolloutModel{
		Policy:   samePolicy.keep(was.Policy, types.StringValue(r.Policy)),
		Run:      types.StringValue(r.Run),
		Retry:    text(r.Retry, was.Retry),
		OnCancel: types.StringValue(r.OnCancel),
	}
}

func (m endpointModel) identity() endpointIdentity { return endpointIdentity{m.Cluster, m.Name} }
