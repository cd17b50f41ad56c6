package githubhub_test

import (
	"reflect"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestEnvironmentsChangeByHand(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", nil)
	id := hub.Team("acme", "ml-leads", "octocat")
	token := hub.Token(githubhub.Token{Kind: githubhub.AppToken})
	at := "/repos/acme/infra/environments/prod%2Feu"
	in := object{"wait_timer": 10, "prevent_self_review": true, "reviewers": []object{{"type": "Team", "id": id}, {"type": "User", "id": hub.User("hubot")}}}
	if got := ask(t, hub, token, "PUT", at, in, nil); got != 200 {
		t.Fatalf("%d", got)
	}
	want := githubhub.Environment{Name: "prod/eu", Reviewers: []string{"@acme/ml-leads", "hubot"}, WaitMinutes: 10, PreventSelfReview: true, AdminsBypass: true}
	if got := repo.Environments(); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("%+v", got)
	}
	want = githubhub.Environment{Name: "prod/eu", Reviewers: []string{"@acme/ml-leads"}, Branches: []string{"main"}, Tags: []string{"v*"}}
	repo.SetEnvironment(want)
	if got := repo.Environments(); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("%+v", got)
	}
	repo.SetSecret("prod/eu", "api_key", "s")
	repo.SetSecret("", "OTHER", "o")
	repo.SetVariable("prod/eu", "REGION", "eu")
	if got := repo.Secrets("prod/eu"); len(got) != 1 || got["API_KEY"] != "s" {
		t.Errorf("%v", got)
	}
	var secrets struct{ Secrets []struct{ Name string } }
	if got := ask(t, hub, token, "GET", at+"/secrets", nil, &secrets); got != 200 || len(secrets.Secrets) != 1 || secrets.Secrets[0].Name != "API_KEY" {
		t.Errorf("%d, %v", got, secrets)
	}
	repo.DeleteSecret("prod/eu", "API_KEY")
	repo.DeleteVariable("prod/eu", "REGION")
	if s, v, r := repo.Secrets("prod/eu"), repo.Variables("prod/eu"), repo.Secrets(""); len(s) != 0 || len(v) != 0 || r["OTHER"] != "o" {
		t.Errorf("%v, %v, %v", s, v, r)
	}
	repo.DeleteEnvironment("prod/eu")
	if got := ask(t, hub, token, "GET", at, nil, nil); got != 404 {
		t.Errorf("deleted: %d", got)
	}
}

func TestASmallPlanDropsProtectionsOfPrivateRepositories(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	repo := hub.PrivateRepository("acme/infra", nil)
	token := hub.Token(githubhub.Token{Kind: githubhub.AppToken})
	put := func(in object) int {
		return ask(t, hub, token, "PUT", "/repos/acme/infra/environments/prod", in, nil)
	}
	full := object{"wait_timer": 10, "reviewers": []object{{"type": "User", "id": hub.User("hubot")}}}
	branches := object{"deployment_branch_policy": object{"protected_branches": true, "custom_branch_policies": false}}
	for _, k := range []struct {
		plan           githubhub.Plan
		full, branches int
	}{
		{githubhub.FreePlan, 404, 404}, {githubhub.RefusingPlan, 422, 200}, {githubhub.DroppingPlan, 200, 200}, {githubhub.FullPlan, 200, 200},
	} {
		hub.SetPlan(k.plan)
		if got := []int{put(branches), put(full)}; got[0] != k.branches || got[1] != k.full {
			t.Errorf("%s: %v", k.plan, got)
		}
		kept := len(repo.Environments()) == 1 && repo.Environments()[0].WaitMinutes == 10
		if kept != (k.plan == githubhub.FullPlan) {
			t.Errorf("%s: %+v", k.plan, repo.Environments())
		}
	}
}
