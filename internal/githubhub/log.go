package githubhub

import (
	"encoding/json"
	"fmt"
	"time"
)

// A Request that the API was asked.
type Request struct {
	At        time.Time
	Method    string
	Path      string // with its query
	Operation string // GitHub's name of it: "issues/create-comment"; "" if there is none
	Status    int    // of the answer; 0 if there was none
	Actor     string // login of who asked; "" without a token
	Fault     bool   // it met a fault
	Body      json.RawMessage
	UserAgent string
}

// Requests are all that the API was asked since the start or the last ForgetRequests, in order; git's and the runner's
// own are not among them.
func (h *Hub) Requests() []Request {
	h.t.Helper()
	var out []Request
	h.call("requests", nil, &out)
	return out
}

// Count counts requests by operation.
func (h *Hub) Count() map[string]int {
	h.t.Helper()
	n := map[string]int{}
	for _, r := range h.Requests() {
		n[r.Operation]++
	}
	return n
}

// ForgetRequests empties the log.
func (h *Hub) ForgetRequests() {
	h.t.Helper()
	h.call("forget-requests", nil, nil)
}

// A Violation is a request or an answer that GitHub's description forbids.
type Violation struct {
	Side      string // "request": the client's; "answer": the server's, which is a bug in it
	Method    string
	Path      string
	Operation string
	Why       string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s %s %s (%s): %s", v.Side, v.Method, v.Path, v.Operation, v.Why)
}

// TakeViolations returns them and forgets them, so that they do not fail the test.
func (h *Hub) TakeViolations() []Violation {
	h.t.Helper()
	var out []Violation
	h.call("take-violations", nil, &out)
	return out
}
