package pipeline

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Origin is where a job comes from that shows GitHub's token to a cloud: a repository, and either an environment or a
// ref. Jobs with an environment have no ref in their subject.
type Origin struct {
	Repository string // "acme/fraud", in its own letters: clouds tell capitals apart
	// OwnerID and RepositoryID are their numbers at GitHub, 0 where they are not known.
	OwnerID, RepositoryID int64

	Environment string
	Ref         string // "refs/heads/main", "refs/tags/v1", or PullRequest for jobs that a pull request starts
}

// An InputError is an argument that nothing can be made of.
type InputError struct {
	Argument string // "repository", "environment", "ref", "ids", "subjects", "provider_arn", "pool" or "issuer"
	Message  string
}

func (e *InputError) Error() string { return e.Message }

func bad(argument, format string, a ...any) *InputError {
	return &InputError{argument, fmt.Sprintf(format, a...)}
}

// Subjects are what GitHub writes into the claim "sub" of such a job: by names, and by names with the numbers that they
// stand for, if these are known. Repositories that were created, renamed or transferred since 15 July 2026 use the second
// form, and others if they were told to; Enterprise Server uses the first. Source: docs.github.com, "OpenID Connect
// reference", Immutable subject claims.
func (o Origin) Subjects() ([]string, error) {
	owner, name, err := o.names()
	if err != nil {
		return nil, err
	}
	context, err := o.context()
	if err != nil {
		return nil, err
	}
	subjects := []string{fmt.Sprintf("repo:%s/%s:%s", owner, name, context)}
	switch {
	case o.OwnerID == 0 && o.RepositoryID == 0:
		return subjects, nil
	case o.OwnerID < 1 || o.RepositoryID < 1:
		return nil, bad("ids", "ids are %d of the owner and %d of the repository: want the two positive numbers that GitHub's API has for them",
			o.OwnerID, o.RepositoryID)
	}
	return append(subjects, fmt.Sprintf("repo:%s@%d/%s@%d:%s", owner, o.OwnerID, name, o.RepositoryID, context)), nil
}

var (
	ownerName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$`)
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
)

func (o Origin) names() (owner, name string, err error) {
	owner, name, _ = strings.Cut(o.Repository, "/")
	if !ownerName.MatchString(owner) || !repositoryName.MatchString(name) || name == "." || name == ".." {
		return "", "", bad("repository", "repository %q: want OWNER/NAME of one repository, such as acme/fraud, without wildcards", o.Repository)
	}
	return owner, name, nil
}

// context is the end of a subject.
func (o Origin) context() (string, error) {
	switch {
	case o.Environment != "" && o.Ref != "":
		return "", bad("ref", "ref %q: a job with an environment has no ref in its subject", o.Ref)
	case o.Ref == PullRequest:
		return PullRequest, nil
	case o.Ref != "":
		return "ref:" + o.Ref, checkRef(o.Ref)
	}
	if err := checkEnvironment(o.Environment); err != nil {
		return "", err
	}
	return "environment:" + strings.ReplaceAll(o.Environment, ":", "%3A"), nil
}

// checkEnvironment refuses names that GitHub has not, and those with characters that mean more than themselves in a
// cloud's policy, or in a subject: a%3Ab would be one with a:b, which GitHub writes so.
func checkEnvironment(name string) error {
	switch {
	case name == "":
		return bad("environment", "environment is empty: want the name of one, such as production")
	case utf8.RuneCountInString(name) > 255:
		return bad("environment", "environment has %d characters: GitHub takes at most 255", utf8.RuneCountInString(name))
	case strings.ContainsAny(name, "*?$%'\"`,;\\") || odd(name) || strings.TrimSpace(name) != name:
		return bad("environment", "environment %q: want the name of one, without wildcards, quotes, any of , ; \\ $ %% and spaces around it", name)
	}
	return nil
}

var plainRef = regexp.MustCompile(`^refs/(heads|tags)/[^/. ~^:?*\[\\][^ ~^:?*\[\\]*$`)

func checkRef(ref string) error {
	if !plainRef.MatchString(ref) || strings.Contains(ref, "..") || strings.Contains(ref, "${") || odd(ref) {
		return bad("ref", "ref %q: want one whole ref, such as refs/heads/main or refs/tags/v1.0.0, or %s; no wildcards", ref, PullRequest)
	}
	return nil
}

// odd reports what nobody types into a name.
func odd(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

var subjectForm = regexp.MustCompile(`^[a-z_]+:[^:]`)

// checkSubjects refuses what would let more jobs in than it says.
func checkSubjects(subjects []string) error {
	if len(subjects) == 0 {
		return bad("subjects", "there is no subject: nothing would be trusted, or everything")
	}
	for _, s := range subjects {
		if !subjectForm.MatchString(s) || strings.ContainsAny(s, "*?") || strings.Contains(s, "${") || odd(s) {
			return bad("subjects", "subject %q: want a whole one, such as repo:acme/fraud:environment:production, without wildcards", s)
		}
	}
	return nil
}
