package crashtest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Users ask an endpoint, one request after the other, whatever happens to it.
type users struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	failed atomic.Uint64 // no model's good answer

	mu      sync.Mutex
	last    time.Time     // a good answer
	longest time.Duration // without one
}

const (
	clients = 4
	between = 80 * time.Millisecond // a client's requests
)

// start sends them to an address that stays the same.
func (u *users) start(url string) {
	ctx, cancel := context.WithCancel(context.Background())
	u.cancel, u.last = cancel, time.Now()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: 30 * time.Second}
	for range clients {
		u.done.Go(func() {
			for ctx.Err() == nil {
				_, code, err := infer(ctx, client, url)
				u.saw(err == nil && code == http.StatusOK)
				select {
				case <-ctx.Done():
				case <-time.After(between):
				}
			}
		})
	}
}

func (u *users) saw(good bool) {
	if !good {
		u.failed.Add(1)
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.longest, u.last = max(u.longest, time.Since(u.last)), time.Now()
}

// outage is the longest time without a good answer.
func (u *users) outage() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.longest
}

func (u *users) stop() {
	if u.cancel != nil {
		u.cancel()
		u.done.Wait()
	}
}

// infer asks once.
func infer(ctx context.Context, client *http.Client, url string) (version string, code int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v2/models/penguins/infer", strings.NewReader(`{"inputs":[]}`))
	if err != nil {
		return "", 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Version string `json:"model_version"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.Version, resp.StatusCode, err
}
