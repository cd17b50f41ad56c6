package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

func TestAProtectionThatASmallPlanDropsIsAnErrorAndNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	for plan, c := range map[githubhub.Plan]struct {
		kind  error
		there bool
		parts []string
	}{
		githubhub.DroppingPlan: {pipeline.ErrNotProtected, true, []string{
			`environment "production"`, "acme/infra", "wait_minutes = 10, ", "reviewer @acme/ml-leads", "reviewer OctoCat", "prevent_self_review = true",
			"GitHub Enterprise", "Make the repository public", "none of the secrets of this change was written",
		}},
		githubhub.RefusingPlan: {pipeline.ErrNotProtected, false, []string{"GitHub answered 422", "billing plan", "wait_minutes = 10", "reviewer @acme/ml-leads", "Nothing was written", "GitHub Enterprise"}},
		githubhub.FreePlan:     {ErrNotFound, false, []string{"Pro, Team or Enterprise"}},
	} {
		t.Run(string(plan), func(t *testing.T) {
			t.Parallel()
			s := newShop(t, true)
			c0 := production()
			l, err := s.r.Environments(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.SetPlan(plan)
			st, made, err := s.r.ApplyEnvironment(t.Context(), l, c0)
			wantError(t, err, c.kind, c.parts...)
			if (st.Name != "") != c.there || made != c.there {
				t.Errorf("there: %t, status %+v", made, st)
			}
			if !c.there {
				if all := s.repo.Environments(); len(all) != 0 {
					t.Errorf("left: %+v", all)
				}
				return
			}
			if len(st.Reviewers) != 0 || st.WaitMinutes != 0 || len(st.Branches) != 3 {
				t.Errorf("the status is not what is true: %+v", st)
			}
			if v := s.repo.Secrets("production"); len(v) != 0 {
				t.Errorf("secrets were written: %d", len(v))
			}
			s.SetPlan(githubhub.FullPlan)
			c0.Before, c0.Made = &st, made
			s.mustApply(t, c0)
			if e := s.named(t, "production"); e.WaitMinutes != 10 || len(s.repo.Secrets("production")) != 2 {
				t.Errorf("the next apply left %+v", e)
			}
		})
	}
}

func TestOnASmallPlanAnEnvironmentWithBranchesAloneIsWritten(t *testing.T) {
	t.Parallel()
	for _, plan := range []githubhub.Plan{githubhub.DroppingPlan, githubhub.RefusingPlan} {
		t.Run(string(plan), func(t *testing.T) {
			t.Parallel()
			s := newShop(t, true)
			s.SetPlan(plan)
			c := EnvironmentChange{Path: fraudPath, Want: pipeline.Environment{Name: "staging", Branches: []string{"main"}}}
			next := s.mustApply(t, c)
			next.Want.Branches = nil
			s.mustApply(t, next)
			if e := s.named(t, "staging"); e.Branches != nil {
				t.Errorf("branches are %q", e.Branches)
			}
		})
	}
}

func TestAReviewerWithoutAccessIsNamed(t *testing.T) {
	t.Parallel()
	s := newShop(t, true)
	s.repo.SetRole("hubot", "none")
	c := production()
	c.Want.Reviewers = append(c.Want.Reviewers, "hubot")
	_, err := s.apply(t, c)
	wantError(t, err, ErrRefused, "GitHub answered 422", "Nothing was written", ": hubot has none")
}

func TestReviewersThatCannotBeAreRefusedInWords(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.Team("globex", "ops")
	for word, c := range map[string]struct {
		kind error
		text string
	}{
		"octocat": {}, "OctoCat": {}, "@acme/ml-leads": {}, "@Acme/ML-Leads": {},
		"nobody-at-all":   {ErrNotFound, "Nobody is called nobody-at-all"},
		"@acme/nobody":    {ErrNotFound, `no team with the slug nobody`},
		"@globex/ops":     {ErrRefused, "Only teams of acme review"},
		"@octocat":        {ErrRefused, `a team such as "@acme/ml-leads"`},
		"acme/ml-leads":   {ErrRefused, `a team such as "@acme/ml-leads"`},
		"acme":            {ErrRefused, "it is an organization"},
		"":                {ErrRefused, "want a login"},
		"../../x":         {ErrRefused, "want a login"},
		"@acme/ml leads":  {ErrRefused, "want a login"},
		"octocat\nhubot":  {ErrRefused, "want a login"},
		"@acme/../x/y":    {ErrRefused, "want a login"},
		"dependabot[bot]": {ErrRefused, "want a login"},
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			err := (&shop{world: &world{Hub: s.For(t), token: s.token}}).open(t, s.token).CheckReviewer(t.Context(), word)
			if c.kind == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, c.kind, c.text, "find reviewer")
		})
	}
}

