package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A protection of a branch, of the older kind: one rule for one branch.
type protection struct {
	pullRequest bool            // changes must come by one
	restricted  bool            // nobody may push
	checks      []requiredCheck // must have succeeded on a commit that gets there
	bypass      []string        // logins and slugs of apps that may all the same
	status      int             // of the answer to a push by the API; 0: what GitHub mostly answers
}

// A requiredCheck is a check run that must have succeeded.
type requiredCheck struct {
	name string
	app  int64 // 0: of any app
}

// A change of a ref that is about to be made.
type change struct {
	ref      string
	old, new string // "": the ref is made, or deleted
	force    bool
	pull     *pull // that is merged by it
}

// branch is the name of the branch that changes, "" for a tag.
func (ch change) branch() string {
	name, ok := strings.CutPrefix(ch.ref, "refs/heads/")
	if !ok {
		return ""
	}
	return name
}

// tested is the commit whose checks count: the head of what is merged.
func (ch change) tested() string {
	if ch.pull != nil {
		return ch.pull.headSHA
	}
	return ch.new
}

// guard refuses a change that a branch's protection or rulesets forbid to who asks. status is what GitHub answers such
// a request with.
func (c *call) guard(ch change, status int) error {
	if p := c.repo.protected[ch.branch()]; p != nil && !c.passes(p) {
		if words := c.repo.violations(p, ch); len(words) > 0 {
			if p.status != 0 && ch.pull == nil {
				status = p.status
			}
			return &problem{status: status, message: strings.Join(words, "\n")}
		}
	}
	words, err := c.broken(ch)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return &problem{status: status, message: "Repository rule violations found\n\n" + strings.Join(words, "\n\n") + "\n\n"}
	}
	return nil
}

// mayMerge is guard for merging a pull request.
func (c *call) mayMerge(ch change) error {
	if !c.writesWorkflows() {
		files, err := c.repo.git.Diff(ch.old, ch.new)
		if err != nil {
			return err
		}
		for _, f := range files {
			if isWorkflow(f.Path) {
				return &problem{status: http.StatusForbidden, message: fmt.Sprintf("refusing to allow %s to create or update workflow `%s` without %s", c.who.noun(), f.Path, c.who.workflowRight())}
			}
		}
	}
	return c.guard(ch, http.StatusMethodNotAllowed)
}

// passes says whether who asks is let through a protection.
func (c *call) passes(p *protection) bool {
	if c.who == nil {
		return false
	}
	return slices.Contains(p.bypass, c.who.who.login) || c.who.app != nil && slices.Contains(p.bypass, c.who.app.slug)
}

// violations are what a protection has against a change, in GitHub's words.
func (r *repository) violations(p *protection, ch change) []string {
	if ch.new == "" {
		return []string{"Cannot delete this branch"}
	}
	if ch.old != "" && ch.pull == nil && ch.force && !r.git.IsAncestor(ch.old, ch.new) {
		return []string{"Cannot force-push to this branch"}
	}
	var words []string
	if p.pullRequest && ch.pull == nil {
		words = append(words, "Changes must be made through a pull request.")
	}
	if p.restricted && ch.pull == nil {
		words = append(words, "You're not authorized to push to this branch. Visit https://docs.github.com/articles/about-protected-branches/ for more information.")
	}
	return append(words, r.expected(p.checks, ch.tested())...)
}

// expected says which checks are missing on a commit.
func (r *repository) expected(checks []requiredCheck, sha string) []string {
	var missing []string
	for _, k := range checks {
		if !r.succeeded(k, sha) {
			missing = append(missing, k.name)
		}
	}
	switch {
	case len(missing) == 0:
		return nil
	case len(missing) == 1:
		return []string{fmt.Sprintf("Required status check %q is expected.", missing[0])}
	}
	return []string{fmt.Sprintf("%d of %d required status checks are expected.", len(missing), len(checks))}
}

// succeeded says whether the newest check run of a name did; only the required app's count.
func (r *repository) succeeded(want requiredCheck, sha string) bool {
	for _, k := range slices.Backward(r.checks) {
		if k.sha == sha && k.name == want.name && (want.app == 0 || k.app.id == want.app) {
			return k.status == "completed" && slices.Contains([]string{"success", "neutral", "skipped"}, k.conclusion)
		}
	}
	return false
}

// isProtected is what the API and GITHUB_REF_PROTECTED say of a branch.
func (r *repository) isProtected(branch string) bool {
	rules, _ := r.activeRules("refs/heads/" + branch)
	return r.protected[branch] != nil || len(rules) > 0
}

// held says whether rules hold a pull request that could be merged: its state is "blocked" then. Who may bypass them is
// not asked.
func (r *repository) held(p *pull) bool {
	ref := "refs/heads/" + p.baseRef
	ch := change{ref: ref, old: r.git.Ref(ref), new: p.merge, pull: p}
	if rule := r.protected[p.baseRef]; rule != nil && len(r.violations(rule, ch)) > 0 {
		return true
	}
	rules, _ := r.activeRules(ref)
	for _, rule := range rules {
		if rule["type"] == "required_linear_history" || rule["type"] == "update" {
			continue // depends on how it is merged, or on by whom
		}
		if words, err := r.breaks(rule, ch); err != nil || len(words) > 0 {
			return true
		}
	}
	return false
}
