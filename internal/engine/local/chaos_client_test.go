package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A simClient is a process that uses the engine: a runner, or somebody who applies.
type simClient struct {
	s      *sim
	number int
	name   string
	engine *Engine
	ctx    context.Context
	cancel context.CancelCauseFunc
	rng    *rand.Rand

	// Guarded by s.mu.
	dead, done bool
	resume     time.Time // it is stopped until then, like by SIGSTOP
	requests   int
}

// client is a new process.
func (s *sim) client(name string) *simClient {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &simClient{s: s, number: len(s.runners) + 1}
	c.name = fmt.Sprintf("%s %d", name, c.number)
	c.rng = s.rng(1, uint64(c.number))
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.engine = Open(Config{DataDir: string(s.dir), Version: "dev"})
	c.engine.reach = reach{transport: func(info) http.RoundTripper { return c }, spawn: c.spawn}
	s.runners = append(s.runners, c)
	return c
}

// run drives the rollout, as terraform or tidegate promote do.
func (c *simClient) run(freeze bool, interval time.Duration) {
	o := rollout.Options{Runner: c.name, Interval: interval, Freeze: freeze}
	c.s.tell("%s starts, freeze %t, every %s", c.name, freeze, interval)
	c.s.all.Go(func() {
		r, err := rollout.Run(c.ctx, simStore{c, endpoints{c.engine}}, chaosID, o)
		c.s.mu.Lock()
		dead := c.dead
		c.done = true
		if !dead && err == nil && r.Phase == rollout.Promoted {
			c.s.promised[r.ID] = true
		}
		c.s.mu.Unlock()
		if !dead {
			c.s.tell("%s ends: %s, %v", c.name, r.Phase, err)
		}
	})
}

// waits returns when the process may go on. One that was killed goes on when all is over, and reaches nobody then.
func (c *simClient) waits() error {
	for {
		c.s.mu.Lock()
		dead, resume := c.dead, c.resume
		c.s.mu.Unlock()
		switch wait := time.Until(resume); {
		case dead:
			<-c.s.over
			return errors.New("the process was killed")
		case wait <= 0:
			return nil
		default:
			time.Sleep(wait)
		}
	}
}

func (c *simClient) kill() {
	c.s.tell("%s is killed", c.name)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.dead = true
}

func (c *simClient) spawn(dir dataDir) (spawned, error) {
	if err := c.waits(); err != nil {
		return spawned{}, err
	}
	return c.s.spawn(dir)
}

// A simStore is a runner's store. The process may be stopped before and after each call.
type simStore struct {
	c *simClient
	endpoints
}

func (s simStore) Load(ctx context.Context, id string) (rollout.Record, rollout.Version, error) {
	r, v, err := s.endpoints.Load(ctx, id)
	return r, v, errors.Join(err, s.c.waits())
}

func (s simStore) Save(ctx context.Context, id string, r rollout.Record, v rollout.Version) (rollout.Version, error) {
	v, err := s.endpoints.Save(ctx, id, r, v)
	return v, errors.Join(err, s.c.waits())
}

func (s simStore) Count(ctx context.Context, id string, c rollout.Cursor) ([]gate.Window, rollout.Cursor, error) {
	w, cursor, err := s.endpoints.Count(ctx, id, c)
	return w, cursor, errors.Join(err, s.c.waits())
}

// A fate is what becomes of a request on its way.
type fate struct {
	before, after    time.Duration
	lost, unanswered bool
	again            time.Duration // 0: it comes once
}

func (c *simClient) fate() fate {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c.requests++
	f := fate{before: time.Duration(1+c.rng.IntN(2000)) * time.Microsecond, after: time.Duration(1+c.rng.IntN(2000)) * time.Microsecond}
	if !s.lost || s.schedule.loss == 0 {
		return f
	}
	chance := func() bool { return c.rng.Float64() < s.schedule.loss }
	late := func() time.Duration { return time.Duration(c.rng.ExpFloat64() * float64(2*time.Second)) }
	f.lost, f.unanswered = chance(), chance()
	if chance() {
		f.before += late()
	}
	if chance() {
		f.after += late()
	}
	if chance() {
		f.again = 1 + late()
	}
	return f
}

// RoundTrip carries a request to the daemon that runs, by the simulated network.
func (c *simClient) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := c.waits(); err != nil {
		return nil, refused(err)
	}
	p := c.s.daemon()
	if p == nil {
		return nil, refused(syscall.ECONNREFUSED)
	}
	var body []byte
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = b
	}
	f := c.fate()
	time.Sleep(f.before)
	if f.lost {
		c.s.tell("%s: %s is lost", c.name, brief(req))
		return nil, io.EOF
	}
	answer := make(chan *http.Response, 1)
	c.s.all.Go(func() { p.serve(req, body, c.name, answer) })
	if f.again > 0 && req.Method != http.MethodGet {
		c.s.all.Go(func() {
			time.Sleep(f.again)
			c.s.tell("%s: %s comes again", c.name, brief(req))
			p.serve(req.WithContext(context.WithoutCancel(req.Context())), body, c.name, make(chan *http.Response, 1))
		})
	}
	select {
	case a := <-answer:
		time.Sleep(f.after)
		if err := c.waits(); err != nil {
			return nil, err
		}
		if f.unanswered {
			c.s.tell("%s: the answer to %s is lost", c.name, brief(req))
			return nil, io.ErrUnexpectedEOF
		}
		return a, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	case <-p.dead:
		return nil, io.EOF
	}
}

func refused(err error) error { return &net.OpError{Op: "dial", Net: "unix", Err: err} }

func brief(req *http.Request) string {
	return req.Method + " " + strings.TrimPrefix(req.URL.Path, "/v1/endpoints/")
}

// serve is the daemon's side of a request.
func (p *simDaemon) serve(req *http.Request, body []byte, from string, answer chan<- *http.Response) {
	p.atRequest(beforeRequest)
	if p.isDead.Load() {
		return
	}
	switch {
	case strings.HasSuffix(req.URL.Path, "/record") && req.Method == http.MethodPut:
		body = p.mutateSave(body)
	case strings.HasSuffix(req.URL.Path, "/count"):
		body = p.mutateCount(body)
	}
	r := req.Clone(req.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	if strings.HasSuffix(req.URL.Path, "/record") && req.Method == http.MethodPut {
		p.mutateSaved()
		p.saved(body, w.Body.Bytes(), from)
	}
	if strings.HasSuffix(req.URL.Path, "/count") {
		p.counted(w.Body.Bytes())
	}
	p.atRequest(afterRequest)
	if !p.isDead.Load() {
		answer <- w.Result()
	}
}

// saved checks that an epoch has one runner.
func (p *simDaemon) saved(asked, answered []byte, from string) {
	var q recordBody
	var v versionBody
	if strings.HasPrefix(from, "person") {
		return // who drives nothing
	}
	if json.Unmarshal(asked, &q) != nil || json.Unmarshal(answered, &v) != nil || v.Version == "" || v.Version == q.Version {
		return
	}
	p.s.commit.Lock()
	defer p.s.commit.Unlock()
	if p.isDead.Load() {
		return // nobody knows
	}
	key := fmt.Sprint(q.Record.ID, q.Record.Epoch)
	if owner := p.s.watch.owner[key]; owner != "" && owner != from {
		p.s.fail("S5: %s and %s drive in epoch %d", owner, from, q.Record.Epoch)
	}
	p.s.watch.owner[key] = from
}
