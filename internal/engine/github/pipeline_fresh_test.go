package github

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

func TestAPullRequestSaysWhichSecretsAndVariablesHaveToBeThere(t *testing.T) {
	t.Parallel()
	c := pipeline.Change{Content: "key: ${{ secrets.TIDEGATE_KEY }} ${{ secrets.GITHUB_TOKEN }}\nkey: ${{ secrets.TIDEGATE_KEY }}\nregion: ${{ vars.AWS_REGION }}\n" +
		"run: echo secrets.NONE\nmine: ${{ format('{0}', secrets.MINE) }} ${{ vars.MINE }}\n"}
	c.Environments = []pipeline.Environment{{Name: "p", SecretNames: []string{"mine"}}}
	const want = "What it reads and has to be there: secret `TIDEGATE_KEY`, variable `AWS_REGION`, variable `MINE`.\n"
	if body := bringing(c, "main").body; !strings.Contains(body, want) {
		t.Errorf("it lacks %q:\n%s", want, body)
	}
	if body := bringing(pipeline.Change{Content: "jobs: {}"}, "main").body; strings.Contains(body, "What it reads") {
		t.Error(body)
	}
}

// Who follows pull_request_url finds what is to be merged, and not what was closed since a commit brought the file.
func TestACommitLeavesNoPullRequestInTheStatus(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	st := apply(t, y.engine(t), y.change(pipeline.PullRequest, "test", "", pipeline.Status{}))
	pull := st.Pull.Number
	st = apply(t, y.engine(t), y.change(pipeline.Commit, "lint", st.Content, st))
	if y.repo.Pull(pull).State != "closed" || st.Pull != nil || st.Commit != y.repo.Resolve("main") {
		t.Errorf("%+v", st)
	}
}

// What GitHub would make anew at the next run, without protection, is found before it is removed.
func TestABlockThatADeployStillNeedsCannotBeRemoved(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	st := apply(t, y.engine(t), y.whole(y.repo, pipeline.Commit, pipeline.Status{}))
	s := y.spec(pipeline.Commit)
	s.Deploys = []pipeline.Deploy{{Name: "a", Environment: "production"}}
	problems, err := y.engine(t).Check(within(t, time.Minute), s, st)
	if err != nil || len(problems) == 0 || problems[len(problems)-1].Summary != "The environment would go" {
		t.Errorf("got %q, %v", told(problems), err)
	}
	s.Environments = y.whole(y.repo, pipeline.Commit, st).Environments
	if problems, err = y.engine(t).Check(within(t, time.Minute), s, st); err != nil || slices.ContainsFunc(problems, func(p pipeline.Problem) bool { return !p.Warning }) {
		t.Errorf("got %q, %v", told(problems), err)
	}
}

func TestAPipelineMayDeployToAnEnvironmentThatAnotherOneOfTheRunMakes(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	p := y.engine(t)
	s := y.spec(pipeline.Commit)
	s.Deploys = []pipeline.Deploy{{Name: "a", Environment: "shared"}}
	problems, err := p.Check(within(t, time.Minute), s, pipeline.Status{})
	if err != nil || len(problems) != 1 || !strings.Contains(problems[0].Detail, "tidegate_pipeline.OTHER.environment[0].name") {
		t.Errorf("got %+v, %v", problems, err)
	}
	other := y.spec(pipeline.Commit)
	other.Path, other.Environments = ".github/workflows/other.yml", []pipeline.Environment{{Name: "Shared"}}
	for _, s := range []pipeline.Spec{other, s} {
		if problems, err := p.Check(within(t, time.Minute), s, pipeline.Status{}); err != nil || len(problems) != 0 {
			t.Errorf("got %q, %v", told(problems), err)
		}
	}
}

// A file that gets another name is another pipeline, which has to get the environments of the first.
func TestWhatARemovalLeavesGoesToTheNextPipeline(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{pipeline.Commit, pipeline.PullRequest} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			c := y.whole(y.repo, pipeline.Commit, pipeline.Status{})
			c.RequiredChecks = nil
			st := apply(t, y.engine(t), c)
			moved := y.whole(y.repo, mode, pipeline.Status{})
			moved.Path, moved.RequiredChecks = ".github/workflows/moved.yml", nil
			moved.Content = pipelinetest.Content(moved.Path, "test")
			planning := y.engine(t)
			for _, known := range []pipeline.Status{st, {}} { // Terraform asks twice, and the second time as if there was none
				if problems, err := planning.Check(within(t, time.Minute), moved.Spec, known); err != nil || len(problems) != 0 {
					t.Fatalf("got %q, %v", told(problems), err)
				}
			}
			if problems, err := y.engine(t).Check(within(t, time.Minute), moved.Spec, pipeline.Status{}); err != nil || len(problems) != 1 {
				t.Fatalf("got %q, %v: it is the other's, while that is there", told(problems), err)
			}
			remove(t, y.engine(t), st, mode)
			if now := apply(t, y.engine(t), moved); !now.MadeIt("environment/production") {
				t.Errorf("made %q", now.Made)
			}
			if got := y.repo.Variables("production")[EnvironmentLabel]; got != moved.Path {
				t.Errorf("the label is %q", got)
			}
			if mode == pipeline.PullRequest {
				remove(t, y.engine(t), st, mode) // once more, of what is the other's now
				if e := names(y.repo.Environments()); !slices.Equal(e, []string{"production"}) || y.repo.Variables("production")[EnvironmentLabel] != moved.Path {
					t.Errorf("environments %q", e)
				}
			}
		})
	}
}

func TestWhatNobodyMaySeeIsTheLackOfAToken(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.PrivateRepository("acme/secret", githubhub.Files{"README.md": "# a\n"})
	known := pipeline.Status{Place: pipeline.Place{Repository: "acme/secret", Path: fraud}, Branch: "main", Content: "on: push\n"}
	_, err := y.client(t, Config{}).Pipelines().Get(within(t, time.Minute), known)
	wantError(t, err, ErrNoToken, "No token was given")
	wantError(t, err, ErrNotFound)
}
