package github

import (
	"errors"
	"fmt"
	"time"
)

// Kinds of errors, for errors.Is.
var (
	ErrNoToken     = errors.New("no token")
	ErrToken       = errors.New("token not accepted")      // expired, revoked, of another server, or a wrong key
	ErrPermission  = errors.New("permission missing")      // 403
	ErrNotFound    = errors.New("not found")               // 404, which GitHub also says of what a token may not see; 410
	ErrRefused     = errors.New("refused")                 // 409, 422: GitHub understood and will not
	ErrRateLimit   = errors.New("rate limit")              // for longer than the context's deadline
	ErrUnavailable = errors.New("GitHub is not available") // 5xx, or no connection, after several tries

	// ErrUnknownIdentity is a token that can not ask whose it is.
	ErrUnknownIdentity = errors.New("GitHub does not say whose token it is")
)

// An Error says what was being done, in which repository, and how it went wrong.
type Error struct {
	Repository string // "acme/infra"; "" if it was about none
	Doing      string // "create check run \"tidegate\" on 1a2b3c4"
	Kind       error  // one of the kinds above
	Permission string // that it takes: "checks: write"; "" if it is not about one
	Status     int    // of GitHub's answer; 0 without one
	Message    string // GitHub's own words, or the connection's
	Next       string // what to do, in a sentence or some
	Until      time.Time
	// Unsure is true for a write whose answer was lost: it may have happened.
	Unsure bool
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s in %s: %v: %s. %s", e.Doing, e.Repository, e.Kind, e.Message, e.Next)
}

// Unwrap is the kind.
func (e *Error) Unwrap() error { return e.Kind }

// A task is what an operation does, for its errors.
type task struct {
	doing string
	needs string // "checks: write"
	write bool
}

// failed makes an *Error of what went wrong.
func (r *Repository) failed(t task, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Repository: r.String(), Doing: t.doing, Permission: t.needs, Kind: ErrUnavailable, Message: err.Error()}
}
