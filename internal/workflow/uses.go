package workflow

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A used is what a step or a job uses.
type used struct {
	name  string // "actions/checkout", "acme/ci/.github/workflows/test.yml", "docker://alpine"
	ref   string // what follows @, "" if nothing does
	local bool   // in the repository itself, "./..."
	image bool   // of a container registry, "docker://..."
}

func parseUses(s string) used {
	u := used{name: s, local: strings.HasPrefix(s, "./"), image: strings.HasPrefix(s, "docker://")}
	if name, ref, ok := strings.Cut(s, "@"); ok && !u.local {
		u.name, u.ref = name, ref
	}
	return u
}

var (
	fullCommit  = regexp.MustCompile(`^[0-9a-fA-F]{40}$`)
	imageDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// pinned reports whether it is always the same code, as far as its own name says.
func (u used) pinned() bool {
	if u.image {
		return imageDigest.MatchString(u.ref)
	}
	return u.local || fullCommit.MatchString(u.ref)
}

// actionName is owner, repository and perhaps a path.
var actionName = regexp.MustCompile(`^[A-Za-z0-9_-]+/[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)

// action reports whether it is somebody's action or workflow, with a ref: what has to be pinned unless it is.
func (u used) action() bool {
	return !u.local && !u.image && actionName.MatchString(u.name) && u.ref != "" && !strings.ContainsAny(u.ref, " \t\r\n\"'#{}")
}

// repositoryOf is the repository that an action is in, "anchore/sbom-action".
func repositoryOf(action string) string {
	owner, rest, _ := strings.Cut(action, "/")
	name, _, _ := strings.Cut(rest, "/")
	return owner + "/" + name
}

// usesOf returns what the steps and jobs of a workflow use, in its order: the nodes as they stand there, which may be
// aliases.
func usesOf(root *yaml.Node) []*yaml.Node {
	var found []*yaml.Node
	add := func(key, value *yaml.Node) {
		if key.Value == "uses" {
			found = append(found, value)
		}
	}
	if jobs := lookup(root, "jobs"); jobs != nil {
		pairs(jobs, func(_, job *yaml.Node) {
			pairs(job, add)
			for _, step := range items(lookup(job, "steps")) {
				pairs(step, add)
			}
		})
	}
	return found
}
