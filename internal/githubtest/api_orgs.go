package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A team of an organisation.
type team struct {
	id         int64
	org        *account
	slug, name string
	members    []*account
}

var orgOperations = map[string]func(*call) (answer, error){
	"orgs/get":                  (*call).getOrg,
	"teams/list":                (*call).listTeams,
	"teams/get-by-name":         (*call).getTeam,
	"teams/list-members-in-org": (*call).listMembers,
	"oidc/get-oidc-custom-sub-template-for-org": func(*call) (answer, error) {
		return answer{status: http.StatusOK, value: object{"include_claim_keys": []string{"repo", "context"}}}, nil
	},
}

// allowOrg says whether who asks may read what is an organisation's: everybody who it is, members its teams.
func (c *call) allowOrg(operation string) error {
	org := c.w.accounts[strings.ToLower(c.at.Params["org"])]
	if org == nil || org.kind != "Organization" {
		return notFound()
	}
	if operation == "orgs/get" {
		return nil
	}
	wanted := "members=read"
	if strings.HasPrefix(operation, "oidc/") {
		wanted = "organization_administration=read"
	}
	if c.who == nil {
		return &problem{status: http.StatusUnauthorized, message: "Requires authentication"}
	}
	if c.who.classic {
		c.header.Set("X-Accepted-OAuth-Scopes", "admin:org, read:org, write:org")
		if c.who.hasScope("read:org", "write:org", "admin:org") {
			return nil
		}
		return notFound()
	}
	if name, level, _ := strings.Cut(wanted, "="); !c.who.may(name, level) {
		return c.refused([]need{wanted})
	}
	return nil
}

func (c *call) org() *account { return c.w.accounts[strings.ToLower(c.at.Params["org"])] }

func (c *call) getOrg() (answer, error) {
	org := c.org()
	api := c.w.link("/orgs/%s", org.login)
	return answer{status: http.StatusOK, value: object{
		"login": org.login, "id": org.id, "node_id": node("O", org.id), "url": api, "html_url": c.w.url + "/" + org.login, "type": org.kind,
		"repos_url": api + "/repos", "events_url": api + "/events", "hooks_url": api + "/hooks", "issues_url": api + "/issues",
		"members_url": api + "/members{/member}", "public_members_url": api + "/public_members{/member}",
		"avatar_url": c.w.url + "/avatars/" + org.login, "description": nil,
	}}, nil
}

func (w *World) renderTeam(t *team) object {
	api := w.link("/organizations/%d/team/%d", t.org.id, t.id)
	return object{
		"id": t.id, "node_id": node("T", t.id), "name": t.name, "slug": t.slug, "description": "", "privacy": "closed", "permission": "pull",
		"notification_setting": "notifications_enabled", "url": api, "html_url": fmt.Sprintf("%s/orgs/%s/teams/%s", w.url, t.org.login, t.slug),
		"members_url": api + "/members{/member}", "repositories_url": api + "/repos", "type": "organization", "organization_id": t.org.id, "parent": nil,
	}
}

func (w *World) renderTeamFully(t *team) object {
	out := w.renderTeam(t)
	at := w.link("/orgs/%s", t.org.login)
	out["members_count"], out["repos_count"] = len(t.members), 0
	out["organization"] = object{
		"login": t.org.login, "id": t.org.id, "node_id": node("O", t.org.id), "url": at, "type": "Organization", "html_url": w.url + "/" + t.org.login,
		"repos_url": at + "/repos", "events_url": at + "/events",
	}
	return out
}

func (w *World) teamsOf(org *account) []*team {
	return slices.DeleteFunc(slices.Clone(w.teams), func(t *team) bool { return t.org != org })
}

// team returns a team by "org/slug", nil if there is none.
func (w *World) team(org, slug string) *team {
	for _, t := range w.teams {
		if strings.EqualFold(t.org.login, org) && t.slug == strings.ToLower(slug) {
			return t
		}
	}
	return nil
}

func (c *call) listTeams() (answer, error) {
	return answer{status: http.StatusOK, value: each(page(c, c.w.teamsOf(c.org())), c.w.renderTeam)}, nil
}

func (c *call) getTeam() (answer, error) {
	t := c.w.team(c.at.Params["org"], c.at.Params["team_slug"])
	if t == nil {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, value: c.w.renderTeamFully(t)}, nil
}

func (c *call) listMembers() (answer, error) {
	t := c.w.team(c.at.Params["org"], c.at.Params["team_slug"])
	if t == nil {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, value: each(page(c, t.members), c.w.renderAccount)}, nil
}

// controlTeam makes a team, and its owner an organisation.
func (w *World) controlTeam(in struct {
	Org, Slug, Name string
	Members         []string
}) (any, error) {
	if in.Org == "" || in.Slug == "" || in.Slug != strings.ToLower(in.Slug) || strings.Contains(in.Slug, " ") {
		return nil, fmt.Errorf("team %q of %q: want an organisation and a slug in lower case", in.Slug, in.Org)
	}
	t := w.team(in.Org, in.Slug)
	if t == nil {
		t = &team{id: w.id(), org: w.account(in.Org), slug: in.Slug}
		w.teams = append(w.teams, t)
	}
	t.org.kind, t.name, t.members = "Organization", orDefault(in.Name, in.Slug), nil
	for _, login := range in.Members {
		t.members = append(t.members, w.account(login))
	}
	return object{"ID": t.id}, nil
}

// controlUser makes a person.
func (w *World) controlUser(in struct{ Login string }) (any, error) {
	if in.Login == "" {
		return nil, fmt.Errorf("a person without a login")
	}
	return object{"ID": w.account(in.Login).id}, nil
}
