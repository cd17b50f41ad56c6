package github

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// An EnvironmentChange is what is asked of one environment.
type EnvironmentChange struct {
	Path  string // of the workflow, for the label
	Adopt bool
	Want  pipeline.Environment
	// Before is what the last Apply left, nil if it knew no such environment: then one that is there already may be taken if it has
	// our label, if Adopt says so, or if it is what an unfinished create leaves.
	Before *pipeline.EnvironmentStatus
	// Made is true if the last Apply said so: then a label that somebody took away is put back.
	Made bool
}

// ApplyEnvironment makes an environment what c wants, and does nothing where it is already: its protections, which are read
// back (one that GitHub did not keep is an error of kind pipeline.ErrNotProtected, and no secret is written then), then
// variables, then secrets. Variables and secrets of c.Before that c.Want does not have go; those of others stay. l is a list that was
// read after the last write. made is true if the environment came into being by this pipeline, now or by an earlier
// Apply: it is for Status.Made. On error the status is what is true by then, zero if there is no environment or it is
// somebody else's.
func (r *Repository) ApplyEnvironment(ctx context.Context, l *Environments, c EnvironmentChange) (st pipeline.EnvironmentStatus, made bool, err error) {
	a := &applying{r: r, l: l, c: c, made: c.Made}
	if c.Before != nil {
		a.st = *c.Before // until more is known
	}
	owner, err := l.claim(ctx, c)
	if err != nil {
		return a.st, a.made, err
	}
	a.made = owner != adopted
	if l.Has(c.Want.Name) {
		if err := a.start(ctx); err != nil {
			return a.st, a.made, err
		}
	}
	for _, step := range []func(context.Context) error{a.protect, a.variables, a.secrets} {
		if err := step(ctx); err != nil {
			return a.st, a.made && a.st.Name != "", err
		}
	}
	return a.st, a.made, nil
}

// applying is an ApplyEnvironment under way. st is what is true so far.
type applying struct {
	r    *Repository
	l    *Environments
	c    EnvironmentChange
	st   pipeline.EnvironmentStatus
	made bool
}

// start finds what is there of what an earlier Apply left. What somebody else put there is not ours before we write it,
// whatever its name.
func (a *applying) start(ctx context.Context) error {
	left := a.c.Want
	left.Variables, left.SecretNames = a.st.Variables, a.st.SecretNames
	st, _, err := a.l.Status(ctx, left)
	if err != nil {
		return err
	}
	a.st = st
	return nil
}

// protect writes the protections and our label, reads them back and compares.
func (a *applying) protect(ctx context.Context) error {
	want := a.c.Want
	have, exists := a.l.find(want.Name)
	asIs := exists && len(unkept(want, a.st)) == 0 && !a.st.AdminsBypass
	if !asIs && (!exists || !onlyPatterns(want, a.st, have)) {
		if err := a.r.writeProtection(ctx, want, have); err != nil {
			return a.perhapsMade(ctx, exists, err)
		}
		a.st.Name = want.Name
	}
	if err := a.label(ctx); err != nil || asIs {
		return err
	}
	if want.Branches != nil {
		if err := a.r.writePatterns(ctx, want.Name, want.Branches); err != nil {
			return err
		}
	}
	return a.readBack(ctx)
}

// onlyPatterns reports whether nothing but the patterns of branches is to be changed.
func onlyPatterns(want pipeline.Environment, st pipeline.EnvironmentStatus, have wireEnvironment) bool {
	custom := have.Branches != nil && have.Branches.Custom
	st.Branches = want.Branches
	return want.Branches != nil && custom && len(unkept(want, st)) == 0 && !st.AdminsBypass
}

// readBack asks what GitHub made of it.
func (a *applying) readBack(ctx context.Context) error {
	fresh, err := a.r.environment(ctx, a.c.Want.Name)
	if err != nil {
		return err
	}
	if !fresh.Has(a.c.Want.Name) {
		a.st = pipeline.EnvironmentStatus{}
		return a.r.failed(protecting(a.c.Want.Name), &Error{Kind: ErrUnavailable, Message: "it is gone right after it was written", Next: "Somebody may have deleted it: run again."})
	}
	guards := a.c.Want
	guards.Variables, guards.SecretNames = nil, nil
	st, _, err := fresh.Status(ctx, guards)
	if err != nil {
		return err
	}
	st.Variables, st.SecretNames, st.SecretsUpdated = a.st.Variables, a.st.SecretNames, a.st.SecretsUpdated
	a.st = st
	return a.r.notKept(ctx, a.c.Want, st)
}

