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
}

// config says where things are, and false while the block depends on what is not applied yet: the block first,
// then the file, then the environment, then the defaults.
func (m providerModel) config(root string, diags *diag.Diagnostics) (engine.Config, bool) {
	dir, dirKnown := m.dataDir()
	if !dirKnown || m.ConfigFile.IsUnknown() {
		return engine.Config{}, false
	}
	said := engine.Config{Local: engine.Local{DataDir: dir}}
	file := m.ConfigFile.ValueString()
	if file == "" {
		file = os.Getenv(engine.FileVariable)
	}
	if file == "" && dir == "" {
		warnOfFile(root, diags)
	}
	c, err := engine.Resolve(root, said, file)
	if err != nil {
		diags.AddAttributeError(configFilePath, "Cannot read the configuration file", err.Error())
		return engine.Config{}, false
	}
	if dir != "" && m.ConfigFile.ValueString() != "" {
		return c, m.agree(root, c, diags)
	}
	return c, true
}

// agree reports whether block and file name the same folder, where both do: both were written down for this root
// module, so which one is meant cannot be guessed.
func (m providerModel) agree(root string, c engine.Config, diags *diag.Diagnostics) bool {
	file := m.ConfigFile.ValueString()
	if !filepath.IsAbs(file) {
		file = filepath.Join(root, file)
	}
	read, err := engine.ReadFile(file)
	if err != nil || read.Local.DataDir == "" || read.Local.DataDir == c.Local.DataDir {
		return err == nil // it was read a moment ago
	}
	diags.AddAttributeError(dataDirPath, "Two data directories are configured", fmt.Sprintf(
		"local.data_dir of the provider block is %s, and local.data_dir of %s is %s. Remove one of them: each names another engine.",
		c.Local.DataDir, file, read.Local.DataDir))
	return false
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
	dir, ok := m.Local.Attributes()["data_dir"].(types.String)
	if !ok {
		return "", true
	}
	return dir.ValueString(), !dir.IsUnknown()
}
