package github

import (
	"context"
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
	want := a.c.Want
	want.Variables, want.SecretNames = nil, nil
	there := false
	err := settled(ctx, a.r.c.pause, func() (bool, error) {
		fresh, err := a.r.environment(ctx, want.Name)
		if err != nil {
			return false, err
		}
		st, ok, err := fresh.Status(ctx, want)
		if err != nil || !ok {
			return false, err
		}
		st.Variables, st.SecretNames, st.SecretsUpdated = a.st.Variables, a.st.SecretNames, a.st.SecretsUpdated
		a.st, there = st, true
		return len(unkept(want, st)) == 0 && !st.AdminsBypass, nil
	})
	if err != nil {
		return a.r.failedOnce(protecting(want.Name), err)
	}
	if !there {
		a.st = pipeline.EnvironmentStatus{}
		return a.r.failed(protecting(want.Name), &Error{Kind: ErrUnavailable, Message: "it is gone right after it was written", Next: "Somebody may have deleted it: run again."})
	}
	return a.r.notKept(ctx, want, a.st)
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
