package action

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/evaluate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// A Mode is what a run does.
type Mode string

// The modes.
const (
	ModePlan     Mode = "plan"
	ModeApply    Mode = "apply"
	ModeEvaluate Mode = "evaluate"
	ModePromote  Mode = "promote"
)

// A Verify says what an apply is held against.
type Verify string

// What an apply is held against.
const (
	VerifyReplan Verify = "replan" // a fresh plan must have the structure of the reviewed one
	VerifySaved  Verify = "saved"  // the plan file of this very run, sealed
	VerifyNone   Verify = "none"   // nothing
)

// Inputs are what a run is asked.
type Inputs struct {
	Mode  Mode
	Token string // of GitHub
	Key   string // of fingerprints and sealed plans
	// Secrets are scrubbed from all that leaves the run, besides those that the tool and the environment name.
	Secrets []string

	Roots       []string // folders or globs; with "!" before it what to leave out
	Name        string   // of comment and check runs, where one repository has several of the same roots
	Tool        string   // "terraform", "tofu" or a path; "" is what is there
	Workspace   string
	Backend     []string
	VarFiles    []string
	Vars        []string
	PluginCache string
	LockTimeout time.Duration
	Guards      terraform.Guards
	Unlocked    bool   // plan without the state's lock
	Format      string // "warn", "fail" or "off"
	Save        string // file for the sealed plan
	Review      string // file for the plan's fingerprint
	DetailCode  bool   // exit code 2 for a plan with changes

	Verify      Verify
	Artifact    int64  // that holds the sealed plan
	Saved       string // file with the sealed plan
	Reviewed    string // file with the reviewed plan's fingerprint
	Environment string // of deployments

	Metrics   string
	Reference string
	Rules     []evaluate.Rule

	Endpoints   []string // whose rollouts are driven, in this order
	Named       bool     // only Endpoints, if there are any; else all that are staged
	OnCancel    string
	NoWait      bool
	Timeout     time.Duration // 0: as long as it takes
	stagedRoots []string      // by which each of Endpoints was staged; nil where they are names

	Summary string // file for the report
}

// An Input is something that a run can be asked, by the Action's inputs or the command line's flags.
type Input struct {
	Name  string // of the Action's input: "max_changes"; the flag is --max-changes
	Usage string
	Modes []Mode
	Where Where
	// Secret inputs have no flag: a command line is for all to see. The environment has them: TIDEGATE_KEY.
	Secret bool
	Bool   bool
	// Many takes one value a line, or several flags.
	Many bool
	set  func(in *Inputs, value string) error
}

// Where an input is taken.
type Where int

// The places.
const (
	Everywhere Where = iota
	OnlyGitHub
	OnlyFlags
)

// Flag is the input's name on the command line.
func (i Input) Flag() string { return strings.ReplaceAll(i.Name, "_", "-") }

// Implied is the value of a flag without one.
func (i Input) Implied() string {
	if i.Bool {
		return "true"
	}
	return ""
}

// Kind is what a flag's help calls its value.
func (i Input) Kind() string {
	switch {
	case i.Bool:
		return "bool"
	case i.Many:
		return "strings"
	}
	return "string"
}

// In reports whether a mode takes the input.
func (i Input) In(m Mode) bool { return slices.Contains(i.Modes, m) }

// Set sets it.
func (i Input) Set(in *Inputs, value string) error {
	if !i.Many {
		value = strings.TrimSpace(value)
	}
	if err := i.set(in, value); err != nil {
		return fmt.Errorf("%s: %w", i.Name, err)
	}
	return nil
}

var (
	planned  = []Mode{ModePlan, ModeApply}
	onPlan   = []Mode{ModePlan}
	onApply  = []Mode{ModeApply}
	onMetric = []Mode{ModeEvaluate}
	judged   = []Mode{ModePlan, ModeApply, ModeEvaluate}
	rooted   = []Mode{ModePlan, ModeApply, ModePromote}
	always   = []Mode{ModePlan, ModeApply, ModeEvaluate, ModePromote}
)

// wantMode lists the choices.
const wantMode = "want plan, apply, evaluate or promote"

