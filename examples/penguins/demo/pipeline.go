package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	pipelineRoot = "pipeline" // below the work folder
	shown        = ".github/workflows/penguins.yml"
)

// workflowFile is below the work folder.
var workflowFile = filepath.Join(pipelineRoot, "checkout", filepath.FromSlash(shown))

// pipeline shows how models get this far where people do not train them by hand: by a workflow, which Terraform writes into a
// checkout, and keeps as it is.
func (d *demo) pipeline(ctx context.Context) error {
	d.say()
	if git, _ := exec.LookPath("git"); git == "" {
		d.say(dim("The chapter on pipelines is left out: it needs git, which is not on this machine."))
		return nil
	}
	if err := d.call(ctx, "making a repository", d.dir, "git", "init", "--quiet", filepath.Join(pipelineRoot, "checkout")); err != nil {
		return err
	}
	d.say(plain("In a repository, a workflow does all this. Terraform writes it, and keeps it as it is:"))
	if err := d.writeWorkflow(ctx); err != nil {
		return err
	}
	d.say()
	d.say(plain("Somebody lets the scan pass, whatever it finds:"))
	if err := d.rewrite(`exit "$status"`, "exit 0"); err != nil {
		return err
	}
	if err := d.findChange(ctx); err != nil {
		return err
	}
	d.say()
	d.say(plain("Somebody rewords a comment, and it means the same:"))
	if err := d.rewrite("# Makes the model.", "# Trains the model that users will get."); err != nil {
		return err
	}
	return d.findNothing(ctx)
}

// writeWorkflow applies the pipeline, and says what came of it.
func (d *demo) writeWorkflow(ctx context.Context) error {
	if err := d.applyPipeline(ctx); err != nil {
		return err
	}
	outputs := struct {
		Pinned outputValue[map[string]string] `json:"pinned_actions"`
	}{}
	if err := d.tool.outputs(ctx, filepath.Join(d.dir, pipelineRoot), &outputs); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(d.dir, workflowFile))
	if err != nil {
		return err
	}
	jobs, pins := jobsOf(string(text)), outputs.Pinned.Value
	checkout, version, _ := strings.Cut(pins["actions/checkout"], " ")
	if len(jobs) < 9 || len(checkout) != 40 || strings.Count(string(text), "actions/checkout@"+checkout) == 0 {
		return fmt.Errorf("%s has the jobs %q and pins %q, want at least nine jobs, and actions pinned to commits", workflowFile, jobs, pins)
	}
	d.say(plain("  "), command(shown), plain(fmt.Sprintf(": %d jobs in %d lines, and actionlint found nothing", len(jobs), strings.Count(string(text), "\n"))))
	for _, line := range wrap(strings.Join(jobs, ", "), wide-4) {
		d.say(dim("  " + line))
	}
	d.say(plain(fmt.Sprintf("  %d actions, each pinned to a commit: ", len(pins))), dim("actions/checkout@"+checkout[:12]+"... # "+version+", and so on"))
	if pins["tidegatehq/terraform-provider-tidegate"] == noCommit {
		d.say(dim("  (Tidegate's own Action to zeros: these sources are of no commit.)"))
	}
	return nil
}

// findChange plans after a change that matters: the plan shows its lines, and an apply takes them back.
func (d *demo) findChange(ctx context.Context) error {
	got, err := d.onPipeline(ctx, "plan", "-detailed-exitcode")
	if err != nil {
		return err
	}
	said, found := got.find("warning", "is not what was applied")
	lines := changesIn(said.Detail)
	if got.exit != 2 || !found || len(lines) == 0 {
		return fmt.Errorf("the plan of a workflow that somebody changed ended with exit code %d, want 2 and a warning that shows what changed:\n%s", got.exit, got.text())
	}
	d.quote(said, strong)
	for _, line := range lines {
		d.say(dim("  │ "), plain(line))
	}
	if err := d.applyPipeline(ctx); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(d.dir, workflowFile))
	if err != nil {
		return err
	}
	if strings.Contains(string(text), "exit 0") {
		return errors.New("the apply did not take the change back:\n" + string(text))
	}
	d.say(good("  Undone:"), plain(" what the scan finds fails it again."))
	return nil
}

// findNothing plans after a change that does not matter.
func (d *demo) findNothing(ctx context.Context) error {
	got, err := d.onPipeline(ctx, "plan", "-detailed-exitcode")
	if err != nil {
		return err
	}
	if got.exit != 0 {
		return fmt.Errorf("the plan after a reworded comment ended with exit code %d, want 0, no changes:\n%s", got.exit, got.text())
	}
	d.say(good("  No changes."))
	return nil
}

func (d *demo) applyPipeline(ctx context.Context) error {
	got, err := d.onPipeline(ctx, "apply", "-auto-approve")
	if err == nil && got.exit != 0 {
		err = errors.New("the pipeline cannot be applied:\n" + got.text())
	}
	return err
}

func (d *demo) onPipeline(ctx context.Context, verb, option string) (got result, err error) {
	d.say(dim("$ "), command("terraform -chdir="+pipelineRoot+" "+verb))
	err = d.during(func() string { return "terraform " + verb }, func() (err error) {
		got, err = d.tool.run(ctx, filepath.Join(d.dir, pipelineRoot), verb, "-json", "-input=false", option)
		return err
	})
	return got, err
}

// rewrite changes the workflow in one place, as a person could.
func (d *demo) rewrite(old, new string) error {
	path := filepath.Join(d.dir, workflowFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), old) {
		return fmt.Errorf("%s has no %q", workflowFile, old)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o600)
}

var jobLine = regexp.MustCompile(`(?m)^  ([a-z][a-z0-9-]*):$`)

// jobsOf are a workflow's jobs, in their order.
func jobsOf(workflow string) (jobs []string) {
	_, text, _ := strings.Cut(workflow, "\njobs:\n")
	for _, m := range jobLine.FindAllStringSubmatch(text, -1) {
		jobs = append(jobs, m[1])
	}
	return jobs
}

// changesIn are the lines of a warning that came and went.
func changesIn(detail string) (lines []string) {
	for _, line := range strings.Split(detail, "\n") {
		line = strings.TrimPrefix(line, "  ") // what the file has stands further in
		if strings.HasPrefix(line, "- ") || strings.HasPrefix(line, "+ ") {
			lines = append(lines, line)
		}
	}
	return lines
}
