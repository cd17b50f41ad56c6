package github

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

const fraudPath = ".github/workflows/fraud.yml"

// A shop is a hub with a repository that pipelines deploy from, people and a team, and a client that administers it.
type shop struct {
	*world
	r *Repository
}

func newShop(t *testing.T, private bool) *shop {
	t.Helper()
	hub := githubhub.Start(t)
	make := hub.Repository
	if private {
		make = hub.PrivateRepository
	}
	w := &world{Hub: hub, repo: make("acme/infra", githubhub.Files{"README.md": "x\n"}), token: hub.Token(githubhub.Token{Kind: githubhub.AppToken})}
	hub.Team("acme", "ml-leads", "octocat")
	hub.User("hubot")
	return &shop{w, w.open(t, w.token)}
}

// change is a first Apply of production.
func production() EnvironmentChange {
	return EnvironmentChange{Path: fraudPath, Want: pipeline.Environment{
		Name: "production", Reviewers: []string{"@acme/ml-leads", "OctoCat"}, WaitMinutes: 10, PreventSelfReview: true, Branches: []string{"main", "release/*", "tag:v*"},
		Variables: map[string]string{"REGION": "eu-west-1", "tier": "gold"}, Secrets: map[string]string{"API_KEY": "the-secret-of-the-key", "token": "another-secret"},
		SecretNames: []string{"API_KEY", "token"},
	}}
}

// apply applies a change by a client that knows nothing yet, and returns the next one, which knows what came of it.
func (s *shop) apply(t *testing.T, c EnvironmentChange) (EnvironmentChange, error) {
	t.Helper()
	r := s.open(t, s.token)
	st, made, err := applyTo(t, r, c)
	if st.Name != "" {
		c.Before, c.Made = &st, made
	}
	return c, err
}

func applyTo(t *testing.T, r *Repository, c EnvironmentChange) (pipeline.EnvironmentStatus, bool, error) {
	t.Helper()
	l, err := r.Environments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r.ApplyEnvironment(t.Context(), l, c)
}

func (s *shop) mustApply(t *testing.T, c EnvironmentChange) EnvironmentChange {
	t.Helper()
	next, err := s.apply(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// named is an environment of the hub.
func (s *shop) named(t *testing.T, name string) githubhub.Environment {
	t.Helper()
	all := s.repo.Environments()
	i := slices.IndexFunc(all, func(e githubhub.Environment) bool { return e.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s: %+v", name, all)
	}
	return all[i]
}

// read is the status of what was asked for, as a new client sees it.
func (s *shop) read(t *testing.T, known pipeline.Environment) (pipeline.EnvironmentStatus, bool) {
	t.Helper()
	l, err := s.open(t, s.token).Environments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	st, ok, err := l.Status(t.Context(), known)
	if err != nil {
		t.Fatal(err)
	}
	return st, ok
}

// withoutValues is what a Status can say of what was asked for.
func withoutValues(e pipeline.Environment) pipeline.Environment {
	e.Secrets = nil
	return e
}

func TestAnEnvironmentBecomesWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	c := production()
	next := s.mustApply(t, c)
	if !next.Made || !reflect.DeepEqual(next.Before.Environment, withoutValues(c.Want)) {
		t.Errorf("made: %t\n%s", next.Made, cmp.Diff(withoutValues(c.Want), next.Before.Environment))
	}
	for _, name := range c.Want.SecretNames {
		if next.Before.SecretsUpdated[name].IsZero() {
			t.Errorf("%s has no time", name)
		}
	}
	got := s.named(t, "production")
	want := githubhub.Environment{
		Name: "production", Reviewers: []string{"@acme/ml-leads", "octocat"}, WaitMinutes: 10, PreventSelfReview: true, Branches: []string{"main", "release/*"}, Tags: []string{"v*"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("on GitHub (-want +got):\n%s", cmp.Diff(want, got))
	}
	if v := s.repo.Variables("production"); !maps.Equal(v, map[string]string{"REGION": "eu-west-1", "TIER": "gold", EnvironmentLabel: fraudPath}) {
		t.Errorf("variables %v", v)
	}
	if v := s.repo.Secrets("production"); !maps.Equal(v, map[string]string{"API_KEY": "the-secret-of-the-key", "TOKEN": "another-secret"}) {
		t.Errorf("secrets %v", v)
	}
	if st, ok := s.read(t, next.Before.Environment); !ok || !reflect.DeepEqual(st, *next.Before) {
		t.Errorf("read again:\n%s", cmp.Diff(*next.Before, st))
	}
}

func TestAnUnchangedEnvironmentIsNotWritten(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	next := s.mustApply(t, production())
	next.Want.Secrets = nil
	next.Want.Reviewers = []string{"octocat", "@Acme/ML-Leads"}
	s.Fail(githubhub.Fault{Operation: "repos/create*", Status: 403})
	s.Fail(githubhub.Fault{Operation: "actions/create*", Status: 403})
	s.Fail(githubhub.Fault{Operation: "actions/update*", Status: 403})
	r := s.open(t, s.token)
	st, made, err := applyTo(t, r, next)
	if err != nil || !made || !slices.Equal(st.Reviewers, next.Want.Reviewers) {
		t.Fatalf("%t, %v, %+v", made, err, st)
	}
	if n := r.c.Usage().Requests; n != 4 {
		t.Errorf("%d requests: want the list, patterns, variables and secrets", n)
	}
}

func TestAnEnvironmentChangesToWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*pipeline.Environment){
		"no protections at all": func(e *pipeline.Environment) {
			e.Reviewers, e.WaitMinutes, e.PreventSelfReview, e.Branches = nil, 0, false, nil
		},
		"nothing may deploy": func(e *pipeline.Environment) { e.Branches = []string{} },
		"other branches":     func(e *pipeline.Environment) { e.Branches = []string{"prod", "main"} },
		"other reviewers":    func(e *pipeline.Environment) { e.Reviewers = []string{"hubot"} },
		"waits longer":       func(e *pipeline.Environment) { e.WaitMinutes = 43_200 },
		"fewer variables":    func(e *pipeline.Environment) { e.Variables = map[string]string{"TIER": "silver"} },
		"other secrets": func(e *pipeline.Environment) {
			e.SecretNames, e.Secrets = []string{"API_KEY", "NEW"}, map[string]string{"NEW": "n"}
		},
		"no secrets":             func(e *pipeline.Environment) { e.SecretNames, e.Secrets = nil, nil },
		"another case of a name": func(e *pipeline.Environment) { e.SecretNames, e.Secrets = []string{"api_key"}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, false)
			next := s.mustApply(t, production())
			s.repo.SetVariable("production", "THEIRS", "stays")
			s.repo.SetSecret("production", "THEIR_SECRET", "stays")
			change(&next.Want)
			want := withoutValues(next.Want)
			after := s.mustApply(t, next)
			if !reflect.DeepEqual(after.Before.Environment, want) {
				t.Errorf("status (-want +got):\n%s", cmp.Diff(want, after.Before.Environment))
			}
			l, err := s.open(t, s.token).Environments(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all, _, err := l.All(t.Context(), "production")
			if err != nil {
				t.Fatal(err)
			}
			if len(all.Variables) != len(want.Variables)+1 || all.Variables["THEIRS"] != "stays" {
				t.Errorf("variables %v", all.Variables)
			}
			if len(all.SecretNames) != len(want.SecretNames)+1 || s.repo.Secrets("production")["THEIR_SECRET"] != "stays" {
				t.Errorf("secrets %v", all.SecretNames)
			}
		})
	}
}

