package github

import (
	"maps"
	"reflect"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

func TestAnEnvironmentOfSomebodyElseIsNotTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		there  func(*shop)
		want   string // in the error
		plain  bool   // asks for no protections and no values
		keeps  bool   // ours by what is left of an unfinished create
		theirs bool   // with adopt, it is not ours to delete
	}{
		"other protections": {func(s *shop) { s.repo.SetEnvironment(githubhub.Environment{Name: "Production", WaitMinutes: 5}) }, "adopt = true", false, false, true},
		"the same, with a variable in it": {func(s *shop) {
			s.repo.SetEnvironment(githubhub.Environment{Name: "production"})
			s.repo.SetVariable("production", "A", "b")
		}, "adopt = true", true, false, true},
		"the same, with a secret in it": {func(s *shop) {
			s.repo.SetEnvironment(githubhub.Environment{Name: "production"})
			s.repo.SetSecret("production", "A", "b")
		}, "adopt = true", true, false, true},
		"another pipeline's": {func(s *shop) {
			s.repo.SetEnvironment(githubhub.Environment{Name: "production"})
			s.repo.SetVariable("production", EnvironmentLabel, ".github/workflows/other.yml")
		}, "belongs to the pipeline .github/workflows/other.yml", true, false, true},
		"the same, and empty: unfinished": {func(s *shop) { s.repo.SetEnvironment(githubhub.Environment{Name: "production"}) }, "", true, true, true},
		"some of the patterns: unfinished": {func(s *shop) {
			s.repo.SetEnvironment(githubhub.Environment{Name: "production", Reviewers: []string{"@acme/ml-leads", "octocat"}, WaitMinutes: 10, PreventSelfReview: true, Branches: []string{"main"}})
		}, "", false, true, true},
		"our label, whatever it looks like": {func(s *shop) {
			s.repo.SetEnvironment(githubhub.Environment{Name: "production"})
			s.repo.SetVariable("production", EnvironmentLabel, fraudPath)
		}, "", false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, false)
			c.there(s)
			change := production()
			if c.plain {
				change.Want = pipeline.Environment{Name: "production"}
			}
			before := s.repo.Environments()
			if c.keeps {
				if next := s.mustApply(t, change); !next.Made {
					t.Error("it is ours, and was not said to be")
				}
				return
			}
			next, err := s.apply(t, change)
			wantError(t, err, pipeline.ErrExists, c.want, `environment "production" in acme/infra`)
			if next.Before != nil || !reflect.DeepEqual(before, s.repo.Environments()) {
				t.Errorf("it was touched: %+v", s.repo.Environments())
			}
			change.Adopt = true
			next = s.mustApply(t, change)
			if next.Made == c.theirs {
				t.Errorf("made: %t", next.Made)
			}
			if again := s.mustApply(t, next); again.Made == c.theirs {
				t.Errorf("made, the second time: %t", again.Made)
			}
		})
	}
}

func TestAnAdoptedEnvironmentLosesOnlyWhatWePutIntoIt(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.repo.SetEnvironment(githubhub.Environment{Name: "production", WaitMinutes: 5})
	s.repo.SetVariable("production", "THEIRS", "stays")
	s.repo.SetSecret("production", "THEIR_SECRET", "stays")
	c := production()
	c.Adopt = true
	next := s.mustApply(t, c)
	if err := s.r.ReleaseEnvironment(t.Context(), *next.Before); err != nil {
		t.Fatal(err)
	}
	if v := s.repo.Variables("production"); !maps.Equal(v, map[string]string{"THEIRS": "stays"}) {
		t.Errorf("variables %v", v)
	}
	if v := s.repo.Secrets("production"); !maps.Equal(v, map[string]string{"THEIR_SECRET": "stays"}) {
		t.Errorf("secrets %v", v)
	}
	if e := s.named(t, "production"); e.WaitMinutes != 10 {
		t.Errorf("the protections went: %+v", e)
	}
	s.repo.DeleteEnvironment("production")
	if err := s.r.ReleaseEnvironment(t.Context(), *next.Before); err != nil {
		t.Errorf("of one that is gone: %v", err)
	}
}

func TestDeletingAnEnvironmentTakesNoOtherPipelines(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.repo.SetEnvironment(githubhub.Environment{Name: "theirs"})
	s.mustApply(t, production())
	wantError(t, s.r.DeleteEnvironment(t.Context(), "production", ".github/workflows/other.yml"), pipeline.ErrExists, "is of "+fraudPath)
	for range 2 {
		if err := s.r.DeleteEnvironment(t.Context(), "Production", fraudPath); err != nil {
			t.Fatal(err)
		}
	}
	if all := s.repo.Environments(); len(all) != 1 || all[0].Name != "theirs" {
		t.Errorf("left: %+v", all)
	}
}
