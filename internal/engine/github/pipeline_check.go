package github

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Check looks at the repository as a plan can: by reads alone, which it shares with Get and with the other pipelines.
func (p *Pipelines) Check(ctx context.Context, s pipeline.Spec, known pipeline.Status) ([]pipeline.Problem, error) {
	r, err := p.at(s.Place)
	if err != nil {
		return []pipeline.Problem{{Path: []any{"path"}, Summary: "The file cannot be there", Detail: err.Error() + "."}}, nil //nolint:nilerr // it is the answer
	}
	c := &checking{Pipelines: p, r: r, spec: s, known: known}
	if known.Place != s.Place {
		c.known = pipeline.Status{}
		if known.Repository == s.Repository {
			for _, name := range known.Made {
				if env, ok := strings.CutPrefix(name, madeEnvironment); ok {
					p.c.going.add(r, env)
				}
			}
		}
	}
	for _, look := range []func(context.Context) error{c.repository, c.branch, c.file, c.environments, c.deploys} {
		if err := look(ctx); err != nil {
			return c.found, err
		}
		if c.lost {
			break
		}
	}
	return c.found, nil
}

// checking is a Check under way.
type checking struct {
	*Pipelines
	r     *Repository
	spec  pipeline.Spec
	known pipeline.Status // zero if it is not there yet
	facts facts
	name  string // of the branch
	lost  bool   // what comes next would only say the same again
	found []pipeline.Problem
}

func (c *checking) problem(warning bool, summary, detail string, at ...any) {
	c.found = append(c.found, pipeline.Problem{Path: at, Summary: summary, Detail: detail, Warning: warning})
}

func (c *checking) repository(ctx context.Context) error {
	f, err := c.Pipelines.facts(ctx, c.r)
	switch {
	case errors.Is(err, ErrToken):
		c.lost = true
		c.problem(false, "The token was not accepted", err.Error(), "repository")
		return nil
	case errors.Is(err, ErrNotFound) && !c.c.nobody:
		c.lost = true
		c.problem(false, "There is no such repository, or the token may not see it", err.Error(), "repository")
		return nil
	case err != nil:
		return err
	}
	c.facts = f
	switch {
	case f.archived:
		c.lost = true
		c.problem(false, "The repository is archived", fmt.Sprintf("%s can only be read. Unarchive it in its settings, or remove the pipeline from state (terraform state rm).", c.r), "repository")
	case c.c.nobody:
		c.problem(true, "No token was given", "Public repositories can be read without one, and nothing can be written: give GITHUB_TOKEN, or a token or App in the provider's block github, before this is applied.", "repository")
	case !c.c.installation && !f.push:
		c.lost = true
		c.problem(false, "The token may not write", fmt.Sprintf("Who the token belongs to may read %s and not push to it. Ask for the role Write there, and Admin to make environments and rules.", c.r), "repository")
	case f.classic && !f.has("repo") && (f.private || !f.has("public_repo")):
		c.problem(false, "The token lacks a scope", "It is a classic token without scope repo: give it repo and workflow.", "repository")
	case f.classic && !f.has("workflow"):
		c.problem(false, "The token lacks a scope", "It is a classic token without scope workflow, and files in .github/workflows take that: GitHub would say that they are not there. Add the scope on the token's page.", "repository")
	}
	if !strings.EqualFold(f.name, c.r.String()) && f.name != "" {
		c.problem(true, "The repository has another name by now", fmt.Sprintf("%s is %s. GitHub leads from the old name to the new one until somebody else takes the old one: name it as it is.", c.r, f.name), "repository")
	}
	return nil
}

func (f facts) has(scope string) bool { return slices.Contains(f.scopes, scope) }

func (c *checking) branch(ctx context.Context) error {
	c.name = c.spec.Delivery.Branch
	if c.name == "" {
		c.name = c.facts.branch
	}
	at, err := share(ctx, c.c.reads, c.r, "tip "+c.name, func() (tip, error) { return c.r.tip(ctx, c.name) })
	if errors.Is(err, ErrNotFound) {
		c.lost = true
		where := []any{"delivery", "branch"}
		if c.spec.Delivery.Branch == "" {
			where = []any{"repository"}
		}
		c.problem(false, "There is no such branch", err.Error(), where...)
		return nil
	}
	if err != nil {
		return err
	}
	if c.known.Branch != "" && c.known.Branch != c.name && c.spec.Delivery.Branch != "" {
		c.problem(false, "A pipeline stays on its branch", fmt.Sprintf("It is on branch %s of %s, and is asked for on %s. To move it, destroy it and create it anew: terraform apply -replace=ADDRESS.", c.known.Branch, c.r, c.name), "delivery", "branch")
	}
	if at.protected && c.spec.Delivery.Mode == pipeline.Commit {
		c.problem(true, "The branch is protected", fmt.Sprintf("Branch %s of %s may refuse the commit. Unless this token bypasses the protection, the file is brought by a pull request.", c.name, c.r), "delivery", "mode")
	}
	return nil
}

