package terraform

import (
	"context"
	"io"
	"time"
)

// A Root is a root module, and how to run the tool in it. Its methods run one after another: the tool keeps files in
// Dir. When a context ends, the tool gets one interrupt, as from a terminal, and is waited for: it lets go of the
// state's lock by itself.
type Root struct {
	Tool Tool
	Dir  string   // of the root module
	Env  []string // of the tool; nil is this process's
	// Workspace that is selected, "" for the one that is; see SelectWorkspace.
	Workspace   string
	Backend     []string // values of -backend-config
	VarFiles    []string // of -var-file; relative to Dir
	Vars        []string // of -var, "name=value"
	PluginCache string   // a folder for providers, made where it is not there; "" is what the environment says
	LockTimeout time.Duration
	Scrub       *Scrubber // hides secrets in what the tool says, in logs and errors; nil hides what Env holds
	Log         io.Writer // gets what the tool says, scrubbed, while it says it; nil for nobody
}

// Check says what is wrong with Dir before the tool is asked: not there, no folder, no configuration in it.
func (r *Root) Check() error { return errSoon }

// Init initialises the root module, and selects Workspace if one is named.
func (r *Root) Init(ctx context.Context) error { return errSoon }

// SelectWorkspace selects Workspace, which must exist; it does nothing if none is named.
func (r *Root) SelectWorkspace(ctx context.Context) error { return errSoon }

// CurrentWorkspace is the workspace that is selected.
func (r *Root) CurrentWorkspace(ctx context.Context) (string, error) { return "", errSoon }

// Lineage is the id of the state, "" if there is none yet.
func (r *Root) Lineage(ctx context.Context) (string, error) { return "", errSoon }

// FormatCheck finds the files that are not formatted, each with the first line that would change.
func (r *Root) FormatCheck(ctx context.Context) ([]Finding, error) { return nil, errSoon }

// Validate finds what the tool says against the configuration. The error is for a tool that could not say.
func (r *Root) Validate(ctx context.Context) ([]Finding, error) { return nil, errSoon }

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
	return false, errSoon
}

// ReadPlan is the plan in a file. The key may be nil: see Fingerprint. It runs the tool three times, for the
// plan, the state's lineage and the workspace; the providers' versions and the lock file are read from Dir.
func (r *Root) ReadPlan(ctx context.Context, file string, key []byte) (Plan, error) {
	return Plan{}, errSoon
}

// ShowJSON writes the plan in a file as the tool's own JSON. Secrets are in it.
func (r *Root) ShowJSON(ctx context.Context, file string, w io.Writer) error { return errSoon }

// Apply applies a plan file. The result says what was done also where there is an error.
func (r *Root) Apply(ctx context.Context, file string) (Applied, error) { return Applied{}, errSoon }

// A Finding is a remark on the configuration.
type Finding struct {
	Rule     string // "fmt" or "validate"
	Severity string // "error" or "warning"
	Summary  string
	Detail   string
	File     string // relative to Dir, with slashes; "" where the tool named none
	// Positions begin at 1; 0 is unknown.
	Line, Column, EndLine, EndColumn int
}

// Applied is what an apply did.
type Applied struct {
	Done    []AppliedChange // in the order in which they were finished
	Failed  []AppliedChange // with what went wrong; Address is "" for an error that belongs to no resource
	Skipped []string        // addresses that were to be changed, and were not begun, or were interrupted: see Unfinished
	// Unfinished are addresses whose change was begun and whose end nobody saw: the run was cut off.
	Unfinished []string
	Warnings   []Diagnostic
	Outputs    []Output // of the root module, sorted by name
	Canceled   bool     // by the context
}

// An AppliedChange is one of the things that an apply did or failed to do.
type AppliedChange struct {
	Address string
	Action  Action
	Seconds int
	Error   Diagnostic // zero where it was done
}

// A Diagnostic is an error or a warning of the tool, scrubbed.
type Diagnostic struct {
	Severity string // "error" or "warning"
	Summary  string
	Detail   string
	Address  string // of a resource, or ""
	File     string
	Line     int
}

// An Output of the root module after an apply.
type Output struct {
	Name  string
	Value Value
}
