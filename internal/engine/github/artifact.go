package github

import (
	"context"
	"fmt"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// An Artifact of a workflow run.
type Artifact struct {
	ID        int64
	Name      string // untrusted text, and not unique: use ids
	Size      int64  // bytes of its zip
	Digest    string // "sha256:..." of its zip; "" if GitHub did not say
	Run       int64  // the workflow run that uploaded it
	Commit    string // of that run
	Branch    string // of that run; untrusted text
	FromFork  bool   // the run was of another repository's branch
	Expired   bool   // its bytes are gone
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Artifacts of a workflow run, the oldest first. One request for 100 of them.
func (r *Repository) Artifacts(ctx context.Context, run int64) ([]Artifact, error) {
	t := task{doing: fmt.Sprintf("list the artifacts of run %d", run), needs: "actions: read"}
	found, _, err := r.c.api.Actions.ListWorkflowRunArtifacts(ctx, r.owner, r.name, run, &gh.ListOptions{PerPage: 100})
	if err != nil {
		return nil, r.failed(t, err)
	}
	var out []Artifact
	for _, a := range found.Artifacts {
		out = append(out, artifact(a))
	}
	return out, nil
}

// Artifact returns one by its id. One request.
func (r *Repository) Artifact(ctx context.Context, id int64) (Artifact, error) {
	t := task{doing: fmt.Sprintf("read artifact %d", id), needs: "actions: read"}
	a, _, err := r.c.api.Actions.GetArtifact(ctx, r.owner, r.name, id)
	if err != nil {
		return Artifact{}, r.failed(t, err)
	}
	return artifact(a), nil
}

// DownloadArtifact returns the zip of an artifact, of at most limit bytes: a longer one is an error. If a.Digest is
// known, the bytes are those. One request, and one to where the bytes are, which is not GitHub's API.
func (r *Repository) DownloadArtifact(ctx context.Context, a Artifact, limit int64) ([]byte, error) {
	t := task{doing: fmt.Sprintf("download artifact %d", a.ID), needs: "actions: read"}
	_, _, err := r.c.api.Actions.DownloadArtifact(ctx, r.owner, r.name, a.ID, 1)
	return nil, r.failed(t, err)
}

func artifact(a *gh.Artifact) Artifact {
	run := a.GetWorkflowRun()
	return Artifact{
		ID: a.GetID(), Name: a.GetName(), Size: a.GetSizeInBytes(), Run: run.GetID(), Commit: run.GetHeadSHA(), Branch: run.GetHeadBranch(),
		FromFork: run.GetHeadRepositoryID() != run.GetRepositoryID(),
		Expired:  a.GetExpired(), CreatedAt: a.GetCreatedAt().Time, ExpiresAt: a.GetExpiresAt().Time,
	}
}
