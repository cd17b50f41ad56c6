package github

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

func TestATokenThatMayWriteNoWorkflowsIsToldSo(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]githubhub.Token{
		"GITHUB_TOKEN":           {Kind: githubhub.ActionsToken},
		"App without workflows":  {Kind: githubhub.AppToken, Permissions: githubhub.Permissions{"contents": "write", "pull_requests": "write"}},
		"classic without scope":  {Kind: githubhub.PersonalToken, Scopes: []string{"repo"}},
		"fine-grained, contents": {Kind: githubhub.PersonalToken, Permissions: githubhub.Permissions{"contents": "write"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			for _, mode := range []string{pipeline.Commit, pipeline.PullRequest} {
				p := y.client(t, Config{Token: y.Token(token)}).Pipelines()
				st, err := p.Apply(within(t, time.Minute), y.change(mode, "test", "", pipeline.Status{}))
				wantError(t, err, ErrPermission, "in acme/fraud", "workflows: write", "GITHUB_TOKEN of a workflow can never write workflow files", "App")
				if st.Path != "" {
					t.Errorf("%+v", st)
				}
			}
		})
	}
}

func TestTheBranchMovedAndTheFileDidNot(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	push := func(n int, see func(n int)) *Pipelines { // of somebody else, n times, between reading the branch and moving it
		c, err := open(Config{Token: y.person, APIURL: y.APIURL}, fast, hook{http.DefaultTransport, func(r *http.Request) {
			if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "git/refs") && n > 0 {
				n--
				see(n)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return c.Pipelines()
	}
	other := push(3, func(n int) { y.repo.Push(githubhub.Commit{Files: githubhub.Files{"other.txt": fmt.Sprint(n)}}) })
	st := apply(t, other, y.change(pipeline.Commit, "test", "", pipeline.Status{}))
	if read(t, y.repo, "main", "other.txt") != "0" || read(t, y.repo, "main", fraud) != st.Content {
		t.Errorf("%+v", st)
	}
	same := push(1, func(int) { y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraud: "by hand\n"}}) })
	got, err := same.Apply(within(t, time.Minute), y.change(pipeline.Commit, "lint", st.Content, st))
	wantError(t, err, pipeline.ErrMoved, blobSHA("by hand\n"), blobSHA(st.Content), "Plan again")
	if read(t, y.repo, "main", fraud) != "by hand\n" || got.Content == pipelinetest.Content(fraud, "lint") {
		t.Errorf("%+v", got)
	}
}

// A hook sees requests before they are sent.
type hook struct {
	next http.RoundTripper
	see  func(*http.Request)
}

func (h hook) RoundTrip(r *http.Request) (*http.Response, error) {
	h.see(r)
	return h.next.RoundTrip(r)
}

func TestManyPipelinesOfOneRepositoryAreCommittedAtOnce(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	p := y.engine(t)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			c := y.change(pipeline.Commit, "test", "", pipeline.Status{})
			c.Path = pathOf(n)
			c.Content = pipelinetest.Content(c.Path, "test")
			if _, err := p.Apply(within(t, 2*time.Minute), c); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := strings.TrimSpace(git(t, y.repo.Clone("main"), "rev-list", "--count", "HEAD")); n != "9" {
		t.Errorf("%s commits", n)
	}
	if n := y.Count()["git/update-ref"]; n != 8 {
		t.Errorf("%d pushes: they took the branch away from each other", n)
	}
}

func TestSomebodyElsesBranchOfOurNameIsLeftAlone(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	theirs := y.repo.Push(githubhub.Commit{Branch: headName(fraud), Files: githubhub.Files{"theirs.txt": "x"}})
	st := apply(t, y.engine(t), y.change(pipeline.PullRequest, "test", "", pipeline.Status{}))
	if y.repo.Resolve(headName(fraud)) != theirs || y.repo.Resolve(headName(fraud)+"-2") != st.Commit {
		t.Errorf("%+v", st)
	}
	again := apply(t, y.engine(t), y.change(pipeline.PullRequest, "lint", st.Content, st))
	if again.Pull.Number != st.Pull.Number {
		t.Errorf("%+v", again)
	}
}

// Somebody changes the file on the branch while our pull request is open: the next commit makes it mergeable.
func TestAPullRequestThatConflictsIsPutRightByTheNextApply(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	created := apply(t, y.engine(t), y.change(pipeline.Commit, "test", "", pipeline.Status{}))
	st := apply(t, y.engine(t), y.change(pipeline.PullRequest, "lint", created.Content, created))
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraud: strings.ReplaceAll(created.Content, "test", "theirs"), "other.txt": "x"}})
	st = apply(t, y.engine(t), y.change(pipeline.PullRequest, "deploy", st.Content, st))
	y.repo.Merge(st.Pull.Number, githubhub.MergeCommit)
	if read(t, y.repo, "main", fraud) != st.Content || read(t, y.repo, "main", "other.txt") != "x" {
		t.Errorf("%+v", st)
	}
}

func TestWhatPeopleAddToOurPullRequestStays(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	st := apply(t, y.engine(t), y.change(pipeline.PullRequest, "test", "", pipeline.Status{}))
	y.repo.Push(githubhub.Commit{Branch: headName(fraud), Files: githubhub.Files{"Makefile": "test:\n"}})
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{"other.txt": "x"}})
	st = apply(t, y.engine(t), y.change(pipeline.PullRequest, "lint", st.Content, st))
	if read(t, y.repo, headName(fraud), "Makefile") != "test:\n" || read(t, y.repo, headName(fraud), fraud) != st.Content {
		t.Errorf("%+v", st)
	}
}

