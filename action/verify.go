package action

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/report"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// A refusal is why nothing is applied, though nothing failed.
type refusal struct{ why string }

func (r *refusal) Error() string { return r.why }

func refuse(format string, args ...any) error { return &refusal{why: fmt.Sprintf(format, args...)} }

// pullOf is the pull request that brought the commit of this run: the one whose plan was reviewed.
func (r *run) pullOf(ctx context.Context) (github.PullRequest, error) {
	if p := r.event.Pull; p != nil {
		return r.pullOfEvent(ctx, *p)
	}
	all, err := r.forge.PullRequestsOf(ctx, r.event.SHA)
	if err != nil {
		return github.PullRequest{}, err
	}
	merged := slices.DeleteFunc(slices.Clone(all), func(p github.PullRequest) bool {
		return !p.Merged || r.event.Branch != "" && p.Base != r.event.Branch
	})
	if len(merged) > 1 {
		// Of several whose commits arrived together, the commit is the merge of one.
		if exact := slices.DeleteFunc(slices.Clone(merged), func(p github.PullRequest) bool { return p.MergeSHA != r.event.SHA }); len(exact) == 1 {
			merged = exact
		}
	}
	const next = "Apply what was reviewed: merge a pull request whose plan people have seen. To apply what nobody reviewed, set verify: none."
	switch {
	case len(merged) == 1:
		return merged[0], nil
	case len(merged) > 1:
		return github.PullRequest{}, refuse("%s belongs to %s, and which plan was reviewed is not certain. Merge one pull request at a time, or revert and merge again. %s",
			short(r.event.SHA), numbers(merged), next)
	case len(all) > 0:
		return github.PullRequest{}, refuse("%s belongs to %s, which %s not merged into %s. %s", short(r.event.SHA), numbers(all), was(all), r.event.Branch, next)
	}
	return github.PullRequest{}, refuse("No pull request brought %s to %s: it was pushed there. %s", short(r.event.SHA), r.event.Branch, next)
}

// pullOfEvent is the pull request of an event of its own: `closed` by a merge.
func (r *run) pullOfEvent(ctx context.Context, p eventPull) (github.PullRequest, error) {
	if !p.Merged {
		state := "open"
		if p.Closed {
			state = "closed without having been merged"
		}
		return github.PullRequest{}, refuse("Pull request #%d is %s: only what is merged is applied. Run the apply on push to the branch.", p.Number, state)
	}
	return r.forge.PullRequest(ctx, p.Number)
}

// reviewOf is what people could see of a pull request: the check run that this very app wrote on its head.
func (r *run) reviewOf(ctx context.Context, p github.PullRequest, app int64) (review, error) {
	const next = "Open a pull request with the same change, look at its plan, and merge that."
	if p.Fork {
		return review{}, refuse("Pull request #%d comes from a fork, whose plans are never applied. Open one from a branch of this repository with the same commits.", p.Number)
	}
	if app == 0 {
		return review{}, errors.New("GitHub does not say which app this token is of, so no check run can be believed")
	}
	name := r.checkName(ModePlan)
	all, err := r.forge.CheckRuns(ctx, p.HeadSHA, name)
	if err != nil {
		return review{}, err
	}
	own := slices.DeleteFunc(slices.Clone(all), func(c github.CheckRun) bool { return c.AppID != app || c.Name != name || c.Conclusion == "" })
	if len(own) == 0 && slices.ContainsFunc(all, func(c github.CheckRun) bool { return c.AppID == app }) {
		return review{}, refuse("The plan of pull request #%d, check run %q on %s, was not done when it was merged. %s", p.Number, name, short(p.HeadSHA), next)
	}
	if len(own) == 0 && len(all) > 0 {
		return review{}, refuse("The check run %q on %s, the head of pull request #%d, was written by another app (%s) than this token's: it is not believed. "+
			"Plan and apply with tokens of the same app. %s", name, short(p.HeadSHA), p.Number, all[0].AppSlug, next)
	}
	if len(own) == 0 {
		return review{}, refuse("The head of pull request #%d, %s, has no check run %q: it was merged before it was planned, or planned with other inputs (root, workspace, name). %s",
			p.Number, short(p.HeadSHA), name, next)
	}
	newest := slices.MaxFunc(own, func(a, b github.CheckRun) int { return cmp.Compare(a.ID, b.ID) })
	if newest.Conclusion != github.Success {
		return review{}, refuse("The plan of pull request #%d ended with %q: it was not fit to be applied. %s", p.Number, newest.Conclusion, next)
	}
	rev, err := parseReview(newest.Text, r.in.Key)
	if err == nil {
		err = rev.of(r.event.FullName(), p)
	}
	if err != nil {
		return review{}, refuse("The check run %q on %s is not believed: %v. %s", name, short(p.HeadSHA), err, next)
	}
	return rev, nil
}

