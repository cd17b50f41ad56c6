package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/failpoint"
)

const (
	versionPath = "/v1/version"

	bodyLimit   = 8 << 20 // of a request; a record with its evidence is some 20 KB
	largeBody   = 1 << 20 // larger ones wait for each other
	largeAtOnce = 4
	callLimit   = 100              // bytes, of the name of a create
	pollLimit   = 50 * time.Second // of a wait for a change, then the client asks again
)

// handler answers the socket. Every path begins with its version.
func (d *daemon) handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, fn func(*http.Request) (any, error)) { mux.Handle(pattern, d.answer(fn)) }

	handle("GET "+versionPath, func(*http.Request) (any, error) { return d.self, nil })
	handle("GET /v1/status", func(*http.Request) (any, error) { return d.status() })
	handle("POST /v1/stop", func(*http.Request) (any, error) { d.stop(); return nil, nil })

	handle("PUT /v1/clusters/{cluster}", d.putCluster)
	handle("GET /v1/clusters/{cluster}", func(r *http.Request) (any, error) { return d.getCluster(r.PathValue("cluster")) })
	handle("DELETE /v1/clusters/{cluster}", func(r *http.Request) (any, error) { return nil, d.deleteCluster(r.PathValue("cluster")) })

	const one = "/v1/endpoints/{cluster}/{name}"
	handle("POST "+one, d.postEndpoint)
	handle("PUT "+one, d.putEndpoint)
	handle("GET "+one, func(r *http.Request) (any, error) { return d.get(idOf(r), r.URL.Query().Get("claim") == "true") })
	handle("GET "+one+"/view", func(r *http.Request) (any, error) { return d.view(idOf(r), r.URL.Query().Get("claim") == "true") })
	handle("DELETE "+one, func(r *http.Request) (any, error) { return nil, d.delete(r.Context(), idOf(r)) })
	handle("POST "+one+"/abort", d.postAbort)
	handle("GET "+one+"/record", func(r *http.Request) (any, error) { return d.loadRecord(idOf(r)) })
	handle("PUT "+one+"/record", d.putRecord)
	handle("POST "+one+"/count", d.postCount)
	handle("GET "+one+"/changes", d.getChanges)
	handle("/", func(r *http.Request) (any, error) {
		return nil, invalid("%s %s: this engine (API %d) has no such request", r.Method, r.URL.Path, apiVersion)
	})
	return bounded(mux)
}

// bounded lets few large bodies in at once: many would take all memory.
func bounded(next http.Handler) http.Handler {
	large := make(chan struct{}, largeAtOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 || r.ContentLength > largeBody {
			select {
			case large <- struct{}{}:
				defer func() { <-large }()
			case <-r.Context().Done():
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func idOf(r *http.Request) string { return endpoint.ID(r.PathValue("cluster"), r.PathValue("name")) }

// answer turns what fn returns into JSON; nothing is 204.
func (d *daemon) answer(fn func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		failpoint.Hit("api.asked", r.Pattern)
		defer failpoint.Hit("api.answered", r.Pattern)
		v, err := d.call(fn, r)
		failpoint.Hit("api.done", r.Pattern)
		code := http.StatusOK
		if err != nil {
			a, c := toAnswer(err)
			if st, ok := v.(endpoint.Status); ok && st.Spec.Name != "" {
				a.Status = &st
			}
			if c == http.StatusInternalServerError && r.Context().Err() == nil {
				d.log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
			}
			v, code = a, c
		}
		if v == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		if err := json.NewEncoder(w).Encode(v); err != nil && r.Context().Err() == nil {
			d.log.Warn("an answer was not sent", "path", r.URL.Path, "error", err)
		}
	})
}

// call keeps a mistake of ours in one request from ending the others.
func (d *daemon) call(fn func(*http.Request) (any, error), r *http.Request) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("a request panicked", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errors.New("the engine has a bug here; its daemon.log holds the details")
		}
	}()
	return fn(r)
}

// read decodes the body: one JSON value of known fields.
func read(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return invalid("%s %s: the body is not what is expected: %v", r.Method, r.URL.Path, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return invalid("%s %s: something follows the JSON value in the body", r.Method, r.URL.Path)
	}
	return nil
}

func (d *daemon) putCluster(r *http.Request) (any, error) {
	var s cluster.Spec
	if err := read(r, &s); err != nil {
		return nil, err
	}
	if s.Name != r.PathValue("cluster") {
		return nil, invalid("the path says cluster %q, the body %q", r.PathValue("cluster"), s.Name)
	}
	return d.applyCluster(s)
}

// readSpec reads a spec whose names are those of the path.
func readSpec(r *http.Request) (specRequest, error) {
	var q specRequest
	if err := read(r, &q); err != nil {
		return q, err
	}
	if id := endpoint.ID(q.Spec.Cluster, q.Spec.Name); id != idOf(r) {
		return q, invalid("the path says endpoint %s, the body %s", idOf(r), id)
	}
	return q, nil
}

func (d *daemon) postEndpoint(r *http.Request) (any, error) {
	q, err := readSpec(r)
	if err != nil {
		return nil, err
	}
	if q.Call == "" || q.Owner == "" || len(q.Call) > callLimit {
		return nil, invalid("create %s: want an owner and a call of at most %d bytes", idOf(r), callLimit)
	}
	return d.create(r.Context(), q.spec(), q.Owner, q.Call)
}

func (d *daemon) postAbort(r *http.Request) (any, error) {
	var q abortRequest
	if err := read(r, &q); err != nil {
		return nil, err
	}
	if q.Call == "" || len(q.Call) > callLimit {
		return nil, invalid("abort %s: want a call of at most %d bytes", idOf(r), callLimit)
	}
	return nil, d.abort(r.Context(), idOf(r), q.Call)
}

func (d *daemon) putEndpoint(r *http.Request) (any, error) {
	q, err := readSpec(r)
	if err != nil {
		return nil, err
	}
	return d.update(r.Context(), q.spec())
}

func (d *daemon) loadRecord(id string) (any, error) {
	if _, err := d.unit(id); err != nil {
		return nil, err
	}
	doc, _, err := d.load(id)
	if err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, notFound(id)
	}
	return recordBody{doc.Record, doc.version()}, nil
}

func (d *daemon) putRecord(r *http.Request) (any, error) {
	var q recordBody
	if err := read(r, &q); err != nil {
		return nil, err
	}
	v, err := d.saveRecord(idOf(r), q.Record, q.Version)
	return versionBody{Version: v}, err
}

func (d *daemon) postCount(r *http.Request) (any, error) {
	var q countRequest
	if err := read(r, &q); err != nil {
		return nil, err
	}
	windows, c, err := d.count(idOf(r), q.Cursor)
	return countAnswer{windows, c}, err
}

// getChanges answers when another version than the one in after is stored, or with that one
// when it has waited long enough, or when what was counted decides and the client said that it knows what that means.
func (d *daemon) getChanges(r *http.Request) (any, error) {
	after := version(r.URL.Query().Get("after"))
	ctx, cancel := context.WithTimeout(r.Context(), pollLimit)
	defer cancel()
	v, due, err := d.changedSince(ctx, idOf(r), after, r.URL.Query().Get("due") == "true")
	if errors.Is(err, context.DeadlineExceeded) {
		return versionBody{Version: after}, nil
	}
	return versionBody{v, due}, err
}
