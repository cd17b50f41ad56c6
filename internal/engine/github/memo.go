package github

import "sync"

// A memo asks for a thing once and keeps what was answered; what went wrong is asked for again. Others who want the same
// meanwhile wait for the one who asks.
type memo[T any] struct {
	mu   sync.Mutex
	kept map[string]*memoized[T]
}

type memoized[T any] struct {
	mu   sync.Mutex
	done bool
	v    T
}

func (m *memo[T]) get(key string, ask func() (T, error)) (T, error) {
	k := m.of(key)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done {
		return k.v, nil
	}
	v, err := ask()
	if err != nil {
		return v, err
	}
	k.done, k.v = true, v
	return v, nil
}

// forget makes the next get ask again.
func (m *memo[T]) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, key)
}

func (m *memo[T]) of(key string) *memoized[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = map[string]*memoized[T]{}
	}
	if m.kept[key] == nil {
		m.kept[key] = &memoized[T]{}
	}
	return m.kept[key]
}

// answers are what a Client keeps of GitHub's, besides what is asked for conditionally: none of them changes while a
// Terraform runs, or GitHub says so when it does.
type answers struct {
	reviewers memo[int64] // by the word in lower case
	keys      memo[publicKey]
	pins      memo[Pin]
	apps      memo[int64] // by slug
}
