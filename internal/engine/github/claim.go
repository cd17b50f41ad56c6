package github

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// Limits of GitHub's environments.
const (
	reviewersLimit = 6
	waitLimit      = 43_200 // minutes: 30 days
	valuesLimit    = 100    // variables or secrets of an environment
	valueLimit     = 48 << 10
	nameLimit      = 255
)

// Claim says whether c may take its environment: nil if there is none or it may, an error of kind pipeline.ErrExists if it
// may not, of kind ErrRefused for what GitHub would not take, another one if that could not be found out. Apply asks it
// by itself; Check can. None to three requests.
func (l *Environments) Claim(ctx context.Context, c EnvironmentChange) error {
	_, err := l.claim(ctx, c)
	return err
}

// An ownership says by whom an environment came into being.
type ownership int

const (
	ours ownership = iota // or of nobody yet
	adopted
)

func (l *Environments) claim(ctx context.Context, c EnvironmentChange) (ownership, error) {
	t := task{doing: fmt.Sprintf("take environment %q", c.Want.Name)}
	if _, why := refusable(c.Want); why != "" {
		return ours, l.r.failed(t, &Error{Kind: ErrRefused, Message: why, Next: "Nothing was written."})
	}
	e, exists := l.find(c.Want.Name)
	if !exists {
		return ours, nil
	}
	label, err := l.label(ctx, e.Name)
	switch {
	case err != nil:
		return ours, err
	case label == c.Path && (c.Made || c.Before == nil), label == "" && c.Made: // else anybody's label would make ours of what was adopted
		return ours, nil
	case strings.HasPrefix(label, labelOfRemoved) && c.Before == nil: // nobody's any more
		return ours, nil
	case c.Before != nil, c.Adopt:
		return adopted, nil
	case label != "":
		return ours, l.r.failed(t, &Error{Kind: pipeline.ErrExists, Message: oneLine("it belongs to the pipeline " + label),
			Next: "Two pipelines that write one environment undo each other's protections: leave the environment block to one of them (a deploy may name it in both), or set adopt = true."})
	}
	unfinished, err := l.unfinished(ctx, e, c.Want)
	if err != nil || unfinished {
		return ours, err
	}
	return ours, l.r.failed(t, &Error{Kind: pipeline.ErrExists,
		Next: "Set adopt = true to take it over: its protections become those of the block, and its other variables and secrets stay. Or name another one."})
}

// unfinished reports whether e may be what an Apply left that was cut off before it wrote our label: it has the
// protections of want, not all of its patterns yet perhaps, and nothing in it.
func (l *Environments) unfinished(ctx context.Context, e wireEnvironment, want pipeline.Environment) (bool, error) {
	st := pipeline.EnvironmentStatus{}
	if err := l.readProtection(ctx, e, want, &st); err != nil {
		return false, err
	}
	some := st.Branches != nil && want.Branches != nil && !slices.ContainsFunc(st.Branches, func(b string) bool { return !slices.Contains(want.Branches, b) })
	if some {
		st.Branches = want.Branches
	}
	if len(unkept(want, st)) > 0 {
		return false, nil
	}
	variables, err := l.variablesOf(ctx, e.Name)
	if err != nil || len(variables) > 0 {
		return false, err
	}
	secrets, err := l.secretsOf(ctx, e.Name)
	return err == nil && len(secrets) == 0, err
}

var valueName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// refusable says what GitHub would not take of an environment, and by which attribute; "" for nothing.
func refusable(want pipeline.Environment) (attribute, why string) {
	switch {
	case want.Name == "" || len(want.Name) > nameLimit || want.Name != strings.TrimSpace(want.Name) || strings.ContainsAny(want.Name, "'\"`,;\\\n\r"):
		return "name", fmt.Sprintf("the name %q is none: want 1 to %d characters without quotes, commas, semicolons and backslashes", want.Name, nameLimit)
	case len(want.Reviewers) > reviewersLimit:
		return "reviewers", fmt.Sprintf("%d reviewers: an environment has at most %d; name a team in place of its members", len(want.Reviewers), reviewersLimit)
	case want.WaitMinutes < 0 || want.WaitMinutes > waitLimit:
		return "wait_minutes", fmt.Sprintf("wait_minutes = %d: want 0 to %d (30 days)", want.WaitMinutes, waitLimit)
	case want.PreventSelfReview && len(want.Reviewers) == 0:
		return "prevent_self_review", "prevent_self_review = true without reviewers: GitHub keeps it only with at least one"
	}
	for _, values := range []struct {
		attribute, kind string
		values          map[string]string
		names           []string
	}{{"variables", "variable", want.Variables, nil}, {"secrets_wo", "secret", want.Secrets, want.SecretNames}} {
		names := slices.Clone(values.names)
		for name := range values.values {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if why := cmp.Or(refusableNames(values.kind, names), tooBig(values.kind, values.values)); why != "" {
			return values.attribute, why
		}
	}
	return "", ""
}

// refusableNames says what is wrong with the names of variables or secrets.
func refusableNames(kind string, names []string) string {
	slices.Sort(names)
	seen := map[string]string{}
	for _, name := range names {
		upper := strings.ToUpper(name)
		other, twice := seen[upper]
		seen[upper] = name
		switch {
		case !valueName.MatchString(name):
			return fmt.Sprintf("%s %q: want letters, digits and _, not a digit first", kind, name)
		case strings.HasPrefix(upper, "GITHUB_"):
			return fmt.Sprintf("%s %q: names that start with GITHUB_ are GitHub's own", kind, name)
		case upper == EnvironmentLabel:
			return fmt.Sprintf("%s %q: this name is Tidegate's label of an environment", kind, name)
		case twice:
			return fmt.Sprintf("%ss %q and %q are one: GitHub does not tell upper from lower case in names", kind, other, name)
		}
	}
	if len(names) > valuesLimit {
		return fmt.Sprintf("%d %ss: an environment has at most %d", len(names), kind, valuesLimit)
	}
	return ""
}

// tooBig names a value that is too long; never the value.
func tooBig(kind string, values map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if n := len(values[name]); n > valueLimit {
			return fmt.Sprintf("%s %s has %d bytes: GitHub takes at most %d; keep what is bigger in a file that is encrypted by it", kind, name, n, valueLimit)
		}
	}
	return ""
}

// hasFold reports whether a name is there in any spelling, as GitHub takes it.
func hasFold(names iter.Seq[string], name string) bool {
	for n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