// perhapsMade looks whether an environment was made by a request whose answer was lost. If that cannot be seen either, it
// is taken for made: else one that was would be somebody else's from now on.
func (a *applying) perhapsMade(ctx context.Context, exists bool, err error) error {
	if exists || !unsure(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if now, lost := a.r.environment(ctx, a.c.Want.Name); lost != nil || now.Has(a.c.Want.Name) {
		a.st.Name = a.c.Want.Name
	}
	return err
}

// label says in the environment whose it is, right after it was made.
func (a *applying) label(ctx context.Context) error {
	if !a.made {
		return nil
	}
	if !a.l.Has(a.c.Want.Name) {
		return a.r.writeVariable(ctx, a.c.Want.Name, EnvironmentLabel, a.c.Path, false)
	}
	label, err := a.l.label(ctx, a.c.Want.Name)
	if err != nil || label == a.c.Path {
		return err
	}
	return a.r.writeVariable(ctx, a.c.Want.Name, EnvironmentLabel, a.c.Path, label != "")
}

// variables writes those that are wanted, and reads back what came of it.
func (a *applying) variables(ctx context.Context) error {
	want, before := a.c.Want, pipeline.Environment{}
	if a.c.Before != nil {
		before = a.c.Before.Environment
	}
	have := map[string]string{}
	if a.l.Has(want.Name) && len(want.Variables)+len(before.Variables) > 0 {
		all, err := a.l.variablesOf(ctx, want.Name)
		if err != nil {
			return err
		}
		have = all
	}
	changed := false
	for name, value := range want.Variables {
		if v, ok := have[strings.ToUpper(name)]; !ok || v != value {
			changed = true
		}
	}
	st := maps.Clone(a.st.Variables)
	if st == nil {
		st = map[string]string{}
	}
	defer func() { a.st.Variables = orNil(st) }()
	err := a.r.writeVariables(ctx, want.Name, want.Variables, before.Variables, have, func(name string, there bool) {
		maps.DeleteFunc(st, func(old, _ string) bool { return strings.EqualFold(old, name) && old != name })
		delete(st, name)
		if there {
			st[name] = want.Variables[name]
		}
	})
	if err != nil || !changed {
		return err
	}
	all, err := a.r.variablesOf(ctx, want.Name)
	if err != nil {
		return err
	}
	st = spelled(want.Variables, all)
	for name, value := range want.Variables {
		if got, ok := st[name]; !ok || got != value {
			t := task{doing: fmt.Sprintf("write variable %s of environment %q", name, want.Name), write: true}
			return a.r.failed(t, &Error{Kind: ErrUnavailable, Message: "GitHub has another value than was written", Next: "Somebody may have changed it at the same time: run again."})
		}
	}
	return nil
}

func orNil[K comparable, V any](m map[K]V) map[K]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

// secrets writes those that have a value, and sees that all are there.
func (a *applying) secrets(ctx context.Context) error {
	want, before := a.c.Want, []string(nil)
	if a.c.Before != nil {
		before = a.c.Before.SecretNames
	}
	names := slices.Clone(want.SecretNames)
	for _, name := range slices.Sorted(maps.Keys(want.Secrets)) {
		if !hasFold(slices.Values(names), name) {
			names = append(names, name)
		}
	}
	err := a.r.writeSecrets(ctx, want.Name, want.Secrets, names, before, a.noteSecret)
	if err != nil || len(names) == 0 {
		return err
	}
	all, err := a.listSecrets(ctx)
	if err != nil {
		return err
	}
	keepSecrets(&a.st, all, names)
	for _, name := range names {
		if !slices.Contains(a.st.SecretNames, name) {
			t := task{doing: fmt.Sprintf("find secret %s of environment %q", name, want.Name)}
			return a.r.failed(t, &Error{Kind: ErrNotFound, Message: "it is not there, and its value was not given",
				Next: "Values of secrets are kept nowhere: raise secrets_wo_version, which writes all of secrets_wo again."})
		}
	}
	return nil
}

// listSecrets are those that are there now.
func (a *applying) listSecrets(ctx context.Context) ([]wireSecret, error) {
	if a.l.Has(a.c.Want.Name) && len(a.c.Want.Secrets) == 0 {
		return a.l.secretsOf(ctx, a.c.Want.Name)
	}
	return a.r.secretsOf(ctx, a.c.Want.Name)
}

func (a *applying) noteSecret(name string, there bool) {
	at := a.st.SecretsUpdated[name]
	a.st.SecretNames = slices.DeleteFunc(slices.Clone(a.st.SecretNames), func(old string) bool { return strings.EqualFold(old, name) })
	times := map[string]time.Time{}
	maps.Copy(times, a.st.SecretsUpdated)
	maps.DeleteFunc(times, func(old string, _ time.Time) bool { return strings.EqualFold(old, name) })
	if there {
		a.st.SecretNames = append(a.st.SecretNames, name)
		times[name] = at
	}
	if len(a.st.SecretNames) == 0 {
		a.st.SecretNames = nil
	}
	a.st.SecretsUpdated = orNil(times)
}

// DeleteEnvironment removes an environment that this pipeline made, with all that is in it. One that carries another
// pipeline's label is an error of kind pipeline.ErrExists; it succeeds if there is none.
func (r *Repository) DeleteEnvironment(ctx context.Context, name, path string) error {
	t := task{doing: fmt.Sprintf("delete environment %q", name), needs: "administration: write", write: true}
	if err := r.mayWrite(t); err != nil {
		return err
	}
	l, err := r.environment(ctx, name)
	if err != nil || !l.Has(name) {
		return err
	}
	label, err := l.label(ctx, name)
	if err != nil {
		return err
	}
	if label != "" && label != path {
		return r.failed(t, &Error{Kind: pipeline.ErrExists, Message: oneLine("its variable " + EnvironmentLabel + " says that it is of " + label),
			Next: "It stays as it is. Delete it by hand if nobody needs it, or set the variable to " + path + "."})
	}
	err = r.send(ctx, http.MethodDelete, inEnvironment(name, ""), nil)
	if missing(err) {
		return nil
	}
	return r.failed(t, err)
}

// ReleaseEnvironment takes out of an adopted environment what we put into it: the variables and secrets of known. The
// protections stay. It succeeds if there is none.
func (r *Repository) ReleaseEnvironment(ctx context.Context, known pipeline.EnvironmentStatus) error {
	for _, name := range known.SecretNames {
		if err := r.deleteSecret(ctx, known.Name, name); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known.Variables)) {
		if err := r.deleteVariable(ctx, known.Name, name); err != nil {
			return err
		}
	}
	return nil
}
