package githubtest

import (
	"net/http"
)

var protectionOperations = map[string]func(*call) (answer, error){
	"repos/get-branch-protection":    (*call).getProtection,
	"repos/update-branch-protection": (*call).putProtection,
	"repos/delete-branch-protection": (*call).deleteProtection,
}

func (c *call) protectedBranch() (*protection, error) {
	name := c.at.Params["branch"]
	if c.repo.git.Ref("refs/heads/"+name) == "" {
		return nil, &problem{status: http.StatusNotFound, message: "Branch not found"}
	}
	if p := c.repo.protected[name]; p != nil {
		return p, nil
	}
	return nil, &problem{status: http.StatusNotFound, message: "Branch not protected"}
}

func (w *World) renderProtection(r *repository, name string, p *protection) object {
	at := w.link("/repos/%s/branches/%s/protection", r.fullName(), name)
	out := object{"url": at, "enforce_admins": object{"url": at + "/enforce_admins", "enabled": true}}
	if p.pullRequest {
		out["required_pull_request_reviews"] = object{
			"url": at + "/required_pull_request_reviews", "dismiss_stale_reviews": false, "require_code_owner_reviews": false,
			"required_approving_review_count": 0,
		}
	}
	if p.restricted {
		out["restrictions"] = object{
			"url": at + "/restrictions", "users_url": at + "/users", "teams_url": at + "/teams", "apps_url": at + "/apps",
			"users": []any{}, "teams": []any{}, "apps": []any{},
		}
	}
	if len(p.checks) > 0 {
		var names []string
		for _, k := range p.checks {
			names = append(names, k.name)
		}
		out["required_status_checks"] = object{
			"url": at + "/required_status_checks", "strict": false, "contexts": names, "contexts_url": at + "/contexts",
			"checks": each(p.checks, func(k requiredCheck) object {
				if k.app == 0 {
					return object{"context": k.name, "app_id": nil}
				}
				return object{"context": k.name, "app_id": k.app}
			}),
		}
	}
	return out
}

func (c *call) getProtection() (answer, error) {
	p, err := c.protectedBranch()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, value: c.w.renderProtection(c.repo, c.at.Params["branch"], p)}, nil
}

// putProtection takes what is enforced here; the rest of a protection has no effect.
func (c *call) putProtection() (answer, error) {
	var in struct {
		Checks *struct {
			Contexts []string
			Checks   []struct {
				Context string
				AppID   int64 `json:"app_id"`
			}
		} `json:"required_status_checks"`
		Reviews      *object `json:"required_pull_request_reviews"`
		Restrictions *object
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	name := c.at.Params["branch"]
	if c.repo.git.Ref("refs/heads/"+name) == "" {
		return answer{}, &problem{status: http.StatusNotFound, message: "Branch not found"}
	}
	p := &protection{pullRequest: in.Reviews != nil, restricted: in.Restrictions != nil}
	if in.Checks != nil {
		for _, context := range in.Checks.Contexts {
			p.checks = append(p.checks, requiredCheck{name: context})
		}
		for _, k := range in.Checks.Checks {
			p.checks = append(p.checks, requiredCheck{name: k.Context, app: max(k.AppID, 0)})
		}
	}
	c.repo.protected[name] = p
	out := c.w.renderProtection(c.repo, name, p)
	delete(out, "required_status_checks") // this answer has another form of them, which nobody reads
	return answer{status: http.StatusOK, value: out}, nil
}

func (c *call) deleteProtection() (answer, error) {
	if _, err := c.protectedBranch(); err != nil {
		return answer{}, err
	}
	delete(c.repo.protected, c.at.Params["branch"])
	return answer{status: http.StatusNoContent}, nil
}

// controlProtect protects a branch; with nothing said, so that whoever may write may still push.
func (w *World) controlProtect(in struct {
	Repo, Branch            string
	PullRequest, Restricted bool
	Checks                  []struct {
		Name string
		App  int64
	}
	Bypass []string
	Status int
}) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	p := &protection{pullRequest: in.PullRequest, restricted: in.Restricted, bypass: in.Bypass, status: in.Status}
	for _, k := range in.Checks {
		p.checks = append(p.checks, requiredCheck{k.Name, k.App})
	}
	r.protected[in.Branch] = p
	return nil, nil
}

func (w *World) controlUnprotect(in named) (any, error) {
	r, err := w.repo(in.Repo)
	if err != nil {
		return nil, err
	}
	delete(r.protected, in.Branch)
	return nil, nil
}
