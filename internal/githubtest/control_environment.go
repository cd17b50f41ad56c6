package githubtest

import (
	"fmt"
	"strings"
)

// environmentControl is an environment as githubhub has it.
type environmentControl struct {
	Repo, Name        string
	Reviewers         []string // "octocat", "@acme/ml-leads"
	WaitMinutes       int
	PreventSelfReview bool
	AdminsBypass      bool
	ProtectedBranches bool
	Branches, Tags    []string
}

// controlSetEnvironment makes an environment what is said, behind the back of who keeps it.
func (w *World) controlSetEnvironment(in environmentControl) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	var reviewers []reviewer
	for _, name := range in.Reviewers {
		org, slug, isTeam := strings.Cut(strings.TrimPrefix(name, "@"), "/")
		if !isTeam {
			reviewers = append(reviewers, reviewer{user: w.account(name)})
			continue
		}
		t := w.team(org, slug)
		if t == nil {
			return nil, fmt.Errorf("reviewer %q is no team", name)
		}
		reviewers = append(reviewers, reviewer{team: t})
	}
	e := w.newEnvironment(r, in.Name)
	e.reviewers, e.wait, e.noSelfReview, e.adminsBypass = reviewers, in.WaitMinutes, in.PreventSelfReview, in.AdminsBypass
	e.policy, e.patterns, e.updated = nil, nil, later(e.updated)
	if in.ProtectedBranches {
		e.policy = &branchPolicy{Protected: true}
	}
	if in.Branches != nil || in.Tags != nil {
		e.policy = &branchPolicy{Custom: true}
	}
	for _, name := range in.Branches {
		e.add(w, name, "branch")
	}
	for _, name := range in.Tags {
		e.add(w, name, "tag")
	}
	return nil, nil
}

// controlEnvironments tells all of a repository's.
func (w *World) controlEnvironments(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	return each(r.environments, func(e *environment) object {
		out := environmentControl{
			Name: e.name, WaitMinutes: e.wait, PreventSelfReview: e.noSelfReview, AdminsBypass: e.adminsBypass,
			ProtectedBranches: e.policy != nil && e.policy.Protected,
		}
		for _, v := range e.reviewers {
			if v.team != nil {
				out.Reviewers = append(out.Reviewers, "@"+v.team.org.login+"/"+v.team.slug)
				continue
			}
			out.Reviewers = append(out.Reviewers, v.user.login)
		}
		if e.policy != nil && e.policy.Custom {
			out.Branches = []string{}
		}
		for _, p := range e.patterns {
			if p.kind == "tag" {
				out.Tags = append(out.Tags, p.name)
				continue
			}
			out.Branches = append(out.Branches, p.name)
		}
		return object{
			"Name": out.Name, "WaitMinutes": out.WaitMinutes, "PreventSelfReview": out.PreventSelfReview, "AdminsBypass": out.AdminsBypass,
			"ProtectedBranches": out.ProtectedBranches, "Reviewers": out.Reviewers, "Branches": out.Branches, "Tags": out.Tags,
		}
	}), nil
}

func (w *World) controlDeleteEnvironment(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	e := r.environment(in.Name)
	if e == nil {
		return nil, fmt.Errorf("%s has no environment %q", in.Repo, in.Name)
	}
	r.removeEnvironment(e)
	return nil, nil
}

// of names secrets or variables: those of an environment, or of the repository.
type of struct{ Repo, Environment, Kind, Name, Value string }

// store returns where a kind of values is kept.
func (w *World) store(in of) (values, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	s, v := r.secrets, r.variables
	if in.Environment != "" {
		e := r.environment(in.Environment)
		if e == nil {
			return nil, fmt.Errorf("%s has no environment %q", in.Repo, in.Environment)
		}
		s, v = e.secrets, e.variables
	}
	switch in.Kind {
	case "secret":
		return s.byName, nil
	case "variable":
		return v, nil
	}
	return nil, fmt.Errorf("values of kind %q: want secret or variable", in.Kind)
}

func (w *World) controlValues(in of) (any, error) {
	all, err := w.store(in)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, v := range all {
		out[name] = v.text
	}
	return out, nil
}

func (w *World) controlSetValue(in of) (any, error) {
	all, err := w.store(in)
	if err != nil {
		return nil, err
	}
	all.set(in.Name, in.Value)
	return nil, nil
}

func (w *World) controlDeleteValue(in of) (any, error) {
	all, err := w.store(in)
	if err != nil {
		return nil, err
	}
	name := strings.ToUpper(in.Name)
	if all[name] == nil {
		return nil, fmt.Errorf("%s has no %s %q to delete", in.Repo, in.Kind, in.Name)
	}
	delete(all, name)
	return nil, nil
}

// controlPlan says what private repositories have.
func (w *World) controlPlan(in struct{ Plan string }) (any, error) {
	switch in.Plan {
	case planFull, planDrops, planRefuses, planFree:
		w.plan = in.Plan
		return nil, nil
	}
	return nil, fmt.Errorf("plan %q: want %s, %s, %s or %s", in.Plan, planFull, planDrops, planRefuses, planFree)
}
