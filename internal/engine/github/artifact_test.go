package github

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestAnArtifactIsTakenByItsIDAndKnowsItsRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run := w.repo.Run(githubhub.NewRun{Event: "push"})
	first := w.repo.Upload(run.ID, "plan", githubhub.Files{"plan.age": "sealed"})
	w.repo.Upload(run.ID, "plan", githubhub.Files{"plan.age": "another of the same name"})

	r := w.open(t, w.token)
	all, err := r.Artifacts(t.Context(), run.ID)
	if err != nil || len(all) != 2 || all[0].ID != first.ID {
		t.Fatalf("got %+v, %v", all, err)
	}
	a, err := r.Artifact(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	if a.Run != run.ID || a.Commit != run.SHA || a.Branch != "main" || a.FromFork || a.Expired || a.Name != "plan" || a.Size == 0 || a.ExpiresAt.Before(time.Now()) {
		t.Errorf("got %+v", a)
	}
	b, err := r.DownloadArtifact(t.Context(), a, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("plan.age")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(f); err != nil || string(got) != "sealed" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestBytesOfAnArtifactThatAreNotWhatGitHubSaysAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.repo.Upload(w.repo.Run(githubhub.NewRun{}).ID, "plan", githubhub.Files{"a": "b"})
	r := w.open(t, w.token)
	_, err := r.DownloadArtifact(t.Context(), Artifact{ID: a.ID, Digest: "sha256:00"}, 1<<20)
	wantError(t, err, ErrRefused, "use none of them")
	_, err = r.DownloadArtifact(t.Context(), Artifact{ID: a.ID}, 10)
	wantError(t, err, ErrRefused, "longer than 10 bytes")
	_, err = r.DownloadArtifact(t.Context(), Artifact{ID: a.ID, Size: 11}, 10)
	wantError(t, err, ErrRefused, "longer than 10 bytes")
}

func TestAnExpiredArtifactSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.repo.Upload(w.repo.Run(githubhub.NewRun{}).ID, "plan", githubhub.Files{"a": "b"})
	w.repo.ExpireArtifact(a.ID)
	r := w.open(t, w.token)
	got, err := r.Artifact(t.Context(), a.ID)
	if err != nil || !got.Expired {
		t.Fatalf("got %+v, %v", got, err)
	}
	_, err = r.DownloadArtifact(t.Context(), got, 1<<20)
	wantError(t, err, ErrNotFound, "download artifact", "410", "retention")
	_, err = r.Artifact(t.Context(), 4711)
	wantError(t, err, ErrNotFound, "read artifact 4711 in acme/infra", "actions: read")
}
