package github

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

func apply(t *testing.T, p *Pipelines, c pipeline.Change) pipeline.Status {
	t.Helper()
	st, err := p.Apply(within(t, 2*time.Minute), c)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func get(t *testing.T, p *Pipelines, known pipeline.Status) pipeline.Status {
	t.Helper()
	st, err := p.Get(within(t, 2*time.Minute), known)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestACommitIsOneOfTheWholePipelineByWhoseTokenItIs(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	before := y.repo.Resolve("main")
	st := apply(t, y.engine(t), y.change(pipeline.Commit, "test", "", pipeline.Status{}))
	log := git(t, y.repo.Clone("main"), "log", "--format=%H %P %an%n%B", "-1")
	if want := st.Commit + " " + before + " octocat\nci: add pipeline fraud\n\n" + fraud + " of tidegate_pipeline, by Terraform."; strings.TrimSpace(log) != want {
		t.Errorf("the commit is\n%s\nwant\n%s", log, want)
	}
	if d := cmp.Diff(pipeline.Status{
		Place: y.spec("").Place, Content: pipelinetest.Content(fraud, "test"), Branch: "main", Commit: y.repo.Resolve("main"), Made: []string{"file"},
	}, st); d != "" {
		t.Error(d)
	}
	if got := read(t, y.repo, "main", "README.md"); got != "# fraud\n" {
		t.Errorf("README.md is %q", got)
	}
}

func TestAPullRequestIsOpenedOnceAndUpdated(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	c := y.change(pipeline.PullRequest, "test", "", pipeline.Status{})
	c.RequiredChecks = nil
	st := apply(t, y.engine(t), c)
	if st.Pull == nil || st.Pull.State != "open" || st.Content != c.Content || read(t, y.repo, "main", fraud) != "" {
		t.Fatalf("%+v", st)
	}
	if pull := y.repo.Pull(st.Pull.Number); pull.Title != "Tidegate: pipeline fraud" || pull.HeadSHA != st.Commit {
		t.Errorf("%+v, want a head of %s", pull, st.Commit)
	}
	if d := cmp.Diff(st, get(t, y.engine(t), st)); d != "" {
		t.Errorf("it drifts while its pull request is open: %s", d)
	}
	// The next change goes into the same one.
	second := apply(t, y.engine(t), y.change(pipeline.PullRequest, "lint", st.Content, st))
	if second.Pull.Number != st.Pull.Number || read(t, y.repo, y.repo.Pull(1).HeadSHA, fraud) != second.Content {
		t.Errorf("%+v", second)
	}
	// Applied again, nothing is written.
	y.ForgetRequests()
	if third := apply(t, y.engine(t), y.change(pipeline.PullRequest, "lint", second.Content, second)); cmp.Diff(second, third) != "" {
		t.Error(cmp.Diff(second, third))
	}
	if n := writes(y.Requests()); n != 0 {
		t.Errorf("%d writes", n)
	}
	y.repo.Merge(1, githubhub.Squash)
	merged := get(t, y.engine(t), second)
	if merged.Pull.State != "merged" || merged.Content != second.Content || read(t, y.repo, "main", fraud) != second.Content {
		t.Errorf("%+v", merged)
	}
	// After it, another one, from a branch without the old commits.
	next := apply(t, y.engine(t), y.change(pipeline.PullRequest, "deploy", merged.Content, merged))
	if next.Pull.Number != 2 || next.Pull.State != "open" {
		t.Errorf("%+v", next)
	}
	if log := git(t, y.repo.Clone(y.repo.Pull(2).HeadSHA), "rev-list", "--count", "origin/main..HEAD"); strings.TrimSpace(log) != "1" {
		t.Errorf("the pull request has %s commits", log)
	}
}

func TestAClosedPullRequestIsDrift(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	created := apply(t, y.engine(t), y.change(pipeline.Commit, "test", "", pipeline.Status{}))
	st := apply(t, y.engine(t), y.change(pipeline.PullRequest, "lint", created.Content, created))
	y.repo.Close(st.Pull.Number)
	closed := get(t, y.engine(t), st)
	if closed.Pull.State != "closed" || closed.Content != created.Content {
		t.Errorf("%+v", closed)
	}
	again := apply(t, y.engine(t), y.change(pipeline.PullRequest, "lint", closed.Content, closed))
	if again.Pull.Number == st.Pull.Number || again.Pull.State != "open" || again.Content != st.Content {
		t.Errorf("%+v", again)
	}
}

func TestAProtectedBranchLeadsToAPullRequest(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]githubhub.Protection{
		"pull requests": {PullRequest: true},
		"409":           {PullRequest: true, Status: 409},
		"403":           {Restricted: true, Status: 403},
		"checks":        {Checks: []githubhub.Check{{Name: "test"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			y.repo.Protect("main", how)
			var n notices
			p := y.client(t, Config{Token: y.person, Notice: n.tell}).Pipelines()
			st := apply(t, p, y.change(pipeline.Commit, "test", "", pipeline.Status{}))
			if st.Pull == nil || st.Pull.State != "open" || st.Content == "" || read(t, y.repo, "main", fraud) != "" {
				t.Errorf("%+v", st)
			}
			if !strings.Contains(n.text(), "refuses pushes") {
				t.Errorf("people were told %q", n.text())
			}
			second := apply(t, p, y.change(pipeline.Commit, "lint", st.Content, st))
			if second.Pull.Number != st.Pull.Number {
				t.Errorf("%+v", second)
			}
		})
	}
}

func writes(all []githubhub.Request) (n int) {
	for _, r := range all {
		if r.Method != http.MethodGet {
			n++
		}
	}
	return n
}

// A plan to create, or an import, knows where and no more.
func TestAPipelineIsLookedForOnTheBranchThatIsNamed(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Branch: "release/1.x"})
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraud: "on: push\n"}})
	place := y.spec("").Place
	if st := get(t, y.engine(t), pipeline.Status{Place: place}); st.Branch != "main" || st.Content != "on: push\n" || st.MadeIt(pipeline.MadeFile) {
		t.Errorf("%+v", st)
	}
	if _, err := y.engine(t).Get(within(t, time.Minute), pipeline.Status{Place: place, Branch: "release/1.x"}); !errors.Is(err, pipeline.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	c := y.change(pipeline.PullRequest, "test", "", pipeline.Status{})
	c.Delivery.Branch = "release/1.x"
	apply(t, y.engine(t), c)
	if st := get(t, y.engine(t), pipeline.Status{Place: place, Branch: "release/1.x"}); st.Content != c.Content || st.Pull == nil || !st.MadeIt(pipeline.MadeFile) {
		t.Errorf("%+v", st)
	}
}
