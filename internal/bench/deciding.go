package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const (
	decisions = 9                    // rollouts
	users     = 8                    // who ask one after the other
	pause     = 4 * time.Millisecond // between an answer and the next request
)

// deciding measures how long users meet a candidate that breaks after the answer that was one too many: until its weight
// is 0 in the router. Engine, router, model servers and runner are the real ones.
func deciding() ([]figure, error) {
	ctx := context.Background()
	p, err := build(ctx)
	if err != nil {
		return nil, err
	}
	took, err := p.deciding(ctx)
	if err := errors.Join(err, p.remove()); err != nil {
		return nil, err
	}
	worst := 0.0
	for _, t := range took {
		worst = max(worst, t)
	}
	return []figure{
		{name: "decision_to_weight_0", value: median(took), unit: "ms", most: true, goal: 100},
		{name: "decision_to_weight_0_worst_of_9", value: worst, unit: "ms", most: true, goal: 1000},
	}, nil
}

func (p *program) deciding(ctx context.Context) (took []float64, err error) {
	dir := filepath.Join(p.dir, "deciding")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var seen witness
	all, err := serveModels(dir, seen.handler)
	if err != nil {
		return nil, err
	}
	defer all.close()
	if err := all.command(dir); err != nil {
		return nil, err
	}
	// The engine finds the model server's program where Terraform would have it from.
	if err := os.Setenv("PATH", p.bin()+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		return nil, err
	}
	engine := local.Open(local.Config{DataDir: filepath.Join(dir, "d"), Version: "dev", Command: []string{p.exe(), "engine", "run"}})
	defer func() {
		_, stopped := engine.Stop(context.Background())
		err = errors.Join(err, stopped)
	}()
	if err := os.WriteFile(filepath.Join(dir, "m0"), []byte("0"), 0o600); err != nil {
		return nil, err
	}
	if _, err := engine.Clusters().Apply(ctx, cluster.Spec{Name: "here"}); err != nil {
		return nil, err
	}
	spec := bench(dir)
	st, err := engine.Endpoints().Create(ctx, spec, "bench")
	if err != nil {
		return nil, err
	}
	asking, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for range users {
		wg.Go(func() { use(asking, st.URL) })
	}
	defer wg.Wait()
	defer stop()
	for i := range decisions {
		ms, err := decide(ctx, engine.Endpoints(), spec, &seen, i+1)
		if errors.Is(err, errUndecided) && len(took) >= i/2 {
			fmt.Printf("deciding: rollout %d of %d is left out: %v\n", i+1, decisions, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		fmt.Printf("deciding: rollout %d of %d: weight 0 %.1f ms after the answer that decided\n", i+1, decisions, ms)
		took = append(took, ms)
	}
	return took, nil
}

// bench is an endpoint that serves m0.
func bench(dir string) endpoint.Spec {
	p := rollout.DefaultPolicy()
	p.Steps, p.SkipLeading = []rollout.Step{{Weight: 25, Minimum: rollout.Duration(time.Minute)}}, false
	return endpoint.Spec{
		Cluster: "here", Name: "bench", Root: dir,
		Model:    endpoint.Model{URI: "file://m0"},
		Runtime:  endpoint.Runtime{Command: []string{"./serve"}, Protocol: "v2", StartTimeout: time.Minute},
		Replicas: 1,
		Routing:  endpoint.Routing{Timeout: 10 * time.Second},
		Rollout:  endpoint.Rollout{Policy: p.JSON(), OnCancel: "rollback"},
	}
}

// decide tries a candidate that breaks after a while, and returns the milliseconds from the deciding answer to weight 0.
func decide(ctx context.Context, endpoints endpoint.Engine, spec endpoint.Spec, seen *witness, n int) (float64, error) {
	spec.Model.URI = fmt.Sprintf("file://m%d", n)
	if err := os.WriteFile(filepath.Join(spec.Root, fmt.Sprintf("m%d", n)), fmt.Appendf(nil, "%d", n), 0o600); err != nil {
		return 0, err
	}
	seen.begin()
	if _, err := endpoints.Update(ctx, spec); err != nil {
		return 0, err
	}
	var last rollout.Record // before the end
	var ended time.Time
	_, err := rollout.Run(ctx, endpoints, endpoint.ID(spec.Cluster, spec.Name), rollout.Options{Runner: "bench", Progress: func(r rollout.Record) {
		switch {
		case r.Phase == rollout.RolledBack:
			ended = time.Now()
		case r.Phase == rollout.Observing && last.Phase != rollout.Observing:
			// Healthy for some windows, and broken at no particular moment of one.
			time.AfterFunc(2*time.Second+rand.N(time.Second), func() { seen.broken.Store(true) })
		}
		if r.Phase != rollout.RolledBack {
			last = r
		}
	}})
	var back *rollout.RolledBackError
	if !errors.As(err, &back) || back.Record.Failure.Kind != rollout.KindGate {
		return 0, fmt.Errorf("a candidate that broke was not rolled back by a gate: %w", err)
	}
	at, err := seen.decided(last)
	return ended.Sub(at).Seconds() * 1000, err
}

// A witness is what model servers answered.
type witness struct {
	broken atomic.Bool
	mu     sync.Mutex
	all    []seenAnswer
}

type seenAnswer struct {
	at             time.Time
	candidate, bad bool
}

func (s *witness) begin() {
	s.broken.Store(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = nil
}

// handler is a model's: m0 serves well, others until they are broken.
func (s *witness) handler(model string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return // it is ready
		}
		candidate := model != "m0"
		bad := candidate && s.broken.Load()
		if bad {
			w.WriteHeader(http.StatusInternalServerError)
		}
		answer(w, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = append(s.all, seenAnswer{time.Now(), candidate, bad})
	})
}

// errUndecided: the engine judges what it counted in several windows, the witness in one, whose evidence may be a little less.
var errUndecided = errors.New("as one window nothing that was answered decides, and the rollout was rolled back")

// decided returns when the answer came with which what was seen since the record ends the rollout.
func (s *witness) decided(last rollout.Record) (time.Time, error) {
	p, err := rollout.ParsePolicy(last.Policy)
	if err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var w gate.Window
	for _, a := range s.all {
		if a.at.Before(last.Renewed) {
			continue
		}
		arm := &w.Stable
		if a.candidate {
			arm = &w.Candidate
		}
		arm.Requests++
		if !a.bad {
			continue
		}
		arm.Bad++
		next := rollout.Next(p, last, rollout.Counted{Windows: []gate.Window{w}, Cursor: last.Cursor, At: a.at})
		if next.Phase == rollout.RolledBack {
			return a.at, nil
		}
	}
	return time.Time{}, errUndecided
}

// use asks until ctx ends.
func use(ctx context.Context, url string) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for ctx.Err() == nil {
		res, err := client.Post(url+"/v2/models/bench/infer", "application/json", http.NoBody)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body) // how it was answered, the witness knows
			_ = res.Body.Close()
		}
		time.Sleep(pause)
	}
}
