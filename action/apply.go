package action

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// Apply applies what was reviewed. With verify: replan it plans what was merged afresh, and applies that plan only if
// its structure is the reviewed one's.
func Apply(ctx context.Context, s *Stage, in Inputs) (Outcome, error) {
	r, err := start(ctx, s, in)
	if err != nil {
		return ended(ctx, err), err
	}
	defer r.close()
	if r.event.Fork() {
		return Refused, refuse("this run is of a fork's pull request: plans from forks are never applied")
	}
	a := &application{run: r}
	if err := a.beginCheck(ctx, a.event.SHA, "Planning what was merged"); err != nil {
		return ended(ctx, err), err
	}
	err = a.ready(ctx)
	if err == nil {
		err = a.carryOut(ctx)
	}
	out := a.outcome(ctx, err)
	a.tell(ctx, out, err)
	return out, err
}

// An application is a run that applies.
type application struct {
	*run
	pull     github.PullRequest // zero for none
	comment  int64              // where the plan was told
	deployed int64              // id of a deployment
	applied  bool               // something was begun
}

// ready has a plan for each root that may be applied, or says why not.
func (a *application) ready(ctx context.Context) error {
	if a.in.Verify == VerifySaved {
		return a.open(ctx)
	}
	rev, missing := a.reviewed(ctx)
	a.planAll(ctx)
	a.reportPlan()
	if _, err := a.planOutcome(ctx); err != nil {
		return err
	}
	if !a.changes() {
		a.notice("There is nothing to apply: what was merged is what is there.")
		return nil
	}
	if a.in.Verify == VerifyNone {
		a.warn("verify: none: this plan is applied without having been reviewed.")
		return nil
	}
	if missing != nil {
		a.refuseAll(a.in.Verify, missing.Error())
		return missing
	}
	return a.compare(rev, a.in.Verify)
}

// reviewed is the review to compare with. Why there is none matters only if there are changes.
func (a *application) reviewed(ctx context.Context) (review, error) {
	if a.forge == nil {
		return a.reviewFile()
	}
	var err error
	if a.pull, err = a.pullOf(ctx); err != nil {
		return review{}, err
	}
	rev, err := a.reviewOf(ctx, a.pull, a.check.AppID)
	a.comment = rev.Comment
	return rev, err
}

// reviewFile is the review that plan --review wrote.
func (a *application) reviewFile() (review, error) {
	if a.in.Verify == VerifyNone {
		return review{}, nil
	}
	if a.in.Reviewed == "" {
		return review{}, refuse("there is no reviewed plan to compare with: give --reviewed FILE, which plan --review FILE wrote, or --verify none to apply what nobody reviewed")
	}
	b, err := read("reviewed plan", a.in.Reviewed)
	if err != nil {
		return review{}, err
	}
	rev, err := decodeReview(b, a.in.Key)
	if err != nil {
		return review{}, refuse("the reviewed plan in %s is not believed: %v", a.in.Reviewed, err)
	}
	return rev, nil
}

func (a *application) changes() bool {
	for _, p := range a.plans {
		if p.Err == nil && p.Plan.Changed() {
			return true
		}
	}
	return false
}

// carryOut applies root by root, and stops at the first that fails: the next may build on it.
func (a *application) carryOut(ctx context.Context) error {
	if !a.changes() {
		return nil
	}
	if err := a.deploy(ctx); err != nil {
		a.refuseAll(a.in.Verify, "Nothing was applied, since the deployment could not be told to GitHub.")
		return err
	}
	for _, p := range a.plans {
		if !p.Plan.Changed() {
			continue
		}
		if err := a.applyRoot(ctx, p); err != nil {
			a.refuseAll(a.in.Verify, "Nothing was applied here, since the apply of "+p.Path+" failed.")
			return fmt.Errorf("apply %s: %w", p.Path, err)
		}
	}
	return nil
}

