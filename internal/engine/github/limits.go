package github

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	secondary "github.com/gofri/go-github-ratelimit/v2/github_ratelimit/github_secondary_ratelimit"
)

// limits waits for rate limits instead of failing on them, for as long as the context lasts, or patience where it has no
// end; a wait that would outlast it is a *limitError at once. Secondary limits are found and slept through by the layer inside, which knows no
// deadline: it is told one with each request. All requests of a client wait for a limit that one of them met, since
// asking on in spite of it is what GitHub bans for.
type limits struct {
	settings
	next http.RoundTripper // a SecondaryRateLimiter

	mu    sync.Mutex
	until time.Time
	which string
}

// A limitError is a limit that lasts longer than there is time.
type limitError struct {
	which string // "primary", "secondary"
	until time.Time
}

func (e *limitError) Error() string {
	return fmt.Sprintf("the %s rate limit is reached until %s", e.which, e.until.UTC().Format(time.TimeOnly))
}

func (l *limits) RoundTrip(req *http.Request) (*http.Response, error) {
	bound, ok := req.Context().Deadline()
	if !ok {
		bound = time.Now().Add(l.patience)
	}
	for {
		if err := l.wait(req.Context(), bound); err != nil {
			return nil, err
		}
		res, err := l.ask(req, bound)
		if err != nil {
			return nil, err
		}
		which, wait := limited(res)
		if wait == 0 {
			return res, nil
		}
		l.hold(which, time.Now().Add(wait))
	}
}

// ask has the layer inside sleep through a secondary limit if there is time for it. If not, hold makes the next wait
// say so.
func (l *limits) ask(req *http.Request, bound time.Time) (*http.Response, error) {
	hold := func(c *secondary.CallbackContext) { l.hold("secondary", *c.ResetTime) }
	slept := func(c *secondary.CallbackContext) {
		hold(c)
		l.tell("secondary", *c.ResetTime)
	}
	ctx := secondary.WithOverrideConfig(req.Context(),
		secondary.WithSingleSleepLimit(time.Until(bound), hold), secondary.WithLimitDetectedCallback(slept))
	return l.next.RoundTrip(req.WithContext(ctx))
}

// limited says whether an answer is about a rate limit that the layer inside did not settle, and how long it lasts.
func limited(res *http.Response) (string, time.Duration) {
	if res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusTooManyRequests {
		return "", 0
	}
	body, _ := io.ReadAll(res.Body) // it is in memory
	res.Body = io.NopCloser(bytes.NewReader(body))
	text := strings.ToLower(string(body))
	about := strings.Contains(text, "rate limit") || strings.Contains(text, "rate-limit") // its words, or the page they name
	if res.StatusCode == http.StatusForbidden && !about {
		return "", 0 // the last request of the hour may be refused for a reason of its own
	}
	which := "secondary"
	if res.Header.Get("X-RateLimit-Remaining") == "0" {
		which = "primary"
	}
	if wait := retryAfter(res.Header); wait > 0 {
		return which, wait
	}
	reset, err := strconv.ParseInt(res.Header.Get("X-RateLimit-Reset"), 10, 64)
	if which == "primary" && err == nil {
		// A second more: both times are cut to whole ones.
		return which, max(time.Unix(reset, 0).Sub(serverTime(res.Header)), 0) + time.Second
	}
	return which, secondaryWait
}

func (l *limits) hold(which string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.until) {
		l.which, l.until = which, until
	}
}

// wait returns when no limit is known.
func (l *limits) wait(ctx context.Context, bound time.Time) error {
	l.mu.Lock()
	which, until := l.which, l.until
	l.mu.Unlock()
	if !until.After(time.Now()) {
		return nil
	}
	if until.After(bound) {
		return &limitError{which: which, until: until}
	}
	l.tell(which, until)
	return sleep(ctx, time.Until(until))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *limits) tell(which string, until time.Time) {
	left := time.Until(until)
	l.meter.add(func(u *Usage) { u.Waited += left })
	l.notice(fmt.Sprintf("GitHub's %s rate limit is reached: waiting %s for it", which, left.Round(time.Second)))
}
