package github

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

// whole is a change that has all that an Apply does: an environment with protection, variables and secrets, the file, checks.
func (y *yard) whole(repo *githubhub.Repository, mode string, before pipeline.Status) pipeline.Change {
	c := pipeline.Change{Content: pipelinetest.Content(fraud, "test"), Base: before.Content, Before: before}
	c.Place = pipeline.Place{Repository: repo.FullName, Path: fraud}
	c.Delivery.Mode = mode
	c.Environments = []pipeline.Environment{{
		Name: "production", Reviewers: []string{"octocat"}, Branches: []string{"main"}, Variables: map[string]string{"REGION": "eu-west-1"},
		Secrets: map[string]string{"API_KEY": "correct horse"}, SecretNames: []string{"API_KEY"},
	}}
	c.RequiredChecks = []string{"test"}
	return c
}

// finished checks that all is there, once; and applies again, perhaps, with nothing new to write.
func finished(t *testing.T, y *yard, repo *githubhub.Repository, c pipeline.Change, st pipeline.Status, again bool) {
	t.Helper()
	ref := "main"
	if c.Delivery.Mode == pipeline.PullRequest {
		if st.Pull == nil || st.Pull.State != "open" || st.Pull.Number != 1 {
			t.Fatalf("pull request %+v", st.Pull)
		}
		ref = repo.Pull(1).HeadSHA
	}
	r := repository(t, y.engine(t).c, repo.FullName)
	if got, err := r.file(t.Context(), fraud, ref); err != nil || got.content != c.Content {
		t.Errorf("the file is %q, %v", got.content, err)
	}
	if st.Content != c.Content || !slices.Equal(st.RequiredChecks, c.RequiredChecks) || len(st.Made) != 3 || len(st.Environments) != 1 {
		t.Errorf("%+v", st)
	}
	if e := repo.Environments(); len(e) != 1 || len(e[0].Reviewers) != 1 || len(e[0].Branches) != 1 {
		t.Errorf("environments %+v", e)
	}
	if s := repo.Secrets("production"); !maps.Equal(s, map[string]string{"API_KEY": "correct horse"}) {
		t.Errorf("secrets %v", s)
	}
	if r := repo.Rulesets(); len(r) != 1 || len(r[0].Checks()) != 1 {
		t.Errorf("rulesets %+v", r)
	}
	if !again {
		return
	}
	y.ForgetRequests()
	c = y.whole(repo, c.Delivery.Mode, st)
	c.Environments[0].Secrets = nil
	apply(t, y.engine(t), c)
	if n := writes(y.Requests()); n != 0 {
		t.Errorf("applied again: %d writes", n)
	}
}

// GitHub goes down after N requests of an Apply, for every N: what was done by then is in the Status, or found again where
// that was lost too, and the next Apply completes it.
func TestAnApplyThatGitHubGoesDownUnderIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{pipeline.Commit, pipeline.PullRequest} {
		for _, how := range []struct {
			name    string
			applied bool // request N was carried out, and its answer was lost
			lost    bool // the Status did not get into state: the process was killed
		}{{"down", false, false}, {"answer lost", true, false}, {"answer and state lost", true, true}} {
			t.Run(mode+" "+how.name, func(t *testing.T) {
				t.Parallel()
				y := newYard(t)
				for n := 0; ; n++ {
					repo := y.Repository(fmt.Sprintf("acme/fraud%d", n), githubhub.Files{"README.md": "#\n"})
					c := y.whole(repo, mode, pipeline.Status{})
					if how.applied {
						y.Fail(githubhub.Fault{Skip: n, Times: 1, Applied: true, Drop: true})
					}
					y.Fail(githubhub.Fault{Skip: n, Status: 503})
					st, err := y.engine(t).Apply(within(t, time.Minute), c)
					y.Heal()
					if err == nil {
						if n < 15 {
							t.Errorf("it took %d requests", n)
						}
						finished(t, y, repo, c, st, true)
						return
					}
					if how.lost {
						st = pipeline.Status{}
					}
					if st.Path == "" && st.Content != "" || st.Path != "" && st.Content != "" && st.Content != c.Content {
						t.Errorf("after %d requests: %+v", n, st)
					}
					next := y.whole(repo, mode, st)
					next.Base = c.Base
					st, err = y.engine(t).Apply(within(t, time.Minute), next)
					if err != nil {
						t.Fatalf("after a first Apply of %d requests: %v", n, err)
					}
					finished(t, y, repo, c, st, n%4 == 0)
					if t.Failed() {
						t.Fatalf("after a first Apply of %d requests", n)
					}
				}
			})
		}
	}
}

func TestALostAnswerDoesNothingTwice(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	for n := 0; ; n++ {
		repo := y.Repository(fmt.Sprintf("acme/fraud%d", n), githubhub.Files{"README.md": "#\n"})
		c := y.whole(repo, pipeline.PullRequest, pipeline.Status{})
		y.ForgetRequests()
		y.Fail(githubhub.Fault{Skip: n, Times: 1, Applied: true, Drop: true})
		st, err := y.engine(t).Apply(within(t, time.Minute), c)
		y.Heal()
		asked := len(y.Requests())
		if err != nil {
			t.Fatalf("the answer to request %d was lost: %v", n+1, err)
		}
		finished(t, y, repo, c, st, n%4 == 0)
		if t.Failed() || asked <= n {
			return
		}
	}
}