func (a *application) applyRoot(ctx context.Context, p *rootPlan) error {
	// Before the apply: what reads the plan file must not fail after it.
	staged, err := a.staged(ctx, p)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	a.applied = true
	p.Apply = &report.Apply{Commit: a.event.SHA, Verify: string(a.in.Verify)}
	began := time.Now()
	err = a.speak(p, "apply", func() (err error) {
		p.Apply.Result, err = p.tf.Apply(ctx, p.file)
		return err
	})
	p.Apply.Took, p.Apply.Err = time.Since(began), err
	p.Apply.Staged = done(staged, p.Apply.Result)
	return err
}

// outcome is how it ended. A rollback is a failed apply that names the gate, never a success.
func (a *application) outcome(ctx context.Context, err error) Outcome {
	switch {
	case err == nil:
		return Done
	case isRefusal(err) || a.broken() != nil && !a.applied:
		return Refused
	}
	for _, p := range a.plans {
		if p.Apply == nil {
			continue
		}
		for _, f := range p.Apply.Result.Failed {
			if rolledBack(f.Error) {
				return RolledBack
			}
		}
	}
	return ended(ctx, err)
}

// rolledBack knows the error of our own provider.
func rolledBack(d terraform.Diagnostic) bool {
	return strings.HasPrefix(d.Summary, "Rollout of endpoint ") && strings.Contains(d.Summary, " was rolled back")
}

// tell says what became of it, everywhere. What was applied stays applied if GitHub does not hear of it: that is a
// warning, and the next run of the apply catches up.
func (a *application) tell(ctx context.Context, out Outcome, err error) {
	staged := a.stagedOutput()
	a.Output("staged", staged)
	a.Output("applied", fmt.Sprint(a.applied && out == Done))
	page := a.page()
	page.Head = a.event.SHA
	a.summarise(a.in, page.Summary())
	if a.forge == nil {
		return
	}
	ctx, cancel := telling(ctx)
	defer cancel()
	var errs []error
	if a.pull.Number != 0 {
		_, err := a.run.comment(ctx, a.pull.Number, a.comment)
		errs = append(errs, err)
	}
	errs = append(errs, a.deploymentEnds(ctx, out), a.checkEnds(ctx, out, err))
	if told := errors.Join(errs...); told != nil {
		a.warn("GitHub was not told how this apply ended (%s); run it again to catch up, it applies nothing twice: %v", out, told)
	}
}

func (a *application) checkEnds(ctx context.Context, out Outcome, err error) error {
	title := "Applied"
	if err == nil && !a.applied {
		title = "Nothing to apply"
	}
	if err != nil {
		title = firstLine(err.Error())
	}
	return a.endCheck(ctx, conclusion(out), title, "")
}

// conclusion is an outcome as check runs have it.
func conclusion(out Outcome) github.Conclusion {
	switch out {
	case Done, Changes:
		return github.Success
	case Cancelled:
		return github.Cancelled
	case Refused:
		return github.ActionRequired
	default:
		return github.Failure
	}
}

// deploy begins a deployment, where one is asked for.
func (a *application) deploy(ctx context.Context) error {
	if a.forge == nil || a.in.Environment == "" {
		return nil
	}
	d, err := a.forge.CreateDeployment(ctx, github.Deployment{Commit: a.event.SHA, Environment: a.in.Environment, Description: a.title()})
	if err != nil {
		return err
	}
	a.deployed = d.ID
	return a.forge.SetDeploymentStatus(ctx, a.deployed, github.DeploymentStatus{State: github.InProgress, Description: "Terraform applies", LogURL: a.event.RunURL})
}

func (a *application) deploymentEnds(ctx context.Context, out Outcome) error {
	if a.deployed == 0 {
		return nil
	}
	state := github.FailedTo
	if out == Done {
		state = github.Succeeded
	}
	if out == Cancelled {
		state = github.Errored // nobody knows yet
	}
	return a.forge.SetDeploymentStatus(ctx, a.deployed, github.DeploymentStatus{State: state, Description: "Apply: " + out.String(), LogURL: a.event.RunURL})
}
