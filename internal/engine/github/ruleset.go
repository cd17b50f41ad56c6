package github

import (
	"context"
	"errors"
)

// A Ruleset is our own: the checks that a branch requires.
type Ruleset struct {
	ID     int64
	Branch string // "" for the default branch, whichever it is
	Checks []string
	// Changed is true if it requires less than these words say: it was switched off, bypassed, or a check may come from anybody.
	Changed bool
}

// RulesetName is the name of the ruleset of the pipeline at path.
func RulesetName(path string) string { return "tidegate: " + path }

// Ruleset returns that of the pipeline at path; false if there is none. One request for the list of all rulesets, which the
// pipelines of a repository share by their ETag, and one for ours.
func (r *Repository) Ruleset(ctx context.Context, path string) (Ruleset, bool, error) {
	return Ruleset{}, false, errors.ErrUnsupported
}

// ApplyRuleset makes the checks required on branch ("": the default one), and reads them back. Unchanged, it writes nothing.
// Rules of other types that somebody added to our ruleset stay. It is for Status.Made as "ruleset/ID". Where the plan
// has no rulesets it is an error of kind pipeline.ErrNotProtected.
func (r *Repository) ApplyRuleset(ctx context.Context, path, branch string, checks []string) (Ruleset, error) {
	return Ruleset{}, errors.ErrUnsupported
}

// DeleteRuleset removes the ruleset id if it has the name of the pipeline at path; it succeeds if there is none.
func (r *Repository) DeleteRuleset(ctx context.Context, id int64, path string) error {
	return errors.ErrUnsupported
}
