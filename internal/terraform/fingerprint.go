package terraform

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
)

// FingerprintVersion is the number of the recipe by which plans are hashed. Two fingerprints of different versions
// are never equal.
const FingerprintVersion = 1

// A Fingerprint stands for the whole structure of a plan: every action, address, value before and after with sensitive
// ones, unknowns as such, the configuration of what changes and of providers, provider versions, the lock file,
// the tool's version, the workspace, variables, the state's lineage. With a key it is HMAC-SHA256, so that nobody can
// guess a sensitive value by trying; without one, sensitive values are left out.
//
// What is not in it: resources to which nothing is done, drift, checks, the time, the reasons of changes, what modules
// and providers are made of beyond their version and hash in the lock file, and what provisioners and external data
// sources read from elsewhere. A value that is another one in each plan, such as a uuid() that is known at plan, makes
// each plan another: the difference names its attribute.
type Fingerprint struct {
	Version int
	Keyed   bool
	Sum     string // 64 hexadecimal digits over all parts
	Parts   []Part // sorted by Name
}

// A Part of a plan with a hash of its own, so that two plans can be compared without their values.
type Part struct {
	// Name is "resource aws_instance.b", "output url", "variable region", "provider registry.terraform.io/hashicorp/aws",
	// "lock file", "tool", "workspace", "state lineage", "key", ...; of a group "resources of aws_instance in module.a".
	Name string
	Sum  string // 16 hexadecimal digits
	// Attributes are hashes of what changes in a resource, by path, 8 digits each; nil where there was no room for them.
	Attributes map[string]string
}

// A Difference between a reviewed plan and the present one.
type Difference struct {
	Part string // a Part's name; "plan" where no part tells the difference
	How  string // "was not reviewed", "is gone", "is another"
	// Attributes that differ, where both sides know them, sorted. "(configuration)" is the resource's block: its
	// provisioners, write-only arguments, meta-arguments. "(unchanged)" is what the change leaves as it is, and somebody
	// else has changed.
	Attributes []string
}

// How parts differ.
const (
	NotReviewed = "was not reviewed"
	Gone        = "is gone"
	Another     = "is another"
)

// Equal reports whether two plans have the same structure, as far as both fingerprints saw it. Fingerprints of different
// versions or kinds (keyed or not) are never equal.
func (f Fingerprint) Equal(g Fingerprint) bool {
	return f.Version == g.Version && f.Keyed == g.Keyed && f.Sum != "" && subtle.ConstantTimeCompare([]byte(f.Sum), []byte(g.Sum)) == 1
}

// Diff says what makes two fingerprints differ, sorted by part; nil if they are equal. Of fingerprints that cannot be
// compared it says only that: of another version (part "recipe"), or with another key or none (part "key").
func Diff(reviewed, now Fingerprint) []Difference {
	if reviewed.Equal(now) {
		return nil
	}
	if reviewed.Version != now.Version {
		return []Difference{{Part: "recipe", How: Another}}
	}
	if reviewed.Keyed != now.Keyed {
		return []Difference{{Part: "key", How: map[bool]string{true: Gone, false: NotReviewed}[reviewed.Keyed]}}
	}
	before, after := partsByName(reviewed.Parts), partsByName(foldLike(reviewed.Parts, now.Parts))
	if k, l := before["key"].Sum, after["key"].Sum; k != "" && l != "" && k != l {
		return []Difference{{Part: "key", How: Another}}
	}
	var out []Difference
	for name, was := range before {
		is, ok := after[name]
		switch {
		case !ok:
			out = append(out, Difference{Part: name, How: Gone})
		case is.Sum != was.Sum:
			out = append(out, Difference{Part: name, How: Another, Attributes: differing(was.Attributes, is.Attributes)})
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok && len(before) > 0 {
			out = append(out, Difference{Part: name, How: NotReviewed})
		}
	}
	if len(out) == 0 {
		return []Difference{{Part: "plan", How: Another}}
	}
	slices.SortFunc(out, func(a, b Difference) int { return cmp.Compare(a.Part, b.Part) })
	return out
}

func partsByName(parts []Part) map[string]Part {
	out := make(map[string]Part, len(parts))
	for _, p := range parts {
		out[p.Name] = p
	}
	return out
}

const resourcePart = "resource "

// group is the name of the group that a part belongs to, at a level of folding; "" if it is never folded.
func group(name string, level int) string {
	address, ok := strings.CutPrefix(name, resourcePart)
	if !ok {
		return ""
	}
	address, _, _ = strings.Cut(address, " (deposed ")
	module, kind := typeOf(address)
	in := " in " + cmp.Or(module, "the root module")
	switch level {
	case byType:
		return "resources of " + kind + in
	case byModule:
		return "resources" + in
	}
	return "all resources"
}

// Levels of folding.
const (
	byType = iota
	byModule
	together
)

// fold replaces the parts of groups that fits says yes to by one part each.
func fold(parts []Part, level int, fits func(group string) bool) []Part {
	var out []Part
	groups := map[string][]Part{}
	for _, p := range parts {
		g := group(p.Name, level)
		if g == "" || !fits(g) {
			out = append(out, p)
			continue
		}
		groups[g] = append(groups[g], p)
	}
	for g, members := range groups {
		var all strings.Builder
		for _, m := range members { // sorted, as parts are
			all.WriteString(m.Name + "\n" + m.Sum + "\n")
		}
		sum := sha256.Sum256([]byte(all.String())) // of sums that have a key already
		out = append(out, Part{Name: g, Sum: hex.EncodeToString(sum[:sumBytes])})
	}
	slices.SortFunc(out, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// foldLike folds parts into the groups that others were folded into.
func foldLike(others, parts []Part) []Part {
	known := map[string]bool{}
	for _, p := range others {
		known[p.Name] = true
	}
	for level := byType; level <= together; level++ {
		parts = fold(parts, level, func(g string) bool { return known[g] })
	}
	return parts
}
