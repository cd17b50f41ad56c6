package github

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

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
	if label != "" && strings.TrimPrefix(label, labelOfRemoved) != path {
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

// leaveEnvironment says in an environment that the pipeline at path made that it is nobody's any more. It succeeds if there is none,
// or if it is another pipeline's.
func (r *Repository) leaveEnvironment(ctx context.Context, name, path string) error {
	l, err := r.environment(ctx, name)
	if err != nil || !l.Has(name) {
		return err
	}
	label, err := l.label(ctx, name)
	if err != nil || label != path {
		return err
	}
	return r.writeVariable(ctx, name, EnvironmentLabel, labelOfRemoved+path, true)
}
