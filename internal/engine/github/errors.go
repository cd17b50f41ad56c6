package github

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	gh "github.com/google/go-github/v60/github"
)

// Kinds of errors, for errors.Is. A context that was cancelled is context.Canceled.
var (
	ErrNoToken     = errors.New("no token was given")
	ErrToken       = errors.New("the token was not accepted") // expired, revoked, of another server, or a wrong key
	ErrPermission  = errors.New("a permission is missing")
	ErrNotFound    = errors.New("not found")                           // 404, which GitHub also says of what a token may not see; 410
	ErrRefused     = errors.New("refused")                             // 4xx otherwise: GitHub understood and will not
	ErrRateLimit   = errors.New("the rate limit lasts longer")         // than the context's deadline
	ErrUnavailable = errors.New("GitHub does not answer as it should") // 5xx, or no connection, after several tries

	// ErrUnknownIdentity is a token that can not ask whose it is.
	ErrUnknownIdentity = errors.New("GitHub does not say whose token it is")
)

// An Error says what was being done, in which repository, how it went wrong and what to do next.
type Error struct {
	Repository string // "acme/infra"; "" if it was about none
	Doing      string // "create check run \"tidegate\" on 1a2b3c4"
	Kind       error  // one of the kinds above
	Permission string // that it takes: "checks: write"
	Status     int    // of GitHub's answer; 0 without one
	Message    string // GitHub's own words, or what happened to the connection; untrusted text of one line
	Next       string // what to do, in sentences
	Until      time.Time
	// Unsure is true for a write whose answer was lost: it may have happened.
	Unsure bool

	cause error // for errors.Is; never printed, it may hold a signed address
}

// Error is a paragraph of one line: "create check run "plan" on 1a2b3c4 in acme/infra: a permission is missing: GitHub
// answered 403: Resource not accessible by integration. Next."
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Doing)
	if e.Repository != "" {
		b.WriteString(" in " + e.Repository)
	}
	fmt.Fprintf(&b, ": %v", e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": GitHub answered %d", e.Status)
	}
	if e.Message != "" {
		b.WriteString(": " + strings.TrimRight(e.Message, ". "))
	}
	if e.Unsure {
		b.WriteString(". It may have been done all the same")
	}
	if e.Next != "" {
		b.WriteString(". " + e.Next)
	}
	return b.String()
}

// Unwrap is the kind, and what it came of.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// A task is what an operation does, for its errors.
type task struct {
	doing string
	needs string // "checks: write"
	write bool
}

// failed makes an *Error of what went wrong, and nil of nil.
func (r *Repository) failed(t task, err error) error {
	if err == nil {
		return nil
	}
	e := explain(t, err)
	e.Repository = r.String()
	e.Message = r.c.redact(e.Message)
	if r.c.nobody && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		e.Kind = ErrNoToken
	}
	if r.c.nobody && e.Status == http.StatusNotFound {
		e.cause = errors.Join(e.cause, ErrNoToken) // a private one, perhaps
	}
	e.Next = r.next(t, e)
	return e
}

// failedOnce is failed for what may have been explained already.
func (r *Repository) failedOnce(t task, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Doing != "" {
		return err
	}
	return r.failed(t, err)
}

// mayWrite spares a request that GitHub would refuse.
func (r *Repository) mayWrite(t task) error {
	if !r.c.nobody {
		return nil
	}
	return r.failed(t, &Error{Kind: ErrNoToken})
}

// strange is an answer that looks well and has not in it what was asked for.
func strange(t task) error {
	return &Error{Kind: ErrUnavailable, Message: "what came is not what its API sends", Unsure: t.write}
}

// explain says what kind of thing went wrong.
func explain(t task, err error) *Error {
	e := &Error{Doing: t.doing, Permission: t.needs, Kind: ErrUnavailable, cause: err}
	var (
		inner  *Error
		limit  *limitError
		status *gh.ErrorResponse
	)
	switch {
	case errors.As(err, &inner) && inner.Doing == "": // found by ourselves
		e.Kind, e.Message, e.Next, e.Unsure = inner.Kind, inner.Message, inner.Next, inner.Unsure
	case errors.As(err, &inner): // the token for it could not be had
		e.Kind, e.Message, e.Next, e.Until = inner.Kind, inner.Doing+": "+inner.Message, inner.Next, inner.Until
		if inner.Status != 0 {
			e.Message = fmt.Sprintf("%s: GitHub answered %d: %s", inner.Doing, inner.Status, inner.Message)
		}
		e.Permission = ""
	case errors.As(err, &limit):
		e.Kind, e.Until, e.Message = ErrRateLimit, limit.until, limit.Error()
	case errors.As(err, &status):
		e.Status = status.Response.StatusCode
		e.Kind = kindOf(e.Status)
		e.Message = oneLine(words(status))
		e.Unsure = t.write && e.Status >= 500
	case errors.Is(err, context.Canceled):
		e.Kind, e.Message, e.Unsure = context.Canceled, "", t.write
	case errors.Is(err, context.DeadlineExceeded):
		e.Message, e.Unsure = "the time for it ran out", t.write
	default:
		e.Message, e.Unsure = oneLine(connection(err)), t.write && !unsent(err)
	}
	return e
}

