package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/router"
)

const (
	rounds = 5                       // of each side, in turn
	round  = 1500 * time.Millisecond // long enough to be past the first connections
)

// routing compares the router, splitting and counting, with net/http's reverse proxy, which does
// neither, in front of the same model server.
func routing() ([]figure, error) {
	model := httptest.NewServer(http.HandlerFunc(answer))
	defer model.Close()
	target, err := url.Parse(model.URL)
	if err != nil {
		return nil, err
	}
	bare := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 256},
	})
	defer bare.Close()
	ours, err := router.Listen("127.0.0.1:0", prometheus.Labels{"cluster": "bench", "endpoint": "bench"})
	if err != nil {
		return nil, err
	}
	defer ours.Close(context.Background())
	ours.Set(router.Table{
		Stable:    router.Arm{Revision: "sha256:a", Addrs: []string{target.Host}},
		Candidate: router.Arm{Revision: "sha256:b", Addrs: []string{target.Host}},
		Weight:    25,
		Timeout:   time.Minute,
	})
	var figures []figure
	for _, connections := range []int{1, 16, 64} {
		var ratios []float64
		for i := range rounds {
			a, err := load("http://"+ours.Addr(), connections)
			if err != nil {
				return nil, err
			}
			b, err := load(bare.URL, connections)
			if err != nil {
				return nil, err
			}
			fmt.Printf("routing: %d connections, round %d of %d: router %.0f requests/s, bare proxy %.0f\n", connections, i+1, rounds, a, b)
			ratios = append(ratios, a/b)
		}
		figures = append(figures, figure{
			name: fmt.Sprintf("router_over_bare_proxy_%d_connections", connections), value: median(ratios),
			unit: "times", goal: 1,
		})
	}
	return figures, nil
}

// answer is a model server that costs next to nothing.
func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"model_name":"bench","outputs":[{"name":"y","shape":[1],"datatype":"INT64","data":[1]}]}`)
}

// load returns the requests a second that so many connections get answered for one round.
func load(base string, connections int) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	body := []byte(`{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP64","data":[1,2,3,4]}]}`)
	var answered, failed atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range connections {
		wg.Go(func() {
			for time.Since(start) < round {
				if ask(client, base+"/v2/models/bench/infer", body) != nil {
					failed.Add(1)
					return
				}
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		return 0, fmt.Errorf("load %s: %d connections failed", base, failed.Load())
	}
	return float64(answered.Load()) / time.Since(start).Seconds(), nil
}

func ask(client *http.Client, to string, body []byte) error {
	resp, err := client.Post(to, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}
