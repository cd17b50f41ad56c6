package provider

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Traffic is what users do meanwhile: they ask an endpoint, one request after the other.
type traffic struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	pause  chan struct{} // closed: none between requests

	mu       sync.Mutex
	versions map[string]int // good answers
	bad      int            // 5xx
	dropped  int            // no answer at all
}

// ask asks as fast as it can: a verdict takes a second or two.
func ask(t *testing.T, url string) *traffic {
	t.Helper()
	tr := trickle(t, url)
	tr.flood()
	return tr
}

// trickle asks so rarely that no verdict is near, until flood.
func trickle(t *testing.T, url string) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	tr := &traffic{cancel: cancel, versions: map[string]int{}, pause: make(chan struct{})}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	for range 4 {
		tr.done.Go(func() {
			for ctx.Err() == nil {
				version, code, err := infer(ctx, client, url)
				if ctx.Err() != nil {
					return
				}
				tr.count(version, code, err)
				select {
				case <-tr.pause:
				case <-ctx.Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
		})
	}
	t.Cleanup(tr.stop)
	return tr
}

func (tr *traffic) flood() { close(tr.pause) }

func (tr *traffic) stop() {
	tr.cancel()
	tr.done.Wait()
}

func (tr *traffic) count(version string, code int, err error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch {
	case err != nil:
		tr.dropped++
	case code != http.StatusOK:
		tr.bad++
	default:
		tr.versions[version]++
	}
}

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
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", 0, err
	}
	var answer struct {
		Version string `json:"model_version"`
	}
	if resp.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, &answer)
	}
	return answer.Version, resp.StatusCode, err
}

// serves wants this version from the endpoint, at once.
func serves(t *testing.T, url, want string) {
	t.Helper()
	version, code, err := infer(t.Context(), http.DefaultClient, url)
	if err != nil || code != http.StatusOK || version != want {
		t.Fatalf("the endpoint answers version %q, code %d, %v; want %q", version, code, err, want)
	}
}

// newClient knows no kept connection.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// eventually waits until ok, and fails where it never is.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}
