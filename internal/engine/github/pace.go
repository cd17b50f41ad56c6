package github

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// GitHub wants the writes of one client one after the other, and lets it create content 80 times a minute. What goes beyond is
// answered with a secondary limit, and with a ban if that happens often.
const (
	writesPerMinute = 75
	paceWindow      = time.Minute
)

// pace lets writes through one at a time, and no more of them a minute than GitHub takes: the next waits, as long as its
// context lasts. It is inside the layer that sleeps for limits, so nobody waits here for one who sleeps there.
type pace struct {
	next http.RoundTripper
	turn chan struct{} // holds one

	mu   sync.Mutex
	sent []time.Time // of the last writes, the oldest first
}

func newPace(next http.RoundTripper) *pace {
	return &pace{next: next, turn: make(chan struct{}, 1)}
}

func (p *pace) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return p.next.RoundTrip(req)
	}
	ctx := req.Context()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := p.wait(ctx); err != nil {
		return nil, err
	}
	return p.next.RoundTrip(req)
}

// wait returns when one more write is within the minute's, and counts it.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock() // the one whose turn it is has it to itself
	now := time.Now()
	if len(p.sent) >= writesPerMinute {
		free := p.sent[len(p.sent)-writesPerMinute].Add(paceWindow)
		if bound, ok := ctx.Deadline(); ok && free.After(bound) {
			return &limitError{which: "content creation", until: free}
		}
		if err := sleep(ctx, free.Sub(now)); err != nil {
			return err
		}
		p.sent = p.sent[len(p.sent)-writesPerMinute+1:]
	}
	p.sent = append(p.sent, time.Now())
	return nil
}

// turns are who works on a repository's branches: of the pipelines of one process, one at a time, so that they do not
// take each other's branch away all the time.
type turns struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

// turn waits for one's turn at a repository.
func (c *Client) turn(ctx context.Context, r *Repository) (done func(), err error) {
	key := strings.ToLower(r.String())
	c.turns.mu.Lock()
	if c.turns.held == nil {
		c.turns.held = map[string]chan struct{}{}
	}
	one := c.turns.held[key]
	if one == nil {
		one = make(chan struct{}, 1)
		c.turns.held[key] = one
	}
	c.turns.mu.Unlock()
	select {
	case one <- struct{}{}:
		return func() { <-one }, nil
	case <-ctx.Done():
		return nil, r.failed(task{doing: "wait for another pipeline that is written"}, ctx.Err())
	}
}
