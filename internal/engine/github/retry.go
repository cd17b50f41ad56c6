package github

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// tries is how often something is tried: with half a second before the second try, over 7.5 s.
const tries = 5

// retry tries again what may be tried again: requests that change nothing or that said that they are the same the second
// time, after 5xx or a connection that broke; and any that did not get to GitHub.
type retry struct {
	settings
	next http.RoundTripper
}

func (r *retry) RoundTrip(req *http.Request) (*http.Response, error) {
	var last *http.Response
	first := true
	res, err := again(req.Context(), r.pause, func() (*http.Response, error) {
		if !first {
			r.meter.add(func(u *Usage) { u.Retries++ })
		}
		first = false
		res, err := r.next.RoundTrip(req)
		last = res
		switch {
		case err != nil && (repeatable(req) || unsent(err)) && passing(err):
			return nil, err
		case err != nil:
			return nil, backoff.Permanent(err)
		case res.StatusCode >= 500 && repeatable(req):
			return nil, busy(res)
		}
		return res, nil
	})
	if canceled := req.Context().Err(); err != nil && errors.Is(canceled, context.Canceled) {
		return nil, canceled
	}
	if last != nil {
		res, err = last, nil // also one of 5xx: its own words say more
	}
	if err != nil {
		return nil, err
	}
	// go-github would refuse further requests by these; waiting for limits is our own business.
	for _, name := range []string{"Limit", "Remaining", "Used", "Reset"} {
		res.Header.Del("X-RateLimit-" + name)
	}
	return res, nil
}

// busy is an answer of 5xx as an error that says when to come back.
func busy(res *http.Response) error {
	wait := retryAfter(res.Header)
	if wait > 0 && wait <= secondaryWait {
		return backoff.RetryAfter(int(wait / time.Second))
	}
	return fmt.Errorf("status %d", res.StatusCode)
}

// again tries until it goes well, or goes wrong for good (backoff.Permanent), too often or out of time: the error is that
// of the last try.
func again[T any](ctx context.Context, pause time.Duration, op func() (T, error)) (T, error) {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.Multiplier = pause, 2
	var last error
	v, err := backoff.Retry(ctx, func() (T, error) {
		v, err := op()
		last = err
		return v, err
	}, backoff.WithBackOff(b), backoff.WithMaxTries(tries), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return v, nil
	}
	var permanent *backoff.PermanentError
	if errors.As(last, &permanent) {
		last = permanent.Err
	}
	return v, last
}

type repeatableKey struct{}

// mayRepeat says of a write that doing it twice is the same as doing it once.
func mayRepeat(ctx context.Context) context.Context {
	return context.WithValue(ctx, repeatableKey{}, true)
}

func repeatable(req *http.Request) bool {
	return req.Method == http.MethodGet || req.Method == http.MethodHead || req.Context().Value(repeatableKey{}) != nil
}

// passing reports whether an error may be gone the next time.
func passing(err error) bool {
	var (
		limit *limitError
		ours  *Error // of getting an installation's token
		cert  *tls.CertificateVerificationError
	)
	return !errors.As(err, &limit) && !errors.As(err, &ours) && !errors.As(err, &cert) && !errors.Is(err, errTooLong) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// unsent reports whether a request surely did not get to GitHub.
func unsent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// settled looks whether what was written is there, a few times: for a moment GitHub may answer as it did before. What is
// not there then is for the caller to say.
func settled(ctx context.Context, pause time.Duration, look func() (there bool, err error)) error {
	for n := range 3 {
		if err := sleep(ctx, pause*time.Duration(2*n)); err != nil {
			return err
		}
		if there, err := look(); there || err != nil {
			return err
		}
	}
	return nil
}

// once does what may not be done twice. After a try whose answer was lost it looks whether it was done, before it tries
// again; what cannot be found out is an *Error that is Unsure.
func once[T any](ctx context.Context, pause time.Duration, do func() (T, error), find func() (T, bool, error)) (T, error) {
	return again(ctx, pause, func() (T, error) {
		v, err := do()
		if err == nil {
			return v, nil
		}
		var e *Error
		if !errors.As(err, &e) || !e.Unsure {
			return v, backoff.Permanent(err)
		}
		found, ok, lost := find()
		if ok {
			return found, nil
		}
		if lost != nil {
			return v, backoff.Permanent(err)
		}
		return v, err
	})
}
