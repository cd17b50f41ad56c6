package github

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// guarded is a change of a pipeline with an environment and required checks.
func (y *yard) guarded() pipeline.Change {
	y.Team("acme", "ml-leads", "octocat")
	c := y.change(pipeline.Commit, "one", "", pipeline.Status{})
	want := production().Want
	want.Reviewers = []string{"@acme/ml-leads"}
	c.Environments, c.RequiredChecks = []pipeline.Environment{want}, []string{"test"}
	return c
}

func TestAPipelineComesAndGoesWithItsEnvironmentsAndRules(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo.SetEnvironment(githubhub.Environment{Name: "theirs", WaitMinutes: 1})
	y.repo.AddRuleset(`{"name": "theirs", "target": "branch", "enforcement": "disabled", "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}}, "rules": [{"type": "deletion"}]}`)
	c := y.guarded()
	st := apply(t, y.engine(t), c)
	if !st.MadeIt("file") || !st.MadeIt("environment/production") || !slices.Equal(st.RequiredChecks, []string{"test"}) || len(st.Made) != 3 {
		t.Fatalf("%+v", st)
	}
	got := get(t, y.engine(t), st)
	if !reflect.DeepEqual(got, st) {
		t.Errorf("read again (-applied +read):\n%s", cmp.Diff(st, got))
	}
	imported := get(t, y.engine(t), pipeline.Status{Place: st.Place})
	if len(imported.Environments) != 1 || !imported.MadeIt("environment/production") || !slices.Equal(imported.RequiredChecks, st.RequiredChecks) {
		t.Errorf("imported: %+v", imported)
	}
	if _, err := y.engine(t).Delete(t.Context(), got, pipeline.Delivery{Mode: pipeline.PullRequest}); err != nil {
		t.Fatal(err)
	}
	if all := y.repo.Rulesets(); len(all) != 1 || all[0].Name != "theirs" {
		t.Errorf("rulesets: %+v", all)
	}
}

func TestAPlanSaysWhatGitHubWouldNotTakeOfAnEnvironment(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo.SetEnvironment(githubhub.Environment{Name: "theirs", WaitMinutes: 1})
	for want, c := range map[string]struct {
		at     string
		change func(*pipeline.Environment)
	}{
		"7 reviewers: an environment has at most 6":    {"reviewers", func(e *pipeline.Environment) { e.Reviewers = slices.Repeat([]string{"octocat"}, 7) }},
		"wait_minutes = 50000":                         {"wait_minutes", func(e *pipeline.Environment) { e.WaitMinutes = 50_000 }},
		"prevent_self_review = true without reviewers": {"prevent_self_review", func(e *pipeline.Environment) { e.Reviewers = nil }},
		`secret "GITHUB_X"`:                            {"secrets_wo", func(e *pipeline.Environment) { e.SecretNames = []string{"GITHUB_X"} }},
		`variable "1"`:                                 {"variables", func(e *pipeline.Environment) { e.Variables = map[string]string{"1": ""} }},
		"Nobody is called nobody-at-all":               {"reviewers", func(e *pipeline.Environment) { e.Reviewers = []string{"nobody-at-all"} }},
		"no team with the slug nobody":                 {"reviewers", func(e *pipeline.Environment) { e.Reviewers = []string{"@acme/nobody"} }},
		"adopt = true":                                 {"name", func(e *pipeline.Environment) { e.Name = "theirs" }},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			y := &yard{world: &world{Hub: y.For(t), repo: y.repo.For(y.For(t))}, person: y.person}
			change := y.guarded()
			c.change(&change.Environments[0])
			found, err := y.engine(t).Check(t.Context(), change.Spec, pipeline.Status{})
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != 1 || found[0].Warning || found[0].Path[2] != c.at || !strings.Contains(found[0].Detail, want) {
				t.Errorf("%+v", found)
			}
		})
	}
}

func TestAPipelineOnASmallPlanSaysWhatItIsBehind(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo = y.PrivateRepository("acme/private", nil)
	y.SetPlan(githubhub.DroppingPlan)
	c := y.guarded()
	st, err := y.engine(t).Apply(t.Context(), c)
	wantError(t, err, pipeline.ErrNotProtected, "reviewer @acme/ml-leads", "acme/private")
	if !slices.Equal(st.Behind, []string{"environment/production"}) || !st.MadeIt("environment/production") || st.Content != "" {
		t.Errorf("%+v", st)
	}
}

func TestAPlanThatHasNoRulesetsAnyMoreIsDriftAndNoError(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.repo = y.PrivateRepository("acme/private", nil)
	c := y.guarded()
	c.Environments = nil
	st := apply(t, y.engine(t), c)
	y.SetPlan(githubhub.FreePlan)
	got := get(t, y.engine(t), st)
	if got.RequiredChecks != nil || !slices.Equal(got.Behind, []string{"required_checks"}) {
		t.Errorf("%+v", got)
	}
	_, err := y.engine(t).Apply(t.Context(), pipeline.Change{Spec: c.Spec, Content: c.Content, Base: got.Content, Before: got})
	wantError(t, err, pipeline.ErrNotProtected, "require checks by the ruleset", "take required_checks out")
	if _, err := y.engine(t).Delete(t.Context(), st, pipeline.Delivery{Mode: pipeline.Commit}); err != nil {
		t.Errorf("it cannot be removed: %v", err)
	}
}
