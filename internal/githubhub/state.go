package githubhub

import "time"

// A Comment of a pull request's conversation.
type Comment struct {
	ID        int64
	Author    string // login: "github-actions[bot]"
	Body      string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Comments of a pull request, oldest first.
func (r *Repository) Comments(number int) []Comment {
	r.hub.t.Helper()
	var out []Comment
	r.hub.call("comments", r.numbered(number), &out)
	return out
}

// Comment writes a comment as somebody: "octocat", "github-actions[bot]".
func (r *Repository) Comment(number int, author, body string) Comment {
	r.hub.t.Helper()
	var out Comment
	r.hub.call("comment", map[string]any{"repo": r.FullName, "number": number, "author": author, "body": body}, &out)
	return out
}

// EditComment changes a comment's text by hand, as anyone with write access may: its author stays.
func (r *Repository) EditComment(id int64, body string) {
	r.hub.t.Helper()
	r.hub.call("edit-comment", map[string]any{"repo": r.FullName, "id": id, "body": body}, nil)
}

// DeleteComment removes a comment by hand.
func (r *Repository) DeleteComment(id int64) {
	r.hub.t.Helper()
	r.hub.call("delete-comment", map[string]any{"repo": r.FullName, "id": id}, nil)
}

// A CheckRun of a commit.
type CheckRun struct {
	ID          int64
	Name        string
	HeadSHA     string
	AppID       int64
	AppSlug     string
	Status      string // "queued", "in_progress" or "completed"
	Conclusion  string // "success", "failure", "neutral", ...; "" until completed
	ExternalID  string
	DetailsURL  string
	Title       string
	Summary     string
	Text        string
	Annotations []Annotation
}

// An Annotation of a file in a check run.
type Annotation struct {
	Path      string
	StartLine int
	EndLine   int
	Level     string // "notice", "warning" or "failure"
	Title     string
	Message   string
}

// CheckRuns of a commit, oldest first, without those that jobs of workflows are themselves. The API has them too.
func (r *Repository) CheckRuns(sha string) []CheckRun {
	r.hub.t.Helper()
	var out []CheckRun
	r.hub.call("check-runs", map[string]string{"repo": r.FullName, "sha": sha}, &out)
	return out
}

// A Deployment with its statuses.
type Deployment struct {
	ID          int64
	SHA         string
	Ref         string
	Environment string
	Description string
	Creator     string
	Statuses    []DeploymentStatus // oldest first
}

// A DeploymentStatus is a step of a deployment.
type DeploymentStatus struct {
	State          string
	Description    string
	LogURL         string
	EnvironmentURL string
}

// Deployments of the repository, oldest first.
func (r *Repository) Deployments() []Deployment {
	r.hub.t.Helper()
	var out []Deployment
	r.hub.call("deployments", map[string]string{"repo": r.FullName}, &out)
	return out
}

// NewRun says what a workflow run is of.
type NewRun struct {
	Workflow string // file: ".github/workflows/plan.yml"; "": "ci.yml"
	Event    string // "push", "pull_request", ...; "": "push"
	Branch   string // "": the default branch
	SHA      string // "": the branch's
	Number   int    // of the pull request, if of one
	Job      string // name of the job: "job"

	Created time.Time // zero: now; with a Duration and a Conclusion, so long ago
	// Conclusion makes it one that is over: "success", "failure", "cancelled". Duration is how long it took.
	Conclusion string
	Duration   time.Duration
	Status     string // without a Conclusion: "queued", "waiting" or "in_progress", which "" is
}

// A Run of a workflow. Its Token is the GITHUB_TOKEN of its job: with every permission, but to read only for the
// pull_request event of a fork.
type Run struct {
	ID    int64 // GITHUB_RUN_ID
	JobID int64
	SHA   string
	Token string
	// Protected is GITHUB_REF_PROTECTED: the run is of a protected branch, not of a pull request.
	Protected bool
}

// Run makes a workflow run, which artifacts belong to, with one job. As on GitHub the job is a check run of the app
// ActionsApp on the commit (the head's, for a pull request), in progress until Finish: check runs that a workflow
// writes are of the same app, and a deployment without required contexts waits for it in vain.
func (r *Repository) Run(n NewRun) Run {
	r.hub.t.Helper()
	var out Run
	r.hub.call("run", struct {
		Repo string
		NewRun
	}{r.FullName, n}, &out)
	return out
}

// Finish ends the job of a run: "success", "failure", "cancelled".
func (r *Repository) Finish(run Run, conclusion string) {
	r.hub.t.Helper()
	r.hub.call("finish", map[string]any{"repo": r.FullName, "run": run.ID, "conclusion": conclusion}, nil)
}

// An Artifact of a run.
type Artifact struct {
	ID    int64
	Name  string
	Files Files
}

// Artifacts of a run, oldest first.
func (r *Repository) Artifacts(run int64) []Artifact {
	r.hub.t.Helper()
	var out []Artifact
	r.hub.call("artifacts", map[string]any{"repo": r.FullName, "run": run}, &out)
	return out
}

// Upload stores an artifact of a run, as actions/upload-artifact does it through the runner's own interface. One of a
// name that the run has already is another artifact: GitHub does not promise that names are unique over a repository.
func (r *Repository) Upload(run int64, name string, files Files) Artifact {
	r.hub.t.Helper()
	var out Artifact
	contents := map[string][]byte{} // not texts: JSON would change what is no UTF-8
	for path, content := range files {
		contents[path] = []byte(content)
	}
	r.hub.call("upload", map[string]any{"repo": r.FullName, "run": run, "name": name, "files": contents}, &out)
	return out
}

// ExpireArtifact makes an artifact what it is after its retention: listed as expired, 410 when downloaded.
func (r *Repository) ExpireArtifact(id int64) {
	r.hub.t.Helper()
	r.hub.call("expire-artifact", map[string]any{"repo": r.FullName, "id": id}, nil)
}
