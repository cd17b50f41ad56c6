package action

import (
	"context"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/github"
)

// A forge is what the modes need of GitHub, in one repository: *github.Repository is one. Every error says what was
// being done, which permission it takes and what to do next.
type forge interface {
	PullRequestsOf(ctx context.Context, commit string) ([]github.PullRequest, error)
	PullRequest(ctx context.Context, number int) (github.PullRequest, error)
	WriteComment(ctx context.Context, s github.Sticky) (github.Comment, error)
	// CreateCheckRun returns it with the app that wrote it, which is the token's.
	CreateCheckRun(ctx context.Context, c github.CheckRun) (github.CheckRun, error)
	UpdateCheckRun(ctx context.Context, c github.CheckRun) (github.CheckRun, error)
	CheckRuns(ctx context.Context, commit, name string) ([]github.CheckRun, error)
	CreateDeployment(ctx context.Context, d github.Deployment) (github.Deployment, error)
	SetDeploymentStatus(ctx context.Context, id int64, s github.DeploymentStatus) error
	Artifact(ctx context.Context, id int64) (github.Artifact, error)
	DownloadArtifact(ctx context.Context, a github.Artifact, limit int64) ([]byte, error)
}

// openForge opens the repository that a run is of.
func openForge(s *Stage, e event, token string) (forge, error) {
	c, err := github.Open(github.Config{
		APIURL: s.getenv("GITHUB_API_URL"), ServerURL: s.getenv("GITHUB_SERVER_URL"),
		Token: token, UserAgent: "tidegate/" + s.Version,
		Notice: func(text string) { s.notice("%s", text) },
	})
	if err != nil {
		return nil, err
	}
	return c.Repository(e.FullName())
}

// beginCheck shows on a commit that a mode is at work. The answer says which app we are. It also finds out early
// whether the token may do what will be needed.
func (r *run) beginCheck(ctx context.Context, commit, title string) error {
	if r.forge == nil {
		return nil
	}
	c, err := r.forge.CreateCheckRun(ctx, github.CheckRun{
		Name: r.checkName(r.in.Mode), Commit: commit, DetailsURL: r.event.RunURL, Title: title, Summary: "Nothing is known yet.",
	})
	r.check = c
	return err
}

// endCheck says how it ended.
func (r *run) endCheck(ctx context.Context, how github.Conclusion, title, text string) error {
	c := r.check
	if c.ID == 0 {
		return nil
	}
	c.Conclusion, c.Title, c.Text = how, r.scrub.String(title), text
	c.Name, c.DetailsURL = r.checkName(r.in.Mode), r.event.RunURL
	c.Summary = r.scrub.String(r.page().Comment())
	_, err := r.forge.UpdateCheckRun(ctx, c)
	return err
}
