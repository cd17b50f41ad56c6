package action

import "context"

// A forge is what the modes need of GitHub, in one repository. What it returns as an error says what was being done,
// which permission it takes and what to do next.
type forge interface {
	// PullRequestsOf returns the pull requests that brought a commit to where it is, however they were merged.
	PullRequestsOf(ctx context.Context, commit string) ([]pullRequest, error)
	PullRequest(ctx context.Context, number int) (pullRequest, error)

	// Comment writes the comment that begins with marker: over the one with this id, over our own that there is, or anew.
	// It returns its id. Comments of others are left alone, whatever they begin with.
	Comment(ctx context.Context, number int, id int64, marker, body string) (int64, error)

	// CreateCheckRun returns it with the app that wrote it, which is the token's.
	CreateCheckRun(ctx context.Context, c checkRun) (checkRun, error)
	UpdateCheckRun(ctx context.Context, c checkRun) error
	// CheckRuns of a commit with this name, whoever wrote them.
	CheckRuns(ctx context.Context, commit, name string) ([]checkRun, error)

	CreateDeployment(ctx context.Context, d deployment) (id int64, err error)
	// DeploymentStatus tells how a deployment goes: "in_progress", "success", "failure", "error".
	DeploymentStatus(ctx context.Context, id int64, state, description, logURL string) error

	// Artifact is an artifact by its id, and Download its zip.
	Artifact(ctx context.Context, id int64) (artifact, error)
	Download(ctx context.Context, id int64, limit int64) ([]byte, error)
}

type pullRequest struct {
	Number   int
	HeadSHA  string
	Base     string // branch
	Fork     bool
	Merged   bool
	Closed   bool
	MergeSHA string
}

type checkRun struct {
	ID         int64
	App        int64 // that wrote it
	Name       string
	Commit     string
	Done       bool
	Conclusion string // of one that is done: "success", "failure", "cancelled", "neutral"
	DetailsURL string
	Title      string
	Summary    string
	Text       string
}

type deployment struct {
	Commit      string
	Environment string
	Description string
}

type artifact struct {
	ID     int64
	Name   string
	RunID  int64
	Commit string
	Gone   bool // its time is over
}
