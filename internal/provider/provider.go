// Package provider is Terraform's side of Tidegate: schemas, their models, and what plan and
// apply do with them. A model is turned into a noun's Spec, an engine makes it real, and its
// Status is read back into the model; nothing else here knows an engine.
package provider

import (
	"context"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
)

type tidegate struct {
	version string
	command []string // starts the embedded engine's daemon
	commit  string   // of the build; "" if it is not known
	root    string   // the root module's folder; "" for the working directory
}

// An Option says more about a provider.
type Option func(*tidegate)

// BuiltFrom says which commit, 40 hex digits, the provider was built from: Tidegate's own Action is pinned to it. "" is
// one that is not known.
func BuiltFrom(commit string) Option { return func(p *tidegate) { p.commit = commit } }

// New returns what makes the provider. Its resources start the embedded engine's daemon with
// engineCommand: the program, "engine", "run".
func New(version string, engineCommand []string, more ...Option) func() provider.Provider {
	return func() provider.Provider {
		p := &tidegate{version: version, command: engineCommand}
		for _, o := range more {
			o(p)
		}
		return p
	}
}

var _ provider.ProviderWithFunctions = &tidegate{}

func (p *tidegate) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "tidegate"
	resp.Version = p.version
}

func (p *tidegate) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Tidegate brings models to production traffic, and takes them back out by itself when the " +
			"numbers turn. Everything in this block is optional: without it, endpoints run in the embedded engine on this machine.",
		Attributes: map[string]schema.Attribute{
			"config_file": schema.StringAttribute{
				Optional:   true,
				Validators: []validator.String{notEmpty("a file, such as " + engine.FileName)},
				MarkdownDescription: "File that says where things are, as this block does, for the provider and the command line alike: " +
					"`{\"local\": {\"data_dir\": \".tidegate\"}, \"github\": {\"owner\": \"acme\"}}`. A relative path begins at the root module; paths in the file begin at its " +
					"folder. What the block says itself need not be in the file, and must not differ from it. Default: the environment variable `" +
					engine.FileVariable + "`, else no file.",
			},
		},
		Blocks: map[string]schema.Block{
			"github": githubBlock(),
			"local": schema.SingleNestedBlock{
				MarkdownDescription: "The embedded engine: a daemon on this machine that runs model servers and routes to them.",
				Attributes: map[string]schema.Attribute{
					"data_dir": schema.StringAttribute{
						Optional:   true,
						Validators: []validator.String{notEmpty("a folder, such as .tidegate")},
						MarkdownDescription: "Folder that holds all that the engine keeps. A relative path begins at the root module. " +
							"Default: what `config_file` says, else the environment variable `" + engine.DataDirVariable + "`, else `" + engine.DefaultDataDir + "`.",
					},
				},
			},
		},
	}
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
	b.commit = p.commit
	resp.ResourceData, resp.DataSourceData = b, b
	c, k := m.config(root, &resp.Diagnostics)
	who, whoKnown := m.credential(root, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	k.hub = k.hub && whoKnown
	log := context.WithoutCancel(ctx)
	b.use(engine.Open(c, engine.Program{
		Version: p.version, Command: p.command, GitHub: who,
		Notice: func(text string) { tflog.Warn(log, text) },
	}), k)
}

func (p *tidegate) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		func() resource.Resource { return &clusterResource{} },
		func() resource.Resource { return &endpointResource{} },
		func() resource.Resource { return &pipelineResource{} },
		func() resource.Resource { return &policyResource{} },
	}
}

func (p *tidegate) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		func() datasource.DataSource { return &pipelineRunDataSource{} },
		func() datasource.DataSource { return &rolloutDataSource{} },
	}
}
