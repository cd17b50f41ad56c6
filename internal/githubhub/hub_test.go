package githubhub_test

import (
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestPullRequestsAreMergedAsGitHubMerges(t *testing.T) {
	t.Parallel()
	hub := githubhub.Start(t)
	for _, method := range []githubhub.Method{githubhub.MergeCommit, githubhub.Squash, githubhub.Rebase} {
		repo := hub.Repository("acme/"+string(method), githubhub.Files{"main.tf": "a\n"})
		head := repo.Push(githubhub.Commit{Branch: "change", Files: githubhub.Files{"main.tf": "b\n"}})
		pull := repo.Open(githubhub.NewPull{Head: "change"})
		if pull.HeadSHA != head || pull.BaseSHA != repo.SHA {
			t.Fatalf("%s: opened %+v", method, pull)
		}
		moved := repo.Push(githubhub.Commit{Files: githubhub.Files{"other.tf": "c\n"}})
		sha := repo.Merge(pull.Number, method)
		if got := repo.Pull(pull.Number); !got.Merged || got.MergeSHA != sha || repo.Resolve("main") != sha || sha == moved || sha == head {
			t.Errorf("%s: %s, %+v", method, sha, got)
		}
		dir := repo.Clone("main")
		t.Log(dir)
	}
}
