package local

import (
	"errors"
	"net/http"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/registry"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// What goes over the socket, besides the nouns themselves.
type (
	// specRequest carries the secrets by themselves: none (null) means as they are, and an
	// empty map means none from now on, which Env's own JSON does not tell apart.
	specRequest struct {
		Spec    endpoint.Spec     `json:"spec"`
		Secrets map[string]string `json:"secrets"`
		Owner   string            `json:"owner,omitempty"`
		Call    string            `json:"call,omitempty"`
	}
	abortRequest struct {
		Call string `json:"call"`
	}
	recordBody struct {
		Record  rollout.Record `json:"record"`
		Version version        `json:"version"`
	}
	// viewBody is an endpoint with its last rollout.
	viewBody struct {
		Status endpoint.Status `json:"status"`
		Record rollout.Record  `json:"record"`
	}
	versionBody struct {
		Version version `json:"version"`
		Due     bool    `json:"due,omitempty"` // what was counted decides
	}
	countRequest struct {
		Cursor rollout.Cursor `json:"cursor"`
	}
	countAnswer struct {
		Windows []gate.Window  `json:"windows"`
		Cursor  rollout.Cursor `json:"cursor"`
	}
	errorAnswer struct {
		Error     string              `json:"error"`
		Kind      string              `json:"kind"`
		Rejection *endpoint.Rejection `json:"rejection,omitempty"`
		Status    *endpoint.Status    `json:"status,omitempty"` // what exists in spite of the error
	}
)

func request(s endpoint.Spec) specRequest {
	r := specRequest{Spec: s, Secrets: s.Env.Secrets}
	r.Spec.Env.Secrets = nil
	return r
}

func (r specRequest) spec() endpoint.Spec {
	s := r.Spec
	s.Env.Secrets = r.Secrets
	return s
}

// A kind is how an error's meaning crosses the socket.
type kind struct {
	name string
	is   []error // what errors.Is finds on the other side; the first is what it is made of
	code int
}

var kinds = []kind{
	{"changed", []error{endpoint.ErrChanged}, http.StatusConflict},
	{"exists", []error{endpoint.ErrExists}, http.StatusConflict},
	{"busy", []error{endpoint.ErrBusy}, http.StatusConflict},
	{"in_use", []error{cluster.ErrInUse}, http.StatusConflict},
	{"protected", []error{endpoint.ErrProtected}, http.StatusConflict},
	{"conflict", []error{rollout.ErrConflict}, http.StatusConflict},
	{"newer", []error{rollout.ErrNewer}, http.StatusConflict},
	{"not_stored", []error{rollout.ErrNotStored}, http.StatusInsufficientStorage},
	{"endpoint_not_found", []error{endpoint.ErrNotFound, rollout.ErrNotFound}, http.StatusNotFound},
	{"cluster_not_found", []error{cluster.ErrNotFound}, http.StatusNotFound},
	{"file_not_found", []error{registry.ErrNotExist}, http.StatusUnprocessableEntity},
	{"invalid", []error{errInvalid}, http.StatusBadRequest},
	{"not_serving", []error{errNotServing}, http.StatusUnprocessableEntity},
	{"stopping", []error{errStopping}, http.StatusServiceUnavailable},
}

const (
	kindRejected = "rejected"
	kindRefused  = "refused"
	kindInternal = "internal"
)

// toAnswer says an error in the socket's words.
func toAnswer(err error) (errorAnswer, int) {
	a := errorAnswer{Error: err.Error(), Kind: kindInternal}
	var rejected *endpoint.RejectedError
	if errors.As(err, &rejected) {
		a.Kind, a.Rejection = kindRejected, &rejected.Rejection
		return a, http.StatusConflict
	}
	var refused *rollout.RefusedError
	if errors.As(err, &refused) {
		a.Kind = kindRefused
		return a, http.StatusConflict
	}
	for _, k := range kinds {
		if errors.Is(err, k.is[0]) {
			a.Kind = k.name
			return a, k.code
		}
	}
	return a, http.StatusInternalServerError
}

// A remoteError is the daemon's error on the client's side: its sentence, and its meaning for
// errors.Is and errors.As.
type remoteError struct {
	text  string
	means []error
}

func (e *remoteError) Error() string   { return e.text }
func (e *remoteError) Unwrap() []error { return e.means }

// err is the error that was sent; what exists in spite of it goes into out.
func (a errorAnswer) err(out any) error {
	if st, ok := out.(*endpoint.Status); ok && a.Status != nil {
		*st = *a.Status
	}
	e := &remoteError{text: a.Error}
	if a.Kind == kindRejected && a.Rejection != nil {
		e.means = []error{&endpoint.RejectedError{Rejection: *a.Rejection}}
	}
	if a.Kind == kindRefused {
		e.means = []error{&rollout.RefusedError{Why: a.Error}}
	}
	for _, k := range kinds {
		if k.name == a.Kind {
			e.means = k.is
		}
	}
	return e
}
