package githubtest

import (
	"strings"
)

// A need is a permission that lets an operation through: "pull_requests=write".
type need = string

// needs are the permissions of each operation that has a repository; any one of them is enough. An operation that is
// not here needs metadata only. From GitHub's "Permissions required for GitHub Apps".
var needs = map[string][]need{
	"repos/get-content":                               {"contents=read"},
	"repos/get-branch":                                {"contents=read"},
	"repos/list-branches":                             {"contents=read"},
	"repos/get-commit":                                {"contents=read"},
	"repos/list-commits":                              {"contents=read"},
	"repos/compare-commits-with-basehead":             {"contents=read"},
	"repos/create-or-update-file-contents":            {"contents=write"},
	"repos/list-pull-requests-associated-with-commit": {"pull_requests=read"},
	"repos/create-deployment":                         {"deployments=write"},
	"repos/get-deployment":                            {"deployments=read"},
	"repos/list-deployments":                          {"deployments=read"},
	"repos/create-deployment-status":                  {"deployments=write"},
	"repos/get-deployment-status":                     {"deployments=read"},
	"repos/list-deployment-statuses":                  {"deployments=read"},
	"repos/get-latest-release":                        {"contents=read"},
	"repos/get-branch-protection":                     {"administration=read"},
	"repos/update-branch-protection":                  {"administration=write"},
	"repos/delete-branch-protection":                  {"administration=write"},
	"git/get-tag":                                     {"contents=read"},
	"git/create-tag":                                  {"contents=write"},
	"git/get-ref":                                     {"contents=read"},
	"git/list-matching-refs":                          {"contents=read"},
	"git/create-ref":                                  {"contents=write"},
	"git/update-ref":                                  {"contents=write"},
	"git/delete-ref":                                  {"contents=write"},
	"git/get-commit":                                  {"contents=read"},
	"git/create-commit":                               {"contents=write"},
	"git/get-tree":                                    {"contents=read"},
	"git/create-tree":                                 {"contents=write"},
	"git/get-blob":                                    {"contents=read"},
	"git/create-blob":                                 {"contents=write"},
	"pulls/get":                                       {"pull_requests=read", "contents=read"},
	"pulls/list":                                      {"pull_requests=read"},
	"pulls/create":                                    {"pull_requests=write"},
	"pulls/update":                                    {"pull_requests=write"},
	"pulls/merge":                                     {"contents=write"},
	"pulls/list-commits":                              {"pull_requests=read"},
	"pulls/list-files":                                {"pull_requests=read"},
	"pulls/check-if-merged":                           {"contents=read"},
	"issues/get":                                      {"issues=read", "pull_requests=read"},
	"issues/list-comments":                            {"issues=read", "pull_requests=read"},
	"issues/get-comment":                              {"issues=read", "pull_requests=read"},
	"issues/create-comment":                           {"issues=write", "pull_requests=write"},
	"issues/update-comment":                           {"issues=write", "pull_requests=write"},
	"issues/delete-comment":                           {"issues=write", "pull_requests=write"},
	"checks/create":                                   {"checks=write"},
	"checks/update":                                   {"checks=write"},
	"checks/get":                                      {"checks=read"},
	"checks/list-annotations":                         {"checks=read"},
	"checks/list-for-ref":                             {"checks=read"},
	"actions/get-workflow-run":                        {"actions=read"},
	"actions/list-jobs-for-workflow-run":              {"actions=read"},
	"actions/get-job-for-workflow-run":                {"actions=read"},
	"actions/list-workflow-run-artifacts":             {"actions=read"},
	"actions/list-artifacts-for-repo":                 {"actions=read"},
	"actions/get-artifact":                            {"actions=read"},
	"actions/download-artifact":                       {"actions=read"},
	"actions/delete-artifact":                         {"actions=write"},
	"repos/get-all-environments":                      {"actions=read"},
	"repos/get-environment":                           {"actions=read"},
	"repos/create-or-update-environment":              {"administration=write"},
	"repos/delete-an-environment":                     {"administration=write"},
	"repos/get-all-deployment-protection-rules":       {"actions=read"},
	"repos/list-deployment-branch-policies":           {"actions=read"},
	"repos/get-deployment-branch-policy":              {"actions=read"},
	"repos/create-deployment-branch-policy":           {"administration=write"},
	"repos/update-deployment-branch-policy":           {"administration=write"},
	"repos/delete-deployment-branch-policy":           {"administration=write"},
	"actions/get-repo-public-key":                     {"secrets=read"},
	"actions/list-repo-secrets":                       {"secrets=read"},
	"actions/get-repo-secret":                         {"secrets=read"},
	"actions/create-or-update-repo-secret":            {"secrets=write"},
	"actions/delete-repo-secret":                      {"secrets=write"},
	"actions/list-repo-variables":                     {"actions_variables=read"},
	"actions/get-repo-variable":                       {"actions_variables=read"},
	"actions/create-repo-variable":                    {"actions_variables=write"},
	"actions/update-repo-variable":                    {"actions_variables=write"},
	"actions/delete-repo-variable":                    {"actions_variables=write"},
	"actions/get-environment-public-key":              {"environments=read"},
	"actions/list-environment-secrets":                {"environments=read"},
	"actions/get-environment-secret":                  {"environments=read"},
	"actions/list-environment-variables":              {"environments=read"},
	"actions/get-environment-variable":                {"environments=read"},
	"actions/create-or-update-environment-secret":     {"environments=write"},
	"actions/delete-environment-secret":               {"environments=write"},
	"actions/create-environment-variable":             {"environments=write"},
	"actions/update-environment-variable":             {"environments=write"},
	"actions/delete-environment-variable":             {"environments=write"},
	"repos/create-repo-ruleset":                       {"administration=write"},
	"repos/update-repo-ruleset":                       {"administration=write"},
	"repos/delete-repo-ruleset":                       {"administration=write"},
	"actions/list-repo-workflows":                     {"actions=read"},
	"actions/get-workflow":                            {"actions=read"},
	"actions/list-workflow-runs":                      {"actions=read"},
	"actions/list-workflow-runs-for-repo":             {"actions=read"},
	"actions/get-custom-oidc-sub-claim-for-repo":      {"actions=read"},
	"actions/set-custom-oidc-sub-claim-for-repo":      {"actions=write"},
	"repos/list-collaborators":                        {"metadata=read"},
	"repos/check-collaborator":                        {"metadata=read"},
	"repos/get-collaborator-permission-level":         {"metadata=read"},
}

