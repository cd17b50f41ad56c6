package github

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

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

// CreateCheckRun writes one, and returns it with the app that wrote it, which is the token's. One request, and one more
// for each further 50 annotations; if one of those fails, the check run is returned with the error.
func (r *Repository) CreateCheckRun(ctx context.Context, run CheckRun) (CheckRun, error) {
	t := task{doing: fmt.Sprintf("create check run %q on %s", run.Name, short(run.Commit)), needs: "checks: write", write: true}
	if err := r.checkRunFits(t, run); err != nil {
		return CheckRun{}, err
	}
	if run.StartedAt.IsZero() {
		run.StartedAt = time.Now()
	}
	run.StartedAt = run.StartedAt.UTC().Truncate(time.Second) // as GitHub keeps it: it tells our try from another run
	now, later := batch(run.Annotations)
	status, conclusion := run.status()
	opts := gh.CreateCheckRunOptions{
		Name: run.Name, HeadSHA: run.Commit, DetailsURL: text(run.DetailsURL), ExternalID: text(run.ExternalID),
		Status: &status, Conclusion: conclusion, StartedAt: &gh.Timestamp{Time: run.StartedAt}, Output: run.output(now),
	}
	made, err := once(ctx, r.c.pause, func() (*gh.CheckRun, error) {
		made, _, err := r.c.api.Checks.CreateCheckRun(ctx, r.owner, r.name, opts)
		if err == nil && made.GetID() == 0 {
			err = strange(t)
		}
		return made, r.failed(t, err)
	}, func() (*gh.CheckRun, bool, error) {
		return r.findCheckRun(ctx, run)
	})
	if err != nil {
		return CheckRun{}, err
	}
	r.c.learn(appIdentity(made.GetApp()))
	return r.annotate(ctx, t, run, made, later)
}

// findCheckRun finds the one that a lost request may have written.
func (r *Repository) findCheckRun(ctx context.Context, run CheckRun) (*gh.CheckRun, bool, error) {
	opts := &gh.ListCheckRunsOptions{CheckName: &run.Name, Filter: text("all"), ListOptions: gh.ListOptions{PerPage: 100}}
	found, _, err := r.c.api.Checks.ListCheckRunsForRef(ctx, r.owner, r.name, run.Commit, opts)
	if err != nil || found == nil {
		return nil, false, cmp.Or(err, strange(task{}))
	}
	for _, f := range found.CheckRuns {
		if f.GetExternalID() == run.ExternalID && f.GetStartedAt().Equal(gh.Timestamp{Time: run.StartedAt}) && f.GetDetailsURL() == cmp.Or(run.DetailsURL, f.GetDetailsURL()) {
			return f, true, nil
		}
	}
	return nil, false, nil
}

// UpdateCheckRun changes the one with this ID: its conclusion, details and output, where they are given. One request, and
// one more for each further 50 annotations. One that has a conclusion keeps it if none is given.
func (r *Repository) UpdateCheckRun(ctx context.Context, run CheckRun) (CheckRun, error) {
	t := task{doing: fmt.Sprintf("update check run %q on %s", run.Name, short(run.Commit)), needs: "checks: write", write: true}
	if err := r.checkRunFits(t, run); err != nil {
		return CheckRun{}, err
	}
	now, later := batch(run.Annotations)
	made, err := r.patchCheckRun(ctx, t, run, now)
	if err != nil {
		return CheckRun{}, err
	}
	return r.annotate(ctx, t, run, made, later)
}

// annotate sends the annotations for which the first request had no room.
func (r *Repository) annotate(ctx context.Context, t task, run CheckRun, made *gh.CheckRun, later []Annotation) (CheckRun, error) {
	r.note(made)
	run.ID = made.GetID()
	for len(later) > 0 {
		now, rest := batch(later)
		more, err := r.patchCheckRun(ctx, t, run, now)
		if err != nil {
			return checkRun(made), fmt.Errorf("%w %d of %d annotations are missing", err, len(later), len(run.Annotations))
		}
		made, later = more, rest
		r.note(made)
	}
	return checkRun(made), nil
}

