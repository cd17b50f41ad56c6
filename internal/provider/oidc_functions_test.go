package provider

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outputs returns the state's outputs.
func (s *stage) outputs() map[string]any {
	s.t.Helper()
	out, err := s.command("output", "-json").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	var all map[string]struct{ Value any }
	if err := json.Unmarshal(out, &all); err != nil {
		s.t.Fatal(err)
	}
	values := map[string]any{}
	for name, o := range all {
		values[name] = o.Value
	}
	return values
}

// The examples of the documentation are one module here: each function as it is shown.
func TestFunctionsOfOIDCWorkAsTheDocumentationShowsThem(t *testing.T) {
	s := newStage(t)
	var hcl []string
	for _, name := range []string{"oidc_subjects", "oidc_ref_subjects", "oidc_trust_aws", "oidc_condition_gcp", "oidc_members_gcp", "oidc_credentials_azure"} {
		hcl = append(hcl, example(t, "functions", name, "function.tf"))
	}
	s.config(hcl...)
	s.apply().ok()
	const (
		old = "repo:acme/fraud:environment:production"
		now = "repo:acme@123456/fraud@456789:environment:production"
		arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
	)
	credential := func(subject string) map[string]any {
		return map[string]any{"issuer": "https://token.actions.githubusercontent.com", "subject": subject, "audiences": []any{"api://AzureADTokenExchange"}}
	}
	want := map[string]any{
		"production":    []any{old, now},
		"main":          []any{"repo:acme/fraud:ref:refs/heads/main"},
		"pull_requests": []any{"repo:acme/fraud:pull_request"},
		"assume_role_policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + arn + `"},` +
			`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com",` +
			`"token.actions.githubusercontent.com:sub":["` + old + `","` + now + `"]}}}]}`,
		"attribute_condition": `assertion.sub in ["repo:acme/fraud:environment:staging", "` + old + `"]`,
		"members":             []any{"principal://iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/github/subject/" + old},
		"credentials": map[string]any{
			"repo-acme-fraud-environment-production-7e90adad":               credential(old),
			"repo-acme-123456-fraud-456789-environment-production-beeb1aec": credential(now),
		},
	}
	if diff := cmp.Diff(want, s.outputs()); diff != "" {
		t.Error(diff)
	}
	s.plan().ok()
}

func TestAFunctionOfWhatIsNotKnownYetIsNotKnownYet(t *testing.T) {
	s := newStage(t)
	s.config(`
resource "terraform_data" "made" {
  input = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
}

output "policy" {
  value = provider::tidegate::oidc_trust_aws(terraform_data.made.output, provider::tidegate::oidc_subjects("acme/fraud", "production", null))
}
`)
	s.plan().changes().says("+ policy = (known after apply)")
	s.apply().ok().says(`policy = "{\"Version\":\"2012-10-17\"`)
}

func TestAFunctionNamesTheArgumentThatItRefuses(t *testing.T) {
	s := newStage(t)
	const subjects = `provider::tidegate::oidc_subjects("acme/fraud", "production", null)`
	refused := []struct{ call, argument, message string }{
		{`oidc_subjects("acme/*", "production", null)`, "repository", `repository "acme/*": want OWNER/NAME of one repository`},
		{`oidc_subjects("acme/fraud", "", null)`, "environment", "environment is empty"},
		{`oidc_subjects("acme/fraud", null, null)`, "environment", "argument must not be null"},
		{`oidc_subjects("acme/fraud", "production", { owner = 1, repository = 0 })`, "ids", "ids want two positive numbers"},
		{`oidc_subjects("acme/fraud", "production", { owner = 1, repository = null })`, "ids", "ids want two positive numbers"},
		{`oidc_subjects("acme/fraud", "production", { owner = 1 })`, "ids", `attribute "repository" is required`},
		{`oidc_ref_subjects("acme/fraud", "main", null)`, "ref", `ref "main": want one whole ref`},
		{`oidc_ref_subjects("acme/fraud", "", null)`, "ref", "ref is empty"},
		{`oidc_trust_aws("arn", ` + subjects + `)`, "provider_arn", `provider ARN "arn": want that of an IAM OIDC provider`},
		{`oidc_trust_aws("arn:aws:iam::123456789012:oidc-provider/x", [])`, "subjects", "there is no subject"},
		{`oidc_condition_gcp(["repo:acme/fraud:*"])`, "subjects", `subject "repo:acme/fraud:*": want a whole one`},
		{`oidc_members_gcp("github", ` + subjects + `)`, "pool", `pool "github": want its full name`},
		{`oidc_credentials_azure(` + subjects + `, "http://x")`, "issuer", `issuer "http://x": want the https address`},
		{`oidc_credentials_azure(` + subjects + `, "")`, "issuer", "issuer is empty"},
	}
	var hcl []string
	for i, c := range refused {
		hcl = append(hcl, fmt.Sprintf("output \"x%d\" {\n  value = provider::tidegate::%s\n}\n", i, c.call))
	}
	s.config(hcl...)
	plan := s.terraform("plan", "-input=false", "-no-color").fails()
	for i, c := range refused {
		_, call, _ := strings.Cut(plan.text, fmt.Sprintf(`in output "x%d":`, i))
		call, _, _ = strings.Cut(call, "Error:")
		outcome{t, 1, call}.says("Invalid value for \""+c.argument+"\" parameter", c.message)
	}
}
