package local

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A watcher sees every document that is stored, in order.
type watcher struct {
	heard  time.Time // when a runner's latest sign was stored
	stored int       // documents so far
	raw    []byte    // of doc
	doc    *document
	before []byte                 // the store's bytes before the last commit, for a mutant that needs them
	owner  map[string]string      // who drives in an epoch of a rollout
	at     gate.Window            // what was counted up to doc's cursor
	boot   string                 // of doc's cursor
	cuts   map[cursor]gate.Window // what was counted up to each cursor that was given out
}

// committed is called after each transaction of the daemon that runs, and before the next. It holds s.commit.
func (s *sim) committed(p *simDaemon) {
	w := &s.watch
	var raw []byte
	err := p.d.store.db.View(func(t *bbolt.Tx) error {
		if b := t.Bucket(bucketEndpoints); b != nil {
			raw = bytes.Clone(b.Get([]byte(chaosID)))
		}
		return nil
	})
	if err != nil {
		s.fail("read what was committed: %v", err)
		return
	}
	if raw == nil || bytes.Equal(raw, w.raw) {
		return
	}
	doc := &document{}
	plain, err := unwrap(bucketEndpoints, chaosID, raw)
	if err == nil {
		err = json.Unmarshal(plain, doc)
	}
	if err != nil {
		s.fail("what was committed cannot be read: %v", err)
		return
	}
	if w.doc != nil {
		s.follows(w.doc, doc)
	}
	s.count(doc)
	if w.doc == nil || w.doc.Record.ID != doc.Record.ID || !w.doc.Record.Renewed.Equal(doc.Record.Renewed) {
		w.heard = time.Now() // a write may be on its way for seconds, and is a sign when it comes
	}
	w.raw, w.doc = raw, doc
	w.stored++
	s.tell("stored %d: %s at %d%%, epoch %d by %q, seen %d+%d", doc.Version, doc.Record.Phase, doc.Record.Weight,
		doc.Record.Epoch, doc.Record.Runner, doc.Record.Evidence.Seen.Candidate.Requests, doc.Record.Evidence.Seen.Stable.Requests)
}

// follows checks S1 to S9 of the step from one stored document to the next.
func (s *sim) follows(old, doc *document) {
	o, r := old.Record, doc.Record
	if doc.Version != old.Version+1 {
		s.fail("versions: %d follows %d", doc.Version, old.Version)
	}
	s.alone(doc)
	if r.ID != o.ID {
		s.begins(old, doc)
		return
	}
	switch {
	case o.Phase.Final() && !reflect.DeepEqual(o, r) && (o.Phase != rollout.Promoted || !taken(r)):
		s.fail("S2: a final record was changed")
	case r.Epoch < o.Epoch || r.Epoch > o.Epoch+1:
		s.fail("S5: epoch %d follows %d", r.Epoch, o.Epoch)
	case r.Epoch == o.Epoch && r.Runner != o.Runner && r.Runner != "" && !r.Phase.Final():
		s.fail("S5: %s took over from %s in epoch %d", r.Runner, o.Runner, r.Epoch)
	case r.Candidate != o.Candidate || r.Stable != o.Stable || !bytes.Equal(r.Policy, o.Policy):
		s.fail("S6: it is another rollout under the same id")
	case r.Approved > o.Approved && o.Phase == rollout.Preparing && (o.Ready.IsZero() || r.Step != 0):
		s.fail("S1: step %d was opened for a candidate that was ready at %s", r.Step, o.Ready)
	case r.Approved > o.Approved && o.Phase != rollout.Preparing && !passed(r):
		s.fail("S1, S7: %d%% was approved after %d%% without a pass: %+v", r.Approved, o.Approved, r.Verdicts)
	case !onTheWay(o, r):
		s.fail("S3: weight %d at step %d follows %d at step %d", r.Weight, r.Step, o.Weight, o.Step)
	case len(r.History) < len(o.History) || len(o.History) > 0 && !reflect.DeepEqual(r.History[:len(o.History)], o.History):
		s.fail("the history was rewritten")
	case r.Renewed.Before(o.Renewed):
		s.fail("renewed at %s, and before that at %s", r.Renewed, o.Renewed)
	}
	if !r.Phase.Final() {
		if next := rollout.Next(s.lab.policy, r, rollout.Cancelled{At: time.Now()}); next.Phase != rollout.RolledBack || next.Weight != 0 {
			s.fail("S4: it cannot be rolled back from %s", r.Phase)
		}
	}
	if doc.Stable.Revision != old.Stable.Revision && o.Phase == rollout.Promoted && taken(r) {
		if doc.Stable.Revision.Digest != r.Stable {
			s.fail("S4: a promotion was taken back, to another revision")
		}
		return
	}
	if doc.Stable.Revision != old.Stable.Revision && (r.Phase != rollout.Promoted || doc.Stable.Revision.Digest != r.Candidate) {
		s.fail("S1: the stable revision changed without a promotion")
	}
}

