package github

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Get reads a pipeline. What all pipelines of a repository need is read once; a content only if it is not the known one. A
// known Status of nothing but a place is an import: then everything is looked for.
func (p *Pipelines) Get(ctx context.Context, known pipeline.Status) (pipeline.Status, error) {
	r, err := p.at(known.Place)
	if err != nil {
		return pipeline.Status{}, err
	}
	st := pipeline.Status{Place: known.Place, Branch: known.Branch, Commit: known.Commit, Pull: known.Pull, ChecksOn: known.ChecksOn, Made: slices.Clone(known.Made)}
	if st.Branch == "" {
		f, err := p.facts(ctx, r)
		if err != nil {
			return pipeline.Status{}, err
		}
		st.Branch = f.branch
	}
	imported := known.Content == "" && known.Commit == "" && known.Pull == nil && len(known.Made) == 0 && len(known.Environments) == 0
	if err := p.getFile(ctx, r, known, &st, imported); err != nil {
		return pipeline.Status{}, err
	}
	if err := p.getEnvironments(ctx, r, known, &st, imported); err != nil {
		return pipeline.Status{}, err
	}
	return st, p.getRules(ctx, r, known, &st, imported)
}

// getFile reads the file and the pull request that brings it.
func (p *Pipelines) getFile(ctx context.Context, r *Repository, known pipeline.Status, st *pipeline.Status, imported bool) error {
	if imported {
		s, err := r.survey(ctx, known.Path, st.Branch)
		if err != nil {
			return err
		}
		st.Content, st.Pull = s.now().content, statusOf(s.pull)
		if pipeline.Ours(st.Content, known.Path) {
			st.Made = append(st.Made, pipeline.MadeFile)
		}
		return p.found(r, st)
	}
	if known.Pull != nil && known.Pull.State == "open" {
		pull, _, err := r.c.api.PullRequests.Get(ctx, r.owner, r.name, known.Pull.Number)
		if err != nil {
			return r.failed(task{doing: fmt.Sprintf("read pull request #%d", known.Pull.Number), needs: "pull-requests: read"}, err)
		}
		st.Pull = statusOf(pull)
		if st.Pull.State == "open" {
			now, err := r.file(ctx, known.Path, pull.GetHead().GetSHA())
			st.Content = now.content
			if err != nil {
				return err
			}
			return p.found(r, st)
		}
		p.c.reads.forget(r) // it was merged or closed since, and what was read may be of before
	}
	files, err := p.files(ctx, r, st.Branch)
	if err != nil {
		return err
	}
	switch sha := files[known.Path]; sha {
	case "":
	case blobSHA(known.Content):
		st.Content = known.Content
	default:
		if st.Content, err = r.blob(ctx, sha); err != nil {
			return err
		}
	}
	return p.found(r, st)
}

// found says whether there is a pipeline at all.
func (p *Pipelines) found(r *Repository, st *pipeline.Status) error {
	if st.Content != "" || st.Pull != nil && st.Pull.State == "open" {
		return nil
	}
	return r.failed(task{doing: "read " + st.Path}, &Error{
		Kind: pipeline.ErrNotFound, Message: fmt.Sprintf("branch %s has no such file, and no pull request of ours brings it", st.Branch),
	})
}

// getEnvironments reads those that are known, or all that an import finds.
func (p *Pipelines) getEnvironments(ctx context.Context, r *Repository, known pipeline.Status, st *pipeline.Status, imported bool) error {
	if len(known.Environments) == 0 && !imported {
		return nil
	}
	l, err := p.environments(ctx, r)
	if err != nil {
		return err
	}
	if imported {
		names, err := l.MadeBy(ctx, known.Path)
		if err != nil {
			return err
		}
		for _, name := range names {
			e, ok, err := l.All(ctx, name)
			if err != nil {
				return err
			}
			if ok {
				st.Environments, st.Made = append(st.Environments, e), append(st.Made, madeEnvironment+name)
			}
		}
		return nil
	}
	for _, k := range known.Environments {
		e, ok, err := l.Status(ctx, k.Environment)
		if err != nil {
			return err
		}
		if ok {
			st.Environments = append(st.Environments, e)
		}
	}
	return nil
}

// getRules reads our ruleset, if there ever was one: by its number, which saves the list of all.
func (p *Pipelines) getRules(ctx context.Context, r *Repository, known pipeline.Status, st *pipeline.Status, imported bool) error {
	for _, name := range known.Made {
		if id, ok := rulesetID(name); ok {
			rules, there, err := r.rulesetByID(ctx, id, known.Path)
			if there {
				st.RequiredChecks = required(rules, known.ChecksOn, st.Branch)
			}
			if errors.Is(err, pipeline.ErrNotProtected) { // the plan has none any more, so nothing is required
				st.Behind = append(st.Behind, "required_checks")
				return nil
			}
			return err
		}
	}
	if !imported {
		return nil
	}
	l, err := share(ctx, p.c.reads, r, "rulesets", func() (*Rulesets, error) { return r.Rulesets(ctx) })
	if errors.Is(err, ErrPermission) || errors.Is(err, pipeline.ErrNotProtected) {
		return nil // a plan without rulesets, or a token that may not see them: none is ours
	}
	if err != nil {
		return err
	}
	rules, ok, err := l.Of(ctx, known.Path)
	if err != nil || !ok {
		return err
	}
	st.Made = append(st.Made, fmt.Sprintf("%s%d", madeRuleset, rules.ID))
	st.RequiredChecks = required(rules, "", st.Branch)
	if len(st.RequiredChecks) > 0 {
		st.ChecksOn = rules.Branch
	}
	return nil
}

// required are the checks that our ruleset requires where they were asked for: none, and not nil, if somebody made it one of
// another branch.
func required(rules Ruleset, asked, branch string) []string {
	if rules.Branch == asked || rules.Branch == branch {
		return rules.Checks
	}
	return []string{}
}

// rulesetByID is that of the pipeline at path, if it has this number.
func (r *Repository) rulesetByID(ctx context.Context, id int64, path string) (Ruleset, bool, error) {
	have, err := r.readRuleset(ctx, id)
	if err != nil || have == nil || have.Name != RulesetName(path) {
		return Ruleset{}, false, err
	}
	app, err := r.c.actionsApp(ctx)
	if err != nil {
		return Ruleset{}, false, err
	}
	return have.ruleset(app), true, nil
}

// facts, files and environments are shared reads.
func (p *Pipelines) facts(ctx context.Context, r *Repository) (facts, error) {
	return share(ctx, p.c.reads, r, "facts", func() (facts, error) { return r.facts(ctx) })
}

func (p *Pipelines) files(ctx context.Context, r *Repository, branch string) (map[string]string, error) {
	return share(ctx, p.c.reads, r, "folder "+branch, func() (map[string]string, error) { return r.folder(ctx, workflows, branch) })
}

func (p *Pipelines) environments(ctx context.Context, r *Repository) (*Environments, error) {
	return share(ctx, p.c.reads, r, "environments", func() (*Environments, error) { return r.Environments(ctx) })
}
