package githubhub_test

import (
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestAProtectedBranchRefusesWhatAPullRequestMayBring(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	token := hub.Token(githubhub.Token{Kind: githubhub.PersonalToken, Scopes: []string{"repo"}})
	old := repo.SHA
	next := repo.Push(githubhub.Commit{Branch: "next", Files: githubhub.Files{"x": "x"}})
	move := func() int {
		return ask(t, hub, token, "PATCH", "/repos/acme/infra/git/refs/heads/main", object{"sha": next}, nil)
	}
	repo.Protect("main", githubhub.Protection{PullRequest: true, Status: 409})
	if got := move(); got != 409 || repo.Resolve("main") != old {
		t.Errorf("a push to a branch for pull requests: %d", got)
	}
	repo.Protect("main", githubhub.Protection{PullRequest: true, Bypass: []string{"octocat"}})
	if got := move(); got != 200 || repo.Resolve("main") != next {
		t.Errorf("by who may: %d", got)
	}
	repo.Unprotect("main")
	repo.SetRole("octocat", "read")
	if got := ask(t, hub, token, "POST", "/repos/acme/infra/git/refs", object{"ref": "refs/heads/y", "sha": next}, nil); got != 404 {
		t.Errorf("by who may only read: %d", got)
	}
	repo.Archive()
	repo.SetRole("octocat", "admin")
	if got := ask(t, hub, token, "POST", "/repos/acme/infra/git/refs", object{"ref": "refs/heads/y", "sha": next}, nil); got != 403 {
		t.Errorf("into an archived repository: %d", got)
	}
}

func TestAnAnnotatedTagIsAnObjectOfItsOwn(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("actions/checkout", nil)
	sha := repo.Tag(githubhub.Tag{Name: "v7.0.1", Annotated: true, Release: true})
	token := hub.Token(githubhub.Token{Kind: githubhub.ActionsToken})
	var ref, tag struct{ Object struct{ SHA, Type string } }
	if got := ask(t, hub, token, "GET", "/repos/actions/checkout/git/ref/tags/v7.0.1", nil, &ref); got != 200 || ref.Object.Type != "tag" {
		t.Fatalf("%d, %+v", got, ref)
	}
	if got := ask(t, hub, token, "GET", "/repos/actions/checkout/git/tags/"+ref.Object.SHA, nil, &tag); got != 200 || tag.Object.SHA != sha || sha != repo.SHA {
		t.Errorf("%d, %+v", got, tag)
	}
}

func TestAnActiveRulesetIsEnforced(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	token := hub.Token(githubhub.Token{Kind: githubhub.AppToken})
	next := repo.Push(githubhub.Commit{Branch: "next", Files: githubhub.Files{"x": "x"}})
	ruleset := `{"name": "checks", "enforcement": "active", "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}, "rules": [
		{"type": "required_status_checks", "parameters": {"strict_required_status_checks_policy": false, "required_status_checks": [{"context": "test", "integration_id": 15368}]}},
		{"type": "copilot_code_review", "parameters": {"review_on_push": true}}]}`
	id := repo.AddRuleset(ruleset)
	other := repo.AddOrganizationRuleset("acme", `{"name": "theirs", "enforcement": "disabled"}`)
	all := repo.Rulesets()
	if len(all) != 2 || all[0].ID != id || all[1].ID != other || all[1].Source != "acme" || len(all[0].Rules) != 2 || all[0].Include[0] != "~DEFAULT_BRANCH" {
		t.Fatalf("%+v", all)
	}
	if got := all[0].Checks(); len(got) != 1 || got[0] != (githubhub.Check{Name: "test", App: githubhub.ActionsApp}) {
		t.Errorf("%+v", got)
	}
	move := func() int {
		return ask(t, hub, token, "PATCH", "/repos/acme/infra/git/refs/heads/main", object{"sha": next}, nil)
	}
	if got := move(); got != 422 {
		t.Errorf("a commit that was not tested: %d", got)
	}
	run := repo.Run(githubhub.NewRun{Branch: "next", Job: "test"})
	repo.Finish(run, "success")
	if got := move(); got != 200 {
		t.Errorf("a commit that was: %d", got)
	}
	repo.DeleteRuleset(id)
	if got := repo.Rulesets(); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestABranchMovesInBetween(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	token := hub.Token(githubhub.Token{Kind: githubhub.AppToken})
	next := repo.Push(githubhub.Commit{Branch: "next", Files: githubhub.Files{"x": "x"}})
	repo.PushBefore("git/update-ref", 0, githubhub.Commit{Files: githubhub.Files{"theirs": "y"}})
	if got := ask(t, hub, token, "PATCH", "/repos/acme/infra/git/refs/heads/main", object{"sha": next}, nil); got != 422 {
		t.Errorf("%d", got)
	}
	if got := repo.Resolve("main"); got == repo.SHA || got == next {
		t.Errorf("main is at %s: want what was pushed meanwhile", got)
	}
}
