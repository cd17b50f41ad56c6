package github

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline/pipelinetest"
)

// A story is what may happen to a pipeline: applies in both modes, some cut off, people who push, merge and close.
type story struct {
	*yard
	dice   *rand.Rand
	known  pipeline.Status // as in Terraform's state; zero where it was lost
	n      int             // names what is new
	others []string        // files of people on main
	log    []string
}

func (s *story) say(format string, args ...any) { s.log = append(s.log, fmt.Sprintf(format, args...)) }

// refresh is what a plan does first.
func (s *story) refresh(t *testing.T) {
	t.Helper()
	known := s.known
	if known.Path == "" {
		known.Place = s.spec("").Place
	}
	st, err := s.engine(t).Get(within(t, time.Minute), known)
	switch {
	case errors.Is(err, pipeline.ErrNotFound):
		s.known = pipeline.Status{}
	case err != nil:
		t.Fatalf("get: %v\n%q", err, s.log)
	case s.known.Path != "":
		s.known = st
	default:
		s.known.Content = st.Content // what a plan to create is made against
	}
}

func (s *story) change() pipeline.Change {
	s.n++
	mode := []string{pipeline.Commit, pipeline.PullRequest}[s.dice.IntN(2)]
	c := s.yard.change(mode, fmt.Sprintf("job%d", s.dice.IntN(4)), s.known.Content, s.known)
	if s.known.Path == "" {
		c.Before = pipeline.Status{}
	}
	for _, name := range []string{"staging", "production"} {
		if s.dice.IntN(2) == 0 {
			c.Environments = append(c.Environments, pipeline.Environment{Name: name, Variables: map[string]string{"REGION": fmt.Sprint(s.dice.IntN(3))}})
		}
	}
	if s.dice.IntN(3) == 0 {
		c.RequiredChecks = []string{"test"}
	}
	return c
}

// apply applies, perhaps with a fault on the way, and then checks all that is promised.
func (s *story) apply(t *testing.T) {
	t.Helper()
	s.refresh(t)
	c := s.change()
	if s.dice.IntN(2) == 0 {
		at := s.dice.IntN(25)
		s.say("apply %s %d environments, cut off after %d requests", c.Delivery.Mode, len(c.Environments), at)
		s.Fail(githubhub.Fault{Skip: at, Times: 1, Applied: s.dice.IntN(2) == 0, Drop: true})
		s.Fail(githubhub.Fault{Skip: at, Status: 502})
		st, err := s.engine(t).Apply(within(t, time.Minute), c)
		s.Heal()
		if err != nil {
			if s.known.Path != "" && st.Path != "" {
				s.known = st // of an update; a create that fails is not in state
			}
			return
		}
		s.known = st
		return
	}
	s.say("apply %s %d environments", c.Delivery.Mode, len(c.Environments))
	st := apply(t, s.engine(t), c)
	s.known = st
	if st.Content != c.Content || len(st.Environments) != len(c.Environments) || len(st.RequiredChecks) != len(c.RequiredChecks) {
		t.Errorf("want %+v\ngot %+v", c.Spec, st)
	}
	if d := cmp.Diff(st, get(t, s.engine(t), st)); d != "" {
		t.Errorf("what was applied drifts: %s", d)
	}
	c.Before, c.Base = st, st.Content
	s.ForgetRequests()
	if again := apply(t, s.engine(t), c); cmp.Diff(st, again) != "" {
		t.Errorf("applied again: %s", cmp.Diff(st, again))
	}
	if n := writes(s.Requests()); n > 1 { // an environment that waited for a merge may go
		t.Errorf("applied again: %d writes: %v", n, s.Count())
	}
}

// people do something with branches and pull requests.
func (s *story) people(t *testing.T) {
	t.Helper()
	pull := s.known.Pull
	open := pull != nil && s.repo.Pull(pull.Number).State == "open"
	switch what := s.dice.IntN(5); {
	case what == 0:
		s.others = append(s.others, fmt.Sprintf("other%d.txt", s.n))
		s.say("somebody pushes %s", s.others[len(s.others)-1])
		s.repo.Push(githubhub.Commit{Files: githubhub.Files{s.others[len(s.others)-1]: "x"}})
	case what == 1:
		s.say("somebody changes the file on main")
		s.repo.Push(githubhub.Commit{Files: githubhub.Files{fraud: pipelinetest.Content(fraud, fmt.Sprintf("by-hand%d", s.n))}})
	case what == 2 && open:
		s.say("somebody closes #%d", pull.Number)
		s.repo.Close(pull.Number)
	case what >= 3 && open && mergeable(t, s.repo, pull.Number):
		method := []githubhub.Method{githubhub.MergeCommit, githubhub.Squash, githubhub.Rebase}[s.dice.IntN(3)]
		s.say("somebody merges #%d by %s", pull.Number, method)
		s.repo.Merge(pull.Number, method)
		if s.dice.IntN(2) == 0 {
			for _, r := range s.heads(t) {
				s.repo.DeleteBranch(r)
			}
		}
	case what == 4:
		s.say("state is lost")
		s.known = pipeline.Status{}
	}
}

func mergeable(t *testing.T, repo *githubhub.Repository, number int) bool {
	t.Helper()
	return repo.Pull(number).MergeSHA != ""
}

func (s *story) heads(t *testing.T) (out []string) {
	t.Helper()
	site := &site{Repository: repository(t, s.engine(t).c, s.repo.FullName), path: fraud}
	found, err := site.findHeads(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range found {
		out = append(out, h.name)
	}
	return out
}

func TestWhateverHappensToAPipelineApplyMakesItWhatIsAskedAndDeleteRemovesIt(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := &story{yard: newYard(t), dice: rand.New(rand.NewPCG(seed, 6))}
			for range 12 {
				if s.dice.IntN(3) == 0 {
					s.people(t)
				} else {
					s.apply(t)
				}
				if t.Failed() {
					t.Fatalf("%q", s.log)
				}
			}
			s.refresh(t)
			apply(t, s.engine(t), s.change())
			s.known = get(t, s.engine(t), pipeline.Status{Place: s.spec("").Place}) // an import finds all that is ours
			for range 2 {
				if pull := remove(t, s.engine(t), s.known, pipeline.Commit); pull != nil {
					s.say("merge of the removal #%d", pull.Number)
					s.repo.Merge(pull.Number, githubhub.Squash)
				}
			}
			if got := read(t, s.repo, "main", fraud); got != "" || len(s.repo.Environments()) != 0 || len(s.repo.Rulesets()) != 0 {
				t.Errorf("%q is left, environments %v, rulesets %+v\n%q", got, names(s.repo.Environments()), s.repo.Rulesets(), s.log)
			}
			for _, other := range slices.Compact(s.others) {
				if read(t, s.repo, "main", other) != "x" {
					t.Errorf("%s is gone\n%q", other, s.log)
				}
			}
		})
	}
}