func kindOf(status int) error {
	switch {
	case status == http.StatusUnauthorized:
		return ErrToken
	case status == http.StatusForbidden:
		return ErrPermission
	case status == http.StatusNotFound, status == http.StatusGone:
		return ErrNotFound
	case status >= 500:
		return ErrUnavailable
	}
	return ErrRefused
}

// words are GitHub's own.
func words(e *gh.ErrorResponse) string {
	all := []string{e.Message}
	for _, one := range e.Errors {
		switch {
		case one.Message != "":
			all = append(all, one.Message)
		case one.Field != "":
			all = append(all, one.Field+" is "+one.Code)
		}
	}
	if e.Message == "" {
		all[0] = http.StatusText(e.Response.StatusCode)
	}
	return strings.Join(all, ": ")
}

// connection is what happened to it, without the address: its query may be signed.
func connection(err error) string {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" && op.Addr != nil {
		return fmt.Sprintf("connect to %s: %v", op.Addr, op.Err)
	}
	return err.Error()
}

// next is what to do about an error.
func (r *Repository) next(t task, e *Error) string {
	switch {
	case e.Next != "":
		return e.Next
	case errors.Is(e.Kind, ErrNoToken):
		return "Give a token: the Action's input token, GITHUB_TOKEN, or an App."
	case errors.Is(e.Kind, ErrToken):
		return "It is expired, was revoked, or is of another server than " + r.c.api.BaseURL.Host + ": give a new one."
	case errors.Is(e.Kind, ErrPermission):
		return permissionNext(e)
	case errors.Is(e.Kind, ErrNotFound) && e.Status == http.StatusNotFound:
		return r.notFoundNext(t)
	case e.Status == http.StatusGone:
		return "What is kept for a time only (retention-days of an artifact) is gone after it: run again what makes it."
	case errors.Is(e.Kind, ErrRateLimit):
		return "Nothing was changed by it. Run again after that time, or give it more time."
	case errors.Is(e.Kind, ErrUnavailable) && !e.Unsure:
		return "Nothing was changed by it. See whether GitHub is up (githubstatus.com, or your server's page) and run again."
	case errors.Is(e.Kind, ErrUnavailable):
		return "See whether GitHub is up (githubstatus.com, or your server's page) and run again: what was done is found and taken up."
	}
	return ""
}

func permissionNext(e *Error) string {
	switch {
	case strings.Contains(e.Message, "authenticate via a GitHub App"):
		return "Only apps write check runs: use the workflow's own GITHUB_TOKEN, or an App, with " + e.Permission + "."
	case strings.Contains(e.Message, "archived"):
		return "An archived repository can only be read."
	case strings.Contains(e.Message, "SAML"):
		return "Authorize the token for the organization's single sign-on: its page on GitHub, Configure SSO."
	case neverOfWorkflows(e.Permission):
		return fmt.Sprintf("It takes %q, which a workflow's GITHUB_TOKEN never has: use an App or a fine-grained token that has it, or a classic token with the scope repo, of somebody who administers the repository.", e.Permission)
	}
	return fmt.Sprintf("It takes %q: in the permissions of the workflow's job, or of the App or token. On pull requests from forks and from Dependabot, GITHUB_TOKEN can only read.", e.Permission)
}

func neverOfWorkflows(permission string) bool {
	name, _, _ := strings.Cut(permission, ":")
	return name == "administration" || name == "environments" || name == "members"
}

func (r *Repository) notFoundNext(t task) string {
	hint := "GitHub says the same where a token may not see it: "
	if r.c.nobody {
		hint = "No token was given, and without one only public repositories are there: "
	}
	return hint + fmt.Sprintf("compare the name %s with its page, and see that the token reaches the repository and has %q.", r, t.needs)
}

// oneLine is untrusted text for an error: no line breaks or control characters, and an end.
func oneLine(text string) string {
	const limit = 400
	out := []rune(strings.Join(strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " "))
	if len(out) > limit {
		return string(out[:limit]) + "..."
	}
	return string(out)
}

// answered reports whether GitHub answered with one of these.
func answered(err error, statuses ...int) bool {
	var (
		ours   *Error
		theirs *gh.ErrorResponse
	)
	switch {
	case errors.As(err, &ours) && ours.Status != 0:
		return slices.Contains(statuses, ours.Status)
	case errors.As(err, &theirs):
		return slices.Contains(statuses, theirs.Response.StatusCode)
	}
	return false
}
