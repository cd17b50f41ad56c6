package github

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// ours is the pipeline's ruleset on the hub.
func (s *shop) ours(t *testing.T) githubhub.Ruleset {
	t.Helper()
	all := s.repo.Rulesets()
	i := slices.IndexFunc(all, func(r githubhub.Ruleset) bool { return r.Name == RulesetName(fraudPath) && r.Source == "acme/infra" })
	if i < 0 {
		t.Fatalf("it is not there: %+v", all)
	}
	return all[i]
}

// require applies required checks by a client that knows nothing yet.
func (s *shop) require(t *testing.T, branch string, checks ...string) (Ruleset, error) {
	t.Helper()
	return s.open(t, s.token).ApplyRuleset(t.Context(), fraudPath, branch, checks)
}

func (s *shop) mustRequire(t *testing.T, branch string, checks ...string) Ruleset {
	t.Helper()
	got, err := s.require(t, branch, checks...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRequiredChecksCountFromGitHubActionsAlone(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	got := s.mustRequire(t, "", "test", "scan")
	have := s.ours(t)
	want := []githubhub.Check{{Name: "test", App: githubhub.ActionsApp}, {Name: "scan", App: githubhub.ActionsApp}}
	if !slices.Equal(have.Checks(), want) || have.Enforcement != "active" || have.Target != "branch" || !slices.Equal(have.Include, []string{"~DEFAULT_BRANCH"}) {
		t.Errorf("on GitHub: %+v", have)
	}
	if strict := have.Rules[0].Parameters["strict_required_status_checks_policy"]; strict != false {
		t.Errorf("strict: %v", strict)
	}
	if want := (Ruleset{ID: have.ID, Checks: []string{"test", "scan"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	read, ok, err := s.open(t, s.token).Ruleset(t.Context(), fraudPath)
	if err != nil || !ok || !reflect.DeepEqual(read, got) {
		t.Errorf("read: %+v, %t, %v", read, ok, err)
	}
	_, ok, err = s.r.Ruleset(t.Context(), ".github/workflows/other.yml")
	if err != nil || ok {
		t.Errorf("another pipeline's: %t, %v", ok, err)
	}
}

func TestUnchangedRequiredChecksAreNotWritten(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	first := s.mustRequire(t, "release", "test", "scan")
	s.Fail(githubhub.Fault{Operation: "repos/create*", Status: 403})
	s.Fail(githubhub.Fault{Operation: "repos/update*", Status: 403})
	if again := s.mustRequire(t, "release", "scan", "test"); again.ID != first.ID || again.Branch != "release" {
		t.Errorf("%+v, then %+v", first, again)
	}
}

func TestWhatPeopleMakeOfOurRulesetIsSeenAndPutBack(t *testing.T) {
	t.Parallel()
	rule := func(checks string) string {
		return `{"type": "required_status_checks", "parameters": {"strict_required_status_checks_policy": false, "required_status_checks": [` + checks + `]}}`
	}
	const actions = `{"context": "test", "integration_id": 15368}`
	for name, c := range map[string]struct {
		body map[string]any // of an update by hand
		seen []string
	}{
		"switched off":         {map[string]any{"enforcement": "disabled"}, []string{}},
		"by anybody":           {map[string]any{"rules": json.RawMessage("[" + rule(`{"context": "test"}`) + "]")}, []string{}},
		"by another app":       {map[string]any{"rules": json.RawMessage("[" + rule(`{"context": "test", "integration_id": 4}`) + "]")}, []string{}},
		"another check":        {map[string]any{"rules": json.RawMessage("[" + rule(actions+`, {"context": "lint", "integration_id": 15368}`) + "]")}, []string{"test", "lint"}},
		"a check of another":   {map[string]any{"rules": json.RawMessage("[" + rule(actions+`, {"context": "lint", "integration_id": 4}`) + "]")}, []string{"test"}},
		"no rule":              {map[string]any{"rules": []any{}}, []string{}},
		"somebody let through": {map[string]any{"bypass_actors": []map[string]any{{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}}}, []string{}},
		"without the branch":   {map[string]any{"conditions": map[string]any{"ref_name": map[string]any{"include": []string{"~DEFAULT_BRANCH"}, "exclude": []string{"refs/heads/main"}}}}, []string{}},
		"on another branch":    {map[string]any{"conditions": map[string]any{"ref_name": map[string]any{"include": []string{"refs/heads/x"}, "exclude": []string{}}}}, []string{"test"}},
		"on more branches":     {map[string]any{"conditions": map[string]any{"ref_name": map[string]any{"include": []string{"refs/heads/x", "~DEFAULT_BRANCH"}, "exclude": []string{}}}}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, false)
			want := s.mustRequire(t, "", "test")
			body := rulesetBody(fraudPath, "", []string{"test"}, githubhub.ActionsApp, nil)
			for key, value := range c.body {
				body[key] = value
			}
			if err := s.r.send(t.Context(), http.MethodPut, "rulesets/"+number(want.ID), body); err != nil {
				t.Fatal(err)
			}
			seen, ok, err := s.r.Ruleset(t.Context(), fraudPath)
			if err != nil || !ok || !slices.Equal(seen.Checks, c.seen) || seen.Checks == nil {
				t.Errorf("seen: %+v, %t, %v", seen, ok, err)
			}
			if got := s.mustRequire(t, "", "test"); !reflect.DeepEqual(got, want) {
				t.Errorf("put back: %+v", got)
			}
			if have := s.ours(t); have.Bypass != 0 || len(have.Checks()) != 1 || have.Enforcement != "active" {
				t.Errorf("on GitHub: %+v", have)
			}
		})
	}
}

func number(id int64) string {
	b, _ := json.Marshal(id)
	return string(b)
}

func TestRulesOfOthersStay(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.repo.AddRuleset(`{"name": "tidegate", "target": "branch", "enforcement": "active", "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}}, "rules": [{"type": "deletion"}]}`)
	s.repo.AddOrganizationRuleset("acme", `{"name": "`+RulesetName(fraudPath)+`", "target": "branch", "enforcement": "active", "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}}, "rules": [{"type": "non_fast_forward"}]}`)
	s.repo.AddRuleset(`{"name": "` + RulesetName(fraudPath) + `", "target": "branch", "enforcement": "active", "conditions": {"ref_name": {"include": ["refs/heads/x"], "exclude": []}}, "rules": [
		{"type": "copilot_code_review", "parameters": {"review_on_push": true, "review_draft_pull_requests": false}},
		{"type": "required_status_checks", "parameters": {"strict_required_status_checks_policy": true, "required_status_checks": [{"context": "old"}]}}]}`)
	before := s.repo.Rulesets()
	s.mustRequire(t, "", "test")
	after := s.repo.Rulesets()
	if len(after) != 3 || !reflect.DeepEqual(after[:2], before[:2]) {
		t.Errorf("others' were touched: %+v", after)
	}
	var types []string
	for _, rule := range s.ours(t).Rules {
		types = append(types, rule.Type)
		if rule.Type == "copilot_code_review" && rule.Parameters["review_on_push"] != true {
			t.Errorf("the rule that somebody added: %+v", rule)
		}
	}
	if !slices.Equal(types, []string{requiredChecks, "copilot_code_review"}) {
		t.Errorf("rules %v", types)
	}
	id := s.ours(t).ID
	if err := s.r.DeleteRuleset(t.Context(), before[0].ID, fraudPath); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := s.r.DeleteRuleset(t.Context(), id, fraudPath); err != nil {
			t.Fatal(err)
		}
	}
	if left := s.repo.Rulesets(); len(left) != 2 || !reflect.DeepEqual(left, before[:2]) {
		t.Errorf("left: %+v", left)
	}
}

func TestARulesetOfOurNameAboutTagsIsNotTaken(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.repo.AddRuleset(`{"name": "` + RulesetName(fraudPath) + `", "target": "tag", "enforcement": "active", "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}}, "rules": [{"type": "deletion"}]}`)
	_, err := s.require(t, "", "test")
	wantError(t, err, pipeline.ErrExists, "about tag, not about branches", "rename that one")
}

func TestAPlanWithoutRulesetsIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	s := newShop(t, true)
	s.SetPlan(githubhub.FreePlan)
	_, err := s.require(t, "", "test")
	wantError(t, err, pipeline.ErrNotProtected, "GitHub answered 403", "Upgrade to GitHub", "Pro, Team or Enterprise", "nothing requires the checks", "require checks by the ruleset")
}

func TestARulesetWhoseAnswerWasLostIsMadeOnce(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]githubhub.Fault{
		"done":     {Applied: true, Status: http.StatusBadGateway},
		"not done": {Status: http.StatusBadGateway},
		"cut":      {Cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, false)
			f.Operation, f.Times = "repos/create-repo-ruleset", 1
			s.Fail(f)
			got := s.mustRequire(t, "", "test")
			if all := s.repo.Rulesets(); len(all) != 1 || all[0].ID != got.ID {
				t.Errorf("%+v, and on GitHub %+v", got, all)
			}
		})
	}
}

