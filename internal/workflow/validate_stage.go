package workflow

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// What a job may last at most, in minutes.
const (
	longestHosted = 360
	longestOwn    = 7200
)

var (
	label   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:=@+-]{0,250}$`)
	version = regexp.MustCompile(`^(?:(?:pypy|graalpy)-?)?[0-9]{1,2}(?:\.(?:[0-9]{1,3}|x)){0,2}(?:t|-dev|(?:a|b|rc|-alpha\.|-beta\.|-rc\.)[0-9]+)?$`)
	tooOld  = regexp.MustCompile(`^3\.[0-3]$`)
)

// stage looks at what each stage can say. context has what its job knows besides what all know.
func (c *checker) stage(where at, s pipeline.Stage, context ...string) {
	own := false
	for _, l := range s.RunsOn {
		own = own || !hosted.MatchString(l)
		if !label.MatchString(l) {
			c.bad(where.in("runs_on"), "This is no label of a runner", `runs_on has %q: want labels such as "ubuntu-latest" or "self-hosted", without spaces.`, l)
		}
	}
	longest := longestHosted
	if own {
		longest = longestOwn
	}
	if s.TimeoutMinutes < 0 || s.TimeoutMinutes > longest {
		c.bad(where.in("timeout_minutes"), "A job cannot last that long", "timeout_minutes is %d: want 1 to %d; machines of your own may work up to %d.", s.TimeoutMinutes, longestHosted, longestOwn)
	}
	if s.Python != "" {
		c.python(where.in("python"), s.Python)
	}
	c.env(where.in("env"), s.Env, slices.Concat(inJob, context))
	c.permissions(where.in("permissions"), s.Permissions)
	for i, step := range s.Steps {
		c.step(where.in("step", i), step, slices.Concat(inStep, context))
	}
}

func (c *checker) python(where at, v string) {
	switch {
	case tooOld.MatchString(v):
		c.bad(where, "This version of Python is very old", `python is %q: a number loses its last zero. Write it in quotes, such as "3.10".`, v)
	case !version.MatchString(v):
		c.bad(where, "This is no version of Python", `python is %q: want one such as "3.13".`, v)
	}
}

var (
	envForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,199}$`)
	// Names by which bash is told to run something before a script, or to show it.
	bashNames = []string{"BASH_ENV", "BASHOPTS", "ENV", "PS4", "SHELLOPTS"}
)

// env looks at variables of the environment. Names in which the workflow itself tells scripts something are taken.
func (c *checker) env(where at, env map[string]string, contexts []string) {
	c.keys(where, env)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		upper := strings.ToUpper(name)
		switch {
		case !envForm.MatchString(name):
			c.bad(where.in(name), "This is no name of a variable", "env has %q: want letters, digits and _, a letter or _ first.", name)
		case strings.HasPrefix(upper, "GITHUB_") || strings.HasPrefix(upper, "RUNNER_") || strings.HasPrefix(upper, "ACTIONS_"):
			c.bad(where.in(name), "This name is GitHub's", "env has %q: GitHub sets what begins with GITHUB_, RUNNER_ and ACTIONS_ itself. Choose another name.", name)
		case strings.HasPrefix(upper, "TRAIN_") || strings.HasPrefix(upper, "MATRIX_") || strings.HasPrefix(upper, "INPUT_") || upper == "DATASET":
			c.bad(where.in(name), "This name is the workflow's", "env has %q: the workflow tells scripts DATASET and what begins with TRAIN_ and MATRIX_, and actions what begins with INPUT_. Choose another name.", name)
		case slices.Contains(bashNames, name) || strings.HasPrefix(name, "BASH_FUNC_"):
			c.bad(where.in(name), "Bash takes this for more than text", "env has %q, by which bash is told what to run or how. Say it in the script.", name)
		}
		c.value(where.in(name), env[name], contexts, false)
	}
}

// keys finds names that differ only by case, which GitHub takes for the same.
func (c *checker) keys(where at, m map[string]string) {
	seen := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if before, ok := seen[strings.ToLower(k)]; ok {
			c.bad(where.in(k), "Two names differ only by case", "%s has %q and %q, which GitHub takes for the same: leave one out.", where.name(), before, k)
		}
		seen[strings.ToLower(k)] = k
	}
}

