package githubtest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

var collaboratorOperations = map[string]func(*call) (answer, error){
	"repos/list-collaborators":                (*call).listCollaborators,
	"repos/check-collaborator":                (*call).checkCollaborator,
	"repos/get-collaborator-permission-level": (*call).permissionLevel,

	"actions/get-custom-oidc-sub-claim-for-repo": (*call).getSubject,
	"actions/set-custom-oidc-sub-claim-for-repo": (*call).setSubject,
}

// level is the older word for a role.
func level(role string) string {
	switch role {
	case "maintain":
		return "write"
	case "triage":
		return "read"
	}
	return role
}

func (c *call) renderCollaborator(a *account) object {
	out := c.w.renderAccount(a)
	permissions := object{}
	for field, role := range map[string]string{"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"} {
		permissions[field] = c.repo.atLeast(a, role)
	}
	out["permissions"], out["role_name"] = permissions, c.repo.role(a)
	return out
}

// listCollaborators are those whose role a test gave them.
func (c *call) listCollaborators() (answer, error) {
	var found []*account
	for _, login := range slices.Sorted(maps.Keys(c.repo.roles)) {
		if a := c.w.accounts[login]; a != nil && c.repo.atLeast(a, "read") {
			found = append(found, a)
		}
	}
	return answer{status: http.StatusOK, value: each(page(c, found), c.renderCollaborator)}, nil
}

// person is the account that the path names.
func (c *call) person() (*account, error) {
	if a := c.w.accounts[strings.ToLower(c.at.Params["username"])]; a != nil && a.kind != "Organization" {
		return a, nil
	}
	return nil, notFound()
}

func (c *call) checkCollaborator() (answer, error) {
	a, err := c.person()
	if err != nil {
		return answer{}, err
	}
	if !c.repo.atLeast(a, "read") {
		return answer{}, notFound()
	}
	return answer{status: http.StatusNoContent}, nil
}

func (c *call) permissionLevel() (answer, error) {
	a, err := c.person()
	if err != nil {
		return answer{}, err
	}
	role := c.repo.role(a)
	return answer{status: http.StatusOK, value: object{"permission": level(role), "role_name": role, "user": c.renderCollaborator(a)}}, nil
}

// subject is how the repository's jobs are called in their tokens of OpenID Connect.
type subject struct {
	custom  bool
	keys    []string
	mutable bool // without ids in it: a repository from before July 2026
}

func (c *call) getSubject() (answer, error) {
	s := c.repo.subject
	prefix := fmt.Sprintf("repo:%s@%d/%s@%d", c.repo.owner.login, c.repo.owner.id, c.repo.name, c.repo.id)
	if s.mutable {
		prefix = "repo:" + c.repo.fullName()
	}
	out := object{"use_default": !s.custom, "use_immutable_subject": !s.mutable, "sub_claim_prefix": prefix}
	if s.custom {
		out["include_claim_keys"] = list(s.keys)
	}
	return answer{status: http.StatusOK, value: out}, nil
}

func (c *call) setSubject() (answer, error) {
	var in struct {
		UseDefault bool     `json:"use_default"`
		Keys       []string `json:"include_claim_keys"`
		Immutable  *bool    `json:"use_immutable_subject"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	for _, key := range in.Keys {
		if key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return answer{}, unprocessable("Claim keys can only contain alphanumeric characters and underscores")
		}
	}
	s := &c.repo.subject
	s.custom, s.keys = !in.UseDefault, in.Keys
	if in.Immutable != nil {
		s.mutable = !*in.Immutable
	}
	return answer{status: http.StatusCreated, value: object{}}, nil
}
