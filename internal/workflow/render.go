package workflow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// What a workflow has where nobody says otherwise.
const (
	defaultRunner = "ubuntu-latest"

	// Minutes after which a job is ended. A rollout takes its time: six hours are the most that GitHub's machines give.
	timeoutTest     = 30
	timeoutGate     = 5
	timeoutData     = 60
	timeoutTrain    = 360
	timeoutEvaluate = 15
	timeoutPackage  = 60
	timeoutSBOM     = 30
	timeoutAttest   = 10
	timeoutScan     = 30
	timeoutPlan     = 30
	timeoutDeploy   = 360
	timeoutMonitor  = 30

	// Days for which artifacts are kept: those that only pass from job to job, and those that people may want to read. A
	// deploy may wait for its reviewers as long as the former.
	retentionHandover = 7
	retentionEvidence = 90
)

// A builder makes the jobs of a Spec.
type builder struct {
	s    pipeline.Spec
	jobs []*job
}

// build makes the workflow of a valid Spec as a tree, its actions not yet pinned.
func build(s pipeline.Spec) fields {
	b := &builder{s: s}
	b.all()
	var jobs fields
	for i, j := range b.jobs {
		b.conditions(j)
		jobs = append(jobs, field{name: j.id, value: j.fields(b.s.Triggers.PullRequest), above: j.about, gap: i > 0})
	}
	return fields{
		{name: "name", value: name(s)},
		{name: "on", value: b.triggers()},
		{name: "permissions", value: fields{}, note: "each job says what it needs", gap: true},
		{name: "concurrency", value: fields{
			{name: "group", value: s.Path + " ${{ github.event.pull_request.number || github.run_id }}"}, // names are not unique
			{name: "cancel-in-progress", value: true},
		}, above: "A new commit ends the run of the one before it on its pull request. No other run is ever cancelled.", gap: true},
		{name: "defaults", value: fields{{name: "run", value: fields{{name: "shell", value: "bash", note: "with -eo pipefail"}}}}, gap: true},
		{name: "jobs", value: jobs, gap: true},
	}
}

// all makes the jobs, in an order in which none comes before one that it needs.
func (b *builder) all() {
	b.test()
	b.data()
	b.train()
	b.evaluate()
	b.scan()
	b.publish()
	b.scanImage()
	b.deploys()
	b.monitor()
}

// name is the workflow's.
func name(s pipeline.Spec) string {
	if s.Name != "" {
		return s.Name
	}
	base := s.Path[strings.LastIndex(s.Path, "/")+1:]
	return strings.TrimSuffix(strings.TrimSuffix(base, ".yml"), ".yaml")
}

func (b *builder) triggers() fields {
	var on fields
	if len(b.s.Triggers.Push) > 0 {
		on.add("push", fields{{name: "branches", value: words(b.s.Triggers.Push)}})
	}
	if b.s.Triggers.PullRequest {
		on.add("pull_request", nil)
	}
	crons := slices.Clone(b.s.Triggers.Schedule)
	if b.s.Monitor != nil {
		crons = append(crons, b.s.Monitor.Schedule)
	}
	var schedule list
	for i, c := range crons {
		f := field{name: "cron", value: quoted(c)}
		if b.s.Monitor != nil && i == len(crons)-1 {
			f.note = "the jobs that monitor, and no others"
		}
		schedule = append(schedule, fields{f})
	}
	if len(schedule) > 0 {
		on.add("schedule", schedule)
	}
	on.add("workflow_dispatch", nil)
	return on
}

// conditions says when a job runs. Jobs that a pull request has to pass are not skipped when a job before them fails: they
// fail as well, see job.needed.
func (b *builder) conditions(j *job) {
	var when []string
	if j.pulls && len(j.needs) > 0 && (b.s.Triggers.PullRequest || len(j.steps) == 0) {
		condition := "!cancelled()"
		if j.judges {
			condition = "always()"
		}
		when = append(when, condition)
	}
	// A job that is skipped takes those along that need it, unless these run whatever happens.
	alone := len(j.needs) == 0 || len(when) > 0
	if b.s.Monitor != nil && !strings.HasPrefix(j.id, "monitor") && alone {
		when = append(when, "github.event.schedule != "+literal(b.s.Monitor.Schedule))
	}
	if !j.pulls && len(j.when) == 0 && !slices.ContainsFunc(b.jobs, func(o *job) bool { return !o.pulls && slices.Contains(j.needs, o.id) }) {
		when = append(when, b.released())
	}
	j.when = append(when, j.when...)
	if len(j.when) == 1 && strings.HasPrefix(j.when[0], "(") {
		j.when[0] = j.when[0][1 : len(j.when[0])-1]
	}
	if len(j.when) > 0 && strings.HasPrefix(j.when[0], "!") {
		// A "!" begins a tag in YAML.
		j.when = []string{"${{ " + strings.Join(j.when, " && ") + " }}"}
	}
}

var plainBranch = regexp.MustCompile(`^[A-Za-z0-9._/@-]+$`)

// released is true on the branches from which something is published: those whose pushes start the workflow, whatever
// started it this time; without such, the branch that the file belongs on. It is never true for a pull request.
//
// It keeps people from mistakes, and nobody with write access from anything: on a branch of theirs they can change the
// workflow too. What keeps them from deploying is the environment, with its branches and reviewers.
func (b *builder) released() string {
	var on []string
	if len(b.s.Triggers.Push) > 0 {
		on = append(on, "github.event_name == 'push'")
	}
	for _, branch := range b.s.Triggers.Push {
		if slices.ContainsFunc(b.s.Triggers.Push, func(p string) bool { return strings.HasPrefix(p, "!") }) {
			break // what an exception takes out cannot be said in an expression: then only pushes publish
		}
		switch prefix, all := strings.CutSuffix(branch, "**"); {
		case plainBranch.MatchString(branch):
			on = append(on, "github.ref == "+literal("refs/heads/"+branch))
		case all && plainBranch.MatchString(prefix):
			on = append(on, fmt.Sprintf("startsWith(github.ref, %s)", literal("refs/heads/"+prefix)))
		}
	}
	if len(on) == 0 && b.s.Delivery.Branch != "" {
		on = append(on, "github.ref == "+literal("refs/heads/"+b.s.Delivery.Branch))
	}
	if len(on) == 0 {
		on = append(on, "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)")
	}
	if len(on) == 1 {
		return on[0]
	}
	return "(" + strings.Join(on, " || ") + ")"
}

// header is what people read first: what this is, and that it is not theirs to edit. Its second line is how Tidegate knows
// a file of its own.
func header(s pipeline.Spec) string {
	return name(s) + ": " + sentence(s) + "\n" +
		strings.TrimPrefix(pipeline.Marker, "# ") + s.Path + "\n" +
		"Terraform writes this file. A change made here is undone by the next apply: change the resource instead."
}

// sentence names what the workflow does.
func sentence(s pipeline.Spec) string {
	var does []string
	say := func(is bool, what string) {
		if is {
			does = append(does, what)
		}
	}
	say(s.YAML != "", "a workflow in words of its own")
	say(s.Test != nil, "tests")
	say(s.Data != nil, "checks of the data")
	say(s.Train != nil, "training")
	say(s.Evaluate != nil, "evaluation")
	say(s.Scan != nil, "scan for vulnerabilities")
	say(s.Package != nil, "packaging")
	var names []string
	for _, d := range s.Deploys {
		names = append(names, d.Name)
	}
	say(len(names) > 0, "deployment to "+and(names))
	say(s.Monitor != nil, "monitoring")
	return and(does)
}

func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
