package githubhub

import "time"

// A Repository of the hub: a bare git repository behind GitHub's API and smart HTTP.
type Repository struct {
	ID       int64
	FullName string // "acme/infra"
	Branch   string // the default branch: "main"
	SHA      string // of the default branch when the repository was made
	// CloneURL has no token in it; one is given as the password of any user, or as "Authorization: bearer".
	CloneURL string

	hub *Hub
}

// Repository makes a public repository with one commit on main. The owner comes into being with it: "acme/infra"
// belongs to an organisation if the owner's name has no repository that a user was said to own, which makes no
// difference here but for the owner's type.
func (h *Hub) Repository(fullName string, files Files) *Repository {
	h.t.Helper()
	return h.repository(map[string]any{"full_name": fullName, "files": files})
}

// PrivateRepository makes one that a token without access to it cannot see: 404.
func (h *Hub) PrivateRepository(fullName string, files Files) *Repository {
	h.t.Helper()
	return h.repository(map[string]any{"full_name": fullName, "files": files, "private": true})
}

// Fork makes owner's fork of the repository.
func (r *Repository) Fork(owner string) *Repository {
	r.hub.t.Helper()
	return r.hub.repository(map[string]any{"fork_of": r.FullName, "owner": owner})
}

// Delete removes the repository. Pull requests from it stay open, from nowhere: their head's repository is null.
func (r *Repository) Delete() {
	r.hub.t.Helper()
	r.hub.call("delete-repository", map[string]string{"repo": r.FullName}, nil)
}

func (h *Hub) repository(in map[string]any) *Repository {
	h.t.Helper()
	r := &Repository{hub: h}
	h.call("repository", in, r)
	return r
}

// For is the same repository for a subtest.
func (r *Repository) For(h *Hub) *Repository {
	other := *r
	other.hub = h
	return &other
}

// A Commit to be pushed.
type Commit struct {
	Branch string // "": the default branch; made if it is not there
	From   string // the branch or commit that a new branch starts at; "": the default branch
	// Force starts the branch at From anew, whatever it was.
	Force   bool
	Message string // "": "Change"
	Author  string // login; "": "octocat"
	Files   Files
	Remove  []string // paths
}

// Push makes a commit, whose sha it returns. Open pull requests of the branch move with it.
func (r *Repository) Push(c Commit) string {
	r.hub.t.Helper()
	var out struct{ SHA string }
	r.hub.call("push", struct {
		Repo string
		Commit
	}{r.FullName, c}, &out)
	return out.SHA
}

// DeleteBranch removes a branch. Pull requests from it keep what they had.
func (r *Repository) DeleteBranch(name string) {
	r.hub.t.Helper()
	r.hub.call("delete-branch", map[string]string{"repo": r.FullName, "branch": name}, nil)
}

// Resolve returns the commit that a branch, tag or refs/pull/1/merge points at; none fails the test.
func (r *Repository) Resolve(ref string) string {
	r.hub.t.Helper()
	var out struct{ SHA string }
	r.hub.call("resolve", map[string]string{"repo": r.FullName, "ref": ref}, &out)
	return out.SHA
}

// A NewPull is a pull request to be opened.
type NewPull struct {
	Head   string // "branch", or "owner:branch" of a fork
	Base   string // "": the default branch
	Title  string // "": "Change"
	Body   string
	Author string // login; "": "octocat"
	Draft  bool
}

// A Pull is a pull request as it is.
type Pull struct {
	Number  int
	State   string // "open" or "closed"
	Merged  bool
	Title   string
	HeadSHA string
	BaseSHA string
	// MergeSHA is the commit on the base branch by which it was merged; before that, the trial merge.
	MergeSHA  string
	UpdatedAt time.Time
}

// Open opens a pull request.
func (r *Repository) Open(p NewPull) Pull {
	r.hub.t.Helper()
	var out Pull
	r.hub.call("open", struct {
		Repo string
		NewPull
	}{r.FullName, p}, &out)
	return out
}

// Pull is a pull request as it is now.
func (r *Repository) Pull(number int) Pull {
	r.hub.t.Helper()
	var out Pull
	r.hub.call("pull", r.numbered(number), &out)
	return out
}

// A Method of merging.
type Method string

// The ways in which GitHub merges.
const (
	MergeCommit Method = "merge"
	Squash      Method = "squash"
	Rebase      Method = "rebase"
)

// Merge merges a pull request and returns the commit that the base branch then is at. What GitHub would refuse, such
// as a conflict, fails the test.
func (r *Repository) Merge(number int, m Method) string {
	r.hub.t.Helper()
	var out struct{ SHA string }
	r.hub.call("merge", map[string]any{"repo": r.FullName, "number": number, "method": m}, &out)
	return out.SHA
}

// Close closes a pull request without merging it.
func (r *Repository) Close(number int) {
	r.hub.t.Helper()
	r.hub.call("close-pull", r.numbered(number), nil)
}

// Retitle changes the title of a pull request.
func (r *Repository) Retitle(number int, title string) {
	r.hub.t.Helper()
	r.hub.call("retitle", map[string]any{"repo": r.FullName, "number": number, "title": title}, nil)
}

func (r *Repository) numbered(number int) map[string]any {
	return map[string]any{"repo": r.FullName, "number": number}
}
