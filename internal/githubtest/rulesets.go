package githubtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A ruleset is kept as it was sent: rules of types that a client does not know stay what they are.
type ruleset struct {
	ID               int64  `json:"-"`
	source           string // "acme/infra", or "acme" of an organisation's
	organization     bool
	created, updated time.Time

	Name        string
	Target      string
	Enforcement string
	Bypass      []bypassActor `json:"bypass_actors"`
	Conditions  *struct {
		RefName struct {
			Include []string `json:"include"`
			Exclude []string `json:"exclude"`
		} `json:"ref_name"`
	}
	Rules []object
}

type bypassActor struct {
	ID   *int64 `json:"actor_id"`
	Type string `json:"actor_type"`
	Mode string `json:"bypass_mode"`
}

func (r *repository) ruleset(id int64) *ruleset {
	for _, s := range r.rulesets {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// applies says whether a ruleset is about a ref, whether it is active or not.
func (s *ruleset) applies(r *repository, ref string) bool {
	prefix := map[string]string{"branch": "refs/heads/", "tag": "refs/tags/"}[s.Target]
	if prefix == "" || !strings.HasPrefix(ref, prefix) || s.Conditions == nil {
		return false
	}
	match := func(pattern string) bool {
		switch pattern {
		case "~ALL":
			return true
		case "~DEFAULT_BRANCH":
			return ref == "refs/heads/"+r.branch
		}
		return glob(pattern, ref)
	}
	names := s.Conditions.RefName
	return slices.ContainsFunc(names.Include, match) && !slices.ContainsFunc(names.Exclude, match)
}

// glob is fnmatch as GitHub's rules have it: a star stays within a segment, two go over all.
func glob(pattern, s string) bool {
	var re strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case strings.HasPrefix(pattern[i:], "**/"):
			re.WriteString("(.*/)?")
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			re.WriteString(".*")
			i++
		case pattern[i] == '*':
			re.WriteString("[^/]*")
		case pattern[i] == '?':
			re.WriteString("[^/]")
		default:
			re.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	ok, err := regexp.MatchString("^"+re.String()+"$", s)
	return err == nil && ok
}

// activeRules are the rules that count for a ref, with their rulesets.
func (r *repository) activeRules(ref string) (rules []object, of []*ruleset) {
	for _, s := range r.rulesets {
		if s.Enforcement != "active" || !s.applies(r, ref) {
			continue
		}
		for _, rule := range s.Rules {
			rules, of = append(rules, rule), append(of, s)
		}
	}
	return rules, of
}

// bypasses says whether who asks is let through a ruleset.
func (c *call) bypasses(s *ruleset, ch change) bool {
	return c.who != nil && slices.ContainsFunc(s.Bypass, func(b bypassActor) bool {
		if b.Mode == "pull_request" && ch.pull == nil {
			return false
		}
		var id int64
		put(&id, b.ID)
		person := c.who.app == nil
		switch b.Type {
		case "Integration":
			return !person && c.who.app.id == id
		case "User":
			return person && c.who.who.id == id
		case "OrganizationAdmin":
			return person && c.repo.role(c.who.who) == "admin"
		case "RepositoryRole": // 2 maintain, 4 write, 5 admin
			role := map[int64]string{2: "maintain", 4: "write", 5: "admin"}[id]
			return person && role != "" && c.repo.atLeast(c.who.who, role)
		case "Team":
			return person && slices.ContainsFunc(c.w.teams, func(t *team) bool { return t.id == id && slices.Contains(t.members, c.who.who) })
		}
		return false
	})
}

// broken says what the rulesets have against a change, in GitHub's words.
func (c *call) broken(ch change) ([]string, error) {
	var words []string
	rules, of := c.repo.activeRules(ch.ref)
	for i, rule := range rules {
		if c.bypasses(of[i], ch) {
			continue
		}
		says, err := c.repo.breaks(rule, ch)
		if err != nil {
			return nil, err
		}
		words = append(words, says...)
	}
	return words, nil
}

// breaks says what one rule has against a change. Rules that nothing here can break are those of pushed files, patterns
// and deployments.
func (r *repository) breaks(rule object, ch change) ([]string, error) {
	parameters, _ := rule["parameters"].(object)
	created, deleted := ch.old == "", ch.new == ""
	direct := ch.pull == nil && !deleted
	switch rule["type"] {
	case "creation":
		return when(created, "Cannot create ref due to creations being restricted."), nil
	case "update":
		return when(!created && !deleted, "Cannot update this protected ref."), nil
	case "deletion":
		return when(deleted, "Cannot delete this protected ref."), nil
	case "non_fast_forward":
		return when(!created && !deleted && !r.git.IsAncestor(ch.old, ch.new), "Cannot force-push to this branch"), nil
	case "required_signatures":
		return when(direct, "Commits must have verified signatures."), nil
	case "pull_request":
		if count, _ := parameters["required_approving_review_count"].(float64); ch.pull != nil && count > 0 {
			return []string{fmt.Sprintf("At least %d approving review is required by reviewers with write access.", int(count))}, nil
		}
		return when(direct && !created, "Changes must be made through a pull request."), nil
	case "required_linear_history":
		return r.merges(ch)
	case "required_status_checks":
		return r.unchecked(parameters, ch), nil
	}
	return nil, nil
}

func when(is bool, words string) []string {
	if !is {
		return nil
	}
	return []string{words}
}

// merges says whether a change brings merge commits.
func (r *repository) merges(ch change) ([]string, error) {
	if ch.old == "" || ch.new == "" {
		return nil, nil
	}
	brought, err := r.git.Between(ch.old, ch.new)
	if err != nil {
		return nil, err
	}
	for _, sha := range brought {
		commit, err := r.git.Commit(sha)
		if err != nil {
			return nil, err
		}
		if len(commit.Parents) > 1 {
			return []string{"This branch must not contain merge commits."}, nil
		}
	}
	return nil, nil
}

// unchecked says which required checks are missing.
func (r *repository) unchecked(parameters object, ch change) []string {
	if ch.new == "" || ch.old == "" && parameters["do_not_enforce_on_create"] == true {
		return nil
	}
	if parameters["strict_required_status_checks_policy"] == true && ch.pull != nil && !r.git.IsAncestor(ch.old, ch.pull.headSHA) {
		return []string{"This branch is out of date with the base branch."}
	}
	var checks []requiredCheck
	list, _ := parameters["required_status_checks"].([]any)
	for _, x := range list {
		one, _ := x.(object)
		name, _ := one["context"].(string)
		app, _ := one["integration_id"].(float64)
		checks = append(checks, requiredCheck{name, int64(app)})
	}
	return r.expected(checks, ch.tested())
}
