package github

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Pipelines are those in repositories. It is a pipeline.Engine.
//
// A pipeline is delivered by one commit, made of git's own objects and never forced, or by a pull request. Everything that
// an Apply does is found again by the next one: environments and rules by their label and name, a commit by its content, a
// branch by its name, a pull request by the marker in its text. Killed at any place, it is finished by applying again.
//
// Refreshing asks little: of a repository one folder, one list of environments and one of rulesets, for all of its pipelines.
type Pipelines struct{ c *Client }

var _ pipeline.Engine = (*Pipelines)(nil)

// Pipelines are those that a Client reaches. All of them share what they read.
func (c *Client) Pipelines() *Pipelines { return &Pipelines{c: c} }

// What Status.Made calls what is beside the file.
const (
	madeEnvironment = "environment/"
	madeRuleset     = "ruleset/"
)

const workflows = ".github/workflows"

// at is the repository of a place, whose path leads nowhere but to a workflow.
func (p *Pipelines) at(place pipeline.Place) (*Repository, error) {
	r, err := p.c.Repository(place.Repository)
	if err != nil {
		return nil, err
	}
	ending := path.Ext(place.Path)
	if path.Dir(place.Path) != workflows || path.Clean(place.Path) != place.Path || ending != ".yml" && ending != ".yaml" || strings.ContainsAny(place.Path, "\x00\n\r\\") {
		return nil, fmt.Errorf("path %q in %s: want one such as .github/workflows/fraud.yml: GitHub runs workflows of that folder only", place.Path, r)
	}
	return r, nil
}

// Apply creates or changes a pipeline. What is refused is refused before anything was done, as far as it can be known.
func (p *Pipelines) Apply(ctx context.Context, c pipeline.Change) (pipeline.Status, error) {
	r, err := p.at(c.Place)
	if err != nil {
		return pipeline.Status{}, err
	}
	if c.Before.Place != c.Place {
		c.Before = pipeline.Status{}
	}
	defer p.c.reads.forget(r)
	a := &pipelineApply{want: c, known: c.Before.Path != "", st: c.Before}
	if a.site, err = r.survey(ctx, c.Path, c.Delivery.Branch); err != nil {
		return a.st, err
	}
	if err := a.begin(); err != nil {
		return a.left(), err
	}
	for _, step := range []func(context.Context) error{a.environments, a.deliver, a.checks, a.tidy} {
		if err := step(ctx); err != nil {
			return a.left(), err
		}
	}
	return a.st, nil
}

// A pipelineApply is an Apply under way.
type pipelineApply struct {
	want pipeline.Change
	*site
	known bool            // the pipeline was there before
	st    pipeline.Status // what is true by now
	came  bool            // something came into being, or was changed
	made  bool            // the file is, or will be, by this pipeline
}

// begin takes over what there is, and refuses what may not be touched.
func (a *pipelineApply) begin() error {
	a.st.Place, a.st.Branch, a.st.Content, a.st.Behind = a.want.Place, a.branch, a.now().content, nil
	a.st.Made, a.st.Environments = slices.Clone(a.st.Made), slices.Clone(a.st.Environments)
	if a.pull != nil {
		a.st.Pull = statusOf(a.pull)
	}
	if a.known && a.want.Before.Branch != a.branch && a.want.Delivery.Branch != "" {
		return a.failed(task{doing: "write " + a.want.Path}, &Error{
			Kind: ErrRefused, Message: fmt.Sprintf("the pipeline is on branch %s, and is asked for on %s", a.want.Before.Branch, a.branch),
			Next: "A pipeline stays on its branch: destroy it and create it anew (terraform apply -replace).",
		})
	}
	a.made = a.want.Before.MadeIt(pipeline.MadeFile)
	if a.known {
		// Ours without being known is what a delivery left whose answer was lost.
		a.made = a.made || a.file.blob == "" || a.want.Before.Content == "" && pipeline.Ours(a.file.content, a.want.Path)
	} else if made, err := a.claim(a.want); err != nil {
		return err
	} else if made {
		a.made = true
	}
	want := fileChange{path: a.want.Path, content: a.want.Content}
	if now := a.now(); now.content != a.want.Base && !want.done(now) && !want.done(a.file) && (a.known || a.pull == nil || a.file.content != a.want.Base) {
		return a.moved(now, a.want.Base, a.branch)
	}
	return nil
}

// left is what is true after an error: zero if nothing came into being.
func (a *pipelineApply) left() pipeline.Status {
	if !a.known && !a.came {
		return pipeline.Status{}
	}
	return a.st
}

func (a *pipelineApply) make(name string) {
	if !a.st.MadeIt(name) {
		a.st.Made = append(a.st.Made, name)
	}
}

func (a *pipelineApply) unmake(name string) {
	a.st.Made = slices.DeleteFunc(a.st.Made, func(n string) bool { return n == name })
}

