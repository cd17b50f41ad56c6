package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An environment of a repository, with its protections.
type environment struct {
	id, rules        int64 // rules is the first of the ids of its protection rules
	name             string
	created, updated time.Time
	wait             int // minutes
	reviewers        []reviewer
	noSelfReview     bool
	adminsBypass     bool
	policy           *branchPolicy // nil: any branch may deploy
	patterns         []*pattern    // of a custom policy
	secrets          secrets
	variables        values
}

// A reviewer is one of the two.
type reviewer struct {
	user *account
	team *team
}

// A branchPolicy is exactly one of the two.
type branchPolicy struct {
	Protected bool `json:"protected_branches"`
	Custom    bool `json:"custom_branch_policies"`
}

// A pattern of branches or tags that may deploy.
type pattern struct {
	id         int64
	name, kind string // kind is "branch" or "tag"
}

// environmentInput is what is sent to create or change one. What is not sent is reset.
type environmentInput struct {
	WaitTimer         int   `json:"wait_timer"`
	PreventSelfReview bool  `json:"prevent_self_review"`
	CanAdminsBypass   *bool `json:"can_admins_bypass"`
	Reviewers         []struct {
		Type string
		ID   int64
	}
	Policy *branchPolicy `json:"deployment_branch_policy"`
}

// environment returns one by its name, nil if there is none.
func (r *repository) environment(name string) *environment {
	i := slices.IndexFunc(r.environments, func(e *environment) bool { return strings.EqualFold(e.name, name) })
	if i < 0 {
		return nil
	}
	return r.environments[i]
}

// newEnvironment makes one without protections, or returns the one that is there.
func (w *World) newEnvironment(r *repository, name string) *environment {
	if e := r.environment(name); e != nil {
		return e
	}
	e := &environment{id: w.id(), name: name, created: now(), updated: now(), adminsBypass: true, secrets: newSecrets(w.id()), variables: values{}}
	e.rules = w.id()
	w.last += 2 // one for each kind of rule
	r.environments = append(r.environments, e)
	return e
}

func (r *repository) removeEnvironment(e *environment) {
	r.environments = slices.DeleteFunc(r.environments, func(other *environment) bool { return other == e })
}

// set takes over what was sent, or says what is wrong with it. With drops, GitHub's plan has no such protections for this
// repository, and does not say so.
func (e *environment) set(in environmentInput, w *World, r *repository, drops bool) error {
	if in.WaitTimer < 0 || in.WaitTimer > 43200 {
		return unprocessable("Wait timer must be between 0 and 43200 minutes")
	}
	if len(in.Reviewers) > 6 {
		return unprocessable("Only up to 6 reviewers are allowed")
	}
	if in.Policy != nil && in.Policy.Protected == in.Policy.Custom {
		return unprocessable("protected_branches and custom_branch_policies can not have the same value")
	}
	var reviewers []reviewer
	for _, x := range in.Reviewers {
		found, err := w.reviewer(r, x.Type, x.ID)
		if err != nil {
			return err
		}
		reviewers = append(reviewers, found)
	}
	e.wait, e.reviewers, e.noSelfReview = in.WaitTimer, reviewers, in.PreventSelfReview && len(reviewers) > 0
	if drops {
		e.wait, e.reviewers, e.noSelfReview = 0, nil, false
	}
	e.adminsBypass = in.CanAdminsBypass == nil || *in.CanAdminsBypass
	if e.policy = in.Policy; e.policy == nil || !e.policy.Custom {
		e.patterns = nil
	}
	e.updated = later(e.updated)
	return nil
}

func unprocessable(words string) error {
	return &problem{status: http.StatusUnprocessableEntity, message: words}
}

// later is now, or a second after what was: one can see that something was changed.
func later(than time.Time) time.Time {
	if at := now(); at.After(than) {
		return at
	}
	return than.Add(time.Second)
}

func (w *World) reviewer(r *repository, kind string, id int64) (reviewer, error) {
	if kind == "Team" {
		for _, t := range w.teams {
			if t.id == id && t.org == r.owner {
				return reviewer{team: t}, nil
			}
		}
	}
	for _, a := range w.accounts {
		if kind == "User" && a.id == id && a.kind == "User" && r.atLeast(a, "read") {
			return reviewer{user: a}, nil
		}
	}
	return reviewer{}, invalid("Environment", "reviewers", "invalid", fmt.Sprintf("%s %d is no one who may read this repository", kind, id))
}

// policies adds a pattern, or says that it is there.
func (e *environment) add(w *World, name, kind string) (p *pattern, made bool) {
	for _, p := range e.patterns {
		if p.name == name && p.kind == kind {
			return p, false
		}
	}
	p = &pattern{w.id(), name, kind}
	e.patterns = append(e.patterns, p)
	return p, true
}

func (w *World) renderEnvironment(r *repository, e *environment) object {
	rules := []any{}
	rule := func(i int64, kind string) object {
		o := object{"id": e.rules + i, "node_id": node("GA", e.rules+i), "type": kind}
		rules = append(rules, o)
		return o
	}
	if e.wait > 0 {
		rule(0, "wait_timer")["wait_timer"] = e.wait
	}
	if len(e.reviewers) > 0 {
		o := rule(1, "required_reviewers")
		o["prevent_self_review"] = e.noSelfReview
		o["reviewers"] = each(e.reviewers, func(v reviewer) object {
			if v.team != nil {
				return object{"type": "Team", "reviewer": w.renderTeam(v.team)}
			}
			return object{"type": "User", "reviewer": w.renderAccount(v.user)}
		})
	}
	var policy any
	if e.policy != nil {
		rule(2, "branch_policy")
		policy = *e.policy
	}
	return object{
		"id": e.id, "node_id": node("EN", e.id), "name": e.name, "created_at": stamp(e.created), "updated_at": stamp(e.updated),
		"url": w.link("/repos/%s/environments/%s", r.fullName(), e.name), "protection_rules": rules, "deployment_branch_policy": policy,
		"html_url": fmt.Sprintf("%s/%s/deployments/activity_log?environments_filter=%s", w.url, r.fullName(), e.name), "can_admins_bypass": e.adminsBypass,
	}
}

func renderPattern(p *pattern) object {
	return object{"id": p.id, "node_id": node("GP", p.id), "name": p.name, "type": p.kind}
}
