package githubtest

import (
	"encoding/json"
	"net/http"
	"slices"
)

var environmentOperations = map[string]func(*call) (answer, error){
	"repos/get-all-environments":            (*call).listEnvironments,
	"repos/get-environment":                 (*call).getEnvironment,
	"repos/create-or-update-environment":    (*call).putEnvironment,
	"repos/delete-an-environment":           (*call).deleteEnvironment,
	"repos/list-deployment-branch-policies": (*call).listPatterns,
	"repos/get-deployment-branch-policy":    (*call).getPattern,
	"repos/create-deployment-branch-policy": (*call).createPattern,
	"repos/update-deployment-branch-policy": (*call).updatePattern,
	"repos/delete-deployment-branch-policy": (*call).deletePattern,
	"repos/get-all-deployment-protection-rules": func(c *call) (answer, error) {
		_, err := c.environment()
		return answer{status: http.StatusOK, value: object{"total_count": 0, "custom_deployment_protection_rules": []any{}}}, err
	},
}

// What GitHub's plan gives private repositories of environments' protections; public ones have all.
const (
	planFull    = "full"
	planDrops   = "drops"   // reviewers and wait timers are taken and dropped in silence
	planRefuses = "refuses" // a request that has more than branches is refused, whatever it says
	planFree    = "free"    // there are neither environments nor rulesets
)

// environment is the one that the path names.
func (c *call) environment() (*environment, error) {
	if e := c.repo.environment(c.at.Params["environment_name"]); e != nil && !c.free() {
		return e, nil
	}
	return nil, notFound()
}

// free says whether the plan has nothing for this repository.
func (c *call) free() bool { return c.repo.private && c.w.plan == planFree }

func (c *call) listEnvironments() (answer, error) {
	if c.free() {
		return answer{}, notFound()
	}
	all := slices.Clone(c.repo.environments)
	slices.SortFunc(all, func(a, b *environment) int { return int(a.id - b.id) })
	render := func(e *environment) object { return c.w.renderEnvironment(c.repo, e) }
	return answer{status: http.StatusOK, value: object{"total_count": len(all), "environments": each(page(c, all), render)}}, nil
}

func (c *call) getEnvironment() (answer, error) {
	e, err := c.environment()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderEnvironment(c.repo, e)}, nil
}

func (c *call) putEnvironment() (answer, error) {
	if c.free() {
		return answer{}, notFound()
	}
	var fields map[string]json.RawMessage
	var in environmentInput
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := c.decode(&fields); err != nil {
		return answer{}, err
	}
	delete(fields, "deployment_branch_policy")
	if c.repo.private && c.w.plan == planRefuses && len(fields) > 0 {
		return answer{}, unprocessable("Failed to create the environment protection rule. Please ensure the billing plan supports the required reviewers protection rule.")
	}
	name := c.at.Params["environment_name"]
	e := c.repo.environment(name)
	fresh := e == nil
	if fresh {
		e = c.w.newEnvironment(c.repo, name)
	}
	if err := e.set(in, c.w, c.repo, c.repo.private && c.w.plan == planDrops); err != nil {
		if fresh {
			c.repo.removeEnvironment(e)
		}
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderEnvironment(c.repo, e)}, nil
}

func (c *call) deleteEnvironment() (answer, error) {
	e, err := c.environment()
	if err != nil {
		return answer{}, err
	}
	c.repo.removeEnvironment(e)
	return answer{status: http.StatusNoContent}, nil
}

// custom is the environment that the path names, if it has a policy of its own patterns.
func (c *call) custom() (*environment, error) {
	e, err := c.environment()
	if err != nil {
		return nil, err
	}
	if e.policy == nil || !e.policy.Custom {
		return nil, notFound()
	}
	return e, nil
}

func (c *call) pattern() (*environment, *pattern, error) {
	e, err := c.custom()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range e.patterns {
		if p.id == c.number("branch_policy_id") {
			return e, p, nil
		}
	}
	return nil, nil, notFound()
}

func (c *call) listPatterns() (answer, error) {
	e, err := c.environment()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: object{"total_count": len(e.patterns), "branch_policies": each(page(c, e.patterns), renderPattern)}}, nil
}

func (c *call) getPattern() (answer, error) {
	_, p, err := c.pattern()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: renderPattern(p)}, nil
}

// createPattern answers 303, without a location, if the pattern is there already.
func (c *call) createPattern() (answer, error) {
	e, err := c.custom()
	if err != nil {
		return answer{}, err
	}
	var in struct{ Name, Type string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if in.Name == "" {
		return answer{}, unprocessable("Name can't be blank")
	}
	p, made := e.add(c.w, in.Name, orDefault(in.Type, "branch"))
	if !made {
		return answer{status: http.StatusSeeOther}, nil
	}
	return answer{status: http.StatusOK, value: renderPattern(p)}, nil
}

func (c *call) updatePattern() (answer, error) {
	e, p, err := c.pattern()
	if err != nil {
		return answer{}, err
	}
	var in struct{ Name string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	for _, other := range e.patterns {
		if other != p && other.name == in.Name && other.kind == p.kind {
			return answer{}, unprocessable("Name has already been taken")
		}
	}
	p.name = in.Name
	return answer{status: http.StatusOK, value: renderPattern(p)}, nil
}

func (c *call) deletePattern() (answer, error) {
	e, p, err := c.pattern()
	if err != nil {
		return answer{}, err
	}
	e.patterns = slices.DeleteFunc(e.patterns, func(other *pattern) bool { return other == p })
	return answer{status: http.StatusNoContent}, nil
}
