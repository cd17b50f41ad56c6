package workflow

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// GitHub's limits for an environment.
const (
	maxReviewers = 6
	maxWait      = 43200 // minutes: 30 days
	maxSecret    = 48 << 10
	maxSecrets   = 100
)

var (
	userLogin  = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:_[A-Za-z0-9]{1,20})?$`)
	team       = regexp.MustCompile(`^@([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/[a-z0-9][a-z0-9_-]{0,99}$`)
	secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,254}$`)
)

// labelVariable tells whose an environment is.
const labelVariable = "TIDEGATE_PIPELINE"

func (c *checker) environmentName(where at, name string) {
	if c.line(where, name, 255) && (name == "" || strings.TrimSpace(name) != name) {
		c.bad(where, "This is no name of an environment", "%s is %q: want one such as \"production\", without spaces around it.", where.name(), name)
	}
}

func (c *checker) environment(where at, e pipeline.Environment) {
	c.environmentName(where.in("name"), e.Name)
	c.reviewers(where.in("reviewers"), e.Reviewers)
	if e.WaitMinutes < 0 || e.WaitMinutes > maxWait {
		c.bad(where.in("wait_minutes"), "GitHub does not wait that long", "wait_minutes is %d: want 0 to %d, which is 30 days.", e.WaitMinutes, maxWait)
	}
	if e.PreventSelfReview && len(e.Reviewers) == 0 {
		c.bad(where.in("prevent_self_review"), "There is no review", "prevent_self_review keeps people from approving what they started, and there are no reviewers: name some, or leave it out.")
	}
	c.patterns(where.in("branches"), e.Branches)
	for i, b := range e.Branches {
		if strings.HasPrefix(b, "!") {
			c.bad(where.in("branches", i), "Environments know no exceptions", "branches has %q: want branches that may deploy, and patterns of such.", b)
		}
	}
	c.keys(where.in("variables"), e.Variables)
	for _, name := range slices.Sorted(maps.Keys(e.Variables)) {
		at := where.in("variables", name)
		c.secretName(at, "variables", name)
		if strings.EqualFold(name, labelVariable) {
			c.bad(at, "This name is Tidegate's", "variables has %q, by which Tidegate knows the environment for its own: choose another name.", name)
		}
		if v := e.Variables[name]; len(v) > maxSecret || strings.Contains(v, "\x00") {
			c.bad(at, "GitHub takes no such value", "the value of %s has %d bytes: want at most %d, without NUL.", name, len(v), maxSecret)
		}
	}
	c.secrets(where.in("secrets_wo"), e)
}

func (c *checker) reviewers(where at, reviewers []string) {
	if len(reviewers) > maxReviewers {
		c.bad(where, "An environment has too many reviewers", "reviewers has %d: GitHub takes at most %d. A team counts as one: \"@ORGANIZATION/TEAM\".", len(reviewers), maxReviewers)
	}
	owner, _, _ := strings.Cut(c.s.Repository, "/")
	for i, r := range reviewers {
		of := team.FindStringSubmatch(r)
		switch {
		case of == nil && !userLogin.MatchString(r):
			c.bad(where.in(i), "This is nobody", `reviewers has %q: want a login, such as "octocat", or a team, "@ORGANIZATION/TEAM".`, r)
		case of != nil && repositoryName.MatchString(c.s.Repository) && !strings.EqualFold(of[1], owner):
			c.bad(where.in(i), "This team is of another organization", "reviewers has %q, and the repository is of %s: want a team of %s.", r, owner, owner)
		case slices.ContainsFunc(reviewers[:i], func(o string) bool { return strings.EqualFold(o, r) }):
			c.bad(where.in(i), "A reviewer is named twice", "reviewers has %q twice: leave one out.", r)
		}
	}
}

// secrets looks at names, and at sizes of values: a value is never told.
func (c *checker) secrets(where at, e pipeline.Environment) {
	names := map[string]string{}
	for _, n := range e.SecretNames {
		names[n] = ""
	}
	for n := range e.Secrets {
		names[n] = ""
	}
	if len(names) > maxSecrets {
		c.bad(where, "An environment has too many secrets", "secrets_wo has %d: GitHub takes at most %d.", len(names), maxSecrets)
	}
	c.keys(where, names)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.secretName(where.in(name), "secrets_wo", name)
		if v, ok := e.Secrets[name]; ok && (v == "" || len(v) > maxSecret) {
			c.bad(where.in(name), "GitHub takes no such secret", "the value of %s has %d bytes: want 1 to %d.", name, len(v), maxSecret)
		}
	}
}

func (c *checker) secretName(where at, attribute, name string) {
	switch {
	case !secretName.MatchString(name):
		c.bad(where, "GitHub refuses this name", "%s has %q: want letters, digits and _, no digit first.", attribute, name)
	case strings.HasPrefix(strings.ToUpper(name), "GITHUB_"):
		c.bad(where, "GitHub refuses this name", "%s has %q: names that begin with GITHUB_ are its own. Choose another.", attribute, name)
	}
}
