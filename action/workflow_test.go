package action

import (
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestWhatWasReviewedIsAppliedHoweverItIsMerged(t *testing.T) {
	t.Parallel()
	for _, method := range []githubhub.Method{githubhub.MergeCommit, githubhub.Squash, githubhub.Rebase} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, githubhub.Files{"main.tf": configured(`"1"`)})
			pull := w.propose("more", githubhub.Files{"main.tf": configured(`"1"`, `"2"`)})
			planned := w.plan(pull.Number, nil).expect(Done, "2 to add, 0 to change, 0 to destroy")
			if got := planned.outputs(); got["changed"] != "true" || got["add"] != "2" || got["result"] != "done" || len(got["fingerprint"]) != 64 {
				t.Errorf("outputs of the plan: %q", got)
			}
			first := w.comment(pull.Number)

			w.repo.Push(githubhub.Commit{Branch: "more", Files: githubhub.Files{"main.tf": configured(`"1"`, `"2"`, `"3"`)}})
			w.plan(pull.Number, nil).expect(Done, "3 to add")
			second := w.comment(pull.Number)
			if second.ID != first.ID || second.Body == first.Body {
				t.Errorf("the comment was not updated in place")
			}

			sha := w.repo.Merge(pull.Number, method)
			applied := w.apply(sha, map[string]string{"INPUT_ENVIRONMENT": "infra"}).expect(Done)
			if got := applied.outputs(); got["applied"] != "true" || got["staged"] != "[]" || got["fingerprint"] == planned.outputs()["fingerprint"] {
				t.Errorf("outputs of the apply: %q", got)
			}
			w.applied("a", "b", "c")
			third := w.comment(pull.Number)
			if third.ID != first.ID || !strings.Contains(third.Body, "pplied") {
				t.Errorf("the comment does not tell of the apply: %s", third.Body)
			}
			if d := w.repo.Deployments(); len(d) != 1 || d[0].SHA != sha || d[0].Environment != "infra" || len(d[0].Statuses) != 2 || d[0].Statuses[1].State != "success" {
				t.Errorf("deployments: %+v", d)
			}
			if c := w.repo.CheckRuns(sha); len(c) != 1 || c[0].Name != "Tidegate apply: ." || c[0].Conclusion != "success" {
				t.Errorf("check runs: %+v", c)
			}
			// Once more changes nothing, and needs no review.
			w.apply(sha, nil).expect(Done, "There is nothing to apply")
		})
	}
}

func TestMainThatMovedIsRefusedOnlyIfThePlanIsAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, githubhub.Files{"main.tf": configured(`"1"`), "other.tf": "# nothing\n"})
	pull := w.propose("more", githubhub.Files{"main.tf": configured(`"1"`, `"2"`)})
	w.plan(pull.Number, nil).expect(Done)
	w.repo.Push(githubhub.Commit{Files: githubhub.Files{"README.md": "main moved\n", "other.tf": "# still nothing\n"}})
	w.apply(w.repo.Merge(pull.Number, githubhub.Squash), nil).expect(Done)
	w.applied("a", "b")

	pull = w.propose("again", githubhub.Files{"main.tf": configured(`"1"`, `"2"`, `"3"`)})
	w.plan(pull.Number, nil).expect(Done)
	w.repo.Push(githubhub.Commit{Files: githubhub.Files{"other.tf": "resource \"terraform_data\" \"d\" {}\n"}})
	sha := w.repo.Merge(pull.Number, githubhub.MergeCommit)
	w.apply(sha, nil).expect(Refused, "the plan is not the one that was reviewed", "terraform_data.d was not reviewed")
	w.applied("a", "b")
	if body := w.comment(pull.Number).Body; !strings.Contains(body, "terraform_data.d") {
		t.Errorf("the comment does not tell what differs: %s", body)
	}
	if c := w.repo.CheckRuns(sha); len(c) != 1 || c[0].Conclusion != "action_required" {
		t.Errorf("%+v", c)
	}
}
