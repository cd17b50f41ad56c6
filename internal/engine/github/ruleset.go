package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A Ruleset is our own: the checks that a branch requires.
type Ruleset struct {
	ID     int64
	Branch string // "" for the default branch, whichever it is
	// Checks that everybody's changes to Branch need, from GitHub Actions and nobody else. It is not nil. A ruleset that
	// somebody switched off, or by which somebody is let through, requires none; nor is a check one that another app may report.
	Checks []string
}

// RulesetName is the name of the ruleset of the pipeline at path. GitHub has one of a name in a repository, so that what is
// called so is ours, unless it is about something else than branches.
func RulesetName(path string) string { return "tidegate: " + path }

const (
	defaultBranch  = "~DEFAULT_BRANCH"
	branchPrefix   = "refs/heads/"
	requiredChecks = "required_status_checks"
)

// wireRuleset is a ruleset as far as we know it; raw has the whole of it.
type wireRuleset struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Target      string `json:"target"`
	Source      string `json:"source_type"`
	Enforcement string `json:"enforcement"`
	Bypass      []any  `json:"bypass_actors"`
	Conditions  struct {
		Ref struct {
			Include []string `json:"include"`
			Exclude []string `json:"exclude"`
		} `json:"ref_name"`
	} `json:"conditions"`
	Rules []json.RawMessage `json:"rules"`
}

// A wireChecks is the rule that we write.
type wireChecks struct {
	Type       string `json:"type"`
	Parameters struct {
		Strict bool        `json:"strict_required_status_checks_policy"`
		Checks []wireCheck `json:"required_status_checks"`
	} `json:"parameters"`
}

type wireCheck struct {
	Context string `json:"context"`
	App     int64  `json:"integration_id,omitempty"`
}

// Rulesets are those of a repository, as one list said; ours are read when they are looked at, and once only. Like Environments
// it can be shared by all who read at the same time.
type Rulesets struct {
	r      *Repository
	listed []wireRuleset // without rules
	read   memo[*wireRuleset]
}

// Rulesets lists them. One request for 100.
func (r *Repository) Rulesets(ctx context.Context) (*Rulesets, error) {
	l := &Rulesets{r: r}
	err := pages(func(page int) (int, error) {
		var list []wireRuleset
		res, err := r.get(ctx, fmt.Sprintf("rulesets?includes_parents=false&per_page=100&page=%d", page), &list)
		if err != nil {
			return 0, err
		}
		l.listed = append(l.listed, list...)
		return res.NextPage, nil
	})
	if err != nil {
		return nil, r.rulesetFailed(readingRulesets, err)
	}
	return l, nil
}

// Of is the ruleset of the pipeline at path; false if there is none. At most one request.
func (l *Rulesets) Of(ctx context.Context, path string) (Ruleset, bool, error) {
	have, err := l.of(ctx, path)
	if err != nil || have == nil {
		return Ruleset{}, false, err
	}
	app, err := l.r.c.actionsApp(ctx)
	if err != nil {
		return Ruleset{}, true, err
	}
	return have.ruleset(app), true, nil
}

func (l *Rulesets) of(ctx context.Context, path string) (*wireRuleset, error) {
	i := slices.IndexFunc(l.listed, func(w wireRuleset) bool { return w.Name == RulesetName(path) && w.Source != "Organization" })
	if i < 0 {
		return nil, nil
	}
	return l.read.get(path, func() (*wireRuleset, error) { return l.r.readRuleset(ctx, l.listed[i].ID) })
}

// Ruleset is that of the pipeline at path; false if there is none. Two requests.
func (r *Repository) Ruleset(ctx context.Context, path string) (Ruleset, bool, error) {
	l, err := r.Rulesets(ctx)
	if err != nil {
		return Ruleset{}, false, err
	}
	return l.Of(ctx, path)
}

var readingRulesets = task{doing: "read the rulesets", needs: "metadata: read"}

