package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// roleNames are what a person may be in a repository, each more than the one before.
var roleNames = []string{"none", "read", "triage", "write", "maintain", "admin"}

// role is what an account is in a repository: everybody is an administrator unless a test says otherwise.
func (r *repository) role(a *account) string {
	if name, ok := r.roles[strings.ToLower(a.login)]; ok {
		return name
	}
	return "admin"
}

// atLeast says whether an account has a role or a greater one.
func (r *repository) atLeast(a *account, role string) bool {
	return slices.Index(roleNames, r.role(a)) >= slices.Index(roleNames, role)
}

// permissions are what GET /repos says: of a person the role, whatever the token may; of an app nothing.
func (c *call) permissions() object {
	out := object{}
	for field, role := range map[string]string{"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"} {
		out[field] = c.who.app == nil && c.repo.atLeast(c.who.who, role)
	}
	return out
}

// scopeNames are what a classic token can have, as far as it matters here.
var scopeNames = []string{"repo", "public_repo", "repo_deployment", "workflow", "read:org", "write:org", "admin:org", "read:user", "user", "gist"}

// classic makes a personal token a classic one.
func (w *World) classic(t *token, scopes []string) error {
	if t.kind != kindPersonal {
		return fmt.Errorf("scopes of a token of kind %q: only a personal one has them", t.kind)
	}
	for _, s := range scopes {
		if !slices.Contains(scopeNames, s) {
			return fmt.Errorf("scope %q: want one of %v", s, scopeNames)
		}
	}
	delete(w.tokens, t.secret)
	t.classic, t.scopes, t.secret = true, scopes, "ghp_"+secret()
	w.tokens[t.secret] = t
	return nil
}

// hasScope says whether a classic token has one of some scopes.
func (t *token) hasScope(any ...string) bool {
	return slices.ContainsFunc(any, func(s string) bool { return slices.Contains(t.scopes, s) })
}

// classicMay says whether the scopes of a classic token reach into a repository: what it may not see is not there.
func (c *call) classicMay(writes bool) error {
	c.header.Set("X-Accepted-OAuth-Scopes", "repo")
	ok := c.who.hasScope("repo") || !c.repo.private && (!writes || c.who.hasScope("public_repo"))
	if !ok {
		return notFound()
	}
	return nil
}

// roleMay says whether the person behind a token may do what needs a permission.
func (c *call) roleMay(wanted []need, writes bool) error {
	who := c.who.who
	if c.repo.private && !c.repo.atLeast(who, "read") {
		return notFound()
	}
	if !writes {
		return nil
	}
	if slices.Contains(wanted, "administration=write") {
		if !c.repo.atLeast(who, "admin") {
			return &problem{status: http.StatusForbidden, message: "Must have admin rights to Repository."}
		}
		return nil
	}
	if c.repo.atLeast(who, "write") || wanted[0] == "issues=write" || wanted[0] == "pull_requests=write" {
		return nil
	}
	if c.who.classic {
		return notFound()
	}
	return c.refused(wanted)
}

func isWorkflow(path string) bool { return strings.HasPrefix(path, ".github/workflows/") }

// writesWorkflows says whether who asks may write workflow files: a job's own token never may.
func (c *call) writesWorkflows() bool {
	if c.who.classic {
		return c.who.hasScope("workflow")
	}
	return c.who.may("workflows", "write")
}

// noWorkflows is GitHub's answer to who may not, which does not say so.
func (c *call) noWorkflows() error {
	if c.who.classic {
		return notFound()
	}
	return c.refused([]need{"contents=write,workflows=write"}) // both
}

// noun is what GitHub calls the token's holder when it refuses a workflow file by name.
func (t *token) noun() string {
	if t.app != nil {
		return "a GitHub App"
	}
	return "a Personal Access Token"
}

func (t *token) workflowRight() string {
	if t.classic {
		return "`workflow` scope"
	}
	return "`workflows` permission"
}

// controlRole says what a person is in a repository.
func (w *World) controlRole(in struct{ Repo, Login, Role string }) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(roleNames, in.Role) {
		return nil, fmt.Errorf("role %q: want one of %v", in.Role, roleNames)
	}
	r.roles[strings.ToLower(w.account(in.Login).login)] = in.Role
	return nil, nil
}

func (w *World) controlArchive(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	r.archived = true
	return nil, nil
}
