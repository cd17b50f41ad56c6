package pipeline_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

func TestSubjectsAreThoseThatGitHubWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		origin pipeline.Origin
		want   []string
	}{
		{pipeline.Origin{Repository: "octo-org/octo-repo", Environment: "prod"}, []string{"repo:octo-org/octo-repo:environment:prod"}},
		{pipeline.Origin{Repository: "octo-org/octo-repo", Environment: "Production:V1"}, []string{"repo:octo-org/octo-repo:environment:Production%3AV1"}},
		{pipeline.Origin{Repository: "octo-org/octo-repo", Ref: "refs/heads/main", OwnerID: 123456, RepositoryID: 456789},
			[]string{"repo:octo-org/octo-repo:ref:refs/heads/main", "repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main"}},
		{pipeline.Origin{Repository: "Acme/my.repo_1", Environment: "eu west/1", OwnerID: 1, RepositoryID: 2},
			[]string{"repo:Acme/my.repo_1:environment:eu west/1", "repo:Acme@1/my.repo_1@2:environment:eu west/1"}},
		{pipeline.Origin{Repository: "acme/fraud", Ref: "pull_request"}, []string{"repo:acme/fraud:pull_request"}},
	} {
		got, err := c.origin.Subjects()
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v\n%s", c.origin, err, diff)
		}
	}
}

func TestAnOriginThatCouldMeanMoreIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		origin pipeline.Origin
		want   string
	}{
		{pipeline.Origin{Environment: "prod"}, "repository"},
		{pipeline.Origin{Repository: "acme", Environment: "prod"}, "repository"},
		{pipeline.Origin{Repository: "acme/*", Environment: "prod"}, "repository"},
		{pipeline.Origin{Repository: "acme/fraud:environment:prod", Environment: "x"}, "repository"},
		{pipeline.Origin{Repository: "acme/a/b", Environment: "prod"}, "repository"},
		{pipeline.Origin{Repository: "acme/..", Environment: "prod"}, "repository"},
		{pipeline.Origin{Repository: "acme@1/fraud@2", Environment: "prod"}, "repository"},
		{pipeline.Origin{Repository: "acme/fraud\n", Environment: "prod"}, "repository"},
		{pipeline.Origin{Repository: "acme/fraud"}, "environment"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: "*"}, "environment"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: "prod?"}, "environment"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: "eu%3Aprod"}, "environment"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: "${aws:username}"}, "environment"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: " prod"}, "environment"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: "a\x00b"}, "environment"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: strings.Repeat("x", 256)}, "environment"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: "a", Ref: "refs/heads/main"}, "ref"},
		{pipeline.Origin{Repository: "acme/fraud", Ref: "main"}, "ref"},
		{pipeline.Origin{Repository: "acme/fraud", Ref: "refs/heads/*"}, "ref"},
		{pipeline.Origin{Repository: "acme/fraud", Ref: "refs/heads/a:b"}, "ref"},
		{pipeline.Origin{Repository: "acme/fraud", Ref: "refs/heads/${aws:username}"}, "ref"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: "a", OwnerID: 1}, "ids"},
		{pipeline.Origin{Repository: "acme/fraud", Environment: "a", OwnerID: -1, RepositoryID: 1}, "ids"},
	} {
		got, err := c.origin.Subjects()
		var bad *pipeline.InputError
		if !errors.As(err, &bad) || bad.Argument != c.want {
			t.Errorf("%+v: got %v, %v; want an error about %s", c.origin, got, err, c.want)
		}
	}
}

const arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"

var subjects = []string{"repo:acme/fraud:environment:production", "repo:acme@1/fraud@2:environment:production"}

func TestARoleOfAWSTrustsTheSubjectsAndNoOther(t *testing.T) {
	t.Parallel()
	got, err := pipeline.TrustAWS(arn, subjects)
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + arn + `"},"Action":"sts:AssumeRoleWithWebIdentity",` +
		`"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":` +
		`["repo:acme/fraud:environment:production","repo:acme@1/fraud@2:environment:production"]}}}]}`
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	got, err = pipeline.TrustAWS("arn:aws-us-gov:iam::123456789012:oidc-provider/git.acme.io/_services/token", subjects)
	if err != nil || !json.Valid([]byte(got)) || !strings.Contains(got, `"git.acme.io/_services/token:sub":[`) {
		t.Errorf("an enterprise's issuer: %s, %v", got, err)
	}
	for _, bad := range []string{"", "arn:aws:iam::1:oidc-provider/x", "arn:aws:iam::123456789012:role/x", arn + "\"", arn + "*", arn + "\n"} {
		if _, err := pipeline.TrustAWS(bad, subjects); err == nil {
			t.Errorf("provider %q is taken", bad)
		}
	}
}