// All are the inputs, in the order in which people read of them.
func All() []Input {
	return append([]Input{
		{Name: "root", Usage: "root modules: folders or globs, one a line; ! leaves out", Modes: rooted, Many: true,
			set: func(in *Inputs, v string) error { in.Roots = append(in.Roots, lines(v)...); return nil }},
		{Name: "tool", Usage: "terraform, tofu or a path to one; without it what is on the PATH", Modes: planned,
			set: func(in *Inputs, v string) error { in.Tool = v; return nil }},
		{Name: "workspace", Usage: "Terraform workspace, which must exist", Modes: planned,
			set: func(in *Inputs, v string) error { in.Workspace = v; return nil }},
		{Name: "var_file", Usage: "files of variables, one a line, relative to the root", Modes: planned, Many: true,
			set: func(in *Inputs, v string) error { in.VarFiles = append(in.VarFiles, lines(v)...); return nil }},
		{Name: "var", Usage: "variables as name=value, one a line", Modes: planned, Many: true, set: setVars},
		{Name: "backend_config", Usage: "values or files for -backend-config, one a line", Modes: planned, Many: true,
			set: func(in *Inputs, v string) error { in.Backend = append(in.Backend, lines(v)...); return nil }},
		{Name: "plugin_cache", Usage: "folder in which providers are kept between runs", Modes: planned,
			set: func(in *Inputs, v string) error { in.PluginCache = v; return nil }},
		{Name: "lock_timeout", Usage: "how long to wait for the state's lock, such as 5m", Modes: planned, set: setLockTimeout},
		{Name: "lock", Usage: "false plans without the state's lock, for credentials that may only read", Modes: onPlan, Bool: true, set: setLock},
		{Name: "key", Usage: "secret of 16 bytes or more that keys fingerprints and seals plans", Modes: planned, Secret: true, set: setKey},
		{Name: "secrets", Usage: "secrets to be scrubbed from comment, summary and log, one a line", Modes: planned, Secret: true, Many: true,
			set: func(in *Inputs, v string) error { in.Secrets = append(in.Secrets, lines(v)...); return nil }},
		{Name: "protect", Usage: "patterns of addresses that may not be destroyed or replaced, one a line", Modes: planned, Many: true,
			set: func(in *Inputs, v string) error {
				in.Guards.Protect = append(in.Guards.Protect, lines(v)...)
				return nil
			}},
		{Name: "forbid", Usage: "types that may not be created or changed, one a line", Modes: planned, Many: true,
			set: func(in *Inputs, v string) error {
				in.Guards.Forbid = append(in.Guards.Forbid, lines(v)...)
				return nil
			}},
		{Name: "max_changes", Usage: "the most resources that a plan may change", Modes: planned, set: setMaxChanges},
		{Name: "format", Usage: "what files that are not formatted are: warn, fail or off", Modes: onPlan, set: setFormat},
		{Name: "name", Usage: "name of comment and check run, where there are several for the same roots", Modes: planned, Where: OnlyGitHub,
			set: func(in *Inputs, v string) error { in.Name = v; return nil }},
		{Name: "token", Usage: "token of GitHub", Modes: planned, Where: OnlyGitHub, Secret: true,
			set: func(in *Inputs, v string) error { in.Token = v; return nil }},
		{Name: "save", Usage: "file to write the sealed plan to, for verify: saved", Modes: onPlan,
			set: func(in *Inputs, v string) error { in.Save = v; return nil }},
		{Name: "review", Usage: "file to write the plan's fingerprint to, for apply --reviewed", Modes: onPlan, Where: OnlyFlags,
			set: func(in *Inputs, v string) error { in.Review = v; return nil }},
		{Name: "detailed_exitcode", Usage: "exit with 2 if the plan has changes", Modes: onPlan, Where: OnlyFlags, Bool: true,
			set: func(in *Inputs, v string) (err error) { in.DetailCode, err = strconv.ParseBool(v); return err }},
		{Name: "verify", Usage: "what is held against the reviewed plan: replan, saved or none", Modes: onApply, set: setVerify},
		{Name: "artifact", Usage: "id of this run's artifact with the sealed plan, for verify: saved", Modes: onApply, Where: OnlyGitHub, set: setArtifact},
		{Name: "saved", Usage: "file with the sealed plan, for --verify saved", Modes: onApply, Where: OnlyFlags,
			set: func(in *Inputs, v string) error { in.Saved = v; return nil }},
		{Name: "reviewed", Usage: "file with the reviewed plan's fingerprint, which plan --review wrote", Modes: onApply, Where: OnlyFlags,
			set: func(in *Inputs, v string) error { in.Reviewed = v; return nil }},
		{Name: "environment", Usage: "environment of a GitHub deployment that tells of the apply", Modes: onApply, Where: OnlyGitHub,
			set: func(in *Inputs, v string) error { in.Environment = v; return nil }},
		{Name: "metrics", Usage: "JSON file of metrics, or a run of MLflow", Modes: onMetric,
			set: func(in *Inputs, v string) error { in.Metrics = v; return nil }},
		{Name: "reference", Usage: "metrics file to compare with", Modes: onMetric,
			set: func(in *Inputs, v string) error { in.Reference = v; return nil }},
		{Name: "min", Usage: "least values as metric=number, one a line", Modes: onMetric, Many: true, set: setRules(evaluate.Min)},
		{Name: "max", Usage: "greatest values as metric=number, one a line", Modes: onMetric, Many: true, set: setRules(evaluate.Max)},
		{Name: "max_regression", Usage: "how far from the reference: accuracy=-0.01 may fall, loss=+5% may rise, one a line", Modes: onMetric, Many: true,
			set: setRules(evaluate.Regression)},
		{Name: "summary", Usage: "file to write the report to, as Markdown", Modes: judged, Where: OnlyFlags,
			set: func(in *Inputs, v string) error { in.Summary = v; return nil }},
	}, promoteInputs()...)
}

// New are a mode's inputs before anything is asked.
func New(m Mode) Inputs {
	return Inputs{Mode: m, Verify: VerifyReplan, Format: "warn", LockTimeout: 2 * time.Minute}
}