// of finds out whether a review is of a pull request's head: a true one of elsewhere proves nothing here.
func (r review) of(repository string, p github.PullRequest) error {
	if r.Repository != repository || r.Commit != p.HeadSHA || r.Pull != p.Number {
		return fmt.Errorf("it is of %s#%d at %s", r.Repository, r.Pull, short(r.Commit))
	}
	return nil
}

// compare holds each fresh plan against the reviewed one. A refusal of one root is one of all.
func (r *run) compare(rev review, verify Verify) error {
	refused := 0
	for _, p := range r.plans {
		ref, err := p.compare(rev)
		if err != nil {
			return err
		}
		if ref != nil {
			refused++
			p.Apply = &report.Apply{Commit: r.event.SHA, Verify: string(verify), Refusal: ref}
		}
	}
	if refused == 0 {
		return nil
	}
	r.refuseAll(verify, "Nothing was applied, since another root module was refused.")
	var b strings.Builder
	for _, p := range r.plans {
		for _, d := range p.Apply.Refusal.Differences {
			_, _ = fmt.Fprintf(&b, "\n  %s: %s %s", p.Path, d.Part, d.How)
			if len(d.Attributes) > 0 {
				_, _ = fmt.Fprintf(&b, " in %s", strings.Join(d.Attributes, ", "))
			}
		}
	}
	return refuse("nothing was applied: the plan is not the one that was reviewed. Open a pull request, so that what would be applied now is reviewed.%s", b.String())
}

// refuseAll gives each root that is not refused yet a reason.
func (r *run) refuseAll(verify Verify, why string) {
	for _, p := range r.plans {
		if p.Apply == nil {
			p.Apply = &report.Apply{Commit: r.event.SHA, Verify: string(verify), Refusal: &report.Refusal{Why: why}}
		}
	}
}

// compare is nil for a plan that has the structure of the reviewed one, or does nothing.
func (p *rootPlan) compare(rev review) (*report.Refusal, error) {
	if !p.Plan.Changed() {
		return nil, nil //nolint:nilnil // nothing to apply, nothing to refuse
	}
	reviewed, ok, err := rev.root(p.Path)
	if err != nil {
		return nil, err
	}
	const next = "Nothing was applied. Open a pull request, so that what would be applied now is reviewed."
	if !ok {
		return &report.Refusal{Why: "This root module was not planned when the change was reviewed. " + next}, nil
	}
	now := p.Plan.Fingerprint
	if now.Equal(reviewed) {
		return nil, nil //nolint:nilnil // the same
	}
	if now.Version != reviewed.Version || now.Keyed != reviewed.Keyed {
		return &report.Refusal{Why: "The reviewed plan was fingerprinted by another version of Tidegate, or with a key where there is none now. " + next}, nil
	}
	return &report.Refusal{
		Why:         "The plan of what was merged is not the one that was reviewed. " + next,
		Differences: terraform.Diff(reviewed, now),
	}, nil
}

func numbers(ps []github.PullRequest) string {
	var out []string
	for _, p := range ps {
		out = append(out, fmt.Sprintf("#%d", p.Number))
	}
	slices.Sort(out)
	return "pull requests " + strings.Join(out, ", ")
}

func was(ps []github.PullRequest) string {
	if len(ps) == 1 {
		return "was"
	}
	return "were"
}

// isRefusal reports whether nothing failed.
func isRefusal(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}
