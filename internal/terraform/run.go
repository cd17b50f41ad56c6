package terraform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Root is a root module, and how to run the tool in it. Its methods run one after another: the tool keeps files in
// Dir. When a context ends, the tool gets one interrupt, as from a terminal, and is waited for: it lets go of the
// state's lock by itself. Even if this process is killed, the tool goes on to its end.
type Root struct {
	Tool Tool
	Dir  string   // of the root module
	Env  []string // of the tool; nil is this process's
	// Workspace to select, "" for the one that is selected; see SelectWorkspace.
	Workspace   string
	Backend     []string // values of -backend-config
	VarFiles    []string // of -var-file; relative to Dir
	Vars        []string // of -var, "name=value"; other users of the machine can see them, unlike TF_VAR_name in Env
	PluginCache string   // a folder for providers, made where it is not there; "" is what the environment says
	LockTimeout time.Duration
	// Scrub hides secrets in what the tool says, in logs and errors; nil becomes one of what Env holds. What plans call
	// sensitive is added to it, and what Vars do by their names.
	Scrub *Scrubber
	Log   io.Writer // gets what the tool says, scrubbed, while it says it; nil for nobody
}

// Check says what is wrong with Dir before the tool is asked: not there, no folder, no configuration in it.
func (r *Root) Check() error {
	st, err := os.Stat(r.Dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("root module %q: there is no such folder; want the path of one with .tf files, relative to the working folder", r.Dir)
	case err != nil:
		return fmt.Errorf("root module %q: %w", r.Dir, err)
	case !st.IsDir():
		return fmt.Errorf("root module %q: that is a file; want the folder that it is in", r.Dir)
	}
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return fmt.Errorf("root module %q: %w", r.Dir, err)
	}
	for _, e := range entries {
		if !e.IsDir() && isConfig(e.Name()) {
			return nil
		}
	}
	return fmt.Errorf("root module %q: there are no .tf files in it; want the folder that has them", r.Dir)
}

// isConfig reports whether the tools read a file as configuration.
func isConfig(name string) bool {
	for _, suffix := range []string{".tf", ".tf.json", ".tofu", ".tofu.json"} {
		if strings.HasSuffix(name, suffix) && !strings.HasPrefix(name, ".") {
			return true
		}
	}
	return false
}

// Init initialises the root module, and selects Workspace if one is named.
func (r *Root) Init(ctx context.Context) error {
	if err := r.Check(); err != nil {
		return err
	}
	args := []string{"init", "-input=false", "-no-color"}
	for _, b := range r.Backend {
		args = append(args, "-backend-config="+b)
	}
	if err := r.run(ctx, command{doing: "init", args: r.lockArgs(args), text: true}); err != nil {
		return err
	}
	return r.SelectWorkspace(ctx)
}

// SelectWorkspace selects Workspace, which must exist; it does nothing if none is named.
func (r *Root) SelectWorkspace(ctx context.Context) error {
	if r.Workspace == "" {
		return nil
	}
	if now, err := r.CurrentWorkspace(); err != nil || now == r.Workspace {
		return err
	}
	return r.run(ctx, command{doing: "select the workspace " + r.Workspace, args: []string{"workspace", "select", "-no-color", r.Workspace}, text: true})
}

// CurrentWorkspace is the workspace that is selected. It reads what the tool does, without starting it.
func (r *Root) CurrentWorkspace() (string, error) {
	env := r.environment()
	if name := lookup(env, "TF_WORKSPACE"); name != "" {
		return name, nil
	}
	data := lookup(env, "TF_DATA_DIR")
	if data == "" {
		data = ".terraform"
	}
	b, err := os.ReadFile(r.path(filepath.Join(data, "environment")))
	if errors.Is(err, os.ErrNotExist) {
		return "default", nil
	}
	if err != nil {
		return "", fmt.Errorf("read which workspace is selected in %q: %w", r.Dir, err)
	}
	if name := strings.TrimSpace(string(b)); name != "" {
		return name, nil
	}
	return "default", nil
}

// A PlanMode is what -destroy and -refresh-only make of a plan.
type PlanMode string

// The modes of a plan.
const (
	Normal      PlanMode = ""
	DestroyAll  PlanMode = "destroy"
	RefreshOnly PlanMode = "refresh-only"
)

// PlanOptions narrow a plan.
type PlanOptions struct {
	Mode    PlanMode
	Targets []string // addresses for -target
	Replace []string // addresses for -replace
	// Unlocked plans without the state's lock, for a plan that nobody applies.
	Unlocked bool
}

// Plan writes a plan file, whose path is absolute or relative to Dir, and reports whether it changes anything.
func (r *Root) Plan(ctx context.Context, file string, o PlanOptions) (changed bool, err error) {
	if err := r.Check(); err != nil {
		return false, err
	}
	r.scrubber().Add(r.sensitiveValues()...)
	args := []string{"plan", "-json", "-input=false", "-detailed-exitcode", "-out=" + file}
	switch o.Mode {
	case Normal:
	case DestroyAll, RefreshOnly:
		args = append(args, "-"+string(o.Mode))
	default:
		return false, fmt.Errorf("mode %q of a plan: want %q, %q or %q", o.Mode, Normal, DestroyAll, RefreshOnly)
	}
	for _, t := range o.Targets {
		args = append(args, "-target="+t)
	}
	for _, a := range o.Replace {
		args = append(args, "-replace="+a)
	}
	for _, f := range r.VarFiles {
		args = append(args, "-var-file="+f)
	}
	for _, v := range r.Vars {
		args = append(args, "-var="+v)
	}
	if o.Unlocked {
		args = append(args, "-lock=false")
	}
	err = r.run(ctx, command{doing: "plan", args: r.lockArgs(args), fine: []int{codeChanged}, code: func(code int) { changed = code == codeChanged }})
	return changed, err
}

// Exit codes that say something.
const (
	codeChanged     = 2 // of plan -detailed-exitcode
	codeUnformatted = 3 // of fmt -check
)

// ShowJSON writes the plan in a file as the tool's own JSON. Secrets are in it.
func (r *Root) ShowJSON(ctx context.Context, file string, w io.Writer) error {
	return r.run(ctx, command{doing: "show the plan", args: []string{"show", "-json", "-no-color", file}, stdout: w, piped: true})
}

func (r *Root) lockArgs(args []string) []string {
	if r.LockTimeout <= 0 {
		return args
	}
	return append(args, "-lock-timeout="+r.LockTimeout.String())
}

// path is a path that is relative to Dir.
func (r *Root) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.Dir, p)
}

// environment is what the tool gets.
func (r *Root) environment() []string {
	env := r.Env
	if env == nil {
		env = os.Environ()
	}
	if r.Workspace != "" {
		env = without(env, "TF_WORKSPACE") // it would win over the one that is named
	}
	env = append(without(env, "TF_INPUT", "TF_IN_AUTOMATION"), "TF_INPUT=0", "TF_IN_AUTOMATION=1")
	if r.PluginCache != "" {
		env = append(without(env, "TF_PLUGIN_CACHE_DIR"), "TF_PLUGIN_CACHE_DIR="+r.PluginCache)
	}
	return env
}

func (r *Root) scrubber() *Scrubber {
	if r.Scrub == nil {
		env := r.Env
		if env == nil {
			env = os.Environ()
		}
		r.Scrub = NewScrubber(SecretEnv(env)...)
	}
	r.Scrub.Add(SecretEnv(r.Vars)...)
	return r.Scrub
}
