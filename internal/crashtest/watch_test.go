package crashtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A watch looks at every record that is stored, from the engine while it runs and from the disk while it does not, and
// checks it against the invariants S1 to S9 of docs/guides/gates.md and against the model servers' books.
type watch struct {
	s      *stage
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	chapter  chapter
	base     books // when the chapter began
	last     rollout.Record
	over     map[string]bool // ids of rollouts behind the last one
	rejected map[string]bool // candidates
	looks    int
	counted  uint64        // requests in the chapter's evidence, at most
	slowest  time.Duration // from a runner's start until it drove
}

// Books are what was answered until now, by those who answered and those who asked.
type books struct{ stable, candidate, failed uint64 }

func newWatch(s *stage) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{s: s, cancel: cancel, over: map[string]bool{}, rejected: map[string]bool{}}
	w.done.Go(func() {
		engine := s.engine().Endpoints()
		for ctx.Err() == nil {
			r, _, err := engine.Load(ctx, endpointID)
			if err == nil {
				w.look(r)
			}
			if err != nil && ctx.Err() == nil && !errors.Is(err, rollout.ErrNotFound) {
				s.t.Errorf("the record cannot be read: %v", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	return w
}

func (w *watch) stop() {
	w.cancel()
	w.done.Wait()
}

// begin says which models the next rollout is about.
func (w *watch) begin(c chapter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.chapter, w.counted = c, 0
	w.base = w.books()
}

func (w *watch) books() books {
	return books{w.s.answered(w.chapter.before), w.s.answered(w.chapter.model), w.s.users.failed.Load()}
}

// final is the record at the end of a chapter.
func (w *watch) final(r rollout.Record) {
	w.look(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !r.Phase.Final() {
		w.s.t.Errorf("at the end of the chapter the rollout is %s", r.Phase)
	}
	if r.Phase != "" && w.counted == 0 {
		w.s.t.Error("no evidence was ever seen")
	}
	w.resumed(r)
}

var drives = regexp.MustCompile(`\(pid (\d+)\) drives the rollout`)

// resumed wants each runner to drive within a lease of its start, whoever died before it.
func (w *watch) resumed(r rollout.Record) {
	for _, e := range r.History {
		m := drives.FindStringSubmatch(e.Sentence)
		if m == nil {
			continue
		}
		for _, h := range w.s.hits() {
			if strings.Fields(h.point)[1] != "run" || strconv.Itoa(h.pid) != m[1] {
				continue
			}
			d := e.At.Sub(h.at)
			w.slowest = max(w.slowest, d)
			if d > rollout.Lease+leeway {
				w.s.t.Errorf("runner %d began at %s and drove %s later, want at most %s:%s", h.pid, h.at, d, rollout.Lease, describe(r))
			}
		}
	}
}

// leeway is for a machine that is busy with other tests.
const leeway = 5 * time.Second

// until waits for a record.
func (w *watch) until(ok func(rollout.Record) bool) {
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		r := w.last
		w.mu.Unlock()
		if ok(r) {
			return
		}
		if time.Now().After(until) {
			w.s.t.Errorf("what was waited for never came, only %s", describe(r))
			return
		}
	}
}

func (w *watch) look(r rollout.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Phase == "" {
		return
	}
	before := w.last
	if before.ID == r.ID && reflect.DeepEqual(before, r) {
		return
	}
	w.looks++
	report := func(problem string) {
		if problem != "" {
			w.s.t.Errorf("%s\nbefore %s\nnow    %s", problem, describe(before), describe(r))
		}
	}
	report(alone(r))
	switch {
	case w.over[r.ID]:
		report("S6: a rollout that was followed by another is back")
	case r.ID == before.ID:
		report(follows(before, r))
	default:
		if before.ID != "" {
			w.over[before.ID] = true
		}
		if w.rejected[r.Candidate] {
			report("S9: a rejected candidate is tried again")
		}
	}
	if r.Failure != nil && r.Failure.Rejected {
		w.rejected[r.Candidate] = true
	}
	w.last = r
	report(w.evidence(r))
}

// evidence compares what a record counted with what was answered since the chapter began.
func (w *watch) evidence(r rollout.Record) string {
	now := w.books()
	seen, failed := r.Evidence.Seen, now.failed-w.base.failed
	candidate, stable := now.candidate-w.base.candidate, now.stable-w.base.stable
	w.counted = max(w.counted, seen.Candidate.Requests+seen.Stable.Requests)
	switch {
	case seen.Candidate.Requests > candidate:
		return fmt.Sprintf("evidence: %d requests to the candidate were counted, and it got %d", seen.Candidate.Requests, candidate)
	case seen.Stable.Requests > stable+failed: // where no server could be reached, the router answered
		return fmt.Sprintf("evidence: %d requests to the stable revision were counted, it got %d, and %d had no good answer",
			seen.Stable.Requests, stable, failed)
	}
	return ""
}

// alone returns what is wrong with a record by itself.
func alone(r rollout.Record) string {
	rejecting := []string{rollout.KindGate, rollout.KindCandidate, rollout.KindInconclusive, rollout.KindBlind}
	switch {
	case r.Weight > r.Approved:
		return "S1: more traffic than was approved"
	case r.Weight > 0 && r.Ready.IsZero():
		return "S1: traffic for a candidate that was never ready"
	case r.Failure != nil && (r.Phase != rollout.RolledBack || r.Weight != 0 || r.Approved != 0):
		return "S2: a failure, and the candidate is not off"
	case (r.Phase == rollout.RolledBack) != (r.Failure != nil):
		return "S4: a rollback without a reason"
	case r.Phase == rollout.Promoted && (r.Weight != 100 || !effective(r.Verdicts)):
		return "S7: promoted without an observation for each gate"
	case r.Failure != nil && r.Failure.Rejected != slices.Contains(rejecting, r.Failure.Kind):
		return "S9: the wrong ones are rejected"
	}
	for i, e := range r.History {
		if i > 0 && !climbs(r.History[i-1].Weight, e.Weight) {
			return fmt.Sprintf("S3: the weight went from %d to %d", r.History[i-1].Weight, e.Weight)
		}
	}
	if n := len(r.History); n == 0 || r.History[n-1].Weight != r.Weight || r.History[n-1].Phase != r.Phase {
		return "the history does not tell where the rollout is"
	}
	return ""
}

func effective(verdicts []gate.Verdict) bool {
	return len(verdicts) > 0 && !slices.ContainsFunc(verdicts, func(v gate.Verdict) bool {
		return v.Outcome != gate.Pass || v.Seen.Candidate.Requests == 0 && v.Gate != "split"
	})
}

// climbs reports whether a weight may follow another: the same, the next step, all after the last, or none.
func climbs(from, to int) bool {
	ladder := append(append([]int{0}, steps...), 100)
	i := slices.Index(ladder, from)
	return to == from || to == 0 || i >= 0 && i+1 < len(ladder) && ladder[i+1] == to
}

// follows returns what is wrong with b after a, records of one rollout.
func follows(a, b rollout.Record) string {
	switch {
	case a.Phase.Final():
		return "S2: a final record was changed"
	case b.Weight > a.Weight && b.Failure != nil:
		return "S2: traffic after a failure"
	case b.Weight != 0 && b.Weight < a.Weight:
		return "S3: the weight went down, and not to 0"
	case b.Epoch < a.Epoch:
		return "S5: an earlier epoch wrote"
	case b.Candidate != a.Candidate || b.Stable != a.Stable || !reflect.DeepEqual(b.Policy, a.Policy):
		return "S6: another rollout under the same id"
	case b.Evidence.Seen.Candidate.Requests < a.Evidence.Seen.Candidate.Requests || b.Evidence.Seen.Stable.Requests < a.Evidence.Seen.Stable.Requests:
		return "evidence: something that counted does not count any more"
	case len(b.History) < len(a.History) || !slices.EqualFunc(a.History, b.History[:len(a.History)], same):
		return "the history was rewritten"
	}
	return ""
}

func same(a, b rollout.Entry) bool {
	return a.At.Equal(b.At) && a.Phase == b.Phase && a.Weight == b.Weight && a.Sentence == b.Sentence
}

func describe(r rollout.Record) string {
	var told []string
	for _, e := range r.History {
		told = append(told, fmt.Sprintf("\n  %s %d%% %s", e.At.Format("15:04:05.000"), e.Weight, e.Sentence))
	}
	return fmt.Sprintf("%s, weight %d of %d, epoch %d by %s, %d and %d requests, failure %+v%s", r.Phase, r.Weight, r.Approved, r.Epoch, r.Runner,
		r.Evidence.Seen.Candidate.Requests, r.Evidence.Seen.Stable.Requests, r.Failure, strings.Join(told, ""))
}
