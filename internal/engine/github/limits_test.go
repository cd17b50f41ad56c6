package github

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestRateLimitsSlowDownAndDoNotFail(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]githubhub.Fault{
		"primary":         {Primary: true},
		"secondary":       {Secondary: true},
		"secondary twice": {Secondary: true, Times: 2},
		"429":             {Status: http.StatusTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f.Operation, f.Times, f.RetryAfter = "issues/create-comment", max(f.Times, 1), time.Second
			w.Fail(f)
			var n notices
			c := w.client(t, Config{Token: w.token, Notice: n.tell})
			whole := w.sticky(strings.Repeat("the whole body, also the second time\n", 1000)) // more than fits in a buffer
			got, err := repository(t, c, "acme/infra").WriteComment(within(t, 2*time.Minute), whole)
			if err != nil {
				t.Fatal(err)
			}
			comments := w.repo.Comments(w.pull.Number)
			if len(comments) != 1 || comments[0].ID != got.ID || comments[0].Body != whole.Body {
				t.Errorf("%d comments, the first is %d", len(comments), comments[0].ID)
			}
			if u := c.Usage(); u.Waited < 500*time.Millisecond || u.Requests != 2+f.Times {
				t.Errorf("usage: %+v", u)
			}
			if !strings.Contains(n.text(), "rate limit") {
				t.Errorf("people were told %q", n.text())
			}
		})
	}
}

// reader answers like GitHub once it read what was sent, over a connection that net/http cannot put right by itself.
type reader struct {
	mu      sync.Mutex
	bodies  []string
	answers []stub
}

func (r *reader) RoundTrip(req *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := r.answers[min(len(r.bodies), len(r.answers)-1)]
	r.bodies = append(r.bodies, string(b))
	return answer.RoundTrip(req)
}

func TestWhatIsSentAgainIsWhole(t *testing.T) {
	t.Parallel()
	again := http.Header{"Retry-After": {"1"}}
	base := &reader{answers: []stub{
		{403, again, `{"message": "You have exceeded a secondary rate limit"}`},
		{429, again, `{"message": "slow down"}`},
		{503, http.Header{}, "down"},
		{201, http.Header{}, `{"id": 1}`},
	}}
	c, err := open(Config{Token: "test-token"}, fast, base)
	if err != nil {
		t.Fatal(err)
	}
	if err := repository(t, c, "acme/infra").SetDeploymentStatus(within(t, time.Minute), 1, DeploymentStatus{State: Succeeded}); err != nil {
		t.Fatal(err)
	}
	for i, body := range base.bodies {
		if !strings.Contains(body, `"success"`) || body != base.bodies[0] {
			t.Errorf("time %d: sent %q", i+1, body)
		}
	}
	if len(base.bodies) != 4 {
		t.Errorf("sent %d times, want 4", len(base.bodies))
	}
}

func TestALimitThatOutlastsTheDeadlineIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]githubhub.Fault{
		"primary":   {Primary: true},
		"secondary": {Secondary: true},
		"429":       {Status: http.StatusTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f.RetryAfter = 50 * time.Minute
			w.Fail(f)
			r := w.open(t, w.token)
			ctx := within(t, 10*time.Minute)
			_, err := r.PullRequest(ctx, 1)
			e := wantError(t, err, ErrRateLimit, "read pull request #1 in acme/infra", "rate limit is reached until", "Nothing was changed")
			if left := time.Until(e.Until); left < 45*time.Minute || left > 51*time.Minute {
				t.Errorf("until %s, which is in %s", e.Until, left)
			}
			// The others do not ask at all.
			_, err = r.WriteComment(ctx, w.sticky("x"))
			wantError(t, err, ErrRateLimit)
			if n := len(w.Requests()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if ctx.Err() != nil {
				t.Error("it waited")
			}
		})
	}
}

func TestAnHourWithoutQuotaIsARateLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.SetQuota(w.token, 0, time.Hour)
	_, err := w.open(t, w.token).PullRequest(within(t, time.Minute), 1)
	wantError(t, err, ErrRateLimit, "primary")
}

// serve is a GitHub for what the hub does not do.
func serve(t *testing.T, cfg Config, h http.HandlerFunc) (*Client, *Repository) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	cfg.APIURL = s.URL + "/api/v3"
	c, err := open(cfg, fast, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	return c, repository(t, c, "acme/infra")
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func message(text string) map[string]string { return map[string]string{"message": text} }

func TestASecondaryLimitWithoutATimeIsAMinuteAndNotTheHourOfThePrimaryOne(t *testing.T) {
	t.Parallel()
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "4000")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(50*time.Minute).Unix(), 10))
		say(w, 403, message("You have exceeded a secondary rate limit. Please wait."))
	})
	_, err := r.PullRequest(within(t, 30*time.Second), 1)
	e := wantError(t, err, ErrRateLimit, "secondary")
	if left := time.Until(e.Until); left > 61*time.Second || left < 30*time.Second {
		t.Errorf("it lasts %s, want a minute", left)
	}
}

