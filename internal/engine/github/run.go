package github

import (
	"context"
	"errors"

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

// Runs returns the last runs of a workflow, the newest first. None is no error; a file that GitHub knows no workflow of
// (it never was on the default branch and never ran) is one of kind ErrNotFound. One request for 100.
func (r *Repository) Runs(ctx context.Context, q RunQuery) ([]pipeline.Run, error) {
	return nil, errors.ErrUnsupported
}

// IDs are the numbers that stay when a repository is renamed or moved, for OIDC subjects.
type IDs struct{ Owner, Repository int64 }

// IDs asks for them. One request.
func (r *Repository) IDs(ctx context.Context) (IDs, error) {
	return IDs{}, errors.ErrUnsupported
}
