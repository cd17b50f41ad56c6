package provider

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
)

var (
	dataDirPath    = path.Root("local").AtName("data_dir")
	configFilePath = path.Root("config_file")
)

type providerModel struct {
	ConfigFile types.String `tfsdk:"config_file"`
	Local      types.Object `tfsdk:"local"`
	GitHub     types.Object `tfsdk:"github"`
}

// known says what of the configuration is: the rest depends on what is not applied yet.
type known struct{ local, hub bool }

// config says where things are: the block first, then the file, then the environment, then the defaults.
func (m providerModel) config(root string, diags *diag.Diagnostics) (engine.Config, known) {
	if m.ConfigFile.IsUnknown() {
		return engine.Config{}, known{}
	}
	dir, dirKnown := m.dataDir()
	hub, hubKnown := m.github()
	said := engine.Config{Local: engine.Local{DataDir: dir}, GitHub: hub}
	file := m.ConfigFile.ValueString()
	if file == "" {
		file = os.Getenv(engine.FileVariable)
	}
	if file == "" && dir == "" && dirKnown {
		warnOfFile(root, diags)
	}
	c, err := engine.Resolve(root, said, file)
	if err != nil {
		diags.AddAttributeError(configFilePath, "Cannot read the configuration file", err.Error())
		return engine.Config{}, known{}
	}
	if m.ConfigFile.ValueString() != "" {
		m.agree(root, said, c, diags)
	}
	return c, known{local: dirKnown, hub: hubKnown}
}

// agree wants block and file to name the same place, where both name one: both were written down for this root module, so
// which one is meant cannot be guessed.
func (m providerModel) agree(root string, said, c engine.Config, diags *diag.Diagnostics) {
	file := m.ConfigFile.ValueString()
	if !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	read, err := engine.ReadFile(file)
	if err != nil {
		diags.AddAttributeError(configFilePath, "Cannot read the configuration file", err.Error()) // it was read a moment ago
		return
	}
	for _, both := range []struct {
		at                    path.Path
		name                  string
		said, block, file     string
		summary, consequences string
	}{
		{dataDirPath, "local.data_dir", said.Local.DataDir, c.Local.DataDir, read.Local.DataDir,
			"Two data directories are configured", "each names another engine"},
		{githubPath.AtName("owner"), "github.owner", said.GitHub.Owner, c.GitHub.Owner, read.GitHub.Owner,
			"Two owners are configured", "each names other repositories"},
		{githubPath.AtName("api_url"), "github.api_url", said.GitHub.APIURL, c.GitHub.APIURL, read.GitHub.APIURL,
			"Two GitHub servers are configured", "each has other repositories"},
	} {
		if both.said == "" || both.file == "" || both.file == both.block {
			continue
		}
		diags.AddAttributeError(both.at, both.summary, fmt.Sprintf(
			"%[1]s of the provider block is %[2]s, and %[1]s of %[3]s is %[4]s. Remove one of them: %[5]s.",
			both.name, both.block, file, both.file, both.consequences))
	}
}

// warnOfFile says that a file which the command line reads in this folder does not count here.
func warnOfFile(root string, diags *diag.Diagnostics) {
	if _, err := os.Stat(filepath.Join(root, engine.FileName)); errors.Is(err, fs.ErrNotExist) {
		return
	}
	diags.AddAttributeWarning(configFilePath, engine.FileName+" is not read", fmt.Sprintf(
		"The root module holds a %[1]s, which the command line reads there, and the provider does not, unless it is told: "+
			"what a plan means is in its configuration. Set config_file = \"%[1]s\" in the provider block.", engine.FileName))
}

// dataDir returns the engine's folder as the block has it, "" where it has none, and false while it is unknown.
func (m providerModel) dataDir() (string, bool) {
	if m.Local.IsUnknown() {
		return "", false
	}
	return attribute(m.Local, "data_dir")
}
