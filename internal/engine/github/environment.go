package github

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// EnvironmentLabel is the variable of an environment that says which pipeline made it; its value is the workflow's path.
// An environment that was adopted has none.
const EnvironmentLabel = "TIDEGATE_PIPELINE"

// labelOfRemoved begins the label of an environment whose pipeline is removed, but for a pull request that waits: whoever comes
// next may have it, such as the same pipeline by another name of its file.
const labelOfRemoved = "removed: "

// Environments are those of a repository, as one list said. What the list does not say of one (branch patterns,
// variables, secrets) is asked for when it is looked at, and once only: a list can be shared by all who read at the same
// time. It is safe for use by many at once, and does not see what is written after it was read.
type Environments struct {
	r      *Repository
	listed map[string]wireEnvironment // by the name in lower case

	patterns  memo[[]branchPolicy]
	variables memo[map[string]string]
	secrets   memo[[]wireSecret]
}

// Environments lists them, with their protections: one request for 100.
func (r *Repository) Environments(ctx context.Context) (*Environments, error) {
	t := task{doing: "list the environments", needs: "actions: read"}
	l := &Environments{r: r, listed: map[string]wireEnvironment{}}
	err := pages(func(page int) (int, error) {
		var list struct{ Environments []wireEnvironment }
		res, err := r.get(ctx, fmt.Sprintf("environments?per_page=100&page=%d", page), &list)
		if err != nil {
			return 0, err
		}
		for _, e := range list.Environments {
			l.listed[strings.ToLower(e.Name)] = e
		}
		return res.NextPage, nil
	})
	if err != nil {
		return nil, withPlans(r.failed(t, err))
	}
	return l, nil
}

// environment is a list of one, as it is now; of none if it is not there. One request.
func (r *Repository) environment(ctx context.Context, name string) (*Environments, error) {
	l := &Environments{r: r, listed: map[string]wireEnvironment{}}
	var e wireEnvironment
	_, err := r.get(ctx, inEnvironment(name, ""), &e)
	if missing(err) {
		return l, nil
	}
	if err == nil && !strings.EqualFold(e.Name, name) {
		err = strange(task{})
	}
	if err != nil {
		return nil, r.failed(task{doing: fmt.Sprintf("read environment %q", name), needs: "actions: read"}, err)
	}
	l.listed[strings.ToLower(name)] = e
	return l, nil
}

// inEnvironment is the address of what is in an environment; its name may have slashes in it.
func inEnvironment(name, path string) string {
	return "environments/" + url.PathEscape(name) + path
}

// send writes below the repository what may be written twice.
func (r *Repository) send(ctx context.Context, method, path string, body any) error {
	req, err := r.c.api.NewRequest(method, fmt.Sprintf("repos/%s/%s", r, path), body)
	if err != nil {
		return err
	}
	_, err = r.c.api.Do(mayRepeat(ctx), req, nil)
	return err
}

// missing reports whether GitHub said that there is no such thing.
func missing(err error) bool { return answered(err, http.StatusNotFound, http.StatusGone) }

// Has says whether there is one of that name; GitHub does not tell upper from lower case in it.
func (l *Environments) Has(name string) bool {
	_, ok := l.find(name)
	return ok
}

// Names of all, sorted.
func (l *Environments) Names() []string {
	var out []string
	for _, e := range l.listed {
		out = append(out, e.Name)
	}
	slices.Sort(out)
	return out
}

func (l *Environments) find(name string) (wireEnvironment, bool) {
	e, ok := l.listed[strings.ToLower(name)]
	return e, ok
}

// Status is one environment as far as known speaks of it: its protections, with reviewers in known's spelling; the variables
// that known has, with the values they have now; the secrets of known.SecretNames that are there, and when they were written.
// What is not there is missing from it. false if there is no such environment. At most three requests, none of which is
// for what known does not have.
func (l *Environments) Status(ctx context.Context, known pipeline.Environment) (pipeline.EnvironmentStatus, bool, error) {
	e, ok := l.find(known.Name)
	if !ok {
		return pipeline.EnvironmentStatus{}, false, nil
	}
	st := pipeline.EnvironmentStatus{Environment: pipeline.Environment{Name: known.Name}}
	if err := l.readProtection(ctx, e, known, &st); err != nil {
		return pipeline.EnvironmentStatus{}, true, err
	}
	if len(known.Variables) > 0 {
		all, err := l.variablesOf(ctx, e.Name)
		if err != nil {
			return pipeline.EnvironmentStatus{}, true, err
		}
		st.Variables = spelled(known.Variables, all)
	}
	if len(known.SecretNames) > 0 {
		all, err := l.secretsOf(ctx, e.Name)
		if err != nil {
			return pipeline.EnvironmentStatus{}, true, err
		}
		keepSecrets(&st, all, known.SecretNames)
	}
	return st, true, nil
}

// All is one environment with all of its variables but our label, and all of its secrets: for an import.
func (l *Environments) All(ctx context.Context, name string) (pipeline.EnvironmentStatus, bool, error) {
	e, ok := l.find(name)
	if !ok {
		return pipeline.EnvironmentStatus{}, false, nil
	}
	known := pipeline.Environment{Name: e.Name}
	variables, err := l.variablesOf(ctx, e.Name)
	if err != nil {
		return pipeline.EnvironmentStatus{}, true, err
	}
	known.Variables = maps.Clone(variables)
	delete(known.Variables, EnvironmentLabel)
	secrets, err := l.secretsOf(ctx, e.Name)
	if err != nil {
		return pipeline.EnvironmentStatus{}, true, err
	}
	for _, s := range secrets {
		known.SecretNames = append(known.SecretNames, s.Name)
	}
	return l.Status(ctx, known)
}

// MadeBy are the names of environments that carry the label of the pipeline at path. One request each, so it is for an import.
func (l *Environments) MadeBy(ctx context.Context, path string) ([]string, error) {
	var out []string
	for _, name := range l.Names() {
		label, err := l.label(ctx, name)
		if err != nil {
			return nil, err
		}
		if label == path {
			out = append(out, name)
		}
	}
	return out, nil
}

// label says which pipeline made an environment; "" for none of ours.
func (l *Environments) label(ctx context.Context, name string) (string, error) {
	all, err := l.variablesOf(ctx, name)
	return all[EnvironmentLabel], err
}
