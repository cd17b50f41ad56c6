package github

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit/github_secondary_ratelimit"
)

// answerLimit is how long an answer of the API may be: many times the longest that is asked for.
const answerLimit = 64 << 20

var errTooLong = fmt.Errorf("an answer of more than %d MiB", answerLimit>>20)

// A credential is what a request says about who sends it.
type credential interface {
	// header is the value of Authorization; "" without one.
	header(ctx context.Context) (string, error)
}

// newTransport is the way to the API, from the outside in: tries again, asks conditionally, waits for limits (the
// primary one, then the secondary ones), lets writes through one by one, sends. Each layer sees what those inside it could not settle.
func newTransport(base http.RoundTripper, api *url.URL, who credential, cache *cache, s settings) http.RoundTripper {
	sends := &wire{base: base, api: api, who: who, meter: s.meter}
	waits := &limits{next: github_secondary_ratelimit.New(newPace(sends)), settings: s}
	asks := &conditional{next: waits, cache: cache, meter: s.meter}
	return &retry{next: asks, settings: s}
}

// settings are what the layers share.
type settings struct {
	meter    *meter
	notice   func(string)
	pause    time.Duration // before the second try; doubled before each further one
	patience time.Duration // for a rate limit where the context has no deadline
	fresh    time.Duration // for which what pipelines read of a repository is good
}

// wire sends a request, with credentials and its body from the start, and reads the whole answer: one that is cut off
// is an error here, not somewhere in a decoder.
type wire struct {
	base  http.RoundTripper
	api   *url.URL
	who   credential
	meter *meter
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	out, err := w.prepare(req)
	if err != nil {
		return nil, err
	}
	w.meter.add(func(u *Usage) { u.Requests++ })
	res, err := w.base.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, answerLimit+1))
	if err != nil {
		return nil, fmt.Errorf("the answer was cut off: %w", err)
	}
	if len(body) > answerLimit {
		return nil, errTooLong
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if n, err := strconv.Atoi(res.Header.Get("X-RateLimit-Remaining")); err == nil {
		w.meter.add(func(u *Usage) { u.Remaining = n })
	}
	nameWait(res, body)
	return res, nil
}

// prepare copies a request: its body was consumed if it was sent before. Credentials are for the API alone: an answer
// may lead to another host, or to this one without TLS.
func (w *wire) prepare(req *http.Request) (*http.Request, error) {
	out := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	out.Header.Del("Authorization")
	if req.URL.Host != w.api.Host || req.URL.Scheme != w.api.Scheme {
		return out, nil
	}
	header, err := w.who.header(req.Context())
	if err != nil {
		return nil, err
	}
	if header != "" {
		out.Header.Set("Authorization", header)
	}
	return out, nil
}

// secondaryWait is what GitHub asks for where it names no time.
const secondaryWait = time.Minute

// nameWait puts the time to wait into an answer about a secondary limit that has none. Without it the limiter would take
// x-ratelimit-reset, which is the primary limit's and up to an hour away.
func nameWait(res *http.Response, body []byte) {
	if res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusTooManyRequests {
		return
	}
	var said github_secondary_ratelimit.SecondaryRateLimitBody
	if json.Unmarshal(body, &said) != nil || !said.IsSecondaryRateLimit() {
		return
	}
	wait := retryAfter(res.Header)
	if wait == 0 {
		wait = secondaryWait
	}
	res.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
}

// retryAfter is how long an answer asks to wait, in whole seconds and at least one; 0 if it does not.
func retryAfter(h http.Header) time.Duration {
	raw := h.Get("Retry-After")
	if raw == "" {
		return 0
	}
	if n, err := strconv.Atoi(raw); err == nil {
		return max(time.Duration(n)*time.Second, time.Second)
	}
	at, err := http.ParseTime(raw)
	if err != nil {
		return 0
	}
	return max(at.Sub(serverTime(h)).Round(time.Second), time.Second)
}

// serverTime is GitHub's clock: times that it names are by it, not by ours.
func serverTime(h http.Header) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return time.Now()
}

// A meter counts for Usage.
type meter struct {
	mu    sync.Mutex
	usage Usage
}

func (m *meter) add(f func(*Usage)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.usage)
}

func (m *meter) read() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.usage
}
