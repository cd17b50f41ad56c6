package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/process"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
)

var (
	runtimePath = path.Root("runtime")
	modelPath   = path.Root("model").AtName("uri")
)

// modelURI wants a reference that an engine can read, whether or not anything is there yet.
func modelURI() validator.String {
	return check{"a model URI", func(s string) error { _, err := registry.Locate(s, "/"); return err }}
}

func readyPath() validator.String {
	return check{"a path", func(s string) error {
		if !strings.HasPrefix(s, "/") || strings.ContainsAny(s, " \t\r\n#") {
			return fmt.Errorf("%q: want a path that begins with /, such as /healthz", s)
		}
		return nil
	}}
}

// ValidateConfig checks what concerns several arguments. What is unknown is not complained about.
func (r *endpointResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	if undecided(req.Config.Raw, req.Config.Schema.GetBlocks()) {
		return
	}
	var m endpointModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if m.Runtime != nil {
		m.Runtime.validate(&resp.Diagnostics)
	}
	if r := m.Routing; r != nil && !r.StickyHeader.IsNull() && !r.StickyCookie.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("routing").AtName("sticky_cookie"), "Two kinds of stickiness",
			"sticky_header and sticky_cookie are both there: want at most one. Leave out the one that does not name your clients.")
	}
}

func (m runtimeModel) validate(diags *diag.Diagnostics) {
	m.validateCommand(diags)
	m.validateReadiness(diags)
	m.validateFiles(diags)
	for _, e := range []struct {
		name string
		vars types.Map
	}{{"env", m.Env}, {"env_wo", m.EnvWO}} {
		validateEnv(runtimePath.AtName(e.name), e.vars, diags)
	}
	for _, name := range slices.Sorted(maps.Keys(m.EnvWO.Elements())) {
		if _, twice := m.Env.Elements()[name]; twice {
			diags.AddAttributeError(runtimePath.AtName("env").AtMapKey(name), "Variable "+name+" is there twice",
				"It is in env and in env_wo. Leave it out of env if it is a secret, else out of env_wo.")
		}
	}
	version := runtimePath.AtName("env_wo_version")
	if !m.EnvWO.IsNull() && m.EnvWOVersion.IsNull() {
		diags.AddAttributeError(version, "Missing env_wo_version",
			"env_wo is kept nowhere, so a change of it does not show. Add env_wo_version = \"1\", and change it whenever env_wo changes.")
	}
	if m.EnvWO.IsNull() && !m.EnvWOVersion.IsNull() && !m.EnvWOVersion.IsUnknown() {
		diags.AddAttributeError(version, "env_wo_version without env_wo",
			"There is nothing that it is the version of. Leave it out, or add env_wo.")
	}
}

func (m runtimeModel) validateCommand(diags *diag.Diagnostics) {
	if !wholly(m.Command) || len(m.Command.Elements()) == 0 {
		return
	}
	at := runtimePath.AtName("command")
	for i, e := range m.Command.Elements() {
		if e.IsNull() {
			diags.AddAttributeError(at.AtListIndex(i), "Invalid command", "null: want a text.")
			return
		}
	}
	if err := process.CheckCommand(texts(m.Command)); err != nil {
		diags.AddAttributeError(at, "Invalid command", err.Error())
	}
}

func (m runtimeModel) validateReadiness(diags *diag.Diagnostics) {
	at := runtimePath.AtName("ready_path")
	if m.Protocol.IsUnknown() {
		return
	}
	if m.Protocol.ValueString() == "http" && m.ReadyPath.IsNull() {
		diags.AddAttributeError(at, "Missing ready_path",
			`protocol = "http" asks a path of yours for readiness: add ready_path, such as "/healthz".`)
	}
	if p := m.Protocol.ValueString(); (p == "" || p == "v2") && !m.ReadyPath.IsNull() {
		diags.AddAttributeError(at, "ready_path has no meaning with protocol v2",
			fmt.Sprintf(`%s: the Open Inference Protocol v2 has its own paths. Leave it out, or set protocol = "http".`, m.ReadyPath))
	}
}

func (m runtimeModel) validateFiles(diags *diag.Diagnostics) {
	for i, e := range m.Files.Elements() {
		file, ok := e.(types.String)
		if !ok || file.IsUnknown() {
			continue
		}
		s := endpoint.Spec{Root: ".", Runtime: endpoint.Runtime{Files: []string{file.ValueString()}}}
		if _, err := s.FilePaths(); err != nil {
			diags.AddAttributeError(runtimePath.AtName("files").AtListIndex(i), "Invalid file",
				fmt.Sprintf("%q: want a path below the root module, such as labels.txt.", file.ValueString()))
		}
	}
}

func validateEnv(at path.Path, vars types.Map, diags *diag.Diagnostics) {
	for _, name := range slices.Sorted(maps.Keys(vars.Elements())) {
		value, ok := vars.Elements()[name].(types.String)
		switch err := process.CheckEnv(name); {
		case err != nil:
			diags.AddAttributeError(at.AtMapKey(name), "Invalid variable", sentence(err))
		case ok && value.IsNull():
			diags.AddAttributeError(at.AtMapKey(name), "Invalid variable", name+" is null: want a text. Leave it out if it is not needed.")
		case ok && strings.ContainsRune(value.ValueString(), 0):
			diags.AddAttributeError(at.AtMapKey(name), "Invalid variable", name+" holds a zero byte, which no environment can.")
		}
	}
}
