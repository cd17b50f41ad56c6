package githubtest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
)

const checksOfMain = `{"name": "checks", "enforcement": "active", "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
	"rules": [{"type": "required_status_checks", "parameters": {"strict_required_status_checks_policy": false,
	"required_status_checks": [{"context": "test", "integration_id": 15368}, {"context": "scan", "integration_id": 15368}]}}]}`

func (s *scene) ruleset(raw string) int64 {
	s.t.Helper()
	return int64(s.must("add-ruleset", object{"repo": repoName, "ruleset": json.RawMessage(raw)})["ID"].(float64))
}

func TestARulesetIsKeptAsItWasSent(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.app()
	in := &github.Ruleset{
		Name: "tidegate: ci.yml", Enforcement: "active", Target: github.String("branch"),
		Conditions: &github.RulesetConditions{RefName: &github.RulesetRefConditionParameters{Include: []string{"~DEFAULT_BRANCH"}, Exclude: []string{}}},
		Rules: []*github.RepositoryRule{github.NewRequiredStatusChecksRule(&github.RequiredStatusChecksRuleParameters{
			RequiredStatusChecks: []github.RuleRequiredStatusChecks{{Context: "test", IntegrationID: github.Int64(actionsID)}},
		})},
	}
	made, _, err := c.Repositories.CreateRuleset(t.Context(), "acme", "infra", in)
	if err != nil || made.GetID() == 0 || made.Source != repoName || len(made.Rules) != 1 {
		t.Fatalf("%v, %v", made, err)
	}
	if _, _, err := c.Repositories.CreateRuleset(t.Context(), "acme", "infra", in); status(t, err) != 422 {
		t.Errorf("a second of the name: %v", err)
	}
	made.Enforcement, made.Rules = "disabled", append(made.Rules, github.NewDeletionRule())
	made.Links, made.NodeID = nil, nil
	if made, _, err = c.Repositories.UpdateRuleset(t.Context(), "acme", "infra", made.GetID(), made); err != nil || len(made.Rules) != 2 || made.Enforcement != "disabled" {
		t.Errorf("%v, %v", made, err)
	}
	list, _, err := c.Repositories.GetAllRulesets(t.Context(), "acme", "infra", true)
	if err != nil || len(list) != 1 || list[0].Rules != nil || list[0].Name != in.Name {
		t.Errorf("%v, %v", list, err)
	}
	for name, k := range map[string]struct {
		token object
		want  int
	}{
		"a workflow's": {object{"kind": "actions"}, 403}, "one that reads": {object{"kind": "app", "permissions": object{"contents": "write"}}, 403},
	} {
		_, err := s.client(s.token(k.token)).Repositories.DeleteRuleset(t.Context(), "acme", "infra", made.GetID())
		if status(t, err) != k.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Repositories.DeleteRuleset(t.Context(), "acme", "infra", made.GetID()); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Repositories.GetRuleset(t.Context(), "acme", "infra", made.GetID(), false); status(t, err) != 404 {
		t.Errorf("deleted: %v", err)
	}
}

func TestRulesThatAClientDoesNotKnowSurvive(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const raw = `{"name": "theirs", "enforcement": "active", "conditions": {"ref_name": {"include": ["~ALL"], "exclude": ["refs/heads/wip/**"]}},
		"rules": [{"type": "copilot_code_review", "parameters": {"review_on_push": true}}], "bypass_actors": [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]}`
	id := s.ruleset(raw)
	get := func(token object) object {
		c := s.client(s.token(token))
		req, _ := c.NewRequest("GET", "repos/acme/infra/rulesets/"+itoa(id), nil)
		var out object
		if _, err := c.Do(t.Context(), req, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	got := get(object{"kind": "personal"})
	rule := got["rules"].([]any)[0].(object)
	if rule["type"] != "copilot_code_review" || rule["parameters"].(object)["review_on_push"] != true || len(got["bypass_actors"].([]any)) != 1 || got["current_user_can_bypass"] != "always" {
		t.Errorf("%v", got)
	}
	if got := get(object{"kind": "actions"}); got["bypass_actors"] != nil || got["current_user_can_bypass"] != "never" {
		t.Errorf("to who may only read: %v", got)
	}
	c := s.app()
	for branch, want := range map[string]int{"main": 1, "wip/a/b": 0, "not/there": 1} {
		req, _ := c.NewRequest("GET", "repos/acme/infra/rules/branches/"+branch, nil)
		var rules []object
		if _, err := c.Do(t.Context(), req, &rules); err != nil || len(rules) != want || want > 0 && rules[0]["ruleset_id"] != float64(id) {
			t.Errorf("%s: %v, %v", branch, rules, err)
		}
	}
	s.must("add-ruleset", object{"repo": repoName, "organization": "acme", "ruleset": json.RawMessage(checksOfMain)})
	all, _, err := c.Repositories.GetAllRulesets(t.Context(), "acme", "infra", true)
	own, _, err2 := c.Repositories.GetAllRulesets(t.Context(), "acme", "infra", false)
	if err != nil || err2 != nil || len(all) != 2 || len(own) != 1 || all[1].GetSourceType() != "Organization" || all[1].Source != "acme" {
		t.Errorf("%v, %v, %v, %v", all, own, err, err2)
	}
	if _, err := c.Repositories.DeleteRuleset(t.Context(), "acme", "infra", all[1].GetID()); status(t, err) != 404 {
		t.Errorf("an organisation's was deleted by way of a repository: %v", err)
	}
}

func TestRequiredChecksHoldPushesAndMerges(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.ruleset(checksOfMain)
	c := s.app()
	if err := s.advance(c, "main", "a.tf", "a"); status(t, err) != 422 || !strings.Contains(err.Error(), "Repository rule violations found\n\n2 of 2 required status checks are expected.") {
		t.Errorf("a push: %v", err)
	}
	if err := s.advance(s.client(s.token(object{"kind": "personal"})), "main", "a.tf", "a"); status(t, err) != 422 {
		t.Errorf("an administrator is let through: %v", err)
	}
	if _, _, err := c.Repositories.CreateFile(t.Context(), "acme", "infra", "new", &github.RepositoryContentFileOptions{Message: github.String("m"), Content: []byte("x")}); status(t, err) != 409 {
		t.Errorf("by the contents API: %v", err)
	}
	sha := s.push("change", "b.tf", "b\n")
	number := s.open("change")
	merge := func() int {
		_, _, err := c.PullRequests.Merge(t.Context(), "acme", "infra", number, "", nil)
		return status(t, err)
	}
	check := func(by *github.Client, name, conclusion string) {
		t.Helper()
		if _, _, err := by.Checks.CreateCheckRun(t.Context(), "acme", "infra", github.CreateCheckRunOptions{Name: name, HeadSHA: sha, Conclusion: &conclusion}); err != nil {
			t.Fatal(err)
		}
	}
	check(c, "test", "success") // not GitHub Actions
	check(s.workflow(), "test", "failure")
	check(s.workflow(), "scan", "skipped")
	if got := merge(); got != 405 {
		t.Errorf("with a check that failed, and one of another app: %d", got)
	}
	state := func() string {
		p, _, err := c.PullRequests.Get(t.Context(), "acme", "infra", number)
		if err != nil {
			t.Fatal(err)
		}
		return p.GetMergeableState()
	}
	if got := state(); got != "blocked" {
		t.Errorf("with a check that failed it is %s", got)
	}
	check(s.workflow(), "test", "success")
	if got := state(); got != "clean" {
		t.Errorf("with all checks it is %s", got)
	}
	if got := merge(); got != 200 {
		t.Errorf("with all checks: %d", got)
	}
	s.must("delete-ruleset", object{"repo": repoName, "id": id})
	if err := s.advance(c, "main", "a.tf", "a"); err != nil {
		t.Error(err)
	}
}

func TestEachRuleRefusesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	sha := s.push("side", "x", "x")
	c := s.app()
	ref := func(name, sha string) *github.Reference {
		return &github.Reference{Ref: github.String("refs/heads/" + name), Object: &github.GitObject{SHA: &sha}}
	}
	s.push("main", "y", "y")
	for _, k := range []struct {
		rule, words string
		do          func() error
	}{
		{`{"type": "pull_request"}`, "Changes must be made through a pull request.", func() error { return s.advance(c, "main", "a", "b") }},
		{`{"type": "update"}`, "Cannot update this protected ref.", func() error { return s.advance(c, "main", "a", "b") }},
		{`{"type": "deletion"}`, "Cannot delete this protected ref.", func() error {
			_, err := c.Git.DeleteRef(t.Context(), "acme", "infra", "heads/side")
			return err
		}},
		{`{"type": "creation"}`, "Cannot create ref", func() error {
			_, _, err := c.Git.CreateRef(t.Context(), "acme", "infra", ref("new", sha))
			return err
		}},
		{`{"type": "non_fast_forward"}`, "Cannot force-push", func() error {
			_, _, err := c.Git.UpdateRef(t.Context(), "acme", "infra", ref("main", sha), true)
			return err
		}},
	} {
		id := s.ruleset(`{"name": "r", "enforcement": "active", "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}}, "rules": [` + k.rule + `]}`)
		if err := k.do(); status(t, err) != 422 || !strings.Contains(err.Error(), k.words) {
			t.Errorf("%s: %v", k.rule, err)
		}
		s.must("delete-ruleset", object{"repo": repoName, "id": id})
		if strings.Contains(k.rule, "deletion") {
			continue // the branch is still used
		}
		if err := k.do(); err != nil {
			t.Errorf("%s, which is gone: %v", k.rule, err)
		}
	}
	for _, k := range []struct {
		pattern string
		want    bool
	}{{"refs/heads/main", true}, {"refs/heads/m*", true}, {"refs/heads/*", true}, {"refs/*", false}, {"refs/**", true}, {"main", false}, {"refs/heads/release/**", false}, {"refs/heads/mai?", true}} {
		if got := glob(k.pattern, "refs/heads/main"); got != k.want {
			t.Errorf("%s: %v", k.pattern, got)
		}
	}
}

func TestWhoMayBypassARulesetIsLetThrough(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	team := int64(s.must("team", object{"org": "acme", "slug": "leads", "members": []string{"lead"}})["ID"].(float64))
	user := int64(s.must("user", object{"login": "lead"})["ID"].(float64))
	app := int64(s.must("app", object{"slug": "acme-plans"})["ID"].(float64))
	s.must("role", object{"repo": repoName, "login": "lead", "role": "maintain"})
	for _, k := range []struct {
		name, kind, mode string
		id               any
		lead, app        bool
	}{
		{"the team", "Team", "always", team, true, false},
		{"the person", "User", "always", user, true, false},
		{"the app", "Integration", "always", app, false, true},
		{"another app", "Integration", "always", actionsID, false, false},
		{"maintainers", "RepositoryRole", "always", 2, true, false},
		{"administrators", "RepositoryRole", "always", 5, false, false},
		{"owners", "OrganizationAdmin", "always", nil, false, false},
		{"the person, merging", "User", "pull_request", user, false, false},
	} {
		id := int64(s.must("add-ruleset", object{"repo": repoName, "ruleset": object{
			"name": "r", "enforcement": "active", "conditions": object{"ref_name": object{"include": []string{"~ALL"}, "exclude": []string{}}},
			"rules": []object{{"type": "pull_request"}}, "bypass_actors": []object{{"actor_id": k.id, "actor_type": k.kind, "bypass_mode": k.mode}},
		}})["ID"].(float64))
		lead := s.advance(s.client(s.token(object{"kind": "personal", "user": "lead"})), "main", "a", "lead "+k.name)
		bot := s.advance(s.app(), "main", "a", "app "+k.name)
		if (lead == nil) != k.lead || (bot == nil) != k.app {
			t.Errorf("%s: the lead %v, the app %v", k.name, lead, bot)
		}
		s.must("delete-ruleset", object{"repo": repoName, "id": id})
	}
}
