package github

import (
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

// What tells ours from others' (a line in a file, a variable, names) can be written by others too.

func TestAPullRequestOfAnotherWithOurMarkerBringsOurFile(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	evil := pipelinetest.Content(fraud, "evil")
	y.repo.Push(githubhub.Commit{Branch: headName(fraud), Files: githubhub.Files{fraud: evil}})
	theirs := y.repo.Open(githubhub.NewPull{Head: headName(fraud), Title: "ours", Body: pullMarker(fraud), Author: "mallory"})
	st := apply(t, y.engine(t), y.change(pipeline.PullRequest, "test", "", pipeline.Status{}))
	if st.Pull == nil || st.Pull.Number != theirs.Number || read(t, y.repo, headName(fraud), fraud) != pipelinetest.Content(fraud, "test") {
		t.Errorf("%+v", st)
	}
	if read(t, y.repo, "main", fraud) != "" {
		t.Error("it was merged")
	}

	y.repo.Push(githubhub.Commit{Branch: headName(fraud), Files: githubhub.Files{fraud: evil}}) // again, now that it is waited for
	got := get(t, y.engine(t), st)
	if got.Content != evil {
		t.Errorf("what was pushed to it is not seen: %q", got.Content)
	}
	st = apply(t, y.engine(t), y.change(pipeline.PullRequest, "test", got.Content, got))
	if read(t, y.repo, headName(fraud), fraud) != st.Content {
		t.Error("it is not put right")
	}
}

func TestAPullRequestFromAForkIsNeverOurs(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Branch: headName(fraud), Files: githubhub.Files{fraud: "# an unfinished one\n"}})
	fork := y.repo.Fork("mallory")
	fork.Push(githubhub.Commit{Branch: headName(fraud), Files: githubhub.Files{fraud: pipelinetest.Content(fraud, "evil")}})
	theirs := y.repo.Open(githubhub.NewPull{Head: "mallory:" + headName(fraud), Body: pullMarker(fraud), Author: "mallory"})
	st := apply(t, y.engine(t), y.change(pipeline.PullRequest, "test", "", pipeline.Status{}))
	if st.Pull == nil || st.Pull.Number == theirs.Number || y.repo.Pull(theirs.Number).State != "open" {
		t.Errorf("%+v", st.Pull)
	}
}

// A branch of our name that renames a file to ours shows one file only.
func TestABranchThatTakesAFileAwayIsNotTakenUp(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	long := strings.Repeat("a line of somebody's\n", 40)
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{"CODEOWNERS": long}})
	y.repo.Push(githubhub.Commit{Branch: headName(fraud), Files: githubhub.Files{fraud: long}, Remove: []string{"CODEOWNERS"}})
	st := apply(t, y.engine(t), y.change(pipeline.PullRequest, "test", "", pipeline.Status{}))
	y.repo.Merge(st.Pull.Number, githubhub.Squash)
	if read(t, y.repo, "main", "CODEOWNERS") != long {
		t.Error("our pull request removes another file")
	}
}

func TestALabelOfAnotherDoesNotMakeOursOfWhatWasAdopted(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	c := y.guarded()
	y.repo.SetEnvironment(githubhub.Environment{Name: "production", WaitMinutes: 3})
	y.repo.SetVariable("production", "THEIRS", "x")
	c.Adopt = true
	st := apply(t, y.engine(t), c)
	if st.MadeIt("environment/production") {
		t.Fatalf("it was adopted: %v", st.Made)
	}
	y.repo.SetVariable("production", EnvironmentLabel, fraud)
	c.Before, c.Base, c.Content = get(t, y.engine(t), st), st.Content, pipelinetest.Content(fraud, "two")
	st = apply(t, y.engine(t), c)
	if _, err := y.engine(t).Delete(t.Context(), st, pipeline.Delivery{Mode: pipeline.Commit}); err != nil {
		t.Fatal(err)
	}
	if y.repo.Variables("production")["THEIRS"] != "x" {
		t.Error("an environment that was there before is gone")
	}
}

func TestAFileWithOurLineOnAnotherPathIsNotOurs(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraud: pipelinetest.Content(".github/workflows/other.yml", "theirs")}})
	theirs := read(t, y.repo, "main", fraud)
	c := y.change(pipeline.Commit, "test", theirs, pipeline.Status{})
	if _, err := y.engine(t).Apply(t.Context(), c); err == nil || !strings.Contains(err.Error(), pipeline.ErrExists.Error()) {
		t.Errorf("%v", err)
	}
	known := pipeline.Status{Place: c.Place, Branch: "main", Content: "another", Made: []string{pipeline.MadeFile}}
	if _, err := y.engine(t).Delete(t.Context(), known, pipeline.Delivery{Mode: pipeline.Commit}); err != nil {
		t.Fatal(err)
	}
	if read(t, y.repo, "main", fraud) != theirs {
		t.Error("it was removed")
	}
}

func TestARulesetThatSomebodyTurnedToAnotherBranchRequiresNothing(t *testing.T) {
	t.Parallel()
	for _, branch := range []string{"", "main"} {
		y := newYard(t)
		c := y.guarded()
		c.Delivery.Branch = branch
		st := apply(t, y.engine(t), c)
		if got := get(t, y.engine(t), st).RequiredChecks; len(got) != 1 {
			t.Errorf("branch %q: %v", branch, got)
		}
		if branch == "" {
			y.turn(t, st, "refs/heads/main") // the same
			if got := get(t, y.engine(t), st).RequiredChecks; len(got) != 1 {
				t.Errorf("the default branch by its name: %v", got)
			}
		}
		y.turn(t, st, map[string]string{"": "refs/heads/nobody", "main": defaultBranch}[branch]) // which may become another one
		got := get(t, y.engine(t), st)
		if got.RequiredChecks == nil || len(got.RequiredChecks) > 0 {
			t.Errorf("branch %q: %v are required, want none", branch, got.RequiredChecks)
		}
		imported := get(t, y.engine(t), pipeline.Status{Place: st.Place})
		if branch == "" && len(imported.RequiredChecks) > 0 {
			t.Errorf("branch %q: imported with %v", branch, imported.RequiredChecks)
		}
		c.Before, c.Base = got, got.Content
		if st = apply(t, y.engine(t), c); len(get(t, y.engine(t), st).RequiredChecks) != 1 {
			t.Errorf("branch %q: it is not put back", branch)
		}
	}
}

// turn makes our ruleset one of another branch.
func (y *yard) turn(t *testing.T, st pipeline.Status, include string) {
	t.Helper()
	body := rulesetBody(fraud, "", st.RequiredChecks, githubhub.ActionsApp, nil)
	body["conditions"] = map[string]any{"ref_name": map[string]any{"include": []string{include}, "exclude": []string{}}}
	r, err := y.engine(t).at(st.Place)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range st.Made {
		if id, ok := rulesetID(name); ok {
			if err := r.send(t.Context(), "PUT", "rulesets/"+number(id), body); err != nil {
				t.Fatal(err)
			}
		}
	}
}
