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
