package githubtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"
)

func TestRunsOfAWorkflowAreFoundByItsFile(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.push("main", ".github/workflows/fraud.yml", "# fraud\nname: 'Fraud'\non: push\n")
	s.push("side", "x", "x")
	c := s.app()
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, in := range []object{
		{"workflow": ".github/workflows/fraud.yml", "conclusion": "failure", "duration": 90 * time.Second, "created": start},
		{"workflow": ".github/workflows/fraud.yml", "conclusion": "success", "duration": time.Minute, "created": start.Add(time.Hour), "event": "schedule"},
		{"workflow": ".github/workflows/fraud.yml", "branch": "side", "created": start.Add(2 * time.Hour)},
		{"conclusion": "success"},
	} {
		in["repo"] = repoName
		s.must("run", in)
	}
	runs := func(o github.ListWorkflowRunsOptions) []*github.WorkflowRun {
		t.Helper()
		list, _, err := c.Actions.ListWorkflowRunsByFileName(t.Context(), "acme", "infra", "fraud.yml", &o)
		if err != nil {
			t.Fatal(err)
		}
		return list.WorkflowRuns
	}
	all := runs(github.ListWorkflowRunsOptions{})
	if len(all) != 3 || all[0].GetStatus() != "in_progress" || all[0].GetConclusion() != "" || all[2].GetConclusion() != "failure" {
		t.Fatalf("%v", all)
	}
	if took := all[2].GetUpdatedAt().Sub(all[2].GetRunStartedAt().Time); took != 90*time.Second || !all[2].GetCreatedAt().Equal(github.Timestamp{Time: start}) {
		t.Errorf("it took %v from %v", took, all[2].GetCreatedAt())
	}
	for what, k := range map[string]struct {
		o    github.ListWorkflowRunsOptions
		want int
	}{
		"branch": {github.ListWorkflowRunsOptions{Branch: "side"}, 1}, "event": {github.ListWorkflowRunsOptions{Event: "schedule"}, 1},
		"status": {github.ListWorkflowRunsOptions{Status: "completed"}, 2}, "conclusion": {github.ListWorkflowRunsOptions{Status: "success"}, 1},
		"actor": {github.ListWorkflowRunsOptions{Actor: "hubot"}, 0}, "page": {github.ListWorkflowRunsOptions{ListOptions: github.ListOptions{PerPage: 2}}, 2},
	} {
		if got := runs(k.o); len(got) != k.want {
			t.Errorf("%s: %d runs", what, len(got))
		}
	}
	list, _, err := c.Actions.ListWorkflows(t.Context(), "acme", "infra", nil)
	if err != nil || list.GetTotalCount() != 2 || list.Workflows[1].GetName() != "Fraud" || list.Workflows[0].GetPath() != ".github/workflows/ci.yml" {
		t.Fatalf("%v, %v", list, err)
	}
	byID, _, err := c.Actions.ListWorkflowRunsByID(t.Context(), "acme", "infra", list.Workflows[1].GetID(), nil)
	every, _, err2 := c.Actions.ListRepositoryWorkflowRuns(t.Context(), "acme", "infra", nil)
	if err != nil || err2 != nil || byID.GetTotalCount() != 3 || every.GetTotalCount() != 4 {
		t.Errorf("%d, %d, %v, %v", byID.GetTotalCount(), every.GetTotalCount(), err, err2)
	}
	if _, _, err := c.Actions.GetWorkflowByFileName(t.Context(), "acme", "infra", "none.yml"); status(t, err) != 404 {
		t.Errorf("%v", err)
	}
}

