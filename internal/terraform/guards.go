package terraform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A Checker holds a plan against rules. Guards is one; policies in a language of their own will be others, which read
// the tool's JSON by show: see Root.ShowJSON.
type Checker interface {
	Check(ctx context.Context, p Plan, show func(context.Context, io.Writer) error) ([]Violation, error)
}

// Guards are what a plan may not do.
type Guards struct {
	// Protect are patterns of addresses that may not be destroyed, replaced or forgotten: "module.db.*",
	// "aws_db_instance.*", "aws_s3_bucket.logs[\"eu\"]". A star stands for anything within or across
	// names; a pattern without an index holds for all instances, one of a module for all in it. A pattern begins where
	// an address does: "*aws_db_instance.*" holds in modules too. What a moved resource was called before counts too. Deposed objects, which an earlier replacement left, are not protected.
	Protect []string
	// MaxChanges is the most resources that a plan may create, change, replace, destroy and forget together; 0 is no
	// limit.
	MaxChanges int
	// Forbid are types that may not be created or changed: "aws_iam_user", "aws_iam_*". Destroying them is fine.
	Forbid []string
}

// A Violation of a rule.
type Violation struct {
	Guard   string // "protect", "max_changes", "forbid"; or a policy's name
	Rule    string // the pattern or number
	Address string // "" for one of the whole plan
	Message string // a sentence
}

// Validate says which rules mean nothing.
func (g Guards) Validate() error {
	var bad []error
	for _, p := range g.Protect {
		if err := validPattern(p); err != nil {
			bad = append(bad, fmt.Errorf("protect %q: %w", p, err))
		}
	}
	for _, p := range g.Forbid {
		if strings.Trim(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-*") != "" || p == "" {
			bad = append(bad, fmt.Errorf("forbid %q: want a resource type such as \"aws_iam_user\", or \"aws_iam_*\"", p))
		}
	}
	if g.MaxChanges < 0 {
		bad = append(bad, fmt.Errorf("max_changes %d: want a number above 0, or 0 for no limit", g.MaxChanges))
	}
	return errors.Join(bad...)
}

func validPattern(p string) error {
	const example = `want an address such as "aws_db_instance.main", "aws_db_instance.*" or "module.db.*"`
	depth, dots := 0, 0
	scanAddress(p, func(_ int, d int, c byte) {
		depth = d
		if c == '.' && d == 0 {
			dots++
		}
	})
	switch {
	case p == "" || strings.TrimSpace(p) != p:
		return errors.New(example)
	case depth != 0:
		return errors.New("its bracket or quote is not closed; " + example)
	case dots == 0 && !strings.Contains(p, "*"):
		return errors.New("it is no address and matches nothing; " + example)
	}
	return nil
}

// Check holds a plan against the guards. It needs neither ctx nor show. Patterns must be valid: see Validate.
func (g Guards) Check(_ context.Context, p Plan, _ func(context.Context, io.Writer) error) ([]Violation, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	var out []Violation
	changes := 0
	for _, c := range p.Changes {
		if acts(c.Action) {
			changes++
		}
		if rule, ok := g.protects(c); ok {
			out = append(out, Violation{"protect", rule, c.Address, fmt.Sprintf("%s would be %s, and %q is protected.", c.Address, done[c.Action], rule)})
		}
		if rule, ok := g.forbids(c); ok {
			out = append(out, Violation{"forbid", rule, c.Address, fmt.Sprintf("%s would be %s, and the type %q is forbidden.", c.Address, done[c.Action], c.Type)})
		}
	}
	if g.MaxChanges > 0 && changes > g.MaxChanges {
		out = append(out, Violation{Guard: "max_changes", Rule: strconv.Itoa(g.MaxChanges),
			Message: fmt.Sprintf("The plan changes %d resources, and at most %d are allowed at once.", changes, g.MaxChanges)})
	}
	return out, nil
}

// acts reports whether an action changes a resource or takes it out of the state.
func acts(a Action) bool {
	switch a {
	case Create, Update, Replace, Delete, Forget:
		return true
	case Read, NoOp:
	}
	return false
}

// done is what an action leaves a resource.
var done = map[Action]string{Create: "created", Update: "changed", Replace: "replaced", Delete: "destroyed", Forget: "forgotten"}

func (g Guards) protects(c Change) (rule string, ok bool) {
	if c.Deposed != "" || c.Action != Delete && c.Action != Replace && c.Action != Forget {
		return "", false
	}
	names := addressNames(c.Address)
	if c.Previous != "" {
		names = append(names, addressNames(c.Previous)...)
	}
	for _, p := range g.Protect {
		if slices.ContainsFunc(names, func(name string) bool { return glob(p, name) }) {
			return p, true
		}
	}
	return "", false
}

func (g Guards) forbids(c Change) (rule string, ok bool) {
	if c.Action != Create && c.Action != Update && c.Action != Replace {
		return "", false
	}
	for _, p := range g.Forbid {
		if glob(p, c.Type) {
			return p, true
		}
	}
	return "", false
}

// addressNames are what a pattern may call an address: itself, it without its last key or without any, and the modules
// that it is in.
func addressNames(address string) []string {
	out := []string{address, configAddress(address)}
	names := splitAddress(address)
	last := len(names) - 1
	out = append(out, strings.Join(append(slices.Clone(names[:last]), withoutKey(names[last])), "."))
	for i := 0; i+1 < last && names[i] == "module"; i += 2 {
		module := strings.Join(names[:i+2], ".")
		out = append(out, module, configAddress(module))
	}
	return out
}
