package github

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A kept environment is what a state has of it.
type kept struct {
	st   pipeline.EnvironmentStatus
	made bool
}

// A wish is what is asked for: environments and required checks, "" of branch being the default one.
type wish struct {
	environments []pipeline.Environment
	branch       string
	checks       []string
}

func someWish(t *rapid.T) wish {
	w := wish{
		branch: rapid.SampledFrom([]string{"", "main", "release"}).Draw(t, "branch"),
		checks: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"test", "scan", "lint"}), 0, 3, rapid.ID[string]).Draw(t, "checks"),
	}
	for _, name := range rapid.SampledFrom([][]string{{"production"}, {"staging"}, {"production", "staging"}, nil}).Draw(t, "names") {
		w.environments = append(w.environments, someEnvironment(t, name))
	}
	return w
}

// someEnvironment draws what a user may ask for.
func someEnvironment(t *rapid.T, name string) pipeline.Environment {
	some := func(label string, of ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID[string]).Draw(t, label)
	}
	e := pipeline.Environment{
		Name: name, Reviewers: some("reviewers", "octocat", "hubot", "@acme/ml-leads"), WaitMinutes: rapid.SampledFrom([]int{0, 5, 43_200}).Draw(t, "wait"),
		Branches: some("branches", "main", "release/*", "tag:v*"), Variables: map[string]string{}, Secrets: map[string]string{},
	}
	if len(e.Branches) == 0 && rapid.Bool().Draw(t, "all branches") {
		e.Branches = nil
	}
	e.PreventSelfReview = len(e.Reviewers) > 0 && rapid.Bool().Draw(t, "prevent self-review")
	for _, v := range some("variables", "REGION", "tier", "MODEL") {
		e.Variables[v] = rapid.SampledFrom([]string{"a", "b"}).Draw(t, v)
	}
	for _, v := range some("secrets", "KEY", "token", "OTHER") {
		e.Secrets[v] = rapid.SampledFrom([]string{"one", "two"}).Draw(t, v)
	}
	e.SecretNames = slices.Sorted(maps.Keys(e.Secrets))
	return e
}

// someFault draws what goes wrong with a few of the requests.
func someFault(t *rapid.T) githubhub.Fault {
	f := githubhub.Fault{
		Operation: rapid.SampledFrom([]string{"", "", "repos/*", "actions/*", "actions/create*", "repos/create*", "repos/delete*"}).Draw(t, "operation"),
		Skip:      rapid.IntRange(0, 12).Draw(t, "skip"), Times: rapid.SampledFrom([]int{1, 2, tries, 40}).Draw(t, "times"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		f.Status = rapid.SampledFrom([]int{http.StatusForbidden, http.StatusBadGateway, http.StatusServiceUnavailable}).Draw(t, "status")
		f.Applied = f.Status >= 500 && rapid.Bool().Draw(t, "applied")
	case 1:
		f.Cut = true
	case 2:
		f.Drop, f.Applied = true, rapid.Bool().Draw(t, "applied")
	case 3: // nothing goes wrong
		f.Operation = "none"
		f.Status = http.StatusBadGateway
	}
	return f
}

// converge is what the engine does about environments: those that are not asked for any more go, the others become what
// is asked for. Like a Terraform, it keeps what came of each and goes on with the next one only when all went well.
func converge(t *rapid.T, r *Repository, asked wish, state map[string]kept, adopt bool) error {
	want := asked.environments
	for _, name := range slices.Sorted(maps.Keys(state)) {
		if slices.ContainsFunc(want, func(e pipeline.Environment) bool { return e.Name == name }) {
			continue
		}
		err := r.ReleaseEnvironment(t.Context(), state[name].st)
		if state[name].made {
			err = r.DeleteEnvironment(t.Context(), name, fraudPath)
		}
		if err != nil {
			return err
		}
		delete(state, name)
	}
	l, err := r.Environments(t.Context())
	if err != nil {
		return err
	}
	for _, e := range want {
		c := EnvironmentChange{Path: fraudPath, Adopt: adopt, Want: e}
		if k, ok := state[e.Name]; ok {
			c.Before, c.Made = &k.st, k.made
		}
		st, made, err := r.ApplyEnvironment(t.Context(), l, c)
		if st.Name != "" {
			state[e.Name] = kept{st, made}
		}
		if err != nil {
			return err
		}
	}
	return convergeRules(t, r, asked)
}

// convergeRules is the same for the ruleset, which is found by its name.
func convergeRules(t *rapid.T, r *Repository, asked wish) error {
	if len(asked.checks) > 0 {
		_, err := r.ApplyRuleset(t.Context(), fraudPath, asked.branch, asked.checks)
		return err
	}
	rules, ok, err := r.Ruleset(t.Context(), fraudPath)
	if err != nil || !ok {
		return err
	}
	return r.DeleteRuleset(t.Context(), rules.ID, fraudPath)
}

// Whatever was asked for before, and whatever went wrong meanwhile: a last Apply makes everything what is asked for, and
// what is others' is as it was.
func TestEnvironmentsAndRulesAlwaysConvergeAndNeverTouchWhatIsOthers(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		s.Heal()
		s.SetQuota(s.token, 5000, time.Hour)
		repo := s.Repository(fmt.Sprintf("acme/r%d", n), nil)
		theirs := githubhub.Environment{Name: "theirs", Reviewers: []string{"octocat"}, WaitMinutes: 7, Branches: []string{"x"}}
		repo.SetEnvironment(theirs)
		adopt := rapid.Bool().Draw(t, "adopt")
		if adopt { // theirs, with what is not ours in it
			repo.SetEnvironment(githubhub.Environment{Name: "staging", WaitMinutes: 1})
		}
		for _, e := range repo.Environments() {
			repo.SetVariable(e.Name, "THEIRS", "stays")
			repo.SetSecret(e.Name, "THEIR_SECRET", "stays")
		}
		state := map[string]kept{}
		repo.AddRuleset(`{"name": "theirs", "target": "branch", "enforcement": "active", "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}}, "rules": [{"type": "deletion"}]}`)
		rules := repo.Rulesets()
		var want wish
		for range rapid.IntRange(1, 3).Draw(t, "applies") {
			want = someWish(t)
			s.Fail(someFault(t))
			_ = converge(t, at(t, s, repo.FullName), want, state, adopt)
			s.Heal()
		}
		if err := converge(t, at(t, s, repo.FullName), want, state, adopt); err != nil {
			t.Fatalf("the last apply, without faults: %v", err)
		}
		sameAs(t, repo, want.environments, state, adopt)
		sameRules(t, repo, want, rules)
		asked := at(t, s, repo.FullName)
		for i := range want.environments {
			want.environments[i].Secrets = nil
		}
		s.Fail(githubhub.Fault{Operation: "repos/create*", Status: http.StatusForbidden})
		s.Fail(githubhub.Fault{Operation: "actions/create*", Status: http.StatusForbidden})
		if err := converge(t, asked, want, state, adopt); err != nil {
			t.Fatalf("an apply that changes nothing wrote: %v", err)
		}
		if !slices.ContainsFunc(repo.Environments(), func(e githubhub.Environment) bool { return reflect.DeepEqual(e, theirs) }) {
			t.Errorf("another's environment: %+v", repo.Environments())
		}
	})
}