func TestWhatPeopleChangeIsSeenAndPutBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by   func(*shop)
		seen func(pipeline.EnvironmentStatus) bool
	}{
		"protections": {
			func(s *shop) { s.repo.SetEnvironment(githubhub.Environment{Name: "production"}) },
			func(st pipeline.EnvironmentStatus) bool {
				return st.Reviewers == nil && st.WaitMinutes == 0 && st.Branches == nil
			},
		},
		"protected branches": {
			func(s *shop) {
				s.repo.SetEnvironment(githubhub.Environment{Name: "production", ProtectedBranches: true})
			},
			func(st pipeline.EnvironmentStatus) bool {
				return slices.Equal(st.Branches, []string{"(protected branches)"})
			},
		},
		"administrators may go around": {
			func(s *shop) {
				e := s.repo.Environments()[0]
				e.AdminsBypass = true
				s.repo.SetEnvironment(e)
			},
			func(st pipeline.EnvironmentStatus) bool { return st.AdminsBypass && st.WaitMinutes == 10 },
		},
		"a variable": {
			func(s *shop) { s.repo.SetVariable("production", "REGION", "us") },
			func(st pipeline.EnvironmentStatus) bool { return st.Variables["REGION"] == "us" },
		},
		"a variable that is gone": {
			func(s *shop) { s.repo.DeleteVariable("production", "TIER") },
			func(st pipeline.EnvironmentStatus) bool { _, ok := st.Variables["tier"]; return !ok },
		},
		"a secret that is gone": {
			func(s *shop) { s.repo.DeleteSecret("production", "TOKEN") },
			func(st pipeline.EnvironmentStatus) bool { return slices.Equal(st.SecretNames, []string{"API_KEY"}) },
		},
		"all of it": {
			func(s *shop) { s.repo.DeleteEnvironment("production") },
			func(st pipeline.EnvironmentStatus) bool { return st.Name == "" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, false)
			next := s.mustApply(t, production())
			c.by(s)
			if st, _ := s.read(t, next.Before.Environment); !c.seen(st) {
				t.Errorf("seen: %+v", st)
			}
			after := s.mustApply(t, next)
			if !after.Made || !reflect.DeepEqual(after.Before.Environment, withoutValues(next.Want)) || after.Before.AdminsBypass {
				t.Errorf("put back (-want +got):\n%s", cmp.Diff(withoutValues(next.Want), after.Before.Environment))
			}
			if s.repo.Variables("production")[EnvironmentLabel] != fraudPath {
				t.Error("the label is gone")
			}
		})
	}
}

