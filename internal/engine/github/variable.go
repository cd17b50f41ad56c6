package github

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

func (l *Environments) variablesOf(ctx context.Context, name string) (map[string]string, error) {
	return l.variables.get(strings.ToLower(name), func() (map[string]string, error) { return l.r.variablesOf(ctx, name) })
}

// variablesOf are all of an environment, by the names that GitHub keeps, in upper case.
func (r *Repository) variablesOf(ctx context.Context, env string) (map[string]string, error) {
	t := task{doing: fmt.Sprintf("list the variables of environment %q", env), needs: "environments: read"}
	out := map[string]string{}
	err := pages(func(page int) (int, error) {
		var list struct {
			Variables []struct{ Name, Value string }
		}
		res, err := r.get(ctx, inEnvironment(env, fmt.Sprintf("/variables?per_page=30&page=%d", page)), &list)
		if err != nil {
			return 0, err
		}
		for _, v := range list.Variables {
			out[strings.ToUpper(v.Name)] = v.Value
		}
		return res.NextPage, nil
	})
	return out, r.failed(t, err)
}

// spelled are those variables of all that known has, with known's spelling of their names.
func spelled(known, all map[string]string) map[string]string {
	out := map[string]string{}
	for name := range known {
		if value, ok := all[strings.ToUpper(name)]; ok {
			out[name] = value
		}
	}
	return out
}

// writeVariables makes those of want what they are to be, and takes out those that only before had. wrote is called for
// each that was, or may have been.
func (r *Repository) writeVariables(ctx context.Context, env string, want, before, have map[string]string, wrote func(name string, there bool)) error {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, exists := have[strings.ToUpper(name)]
		if exists && value == want[name] {
			wrote(name, true)
			continue
		}
		err := r.writeVariable(ctx, env, name, want[name], exists)
		if err == nil || unsure(err) {
			wrote(name, true)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if hasFold(maps.Keys(want), name) {
			continue
		}
		if _, exists := have[strings.ToUpper(name)]; exists {
			if err := r.deleteVariable(ctx, env, name); err != nil {
				return err
			}
		}
		wrote(name, false)
	}
	return nil
}

// writeVariable creates or changes one; that it is there after all is found out by the answer.
func (r *Repository) writeVariable(ctx context.Context, env, name, value string, exists bool) error {
	t := task{doing: fmt.Sprintf("write variable %s of environment %q", name, env), needs: "environments: write", write: true}
	if err := r.mayWrite(t); err != nil {
		return err
	}
	body := map[string]string{"name": name, "value": value}
	if !exists {
		err := r.send(ctx, http.MethodPost, inEnvironment(env, "/variables"), body)
		if !answered(err, http.StatusConflict) {
			return r.failed(t, err)
		}
	}
	err := r.send(ctx, http.MethodPatch, inEnvironment(env, "/variables/"+name), body)
	return r.failed(t, err)
}

func (r *Repository) deleteVariable(ctx context.Context, env, name string) error {
	t := task{doing: fmt.Sprintf("delete variable %s of environment %q", name, env), needs: "environments: write", write: true}
	err := r.send(ctx, http.MethodDelete, inEnvironment(env, "/variables/"+name), nil)
	if missing(err) {
		return nil
	}
	return r.failed(t, err)
}
