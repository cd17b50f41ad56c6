package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Issuer signs the tokens of jobs on github.com.
const Issuer = "https://token.actions.githubusercontent.com"

// What the clouds' own actions ask GitHub to write into a token's "aud".
const (
	audienceAWS   = "sts.amazonaws.com"
	audienceAzure = "api://AzureADTokenExchange"
)

var providerARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/([A-Za-z0-9.-]+(?:/[A-Za-z0-9._/-]+)?)$`)

// TrustAWS returns the trust policy of a role, as JSON, that jobs with one of these subjects may assume. The identity
// provider's ARN ends with the issuer, that of github.com or of an enterprise, which names the condition's keys.
func TrustAWS(provider string, subjects []string) (string, error) {
	m := providerARN.FindStringSubmatch(provider)
	if m == nil {
		return "", bad("provider_arn", "provider ARN %q: want that of an IAM OIDC provider, arn:aws:iam::ACCOUNT:oidc-provider/%s",
			provider, strings.TrimPrefix(Issuer, "https://"))
	}
	if err := checkSubjects(subjects); err != nil {
		return "", err
	}
	type statement struct {
		Effect    string
		Principal map[string]string
		Action    string
		Condition map[string]map[string]any
	}
	return asJSON(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{{
		Effect:    "Allow",
		Principal: map[string]string{"Federated": provider},
		Action:    "sts:AssumeRoleWithWebIdentity",
		Condition: map[string]map[string]any{"StringEquals": {m[1] + ":aud": audienceAWS, m[1] + ":sub": subjects}},
	}}})
}

func asJSON(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

const (
	maxConditionGCP = 4096 // characters, as Google documents attributeCondition
	maxSubjectGCP   = 127  // bytes, as Google documents google.subject
)

// ConditionGCP returns the attribute condition of a workload identity pool provider, in CEL, that lets tokens with one of
// these subjects in.
func ConditionGCP(subjects []string) (string, error) {
	if err := checkSubjects(subjects); err != nil {
		return "", err
	}
	literals := make([]string, len(subjects))
	for i, s := range subjects {
		literals[i] = strconv.Quote(s) // CEL's strings are written as Go's
	}
	condition := "assertion.sub in [" + strings.Join(literals, ", ") + "]"
	if len(condition) > maxConditionGCP {
		return "", bad("subjects", "the condition of %d subjects has %d characters: Google takes at most %d; make a provider for some of them",
			len(subjects), len(condition), maxConditionGCP)
	}
	return condition, nil
}

var poolName = regexp.MustCompile(`^projects/[0-9]+/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}$`)

// MembersGCP returns the members, for an IAM policy, that such jobs are in a pool whose provider maps google.subject to
// assertion.sub.
func MembersGCP(pool string, subjects []string) ([]string, error) {
	if !poolName.MatchString(pool) {
		return nil, bad("pool", "pool %q: want its full name, projects/NUMBER/locations/global/workloadIdentityPools/ID, with the project's number", pool)
	}
	if err := checkSubjects(subjects); err != nil {
		return nil, err
	}
	members := make([]string, len(subjects))
	for i, s := range subjects {
		if len(s) > maxSubjectGCP {
			return nil, bad("subjects", "subject %q has %d bytes: Google takes at most %d as google.subject; a shorter name of the environment helps", s, len(s), maxSubjectGCP)
		}
		members[i] = "principal://iam.googleapis.com/" + pool + "/subject/" + s
	}
	return members, nil
}

// A CredentialAzure is a federated identity credential: an application or managed identity trusts one subject by each.
type CredentialAzure struct {
	Name      string // 3 to 120 letters, digits, - and _, the same for the same subject and issuer
	Issuer    string
	Subject   string
	Audiences []string
}

const maxAzure = 600 // characters of subject and issuer

// CredentialsAzure returns the credentials for these subjects. issuer is "" for github.com's.
func CredentialsAzure(subjects []string, issuer string) ([]CredentialAzure, error) {
	if issuer == "" {
		issuer = Issuer
	}
	if u, err := url.Parse(issuer); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		len(issuer) > maxAzure || odd(issuer) {
		return nil, bad("issuer", "issuer %q: want the https address that an enterprise's tokens have as iss, or null for %s", issuer, Issuer)
	}
	if err := checkSubjects(subjects); err != nil {
		return nil, err
	}
	all := make([]CredentialAzure, len(subjects))
	for i, s := range subjects {
		if len(s) > maxAzure {
			return nil, bad("subjects", "subject %q has %d bytes: Azure takes at most %d", s, len(s), maxAzure)
		}
		all[i] = CredentialAzure{Name: nameAzure(issuer, s), Issuer: issuer, Subject: s, Audiences: []string{audienceAzure}}
	}
	return all, nil
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// nameAzure is what a person may recognize, and a digest that tells apart what looks alike.
func nameAzure(issuer, subject string) string {
	readable := strings.Trim(notInName.ReplaceAllString(subject, "-"), "-")
	digest := sha256.Sum256([]byte(issuer + " " + subject))
	return readable[:min(len(readable), 100)] + "-" + hex.EncodeToString(digest[:4])
}
