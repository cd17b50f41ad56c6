package githubhub

// An Environment of a repository, with its protections.
type Environment struct {
	Name string
	// Reviewers are logins and teams: "octocat", "@acme/ml-leads".
	Reviewers         []string
	WaitMinutes       int
	PreventSelfReview bool // never without reviewers
	AdminsBypass      bool // administrators may deploy around the protections: GitHub's default
	ProtectedBranches bool // only protected branches may deploy
	// Branches and Tags are patterns of what may deploy. Both nil: any branch; one of them empty: none.
	Branches []string
	Tags     []string
}

// Environments of the repository, oldest first.
func (r *Repository) Environments() []Environment {
	r.hub.t.Helper()
	var out []Environment
	r.hub.call("environments", map[string]string{"repo": r.FullName}, &out)
	return out
}

// SetEnvironment makes an environment exactly this, or changes one by hand, behind the back of who keeps it. People come into
// being by being named, teams by Team.
func (r *Repository) SetEnvironment(e Environment) {
	r.hub.t.Helper()
	r.hub.call("set-environment", struct {
		Repo string
		Environment
	}{r.FullName, e}, nil)
}

// DeleteEnvironment removes an environment by hand, with its secrets and variables.
func (r *Repository) DeleteEnvironment(name string) {
	r.hub.t.Helper()
	r.hub.call("delete-environment", map[string]string{"repo": r.FullName, "name": name}, nil)
}

// Secrets are the plain values of an environment's secrets, by name in capitals; of "" the repository's. The API never
// tells them: the server opens what was sealed by the private key that belongs to the public one that it gave.
func (r *Repository) Secrets(environment string) map[string]string {
	r.hub.t.Helper()
	return r.values(environment, "secret")
}

// SetSecret writes a secret by hand: the API shows only that it was updated.
func (r *Repository) SetSecret(environment, name, value string) {
	r.hub.t.Helper()
	r.hub.call("set-value", r.value(environment, "secret", name, value), nil)
}

// DeleteSecret removes a secret by hand.
func (r *Repository) DeleteSecret(environment, name string) {
	r.hub.t.Helper()
	r.hub.call("delete-value", r.value(environment, "secret", name, ""), nil)
}

// Variables of an environment, by name in capitals; of "" the repository's.
func (r *Repository) Variables(environment string) map[string]string {
	r.hub.t.Helper()
	return r.values(environment, "variable")
}

// SetVariable writes a variable by hand.
func (r *Repository) SetVariable(environment, name, value string) {
	r.hub.t.Helper()
	r.hub.call("set-value", r.value(environment, "variable", name, value), nil)
}

// DeleteVariable removes a variable by hand.
func (r *Repository) DeleteVariable(environment, name string) {
	r.hub.t.Helper()
	r.hub.call("delete-value", r.value(environment, "variable", name, ""), nil)
}

func (r *Repository) values(environment, kind string) map[string]string {
	r.hub.t.Helper()
	var out map[string]string
	r.hub.call("values", r.value(environment, kind, "", ""), &out)
	return out
}

func (r *Repository) value(environment, kind, name, text string) map[string]string {
	return map[string]string{"repo": r.FullName, "environment": environment, "kind": kind, "name": name, "value": text}
}

// A Plan is what GitHub gives private repositories. Public ones have everything.
type Plan string

// The plans, by how they treat what they do not have.
const (
	// FullPlan has everything: what a hub starts with.
	FullPlan Plan = "full"
	// DroppingPlan takes an environment's reviewers, wait timer and prevention of self-review with 200 and drops them.
	DroppingPlan Plan = "drops"
	// RefusingPlan answers 422 to a request for an environment that names anything but branches, even at its default. go-github
	// then asks again without the rest, unless there are reviewers or a wait timer.
	RefusingPlan Plan = "refuses"
	// FreePlan has no environments (404) and no rulesets (403).
	FreePlan Plan = "free"
)

// SetPlan says what private repositories of the hub have from now on. What is there already stays.
func (h *Hub) SetPlan(p Plan) {
	h.t.Helper()
	h.call("plan", map[string]Plan{"plan": p}, nil)
}

// Team makes a team of an organisation, which its owner becomes by it, or changes its members; it returns the team's id.
func (h *Hub) Team(org, slug string, members ...string) int64 {
	h.t.Helper()
	var out struct{ ID int64 }
	h.call("team", map[string]any{"org": org, "slug": slug, "members": members}, &out)
	return out.ID
}

// User makes a person, whom GET /users/LOGIN knows from then on, and returns the account's id. "octocat" and owners of
// repositories are there without.
func (h *Hub) User(login string) int64 {
	h.t.Helper()
	var out struct{ ID int64 }
	h.call("user", map[string]string{"login": login}, &out)
	return out.ID
}