func TestAPipelineStaysOnItsBranch(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Branch: "release"})
	st := apply(t, y.engine(t), y.change(pipeline.Commit, "test", "", pipeline.Status{}))
	c := y.change(pipeline.Commit, "lint", st.Content, st)
	c.Delivery.Branch = "release"
	_, err := y.engine(t).Apply(within(t, time.Minute), c)
	wantError(t, err, ErrRefused, "on branch main", "release", "-replace")
	problems, err := y.engine(t).Check(within(t, time.Minute), c.Spec, st)
	if want := []string{"error delivery.branch: A pipeline stays on its branch"}; err != nil || !slices.Equal(told(problems), want) {
		t.Errorf("%q, %v", told(problems), err)
	}
	c.Before, c.Base = pipeline.Status{}, ""
	if on := apply(t, y.engine(t), c); on.Branch != "release" || read(t, y.repo, "release", fraud) != c.Content {
		t.Errorf("%+v", on)
	}
}

func TestWhatCannotBeWrittenToIsSaidWithTheNextStep(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	archived := y.Repository("acme/old", nil)
	archived.Archive()
	for name, c := range map[string]struct {
		repository, branch, token string
		kind                      error
		words                     []string
	}{
		"no such repository": {"acme/nowhere", "", y.person, ErrNotFound, []string{"acme/nowhere", "may not see it"}},
		"no such branch":     {"acme/fraud", "mian", y.person, ErrNotFound, []string{"no such branch", "main"}},
		"archived":           {"acme/old", "", y.person, ErrPermission, []string{"archived", "only be read"}},
		"no token":           {"acme/fraud", "", "", ErrNoToken, []string{"GITHUB_TOKEN"}},
		"a revoked token":    {"acme/fraud", "", "revoked-token", ErrToken, []string{"give a new one"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change := y.change(pipeline.Commit, "test", "", pipeline.Status{})
			change.Repository, change.Delivery.Branch = c.repository, c.branch
			st, err := y.client(t, Config{Token: c.token}).Pipelines().Apply(within(t, time.Minute), change)
			wantError(t, err, c.kind, c.words...)
			if st.Path != "" {
				t.Errorf("%+v", st)
			}
		})
	}
	for _, path := range []string{"ci.yml", ".github/workflows/../x.yml", ".github/workflows/a/b.yml", ".github/workflows/x.txt", ".github/workflows/.yml/..", ".github\\workflows\\x.yml"} {
		change := y.change(pipeline.Commit, "test", "", pipeline.Status{})
		change.Path = path
		if _, err := y.engine(t).Apply(t.Context(), change); err == nil || !strings.Contains(err.Error(), ".github/workflows/fraud.yml") {
			t.Errorf("path %q: %v", path, err)
		}
	}
}

func TestARepositoryThatIsNotSeenIsNotTakenForOneWithoutThePipeline(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	st := apply(t, y.engine(t), y.change(pipeline.Commit, "test", "", pipeline.Status{}))
	y.repo.Delete()
	_, err := y.engine(t).Get(within(t, time.Minute), st)
	if wantError(t, err, ErrNotFound, "may not see it"); errors.Is(err, pipeline.ErrNotFound) {
		t.Error("it would be taken out of state")
	}
	if _, err := y.engine(t).Delete(within(t, time.Minute), st, pipeline.Delivery{Mode: pipeline.Commit}); err == nil {
		t.Error("it would be forgotten with all that is there")
	}
}

func TestARateLimitThatOutlastsAnApplyIsSaidWithWhatWasDone(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.Fail(githubhub.Fault{Operation: "git/create-tree", Primary: true, RetryAfter: 50 * time.Minute})
	c := y.whole(y.repo, pipeline.Commit, pipeline.Status{})
	st, err := y.engine(t).Apply(within(t, 10*time.Minute), c)
	wantError(t, err, ErrRateLimit, "until", "Run again")
	if len(st.Environments) != 1 || !st.MadeIt("environment/production") || st.MadeIt(pipeline.MadeFile) || st.Content != "" {
		t.Errorf("%+v", st)
	}
}

// The protection comes first: without it the workflow is not delivered, and no secret is written.
func TestAPlanThatDropsAProtectionIsAnErrorBeforeTheFile(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	private := y.PrivateRepository("acme/secret", nil)
	y.SetPlan(githubhub.DroppingPlan)
	st, err := y.engine(t).Apply(within(t, time.Minute), y.whole(private, pipeline.Commit, pipeline.Status{}))
	if !errors.Is(err, pipeline.ErrNotProtected) || !slices.Equal(st.Behind, []string{"environment/production"}) || st.Content != "" {
		t.Errorf("%+v, %v", st, err)
	}
	if read(t, private, "main", fraud) != "" || len(private.Secrets("production")) != 0 {
		t.Error("it was delivered all the same")
	}
	y.SetPlan(githubhub.FullPlan)
	c := y.whole(private, pipeline.Commit, st)
	finished(t, y, private, c, apply(t, y.engine(t), c), true)
}