func (c *checking) file(ctx context.Context) error {
	files, err := c.files(ctx, c.r, c.name)
	if err != nil {
		return err
	}
	sha := files[c.spec.Path]
	switch {
	case sha == "", sha == blobSHA(c.known.Content):
		return nil
	case c.known.Path != "":
		if c.known.Pull == nil || c.known.Pull.State != "open" {
			c.problem(true, "The file changed since it was read", fmt.Sprintf("%s on %s is blob %s by now, and state has another one. Plan with a refresh, or apply will stop.", c.spec.Path, c.name, sha), "path")
		}
		return nil
	case c.spec.Adopt:
		return nil
	}
	content, err := c.r.blob(ctx, sha)
	if err == nil && !pipeline.Ours(content, c.spec.Path) {
		c.problem(false, "The file is there already", fmt.Sprintf("%s on %s of %s was not written by this pipeline. Choose another path, or set adopt = true to take it over: it is then overwritten, and stays when the pipeline is destroyed.", c.spec.Path, c.name, c.r), "path")
	}
	return err
}

func (c *checking) environments(ctx context.Context) error {
	for i, e := range c.spec.Environments {
		c.c.coming.add(c.r, e.Name)
		if attribute, why := refusable(e); e.Name != "" && why != "" {
			c.problem(false, "GitHub would not take the environment", fmt.Sprintf("Environment %q: %s.", e.Name, why), "environment", i, attribute)
			continue
		}
		for j, word := range e.Reviewers {
			err := c.r.CheckReviewer(ctx, word)
			if errors.Is(err, ErrNotFound) || errors.Is(err, ErrRefused) {
				c.problem(false, "Not a reviewer", err.Error(), "environment", i, "reviewers", j)
			}
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
		if err := c.claim(ctx, i, e); err != nil {
			return err
		}
	}
	return nil
}

// claim looks whether an environment that the pipeline does not have yet is somebody else's.
func (c *checking) claim(ctx context.Context, i int, e pipeline.Environment) error {
	if e.Name == "" || environmentOf(c.known.Environments, e.Name) >= 0 || c.c.going.has(c.r, e.Name) {
		return nil
	}
	l, err := c.Pipelines.environments(ctx, c.r)
	if err != nil {
		return err
	}
	err = l.Claim(ctx, EnvironmentChange{Path: c.spec.Path, Adopt: c.spec.Adopt, Want: e, Made: c.known.MadeIt(madeEnvironment + e.Name)})
	if errors.Is(err, pipeline.ErrExists) {
		c.problem(false, "The environment is there already", err.Error(), "environment", i, "name")
		return nil
	}
	return err
}

// deploys go to environments of the pipeline, or to others that the repository has.
func (c *checking) deploys(ctx context.Context) error {
	for i, d := range c.spec.Deploys {
		if d.Environment == "" || slices.ContainsFunc(c.spec.Environments, func(e pipeline.Environment) bool { return strings.EqualFold(e.Name, d.Environment) }) {
			continue
		}
		l, err := c.Pipelines.environments(ctx, c.r)
		if err != nil {
			return err
		}
		if c.c.coming.has(c.r, d.Environment) {
			continue
		}
		if goes := c.known.MadeIt(madeEnvironment+d.Environment) || c.c.going.has(c.r, d.Environment); l.Has(d.Environment) {
			if goes {
				c.problem(false, "The environment would go", fmt.Sprintf("Deploy %q goes to environment %q, which a pipeline made that has no block for it any more: it would be removed, and GitHub would make it anew at the next run, without protection. Keep the block, or let the deploy name another environment.", d.Name, d.Environment), "deploy", i, "environment")
			}
			continue
		}
		have := l.Names()
		for _, e := range c.spec.Environments {
			have = append(have, e.Name)
		}
		hint := "Add a block environment with that name"
		if near := nearest(d.Environment, have, 5); len(near) > 0 {
			hint += ", or name one that there is: " + strings.Join(near, ", ")
		}
		hint += ". One that another tidegate_pipeline of this configuration makes is named by a reference, so that it is planned first: environment = tidegate_pipeline.OTHER.environment[0].name"
		c.problem(false, "There is no such environment", fmt.Sprintf("Deploy %q goes to environment %q, which neither this pipeline nor %s has: GitHub would make it at the first run, without protection. %s.", d.Name, d.Environment, c.r, hint), "deploy", i, "environment")
	}
	return nil
}
