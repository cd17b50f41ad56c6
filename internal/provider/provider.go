// Package provider is Terraform's side of Tidegate: schemas, their models, and what plan and
// apply do with them. A model is turned into a noun's Spec, an engine makes it real, and its
// Status is read back into the model; nothing else here knows an engine.
package provider

import (
	"context"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

const (
	dataDirVariable = "TIDEGATE_DATA_DIR"
	dataDirDefault  = ".tidegate"
)

type tidegate struct {
	version string
	command []string // starts the embedded engine's daemon
	root    string   // the root module's folder; "" for the working directory
}

// New returns what makes the provider. Its resources start the embedded engine's daemon with
// engineCommand: the program, "engine", "run".
func New(version string, engineCommand []string) func() provider.Provider {
	return func() provider.Provider { return &tidegate{version: version, command: engineCommand} }
}

func (p *tidegate) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "tidegate"
	resp.Version = p.version
}

func (p *tidegate) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Tidegate brings models to production traffic, and takes them back out by itself when the " +
			"numbers turn. Everything in this block is optional: without it, endpoints run in the embedded engine on this machine.",
		Blocks: map[string]schema.Block{
			"local": schema.SingleNestedBlock{
				MarkdownDescription: "The embedded engine: a daemon on this machine that runs model servers and routes to them.",
				Attributes: map[string]schema.Attribute{
					"data_dir": schema.StringAttribute{
						Optional:   true,
						Validators: []validator.String{notEmpty("a folder, such as .tidegate")},
						MarkdownDescription: "Folder that holds all that the engine keeps. A relative path begins at the root module. " +
							"Default: the environment variable `" + dataDirVariable + "`, else `" + dataDirDefault + "`.",
					},
				},
			},
		},
	}
}

type providerModel struct {
	Local types.Object `tfsdk:"local"`
}

// Configure remembers where the engine is. It touches nothing: a plan needs no engine.
func (p *tidegate) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var m providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	root := p.root
	if root == "" {
		var err error
		if root, err = os.Getwd(); err != nil {
			resp.Diagnostics.AddError("Cannot find the root module's folder", err.Error())
			return
		}
	}
	b := newBackend(root)
	resp.ResourceData, resp.DataSourceData = b, b
	dir, known := m.dataDir()
	if !known {
		return
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	b.use(local.Open(local.Config{DataDir: dir, Command: p.command, Version: p.version}))
}

// dataDir returns the engine's folder as it was written, and false while it is unknown.
func (m providerModel) dataDir() (string, bool) {
	if m.Local.IsUnknown() {
		return "", false
	}
	if dir, ok := m.Local.Attributes()["data_dir"].(types.String); ok && !dir.IsNull() {
		return dir.ValueString(), !dir.IsUnknown()
	}
	if dir := os.Getenv(dataDirVariable); dir != "" {
		return dir, true
	}
	return dataDirDefault, true
}

func (p *tidegate) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		func() resource.Resource { return &clusterResource{} },
		func() resource.Resource { return &endpointResource{} },
		func() resource.Resource { return &policyResource{} },
	}
}

func (p *tidegate) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		func() datasource.DataSource { return &rolloutDataSource{} },
	}
}

var dataDirPath = path.Root("local").AtName("data_dir")
