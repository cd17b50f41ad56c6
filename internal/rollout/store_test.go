package rollout

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

const endpointID = "local/here/penguins"

// A memory is an engine of one endpoint: its store, the requests of its users, and the
// events that only an engine sees. Like a real one it keeps bytes, so that what JSON loses
// is lost here too.
type memory struct {
	t *testing.T

	// perSecond are the users' requests; badly the percent of the candidate's that fail.
	perSecond, badly float64
	// fault is asked before each call with its name and number from 1; nil is no fault.
	fault func(call string, n int) *fault

	mu      sync.Mutex
	bytes   []byte // the record
	version int
	changed chan struct{} // closed at the next change
	totals  gate.Window
	owed    [2]float64 // parts of requests that are not whole yet
	at      time.Time  // up to when totals are counted
	calls   map[string]int
	base    Cursor // the first that was saved: from there on every request counts
}

// A fault of a call: err is answered; after says that the call was carried out before.
type fault struct {
	err   error
	after bool
}

var errRefused = errors.New("connection refused")

// newMemory has a rollout that begins now.
func newMemory(t *testing.T, p Policy) *memory {
	m := &memory{t: t, perSecond: 1000, changed: make(chan struct{}), at: time.Now(), calls: map[string]int{}}
	m.write(Begin("sha256:cccccccccccccccccccc", "sha256:aaaaaaaaaaaaaaaaaaaa", p, now()))
	return m
}

func (m *memory) record() Record {
	var r Record
	if err := json.Unmarshal(m.bytes, &r); err != nil {
		m.t.Error(err)
	}
	return r
}

func (m *memory) write(r Record) {
	m.flow()
	b, err := json.Marshal(r)
	if err != nil {
		m.t.Error(err)
	}
	m.bytes = b
	if len(m.base) == 0 {
		m.base = r.Cursor
	}
	m.version++
	close(m.changed)
	m.changed = make(chan struct{})
}

// flow lets the requests happen that belong to the time since it was last called.
func (m *memory) flow() {
	spent := time.Since(m.at).Seconds()
	m.at = time.Now()
	weight := 0.0
	if m.bytes != nil {
		weight = float64(m.record().Weight) / 100
	}
	for i, part := range []float64{weight, 1 - weight} {
		m.owed[i] += spent * m.perSecond * part
		whole := math.Floor(m.owed[i])
		m.owed[i] -= whole
		if i == 0 {
			m.totals.Candidate.Requests += uint64(whole)
			m.totals.Candidate.Bad += uint64(whole * m.badly / 100)
			continue
		}
		m.totals.Stable.Requests += uint64(whole)
	}
}

func (m *memory) ask(ctx context.Context, call string) *fault {
	if err := ctx.Err(); err != nil {
		return &fault{err: err}
	}
	m.calls[call]++
	if m.fault == nil {
		return nil
	}
	return m.fault(call, m.calls[call])
}

func (m *memory) Load(ctx context.Context, _ string) (Record, Version, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.ask(ctx, "load"); f != nil {
		return Record{}, "", f.err
	}
	return m.record(), Version(strconv.Itoa(m.version)), nil
}

func (m *memory) Save(ctx context.Context, _ string, r Record, v Version) (Version, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.ask(ctx, "save")
	if f != nil && !f.after {
		return "", f.err
	}
	if v != Version(strconv.Itoa(m.version)) {
		return "", ErrConflict
	}
	m.write(r)
	if f != nil {
		return "", f.err
	}
	return Version(strconv.Itoa(m.version)), nil
}

func (m *memory) Count(ctx context.Context, _ string, c Cursor) ([]gate.Window, Cursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.ask(ctx, "count"); f != nil {
		return nil, nil, f.err
	}
	m.flow()
	next, err := json.Marshal(m.totals)
	if err != nil || len(c) == 0 {
		return nil, next, err
	}
	return []gate.Window{minus(m.totals, behind(m.t, c))}, next, nil
}

func behind(t *testing.T, c Cursor) (w gate.Window) {
	if err := json.Unmarshal(c, &w); err != nil {
		t.Error(err)
	}
	return w
}

func minus(a, b gate.Window) gate.Window {
	arm := func(a, b gate.Arm) gate.Arm { return gate.Arm{Requests: a.Requests - b.Requests, Bad: a.Bad - b.Bad} }
	return gate.Window{Candidate: arm(a.Candidate, b.Candidate), Stable: arm(a.Stable, b.Stable)}
}

// feed is the engine's own hand: Next, and compare-and-swap.
func (m *memory) feed(e Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.record()
	p, err := ParsePolicy(r.Policy)
	if err != nil {
		m.t.Error(err)
	}
	m.write(Next(p, r, e))
}

func (m *memory) stored() Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record()
}

// A watched memory says when it changes.
type watched struct{ *memory }

func (m watched) Changed(ctx context.Context, _ string, v Version) error {
	for {
		m.mu.Lock()
		same, changed := v == Version(strconv.Itoa(m.version)), m.changed
		m.mu.Unlock()
		if !same {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// audited checks every write of a Run against the invariants, from what was stored before.
type audited struct{ *memory }

func (a audited) Save(ctx context.Context, id string, r Record, v Version) (Version, error) {
	before := a.stored()
	next, err := a.memory.Save(ctx, id, r, v)
	if now := a.stored(); !errors.Is(err, ErrConflict) && bytes.Equal(before.Policy, now.Policy) {
		p, _ := ParsePolicy(now.Policy)
		if now.Weight > now.Approved || before.Failure != nil && now.Weight > 0 || now.Epoch < before.Epoch || now.Epoch > before.Epoch+1 {
			a.t.Errorf("from %s at %d%% (epoch %d) to %s at %d%% (epoch %d)", before.Phase, before.Weight, before.Epoch, now.Phase, now.Weight, now.Epoch)
		}
		if !onTheWay(p, before, now) {
			a.t.Errorf("weight %d%% after %d%%", now.Weight, before.Weight)
		}
	}
	return next, err
}

// now is the clock of whoever is not a Run.
func now() time.Time { return time.Now().UTC().Round(0) }
