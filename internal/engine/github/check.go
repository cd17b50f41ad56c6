package github

import (
	"context"
	"fmt"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// Limits of check runs.
const (
	CheckTextLimit        = 65_535 // characters of Summary and of Text, each
	AnnotationsPerRequest = 50
)

// A Conclusion of a check run.
type Conclusion string

// The conclusions.
const (
	Success        Conclusion = "success"
	Failure        Conclusion = "failure"
	Neutral        Conclusion = "neutral"
	Cancelled      Conclusion = "cancelled"
	Skipped        Conclusion = "skipped"
	TimedOut       Conclusion = "timed_out"
	ActionRequired Conclusion = "action_required"
)

// A CheckRun of a commit. Only apps write them, GitHub Actions being one, and only the app that wrote one changes it.
type CheckRun struct {
	ID         int64
	Name       string
	Commit     string     // full sha
	Conclusion Conclusion // "" while it runs
	ExternalID string     // any text of ours
	DetailsURL string
	StartedAt  time.Time
	Title      string
	Summary    string // Markdown; cut at CheckTextLimit, with a sentence that says so
	Text       string // Markdown; too long is an error, since programs read it
	// Annotations are sent by 50 a request, and are added to those that there are. They are not read back.
	Annotations []Annotation

	AppID   int64 // that wrote it; read only
	AppSlug string
	URL     string // page for people; read only
}

// A Level of an annotation.
type Level string

// The levels.
const (
	Notice  Level = "notice"
	Warning Level = "warning"
	Failed  Level = "failure"
)

// An Annotation of lines of a file.
type Annotation struct {
	Path      string // within the repository, with slashes
	StartLine int    // from 1
	EndLine   int    // 0: StartLine
	Level     Level
	Title     string
	Message   string
}

// CreateCheckRun writes one, and returns it with the app that wrote it, which is the token's. One request, and one more
// for each further 50 annotations.
func (r *Repository) CreateCheckRun(ctx context.Context, run CheckRun) (CheckRun, error) {
	t := task{doing: fmt.Sprintf("create check run %q on %s", run.Name, short(run.Commit)), needs: "checks: write", write: true}
	made, _, err := r.c.api.Checks.CreateCheckRun(ctx, r.owner, r.name, gh.CreateCheckRunOptions{Name: run.Name, HeadSHA: run.Commit})
	if err != nil {
		return CheckRun{}, r.failed(t, err)
	}
	return checkRun(made), nil
}

// UpdateCheckRun changes the one with this ID: Conclusion, details, output; Name as it is. One request, and one more for
// each further 50 annotations.
func (r *Repository) UpdateCheckRun(ctx context.Context, run CheckRun) (CheckRun, error) {
	t := task{doing: fmt.Sprintf("update check run %q", run.Name), needs: "checks: write", write: true}
	made, _, err := r.c.api.Checks.UpdateCheckRun(ctx, r.owner, r.name, run.ID, gh.UpdateCheckRunOptions{Name: run.Name})
	if err != nil {
		return CheckRun{}, r.failed(t, err)
	}
	return checkRun(made), nil
}

// CheckRuns of a commit with a name, whoever wrote them: AppID tells. The newest first. One request for 100 of them.
func (r *Repository) CheckRuns(ctx context.Context, commit, name string) ([]CheckRun, error) {
	t := task{doing: fmt.Sprintf("list check runs %q on %s", name, short(commit)), needs: "checks: read"}
	opts := &gh.ListCheckRunsOptions{CheckName: &name, ListOptions: gh.ListOptions{PerPage: 100}}
	found, _, err := r.c.api.Checks.ListCheckRunsForRef(ctx, r.owner, r.name, commit, opts)
	if err != nil {
		return nil, r.failed(t, err)
	}
	var runs []CheckRun
	for _, run := range found.CheckRuns {
		runs = append(runs, checkRun(run))
	}
	return runs, nil
}

func checkRun(run *gh.CheckRun) CheckRun {
	return CheckRun{
		ID: run.GetID(), Name: run.GetName(), Commit: run.GetHeadSHA(), Conclusion: Conclusion(run.GetConclusion()),
		ExternalID: run.GetExternalID(), DetailsURL: run.GetDetailsURL(), StartedAt: run.GetStartedAt().Time,
		Title: run.GetOutput().GetTitle(), Summary: run.GetOutput().GetSummary(), Text: run.GetOutput().GetText(),
		AppID: run.GetApp().GetID(), AppSlug: run.GetApp().GetSlug(), URL: run.GetHTMLURL(),
	}
}
