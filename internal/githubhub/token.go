package githubhub

// A Kind of token.
type Kind string

// The kinds. Who writes with a token is what an Action that trusts only its own check runs depends on.
const (
	// ActionsToken is the GITHUB_TOKEN of a workflow: github-actions[bot], of the app 15368.
	ActionsToken Kind = "actions"
	// AppToken is the installation token of a GitHub App.
	AppToken Kind = "app"
	// PersonalToken is a person's; it can not write check runs.
	PersonalToken Kind = "personal"
)

// ActionsApp is the id of the app that GitHub Actions is; its slug is "github-actions".
const ActionsApp = 15368

// Permissions are "read" or "write" by GitHub's name of them: contents, pull_requests, issues, checks, deployments,
// actions, statuses, metadata, administration, environments, secrets, actions_variables, workflows, members. An ActionsToken never
// has the last six, as on GitHub.
type Permissions map[string]string

// A Token says what to make a token of.
type Token struct {
	Kind Kind
	App  string // slug of the app of an AppToken; "": "acme-plans". The app comes into being with it
	User string // login of a PersonalToken; "": "octocat"
	// Permissions; nil: all of them, to write. An empty map: none but metadata.
	Permissions Permissions
	Repos       []string // full names that it is good for; nil: all
	// Scopes make a PersonalToken a classic one, which has them in place of permissions: "repo", "public_repo", "workflow",
	// "read:org". An empty list: none. What a classic token may not is a 404, and its scopes are in X-OAuth-Scopes.
	Scopes []string
}

// Token makes a token and returns its secret.
func (h *Hub) Token(t Token) string {
	h.t.Helper()
	var out struct{ Secret string }
	h.call("token", t, &out)
	return out.Secret
}

// Revoke ends a token, as if it had expired: 401.
func (h *Hub) Revoke(secret string) {
	h.t.Helper()
	h.call("revoke", map[string]string{"secret": secret}, nil)
}

// An App is a GitHub App, installed on every repository.
type App struct {
	ID           int64
	Slug         string
	Installation int64
	PrivateKey   string // PEM, by which it signs its JWT
}

// App makes a GitHub App, or returns the one of this slug.
func (h *Hub) App(slug string) App {
	h.t.Helper()
	var out App
	h.call("app", map[string]string{"slug": slug}, &out)
	return out
}
