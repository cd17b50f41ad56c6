package local

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local/process"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

const (
	stopGrace   = 5 * time.Second // for a model server that is told to stop
	foldersKept = 3               // of model servers that ended, for their logs
)

// errNotServing is what a notServingError is about: the user's model server, not the engine.
var errNotServing = errors.New("the model server does not serve")

// A notServingError is why a slot cannot serve, in a sentence.
type notServingError string

func (n notServingError) Error() string        { return string(n) }
func (n notServingError) Is(target error) bool { return target == errNotServing }

// A slotKey names what a slot runs. Another environment is another slot, so that a change in
// place starts the new servers before it stops the old ones.
type slotKey struct{ revision, env string }

func keyOf(r deployed, values, secrets map[string]string) slotKey {
	b, _ := json.Marshal([]map[string]string{orNil(values), orNil(secrets)}) // maps of strings always marshal
	sum := sha256.Sum256(b)
	return slotKey{revision: r.Revision.Digest, env: hex.EncodeToString(sum[:])}
}

// A slot is the model servers of one revision in one environment. It is guarded by its unit.
type slot struct {
	key     slotKey
	folder  string // logs and pid files
	group   serverGroup
	broken  string        // why there is no group
	want    int           // replicas
	delay   time.Duration // from start to ready
	overdue time.Time     // from then on some of the replicas are enough
	unpin   func()        // its bytes may go
	began   time.Time
	tally   tally
}

// startSlot runs a revision from the content store.
func (u *unit) startSlot(key slotKey, doc *document, r deployed, values, secrets map[string]string) *slot {
	s := &slot{key: key, want: doc.Spec.Replicas, delay: r.Runtime.StartTimeout, overdue: time.Now().Add(r.Runtime.StartTimeout)}
	s.began = time.Now()
	s.unpin = u.d.pin(key.revision)
	layout, err := u.d.content.Get(r.Revision)
	if err != nil {
		s.broken = "its captured bytes are missing from the engine's store (" + err.Error() + "): apply its model under another name"
		return s
	}
	s.folder = filepath.Join(u.folder(), time.Now().UTC().Format("20060102T150405.000000")+"-"+short(key.revision))
	u.folders[s.folder] = true
	prune(u.folder(), u.folders) // of earlier daemons too
	s.group = u.d.outside.start(process.Config{
		Name:         doc.Spec.Name,
		Revision:     key.revision,
		Dir:          layout.Dir,
		Command:      layout.Command,
		Model:        layout.Model,
		Env:          environment(values, secrets),
		Secrets:      slices.Collect(maps.Values(secrets)),
		Protocol:     r.Runtime.Protocol,
		ReadyPath:    r.Runtime.ReadyPath,
		StartTimeout: r.Runtime.StartTimeout,
		State:        s.folder,
	}, doc.Spec.Replicas, u.wake)
	time.AfterFunc(s.delay+time.Millisecond, u.wake)
	return s
}

// environment lists what was declared, in one order.
func environment(values, secrets map[string]string) []string {
	var env []string
	for _, m := range []map[string]string{values, secrets} {
		for k, v := range m {
			env = append(env, k+"="+v)
		}
	}
	sort.Strings(env)
	return env
}

func (s *slot) state() process.State {
	if s.group == nil {
		return process.State{Failed: true, Problem: s.broken}
	}
	return s.group.State()
}

// ready reports whether the slot can serve: with all its replicas, or with some of them once
// they had their time to start.
func (s *slot) ready(at time.Time) bool {
	n := len(s.state().Addrs)
	return n > 0 && (n >= s.want || at.After(s.overdue))
}

// settled is ready, or why it never will be.
func (s *slot) settled() (bool, error) {
	if st := s.state(); st.Failed {
		return false, notServingError(st.Problem)
	}
	return s.ready(time.Now()), nil
}

// full reports whether all replicas can serve, or why they do not in the time they have.
func (s *slot) full() (bool, error) {
	st := s.state()
	switch {
	case len(st.Addrs) >= s.want:
		return true, nil
	case st.Failed:
		return false, notServingError(st.Problem)
	case time.Now().After(s.overdue):
		return false, notServingError(fmt.Sprintf("not all replicas became ready within %s: %s", s.delay, st.Problem))
	}
	return false, nil
}

// scale changes the number of replicas: those that go are stopped when release returns.
func (s *slot) scale(u *unit, replicas int) {
	if s.want == replicas || s.group == nil {
		return
	}
	if replicas > s.want {
		s.overdue = time.Now().Add(s.delay)
		time.AfterFunc(s.delay+time.Millisecond, u.wake)
	}
	s.want = replicas
	s.group.Scale(replicas, u.release)
}

// stop ends all model servers of the slot.
func (s *slot) stop() {
	if s.group != nil {
		s.group.Stop(stopGrace)
	}
	s.unpin()
}

// short is what of a digest is shown.
func short(digest string) string { return rollout.Short(digest) }

// prune removes the folders of model servers that ended, but the newest.
func prune(dir string, used map[string]bool) {
	entries, err := os.ReadDir(dir) // by name, which begins with the time
	if err != nil {
		return
	}
	kept := 0
	for _, e := range slices.Backward(entries) {
		path := filepath.Join(dir, e.Name())
		if used[path] {
			continue
		}
		if kept++; kept > foldersKept {
			_ = os.RemoveAll(path) // tried again with the next
		}
	}
}