func TestASecretThatIsGoneAndHasNoValueIsAnError(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	next := s.mustApply(t, production())
	s.repo.DeleteSecret("production", "TOKEN")
	next.Want.Secrets = nil
	after, err := s.apply(t, next)
	wantError(t, err, ErrNotFound, "secret token", "secrets_wo_version")
	if !slices.Equal(after.Before.SecretNames, []string{"API_KEY"}) {
		t.Errorf("status: %v", after.Before.SecretNames)
	}
}

func TestEnvironmentsAreFoundByTheirLabel(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	c := production()
	c.Want.Name = "eu/production"
	s.mustApply(t, c)
	s.repo.SetEnvironment(githubhub.Environment{Name: "theirs"})
	l, err := s.r.Environments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names, err := l.MadeBy(t.Context(), fraudPath)
	if err != nil || !slices.Equal(names, []string{"eu/production"}) {
		t.Fatalf("%v, %v", names, err)
	}
	st, ok, err := l.All(t.Context(), names[0])
	want := withoutValues(c.Want)
	want.Variables = map[string]string{"REGION": "eu-west-1", "TIER": "gold"}
	want.SecretNames = []string{"API_KEY", "TOKEN"}
	want.Reviewers = []string{"@acme/ml-leads", "octocat"}
	if err != nil || !ok || !reflect.DeepEqual(st.Environment, want) {
		t.Errorf("%t, %v (-want +got):\n%s", ok, err, cmp.Diff(want, st.Environment))
	}
}

func TestMoreThanAPageOfEnvironmentsAndValuesIsRead(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	for i := range 101 {
		s.repo.SetEnvironment(githubhub.Environment{Name: strings.Repeat("e", i+1)})
	}
	known := pipeline.Environment{Name: "e", Variables: map[string]string{}}
	for i := range 31 {
		name := "V" + strings.Repeat("_", i)
		s.repo.SetVariable("e", name, name)
		known.Variables[name] = name
	}
	if st, ok := s.read(t, known); !ok || !maps.Equal(st.Variables, known.Variables) {
		t.Errorf("%t, %v", ok, st.Variables)
	}
	if _, ok := s.read(t, pipeline.Environment{Name: strings.Repeat("E", 101)}); !ok {
		t.Error("the second page was not read")
	}
}

func TestAnOutageAfterAnyWriteLeavesAStatusThatKnowsWhatWasDone(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	for writes := range 12 {
		c := production()
		c.Want.Name = "e" + strings.Repeat("x", writes)
		s.Fail(githubhub.Fault{Writes: true, Skip: writes, Outage: true, Status: http.StatusBadGateway})
		next, err := s.apply(t, c)
		s.Heal()
		there := slices.ContainsFunc(s.repo.Environments(), func(e githubhub.Environment) bool { return e.Name == c.Want.Name })
		if err == nil {
			if want := 1 + 1 + 3 + 2 + 2; writes != want {
				t.Errorf("it took %d writes: want %d, of the environment, its label, patterns, variables and secrets", writes, want)
			}
			return
		}
		if there && (next.Before == nil || !next.Made) {
			t.Errorf("after %d writes it is there, and the status knows nothing of it: %v", writes, err)
			continue
		}
		known, st := map[string]bool{EnvironmentLabel: true}, pipeline.EnvironmentStatus{}
		if next.Before != nil {
			st = *next.Before
		}
		for _, name := range st.SecretNames {
			known[strings.ToUpper(name)] = true
		}
		for name := range st.Variables {
			known[strings.ToUpper(name)] = true
		}
		if there {
			for _, all := range []map[string]string{s.repo.Variables(c.Want.Name), s.repo.Secrets(c.Want.Name)} {
				for name := range all {
					if !known[name] {
						t.Errorf("after %d writes %s is there, and the status does not know it", writes, name)
					}
				}
			}
		}
		if after := s.mustApply(t, next); !after.Made || !reflect.DeepEqual(after.Before.Environment, withoutValues(c.Want)) {
			t.Errorf("after %d writes, applied again: %s", writes, cmp.Diff(withoutValues(c.Want), after.Before.Environment))
		}
	}
	t.Error("it never came to its end")
}

func TestWhatGitHubHasNotEverywhereYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"actions/list-environment-secrets", "actions/list-environment-variables", "repos/list-deployment-branch-policies"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, false)
			s.Fail(githubhub.Fault{Operation: operation, Empty: true, Skip: skipsOf[operation], Times: 2})
			s.mustApply(t, production())
			s.Heal()
			s.Fail(githubhub.Fault{Operation: operation, Empty: true})
			c := production()
			c.Want.Name = "staging"
			next, err := s.apply(t, c)
			if err == nil || next.Before == nil {
				t.Fatalf("what never came was seen: %+v", next.Before)
			}
			if operation == "actions/list-environment-secrets" && len(next.Before.SecretNames) != 2 {
				t.Errorf("what was written is not in the status: %v", next.Before.SecretNames)
			}
		})
	}
}

// skipsOf is how many lists are read before the one that looks at what was written.
var skipsOf = map[string]int{"repos/list-deployment-branch-policies": 1}
