package githubhub

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Job is a workflow to be run by act on this machine: its event, its checkout, its secrets.
//
// What act does not do, and a test cannot see by it: `permissions:`, environments and their rules, `concurrency:`, and
// actions in containers. GITHUB_TOKEN is therefore the test's to choose.
type Job struct {
	Repo *Repository
	// Dir is where the workflow's file is read from: a checkout, such as Clone gives it. On a pull request its HEAD
	// becomes GITHUB_SHA, so it is to be at refs/pull/N/merge. The steps get their files by actions/checkout alone.
	Dir      string
	Workflow string // file in Dir: ".github/workflows/plan.yml"
	Event    Event
	Job      string // only this job and those that it needs; "": all
	// Token is the GITHUB_TOKEN; "": that of the run.
	Token   string
	Run     Run // zero: a new one
	Secrets map[string]string
	Vars    map[string]string
	Env     map[string]string
	// Actions are local folders for actions by their uses: "acme/x@v1". Stand-ins for actions/checkout,
	// actions/upload-artifact and actions/download-artifact are there already, at whatever version the workflow names.
	Actions map[string]string
	// Unmasked leaves secrets in the log, which GitHub would mask: a test then sees what the program itself printed.
	Unmasked bool
	Timeout  time.Duration // 0: 5 minutes
}

// A Result of a workflow.
type Result struct {
	ExitCode int // 0 if all jobs succeeded
	Run      Run
	Jobs     map[string]string // "success" or "failure" by id of the job
	Steps    []Step            // in the order in which they ended, those within a composite action left out
	Log      string            // what steps printed, and act about them
	Summary  string            // GITHUB_STEP_SUMMARY of all steps
}

// A Step of a job.
type Step struct {
	Job     string
	ID      string // a number where the workflow has none
	Name    string
	Result  string // "success", "failure" or "skipped"
	Outputs map[string]string
}

// Step returns the first step of an id, zero if there is none.
func (r Result) Step(id string) Step {
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.ID == id })
	if i < 0 {
		return Step{}
	}
	return r.Steps[i]
}

// Act runs a workflow with act on this machine, against the hub. A workflow that fails is a Result; what keeps it from
// being run fails the test.
func (h *Hub) Act(j Job) Result {
	h.t.Helper()
	act, err := build(filepath.Dir(h.program.modules), "acttool", "github.com/nektos/act")
	skipWithoutModules(h.t, err)
	if err != nil {
		h.t.Fatal(err)
	}
	if j.Run.ID == 0 {
		j.Run = j.Repo.For(h).Run(NewRun{Workflow: j.Workflow, Event: j.Event.Name, Branch: j.Event.Branch, Number: j.Event.Number})
	}
	if j.Token == "" {
		j.Token = j.Run.Token
	}
	if j.Timeout == 0 {
		j.Timeout = 5 * time.Minute
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), j.Timeout)
	defer cancel()
	home := h.t.TempDir()
	cmd := exec.CommandContext(ctx, act, h.arguments(j)...)
	cmd.Dir = j.Dir
	cmd.Env = actEnvironment(home)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that act ends its steps
	cmd.WaitDelay = 10 * time.Second
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	r := read(out)
	r.Run = j.Run
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		h.t.Fatalf("act %s took longer than %s:\n%s", j.Workflow, j.Timeout, r.Log)
	case errors.As(err, &exit):
		r.ExitCode = exit.ExitCode()
	case err != nil:
		h.t.Fatalf("act %s: %v", j.Workflow, err)
	}
	if len(r.Jobs) == 0 {
		h.t.Fatalf("act %s ran no job:\n%s%s", j.Workflow, r.Log, complaints.String())
	}
	conclusion := "success"
	if r.ExitCode != 0 {
		conclusion = "failure"
	}
	j.Repo.For(h).Finish(j.Run, conclusion)
	return r
}

// actEnvironment has no settings of the person who runs the tests, and no token of theirs.
func actEnvironment(home string) []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		for _, prefix := range []string{"GITHUB_", "ACTIONS_", "RUNNER_", "INPUT_", "GIT_", "XDG_", "CI="} {
			if strings.HasPrefix(kv, prefix) {
				return true
			}
		}
		return false
	})
	config := filepath.Join(home, "config")
	_ = os.MkdirAll(filepath.Join(config, "act"), 0o750)
	_ = os.WriteFile(filepath.Join(config, "act", "actrc"), nil, 0o600) // else act asks which image to use
	return append(env, "XDG_CONFIG_HOME="+config, "XDG_CACHE_HOME="+filepath.Join(home, "cache"),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GITHUB_STEP_SUMMARY=")
}

