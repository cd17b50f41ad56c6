package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// ApplyRuleset makes the checks required on branch ("": the default one), and reads them back. Unchanged, it writes nothing.
// Rules of other types that somebody added to our ruleset stay; who was let through by it is let through no more. It is
// for Status.Made as "ruleset/ID". Where the plan has no rulesets it is an error of kind pipeline.ErrNotProtected.
func (r *Repository) ApplyRuleset(ctx context.Context, path, branch string, checks []string) (Ruleset, error) {
	t := task{doing: fmt.Sprintf("require checks by the ruleset %q", RulesetName(path)), needs: "administration: write", write: true}
	if err := r.mayWrite(t); err != nil {
		return Ruleset{}, err
	}
	app, err := r.c.actionsApp(ctx)
	if err != nil {
		return Ruleset{}, err
	}
	have, err := r.findRuleset(ctx, path)
	switch {
	case errors.Is(err, pipeline.ErrNotProtected):
		return Ruleset{}, reworded(t, err)
	case err != nil:
		return Ruleset{}, err
	case have != nil && have.asks(branch, checks, app):
		return have.ruleset(app), nil
	case have != nil && have.Target != "" && have.Target != "branch":
		return Ruleset{}, r.failed(t, &Error{Kind: pipeline.ErrExists, Message: oneLine("the ruleset of this name is about " + have.Target + ", not about branches"),
			Next: "Names of rulesets are unique in a repository: rename that one."})
	}
	id, err := r.writeRuleset(ctx, t, path, have, rulesetBody(path, branch, checks, app, have))
	if err != nil {
		return Ruleset{}, err
	}
	var got *wireRuleset
	err = settled(ctx, r.c.pause, func() (bool, error) {
		var err error
		got, err = r.readRuleset(ctx, id)
		return got != nil && got.asks(branch, checks, app), err
	})
	switch {
	case err != nil:
		return Ruleset{ID: id}, r.failedOnce(t, err)
	case got == nil || !got.asks(branch, checks, app):
		return Ruleset{ID: id}, r.failed(t, &Error{Kind: pipeline.ErrNotProtected,
			Next: "GitHub took the ruleset and has another one: see it on the repository's page, Settings, Rules. Until it is right, changes may be merged without the checks."})
	}
	return got.ruleset(app), nil
}

// reworded is an error of a look that was part of t.
func reworded(t task, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Doing, e.Permission = t.doing, t.needs
	}
	return err
}

// rulesetBody is what we write: all that have has, but for what makes the checks required.
func rulesetBody(path, branch string, checks []string, app int64, have *wireRuleset) map[string]any {
	ref := defaultBranch
	if branch != "" {
		ref = branchPrefix + branch
	}
	rule := wireChecks{Type: requiredChecks}
	for _, name := range checks {
		rule.Parameters.Checks = append(rule.Parameters.Checks, wireCheck{Context: name, App: app})
	}
	rules := []any{rule}
	if have != nil {
		for _, raw := range have.Rules {
			if !isChecks(raw) {
				rules = append(rules, raw)
			}
		}
	}
	return map[string]any{
		"name": RulesetName(path), "target": "branch", "enforcement": "active", "bypass_actors": []any{}, "rules": rules,
		"conditions": map[string]any{"ref_name": map[string]any{"include": []string{ref}, "exclude": []string{}}},
	}
}

func isChecks(raw json.RawMessage) bool {
	var rule struct{ Type string }
	return json.Unmarshal(raw, &rule) == nil && rule.Type == requiredChecks
}

// writeRuleset creates one, or changes have.
func (r *Repository) writeRuleset(ctx context.Context, t task, path string, have *wireRuleset, body map[string]any) (int64, error) {
	if have != nil {
		err := r.send(ctx, http.MethodPut, fmt.Sprintf("rulesets/%d", have.ID), body)
		return have.ID, r.rulesetFailed(t, err)
	}
	return once(ctx, r.c.pause, func() (int64, error) {
		req, err := r.c.api.NewRequest(http.MethodPost, fmt.Sprintf("repos/%s/rulesets", r), body)
		if err != nil {
			return 0, err
		}
		var made wireRuleset
		_, err = r.c.api.Do(ctx, req, &made)
		if err == nil && made.ID == 0 {
			err = strange(t)
		}
		return made.ID, r.rulesetFailed(t, err)
	}, func() (int64, bool, error) {
		found, err := r.findRuleset(ctx, path)
		if found == nil {
			return 0, false, err
		}
		return found.ID, true, nil
	})
}

// DeleteRuleset removes the ruleset id if it has the name of the pipeline at path; it succeeds if there is none, also since
// the plan has none any more, and leaves one that was renamed: somebody made it theirs.
func (r *Repository) DeleteRuleset(ctx context.Context, id int64, path string) error {
	t := task{doing: fmt.Sprintf("delete the ruleset %q", RulesetName(path)), needs: "administration: write", write: true}
	if err := r.mayWrite(t); err != nil {
		return err
	}
	have, err := r.readRuleset(ctx, id)
	if errors.Is(err, pipeline.ErrNotProtected) {
		return nil
	}
	if err != nil || have == nil || have.Name != RulesetName(path) {
		return err
	}
	err = r.send(ctx, http.MethodDelete, fmt.Sprintf("rulesets/%d", id), nil)
	if missing(err) {
		return nil
	}
	return r.failed(t, err)
}
