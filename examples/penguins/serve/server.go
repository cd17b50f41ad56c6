package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/classifier"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/protocol"
)

// versionHeader says which version answered, also where the answer is an error.
const versionHeader = "Model-Version"

// A server answers for one model.
type server struct {
	name  string
	model *classifier.Model
	mux   *http.ServeMux
}

func newServer(name string, m *classifier.Model) *server {
	s := &server{name: name, model: m, mux: http.NewServeMux()}
	live := func(http.ResponseWriter, *http.Request) (any, error) { return map[string]bool{"live": true}, nil }
	ready := func(http.ResponseWriter, *http.Request) (any, error) { return map[string]bool{"ready": true}, nil }
	s.handle(http.MethodGet, "/v2", s.serverMetadata)
	s.handle(http.MethodGet, "/v2/health/live", live)
	s.handle(http.MethodGet, "/v2/health/ready", ready)
	for _, path := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		s.handle(http.MethodGet, path, s.named(s.modelMetadata))
		s.handle(http.MethodGet, path+"/ready", s.named(ready))
		s.handle(http.MethodPost, path+"/infer", s.named(s.infer))
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w, nil, problem(http.StatusNotFound, "no such path %q: want /v2, /v2/health/... or /v2/models/%s", r.URL.Path, name))
	})
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(versionHeader, s.model.Version)
	s.mux.ServeHTTP(w, r)
}

// An answerer returns what to write as JSON, or an error; a statusError says its status.
type answerer func(http.ResponseWriter, *http.Request) (any, error)

// handle serves a path with one method; another method is the protocol's kind of error too.
func (s *server) handle(method, path string, a answerer) {
	s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			reply(w, nil, problem(http.StatusMethodNotAllowed, "method %s on %s: want %s", r.Method, r.URL.Path, method))
			return
		}
		answer, err := a(w, r)
		reply(w, answer, err)
	})
}

// named lets through who asks for the model and version that are here.
func (s *server) named(a answerer) answerer {
	return func(w http.ResponseWriter, r *http.Request) (any, error) {
		if got := r.PathValue("model"); got != s.name {
			return nil, problem(http.StatusNotFound, "no model %q: want %q", got, s.name)
		}
		if got := r.PathValue("version"); got != "" && got != s.model.Version {
			return nil, problem(http.StatusNotFound, "no version %q of model %s: want %q", got, s.name, s.model.Version)
		}
		return a(w, r)
	}
}

func (s *server) serverMetadata(http.ResponseWriter, *http.Request) (any, error) {
	return map[string]any{"name": "penguin-server", "version": s.model.Version, "extensions": []string{}}, nil
}

func (s *server) modelMetadata(http.ResponseWriter, *http.Request) (any, error) {
	inputs := []protocol.Tensor{}
	for _, f := range s.model.Features {
		datatype := protocol.Number
		if slices.Contains(data.Words, f.Name) {
			datatype = protocol.Word
		}
		inputs = append(inputs, protocol.Tensor{Name: f.Name, Datatype: datatype, Shape: []int{-1}})
	}
	return map[string]any{
		"name":     s.name,
		"versions": []string{s.model.Version},
		"platform": "tidegate_example",
		"inputs":   inputs,
		"outputs": []protocol.Tensor{
			{Name: outputSpecies, Datatype: protocol.Word, Shape: []int{-1}},
			{Name: outputProbabilities, Datatype: protocol.Number, Shape: []int{-1, len(s.model.Classes)}},
		},
	}, nil
}

// A statusError is an error with its HTTP status.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

func problem(status int, format string, args ...any) error {
	return &statusError{status, fmt.Sprintf(format, args...)}
}

// reply writes an answer, or an error in the protocol's form. What nobody foresaw is a 500.
func reply(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	if err != nil {
		status = http.StatusInternalServerError
		var known *statusError
		if errors.As(err, &known) {
			status = known.status
		}
		answer = protocol.Error{Error: err.Error()}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"cannot write the answer"}`)
	}
	if status == http.StatusInternalServerError {
		slog.Error("answered 500", "body", string(body))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		slog.Debug("the client went away", "error", err)
	}
}
