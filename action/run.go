package action

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// A run is one run of plan or apply: its roots, and what is known of them by now.
type run struct {
	*Stage
	in    Inputs
	event event           // zero outside of GitHub
	forge forge           // nil outside of GitHub, and for a fork's pull request, whose token may only read
	check github.CheckRun // our own
	temp  string
	key   []byte // of fingerprints; nil for none
	began time.Time
	plans []*rootPlan
}

// A rootPlan is what a run found out about one root module.
type rootPlan struct {
	report.Root
	Path string // relative to the stage's Dir: report.Root.Dir is the same, for people
	tf   *terraform.Root
	file string // the plan's; "" for none
}

// start finds the roots, the tool and, on GitHub, what the run is of. close ends it.
func start(ctx context.Context, s *Stage, in Inputs) (*run, error) {
	r := &run{Stage: s, in: in, began: time.Now()}
	var err error
	if s.act != nil {
		if err := r.meet(); err != nil {
			return nil, err
		}
	}
	if in.Key != "" {
		if r.key, err = terraform.DeriveKey([]byte(in.Key), printPurpose); err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
	}
	paths, err := findRoots(s.Dir, in.Roots)
	if err != nil {
		return nil, err
	}
	tool, err := terraform.Find(ctx, in.Tool, s.Env)
	if err != nil {
		return nil, err
	}
	if r.temp, err = os.MkdirTemp(s.getenv("RUNNER_TEMP"), "tidegate-"); err != nil {
		return nil, fmt.Errorf("make a folder for plan files: %w", err)
	}
	for i, path := range paths {
		p := &rootPlan{Path: path}
		p.Dir, p.Workspace = path, in.Workspace
		p.file = filepath.Join(r.temp, fmt.Sprintf("%d.tfplan", i))
		p.tf = &terraform.Root{
			Tool: tool, Dir: filepath.Join(s.Dir, filepath.FromSlash(path)), Env: s.Env,
			Workspace: in.Workspace, Backend: in.Backend, VarFiles: in.VarFiles, Vars: in.Vars,
			PluginCache: r.pluginCache(), LockTimeout: in.LockTimeout, Scrub: s.scrub,
		}
		r.plans = append(r.plans, p)
	}
	return r, nil
}

// meet reads what GitHub's runner says, and refuses what would run a stranger's code with our secrets.
func (r *run) meet() error {
	var err error
	if r.event, err = readEvent(r.getenv); err != nil {
		return err
	}
	switch r.event.Name {
	case "pull_request_target", "workflow_run", "issue_comment":
		return fmt.Errorf("event %s: it runs with the repository's secrets, and what it checks out may be a stranger's: use pull_request", r.event.Name)
	}
	if r.event.Fork() {
		r.notice("This pull request comes from a fork: its plan is in the job's summary, without comment and check run, and is never applied.")
		return nil
	}
	if r.in.Token == "" {
		return errors.New("token: it is empty: give the job's own, ${{ github.token }}, which is the default")
	}
	r.forge, err = r.github(r.Stage, r.event, r.in.Token)
	return err
}

func (r *run) close() {
	if err := os.RemoveAll(r.temp); err != nil {
		r.warn("The plan files in %s could not be removed, and hold secrets: %v", r.temp, err)
	}
}

// pluginCache keeps roots and steps of one job from fetching a provider more than once.
func (r *run) pluginCache() string {
	if r.in.PluginCache != "" || r.act == nil || r.getenv("TF_PLUGIN_CACHE_DIR") != "" {
		return r.in.PluginCache
	}
	if temp := r.getenv("RUNNER_TEMP"); temp != "" {
		return filepath.Join(temp, "tidegate-plugins")
	}
	return ""
}

// label tells a run's comment and check runs from those of others of the same repository.
func (r *run) label() string {
	if r.in.Name != "" {
		return r.in.Name
	}
	label := strings.Join(r.in.Roots, " ")
	if r.in.Workspace != "" {
		label += " (" + r.in.Workspace + ")"
	}
	return label
}

// checkName is the name of a mode's check run. Equal inputs of plan and apply give equal names.
func (r *run) checkName(m Mode) string {
	return fmt.Sprintf("Tidegate %s: %s", m, shorten(r.label(), maxName))
}

// maxName is how long the name of a comment may be, in bytes.
const maxName = 100

// shorten keeps long names apart by a hash at their end.
func shorten(name string, most int) string {
	if len(name) <= most {
		return name
	}
	const room = 13
	return strings.ToValidUTF8(name[:most-room], "") + " " + shortHash(name)
}

// page is what people read of the run.
func (r *run) page() report.Page {
	p := report.Page{Head: r.event.Head(), Run: r.event.RunURL, Fork: r.event.Fork()}
	if label := r.label(); label != "." {
		p.Name = shorten(label, maxName)
	}
	for _, plan := range r.plans {
		p.Roots = append(p.Roots, plan.Root)
	}
	return p
}

// telling is a context for what is to be said when all is over: also of a run that was cancelled, to which the runner
// gives some seconds before it kills.
func telling(ctx context.Context) (context.Context, context.CancelFunc) {
	most := 2 * time.Minute
	if ctx.Err() != nil {
		most = 5 * time.Second
	}
	return context.WithTimeout(context.WithoutCancel(ctx), most)
}