func TestAPoolOfGoogleLetsTheSubjectsInAndNoOther(t *testing.T) {
	t.Parallel()
	got, err := pipeline.ConditionGCP(subjects)
	if want := `assertion.sub in ["repo:acme/fraud:environment:production", "repo:acme@1/fraud@2:environment:production"]`; err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
	got, err = pipeline.ConditionGCP([]string{`repo:acme/fraud:ref:refs/heads/x"] || true || assertion.sub in ["`, `repo:acme/fraud:ref:refs/heads/it's\`})
	want := `assertion.sub in ["repo:acme/fraud:ref:refs/heads/x\"] || true || assertion.sub in [\"", "repo:acme/fraud:ref:refs/heads/it's\\"]`
	if err != nil || got != want {
		t.Errorf("a quote ends the text: %s, %v", got, err)
	}
	const pool = "projects/123/locations/global/workloadIdentityPools/github"
	members, err := pipeline.MembersGCP(pool, subjects)
	if diff := cmp.Diff([]string{
		"principal://iam.googleapis.com/" + pool + "/subject/repo:acme/fraud:environment:production",
		"principal://iam.googleapis.com/" + pool + "/subject/repo:acme@1/fraud@2:environment:production",
	}, members); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, bad := range []string{"", "github", "projects/my-project/locations/global/workloadIdentityPools/github", pool + "/*"} {
		if _, err := pipeline.MembersGCP(bad, subjects); err == nil {
			t.Errorf("pool %q is taken", bad)
		}
	}
	if _, err := pipeline.MembersGCP(pool, []string{"repo:acme/fraud:environment:" + strings.Repeat("x", 100)}); err == nil || !strings.Contains(err.Error(), "128 bytes: Google takes at most 127") {
		t.Error(err)
	}
	many := make([]string, 200)
	for i := range many {
		many[i] = "repo:acme/fraud:environment:e" + strconv.Itoa(i)
	}
	if _, err := pipeline.ConditionGCP(many); err == nil || !strings.Contains(err.Error(), "at most 4096") {
		t.Error(err)
	}
}

func TestAzureGetsOneCredentialForEachSubject(t *testing.T) {
	t.Parallel()
	got, err := pipeline.CredentialsAzure(subjects, "")
	audiences := []string{"api://AzureADTokenExchange"}
	want := []pipeline.CredentialAzure{
		{"repo-acme-fraud-environment-production-7e90adad", pipeline.Issuer, subjects[0], audiences},
		{"repo-acme-1-fraud-2-environment-production-27d6e9f8", pipeline.Issuer, subjects[1], audiences},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	got, err = pipeline.CredentialsAzure([]string{"repo:acme/fraud:environment:a b", "repo:acme/fraud:environment:a-b", "repo:acme/fraud:environment:" + strings.Repeat("x", 250)}, "https://git.acme.io/_services/token")
	if err != nil || got[0].Issuer != "https://git.acme.io/_services/token" || got[0].Name == got[1].Name {
		t.Errorf("%+v, %v", got, err)
	}
	for _, c := range got {
		if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{2,119}$`).MatchString(c.Name) {
			t.Errorf("name %q", c.Name)
		}
	}
	for _, bad := range []string{"http://x", "x", "https://u:p@x", "https://x?a", "https://x#a", "https://\n"} {
		if _, err := pipeline.CredentialsAzure(subjects, bad); err == nil {
			t.Errorf("issuer %q is taken", bad)
		}
	}
}

func TestNoCloudTrustsAWildcard(t *testing.T) {
	t.Parallel()
	for _, bad := range [][]string{nil, {""}, {"repo:acme/fraud:*"}, {"repo:acme/fraud:environment:?"}, {"*"}, {"acme/fraud"}, {"repo:${aws:x}"}, {"repo:a\nb"}, {"repo:a\xff"}, {"repo:acme/a:pull_request", ""}} {
		_, aws := pipeline.TrustAWS(arn, bad)
		_, condition := pipeline.ConditionGCP(bad)
		_, members := pipeline.MembersGCP("projects/123/locations/global/workloadIdentityPools/github", bad)
		_, azure := pipeline.CredentialsAzure(bad, "")
		for _, err := range []error{aws, condition, members, azure} {
			var is *pipeline.InputError
			if !errors.As(err, &is) || is.Argument != "subjects" {
				t.Errorf("%q: %v", bad, err)
			}
		}
	}
}