func TestRequiredChecksTakeAnAdministrator(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	_, err := s.open(t, s.Token(githubhub.Token{Kind: githubhub.ActionsToken})).ApplyRuleset(t.Context(), fraudPath, "", []string{"test"})
	wantError(t, err, ErrPermission, `"administration: write", which a workflow's GITHUB_TOKEN never has`)
	_, err = s.open(t, "").ApplyRuleset(t.Context(), fraudPath, "", []string{"test"})
	wantError(t, err, ErrNoToken, "Give a token")
	wantError(t, s.open(t, "").DeleteRuleset(t.Context(), 1, fraudPath), ErrNoToken, "Give a token")
}

func TestOnGitHubItselfTheIDOfActionsIsKnown(t *testing.T) {
	t.Parallel()
	c, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := c.actionsApp(t.Context()); err != nil || id != githubhub.ActionsApp {
		t.Errorf("%d, %v", id, err)
	}
	s := newShop(t, false)
	for range 2 {
		if id, err := s.r.c.actionsApp(t.Context()); err != nil || id != githubhub.ActionsApp {
			t.Errorf("%d, %v", id, err)
		}
	}
	if n := s.r.c.Usage().Requests; n != 1 {
		t.Errorf("%d requests", n)
	}
}

func FuzzRulesetsThatAServerSends(f *testing.F) {
	f.Add(`{"id": 1, "enforcement": "active", "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"]}}, "rules": [{"type": "required_status_checks", "parameters": {"required_status_checks": [{"context": "test", "integration_id": 15368}]}}]}`)
	f.Add(`{"rules": [null, 7, "x", {"type": 3}], "bypass_actors": null, "conditions": null}`)
	f.Fuzz(func(t *testing.T, body string) {
		var w wireRuleset
		if json.Unmarshal([]byte(body), &w) != nil {
			return
		}
		got := w.ruleset(15368)
		if w.asks(got.Branch, got.Checks, 15368) && (w.Enforcement != "active" && len(got.Checks) > 0 || strings.HasPrefix(got.Branch, branchPrefix+branchPrefix)) {
			t.Errorf("%s: %+v", body, got)
		}
		if _, err := json.Marshal(rulesetBody("p", got.Branch, got.Checks, 15368, &w)); err != nil {
			t.Errorf("%s: what we would write: %v", body, err)
		}
	})
}
