package command

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine"
)

// where are the flags that say where things are, like the provider's block.
type where struct {
	version       string
	file, dataDir path
}

// A path is the value of a flag that is not there or says something.
type path string

func (f *path) String() string { return string(*f) }
func (f *path) Type() string   { return "path" }
func (f *path) Set(s string) error {
	if s == "" {
		return errors.New("it is empty: want a path")
	}
	*f = path(s)
	return nil
}

func (w *where) flags(f *pflag.FlagSet) {
	f.Var(&w.file, "config", "file that says where things are (default: "+engine.FileVariable+", else "+engine.FileName+" here, if there is one)")
	f.Var(&w.dataDir, "data-dir", "where the embedded engine keeps its data (default: the file's, else "+engine.DataDirVariable+", else "+engine.DefaultDataDir+")")
}

// config is what flags, file and environment say together. A folder that a flag names needs no file,
// so that one which happens to lie here is read only where it counts.
func (w *where) config() (engine.Config, error) {
	here, err := os.Getwd()
	if err != nil {
		return engine.Config{}, fmt.Errorf("find the working directory: %w", err)
	}
	file := string(w.file)
	if w.dataDir == "" {
		if file, err = engine.FindFile(here, file); err != nil {
			return engine.Config{}, err
		}
	}
	return engine.Resolve(here, engine.Config{Local: engine.Local{DataDir: string(w.dataDir)}}, file)
}

// open returns engines that are started when something is to be done.
func (w *where) open() (*engine.Engines, error) {
	c, err := w.config()
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program, which is the engine too: %w", err)
	}
	return engine.Open(c, engine.Program{Version: w.version, Command: []string{exe, "engine", "run"}}), nil
}

// look returns engines that are only looked at: what does not run stays like that.
func (w *where) look() (*engine.Engines, error) {
	c, err := w.config()
	if err != nil {
		return nil, err
	}
	return engine.Open(c, engine.Program{}), nil
}