// FromAction reads the Action's inputs. What the mode does not take is an error: an input that does nothing hides
// that something else was meant.
func FromAction(get func(name string) string) (Inputs, error) {
	mode := Mode(get("mode"))
	if !slices.Contains(always, mode) {
		return Inputs{}, fmt.Errorf("mode %q: %s", mode, wantMode)
	}
	in := New(mode)
	var errs []error
	for _, i := range All() {
		value := get(i.Name)
		if strings.TrimSpace(value) == "" || i.Where == OnlyFlags {
			continue
		}
		if !i.In(mode) {
			if i.Name != "token" { // which has a default
				errs = append(errs, fmt.Errorf("%s: mode %s does not take it; it is for %s", i.Name, mode, modes(i.Modes)))
			}
			continue
		}
		if err := i.Set(&in, value); err != nil {
			errs = append(errs, err)
		}
	}
	return in, errors.Join(append(errs, in.Check())...)
}

// Check finds what does not go together.
func (in *Inputs) Check() error {
	if in.Mode == ModeEvaluate {
		return in.checkMetrics()
	}
	if in.Mode == ModePromote {
		return in.checkPromote()
	}
	if len(in.Roots) == 0 {
		in.Roots = []string{"."}
	}
	var errs []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if err := in.Guards.Validate(); err != nil {
		errs = append(errs, err)
	}
	add(in.Save != "" && in.Unlocked, "save: a plan that was made without the state's lock is not to be applied: leave out lock")
	add(in.Save != "" && in.Key == "", "save: a plan file holds secrets and is sealed with the input key, which is not given")
	saved := in.Artifact != 0 || in.Saved != ""
	add(in.Verify == VerifySaved && in.Key == "", "verify: saved opens the sealed plan with the input key, which is not given")
	add(in.Verify == VerifySaved && !saved, "verify: saved wants the artifact with the sealed plan, which is not given")
	add(in.Verify != VerifySaved && saved, "artifact: only verify: saved takes a sealed plan, this is verify: %s", in.Verify)
	add(in.Verify != VerifyReplan && in.Reviewed != "", "reviewed: only verify: replan compares fingerprints, this is verify: %s", in.Verify)
	return errors.Join(errs...)
}

func setVars(in *Inputs, v string) error {
	for _, line := range lines(v) {
		if i := strings.Index(line, "="); i < 1 {
			return errors.New("want name=value on every line") // the line may be a secret
		}
		in.Vars = append(in.Vars, line)
	}
	return nil
}

func setKey(in *Inputs, v string) error {
	if len(v) < 16 {
		return fmt.Errorf("it has %d bytes: want at least 16, made at random: openssl rand -base64 32", len(v))
	}
	in.Key = v
	return nil
}

func setLockTimeout(in *Inputs, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return fmt.Errorf("%q: want a duration such as 5m", v)
	}
	in.LockTimeout = d
	return nil
}

func setLock(in *Inputs, v string) error {
	lock, err := strconv.ParseBool(v)
	if err != nil {
		return fmt.Errorf("%q: want true or false", v)
	}
	in.Unlocked = !lock
	return nil
}

func setMaxChanges(in *Inputs, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return fmt.Errorf("%q: want a number from 1", v)
	}
	in.Guards.MaxChanges = n
	return nil
}

func setFormat(in *Inputs, v string) error {
	if !slices.Contains([]string{"warn", "fail", "off"}, v) {
		return fmt.Errorf("%q: want warn, fail or off", v)
	}
	in.Format = v
	return nil
}

func setVerify(in *Inputs, v string) error {
	in.Verify = Verify(v)
	if !slices.Contains([]Verify{VerifyReplan, VerifySaved, VerifyNone}, in.Verify) {
		return fmt.Errorf("%q: want replan, saved or none", v)
	}
	return nil
}

func setArtifact(in *Inputs, v string) error {
	id, err := strconv.ParseInt(v, 10, 64)
	if err != nil || id < 1 {
		return fmt.Errorf("%q: want the id that the upload gave, not a name: names can be taken by others", v)
	}
	in.Artifact = id
	return nil
}

// FromEnvironment sets the secret inputs of a mode from the environment: TIDEGATE_KEY, TIDEGATE_SECRETS.
func FromEnvironment(in *Inputs, getenv func(string) string) error {
	for _, i := range All() {
		value := getenv("TIDEGATE_" + strings.ToUpper(i.Name))
		if !i.Secret || !i.In(in.Mode) || i.Where == OnlyGitHub || value == "" {
			continue
		}
		if err := i.Set(in, value); err != nil {
			return fmt.Errorf("environment TIDEGATE_%s: %w", strings.ToUpper(i.Name), err)
		}
	}
	return nil
}

// lines are those that say something.
func lines(text string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func modes(ms []Mode) string {
	names := make([]string, len(ms))
	for i, m := range ms {
		names[i] = string(m)
	}
	return strings.Join(names, " and ")
}

// read is os.ReadFile with an error that says what the file was for.
func read(what, path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	return b, nil
}
