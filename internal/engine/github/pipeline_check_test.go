package github

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

// told is each problem as "error deploy.0.environment: Summary".
func told(problems []pipeline.Problem) (out []string) {
	for _, p := range problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		var at []string
		for _, step := range p.Path {
			at = append(at, fmt.Sprint(step))
		}
		out = append(out, kind+" "+strings.Join(at, ".")+": "+p.Summary)
	}
	return out
}

func TestAPlanSaysWhatIsWrongWithThePlace(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.Repository("acme/old", nil).Archive()
	secret := y.PrivateRepository("acme/secret", nil)
	y.repo.SetRole("reader", "read")
	secret.SetRole("stranger", "none")
	y.repo.Push(githubhub.Commit{Branch: "release", Files: githubhub.Files{fraud: "on: push\n"}})
	y.repo.Push(githubhub.Commit{Branch: "guarded"})
	y.repo.Protect("guarded", githubhub.Protection{PullRequest: true})
	y.repo.SetEnvironment(githubhub.Environment{Name: "theirs", WaitMinutes: 5})
	y.User("hubot")
	person := func(user string, scopes ...string) string {
		return y.Token(githubhub.Token{Kind: githubhub.PersonalToken, User: user, Scopes: scopes})
	}
	environment := func(name string, reviewers ...string) func(*pipeline.Spec) {
		return func(s *pipeline.Spec) {
			s.Environments = []pipeline.Environment{{Name: "ours"}, {Name: name, Reviewers: reviewers}}
		}
	}
	for name, c := range map[string]struct {
		token string // "": a person's who may do all
		ask   func(*pipeline.Spec)
		want  []string
		words string // of the first
	}{
		"nothing":             {},
		"no such repository":  {ask: func(s *pipeline.Spec) { s.Repository = "acme/nowhere" }, want: []string{"error repository: There is no such repository, or the token may not see it"}, words: "acme/nowhere"},
		"not for this person": {token: person("stranger"), ask: func(s *pipeline.Spec) { s.Repository = "acme/secret" }, want: []string{"error repository: There is no such repository, or the token may not see it"}},
		"archived":            {ask: func(s *pipeline.Spec) { s.Repository = "acme/old" }, want: []string{"error repository: The repository is archived"}, words: "terraform state rm"},
		"may only read":       {token: person("reader"), want: []string{"error repository: The token may not write"}, words: "role Write"},
		"no scope workflow":   {token: person("octocat", "repo"), want: []string{"error repository: The token lacks a scope"}, words: "scope workflow"},
		"no scope repo":       {token: person("octocat", "workflow"), want: []string{"error repository: The token lacks a scope"}, words: "repo and workflow"},
		"both scopes":         {token: person("octocat", "repo", "workflow")},
		"an App":              {token: y.Token(githubhub.Token{Kind: githubhub.AppToken})},
		"a token that ended":  {token: "ended-token", want: []string{"error repository: The token was not accepted"}, words: "give a new one"},
		"no such branch":      {ask: func(s *pipeline.Spec) { s.Delivery.Branch = "relaese" }, want: []string{"error delivery.branch: There is no such branch"}, words: "has release"},
		"a protected branch":  {ask: func(s *pipeline.Spec) { s.Delivery.Branch = "guarded" }, want: []string{"warning delivery.mode: The branch is protected"}, words: "pull request"},
		"and pull requests":   {ask: func(s *pipeline.Spec) { s.Delivery = pipeline.Delivery{Mode: pipeline.PullRequest, Branch: "guarded"} }},
		"somebody's file":     {ask: func(s *pipeline.Spec) { s.Delivery.Branch = "release" }, want: []string{"error path: The file is there already"}, words: "adopt = true"},
		"adopted":             {ask: func(s *pipeline.Spec) { s.Delivery.Branch, s.Adopt = "release", true }},
		"a path elsewhere":    {ask: func(s *pipeline.Spec) { s.Path = ".github/workflows/../ci.yml" }, want: []string{"error path: The file cannot be there"}},
		"an unknown reviewer": {ask: environment("production", "octocat", "nobody-here"), want: []string{"error environment.1.reviewers.1: Not a reviewer"}, words: "nobody-here"},
		"seven reviewers": {ask: environment("production", "octocat", "hubot", "octocat", "hubot", "octocat", "hubot", "octocat"),
			want: []string{"error environment.1.reviewers: GitHub would not take the environment"}, words: "at most 6"},
		"an impossible name":     {ask: environment("pro;duction"), want: []string{"error environment.1.name: GitHub would not take the environment"}, words: "semicolons"},
		"somebody's environment": {ask: environment("theirs"), want: []string{"error environment.1.name: The environment is there already"}, words: "adopt"},
		"deploys": {ask: func(s *pipeline.Spec) {
			s.Environments = []pipeline.Environment{{Name: "staging"}}
			s.Deploys = []pipeline.Deploy{{Name: "a", Environment: "Staging"}, {Name: "b"}, {Name: "c", Environment: "theirs"}, {Name: "d", Environment: "stagin"}}
		}, want: []string{"error deploy.3.environment: There is no such environment"}, words: "staging, theirs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := y.spec(pipeline.Commit)
			if c.ask != nil {
				c.ask(&s)
			}
			token := c.token
			if token == "" {
				token = y.person
			}
			client := y.client(t, Config{Token: token})
			problems, err := client.Pipelines().Check(within(t, time.Minute), s, pipeline.Status{})
			if err != nil || !slices.Equal(told(problems), c.want) {
				t.Fatalf("got %q, %v, want %q", told(problems), err, c.want)
			}
			if len(problems) > 0 && !strings.Contains(problems[0].Detail, c.words) {
				t.Errorf("it lacks %q:\n%s", c.words, problems[0].Detail)
			}
		})
	}
}

