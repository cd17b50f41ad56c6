package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// errImpatient is why a request was cancelled whose answer did not begin in time.
var errImpatient = errors.New("no answer in time")

// errUpgrade: the model server switched to a protocol that nobody asked for.
var errUpgrade = errors.New("it switched to another protocol than the one asked for")

// A failure is an answer of the router's own.
type failure struct {
	status  int
	message string
}

func (f *failure) Error() string { return f.message }

// failed ends an exchange without a model server's answer, and says what the client gets.
func (x *exchange) failed(err error) error {
	x.settle()
	f, o := x.failure(err)
	if f.status == http.StatusBadRequest {
		x.counts = nil // the client's doing: neither a good answer nor a bad one
	}
	x.count(o)
	x.end()
	return f
}

func (x *exchange) failure(err error) (*failure, outcome) {
	var own *failure
	switch {
	case errors.As(err, &own):
		return own, bad
	case x.body != nil && x.body.broken.Load():
		return &failure{http.StatusBadRequest, "the request's body did not arrive in full"}, bad
	case x.req.Context().Err() != nil:
		return &failure{http.StatusBadGateway, "the client left before the answer began"}, late
	case errors.Is(err, errImpatient) || errors.Is(context.Cause(x.out.Context()), errImpatient):
		return &failure{http.StatusGatewayTimeout, fmt.Sprintf("the model server at %s did not begin an answer within %s", x.out.URL.Host, x.limit)}, late
	}
	return &failure{http.StatusBadGateway, fmt.Sprintf("the model server at %s gave no answer: %v", x.out.URL.Host, err)}, bad
}

// unreachable is for an arm without a replica that takes the request; refused is the last
// one's reason, nil where there is no replica at all.
func unreachable(refused error) *failure {
	if refused != nil {
		return &failure{http.StatusBadGateway, fmt.Sprintf("no model server of this endpoint can be reached; the last one: %v", refused)}
	}
	return &failure{http.StatusServiceUnavailable, "no model server of this endpoint is ready"}
}

// answerError writes a failure as JSON.
func answerError(w http.ResponseWriter, _ *http.Request, err error) {
	f := &failure{http.StatusBadRequest, err.Error()} // ReverseProxy's own: the client asks for a protocol that is none
	errors.As(err, &f)
	body, _ := json.Marshal(map[string]string{"error": f.message})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	w.Write(append(body, '\n')) //nolint:errcheck // the client has left, then
}