// alone checks what each document must be by itself.
func (s *sim) alone(doc *document) {
	r := doc.Record
	switch final := r.Phase.Final(); {
	case r.Weight < 0 || r.Weight > r.Approved || r.Approved > 100:
		s.fail("S1: weight %d, approved %d", r.Weight, r.Approved)
	case r.Failure != nil && (r.Phase != rollout.RolledBack || r.Weight != 0):
		s.fail("S2: %s at %d%% with a failure", r.Phase, r.Weight)
	case final && doc.Candidate != nil:
		s.fail("settle: the rollout is over and the candidate still there")
	case !final && doc.Candidate == nil:
		s.fail("settle: a rollout without a candidate")
	case !final && doc.Candidate.Revision.Digest != r.Candidate:
		s.fail("S6: the record is of another candidate than the one that runs")
	case r.Phase == rollout.Promoted && doc.Stable.Revision.Digest != r.Candidate && r.ID != "":
		s.fail("settle: promoted, and another revision is stable")
	case r.Phase == rollout.RolledBack && r.Failure.Rejected && !remembers(doc, r.Candidate):
		s.fail("S9: a rejected revision is not remembered")
	}
}

// taken reports whether a person took the candidate off.
func taken(r rollout.Record) bool {
	return r.Phase == rollout.RolledBack && r.Failure != nil && r.Failure.Kind == rollout.KindOperator
}

func remembers(doc *document, revision string) bool {
	return slices.ContainsFunc(doc.Rejected, func(j endpoint.Rejection) bool { return j.Revision == revision })
}

// begins checks the first document of a rollout.
func (s *sim) begins(old, doc *document) {
	r := doc.Record
	switch {
	case r.Phase != rollout.Preparing && r.Phase != rollout.RolledBack || r.Weight != 0 || r.Approved != 0 || r.Epoch != 0:
		s.fail("S6: a rollout begins as %s at %d%% in epoch %d", r.Phase, r.Weight, r.Epoch)
	case old.rejection(r.Candidate, doc.Spec.Rollout.Retry) != nil:
		s.fail("S9: a rejected revision is tried again")
	case r.Stable != doc.Stable.Revision.Digest || doc.Stable.Revision != old.Stable.Revision:
		s.fail("S6: a rollout begins from another stable revision")
	}
	s.watch.at, s.watch.boot = gate.Window{}, ""
}

