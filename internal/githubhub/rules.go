package githubhub

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
