package githubtest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Fault makes requests go wrong; its fields are those of githubhub.Fault.
type Fault struct {
	Operation                     string
	Writes, Outage                bool
	Skip, Times                   int
	Applied                       bool
	Status                        int
	Cut, Drop, Secondary, Primary bool
	Empty                         bool
	Delay, RetryAfter             time.Duration
}

type fault struct {
	Fault
	met int
}

// fault returns the first fault that acts on a request of an operation.
func (w *World) fault(operation, method string) *fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		if out := f.Outage && f.met > f.Skip; !out && !f.fits(operation, method) {
			continue
		}
		f.met++
		if f.met > f.Skip && (f.Times == 0 || f.met <= f.Skip+f.Times) {
			return f
		}
	}
	return nil
}

// fits says whether a fault is about such a request.
func (f *fault) fits(operation, method string) bool {
	if f.Writes && (method == http.MethodGet || method == http.MethodHead) {
		return false
	}
	prefix, any := strings.CutSuffix(f.Operation, "*")
	return f.Operation == "" || f.Operation == operation || any && strings.HasPrefix(operation, prefix)
}

// breaks says whether the client gets another answer than it would.
func (f *fault) breaks() bool { return f.Status != 0 || f.Drop || f.Empty || f.Secondary || f.Primary }

// wait is how slow the fault is. It says whether the client is still there afterwards.
func (f *fault) wait(r *http.Request) bool {
	if f.Delay == 0 {
		return true
	}
	t := time.NewTimer(f.Delay)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// What GitHub says of its secondary limits; clients know them by the end of the address.
const (
	secondaryWords = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
	secondaryAbout = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
)

// answer is what the client gets in place of the real one.
func (f *fault) answer(real written) written {
	out := written{status: f.Status, header: real.header}
	if out.header == nil {
		out.header = http.Header{}
	}
	out.header.Del("ETag")
	if f.Empty {
		out.status, out.body = http.StatusOK, empty(real.body)
		out.header.Del("Link")
		return out
	}
	message, about := "", "https://docs.github.com/rest"
	switch {
	case f.Secondary:
		message, about = secondaryWords, secondaryAbout
		if out.status == 0 {
			out.status = http.StatusForbidden
		}
	case f.Primary:
		message = "API rate limit exceeded for installation."
		out.status = http.StatusForbidden
		out.header.Set("X-RateLimit-Limit", "5000")
		out.header.Set("X-RateLimit-Remaining", "0")
		out.header.Set("X-RateLimit-Used", "5000")
		out.header.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(f.RetryAfter).Unix(), 10))
		out.header.Set("X-RateLimit-Resource", "core")
	case f.Status == http.StatusTooManyRequests:
		message, about = secondaryWords, secondaryAbout
	case f.Status != 0 && http.StatusText(f.Status) != "":
		message = http.StatusText(f.Status)
	}
	if f.RetryAfter > 0 && !f.Primary {
		out.header.Set("Retry-After", strconv.Itoa(int(f.RetryAfter/time.Second)))
	}
	if out.status == http.StatusForbidden && message == http.StatusText(out.status) {
		message = "Resource not accessible by integration"
	}
	if out.status >= 500 { // from in front of GitHub's application, which is no JSON
		out.header.Set("Content-Type", "text/html; charset=utf-8")
		out.body = []byte("<html><body><h1>" + strconv.Itoa(out.status) + "</h1>" + message + "</body></html>")
		return out
	}
	out.header.Set("Content-Type", "application/json; charset=utf-8")
	out.body, _ = json.Marshal(object{"message": message, "documentation_url": about})
	return out
}

// empty is a list without what is in it.
func empty(body []byte) []byte {
	var lists map[string]any
	if json.Unmarshal(body, &lists) != nil {
		return []byte("[]")
	}
	for name, x := range lists {
		switch x.(type) {
		case []any:
			lists[name] = []any{}
		case float64:
			lists[name] = 0
		}
	}
	b, _ := json.Marshal(lists)
	return b
}

// send writes the answer, as far as the fault lets it through.
func (a written) send(out http.ResponseWriter, f *fault) {
	if f != nil && f.Drop {
		panic(http.ErrAbortHandler)
	}
	for k, v := range a.header {
		out.Header()[k] = v
	}
	if a.body != nil || a.status == http.StatusOK {
		out.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	out.WriteHeader(a.status)
	if f != nil && f.Cut {
		_, _ = out.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(out).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = out.Write(a.body)
}
