package github

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/nacl/box"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/pipeline"
)

// A wireSecret is what GitHub tells of a secret.
type wireSecret struct {
	Name    string    `json:"name"`
	Updated time.Time `json:"updated_at"`
}

func (l *Environments) secretsOf(ctx context.Context, name string) ([]wireSecret, error) {
	return l.secrets.get(strings.ToLower(name), func() ([]wireSecret, error) { return l.r.secretsOf(ctx, name) })
}

func (r *Repository) secretsOf(ctx context.Context, env string) ([]wireSecret, error) {
	t := task{doing: fmt.Sprintf("list the secrets of environment %q", env), needs: "environments: read"}
	var out []wireSecret
	err := pages(func(page int) (int, error) {
		var list struct{ Secrets []wireSecret }
		res, err := r.get(ctx, inEnvironment(env, fmt.Sprintf("/secrets?per_page=100&page=%d", page)), &list)
		if err != nil {
			return 0, err
		}
		out = append(out, list.Secrets...)
		return res.NextPage, nil
	})
	return out, r.failed(t, err)
}

// keepSecrets puts into st those of names that are there, in that spelling.
func keepSecrets(st *pipeline.EnvironmentStatus, all []wireSecret, names []string) {
	times := map[string]time.Time{}
	st.SecretNames = nil
	for _, name := range names {
		i := slices.IndexFunc(all, func(s wireSecret) bool { return strings.EqualFold(s.Name, name) })
		if i >= 0 {
			st.SecretNames = append(st.SecretNames, name)
			times[name] = all[i].Updated
		}
	}
	st.SecretsUpdated = orNil(times)
}

// A publicKey seals secrets of one environment.
type publicKey struct {
	ID    string
	bytes [32]byte
}

// publicKey is asked for once for each environment of a Client.
func (r *Repository) publicKey(ctx context.Context, env string) (publicKey, error) {
	return r.c.keys.get(r.keyOf(env), func() (publicKey, error) {
		t := task{doing: fmt.Sprintf("get the public key of environment %q", env), needs: "environments: read"}
		var key struct {
			ID  string `json:"key_id"`
			Key string `json:"key"`
		}
		if _, err := r.get(ctx, inEnvironment(env, "/secrets/public-key"), &key); err != nil {
			return publicKey{}, r.failed(t, err)
		}
		b, err := base64.StdEncoding.DecodeString(key.Key)
		if err != nil || len(b) != 32 || key.ID == "" {
			return publicKey{}, r.failed(t, strange(t))
		}
		return publicKey{ID: key.ID, bytes: [32]byte(b)}, nil
	})
}

func (r *Repository) keyOf(env string) string { return strings.ToLower(r.String() + "/" + env) }

// seal makes of a value what only GitHub can open.
func (k publicKey) seal(value string) (string, error) {
	sealed, err := box.SealAnonymous(nil, []byte(value), &k.bytes, rand.Reader)
	return base64.StdEncoding.EncodeToString(sealed), err
}

// writeSecrets writes those values, and takes out those names of before that names does not have. wrote is called for each
// that was, or may have been.
func (r *Repository) writeSecrets(ctx context.Context, env string, values map[string]string, names, before []string, wrote func(name string, there bool)) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		err := r.writeSecret(ctx, env, name, values[name])
		if err == nil || unsure(err) {
			wrote(name, true)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range before {
		if hasFold(slices.Values(names), name) || hasFold(maps.Keys(values), name) {
			continue
		}
		if err := r.deleteSecret(ctx, env, name); err != nil {
			return err
		}
		wrote(name, false)
	}
	return nil
}

// writeSecret seals a value and writes it. GitHub may have another key than we know: the environment was made anew.
func (r *Repository) writeSecret(ctx context.Context, env, name, value string) error {
	t := task{doing: fmt.Sprintf("write secret %s of environment %q", name, env), needs: "environments: write", write: true}
	if err := r.mayWrite(t); err != nil {
		return err
	}
	key, err := r.publicKey(ctx, env)
	if err != nil {
		return err
	}
	err = r.putSecret(ctx, env, name, value, key)
	if answered(err, http.StatusUnprocessableEntity, http.StatusBadRequest) {
		r.c.keys.forget(r.keyOf(env))
		fresh, lost := r.publicKey(ctx, env)
		if lost == nil && fresh != key {
			err = r.putSecret(ctx, env, name, value, fresh)
		}
	}
	failed := r.failed(t, err)
	var e *Error
	if errors.As(failed, &e) {
		e.Message = withhold(e.Message, value)
	}
	return failed
}

func (r *Repository) putSecret(ctx context.Context, env, name, value string, key publicKey) error {
	sealed, err := key.seal(value)
	if err != nil {
		return err
	}
	body := map[string]string{"encrypted_value": sealed, "key_id": key.ID}
	err = r.send(ctx, http.MethodPut, inEnvironment(env, "/secrets/"+name), body)
	return err
}

func (r *Repository) deleteSecret(ctx context.Context, env, name string) error {
	t := task{doing: fmt.Sprintf("delete secret %s of environment %q", name, env), needs: "environments: write", write: true}
	err := r.send(ctx, http.MethodDelete, inEnvironment(env, "/secrets/"+name), nil)
	if missing(err) {
		return nil
	}
	return r.failed(t, err)
}

// unsure reports whether a write that failed may have been done.
func unsure(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Unsure
}
