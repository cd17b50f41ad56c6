package workflow

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Validate says what is wrong with a Spec, each problem naming its attribute as HCL has it: {"deploy", 1, "needs"}. It
// looks at nothing but s. Of a Spec without errors Render makes a workflow in which every string is where it was meant.
func Validate(s pipeline.Spec) []pipeline.Problem {
	c := &checker{s: s}
	c.place()
	c.delivery()
	c.pins()
	if s.YAML != "" {
		c.yaml()
	}
	if s.YAML == "" {
		c.triggers()
		c.stages()
	}
	for i, e := range s.Environments {
		c.environment(at{"environment", i}, e)
	}
	c.sameNames("environment", len(s.Environments), func(i int) string { return s.Environments[i].Name })
	if !c.failed() {
		c.requiredChecks() // which asks what a valid Spec is rendered as
		c.identities()
	}
	return c.problems
}

// at is the path of an attribute.
type at []any

func (a at) in(more ...any) at { return append(slices.Clone(a), more...) }

type checker struct {
	s        pipeline.Spec
	problems []pipeline.Problem
}

// bad notes an error. detail has the value, the choices and what to do.
func (c *checker) bad(where at, summary, detail string, args ...any) {
	c.problems = append(c.problems, pipeline.Problem{Path: where, Summary: summary, Detail: fmt.Sprintf(detail, args...)})
}

func (c *checker) warn(where at, summary, detail string, args ...any) {
	c.problems = append(c.problems, pipeline.Problem{Path: where, Summary: summary, Detail: fmt.Sprintf(detail, args...), Warning: true})
}

func (c *checker) failed() bool {
	return slices.ContainsFunc(c.problems, func(p pipeline.Problem) bool { return !p.Warning })
}

var (
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?/[A-Za-z0-9._-]{1,100}$`)
	workflowFile   = regexp.MustCompile(`^\.github/workflows/[A-Za-z0-9_][A-Za-z0-9._ -]{0,200}\.ya?ml$`)
)

func (c *checker) place() {
	s := c.s
	switch {
	case s.Repository == "" && s.Directory == "":
		c.bad(at{"repository"}, "The pipeline has no place", `Set repository = "OWNER/NAME" for a repository of GitHub, or directory for a checkout of one.`)
	case s.Repository != "" && s.Directory != "":
		c.bad(at{"directory"}, "The pipeline has two places", "Both repository and directory are set. Want one of them.")
	case s.Repository != "" && !repositoryName.MatchString(s.Repository):
		c.bad(at{"repository"}, "This is no repository of GitHub", `repository is %q: want OWNER/NAME, such as "acme/fraud", without an address before it.`, s.Repository)
	case s.Directory != "" && (!filepath.IsAbs(s.Directory) || !oneLiner(s.Directory)):
		c.bad(at{"directory"}, "This is no folder", "directory is %q: want the path of a folder.", s.Directory)
	}
	if !workflowFile.MatchString(s.Path) || strings.Contains(s.Path, "..") {
		c.bad(at{"path"}, "GitHub runs no workflow from there",
			"path is %q: want .github/workflows/NAME.yml or NAME.yaml. GitHub looks for workflows in that folder and in none below it; "+
				"letters, digits, spaces and . _ - make a name.", s.Path)
	}
	if s.Name != "" {
		c.line(at{"name"}, s.Name, 200)
	}
}

func (c *checker) delivery() {
	s := c.s
	if s.Directory != "" {
		const only = "is only for a repository: a folder has a file, and what is committed of it is yours. Leave it out, or set repository instead of directory."
		if s.Delivery != (pipeline.Delivery{}) {
			c.bad(at{"delivery"}, "A folder has no delivery", "delivery "+only)
		}
		if len(s.Environments) > 0 {
			c.bad(at{"environment"}, "A folder has no environments", "environment "+only)
		}
		if len(s.RequiredChecks) > 0 {
			c.bad(at{"required_checks"}, "A folder has no required checks", "required_checks "+only)
		}
		return
	}
	if m := s.Delivery.Mode; m != "" && m != pipeline.PullRequest && m != pipeline.Commit {
		c.bad(at{"delivery", "mode"}, "There is no such delivery", "mode is %q: want %s or %s.", m, pipeline.PullRequest, pipeline.Commit)
	}
	if b := s.Delivery.Branch; b != "" && !validBranch(b) {
		c.bad(at{"delivery", "branch"}, "This is no name of a branch", `branch is %q: want a name such as "main".`, b)
	}
}

var (
	tagName     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/+-]{0,200}$`)
	shortCommit = regexp.MustCompile(`^[0-9a-f]{7,39}$`)
)