func TestASecondaryLimitIsKnownByItsPageToo(t *testing.T) {
	t.Parallel()
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		say(w, 403, map[string]string{
			"message":           "You have triggered an abuse detection mechanism.",
			"documentation_url": "https://docs.github.com/rest/overview/resources-in-the-rest-api#abuse-rate-limits",
		})
	})
	_, err := r.PullRequest(within(t, time.Minute), 1)
	wantError(t, err, ErrRateLimit, "secondary")
}

func TestWithoutADeadlineWaitingStillEnds(t *testing.T) {
	t.Parallel()
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		say(w, 429, message("slow down"))
	})
	_, err := r.PullRequest(context.Background(), 1)
	wantError(t, err, ErrRateLimit)
}

func TestTheLastRequestOfTheHourMayBeRefusedForAReasonOfItsOwn(t *testing.T) {
	t.Parallel()
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
		say(w, 403, message("Resource not accessible by integration"))
	})
	_, err := r.PullRequest(within(t, time.Minute), 1)
	wantError(t, err, ErrPermission)
}

func TestAnEmptyQuotaDoesNotKeepFromAskingWhetherSomethingChanged(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	c, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, req *http.Request) {
		asked.Add(1)
		w.Header().Set("X-RateLimit-Remaining", "0") // this was the last; a 304 costs none
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
		w.Header().Set("ETag", `"1"`)
		if req.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		say(w, 200, map[string]any{"number": 1})
	})
	for range 2 {
		if p, err := r.PullRequest(within(t, time.Minute), 1); err != nil || p.Number != 1 {
			t.Fatalf("got %+v, %v", p, err)
		}
	}
	if u := c.Usage(); asked.Load() != 2 || u.NotModified != 1 || u.Remaining != 0 {
		t.Errorf("asked %d times, usage %+v", asked.Load(), u)
	}
}

func TestAllRequestsWaitForALimitThatOneOfThemMet(t *testing.T) {
	t.Parallel()
	var limitedUntil atomic.Int64
	var early atomic.Int32
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now().UnixMilli()
		if limitedUntil.CompareAndSwap(0, now+900) {
			w.Header().Set("Retry-After", "1")
			say(w, 403, message("You have exceeded a secondary rate limit"))
			return
		}
		if now < limitedUntil.Load() {
			early.Add(1)
		}
		say(w, 200, map[string]any{"number": 1})
	})
	ctx := within(t, time.Minute)
	var all sync.WaitGroup
	all.Go(func() { // meets it
		if _, err := r.PullRequest(ctx, 1); err != nil {
			t.Error(err)
		}
	})
	for limitedUntil.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	for r.c.Usage().Waited == 0 && ctx.Err() == nil { // it knows by now
		time.Sleep(time.Millisecond)
	}
	for range 5 {
		all.Go(func() {
			if _, err := r.PullRequest(ctx, 1); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := early.Load(); n != 0 {
		t.Errorf("%d requests were sent in spite of the limit", n)
	}
}

func TestTimesToWaitAreByGitHubsClock(t *testing.T) {
	t.Parallel()
	theirs := time.Now().Add(-3 * time.Hour) // our clock is three hours fast
	h := http.Header{"Date": {theirs.UTC().Format(http.TimeFormat)}}
	for raw, want := range map[string]time.Duration{
		"":     0,
		"17":   17 * time.Second,
		"0":    time.Second,
		"-5":   time.Second,
		"soon": 0,
		theirs.Add(time.Minute).UTC().Format(http.TimeFormat): time.Minute,
	} {
		h.Set("Retry-After", raw)
		if got := retryAfter(h); got != want {
			t.Errorf("Retry-After %q is %s, want %s", raw, got, want)
		}
	}
	h.Del("Retry-After")
	h.Set("X-RateLimit-Remaining", "0")
	h.Set("X-RateLimit-Reset", fmt.Sprint(theirs.Add(20*time.Second).Unix()))
	res := &http.Response{StatusCode: http.StatusTooManyRequests, Header: h, Body: http.NoBody}
	if which, wait := limited(res); which != "primary" || wait < 19*time.Second || wait > 22*time.Second {
		t.Errorf("got %s for %s", which, wait)
	}
}