func TestAReviewerIsLookedUpOnceByAClient(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.Repository("acme/other", nil)
	c := s.client(t, Config{Token: s.token})
	for _, name := range []string{"acme/infra", "acme/other"} {
		for _, word := range []string{"octocat", "Octocat", "@acme/ml-leads", "@ACME/ml-leads"} {
			if err := repository(t, c, name).CheckReviewer(t.Context(), word); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := c.Usage().Requests; n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestATeamNeedsATokenThatSeesIt(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	classic := s.Token(githubhub.Token{Kind: githubhub.PersonalToken, Scopes: []string{"repo"}})
	err := s.open(t, classic).CheckReviewer(t.Context(), "@acme/ml-leads")
	wantError(t, err, ErrNotFound, "read:org")
	app := s.Token(githubhub.Token{Kind: githubhub.AppToken, Permissions: githubhub.Permissions{"administration": "write"}})
	wantError(t, s.open(t, app).CheckReviewer(t.Context(), "@acme/ml-leads"), ErrPermission, "members: read", "GITHUB_TOKEN never has")
}

func TestWhatGitHubWouldNotTakeOfAnEnvironmentIsRefusedBeforeItIsAsked(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	l, err := s.r.Environments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	asked := s.r.c.Usage().Requests
	many := map[string]string{}
	for i := range 101 {
		many[fmt.Sprintf("V%d", i)] = "x"
	}
	const private = "a value that nobody may see"
	for want, change := range map[string]func(*pipeline.Environment){
		"7 reviewers: an environment has at most 6":     func(e *pipeline.Environment) { e.Reviewers = slices.Repeat([]string{"octocat"}, 7) },
		"wait_minutes = 43201: want 0 to 43200":         func(e *pipeline.Environment) { e.WaitMinutes = 43_201 },
		"wait_minutes = -1":                             func(e *pipeline.Environment) { e.WaitMinutes = -1 },
		"prevent_self_review = true without reviewers":  func(e *pipeline.Environment) { e.Reviewers = nil },
		`secret "GITHUB_TOKEN": names that start`:       func(e *pipeline.Environment) { e.SecretNames = []string{"GITHUB_TOKEN"} },
		`secret "github_x": names that start`:           func(e *pipeline.Environment) { e.Secrets = map[string]string{"github_x": private} },
		`secret "API-KEY": want letters, digits and _`:  func(e *pipeline.Environment) { e.SecretNames = []string{"API-KEY"} },
		`secret "1A": want letters`:                     func(e *pipeline.Environment) { e.SecretNames = []string{"1A"} },
		`secret "": want letters`:                       func(e *pipeline.Environment) { e.Secrets = map[string]string{"": private} },
		`variable "A B": want letters`:                  func(e *pipeline.Environment) { e.Variables = map[string]string{"A B": ""} },
		`variable "TIDEGATE_pipeline": this name`:       func(e *pipeline.Environment) { e.Variables = map[string]string{"TIDEGATE_pipeline": "x"} },
		`secrets "API" and "api" are one`:               func(e *pipeline.Environment) { e.SecretNames = []string{"api", "API"} },
		"101 variables: an environment has at most 100": func(e *pipeline.Environment) { e.Variables = many },
		"secret BIG has 49153 bytes":                    func(e *pipeline.Environment) { e.Secrets = map[string]string{"BIG": strings.Repeat("z", 48<<10+1)} },
		"variable BIG has 49153 bytes":                  func(e *pipeline.Environment) { e.Variables = map[string]string{"BIG": strings.Repeat("z", 48<<10+1)} },
		`the name "" is none`:                           func(e *pipeline.Environment) { e.Name = "" },
		`the name "a;b" is none`:                        func(e *pipeline.Environment) { e.Name = "a;b" },
		`the name " a" is none`:                         func(e *pipeline.Environment) { e.Name = " a" },
	} {
		c := production()
		change(&c.Want)
		for _, err := range []error{l.Claim(t.Context(), c), func() error { _, _, err := s.r.ApplyEnvironment(t.Context(), l, c); return err }()} {
			wantError(t, err, ErrRefused, want, "Nothing was written")
			if strings.Contains(err.Error(), private) || strings.Contains(err.Error(), "zzz") {
				t.Errorf("a value is in the error: %v", err)
			}
		}
	}
	if n := s.r.c.Usage().Requests; n != asked {
		t.Errorf("%d requests were sent", n-asked)
	}
}

func TestWritingAnEnvironmentSaysWhichPermissionItTakes(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	next := s.mustApply(t, production())
	for name, c := range map[string]struct {
		token githubhub.Token
		fresh bool
		parts []string
	}{
		"of a workflow":     {githubhub.Token{Kind: githubhub.ActionsToken}, true, []string{`"administration: write"`, "GITHUB_TOKEN never has", "App"}},
		"no administration": {githubhub.Token{Kind: githubhub.AppToken, Permissions: githubhub.Permissions{"actions": "read", "environments": "write", "members": "read"}}, true, []string{`"administration: write"`}},
		"no environments":   {githubhub.Token{Kind: githubhub.AppToken, Permissions: githubhub.Permissions{"actions": "read", "administration": "write", "environments": "read"}}, false, []string{`"environments: write"`, "secret API_KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := s.For(t)
			r := (&world{Hub: hub}).open(t, hub.Token(c.token))
			change := next
			if c.fresh {
				change = EnvironmentChange{Path: fraudPath, Want: pipeline.Environment{Name: "new " + name, WaitMinutes: 1}}
			}
			_, _, err := applyTo(t, r, change)
			wantError(t, err, ErrPermission, c.parts...)
		})
	}
	_, _, err := (&Repository{c: s.client(t, Config{}), owner: "acme", name: "infra"}).ApplyEnvironment(t.Context(), mustList(t, s.r), EnvironmentChange{Path: fraudPath, Want: pipeline.Environment{Name: "new"}})
	wantError(t, err, ErrNoToken, "Give a token")
}

func mustList(t *testing.T, r *Repository) *Environments {
	t.Helper()
	l, err := r.Environments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestARateLimitThatOutlastsTheDeadlineLeavesWhatIsTrue(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	l := mustList(t, s.r)
	s.Fail(githubhub.Fault{Operation: "actions/create-or-update-environment-secret", Skip: 1, Primary: true, RetryAfter: time.Hour})
	st, made, err := s.r.ApplyEnvironment(within(t, time.Minute), l, production())
	e := wantError(t, err, ErrRateLimit, "secret token", "until")
	if e.Unsure || !made || !slices.Equal(st.SecretNames, []string{"API_KEY"}) || len(st.Variables) != 2 || st.WaitMinutes != 10 {
		t.Errorf("unsure: %t, made: %t, status %+v", e.Unsure, made, st)
	}
}

func TestAnEnvironmentWhoseAnswerWasLostIsOurs(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.Fail(githubhub.Fault{Operation: "repos/create-or-update-environment", Times: tries, Applied: true, Status: http.StatusBadGateway})
	next, err := s.apply(t, production())
	if err == nil || !next.Made || next.Before == nil || next.Before.Name != "production" {
		t.Fatalf("made: %t, %v", next.Made, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := mustList(t, s.r)
	if _, _, err := s.r.ApplyEnvironment(ctx, l, next); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	s.mustApply(t, next)
}

func TestASecretIsSealedAnewWhenTheEnvironmentHasAnotherKey(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	c := production()
	if _, _, err := applyTo(t, s.r, c); err != nil {
		t.Fatal(err)
	}
	s.repo.DeleteEnvironment("production")
	if _, _, err := applyTo(t, s.r, c); err != nil {
		t.Fatal(err)
	}
	if v := s.repo.Secrets("production"); v["API_KEY"] != "the-secret-of-the-key" {
		t.Errorf("%v", v)
	}
}

func TestNoValueOfASecretIsInAnError(t *testing.T) {
	t.Parallel()
	const value = "a value that GitHub says back"
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v3/repos/acme/infra/environments/e/secrets/public-key", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"key_id": "1", "key": "` + strings.Repeat("A", 43) + `="}`))
	})
	mux.HandleFunc("PUT /api/v3/repos/acme/infra/environments/e/secrets/S", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write([]byte(`{"message": "cannot take ` + value + `"}`))
	})
	r := repository(t, answering(t, mux), "acme/infra")
	err := r.writeSecret(t.Context(), "e", "S", value)
	wantError(t, err, ErrRefused, "secret S", "***")
	if strings.Contains(err.Error(), value) {
		t.Errorf("the value is in the error: %v", err)
	}
}