// environments makes them real, in the order in which they are written. All are looked at before the first is touched.
func (a *pipelineApply) environments(ctx context.Context) error {
	if len(a.want.Environments) == 0 {
		return nil
	}
	l, err := a.Environments(ctx)
	if err != nil {
		return err
	}
	for _, e := range a.want.Environments {
		if err := l.Claim(ctx, a.change(e)); err != nil {
			return err
		}
	}
	for _, e := range a.want.Environments {
		st, made, err := a.ApplyEnvironment(ctx, l, a.change(e))
		if st.Name != "" {
			a.came = true
			put(&a.st, st)
		}
		if made {
			a.make(madeEnvironment + e.Name)
		}
		if errors.Is(err, pipeline.ErrNotProtected) {
			a.st.Behind = append(a.st.Behind, madeEnvironment+e.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *pipelineApply) change(e pipeline.Environment) EnvironmentChange {
	c := EnvironmentChange{Path: a.want.Path, Adopt: a.want.Adopt, Want: e, Made: a.want.Before.MadeIt(madeEnvironment + e.Name)}
	if i := environmentOf(a.want.Before.Environments, e.Name); i >= 0 {
		c.Before = &a.want.Before.Environments[i]
	}
	return c
}

func environmentOf(all []pipeline.EnvironmentStatus, name string) int {
	return slices.IndexFunc(all, func(e pipeline.EnvironmentStatus) bool { return strings.EqualFold(e.Name, name) })
}

// put keeps an environment's status in the place where it was, or behind the others.
func put(st *pipeline.Status, e pipeline.EnvironmentStatus) {
	if i := environmentOf(st.Environments, e.Name); i >= 0 {
		st.Environments[i] = e
		return
	}
	st.Environments = append(st.Environments, e)
}

// deliver brings the file.
func (a *pipelineApply) deliver(ctx context.Context) error {
	d := &delivery{
		site: a.site, mode: a.want.Delivery.Mode, change: fileChange{path: a.want.Path, content: a.want.Content}, planned: a.want.Base, known: a.known,
		words: bringing(a.want, a.branch),
	}
	out, err := d.deliver(ctx)
	a.pull, a.head = d.pull, d.head // one may have been opened
	if out.commit != "" {
		a.came, a.st.Commit, a.st.Pull = true, out.commit, nil // a pull request is what brought an earlier one
	}
	if out.pull != nil {
		a.came, a.st.Pull = true, out.pull
		if out.pull.State != "open" {
			a.pull = nil
		}
	}
	if err != nil && out.commit == "" {
		return err
	}
	a.came, a.st.Content = true, a.want.Content
	if a.made {
		a.make(pipeline.MadeFile)
	}
	return err
}

// checks makes them required, or no longer.
func (a *pipelineApply) checks(ctx context.Context) error {
	if len(a.want.RequiredChecks) > 0 {
		rules, err := a.ApplyRuleset(ctx, a.want.Path, a.want.Delivery.Branch, a.want.RequiredChecks)
		if rules.ID != 0 {
			a.st.RequiredChecks, a.st.ChecksOn = rules.Checks, a.want.Delivery.Branch
			a.st.Made = slices.DeleteFunc(a.st.Made, func(n string) bool { return strings.HasPrefix(n, madeRuleset) }) // one that was renamed is theirs
			a.make(madeRuleset + strconv.FormatInt(rules.ID, 10))
		}
		if errors.Is(err, pipeline.ErrNotProtected) {
			a.st.Behind = append(a.st.Behind, "required_checks")
		}
		return err
	}
	for _, name := range slices.Clone(a.st.Made) {
		if id, ok := rulesetID(name); ok {
			if err := a.DeleteRuleset(ctx, id, a.want.Path); err != nil {
				return err
			}
			a.unmake(name)
		}
	}
	a.st.RequiredChecks, a.st.ChecksOn = nil, ""
	return nil
}

func rulesetID(made string) (int64, bool) {
	raw, ok := strings.CutPrefix(made, madeRuleset)
	id, err := strconv.ParseInt(raw, 10, 64)
	return id, ok && err == nil
}

// tidy takes leave of environments that the pipeline no longer has: of their variables and secrets at once; and of those that it
// made, unless the workflow that is still on the branch deploys to them: GitHub would make them anew, without protection.
func (a *pipelineApply) tidy(ctx context.Context) error {
	wanted := func(name string) bool {
		return slices.ContainsFunc(a.want.Environments, func(e pipeline.Environment) bool { return strings.EqualFold(e.Name, name) })
	}
	for _, e := range slices.Clone(a.st.Environments) {
		if wanted(e.Name) {
			continue
		}
		if err := a.ReleaseEnvironment(ctx, e); err != nil {
			return err
		}
		a.st.Environments = slices.DeleteFunc(a.st.Environments, func(o pipeline.EnvironmentStatus) bool { return o.Name == e.Name })
	}
	if len(a.st.Environments) == 0 {
		a.st.Environments = nil
	}
	slices.SortStableFunc(a.st.Environments, func(x, y pipeline.EnvironmentStatus) int { return a.order(x.Name) - a.order(y.Name) })
	if a.pull != nil && a.file.blob != "" {
		return nil
	}
	for _, name := range slices.Clone(a.st.Made) {
		env, ok := strings.CutPrefix(name, madeEnvironment)
		if !ok || wanted(env) {
			continue
		}
		if err := a.DeleteEnvironment(ctx, env, a.want.Path); err != nil {
			return err
		}
		a.unmake(name)
	}
	return nil
}

// order is the place of an environment in the Spec.
func (a *pipelineApply) order(name string) int {
	return slices.IndexFunc(a.want.Environments, func(e pipeline.Environment) bool { return strings.EqualFold(e.Name, name) })
}