// readOnly are the permissions of a workflow of a fork's pull request.
func readOnly() map[string]string {
	out := map[string]string{}
	for name := range permissionNames {
		out[name] = "read"
	}
	return out
}

// guarded are operations that read what not even a public repository shows to everybody.
var guarded = map[string]bool{
	"repos/get-branch-protection": true, "repos/list-collaborators": true, "repos/check-collaborator": true,
	"repos/get-collaborator-permission-level": true, "actions/get-custom-oidc-sub-claim-for-repo": true,
}

func init() {
	for id := range secretOperations {
		guarded[id] = true
	}
	for id := range variableOperations {
		guarded[id] = true
	}
}

// allow says whether who asks may do an operation in a repository, or the problem that GitHub answers with.
//
// A private repository that the token does not reach is not there (404). Anybody may read a public one, except what is
// guarded, and an artifact's bytes with any token. Check runs are for apps. An archived one takes no writes.
func (c *call) allow(operation string) error {
	wanted := needs[operation]
	writes := len(wanted) > 0 && strings.HasSuffix(wanted[0], "=write")
	if c.who == nil {
		if c.repo.private {
			return notFound()
		}
		if writes || guarded[operation] || operation == "actions/download-artifact" {
			return &problem{status: 401, message: "Requires authentication"}
		}
		return nil
	}
	if !c.who.classic && len(wanted) > 0 {
		c.header.Set("X-Accepted-GitHub-Permissions", strings.Join(wanted, "; ")) // GitHub says it with every answer
	}
	if err := c.permitted(operation, wanted, writes); err != nil {
		return err
	}
	if writes && c.repo.archived {
		return &problem{status: 403, message: "Repository was archived so is read-only."}
	}
	return nil
}

func (c *call) permitted(operation string, wanted []need, writes bool) error {
	closed := writes || guarded[operation]
	if !c.who.reaches(c.repo) {
		if c.repo.private {
			return notFound()
		}
		if closed {
			return c.refused(wanted)
		}
	}
	if (operation == "checks/create" || operation == "checks/update") && c.who.app == nil {
		return &problem{status: 403, message: "You must authenticate via a GitHub App."}
	}
	if c.who.app == nil {
		if err := c.roleMay(wanted, closed); err != nil {
			return err
		}
	}
	if c.who.classic {
		return c.classicMay(closed)
	}
	if !closed && !c.repo.private || len(wanted) == 0 {
		return nil
	}
	for _, n := range wanted {
		permission, level, _ := strings.Cut(n, "=")
		if c.who.may(permission, level) {
			return nil
		}
	}
	return c.refused(wanted)
}

func (c *call) refused(wanted []need) error {
	c.header.Set("X-Accepted-GitHub-Permissions", strings.Join(wanted, "; "))
	if c.who.kind == kindPersonal {
		return &problem{status: 403, message: "Resource not accessible by personal access token"}
	}
	return &problem{status: 403, message: "Resource not accessible by integration"}
}
