package local_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Traffic is clients that ask an endpoint until the test stops them.
type traffic struct {
	asked, dropped, bad atomic.Uint64
	seen                sync.Map // answer without its process id -> true
	stop                func()
	lastError           atomic.Value
}

// client keeps connections, as users of a model do.
var client = http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// ask sends one request.
func ask(url string) (answer, int, error) { return askAs(url, "") }

// askAs sends one of a client's requests; "" is nobody that is known.
func askAs(url, key string) (answer, int, error) {
	req, err := http.NewRequest(http.MethodPost, url+"/v2/models/m/infer", strings.NewReader("{}"))
	if err != nil {
		return answer{}, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("X-Client", key)
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	var a answer
	err = json.NewDecoder(resp.Body).Decode(&a)
	return a, resp.StatusCode, err
}

// startTraffic asks from some clients at once, until the test ends or stop is called.
func startTraffic(t *testing.T, url string, clients int) *traffic {
	t.Helper()
	tr := &traffic{}
	done := make(chan struct{})
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				a, code, err := ask(url)
				tr.asked.Add(1)
				switch {
				case err != nil:
					tr.lastError.Store(err.Error())
					tr.dropped.Add(1)
				case code >= http.StatusInternalServerError && a.Model == "":
					tr.lastError.Store(http.StatusText(code))
					tr.dropped.Add(1) // the router's own answer
				case code >= http.StatusInternalServerError:
					tr.bad.Add(1)
				}
				a.PID = 0
				tr.seen.Store(a, true)
			}
		})
	}
	tr.stop = sync.OnceFunc(func() { close(done); all.Wait() })
	t.Cleanup(tr.stop)
	return tr
}

// saw reports whether an answer came from such a server.
func (tr *traffic) saw(a answer) bool {
	_, ok := tr.seen.Load(a)
	return ok
}

// noneDropped stops the traffic and fails the test where a request got no model's answer.
func (tr *traffic) noneDropped(t *testing.T) {
	t.Helper()
	tr.stop()
	if n := tr.dropped.Load(); n > 0 {
		t.Errorf("%d of %d requests were dropped, the last with %v", n, tr.asked.Load(), tr.lastError.Load())
	}
	if tr.asked.Load() == 0 {
		t.Error("no request was sent")
	}
}

// eventually waits until ok, and fails the test after a while.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not so after 30 s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