// arguments are act's for a job.
func (h *Hub) arguments(j Job) []string {
	h.t.Helper()
	sender := j.Event.Sender
	if sender == "" {
		sender = "octocat"
	}
	args := []string{
		j.Event.Name, "--eventpath", j.Repo.For(h).EventFile(j.Event), "--workflows", j.Workflow, "--actor", sender,
		"--json", "--no-cache-server", "--action-offline-mode", "--pull=false", "--no-skip-checkout", "--no-recurse",
	}
	for _, label := range []string{"ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04"} {
		args = append(args, "--platform", label+"=-self-hosted")
	}
	if j.Job != "" {
		args = append(args, "--job", j.Job)
	}
	if j.Unmasked {
		args = append(args, "--insecure-secrets")
	}
	env := map[string]string{
		"GITHUB_SERVER_URL": h.ServerURL, "GITHUB_API_URL": h.APIURL, "GITHUB_REPOSITORY": j.Repo.FullName,
		"GITHUB_RUN_ID": strconv.FormatInt(j.Run.ID, 10), "GITHUB_REF_PROTECTED": strconv.FormatBool(j.Run.Protected),
		"TIDEGATE_GITHUB": h.program.path,
	}
	maps.Copy(env, j.Env)
	for _, k := range slices.Sorted(maps.Keys(env)) {
		args = append(args, "--env", k+"="+env[k])
	}
	args = append(args, "--secret", "GITHUB_TOKEN="+j.Token)
	for _, k := range slices.Sorted(maps.Keys(j.Secrets)) {
		args = append(args, "--secret", k+"="+j.Secrets[k])
	}
	for _, k := range slices.Sorted(maps.Keys(j.Vars)) {
		args = append(args, "--var", k+"="+j.Vars[k])
	}
	actions := h.standIns(filepath.Join(j.Dir, j.Workflow))
	maps.Copy(actions, j.Actions)
	for _, uses := range slices.Sorted(maps.Keys(actions)) {
		args = append(args, "--local-repository", uses+"="+actions[uses])
	}
	return args
}

var usesStandIn = regexp.MustCompile(`(?m)^\s*(?:- )?\s*uses:\s*["']?(actions/(checkout|upload-artifact|download-artifact)@[\w.-]+)`)

// standIns are those for the actions that a workflow uses, at the versions that it names.
func (h *Hub) standIns(workflow string) map[string]string {
	h.t.Helper()
	b, err := os.ReadFile(workflow)
	if err != nil {
		h.t.Fatalf("read the workflow: %v", err)
	}
	found := map[string]string{}
	for _, m := range usesStandIn.FindAllStringSubmatch(string(b), -1) {
		found[m[1]] = filepath.Join(h.program.modules, "githubtest", "actions", m[2])
	}
	return found
}

// A line of act's log.
type line struct {
	Msg        string
	Raw        bool `json:"raw_output"`
	JobID      string
	Step       string
	StepID     []string
	Stage      string
	StepResult string
	JobResult  string
	Command    string
	Name, Arg  string
	Content    string
}

// read makes a result of act's log.
func read(out []byte) Result {
	r := Result{Jobs: map[string]string{}}
	var log, summary strings.Builder
	outputs := map[string]map[string]string{} // by job and step
	for text := range strings.Lines(string(out)) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			log.WriteString(text)
			continue
		}
		log.WriteString(strings.TrimSuffix(l.Msg, "\n") + "\n")
		key := l.JobID + "/" + strings.Join(l.StepID, "/")
		switch {
		case l.Command == "summary":
			summary.WriteString(l.Content)
		case l.Command == "set-output" && l.Name != "":
			if outputs[key] == nil {
				outputs[key] = map[string]string{}
			}
			outputs[key][l.Name] = l.Arg
		case l.JobResult != "":
			r.Jobs[l.JobID] = l.JobResult
		case l.StepResult != "" && l.Stage == "Main" && len(l.StepID) == 1:
			r.Steps = append(r.Steps, Step{Job: l.JobID, ID: l.StepID[0], Name: l.Step, Result: l.StepResult})
		}
	}
	for i, s := range r.Steps { // act reads a step's outputs after it has told the result
		r.Steps[i].Outputs = outputs[s.Job+"/"+s.ID]
	}
	r.Log, r.Summary = log.String(), summary.String()
	return r
}
