package githubtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

var rulesetOperations = map[string]func(*call) (answer, error){
	"repos/get-repo-rulesets":   (*call).listRulesets,
	"repos/get-repo-ruleset":    (*call).getRuleset,
	"repos/create-repo-ruleset": (*call).createRuleset,
	"repos/update-repo-ruleset": (*call).updateRuleset,
	"repos/delete-repo-ruleset": (*call).deleteRuleset,
	"repos/get-branch-rules":    (*call).branchRules,
}

// noRulesets is what GitHub answers where its plan has none.
func (c *call) noRulesets() error {
	if c.free() {
		return &problem{status: http.StatusForbidden, message: "Upgrade to GitHub Pro or make this repository public to enable this feature."}
	}
	return nil
}

// renderRuleset is what lists have: neither rules nor conditions.
func (w *World) renderRuleset(r *repository, s *ruleset) object {
	kind := "Repository"
	if s.organization {
		kind = "Organization"
	}
	return object{
		"id": s.ID, "node_id": node("RRS", s.ID), "name": s.Name, "target": s.Target, "source_type": kind, "source": s.source, "enforcement": s.Enforcement,
		"created_at": stamp(s.created), "updated_at": stamp(s.updated),
		"_links": object{
			"self": href(w.link("/repos/%s/rulesets/%d", r.fullName(), s.ID)), "html": href(fmt.Sprintf("%s/%s/rules/%d", w.url, r.fullName(), s.ID)),
		},
	}
}

// fullRuleset is a single one. Who may let whom through is told to those who may change it only.
func (c *call) fullRuleset(s *ruleset) object {
	out := c.w.renderRuleset(c.repo, s)
	out["rules"] = s.Rules
	if s.Rules == nil {
		out["rules"] = []any{}
	}
	if s.Conditions != nil {
		out["conditions"] = object{"ref_name": object{"include": list(s.Conditions.RefName.Include), "exclude": list(s.Conditions.RefName.Exclude)}}
	}
	if c.who == nil {
		return out
	}
	out["current_user_can_bypass"] = "never"
	if c.bypasses(s, change{}) {
		out["current_user_can_bypass"] = "always"
	}
	if c.mayAdminister() {
		out["bypass_actors"] = append([]bypassActor{}, s.Bypass...)
	}
	return out
}

// mayAdminister says whether who asks could change the repository's settings.
func (c *call) mayAdminister() bool {
	asked := c.header.Get("X-Accepted-GitHub-Permissions")
	defer func() { c.header.Set("X-Accepted-GitHub-Permissions", asked) }() // nobody asked for these
	return c.permitted("repos/update-repo-ruleset", needs["repos/update-repo-ruleset"], true) == nil
}

// list is never null in JSON.
func list(names []string) []string { return append([]string{}, names...) }

func (c *call) listRulesets() (answer, error) {
	if err := c.noRulesets(); err != nil {
		return answer{}, err
	}
	targets := c.query("targets")
	found := slices.DeleteFunc(slices.Clone(c.repo.rulesets), func(s *ruleset) bool {
		return s.organization && c.query("includes_parents") == "false" || targets != "" && !slices.Contains(strings.Split(targets, ","), s.Target)
	})
	render := func(s *ruleset) object { return c.w.renderRuleset(c.repo, s) }
	return answer{status: http.StatusOK, value: each(page(c, found), render)}, nil
}

// namedRuleset is the ruleset that the path names; for a change not an organisation's.
func (c *call) namedRuleset(toChange bool) (*ruleset, error) {
	if err := c.noRulesets(); err != nil {
		return nil, err
	}
	s := c.repo.ruleset(c.number("ruleset_id"))
	if s == nil || s.organization && (toChange || c.query("includes_parents") == "false") {
		return nil, notFound()
	}
	return s, nil
}

func (c *call) getRuleset() (answer, error) {
	s, err := c.namedRuleset(false)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.fullRuleset(s)}, nil
}