func (c *checker) pins() {
	for _, name := range slices.Sorted(maps.Keys(c.s.Pins)) {
		ref, where := c.s.Pins[name], at{"pins", name}
		switch {
		case !actionName.MatchString(name):
			c.bad(where, "This is no action", `pins has %q: want OWNER/REPOSITORY, such as "actions/checkout".`, name)
		case shortCommit.MatchString(ref):
			c.bad(where, "A short commit can become ambiguous", "pins of %s is %q: want all 40 digits of the commit, or a version.", name, ref)
		case !tagName.MatchString(ref) || strings.Contains(ref, ".."):
			c.bad(where, "This is no version", `pins of %s is %q: want a tag such as "v7.0.1", or a commit of 40 digits.`, name, ref)
		}
	}
}

// yaml looks at a workflow in the user's own words. What is in it, Lint judges.
func (c *checker) yaml() {
	where := at{"workflow_yaml"}
	if n := c.blocks(); len(n) > 0 {
		c.bad(where, "The workflow is said twice", "Both workflow_yaml and %s are set. Want either the file in your own words, or blocks from which it is written.", and(n))
	}
	if c.s.Name != "" {
		c.bad(at{"name"}, "The workflow has its name in workflow_yaml", "name is %q: write it there, as name: at the top.", c.s.Name)
	}
	if !c.multiline(where, c.s.YAML, maxBytes) {
		return
	}
	if _, err := parse(c.s.YAML); err != nil {
		c.bad(where, "The workflow is no YAML", "workflow_yaml cannot be read: %v.", err)
	}
}

// blocks are those of triggers and stages that are set.
func (c *checker) blocks() (names []string) {
	s := c.s
	t := s.Triggers
	for _, b := range []struct {
		name string
		set  bool
	}{
		{"triggers", len(t.Push) > 0 || t.PullRequest || len(t.Schedule) > 0},
		{"test", s.Test != nil},
		{"data", s.Data != nil},
		{"train", s.Train != nil},
		{"evaluate", s.Evaluate != nil},
		{"package", s.Package != nil},
		{"scan", s.Scan != nil},
		{"deploy", len(s.Deploys) > 0},
		{"monitor", s.Monitor != nil},
	} {
		if b.set {
			names = append(names, b.name)
		}
	}
	return names
}

// sameNames finds names that are used twice. GitHub does not tell upper from lower case.
func (c *checker) sameNames(block string, n int, name func(int) string) {
	first := map[string]int{}
	for i := range n {
		key := strings.ToLower(name(i))
		if before, ok := first[key]; ok {
			c.bad(at{block, i, "name"}, "Two have the same name", "%s %d and %d are both called %q: want another name for one of them.", block, before+1, i+1, name(i))
			continue
		}
		first[key] = i
	}
}

// requiredChecks finds names that no pull request would ever hear of: it could not be merged.
func (c *checker) requiredChecks() {
	if len(c.s.RequiredChecks) == 0 {
		return
	}
	where, yaml := at{"required_checks"}, c.s.YAML
	if yaml == "" {
		yaml = text(build(c.s))
	}
	checks, err := Checks(yaml)
	switch {
	case err != nil:
		return // Lint says what is wrong with it
	case len(checks) == 0 && !slices.ContainsFunc(c.s.RequiredChecks, func(name string) bool { return mayReport(yaml, name) }):
		c.bad(where, "No pull request would have these checks",
			"required_checks is %q, and the workflow reports none on pull requests: they would wait forever. Set pull_request = true in triggers, and a stage.", c.s.RequiredChecks)
		return
	}
	choices := or(checks)
	if len(checks) == 0 {
		choices = "one of a workflow that is called, as JOB / CHECK"
	}
	for i, name := range c.s.RequiredChecks {
		if !mayReport(yaml, name) {
			c.bad(where.in(i), "No pull request would have this check",
				"required_checks has %q, which no job of the workflow reports on a pull request: it would wait forever. Want %s.", name, choices)
		}
		if slices.Index(c.s.RequiredChecks, name) < i {
			c.bad(where.in(i), "A check is required twice", "required_checks has %q twice: leave one out.", name)
		}
	}
}
