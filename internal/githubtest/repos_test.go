package githubtest

import (
	"encoding/json"
	"testing"

	"github.com/google/go-github/v60/github"
)

func toJSON(v any) ([]byte, error) { return json.Marshal(v) }

func TestFilesAreReadAndWritten(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.workflow()
	file, _, _, err := c.Repositories.GetContents(t.Context(), "acme", "infra", "modules/x/main.tf", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := file.GetContent(); err != nil || text != "x\n" {
		t.Errorf("%q, %v", text, err)
	}
	_, dir, _, err := c.Repositories.GetContents(t.Context(), "acme", "infra", "", &github.RepositoryContentGetOptions{Ref: "main"})
	if err != nil || len(dir) != 2 {
		t.Errorf("%v, %v", dir, err)
	}
	made, _, err := c.Repositories.UpdateFile(t.Context(), "acme", "infra", "modules/x/main.tf", &github.RepositoryContentFileOptions{
		Message: github.String("m"), Content: []byte("y\n"), SHA: file.SHA, Branch: github.String("main"),
	})
	if err != nil || made.GetSHA() == "" {
		t.Errorf("%v, %v", made, err)
	}
	if _, _, err := c.Repositories.UpdateFile(t.Context(), "acme", "infra", "main.tf", &github.RepositoryContentFileOptions{
		Message: github.String("m"), Content: []byte("y\n"), SHA: file.SHA,
	}); status(t, err) != 409 {
		t.Errorf("over a file that is another by now: %v", err)
	}
}

func TestManyFilesAreOneCommit(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.workflow()
	ref, _, err := c.Git.GetRef(t.Context(), "acme", "infra", "heads/main")
	if err != nil {
		t.Fatal(err)
	}
	tip := ref.GetObject().GetSHA()
	base, _, err := c.Git.GetCommit(t.Context(), "acme", "infra", tip)
	if err != nil {
		t.Fatal(err)
	}
	tree, _, err := c.Git.CreateTree(t.Context(), "acme", "infra", base.GetTree().GetSHA(), []*github.TreeEntry{
		{Path: github.String("a/b.tf"), Mode: github.String("100644"), Type: github.String("blob"), Content: github.String("b\n")},
		{Path: github.String("main.tf"), Mode: github.String("100644"), Type: github.String("blob")}, // removed
	})
	if err != nil {
		t.Fatal(err)
	}
	commit, _, err := c.Git.CreateCommit(t.Context(), "acme", "infra", &github.Commit{Message: github.String("m"), Tree: tree, Parents: []*github.Commit{{SHA: &tip}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.push("main", "elsewhere.tf", "x\n")
	ref.Object.SHA = commit.SHA
	if _, _, err := c.Git.UpdateRef(t.Context(), "acme", "infra", ref, false); status(t, err) != 422 {
		t.Errorf("main moved in between, and the update was taken: %v", err)
	}
	if _, _, err := c.Git.CreateRef(t.Context(), "acme", "infra", &github.Reference{Ref: github.String("refs/heads/mine"), Object: ref.Object}); err != nil {
		t.Error(err)
	}
	p, _, err := c.PullRequests.Create(t.Context(), "acme", "infra", &github.NewPullRequest{Title: github.String("t"), Head: github.String("mine"), Base: github.String("main")})
	if err != nil || p.GetChangedFiles() != 2 {
		t.Errorf("%v, %v", p, err)
	}
	files, _, err := c.PullRequests.ListFiles(t.Context(), "acme", "infra", p.GetNumber(), nil)
	if err != nil || len(files) != 2 || files[0].GetFilename() != "a/b.tf" || files[1].GetStatus() != "removed" {
		t.Errorf("%v, %v", files, err)
	}
	got, _, err := c.Git.GetTree(t.Context(), "acme", "infra", "mine", true)
	if err != nil || len(got.Entries) != 5 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCompareTellsWhatDiverged(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.push("change", "b.tf", "b\n")
	s.push("main", "c.tf", "c\n")
	c := s.workflow()
	got, _, err := c.Repositories.CompareCommits(t.Context(), "acme", "infra", "main", "change", nil)
	if err != nil || got.GetStatus() != "diverged" || got.GetAheadBy() != 1 || got.GetBehindBy() != 1 || len(got.Files) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	s.must("protect", object{"repo": repoName, "branch": "main"})
	branch, _, err := c.Repositories.GetBranch(t.Context(), "acme", "infra", "main", 0)
	if err != nil || !branch.GetProtected() || branch.GetCommit().GetSHA() != got.GetBaseCommit().GetSHA() {
		t.Errorf("%v, %v", branch, err)
	}
	branches, _, err := c.Repositories.ListBranches(t.Context(), "acme", "infra", nil)
	if err != nil || len(branches) != 2 {
		t.Errorf("%v, %v", branches, err)
	}
	commits, _, err := c.Repositories.ListCommits(t.Context(), "acme", "infra", &github.CommitsListOptions{SHA: "change"})
	if err != nil || len(commits) != 2 || commits[0].GetAuthor().GetLogin() != "octocat" {
		t.Errorf("%v, %v", commits, err)
	}
}