// check says what GitHub refuses about a ruleset.
func (r *repository) check(s *ruleset) error {
	if s.Name == "" {
		return invalid("Ruleset", "name", "missing_field", "")
	}
	for _, other := range r.rulesets {
		if other.ID != s.ID && other.organization == s.organization && strings.EqualFold(other.Name, s.Name) {
			return invalid("Ruleset", "name", "already_exists", "Name must be unique")
		}
	}
	return nil
}

func (c *call) createRuleset() (answer, error) {
	if err := c.noRulesets(); err != nil {
		return answer{}, err
	}
	s, err := c.w.newRuleset(c.repo, c.body, "")
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, value: c.fullRuleset(s)}, nil
}

// newRuleset adds one, of an organisation if that is named.
func (w *World) newRuleset(r *repository, raw []byte, organization string) (*ruleset, error) {
	s := &ruleset{Target: "branch", source: r.fullName(), created: now(), updated: now()}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, &problem{status: http.StatusBadRequest, message: "Problems parsing JSON"}
	}
	if organization != "" {
		s.source, s.organization = organization, true
	}
	if err := r.check(s); err != nil {
		return nil, err
	}
	s.ID = w.id()
	r.rulesets = append(r.rulesets, s)
	return s, nil
}

// updateRuleset replaces what is sent; what is not sent stays.
func (c *call) updateRuleset() (answer, error) {
	s, err := c.namedRuleset(true)
	if err != nil {
		return answer{}, err
	}
	var fields map[string]json.RawMessage
	if err := c.decode(&fields); err != nil {
		return answer{}, err
	}
	next := *s
	if _, ok := fields["rules"]; ok {
		next.Rules = nil // else what was sent would be mixed into what is there
	}
	if _, ok := fields["bypass_actors"]; ok {
		next.Bypass = nil
	}
	if _, ok := fields["conditions"]; ok {
		next.Conditions = nil
	}
	if err := c.decode(&next); err != nil {
		return answer{}, err
	}
	if err := c.repo.check(&next); err != nil {
		return answer{}, err
	}
	next.updated = later(s.updated)
	*s = next
	return answer{status: http.StatusOK, value: c.fullRuleset(s)}, nil
}

func (c *call) deleteRuleset() (answer, error) {
	s, err := c.namedRuleset(true)
	if err != nil {
		return answer{}, err
	}
	c.repo.removeRuleset(s)
	return answer{status: http.StatusNoContent}, nil
}

func (r *repository) removeRuleset(s *ruleset) {
	r.rulesets = slices.DeleteFunc(r.rulesets, func(other *ruleset) bool { return other == s })
}

// branchRules are the active rules of a branch, which need not be there yet.
func (c *call) branchRules() (answer, error) {
	if err := c.noRulesets(); err != nil {
		return answer{}, err
	}
	rules, of := c.repo.activeRules("refs/heads/" + c.at.Params["branch"])
	out := []object{}
	for i, rule := range rules {
		one := maps.Clone(rule)
		one["ruleset_id"], one["ruleset_source"], one["ruleset_source_type"] = of[i].ID, of[i].source, "Repository"
		if of[i].organization {
			one["ruleset_source_type"] = "Organization"
		}
		out = append(out, one)
	}
	return answer{status: http.StatusOK, value: page(c, out)}, nil
}

func (w *World) controlAddRuleset(in struct {
	Repo, Organization string
	Ruleset            json.RawMessage
}) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	s, err := w.newRuleset(r, in.Ruleset, in.Organization)
	if err != nil {
		return nil, err
	}
	return object{"ID": s.ID}, nil
}

func (w *World) controlDeleteRuleset(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	s := r.ruleset(in.ID)
	if s == nil {
		return nil, fmt.Errorf("%s has no ruleset %d", in.Repo, in.ID)
	}
	r.removeRuleset(s)
	return nil, nil
}

func (w *World) controlRulesets(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	return each(r.rulesets, func(s *ruleset) object {
		out := object{"ID": s.ID, "Name": s.Name, "Source": s.source, "Target": s.Target, "Enforcement": s.Enforcement, "Rules": s.Rules, "Bypass": len(s.Bypass)}
		if s.Conditions != nil {
			out["Include"], out["Exclude"] = s.Conditions.RefName.Include, s.Conditions.RefName.Exclude
		}
		return out
	}), nil
}
