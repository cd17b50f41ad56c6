package action

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// Plan plans the roots and tells people: in the pull request's comment, a check run on its head, the job's summary.
// The check run is what an apply believes.
func Plan(ctx context.Context, s *Stage, in Inputs) (Outcome, error) {
	r, err := start(ctx, s, in)
	if err != nil {
		return ended(ctx, err), err
	}
	defer r.close()
	if r.event.Pull != nil {
		if err := r.beginCheck(ctx, r.event.Head(), "Planning"); err != nil {
			return ended(ctx, err), err
		}
	}
	r.planAll(ctx)
	r.reportPlan()
	out, err := r.planOutcome(ctx)
	err = errors.Join(err, r.keep(out))
	if told := r.tellPlan(ctx, out); told != nil {
		err = errors.Join(err, told)
	}
	if err != nil && (out == Done || out == Changes) {
		out = Failed
	}
	return out, err
}

// planAll plans each root. What goes wrong with one is its Err, and no reason to leave the others out.
func (r *run) planAll(ctx context.Context) {
	for _, p := range r.plans {
		if ctx.Err() != nil {
			p.Err = context.Cause(ctx)
			p.file = ""
			continue
		}
		if p.Err = r.planRoot(ctx, p); p.Err != nil {
			p.file = ""
		}
	}
}

func (r *run) planRoot(ctx context.Context, p *rootPlan) error {
	if err := p.tf.Check(); err != nil {
		return err
	}
	if err := r.speak(p, "init", func() error { return p.tf.Init(ctx) }); err != nil {
		return err
	}
	if err := r.findings(ctx, p); err != nil {
		return err
	}
	o := terraform.PlanOptions{Unlocked: r.in.Unlocked}
	err := r.speak(p, "plan", func() error {
		_, err := p.tf.Plan(ctx, p.file, o)
		return err
	})
	if err != nil {
		return err
	}
	if p.Plan, err = p.tf.ReadPlan(ctx, p.file, r.key); err != nil {
		return err
	}
	show := r.shower(p)
	p.Violations, err = r.in.Guards.Check(ctx, p.Plan, show)
	return err
}

// findings looks at the configuration before Terraform plans with it. Only a plan run does: what is applied was
// looked at when it was planned.
func (r *run) findings(ctx context.Context, p *rootPlan) error {
	if r.in.Mode != ModePlan {
		return nil
	}
	if r.in.Format != "off" {
		found, err := p.tf.FormatCheck(ctx)
		if err != nil {
			return err
		}
		for i := range found {
			found[i].Severity = "warning"
			if r.in.Format == "fail" {
				found[i].Severity = "error"
			}
		}
		p.Findings = found
	}
	found, err := p.tf.Validate(ctx)
	if err != nil {
		return err
	}
	p.Findings = append(p.Findings, found...)
	invalid := 0
	for _, f := range p.Findings {
		if f.Rule == "validate" && f.Severity == "error" {
			invalid++
		}
		if f.File != "" {
			f.File = path.Join(p.Path, f.File)
		}
		r.annotate(f)
	}
	if invalid > 0 {
		return fmt.Errorf("the configuration is not valid: %s", count(invalid, "error"))
	}
	return nil
}

// speak runs a step of Terraform where its words go to.
func (r *run) speak(p *rootPlan, what string, do func() error) error {
	title := fmt.Sprintf("%s %s", p.tf.Tool.Name, what)
	if len(r.plans) > 1 {
		title += " in " + p.Path
	}
	log, end := r.tool(title)
	defer end()
	p.tf.Log = log
	defer func() { p.tf.Log = nil }()
	return do()
}

// reportPlan sets the outputs and writes the summary.
func (r *run) reportPlan() {
	var sum terraform.Counts
	var said []string
	changed := false
	prints := map[string]string{}
	for _, p := range r.plans {
		line := p.headline()
		if len(r.plans) > 1 {
			line = p.Path + ": " + line
		}
		said = append(said, line)
		if p.Err != nil {
			continue
		}
		if r.act == nil {
			r.changes(p.Plan)
		}
		c := p.Plan.Counts()
		sum.Add, sum.Change, sum.Destroy = sum.Add+c.Add, sum.Change+c.Change, sum.Destroy+c.Destroy
		changed = changed || p.Plan.Changed()
		prints[p.Path] = p.Plan.Fingerprint.Sum
	}
	for name, n := range map[string]int{"add": sum.Add, "change": sum.Change, "destroy": sum.Destroy} {
		r.Output(name, fmt.Sprint(n))
	}
	r.Output("changed", fmt.Sprint(changed))
	r.Output("fingerprint", oneOrAll(prints))
	r.Output("summary", strings.Join(said, "\n"))
	for _, line := range said {
		r.Say("%s", line)
	}
	if r.in.Mode == ModePlan {
		r.summarise(r.in, r.page().Summary())
	}
}

// headline is a root in a line.
func (p *rootPlan) headline() string {
	if p.Err != nil {
		return "failed: " + firstLine(withoutEcho(p.Err))
	}
	c := p.Plan.Counts()
	line := fmt.Sprintf("%d to add, %d to change, %d to destroy", c.Add, c.Change, c.Destroy)
	if !p.Plan.Changed() {
		line = "no changes"
	}
	if n := len(p.Violations); n > 0 {
		line += "; " + count(n, "guard") + " broken"
	}
	return line
}