// at is a new client of the shop's.
func at(t *rapid.T, s *shop, name string) *Repository {
	c, err := open(Config{APIURL: s.APIURL, Token: s.token}, fast, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Repository(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sameAs compares what GitHub has with what was asked for.
func sameAs(t *rapid.T, repo *githubhub.Repository, want []pipeline.Environment, state map[string]kept, adopt bool) {
	all := repo.Environments()
	for _, e := range all {
		others := e.Name == "theirs" || (adopt && e.Name == "staging")
		i := slices.IndexFunc(want, func(w pipeline.Environment) bool { return w.Name == e.Name })
		variables, secrets := map[string]string{}, map[string]string{}
		if others {
			variables["THEIRS"], secrets["THEIR_SECRET"] = "stays", "stays"
		}
		if i < 0 && !others {
			t.Fatalf("%s is still there", e.Name)
		}
		if i >= 0 {
			if state[e.Name].made == others {
				t.Errorf("%s: made %t", e.Name, state[e.Name].made)
			}
			if !others {
				variables[EnvironmentLabel] = fraudPath
			}
			checkProtections(t, e, want[i])
			upper(variables, want[i].Variables)
			upper(secrets, want[i].Secrets)
		}
		if got := repo.Variables(e.Name); !maps.Equal(got, variables) {
			t.Errorf("variables of %s (-want +got):\n%s", e.Name, cmp.Diff(variables, got))
		}
		if got := repo.Secrets(e.Name); !maps.Equal(got, secrets) {
			t.Errorf("secrets of %s (-want +got):\n%s", e.Name, cmp.Diff(secrets, got))
		}
	}
	for _, w := range want {
		if !slices.ContainsFunc(all, func(e githubhub.Environment) bool { return e.Name == w.Name }) {
			t.Errorf("%s is not there", w.Name)
		}
	}
}

// sameRules compares ours with what was asked for, and others' with what they were.
func sameRules(t *rapid.T, repo *githubhub.Repository, want wish, others []githubhub.Ruleset) {
	all := repo.Rulesets()
	if !reflect.DeepEqual(all[:len(others)], others) {
		t.Errorf("others' rulesets: %+v", all)
	}
	ours := all[len(others):]
	if len(want.checks) == 0 {
		if len(ours) != 0 {
			t.Errorf("still there: %+v", ours)
		}
		return
	}
	ref := defaultBranch
	if want.branch != "" {
		ref = branchPrefix + want.branch
	}
	var checks []string
	for _, c := range ours[0].Checks() {
		checks = append(checks, c.Name)
	}
	if len(ours) != 1 || !sameSet(checks, want.checks) || !slices.Equal(ours[0].Include, []string{ref}) || ours[0].Enforcement != "active" {
		t.Errorf("%+v\nwant %v of %q", ours, want.checks, want.branch)
	}
}

func upper(to, from map[string]string) {
	for name, value := range from {
		to[strings.ToUpper(name)] = value
	}
}

func checkProtections(t *rapid.T, e githubhub.Environment, want pipeline.Environment) {
	have := pipeline.EnvironmentStatus{Environment: pipeline.Environment{Reviewers: e.Reviewers, WaitMinutes: e.WaitMinutes, PreventSelfReview: e.PreventSelfReview}}
	if e.Branches != nil || e.Tags != nil {
		have.Branches = slices.Clone(e.Branches)
		for _, tag := range e.Tags {
			have.Branches = append(have.Branches, tagPattern+tag)
		}
		if have.Branches == nil {
			have.Branches = []string{}
		}
	}
	if lacks := unkept(want, have); len(lacks) > 0 || (e.AdminsBypass && len(want.Reviewers)+want.WaitMinutes > 0) {
		t.Errorf("%s lacks %v (administrators go around: %t)", e.Name, lacks, e.AdminsBypass)
	}
}
