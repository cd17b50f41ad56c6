package github

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

func remove(t *testing.T, p *Pipelines, known pipeline.Status, mode string) *pipeline.Pull {
	t.Helper()
	pull, err := p.Delete(within(t, 2*time.Minute), known, pipeline.Delivery{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	return pull
}

func names(all []githubhub.Environment) (out []string) {
	for _, e := range all {
		out = append(out, e.Name)
	}
	return out
}

func TestDeleteRemovesWhatWeMadeAndNothingElse(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo.SetEnvironment(githubhub.Environment{Name: "staging", Reviewers: []string{"octocat"}})
	y.repo.SetSecret("staging", "THEIRS", "x")
	y.repo.AddRuleset(`{"name": "theirs", "enforcement": "disabled"}`)
	c := y.whole(y.repo, pipeline.Commit, pipeline.Status{})
	c.Environments = append(c.Environments, pipeline.Environment{
		Name: "staging", Reviewers: []string{"octocat"}, Secrets: map[string]string{"OURS": "a secret of ours"}, SecretNames: []string{"OURS"},
	})
	c.Adopt = true
	st := apply(t, y.engine(t), c)
	if want := []string{"environment/production", "file"}; !slices.Equal(st.Made[:2], want) || len(st.Made) != 3 {
		t.Fatalf("made %q", st.Made)
	}
	if pull := remove(t, y.engine(t), st, pipeline.Commit); pull != nil {
		t.Errorf("%+v", pull)
	}
	if got := read(t, y.repo, "main", fraud); got != "" {
		t.Errorf("the file is there: %q", got)
	}
	if got := names(y.repo.Environments()); !slices.Equal(got, []string{"staging"}) {
		t.Errorf("environments %q", got)
	}
	if got := y.repo.Secrets("staging"); len(got) != 1 || got["THEIRS"] != "x" {
		t.Errorf("secrets %q", got)
	}
	if got := y.repo.Rulesets(); len(got) != 1 || got[0].Name != "theirs" {
		t.Errorf("rulesets %+v", got)
	}
	if log := git(t, y.repo.Clone("main"), "log", "--format=%s", "-1"); strings.TrimSpace(log) != "ci: remove pipeline fraud" {
		t.Errorf("the commit is %q", log)
	}
	remove(t, y.engine(t), st, pipeline.Commit) // there is nothing any more
}

// While the workflow is still on the branch, an environment without protection would be worse than one that is left.
func TestARemovalThatWaitsInAPullRequestKeepsProtections(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	c := y.whole(y.repo, pipeline.Commit, pipeline.Status{})
	st := apply(t, y.engine(t), c)
	y.repo.Protect("main", githubhub.Protection{PullRequest: true})
	pull := remove(t, y.engine(t), st, pipeline.Commit)
	if pull == nil || pull.State != "open" || y.repo.Pull(pull.Number).Title != "Tidegate: remove pipeline fraud" {
		t.Fatalf("%+v", pull)
	}
	if e := y.repo.Environments(); len(e) != 1 || len(e[0].Reviewers) != 1 {
		t.Errorf("environments %+v", e)
	}
	if s := y.repo.Secrets("production"); len(s) != 0 {
		t.Errorf("secrets %v", s)
	}
	if len(y.repo.Rulesets()) != 0 {
		t.Error("its own rules keep the removal from being merged")
	}
	if again := remove(t, y.engine(t), st, pipeline.Commit); again == nil || again.Number != pull.Number {
		t.Errorf("%+v, want the same pull request", again)
	}
	y.repo.Merge(pull.Number, githubhub.Squash)
	if rest := remove(t, y.engine(t), st, pipeline.Commit); rest != nil {
		t.Errorf("%+v", rest)
	}
	if e := y.repo.Environments(); len(e) != 0 || read(t, y.repo, "main", fraud) != "" {
		t.Errorf("environments %+v", e)
	}
}

func TestDeleteClosesThePullRequestThatWouldBringIt(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	st := apply(t, y.engine(t), y.whole(y.repo, pipeline.PullRequest, pipeline.Status{}))
	if pull := remove(t, y.engine(t), st, pipeline.PullRequest); pull != nil {
		t.Errorf("%+v", pull)
	}
	if p := y.repo.Pull(st.Pull.Number); p.State != "closed" || p.Merged || len(y.repo.Environments()) != 0 || len(y.repo.Rulesets()) != 0 {
		t.Errorf("%+v", p)
	}
	if branches := git(t, y.repo.Clone("main"), "branch", "--remotes"); strings.Contains(branches, "tidegate/") {
		t.Errorf("branches %s", branches)
	}
}

func TestDeleteInAnyStateOfAPullRequest(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	created := apply(t, y.engine(t), y.change(pipeline.Commit, "test", "", pipeline.Status{}))
	st := apply(t, y.engine(t), y.change(pipeline.PullRequest, "lint", created.Content, created))
	pull := remove(t, y.engine(t), st, pipeline.PullRequest)
	if pull == nil || pull.Number != st.Pull.Number || y.repo.Pull(pull.Number).Title != "Tidegate: remove pipeline fraud" {
		t.Fatalf("%+v, want the open one to remove it now", pull)
	}
	y.repo.Merge(pull.Number, githubhub.MergeCommit)
	if got := read(t, y.repo, "main", fraud); got != "" {
		t.Errorf("the file is there: %q", got)
	}
}

// An environment that the pipeline no longer has stays until the workflow that deploys to it is gone from the branch.
func TestAnEnvironmentThatIsNoLongerAskedForGoesOnceNothingDeploysToIt(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	first := apply(t, y.engine(t), y.whole(y.repo, pipeline.Commit, pipeline.Status{}))
	next := y.change(pipeline.PullRequest, "lint", first.Content, first)
	next.RequiredChecks = []string{"test"}
	st := apply(t, y.engine(t), next)
	if st.Pull == nil || len(st.Environments) != 0 || !st.MadeIt("environment/production") || len(y.repo.Secrets("production")) != 0 {
		t.Errorf("%+v, secrets %v", st, y.repo.Secrets("production"))
	}
	if e := y.repo.Environments(); len(e) != 1 || len(e[0].Reviewers) != 1 {
		t.Fatalf("environments %+v", e)
	}
	y.repo.Merge(st.Pull.Number, githubhub.Squash)
	known := get(t, y.engine(t), st)
	next = y.change(pipeline.PullRequest, "lint", known.Content, known)
	st = apply(t, y.engine(t), next)
	if len(y.repo.Environments()) != 0 || len(y.repo.Rulesets()) != 0 || !slices.Equal(st.Made, []string{"file"}) || st.RequiredChecks != nil {
		t.Errorf("%+v, environments %v, rulesets %+v", st, names(y.repo.Environments()), y.repo.Rulesets())
	}
}

func TestOurOwnRequiredChecksSendTheNextChangeToAPullRequest(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	first := apply(t, y.engine(t), y.whole(y.repo, pipeline.Commit, pipeline.Status{}))
	next := y.whole(y.repo, pipeline.Commit, first)
	next.Content = pipelinetest.Content(fraud, "lint")
	if st := apply(t, y.engine(t), next); st.Pull == nil || st.Pull.State != "open" || st.Content != next.Content {
		t.Errorf("%+v", st)
	}
}

func TestARulesetThatPeopleRemovedIsMadeAnew(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	first := apply(t, y.engine(t), y.whole(y.repo, pipeline.PullRequest, pipeline.Status{}))
	y.repo.DeleteRuleset(y.repo.Rulesets()[0].ID)
	drifted := get(t, y.engine(t), first)
	if drifted.RequiredChecks != nil {
		t.Errorf("checks %q", drifted.RequiredChecks)
	}
	second := apply(t, y.engine(t), y.whole(y.repo, pipeline.PullRequest, drifted))
	if d := cmp.Diff(second, get(t, y.engine(t), second)); d != "" || len(second.Made) != 3 {
		t.Errorf("made %q: %s", second.Made, d)
	}
}

func TestDeleteOnABranchThatIsGoneRemovesTheRest(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Branch: "release"})
	c := y.whole(y.repo, pipeline.Commit, pipeline.Status{})
	c.Delivery.Branch, c.RequiredChecks = "release", nil
	st := apply(t, y.engine(t), c)
	y.repo.DeleteBranch("release")
	if _, err := y.engine(t).Get(within(t, time.Minute), st); !errors.Is(err, pipeline.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	remove(t, y.engine(t), st, pipeline.Commit)
	if e := y.repo.Environments(); len(e) != 0 {
		t.Errorf("environments %v", names(e))
	}
}

func TestAPipelineThatIsMadeAnewClosesThePullRequestThatRemovesIt(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{pipeline.Commit, pipeline.PullRequest} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			c := y.whole(y.repo, pipeline.Commit, pipeline.Status{})
			c.RequiredChecks = nil
			st := apply(t, y.engine(t), c)
			pull := remove(t, y.engine(t), st, pipeline.PullRequest)
			if pull == nil {
				t.Fatal("no pull request")
			}
			seen := get(t, y.engine(t), pipeline.Status{Place: c.Place})
			again := y.whole(y.repo, mode, pipeline.Status{})
			again.Base = seen.Content
			st = apply(t, y.engine(t), again)
			if y.repo.Pull(pull.Number).State != "closed" || read(t, y.repo, "main", fraud) != c.Content || !st.MadeIt(pipeline.MadeFile) || !st.MadeIt("environment/production") {
				t.Errorf("%+v", st)
			}
		})
	}
}
