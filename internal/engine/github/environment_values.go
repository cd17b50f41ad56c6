package github

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

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
	st := maps.Clone(a.st.Variables)
	if st == nil {
		st = map[string]string{}
	}
	defer func() { a.st.Variables = orNil(st) }()
	err := a.r.writeVariables(ctx, want.Name, want.Variables, before.Variables, have, func(name string, there bool) {
		maps.DeleteFunc(st, func(old, _ string) bool { return strings.EqualFold(old, name) })
		if there {
			st[name] = want.Variables[name]
		}
	})
	if err != nil || maps.Equal(spelled(want.Variables, have), want.Variables) {
		return err
	}
	return a.readVariables(ctx, func(seen map[string]string) { st = seen })
}

// readVariables reads back what was written.
func (a *applying) readVariables(ctx context.Context, see func(map[string]string)) error {
	want := a.c.Want
	t := task{doing: fmt.Sprintf("write the variables of environment %q", want.Name), needs: "environments: read", write: true}
	same := false
	err := settled(ctx, a.r.c.pause, func() (bool, error) {
		all, err := a.r.variablesOf(ctx, want.Name)
		if err != nil {
			return false, err
		}
		seen := spelled(want.Variables, all)
		same = maps.Equal(seen, want.Variables)
		if same {
			see(seen)
		}
		return same, nil
	})
	if err != nil || same {
		return a.r.failedOnce(t, err)
	}
	return a.r.failed(t, &Error{Kind: ErrUnavailable, Message: "GitHub has other values than were written", Next: "Somebody may have changed them at the same time: run again."})
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
	var all []wireSecret
	lacks := ""
	err = settled(ctx, a.r.c.pause, func() (bool, error) {
		all, err = a.listSecrets(ctx)
		lacks = lacking(all, names)
		return lacks == "" || !hasFold(maps.Keys(want.Secrets), lacks), err
	})
	t := task{doing: fmt.Sprintf("find secret %s of environment %q", lacks, want.Name), needs: "environments: read"}
	switch {
	case err != nil:
		return a.r.failedOnce(t, err)
	case lacks != "" && hasFold(maps.Keys(want.Secrets), lacks): // the status knows what was written
		return a.r.failed(t, &Error{Kind: ErrUnavailable, Message: "it was written, and GitHub does not list it", Next: "Somebody may have deleted it at the same time: run again."})
	}
	keepSecrets(&a.st, all, names)
	if lacks == "" {
		return nil
	}
	return a.r.failed(t, &Error{Kind: ErrNotFound, Message: "it is not there, and its value was not given",
		Next: "Values of secrets are kept nowhere: raise secrets_wo_version, which writes all of secrets_wo again."})
}

// lacking is the first of names that is not there, "" if all are.
func lacking(all []wireSecret, names []string) string {
	for _, name := range names {
		if !slices.ContainsFunc(all, func(s wireSecret) bool { return strings.EqualFold(s.Name, name) }) {
			return name
		}
	}
	return ""
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