func TestTeamsAndPeopleAreLookedUp(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := int64(s.must("team", object{"org": "acme", "slug": "ml-leads", "members": []string{"octocat", "hubot"}})["ID"].(float64))
	s.must("role", object{"repo": repoName, "login": "hubot", "role": "triage"})
	for name, k := range map[string]struct {
		token object
		want  int
	}{
		"app":                         {object{"kind": "app"}, 200},
		"app that may not":            {object{"kind": "app", "permissions": object{"contents": "write"}}, 403},
		"a workflow's":                {object{"kind": "actions"}, 403},
		"classic":                     {object{"kind": "personal", "scopes": []string{"repo", "read:org"}}, 200},
		"classic that may not":        {object{"kind": "personal", "scopes": []string{"repo"}}, 404},
		"fine-grained with its right": {object{"kind": "personal", "permissions": object{"members": "read"}}, 200},
	} {
		team, _, err := s.client(s.token(k.token)).Teams.GetTeamBySlug(t.Context(), "acme", "ml-leads")
		if status(t, err) != k.want || err == nil && (team.GetID() != id || team.GetMembersCount() != 2 || team.GetOrganization().GetLogin() != "acme") {
			t.Errorf("%s: %v, %v", name, team, err)
		}
	}
	c := s.app()
	if a, _, err := c.Apps.Get(t.Context(), "github-actions"); err != nil || a.GetID() != actionsID {
		t.Errorf("%v, %v", a, err)
	}
	if _, _, err := c.Teams.GetTeamBySlug(t.Context(), "acme", "nobody"); status(t, err) != 404 {
		t.Errorf("%v", err)
	}
	if template, _, err := c.Actions.GetOrgOIDCSubjectClaimCustomTemplate(t.Context(), "acme"); err != nil || len(template.IncludeClaimKeys) != 2 {
		t.Errorf("%v, %v", template, err)
	}
	if _, _, err := c.Organizations.Get(t.Context(), "octocat"); status(t, err) != 404 {
		t.Errorf("a person is an organisation: %v", err)
	}
	org, _, err := c.Organizations.Get(t.Context(), "acme")
	members, _, err2 := c.Teams.ListTeamMembersBySlug(t.Context(), "acme", "ml-leads", nil)
	teams, _, err3 := c.Teams.ListTeams(t.Context(), "acme", nil)
	if err != nil || err2 != nil || err3 != nil || org.GetLogin() != "acme" || len(members) != 2 || len(teams) != 1 {
		t.Errorf("%v, %v, %v; %v, %v, %v", org, members, teams, err, err2, err3)
	}
	level, _, err := c.Repositories.GetPermissionLevel(t.Context(), "acme", "infra", "hubot")
	if err != nil || level.GetPermission() != "read" || level.GetUser().GetRoleName() != "triage" || level.GetUser().GetLogin() != "hubot" {
		t.Errorf("%v, %v", level, err)
	}
	if _, _, err := c.Repositories.GetPermissionLevel(t.Context(), "acme", "infra", "nobody"); status(t, err) != 404 {
		t.Errorf("%v", err)
	}
	list, _, err := c.Repositories.ListCollaborators(t.Context(), "acme", "infra", nil)
	is, _, err2 := c.Repositories.IsCollaborator(t.Context(), "acme", "infra", "hubot")
	if err != nil || err2 != nil || len(list) != 1 || !is || list[0].GetRoleName() != "triage" {
		t.Errorf("%v, %v, %v, %v", list, is, err, err2)
	}
}

func TestTheSubjectOfJobsHasIDsUnlessItIsOld(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.app()
	get := func() object {
		t.Helper()
		req, _ := c.NewRequest("GET", "repos/acme/infra/actions/oidc/customization/sub", nil)
		var out object
		if _, err := c.Do(t.Context(), req, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	repo, _, err := c.Repositories.Get(t.Context(), "acme", "infra")
	if err != nil {
		t.Fatal(err)
	}
	want := "repo:acme@" + itoa(repo.GetOwner().GetID()) + "/infra@" + itoa(repo.GetID())
	if got := get(); got["use_default"] != true || got["sub_claim_prefix"] != want {
		t.Errorf("%v, want %s", got, want)
	}
	req, _ := c.NewRequest("PUT", "repos/acme/infra/actions/oidc/customization/sub", object{"use_default": false, "include_claim_keys": []string{"repo"}, "use_immutable_subject": false})
	if _, err := c.Do(t.Context(), req, nil); err != nil {
		t.Fatal(err)
	}
	if got := get(); got["use_default"] != false || got["sub_claim_prefix"] != "repo:acme/infra" || got["include_claim_keys"].([]any)[0] != "repo" {
		t.Errorf("%v", got)
	}
}

func TestAnOutageStartsInTheMiddle(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.app()
	read := func() int { _, _, err := c.Repositories.Get(t.Context(), "acme", "infra"); return status(t, err) }
	put := func(name string) int {
		_, _, err := c.Repositories.CreateUpdateEnvironment(t.Context(), "acme", "infra", name, &github.CreateUpdateEnvironment{})
		return status(t, err)
	}
	s.must("fault", Fault{Writes: true, Skip: 2, Outage: true, Status: 502})
	if got := []int{put("a"), read(), put("b"), read(), put("c"), read(), read()}; got[2] != 200 || got[3] != 200 || got[4] != 502 || got[5] != 502 || got[6] != 502 {
		t.Errorf("%v", got)
	}
	s.must("heal", nil)
	if got := read(); got != 200 {
		t.Errorf("healed: %d", got)
	}
	s.must("fault", Fault{Writes: true, Operation: "repos/create-or-update-environment", Skip: 1, Times: 1, Applied: true, Status: 502})
	if got := []int{put("d"), put("e"), put("f")}; got[0] != 200 || got[1] != 502 || got[2] != 200 {
		t.Errorf("%v", got)
	}
	list, res, err := c.Repositories.ListEnvironments(t.Context(), "acme", "infra", nil)
	if err != nil || list.GetTotalCount() != 5 {
		t.Fatalf("%v, %v: want a, b, d, e and f, of which the client does not know e", list, err)
	}
	req, _ := c.NewRequest("GET", "repos/acme/infra/environments", nil)
	req.Header.Set("If-None-Match", res.Header.Get("ETag"))
	if again, err := c.BareDo(t.Context(), req); again == nil || again.StatusCode != http.StatusNotModified {
		t.Errorf("%v, %v: want 304", again, err)
	}
}
