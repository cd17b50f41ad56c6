package githubhub

import "encoding/json"

// A Protection says what a protected branch asks of a change that comes by the API. Nothing of it: whoever may write may
// push. Push, Merge and git's own push do not ask.
type Protection struct {
	PullRequest bool    // no pushes: a merged pull request only
	Restricted  bool    // nobody may push
	Checks      []Check // that must have succeeded on the commit, or on the head of the pull request
	// Bypass are logins and slugs of apps who may push and merge all the same.
	Bypass []string
	// Status of the answer to a push; 0: 422 of git/update-ref, 409 of the contents API. A merge gets 405.
	Status int
}

// A Check is a check run that must have succeeded; one of another app does not count. App 0: of any.
type Check struct {
	Name string
	App  int64
}

// Protect makes a branch a protected one, as the API and GITHUB_REF_PROTECTED say it, and by a Protection lets it refuse
// changes.
func (r *Repository) Protect(branch string, how ...Protection) {
	r.hub.t.Helper()
	in := struct {
		Repo, Branch string
		Protection
	}{Repo: r.FullName, Branch: branch}
	if len(how) > 0 {
		in.Protection = how[0]
	}
	r.hub.call("protect", in, nil)
}

// Unprotect ends a branch's protection.
func (r *Repository) Unprotect(branch string) {
	r.hub.t.Helper()
	r.hub.call("unprotect", map[string]string{"repo": r.FullName, "branch": branch}, nil)
}

// Archive makes the repository read-only: every write by the API is a 403.
func (r *Repository) Archive() {
	r.hub.t.Helper()
	r.hub.call("archive", map[string]string{"repo": r.FullName}, nil)
}

// SetRole says what a person is in the repository: "none", "read", "triage", "write", "maintain" or "admin". Unless it is said,
// everybody is an administrator. It is what `permissions` of GET /repos says; of an app's or a workflow's token those say
// nothing, as on GitHub.
func (r *Repository) SetRole(login, role string) {
	r.hub.t.Helper()
	r.hub.call("role", map[string]string{"repo": r.FullName, "login": login, "role": role}, nil)
}

// A Tag to be made.
type Tag struct {
	Name string // "v1.2.3"
	Ref  string // branch, tag or commit that it is of; "": the default branch
	// Annotated tags are objects of their own: git/get-ref answers their sha with type "tag", git/get-tag the commit's.
	Annotated bool
	Release   bool // it is the latest release's
}

// Tag makes a tag, or moves one, and returns the commit that it is of.
func (r *Repository) Tag(t Tag) string {
	r.hub.t.Helper()
	var out struct{ SHA string }
	r.hub.call("tag", struct {
		Repo string
		Tag
	}{r.FullName, t}, &out)
	return out.SHA
}

// A Ruleset of the repository, or of its organisation.
type Ruleset struct {
	ID          int64
	Name        string
	Source      string // "acme/infra"; of an organisation's "acme"
	Target      string // "branch" or "tag"
	Enforcement string // "active", "disabled" or "evaluate"
	// Include and Exclude are the patterns of refs: "~DEFAULT_BRANCH", "refs/heads/main".
	Include, Exclude []string
	Rules            []Rule
	Bypass           int // how many actors may bypass it
}

// A Rule as the API has it.
type Rule struct {
	Type       string // "required_status_checks", "pull_request", ...
	Parameters map[string]any
}

// Checks are the required checks of all rules of a ruleset.
func (s Ruleset) Checks() []Check {
	var out []Check
	for _, rule := range s.Rules {
		list, _ := rule.Parameters["required_status_checks"].([]any)
		for _, x := range list {
			one, _ := x.(map[string]any)
			name, _ := one["context"].(string)
			app, _ := one["integration_id"].(float64)
			out = append(out, Check{name, int64(app)})
		}
	}
	return out
}

// Rulesets of the repository with those of its organisation, oldest first. Active ones are enforced: pushes by the API are
// refused with 422 (git/update-ref) or 409 (contents), merges with 405, in GitHub's words "Repository rule violations found".
func (r *Repository) Rulesets() []Ruleset {
	r.hub.t.Helper()
	var out []Ruleset
	r.hub.call("rulesets", map[string]string{"repo": r.FullName}, &out)
	return out
}

// AddRuleset makes a ruleset by hand, of JSON as repos/create-repo-ruleset takes it, with rules of any type that GitHub
// has ("copilot_code_review" is one that go-github v60 does not know). It returns its id.
func (r *Repository) AddRuleset(ruleset string) int64 {
	r.hub.t.Helper()
	return r.addRuleset(ruleset, "")
}

// AddOrganizationRuleset makes a ruleset of an organisation that the repository is under: it is in lists, and cannot be
// changed by way of the repository.
func (r *Repository) AddOrganizationRuleset(organization, ruleset string) int64 {
	r.hub.t.Helper()
	return r.addRuleset(ruleset, organization)
}

func (r *Repository) addRuleset(ruleset, organization string) int64 {
	r.hub.t.Helper()
	var out struct{ ID int64 }
	r.hub.call("add-ruleset", map[string]any{"repo": r.FullName, "organization": organization, "ruleset": json.RawMessage(ruleset)}, &out)
	return out.ID
}

// DeleteRuleset removes a ruleset by hand.
func (r *Repository) DeleteRuleset(id int64) {
	r.hub.t.Helper()
	r.hub.call("delete-ruleset", map[string]any{"repo": r.FullName, "id": id}, nil)
}
