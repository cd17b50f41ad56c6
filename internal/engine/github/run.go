package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A RunQuery chooses runs of a workflow.
type RunQuery struct {
	Path   string // of the workflow's file: ".github/workflows/fraud.yml"
	Branch string // "" for all
	Event  string // "push"; "" for all
	Status string // "completed", "in_progress", "success", "failure", ...; "" for all
	Limit  int    // 1..1000
}

// runsLimit is how many GitHub tells of a filtered list.
const runsLimit = 1000

// wireRun is a workflow run as GitHub says it.
type wireRun struct {
	ID         int64     `json:"id"`
	Number     int       `json:"run_number"`
	Event      string    `json:"event"`
	Branch     string    `json:"head_branch"`
	Commit     string    `json:"head_sha"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion"`
	Created    time.Time `json:"created_at"`
	Started    time.Time `json:"run_started_at"` // of the last attempt
	Updated    time.Time `json:"updated_at"`
	URL        string    `json:"html_url"`
}

// run is it at a time of GitHub's clock.
func (w wireRun) run(now time.Time) pipeline.Run {
	began := w.Started
	if began.IsZero() {
		began = w.Created
	}
	end := now
	if w.Status == "completed" {
		end = w.Updated
	}
	return pipeline.Run{
		ID: w.ID, Number: w.Number, Event: w.Event, Branch: w.Branch, Commit: w.Commit, Status: w.Status, Conclusion: w.Conclusion,
		Created: w.Created, Duration: max(end.Sub(began), 0), URL: w.URL,
	}
}

// Runs returns the last runs of a workflow, the newest first. None is no error; a file that GitHub knows no workflow of
// (it never was on the default branch and never ran) is one of kind ErrNotFound. One request for 100.
func (r *Repository) Runs(ctx context.Context, q RunQuery) ([]pipeline.Run, error) {
	t := task{doing: fmt.Sprintf("list the runs of %q", q.Path), needs: "actions: read"}
	file := path.Base(q.Path)
	if file == "." || file == "/" || file == ".." {
		return nil, r.failed(t, &Error{Kind: ErrRefused, Message: "want the path of a workflow, such as .github/workflows/fraud.yml"})
	}
	if q.Limit < 1 || q.Limit > runsLimit {
		return nil, r.failed(t, &Error{Kind: ErrRefused, Message: fmt.Sprintf("%d runs: want 1 to %d", q.Limit, runsLimit)})
	}
	ask := url.Values{"per_page": {strconv.Itoa(min(q.Limit, 100))}}
	for name, value := range map[string]string{"branch": q.Branch, "event": q.Event, "status": q.Status} {
		if value != "" {
			ask.Set(name, value)
		}
	}
	var out []pipeline.Run
	err := pages(func(page int) (int, error) {
		var list struct {
			Runs []wireRun `json:"workflow_runs"`
		}
		ask.Set("page", strconv.Itoa(page))
		res, err := r.get(ctx, fmt.Sprintf("actions/workflows/%s/runs?%s", url.PathEscape(file), ask.Encode()), &list)
		if err != nil {
			return 0, err
		}
		now := serverTime(res.Header)
		for _, w := range list.Runs {
			out = append(out, w.run(now))
		}
		if len(out) >= q.Limit {
			return 0, nil
		}
		return res.NextPage, nil
	})
	if err != nil {
		return nil, r.runsFailed(t, q.Path, err)
	}
	return out[:min(len(out), q.Limit)], nil
}

func (r *Repository) runsFailed(t task, file string, err error) error {
	failed := r.failed(t, err)
	var e *Error
	if errors.As(failed, &e) && missing(e) {
		e.Next = fmt.Sprintf("GitHub knows a workflow from when its file comes onto the default branch, or first runs: see that %s is there (a pull request that brings it may be open). %s", file, e.Next)
	}
	return failed
}

// IDs are the numbers that stay when a repository is renamed or moved, for OIDC subjects.
type IDs struct{ Owner, Repository int64 }

// IDs asks for them. One request.
func (r *Repository) IDs(ctx context.Context) (IDs, error) {
	t := task{doing: "read the repository's id", needs: "metadata: read"}
	var repo struct {
		ID    int64
		Owner struct{ ID int64 }
	}
	req, err := r.c.api.NewRequest("GET", "repos/"+r.String(), nil)
	if err == nil {
		_, err = r.c.api.Do(ctx, req, &repo)
	}
	if err == nil && (repo.ID == 0 || repo.Owner.ID == 0) {
		err = strange(t)
	}
	return IDs{Owner: repo.Owner.ID, Repository: repo.ID}, r.failed(t, err)
}
