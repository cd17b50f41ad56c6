package workflow

import (
	"regexp"
	"strings"
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
