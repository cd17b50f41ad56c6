package workflow_test

import (
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/workflow"
)

// identities are as whom a job speaks to clouds: by name and value.
func identities(f flow, id string) string {
	var all []string
	for _, s := range f.Jobs[id].Steps {
		for _, input := range []string{"role-to-assume", "service_account", "client-id"} {
			if v := s.With[input]; v != "" {
				all = append(all, v)
			}
		}
	}
	if v := f.Jobs[id].Env["ARM_CLIENT_ID"]; v != "" {
		all = append(all, v)
	}
	return strings.Join(all, " ")
}

func TestNoJobOutsideTheEnvironmentHasTheIdentityOfTheDeploy(t *testing.T) {
	t.Parallel()
	const (
		deploy = "arn:aws:iam::123456789012:role/deploy deploy@acme.iam.gserviceaccount.com 00000000-0000-0000-0000-000000000001 00000000-0000-0000-0000-000000000001"
		plan   = "arn:aws:iam::123456789012:role/plan plan@acme.iam.gserviceaccount.com 00000000-0000-0000-0000-000000000004 00000000-0000-0000-0000-000000000004"
	)
	s := full()
	d := &s.Deploys[1]
	d.GCP, d.Azure = clouds().Deploys[1].GCP, clouds().Deploys[2].Azure
	f := read(t, render(t, s))
	for id, want := range map[string]string{"plan-prod-eu": plan, "monitor-prod-eu": plan, "deploy-prod-eu": deploy, "plan-staging": ""} {
		if got := identities(f, id); got != want {
			t.Errorf("job %s speaks as %q, want %q", id, got, want)
		}
	}
	for id, j := range f.Jobs {
		if j.Environment == "" && strings.Contains(identities(f, id), "deploy") {
			t.Errorf("job %s has the identity of a deploy, and no environment", id)
		}
		for _, step := range j.Steps {
			if step.With["mode"] == "plan" && step.With["lock"] != "false" && identities(f, id) != "" {
				t.Errorf("job %s needs an identity that may lock the state: %v", id, step.With)
			}
		}
	}
	d.AWS.PlanRoleARN, d.GCP.PlanServiceAccount, d.Azure.PlanClientID = "", "", ""
	f = read(t, render(t, s))
	if got := identities(f, "plan-prod-eu"); got != deploy {
		t.Errorf("without identities of its own a plan speaks as %q, want the deploy's", got)
	}
	if steps := f.Jobs["plan-prod-eu"].Steps; steps[len(steps)-2].With["lock"] != "" {
		t.Errorf("it plans without the lock that it may have: %v", steps)
	}
}

func TestAPlanThatCouldDoWhatReviewersAreToApproveIsAWarning(t *testing.T) {
	t.Parallel()
	google, azure := *clouds().Deploys[1].GCP, *clouds().Deploys[2].Azure
	google.PlanServiceAccount, azure.PlanClientID = "", azure.ClientID // the same is none
	direct := google
	direct.ServiceAccount = ""
	for name, c := range map[string]struct {
		change func(*pipeline.Spec)
		want   string // the attribute that is missing; "" for no warning
	}{
		"all is well": {func(*pipeline.Spec) {}, ""},
		"aws":         {func(s *pipeline.Spec) { s.Deploys[1].AWS.PlanRoleARN = "" }, "plan_role_arn"},
		"the same":    {func(s *pipeline.Spec) { s.Deploys[1].AWS.PlanRoleARN = s.Deploys[1].AWS.RoleARN }, "plan_role_arn"},
		"gcp":         {func(s *pipeline.Spec) { s.Deploys[1].GCP = &google }, "plan_service_account"},
		"gcp, direct": {func(s *pipeline.Spec) { s.Deploys[1].GCP = &direct }, ""},
		"azure":       {func(s *pipeline.Spec) { s.Deploys[1].Azure = &azure }, "plan_client_id"},
		"capitals":    {func(s *pipeline.Spec) { s.Deploys[1].AWS.PlanRoleARN, s.Deploys[1].Environment = "", "Production" }, "plan_role_arn"},
		"no reviewers": {func(s *pipeline.Spec) {
			s.Deploys[1].AWS.PlanRoleARN, s.Deploys[1].Environment = "", "staging"
			s.Environments[1].Branches = []string{"main"}
		}, ""},
	} {
		s := full()
		c.change(&s)
		var got []string
		for _, p := range workflow.Validate(s) {
			if !p.Warning {
				t.Errorf("%s: %+v", name, p)
			}
			got = append(got, p.Detail)
		}
		if (c.want != "") != (len(got) == 1) || c.want != "" && !strings.Contains(got[0], "Set "+c.want+" to one that only reads") {
			t.Errorf("%s: %q, want a warning about %q", name, got, c.want)
		}
	}
}

func TestAnEnvironmentThatEveryBranchMayNameIsAWarning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment pipeline.Environment
		want        string // what every branch gets; "" for no warning
	}{
		"branches":            {pipeline.Environment{Branches: []string{"main"}, SecretNames: []string{"KEY"}}, ""},
		"reviewers":           {pipeline.Environment{Reviewers: []string{"octocat"}, SecretNames: []string{"KEY"}}, ""},
		"nothing to get":      {pipeline.Environment{Name: "staging", Variables: map[string]string{"A": "b"}}, ""},
		"an identity":         {pipeline.Environment{}, "the identity of deploy prod-eu"},
		"in capitals":         {pipeline.Environment{Name: "PRODUCTION"}, "the identity of deploy prod-eu"},
		"secrets":             {pipeline.Environment{Name: "staging", SecretNames: []string{"KEY"}}, "its secrets"},
		"waiting is no guard": {pipeline.Environment{WaitMinutes: 5, Secrets: map[string]string{"KEY": "value"}}, "its secrets and the identity of deploy prod-eu"},
	} {
		s := full()
		if c.environment.Name == "" {
			c.environment.Name = "production"
		}
		s.Environments = []pipeline.Environment{c.environment}
		problems := workflow.Validate(s)
		got := ""
		for _, p := range problems {
			if !p.Warning || p.Path[0] != "environment" || p.Path[2] != "branches" {
				t.Errorf("%s: %+v", name, p)
			}
			_, got, _ = strings.Cut(p.Detail, "and gets ")
			got, _, _ = strings.Cut(got, ". ")
		}
		if got != c.want {
			t.Errorf("%s: every branch gets %q, want %q: %+v", name, got, c.want, problems)
		}
	}
}