func TestAPlanWithoutATokenGoesOnWithAWarning(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	problems, err := y.client(t, Config{}).Pipelines().Check(within(t, time.Minute), y.spec(pipeline.Commit), pipeline.Status{})
	if want := []string{"warning repository: No token was given"}; err != nil || !slices.Equal(told(problems), want) {
		t.Errorf("got %q, %v", told(problems), err)
	}
}

func TestAPlaceThatCannotBeAskedIsNoProblemOfTheConfiguration(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.Fail(githubhub.Fault{Status: 503})
	problems, err := y.engine(t).Check(within(t, time.Minute), y.spec(pipeline.Commit), pipeline.Status{})
	if wantError(t, err, ErrUnavailable); len(problems) != 0 {
		t.Errorf("%q", told(problems))
	}
}

func TestAFileThatChangedSinceTheRefreshIsAWarning(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	st := apply(t, y.engine(t), y.change(pipeline.Commit, "test", "", pipeline.Status{}))
	y.repo.Push(githubhub.Commit{Files: githubhub.Files{fraud: pipelinetest.Content(fraud, "by-hand")}})
	problems, err := y.engine(t).Check(within(t, time.Minute), y.spec(pipeline.Commit), st)
	if want := []string{"warning path: The file changed since it was read"}; err != nil || !slices.Equal(told(problems), want) {
		t.Errorf("got %q, %v", told(problems), err)
	}
}

// A plan of 5 pipelines of a repository, refreshed before, asks for the repository and its branch and for nothing twice.
func TestAPlanSharesWhatItReadsWithTheRefresh(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	var known []pipeline.Status
	for n := range 5 {
		c := y.change(pipeline.Commit, "test", "", pipeline.Status{})
		c.Path, c.Content = pathOf(n), pipelinetest.Content(pathOf(n), "test")
		c.Environments = []pipeline.Environment{{Name: fmt.Sprintf("e%d", n)}}
		known = append(known, apply(t, y.engine(t), c))
	}
	client := y.patient(t, Config{Token: y.person})
	p := client.Pipelines()
	refresh(t, p, known)
	refreshed := client.Usage().Requests
	for n, k := range known {
		s := y.spec(pipeline.Commit)
		s.Path, s.Environments = pathOf(n), []pipeline.Environment{{Name: fmt.Sprintf("e%d", n)}}
		if problems, err := p.Check(within(t, time.Minute), s, k); err != nil || len(problems) != 0 {
			t.Errorf("%q, %v", told(problems), err)
		}
	}
	if planned := client.Usage().Requests - refreshed; refreshed != 2 || planned != 2 {
		t.Errorf("%d requests to refresh, want 2, and %d to plan, want 2", refreshed, planned)
	}
}

func TestNamesThatAreLikeAWordComeFirst(t *testing.T) {
	t.Parallel()
	if got := nearest("mian", []string{"release", "trunk", "main", "maintenance"}, 2); !slices.Equal(got, []string{"main", "trunk"}) {
		t.Errorf("got %q", got)
	}
	if n := edits("kitten", "sitting"); n != 3 {
		t.Errorf("%d edits, want 3", n)
	}
}