// findRuleset is ours, or nil.
func (r *Repository) findRuleset(ctx context.Context, path string) (*wireRuleset, error) {
	l, err := r.Rulesets(ctx)
	if err != nil {
		return nil, err
	}
	return l.of(ctx, path)
}

// readRuleset is one by its id, or nil.
func (r *Repository) readRuleset(ctx context.Context, id int64) (*wireRuleset, error) {
	have := &wireRuleset{}
	_, err := r.get(ctx, fmt.Sprintf("rulesets/%d?includes_parents=false", id), have)
	switch {
	case missing(err):
		return nil, nil
	case err == nil && have.ID != id:
		err = strange(readingRulesets)
	}
	return have, r.rulesetFailed(readingRulesets, err)
}

// rulesetFailed makes an error of what went wrong; that a plan has no rulesets is one of its own.
func (r *Repository) rulesetFailed(t task, err error) error {
	failed := r.failed(t, err)
	var e *Error
	if errors.As(failed, &e) && e.Status == http.StatusForbidden && strings.Contains(strings.ToLower(e.Message), "upgrade to github") {
		e.Kind = pipeline.ErrNotProtected
		e.Next = "Rulesets on a private repository take GitHub Pro, Team or Enterprise; on a public one every plan has them. Without one nothing requires the checks: " +
			"make the repository public, change the plan, or take required_checks out."
	}
	return failed
}

// ruleset says what it requires.
func (w *wireRuleset) ruleset(app int64) Ruleset {
	out := Ruleset{ID: w.ID, Checks: []string{}}
	include := w.Conditions.Ref.Include
	if len(include) != 1 || len(w.Conditions.Ref.Exclude) > 0 {
		return out
	}
	if include[0] != defaultBranch {
		out.Branch = strings.TrimPrefix(include[0], branchPrefix)
	}
	if w.Enforcement != "active" || len(w.Bypass) > 0 {
		return out
	}
	for _, raw := range w.Rules {
		for _, check := range checksOf(raw) {
			if check.App == app {
				out.Checks = append(out.Checks, check.Context)
			}
		}
	}
	return out
}

// checksOf are the checks of a rule; none of one of another type.
func checksOf(raw json.RawMessage) []wireCheck {
	var rule wireChecks
	if json.Unmarshal(raw, &rule) != nil || rule.Type != requiredChecks {
		return nil
	}
	return rule.Parameters.Checks
}

// actionsOnGitHub is the id of the app GitHub Actions on github.com.
const actionsOnGitHub = 15368

// actionsApp is the id of the app whose checks count: without it any token that may write a status could say "success".
func (c *Client) actionsApp(ctx context.Context) (int64, error) {
	if c.api.BaseURL.Host == "api.github.com" {
		return actionsOnGitHub, nil
	}
	const slug = "github-actions"
	return c.apps.get(slug, func() (int64, error) {
		t := task{doing: "find the id of the app github-actions", needs: "metadata: read"}
		app, _, err := c.api.Apps.Get(ctx, slug)
		if err == nil && app.GetID() == 0 {
			err = strange(t)
		}
		if err != nil {
			e := explain(t, err)
			e.Message = c.redact(e.Message)
			if errors.Is(e.Kind, ErrNotFound) {
				e.Next = "Required checks count from GitHub Actions alone: see that this server has Actions switched on, or take required_checks out."
			}
			return 0, e
		}
		return app.GetID(), nil
	})
}

// asks reports whether w is what is wanted, rules of other types aside.
func (w *wireRuleset) asks(branch string, checks []string, app int64) bool {
	have := w.ruleset(app)
	n := 0
	for _, raw := range w.Rules {
		n += len(checksOf(raw))
	}
	return have.Branch == branch && sameSet(have.Checks, checks) && n == len(have.Checks) && !w.strict()
}

func (w *wireRuleset) strict() bool {
	return slices.ContainsFunc(w.Rules, func(raw json.RawMessage) bool {
		var rule wireChecks
		return json.Unmarshal(raw, &rule) == nil && rule.Type == requiredChecks && rule.Parameters.Strict
	})
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