func (r *run) planOutcome(ctx context.Context) (Outcome, error) {
	out := Done
	var errs []error
	for _, p := range r.plans {
		if p.Err != nil {
			errs = append(errs, fmt.Errorf("plan %s: %w", p.Path, p.Err))
			continue
		}
		if r.in.DetailCode && p.Plan.Changed() {
			out = Changes
		}
	}
	if len(errs) > 0 {
		err := errors.Join(errs...)
		return ended(ctx, err), err
	}
	if err := r.broken(); err != nil {
		return Refused, err
	}
	if n := r.unformatted(); n > 0 && r.in.Format == "fail" {
		return Failed, fmt.Errorf("%s not formatted: run %s fmt -recursive", count(n, "file"), r.plans[0].tf.Tool.Name)
	}
	return out, nil
}

// broken names the guards that plans break.
func (r *run) broken() error {
	var errs []error
	for _, p := range r.plans {
		for _, v := range p.Violations {
			errs = append(errs, fmt.Errorf("guard %s in %s: %s", v.Guard, p.Path, v.Message))
		}
	}
	return errors.Join(errs...)
}

func (r *run) unformatted() int {
	n := 0
	for _, p := range r.plans {
		for _, f := range p.Findings {
			if f.Rule == "fmt" {
				n++
			}
		}
	}
	return n
}

// keep writes the files that an apply elsewhere starts from. A plan that guards forbid is not kept.
func (r *run) keep(out Outcome) error {
	if out != Done && out != Changes {
		return nil
	}
	if r.in.Review != "" {
		if err := r.keepReview(); err != nil {
			return err
		}
	}
	if r.in.Save == "" {
		return nil
	}
	if err := r.sealPlans(); err != nil {
		return fmt.Errorf("seal the plan: %w", err)
	}
	r.Output("saved", r.in.Save)
	return nil
}

func (r *run) keepReview() error {
	rev, err := newReview(r.plans, 64<<20)
	if err == nil {
		err = rev.seal(r.in.Key)
	}
	var b []byte
	if err == nil {
		b, err = json.MarshalIndent(rev, "", "  ")
	}
	if err == nil {
		err = os.WriteFile(r.in.Review, append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the review: %w", err)
	}
	return nil
}

// tellPlan writes the comment and the check run of a pull request.
func (r *run) tellPlan(ctx context.Context, out Outcome) error {
	if r.forge == nil || r.event.Pull == nil {
		return nil
	}
	ctx, cancel := telling(ctx)
	defer cancel()
	id, commented := r.comment(ctx, r.event.Pull.Number, 0)
	checked := r.checkPlan(ctx, out, id)
	if commented != nil || checked != nil {
		return fmt.Errorf("the plan is in the job's summary, and it is not told where it is reviewed: %w", errors.Join(commented, checked))
	}
	return nil
}

// comment writes the run's page into its comment, unless a newer commit was pushed meanwhile, whose own run writes it.
func (r *run) comment(ctx context.Context, number int, id int64) (int64, error) {
	page := r.page()
	if r.in.Mode == ModePlan {
		pull, err := r.forge.PullRequest(ctx, number)
		if err != nil {
			return 0, err
		}
		if pull.HeadSHA != r.event.Head() {
			r.notice("Pull request #%d has a newer commit than %s: its comment is left to that commit's run.", number, short(r.event.Head()))
			return 0, nil
		}
	}
	c, err := r.forge.WriteComment(ctx, github.Sticky{Number: number, ID: id, Marker: report.MarkerOf(page.Name), Body: r.scrub.String(page.Comment())})
	return c.ID, err
}

// checkPlan writes the review. A plan that failed or is forbidden has none, and its check run fails.
func (r *run) checkPlan(ctx context.Context, out Outcome, comment int64) error {
	how, text := conclusion(out), ""
	if how == github.Success {
		rev, err := newReview(r.plans, textLimit)
		if err != nil {
			return err
		}
		rev.Repository, rev.Commit, rev.Pull, rev.Comment = r.event.FullName(), r.event.Head(), r.event.Pull.Number, comment
		if err := rev.seal(r.in.Key); err != nil {
			return err
		}
		if text, err = rev.text(); err != nil {
			return err
		}
	}
	return r.endCheck(ctx, how, r.title(), text)
}

// title is the run in a line.
func (r *run) title() string {
	if len(r.plans) == 1 {
		return r.scrub.String(r.plans[0].headline())
	}
	var sum terraform.Counts
	failed := 0
	for _, p := range r.plans {
		if p.Err != nil {
			failed++
			continue
		}
		c := p.Plan.Counts()
		sum.Add, sum.Change, sum.Destroy = sum.Add+c.Add, sum.Change+c.Change, sum.Destroy+c.Destroy
	}
	line := fmt.Sprintf("%s: %d to add, %d to change, %d to destroy", count(len(r.plans), "root"), sum.Add, sum.Change, sum.Destroy)
	if failed > 0 {
		line += fmt.Sprintf("; %d failed", failed)
	}
	return line
}

// oneOrAll is a value by itself, or several as a JSON object.
func oneOrAll(values map[string]string) string {
	if len(values) == 1 {
		for _, v := range values {
			return v
		}
	}
	b, err := json.Marshal(values)
	if err != nil || len(values) == 0 {
		return ""
	}
	return string(b)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func short(sha string) string {
	const enough = 7
	if len(sha) <= enough {
		return sha
	}
	return sha[:enough]
}

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:12]
}