// count checks that the evidence is exactly what the router gave to each arm between two cursors: no request twice,
// and none left out while the engine lives.
func (s *sim) count(doc *document) {
	w := &s.watch
	r := doc.Record
	if len(r.Cursor) == 0 {
		if exceeds(r.Evidence.Seen, gate.Window{}) {
			s.fail("evidence: there is some, without a cursor")
		}
		return
	}
	var c cursor
	if err := json.Unmarshal(r.Cursor, &c); err != nil {
		s.fail("cursor: %v", err)
		return
	}
	at, found := w.cuts[c]
	if !found {
		s.fail("cursor: %s was given by nobody", r.Cursor)
		return
	}
	var want, before gate.Window
	if w.doc != nil && w.doc.Record.ID == r.ID {
		before = w.doc.Record.Evidence.Seen
		if p := w.doc.Record.Phase; w.boot == c.Boot && p != rollout.Preparing {
			want, _ = between(w.at, at)
		}
	}
	got, ok := between(before, r.Evidence.Seen)
	exact := r.Failure == nil || r.Failure.Kind != rollout.KindGate && r.Failure.Kind != rollout.KindSplit
	if !ok || exceeds(got, want) || exact && exceeds(want, got) {
		s.fail("evidence: %d+%d requests were added, of %d+%d that were answered since the cursor before",
			got.Candidate.Requests, got.Stable.Requests, want.Candidate.Requests, want.Stable.Requests)
	}
	w.at, w.boot = at, c.Boot
}

// exceeds reports whether a holds more of anything than b.
func exceeds(a, b gate.Window) bool {
	return a.Candidate.Requests > b.Candidate.Requests || a.Stable.Requests > b.Stable.Requests ||
		a.Candidate.Bad > b.Candidate.Bad || a.Stable.Bad > b.Stable.Bad
}

// counted notes what a cursor stands for, while the daemon that gave it still knows.
func (p *simDaemon) counted(answered []byte) {
	var a countAnswer
	var c cursor
	if json.Unmarshal(answered, &a) != nil || json.Unmarshal(a.Cursor, &c) != nil {
		return
	}
	u := p.unit()
	if u == nil {
		return
	}
	if at, ok := u.upTo(c.Cut); ok {
		p.s.commit.Lock()
		defer p.s.commit.Unlock()
		p.s.watch.cuts[c] = at
	}
}

// upTo returns what was counted up to a cut.
func (u *unit) upTo(number uint64) (gate.Window, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, k := range u.counter.cuts {
		if k.number == number {
			return k.seen, true
		}
	}
	return gate.Window{}, false
}

func passed(r rollout.Record) bool {
	for _, v := range r.Verdicts {
		if v.Outcome != gate.Pass || v.Seen.Candidate.Requests == 0 && v.Gate != "split" {
			return false
		}
	}
	return len(r.Verdicts) > 0
}

// onTheWay: weights climb the steps, then promotion, or go to 0.
func onTheWay(o, r rollout.Record) bool {
	steps := chaosPolicy().Steps
	switch {
	case r.Weight == o.Weight, r.Weight == 0:
		return true
	case o.Phase == rollout.Preparing:
		return r.Phase == rollout.Observing && r.Weight == steps[0].Weight
	case r.Phase == rollout.Promoted:
		return o.Weight == steps[len(steps)-1].Weight && r.Weight == 100
	}
	return r.Step == o.Step+1 && r.Weight == steps[r.Step].Weight
}

// look checks, while nothing moves, what users get against what is stored; and S8.
func (s *sim) look() {
	s.commit.Lock()
	defer s.commit.Unlock()
	p, doc := s.daemon(), s.watch.doc
	if p == nil || doc == nil {
		return
	}
	f := p.front()
	if f == nil {
		return // it has no endpoint yet
	}
	t := f.now()
	switch {
	case t.Weight > 0 && (!doc.inRollout() || t.Candidate.Revision != doc.Record.Candidate):
		s.fail("S1: %d%% go to a candidate, and no rollout is under way", t.Weight)
	case t.Weight > doc.Record.Weight:
		s.fail("S1: %d%% go to the candidate, and %d%% are approved", t.Weight, doc.Record.Weight)
	case t.Stable.Revision != doc.Stable.Revision.Digest:
		s.fail("the router's stable revision is not the stored one")
	}
	limit := time.Duration(s.lab.policy.Limits.AbandonedAfter)
	last := later(s.watch.heard.Add(limit), p.d.started.Add(returnGrace))
	if r := doc.Record; doc.inRollout() && (!r.Staged || r.Epoch > 0) && time.Since(last) > time.Second {
		s.fail("S8: nobody drives since %s, and the gate is open", r.Renewed)
	}
}
