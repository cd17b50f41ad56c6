package github

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Delete removes what came into being by the pipeline: its rules first, which would keep the removal from being merged, then the
// file, then the environments. A file that became somebody else's stays. Where the removal waits in a pull request, the
// environments that the workflow still deploys to lose our secrets and variables and stay: without them GitHub would make them
// anew at the next run, unprotected. They go by a Delete after the merge, or to the next pipeline that asks for them.
func (p *Pipelines) Delete(ctx context.Context, known pipeline.Status, d pipeline.Delivery) (*pipeline.Pull, error) {
	r, err := p.at(known.Place)
	if err != nil {
		return nil, err
	}
	defer p.c.reads.forget(r)
	branch := known.Branch
	if branch == "" {
		branch = d.Branch
	}
	s, err := r.survey(ctx, known.Path, branch)
	if errors.Is(err, errNoBranch) { // and no file, nor a pull request to it
		s, err = &site{Repository: r, path: known.Path, branch: branch}, nil
	}
	if err != nil {
		return nil, err
	}
	for _, name := range known.Made {
		if id, ok := rulesetID(name); ok {
			if err := r.DeleteRuleset(ctx, id, known.Path); err != nil {
				return nil, err
			}
		}
	}
	pull, err := p.deleteFile(ctx, s, known, d)
	if err != nil {
		return nil, err
	}
	return pull, p.deleteEnvironments(ctx, r, known, pull != nil && pull.State == "open")
}

// deleteFile removes the file, and the pull request that would bring it. The pull request that it returns is one that removes it.
func (p *Pipelines) deleteFile(ctx context.Context, s *site, known pipeline.Status, how pipeline.Delivery) (*pipeline.Pull, error) {
	ours := s.file.blob != "" && known.MadeIt(pipeline.MadeFile) &&
		(s.file.content == known.Content || pipeline.Ours(s.file.content, s.path))
	d := &delivery{site: s, mode: how.Mode, change: fileChange{path: s.path}, planned: s.file.content, known: true, lenient: true}
	if !ours {
		_, err := d.supersede(ctx)
		return nil, err
	}
	var stay []string
	for _, name := range known.Made {
		if env, ok := strings.CutPrefix(name, madeEnvironment); ok {
			stay = append(stay, env)
		}
	}
	d.words = removing(known, s.branch, stay)
	out, err := d.deliver(ctx)
	if err != nil || out.pull == nil || out.pull.State != "open" {
		return nil, err
	}
	return out.pull, nil
}

// deleteEnvironments removes those that we made, and out of the others what we put into them. waits says that the workflow is still
// there.
func (p *Pipelines) deleteEnvironments(ctx context.Context, r *Repository, known pipeline.Status, waits bool) error {
	for _, e := range known.Environments {
		if !waits && slices.Contains(known.Made, madeEnvironment+e.Name) {
			continue // it goes as a whole
		}
		if err := r.ReleaseEnvironment(ctx, e); err != nil {
			return err
		}
	}
	remove := r.DeleteEnvironment
	if waits {
		remove = r.leaveEnvironment
	}
	for _, name := range known.Made {
		if env, ok := strings.CutPrefix(name, madeEnvironment); ok {
			if err := remove(ctx, env, known.Path); err != nil {
				return err
			}
		}
	}
	return nil
}
