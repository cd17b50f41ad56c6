package github

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// shared are reads of repositories that many pipelines need at about the same time: a refresh asks five pipelines of one
// repository at once, and the plan asks again a moment later. Each is made once by whoever comes first; the others wait for
// its answer, and it stays good for a while. Errors are not kept.
type shared struct {
	fresh time.Duration

	mu   sync.Mutex
	kept map[string]*sharedRead // by repository and what is read
}

// A sharedRead is one that is under way or done.
type sharedRead struct {
	done  chan struct{} // closed when the others are set
	value any
	err   error
	until time.Time
}

func newShared(fresh time.Duration) *shared {
	return &shared{fresh: fresh, kept: map[string]*sharedRead{}}
}

// share returns what ask answers, or what it answered for the same repository and words a moment ago.
func share[T any](ctx context.Context, s *shared, r *Repository, what string, ask func() (T, error)) (T, error) {
	key := strings.ToLower(r.String()) + " " + what
	for {
		read, mine := s.join(key)
		if mine {
			v, err := ask()
			s.finish(key, read, v, err)
			return v, err
		}
		select {
		case <-read.done:
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
		if read.err != nil && (errors.Is(read.err, context.Canceled) || errors.Is(read.err, context.DeadlineExceeded)) && ctx.Err() == nil {
			continue // it was the other one who ran out of time
		}
		v, _ := read.value.(T)
		return v, read.err
	}
}

// join finds a read that is under way or still good; else it begins one, which is the caller's to finish.
func (s *shared) join(key string) (*sharedRead, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if read := s.kept[key]; read != nil && (read.until.IsZero() || time.Now().Before(read.until)) {
		return read, false
	}
	read := &sharedRead{done: make(chan struct{})}
	s.kept[key] = read
	return read, true
}

func (s *shared) finish(key string, read *sharedRead, value any, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	read.value, read.err, read.until = value, err, time.Now().Add(s.fresh)
	if err != nil && s.kept[key] == read {
		delete(s.kept, key)
	}
	close(read.done)
}

// forget makes further reads of a repository ask anew. It is called after each write: a read that is under way then may
// have seen the time before, so it is nobody's any more but theirs who wait for it already.
func (s *shared) forget(r *Repository) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.kept {
		if strings.HasPrefix(key, strings.ToLower(r.String())+" ") {
			delete(s.kept, key)
		}
	}
}