// patchCheckRun is one request. Annotations add up: if its answer is lost, their number tells whether it was carried out.
func (r *Repository) patchCheckRun(ctx context.Context, t task, run CheckRun, now []Annotation) (*gh.CheckRun, error) {
	opts := gh.UpdateCheckRunOptions{Name: run.Name, DetailsURL: text(run.DetailsURL), ExternalID: text(run.ExternalID), Output: run.output(now)}
	if run.Conclusion != "" {
		status, conclusion := run.status()
		opts.Status, opts.Conclusion = &status, conclusion
	}
	if len(now) == 0 {
		ctx = mayRepeat(ctx)
	}
	r.c.mu.Lock()
	want := r.c.noted[run.ID] + len(now)
	r.c.mu.Unlock()
	return once(ctx, r.c.pause, func() (*gh.CheckRun, error) {
		made, _, err := r.c.api.Checks.UpdateCheckRun(ctx, r.owner, r.name, run.ID, opts)
		if err == nil && made.GetID() != run.ID {
			err = strange(t)
		}
		return made, r.failed(t, err)
	}, func() (*gh.CheckRun, bool, error) {
		got, _, err := r.c.api.Checks.GetCheckRun(ctx, r.owner, r.name, run.ID)
		return got, err == nil && len(now) > 0 && got.GetOutput().GetAnnotationsCount() >= want, err
	})
}

// note keeps how many annotations a check run has.
func (r *Repository) note(made *gh.CheckRun) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.c.noted[made.GetID()] = made.GetOutput().GetAnnotationsCount()
}

// CheckRuns of a commit with a name, whoever wrote them: AppID tells. The newest first. One request for 100 of them.
func (r *Repository) CheckRuns(ctx context.Context, commit, name string) ([]CheckRun, error) {
	t := task{doing: fmt.Sprintf("list check runs %q on %s", name, short(commit)), needs: "checks: read"}
	if err := r.checkCommit(t, commit); err != nil {
		return nil, err
	}
	var runs []CheckRun
	err := pages(func(page int) (int, error) {
		opts := &gh.ListCheckRunsOptions{CheckName: &name, Filter: text("all"), ListOptions: gh.ListOptions{PerPage: 100, Page: page}}
		list, res, err := r.c.api.Checks.ListCheckRunsForRef(ctx, r.owner, r.name, commit, opts)
		if err == nil && list == nil {
			err = strange(t)
		}
		if err != nil {
			return 0, err
		}
		for _, run := range list.CheckRuns {
			runs = append(runs, checkRun(run))
		}
		return res.NextPage, nil
	})
	if err != nil {
		return nil, r.failed(t, err)
	}
	slices.SortFunc(runs, func(a, b CheckRun) int { return cmp.Compare(b.ID, a.ID) })
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

// status is what goes with a conclusion.
func (run CheckRun) status() (string, *string) {
	if run.Conclusion == "" {
		return "in_progress", nil
	}
	return "completed", text(string(run.Conclusion))
}

// checkRunFits refuses what GitHub would, before it is asked.
func (r *Repository) checkRunFits(t task, run CheckRun) error {
	if n := utf8.RuneCountInString(run.Text); n > CheckTextLimit {
		why := fmt.Sprintf("its text has %d characters, and GitHub takes %d", n, CheckTextLimit)
		return r.failed(t, &Error{Kind: ErrRefused, Message: why})
	}
	if run.ID != 0 {
		return r.mayWrite(t)
	}
	if err := r.checkCommit(t, run.Commit); err != nil {
		return err
	}
	return r.mayWrite(t)
}

// output is what people read of a check run; nil if there is nothing.
func (run CheckRun) output(now []Annotation) *gh.CheckRunOutput {
	if run.Title == "" && run.Summary == "" && run.Text == "" && len(now) == 0 {
		return nil
	}
	title := cmp.Or(run.Title, run.Name)
	out := &gh.CheckRunOutput{Title: &title, Summary: text(cutSummary(cmp.Or(run.Summary, title))), Text: text(run.Text)}
	for _, a := range now {
		out.Annotations = append(out.Annotations, a.wire())
	}
	return out
}

const cutNote = "\n\n*GitHub has no room for the rest.*"

func cutSummary(s string) string {
	if utf8.RuneCountInString(s) <= CheckTextLimit {
		return s
	}
	return string([]rune(s)[:CheckTextLimit-len(cutNote)]) + cutNote
}

// cut shortens a text to so many characters.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// text is nil for "", which GitHub would take for a value.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
