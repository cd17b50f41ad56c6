package workflow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A job of the workflow, before it is YAML.
type job struct {
	id, about string
	needs     []string
	// pulls: it runs on pull requests as well, so others may wait for its check.
	pulls bool
	// judges: what it says decides over a merge. It speaks even if the run is cancelled.
	judges bool
	// secrets: it is given some, which pull requests from forks are not.
	secrets     bool
	when        []string // that all have to hold; what every job of its kind waits for is added
	runsOn      []string
	timeout     int
	environment string
	concurrency string // a group in which one runs at a time, and none is cancelled
	permissions []permission
	env         fields
	matrix      fields
	outputs     fields
	steps       []fields
}

// A permission of GITHUB_TOKEN, and what for.
type permission struct{ scope, level, why string }

// newJob is a job with what each stage can say.
func newJob(id string, s pipeline.Stage, timeout int) *job {
	j := &job{id: id, runsOn: s.RunsOn, timeout: timeout}
	if len(j.runsOn) == 0 {
		j.runsOn = []string{defaultRunner}
	}
	if s.TimeoutMinutes > 0 {
		j.timeout = s.TimeoutMinutes
	}
	j.permit("contents", "read", "to check out")
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		j.env.add(name, s.Env[name])
	}
	j.secrets = usesSecrets(s)
	return j
}

// asked adds the permissions that the user asks for. What the job itself needs stays.
func (j *job) asked(permissions map[string]string) {
	for _, scope := range slices.Sorted(maps.Keys(permissions)) {
		i := slices.IndexFunc(j.permissions, func(p permission) bool { return p.scope == scope })
		switch {
		case i < 0:
			j.permit(scope, permissions[scope], "asked for in the configuration")
		case permissions[scope] == "write" && j.permissions[i].level != "write":
			j.permissions[i].level = "write"
			j.permissions[i].why += ", and as asked for in the configuration"
		}
	}
}

func (j *job) permit(scope, level, why string) {
	j.permissions = append(j.permissions, permission{scope, level, why})
}

func (j *job) step(fs fields) { j.steps = append(j.steps, fs) }

// ownMachine reports whether the job runs on something else than a fresh machine of GitHub.
func (j *job) ownMachine() bool {
	return slices.ContainsFunc(j.runsOn, func(label string) bool { return !hosted.MatchString(label) })
}

var hosted = regexp.MustCompile(`^(?i:ubuntu|windows|macos)-(?:latest|[0-9][0-9.]*)(?:-(?:arm|large|xlarge|intel|slim))?$`)

// fork is true for a pull request whose code is in another repository.
const fork = "github.event_name == 'pull_request' && github.event.pull_request.head.repo.full_name != github.repository"

// fields is the job as a mapping.
func (j *job) fields(onPull bool) fields {
	trusted := onPull && j.pulls && (j.secrets || j.ownMachine())
	var fs fields
	if len(j.needs) > 0 {
		fs.add("needs", words(j.needs))
	}
	if len(j.when) > 0 {
		fs.add("if", strings.Join(j.when, " && "))
	}
	fs = append(fs, j.runner(trusted)...)
	fs.add("timeout-minutes", j.timeout)
	fs.addIf("environment", j.environment)
	if j.concurrency != "" {
		fs.add("concurrency", fields{{name: "group", value: j.concurrency}, {name: "cancel-in-progress", value: false}})
	}
	var permissions fields
	for _, p := range j.permissions {
		permissions = append(permissions, field{name: p.scope, value: p.level, note: p.why})
	}
	fs.add("permissions", permissions)
	if len(j.matrix) > 0 {
		fs.add("strategy", fields{{name: "fail-fast", value: false}, {name: "matrix", value: j.matrix}})
	}
	fs.addIf("env", j.env)
	fs.addIf("outputs", j.outputs)
	var steps list
	if onPull && j.pulls && len(j.needs) > 0 || len(j.steps) == 0 {
		steps = append(steps, j.needed())
	}
	if trusted {
		steps = append(steps, j.refuseForks())
	}
	for _, s := range j.steps {
		steps = append(steps, s)
	}
	fs.add("steps", steps)
	return fs
}

// runner says where the job runs. The code of a fork gets on no machine of the user's own: there it runs on one of GitHub's,
// where its first step refuses it. (Were the job skipped, GitHub would take its check for passed.)
func (j *job) runner(trusted bool) fields {
	switch {
	case trusted && j.ownMachine() && len(j.runsOn) == 1:
		return fields{{name: "runs-on", value: fmt.Sprintf("${{ (%s) && '%s' || %s }}", fork, defaultRunner, literal(j.runsOn[0]))}}
	case trusted && j.ownMachine():
		labels := make([]string, len(j.runsOn))
		for i, l := range j.runsOn {
			labels[i] = `"` + l + `"`
		}
		return fields{{name: "runs-on", value: fmt.Sprintf(`${{ fromJSON((%s) && '["%s"]' || %s) }}`, fork, defaultRunner,
			literal("["+strings.Join(labels, ",")+"]"))}}
	case len(j.runsOn) == 1:
		return fields{{name: "runs-on", value: j.runsOn[0]}}
	}
	return fields{{name: "runs-on", value: words(j.runsOn)}}
}

// needed fails the job unless those it needs succeeded. Without it the job would be skipped, and a skipped check is a
// passed one for GitHub.
func (j *job) needed() fields {
	conditions := make([]string, len(j.needs))
	for i, n := range j.needs {
		conditions[i] = fmt.Sprintf("needs.%s.result != 'success'", n)
	}
	names := strings.Join(j.needs, " and ")
	return fields{
		{name: "name", value: "Fail unless " + names + " succeeded", above: "GitHub takes a skipped check for a passed one."},
		{name: "if", value: strings.Join(conditions, " || ")},
		{name: "run", value: script("echo \"::error::" + j.id + " waits for " + names + ", and that did not succeed.\"\nexit 1\n")},
	}
}

func (j *job) refuseForks() fields {
	why := "it runs on machines of your own"
	if j.secrets {
		why = "it needs secrets, which GitHub does not give them"
	}
	return fields{
		{name: "name", value: "Refuse pull requests from forks", above: "No code of a fork runs here: " + why + "."},
		{name: "if", value: fork},
		{name: "run", value: script("echo \"::error::" + j.id + " does not run for forks: " + why +
			". After a review, push the commits to a branch of this repository.\"\nexit 1\n")},
	}
}

// literal is a string in an expression.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
