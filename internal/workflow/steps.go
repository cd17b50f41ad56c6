package workflow

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// The actions that the renderer uses, besides Own.
const (
	checkoutAction  = "actions/checkout"
	pythonAction    = "actions/setup-python"
	uploadAction    = "actions/upload-artifact"
	downloadAction  = "actions/download-artifact"
	attestAction    = "actions/attest"
	terraformAction = "hashicorp/setup-terraform"
	orasAction      = "oras-project/setup-oras"
	buildxAction    = "docker/setup-buildx-action"
	cosignAction    = "sigstore/cosign-installer"
	syftAction      = "anchore/sbom-action/download-syft"
	grypeAction     = "anchore/scan-action/download-grype"
	awsAction       = "aws-actions/configure-aws-credentials"
	gcpAction       = "google-github-actions/auth"
	azureAction     = "azure/login"
)

// uses is a step that runs an action.
func uses(action string, with fields) fields {
	fs := fields{{name: "uses", value: action}}
	fs.addIf("with", with)
	return fs
}

// as gives a step an id, by which others find its outputs.
func as(id string, step fields) fields {
	return slices.Insert(step, 0, field{name: "id", value: id})
}

// noted puts a comment above a step.
func noted(text string, step fields) fields {
	step[0].above = text
	return step
}

// runs is a step that runs a script. Whatever a script is told comes by its environment.
func runs(name string, env fields, text string) fields {
	fs := fields{{name: "name", value: name}}
	fs.addIf("env", env)
	if line, rest, _ := strings.Cut(text, "\n"); rest == "" {
		text = line
	}
	fs.add("run", script(text))
	return fs
}

func checkout() fields {
	return uses(checkoutAction, fields{{name: "persist-credentials", value: false}})
}

// python sets a version up, "" for none. Only a job that nothing is published from may take what another run left in the
// cache: in all others a poisoned cache would end up in the model.
func python(version string, cached bool) []fields {
	if version == "" {
		return nil
	}
	var v any = quoted(version)
	if strings.HasPrefix(version, "${{") {
		v = version
	}
	with := fields{{name: "python-version", value: v}}
	if cached {
		with.add("cache", "${{ hashFiles('**/requirements*.txt', '**/pyproject.toml') != '' && 'pip' || '' }}")
	}
	return []fields{uses(pythonAction, with)}
}

// upload keeps a file for other jobs, or for people.
func upload(name, file string, days int) fields {
	return uses(uploadAction, fields{
		{name: "name", value: name},
		{name: "path", value: file},
		{name: "if-no-files-found", value: "error"},
		{name: "retention-days", value: days},
	})
}

// handedOver is where a job finds the artifacts of others: apart, so that nothing in them replaces anything else. A script
// writes it as $RUNNER_TEMP/inHandedOver.
const (
	inHandedOver = "made"
	handedOver   = "${{ runner.temp }}/" + inHandedOver
)

func download(name, folder string) fields {
	return uses(downloadAction, fields{{name: "name", value: name}, {name: "path", value: folder}})
}

// tidegate runs Tidegate's Action in one of its modes.
func tidegate(mode string, with fields) fields {
	return uses(Own, append(fields{{name: "mode", value: mode}}, with...))
}

// added are the user's own steps, those before the stage's work or those after it.
func added(steps []pipeline.Step, after bool) []fields {
	var out []fields
	for _, s := range steps {
		if s.After != after {
			continue
		}
		var fs fields
		fs.addIf("name", s.Name)
		fs.addIf("uses", s.Uses)
		fs.addIf("with", sorted(s.With))
		fs.addIf("env", sorted(s.Env))
		fs.addIf("run", script(s.Run))
		out = append(out, fs)
	}
	return out
}

func sorted(m map[string]string) fields {
	var fs fields
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fs.add(k, m[k])
	}
	return fs
}

// begin adds what each job begins with, and the steps that the user wants before its work.
func (j *job) begin(s pipeline.Stage, version string, cached bool) {
	j.step(checkout())
	for _, p := range python(version, cached) {
		j.step(p)
	}
	for _, a := range added(s.Steps, false) {
		j.step(a)
	}
}

// end adds the steps that the user wants after the job's work, and the permissions asked for.
func (j *job) end(s pipeline.Stage) *job {
	for _, a := range added(s.Steps, true) {
		j.step(a)
	}
	j.asked(s.Permissions)
	return j
}

// pythonOf is the version for a stage: its own, or that of the tests where it runs something of the user's.
func (b *builder) pythonOf(s pipeline.Stage, runs bool) string {
	if s.Python == "" && b.s.Test != nil && (runs || len(s.Steps) > 0) {
		return b.s.Test.Python
	}
	return s.Python
}

// after names the jobs that have to be done before one that comes after all of some: those of them that no other of them
// waits for anyway, and those whose outputs it takes.
func (b *builder) after(ids []string, outputs ...string) []string {
	var needs []string
	for _, id := range ids {
		waited := slices.ContainsFunc(ids, func(other string) bool { return b.waits(other, id) })
		if b.job(id) != nil && (!waited || slices.Contains(outputs, id)) {
			needs = append(needs, id)
		}
	}
	return needs
}

// waits reports whether a job needs another, itself or by those that it needs.
func (b *builder) waits(id, other string) bool {
	j := b.job(id)
	return j != nil && slices.ContainsFunc(j.needs, func(n string) bool { return n == other || b.waits(n, other) })
}

func (b *builder) job(id string) *job {
	for _, j := range b.jobs {
		if j.id == id {
			return j
		}
	}
	return nil
}

func (b *builder) add(j *job) { b.jobs = append(b.jobs, j) }
