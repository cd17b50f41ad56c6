package githubtest

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
	"golang.org/x/crypto/nacl/box"
)

func (s *scene) app() *github.Client { return s.client(s.token(object{"kind": "app"})) }

func TestAnEnvironmentIsWhatWasLastSent(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	team := int64(s.must("team", object{"org": "acme", "slug": "ml-leads", "members": []string{"octocat"}})["ID"].(float64))
	user := int64(s.must("user", object{"login": "hubot"})["ID"].(float64))
	c, name := s.app(), url.PathEscape("prod/eu")
	reviewers := []*github.EnvReviewers{{Type: github.String("Team"), ID: &team}, {Type: github.String("User"), ID: &user}}
	put := func(in *github.CreateUpdateEnvironment) (*github.Environment, error) {
		e, _, err := c.Repositories.CreateUpdateEnvironment(t.Context(), "acme", "infra", name, in)
		return e, err
	}
	_, err := put(&github.CreateUpdateEnvironment{
		WaitTimer: github.Int(10), Reviewers: reviewers, PreventSelfReview: github.Bool(true), CanAdminsBypass: github.Bool(false),
		DeploymentBranchPolicy: &github.BranchPolicy{ProtectedBranches: github.Bool(false), CustomBranchPolicies: github.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := c.Repositories.ListEnvironments(t.Context(), "acme", "infra", nil)
	if err != nil || list.GetTotalCount() != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	e := list.Environments[0]
	if e.GetName() != "prod/eu" || e.GetCanAdminsBypass() || !e.GetDeploymentBranchPolicy().GetCustomBranchPolicies() || len(e.ProtectionRules) != 3 {
		t.Fatalf("%v", e)
	}
	who := e.ProtectionRules[1]
	lead, ok1 := who.Reviewers[0].Reviewer.(*github.Team)
	bot, ok2 := who.Reviewers[1].Reviewer.(*github.User)
	if e.ProtectionRules[0].GetWaitTimer() != 10 || !who.GetPreventSelfReview() || !ok1 || !ok2 || lead.GetSlug() != "ml-leads" || bot.GetLogin() != "hubot" {
		t.Errorf("%v", e.ProtectionRules)
	}
	if e, err = put(&github.CreateUpdateEnvironment{}); err != nil || len(e.ProtectionRules) != 0 || e.DeploymentBranchPolicy != nil || !e.GetCanAdminsBypass() {
		t.Errorf("what is not sent stays: %v, %v", e, err)
	}
	unknown := int64(1)
	both := &github.BranchPolicy{ProtectedBranches: github.Bool(true), CustomBranchPolicies: github.Bool(true)}
	seven := append(slices.Repeat(reviewers, 3), reviewers[0])
	for what, bad := range map[string]*github.CreateUpdateEnvironment{
		"seven reviewers": {Reviewers: seven}, "an unknown reviewer": {Reviewers: []*github.EnvReviewers{{Type: github.String("User"), ID: &unknown}}},
		"a month of waiting": {WaitTimer: github.Int(43201)}, "both kinds of policy": {WaitTimer: github.Int(1), DeploymentBranchPolicy: both},
	} {
		if _, err := put(bad); status(t, err) != 422 {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := c.Repositories.DeleteEnvironment(t.Context(), "acme", "infra", name); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Repositories.GetEnvironment(t.Context(), "acme", "infra", name); status(t, err) != 404 {
		t.Errorf("deleted: %v", err)
	}
}

func TestPatternsOfBranchesBelongToACustomPolicy(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.app()
	set := func(custom bool) {
		t.Helper()
		policy := &github.BranchPolicy{ProtectedBranches: github.Bool(!custom), CustomBranchPolicies: &custom}
		if _, _, err := c.Repositories.CreateUpdateEnvironment(t.Context(), "acme", "infra", "prod", &github.CreateUpdateEnvironment{DeploymentBranchPolicy: policy}); err != nil {
			t.Fatal(err)
		}
	}
	add := func(name string) (*github.DeploymentBranchPolicy, int) {
		p, _, err := c.Repositories.CreateDeploymentBranchPolicy(t.Context(), "acme", "infra", "prod", &github.DeploymentBranchPolicyRequest{Name: &name})
		return p, status(t, err)
	}
	set(false)
	if _, got := add("main"); got != 404 {
		t.Errorf("without a custom policy: %d", got)
	}
	set(true)
	p, got := add("main")
	if got != 200 || p.GetName() != "main" {
		t.Fatalf("%v, %d", p, got)
	}
	if _, got := add("main"); got != 303 {
		t.Errorf("a second time: %d", got)
	}
	other, _ := add("release/*")
	if _, _, err := c.Repositories.UpdateDeploymentBranchPolicy(t.Context(), "acme", "infra", "prod", other.GetID(), &github.DeploymentBranchPolicyRequest{Name: github.String("main")}); status(t, err) != 422 {
		t.Errorf("two of the same name: %v", err)
	}
	renamed, _, err := c.Repositories.UpdateDeploymentBranchPolicy(t.Context(), "acme", "infra", "prod", other.GetID(), &github.DeploymentBranchPolicyRequest{Name: github.String("hotfix/*")})
	if err != nil || renamed.GetName() != "hotfix/*" {
		t.Errorf("%v, %v", renamed, err)
	}
	if one, _, err := c.Repositories.GetDeploymentBranchPolicy(t.Context(), "acme", "infra", "prod", other.GetID()); err != nil || one.GetName() != "hotfix/*" {
		t.Errorf("%v, %v", one, err)
	}
	if custom, _, err := c.Repositories.GetAllDeploymentProtectionRules(t.Context(), "acme", "infra", "prod"); err != nil || custom.GetTotalCount() != 0 {
		t.Errorf("%v, %v", custom, err)
	}
	if _, err := c.Repositories.DeleteDeploymentBranchPolicy(t.Context(), "acme", "infra", "prod", other.GetID()); err != nil {
		t.Error(err)
	}
	list, _, err := c.Repositories.ListDeploymentBranchPolicies(t.Context(), "acme", "infra", "prod")
	if err != nil || list.GetTotalCount() != 1 || list.BranchPolicies[0].GetName() != "main" {
		t.Errorf("%v, %v", list, err)
	}
}

// seal is what a client does with a secret.
func seal(t *testing.T, key *github.PublicKey, plain string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(key.GetKey())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := box.SealAnonymous(nil, []byte(plain), (*[32]byte)(b), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(sealed)
}

func TestSecretsAreOpenedAndNeverTold(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.app()
	s.must("set-environment", object{"repo": repoName, "name": "prod"})
	repo, _, err := c.Repositories.Get(t.Context(), "acme", "infra")
	if err != nil {
		t.Fatal(err)
	}
	id := int(repo.GetID()) // go-github asks for them by it
	key, _, err := c.Actions.GetEnvPublicKey(t.Context(), id, "prod")
	if err != nil {
		t.Fatal(err)
	}
	ofRepo, _, err := c.Actions.GetRepoPublicKey(t.Context(), "acme", "infra")
	if err != nil || ofRepo.GetKey() == key.GetKey() {
		t.Fatalf("%v: the repository has the environment's key", err)
	}
	put := func(name, value, keyID string) error {
		_, err := c.Actions.CreateOrUpdateEnvSecret(t.Context(), id, "prod", &github.EncryptedSecret{Name: name, EncryptedValue: value, KeyID: keyID})
		return err
	}
	mine, other := key.GetKeyID(), ofRepo.GetKeyID()
	if err := put("api_key", seal(t, key, "hunter2"), mine); err != nil {
		t.Fatal(err)
	}
	if got := s.must("values", object{"repo": repoName, "environment": "prod", "kind": "secret"}); len(got) != 1 || got["API_KEY"] != "hunter2" {
		t.Errorf("%v", got)
	}
	first, _, err1 := c.Actions.GetEnvSecret(t.Context(), id, "prod", "API_KEY")
	err2 := put("API_KEY", seal(t, key, "hunter3"), mine)
	second, _, err3 := c.Actions.GetEnvSecret(t.Context(), id, "prod", "API_KEY")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if !second.UpdatedAt.After(first.UpdatedAt.Time) || !second.CreatedAt.Equal(first.CreatedAt) {
		t.Errorf("%v, then %v", first, second)
	}
	for what, err := range map[string]error{
		"another's key":    put("X", seal(t, ofRepo, "x"), mine),
		"another's id":     put("X", seal(t, key, "x"), other),
		"GITHUB_ in front": put("GITHUB_X", seal(t, key, "x"), mine),
		"a digit in front": put("1X", seal(t, key, "x"), mine),
		"more than 48 KB":  put("X", seal(t, key, strings.Repeat("x", most+1)), mine),
	} {
		if status(t, err) != 422 {
			t.Errorf("%s: %v", what, err)
		}
	}
	list, _, err := c.Actions.ListEnvSecrets(t.Context(), id, "prod", nil)
	if err != nil || list.TotalCount != 1 || list.Secrets[0].Name != "API_KEY" {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := c.Actions.DeleteEnvSecret(t.Context(), id, "prod", "API_KEY"); err != nil {
		t.Error(err)
	}
	if _, err := c.Actions.DeleteEnvSecret(t.Context(), id, "prod", "API_KEY"); status(t, err) != 404 {
		t.Errorf("deleted twice: %v", err)
	}
	if _, _, err := c.Actions.GetEnvPublicKey(t.Context(), 7, "prod"); status(t, err) != 404 {
		t.Errorf("of a repository that is not there: %v", err)
	}
	if _, err := c.Actions.CreateOrUpdateRepoSecret(t.Context(), "acme", "infra", &github.EncryptedSecret{Name: "X", KeyID: ofRepo.GetKeyID(), EncryptedValue: seal(t, ofRepo, "y")}); err != nil {
		t.Error(err)
	}
	all, _, err := c.Actions.ListRepoSecrets(t.Context(), "acme", "infra", nil)
	if err != nil || all.TotalCount != 1 {
		t.Errorf("%v, %v", all, err)
	}
	for name, token := range map[string]object{
		"a workflow's":    {"kind": "actions"},
		"without a right": {"kind": "app", "permissions": object{"contents": "write"}},
		"that reads":      {"kind": "app", "permissions": object{"environments": "read", "secrets": "read"}},
	} {
		other := s.client(s.token(token))
		_, err := other.Actions.DeleteRepoSecret(t.Context(), "acme", "infra", "X")
		_, _, read := other.Actions.ListRepoSecrets(t.Context(), "acme", "infra", nil)
		if status(t, err) != 403 || (read == nil) != (name == "that reads") {
			t.Errorf("%s: %v, %v", name, err, read)
		}
	}
}

func TestVariablesHaveNoPlaceForTwoOfAName(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.app()
	create := func(name, value string) int {
		_, err := c.Actions.CreateRepoVariable(t.Context(), "acme", "infra", &github.ActionsVariable{Name: name, Value: value})
		return status(t, err)
	}
	if got := []int{create("region", "eu"), create("REGION", "us"), create("GITHUB_X", "x")}; got[0] != 200 || got[1] != 409 || got[2] != 422 {
		t.Errorf("%v", got)
	}
	if _, err := c.Actions.UpdateRepoVariable(t.Context(), "acme", "infra", &github.ActionsVariable{Name: "REGION", Value: "us"}); err != nil {
		t.Error(err)
	}
	v, _, err := c.Actions.GetRepoVariable(t.Context(), "acme", "infra", "REGION")
	if err != nil || v.Name != "REGION" || v.Value != "us" {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := c.Actions.CreateRepoVariable(t.Context(), "acme", "infra", &github.ActionsVariable{Name: "OTHER", Value: "o"}); err != nil {
		t.Error(err)
	}
	rename := func(from, to string) int {
		req, _ := c.NewRequest("PATCH", "repos/acme/infra/actions/variables/"+from, object{"name": to})
		_, err := c.Do(t.Context(), req, nil)
		return status(t, err)
	}
	if got := []int{rename("OTHER", "REGION"), rename("OTHER", "ZONE")}; got[0] != 409 || got[1] != 200 {
		t.Errorf("renamed to one that is there, and to a new one: %v", got)
	}
	if _, err := c.Actions.DeleteRepoVariable(t.Context(), "acme", "infra", "ZONE"); err != nil {
		t.Error(err)
	}
	for i := range 40 {
		s.must("set-value", object{"repo": repoName, "kind": "variable", "name": fmt.Sprintf("V%02d", i), "value": "x"})
	}
	list, res, err := c.Actions.ListRepoVariables(t.Context(), "acme", "infra", &github.ListOptions{PerPage: 100})
	if err != nil || list.TotalCount != 41 || len(list.Variables) != 30 || res.NextPage != 2 {
		t.Errorf("%d of %d, next %d, %v", len(list.Variables), list.TotalCount, res.NextPage, err)
	}
	if _, err := c.Actions.DeleteRepoVariable(t.Context(), "acme", "infra", "REGION"); err != nil {
		t.Error(err)
	}
	if _, err := c.Actions.UpdateRepoVariable(t.Context(), "acme", "infra", &github.ActionsVariable{Name: "REGION", Value: "us"}); status(t, err) != 404 {
		t.Errorf("deleted: %v", err)
	}
	s.must("set-environment", object{"repo": repoName, "name": "prod/eu"})
	s.must("set-value", object{"repo": repoName, "environment": "prod/eu", "kind": "variable", "name": "a", "value": "b"})
	req, _ := c.NewRequest("GET", "repos/acme/infra/environments/prod%2Feu/variables/A", nil)
	var got github.ActionsVariable
	if _, err := c.Do(t.Context(), req, &got); err != nil || got.Value != "b" {
		t.Errorf("%v, %v", got, err)
	}
}