// value looks at a value in which GitHub may compute.
func (c *checker) value(where at, v string, contexts []string, with bool) {
	if !c.multiline(where, v, maxValue) {
		return
	}
	if err := expressions(v, contexts, with); err != nil {
		c.bad(where, "This expression is not taken", "%s has an expression that is refused: %v.", where.name(), err)
	}
}

// scopes are the permissions of GITHUB_TOKEN, and the most that each can be.
var scopes = map[string]string{
	"actions": "write", "artifact-metadata": "write", "attestations": "write", "checks": "write", "contents": "write",
	"deployments": "write", "discussions": "write", "id-token": "write", "issues": "write", "models": "read",
	"packages": "write", "pages": "write", "pull-requests": "write", "repository-projects": "write",
	"security-events": "write", "statuses": "write",
}

func (c *checker) permissions(where at, permissions map[string]string) {
	for _, scope := range slices.Sorted(maps.Keys(permissions)) {
		level := permissions[scope]
		most, known := scopes[scope]
		choices := []string{"read"}
		if most == "write" {
			choices = []string{"read", "write"}
		}
		if scope == "id-token" {
			choices = []string{"write"}
		}
		switch {
		case !known:
			c.bad(where.in(scope), "There is no such permission", "permissions has %q: want %s.", scope, or(slices.Sorted(maps.Keys(scopes))))
		case !slices.Contains(choices, level):
			c.bad(where.in(scope), "A permission cannot be that", "permissions of %s is %q: want %s. What is not asked for is not given.", scope, level, or(choices))
		}
	}
}

var (
	inputForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,99}$`)
	localPath = regexp.MustCompile(`^\./[A-Za-z0-9._/-]+$`)
	imageName = regexp.MustCompile(`^docker://[a-z0-9][A-Za-z0-9._/:-]*$`)
	// codeInputs are names of inputs that well-known actions take for code.
	codeInputs = []string{"script", "run", "command", "cmd", "inlinescript", "inline-script", "args", "entrypoint"}
)

// step looks at a step that the user adds.
func (c *checker) step(where at, s pipeline.Step, contexts []string) {
	if s.Name != "" {
		c.line(where.in("name"), s.Name, 200)
	}
	c.env(where.in("env"), s.Env, contexts)
	switch {
	case (s.Run == "") == (s.Uses == ""):
		c.bad(where, "A step is a script or an action", "Set run, a script, or uses, an action, and not both.")
		return
	case s.Run != "":
		c.script(where.in("run"), s.Run, true)
		if len(s.With) > 0 {
			c.bad(where.in("with"), "A script has no inputs", "with is for uses: give a script its values by env.")
		}
		return
	}
	c.uses(where.in("uses"), s.Uses)
	c.keys(where.in("with"), s.With)
	for _, name := range slices.Sorted(maps.Keys(s.With)) {
		at, v := where.in("with", name), s.With[name]
		if !inputForm.MatchString(name) {
			c.bad(at, "This is no name of an input", "with has %q: want letters, digits and _ . -.", name)
		}
		if slices.Contains(codeInputs, strings.ToLower(name)) {
			c.script(at, v, false)
			continue
		}
		c.value(at, v, contexts, true)
	}
}

func (c *checker) uses(where at, s string) {
	u := parseUses(s)
	switch {
	case u.local:
		if !localPath.MatchString(s) || strings.Contains(s, "..") {
			c.bad(where, "This is no action of the repository", `uses is %q: want a folder, such as "./.github/actions/setup".`, s)
		}
	case u.image:
		if !u.pinned() || !imageName.MatchString(u.name) {
			c.bad(where, "An image can be replaced behind its name", `uses is %q: want its digest, "docker://IMAGE@sha256:...".`, s)
		}
	case actionName.MatchString(u.name) && u.ref == "":
		c.bad(where, "An action needs a version", `uses is %q: want one, such as "%s@v1"; it is pinned to the commit of that version.`, s, u.name)
	case !u.action() || !tagName.MatchString(u.ref):
		c.bad(where, "This is no action", `uses is %q: want "OWNER/REPOSITORY@VERSION", "./FOLDER" or "docker://IMAGE@sha256:...".`, s)
	}
}
