// Package rollout takes a candidate to all traffic by steps, or back to none.
//
// Next decides: a pure function of a policy, a record and an event, without clock, context
// or network. Run acts: it counts what users saw, asks Next, and saves the answer. The
// record holds the weights, so that one compare-and-swap writes the decision and what
// carries it out; nothing raises a weight that is not in a saved record. See docs/guides/gates.md for
// the invariants S1 to S9 that hold whatever dies, and when.
package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// Schema is the record's schema number. A program refuses to write a record with a greater one.
// Schema 1 had the evidence of one gate, which reads as such; schema 2 no approvals.
const Schema = 3

// waits reports whether nothing but a person's word is missing.
func (r Record) waits() bool { return r.Phase == AwaitingApproval && r.Approval == nil }

// A Phase is where a rollout stands.
type Phase string

// The phases. The last two are final. An endpoint that never had a rollout has the phase "".
const (
	Preparing        Phase = "preparing"         // the candidate starts, or waits for a runner; weight 0
	Observing        Phase = "observing"         // the candidate has the weight of a step
	Holding          Phase = "holding"           // the weight is frozen while evidence is missing; the harm test goes on
	AwaitingApproval Phase = "awaiting approval" // the gates passed, a person has not yet; the harm test goes on
	Promoted         Phase = "promoted"          // the candidate is the stable revision; weight 100
	RolledBack       Phase = "rolled back"       // weight 0
)

// Phases are all of them, in their order.
func Phases() []Phase {
	return []Phase{Preparing, Observing, Holding, AwaitingApproval, Promoted, RolledBack}
}

// Final reports whether the rollout is over. All that can still happen then is that a person takes
// back a promotion, while the revision before is kept.
func (p Phase) Final() bool { return p == "" || p == Promoted || p == RolledBack }

// A Record is all that a rollout knows. It is stored with the weights, as one value.
type Record struct {
	Schema    int             `json:"schema"`
	ID        string          `json:"id"` // unique to the rollout; its first entry's time and the candidate
	Phase     Phase           `json:"phase"`
	Stable    string          `json:"stable"`    // revision that users had when it began
	Candidate string          `json:"candidate"` // revision on trial
	Policy    json.RawMessage `json:"policy"`    // canonical, as it was when the rollout began

	Step     int `json:"step"`     // index into the policy's steps
	Weight   int `json:"weight"`   // the candidate's share of traffic now, percent
	Approved int `json:"approved"` // the highest weight that is allowed, percent

	Epoch   uint64    `json:"epoch"`   // grows by one with each runner that takes over
	Runner  string    `json:"runner"`  // who drives, for people; "" before the first and after one that left
	Renewed time.Time `json:"renewed"` // when a runner last wrote; says when to try, never who may write
	// Staged is true where the candidate waits at weight 0 for somebody to start a runner: until then
	// nobody can have abandoned it.
	Staged bool `json:"staged,omitempty"`

	// The times below are zero until what they tell of has happened.

	Began     time.Time `json:"began"`
	Took      time.Time `json:"took,omitzero"`       // when Runner, or the last one, took over
	Ready     time.Time `json:"ready,omitzero"`      // when the candidate could serve; the first step waits for it
	Opened    time.Time `json:"opened,omitzero"`     // when the first step began; limits.total runs from here
	StepBegan time.Time `json:"step_began,omitzero"` // limits.step runs from here
	LastSeen  time.Time `json:"last_seen,omitzero"`  // when a request was last counted, on either arm
	HeldSince time.Time `json:"held_since,omitzero"` // while holding: since when no request was counted
	// StepHeld is what was spent holding at this step. It does not count toward the step's minimum.
	StepHeld Duration `json:"step_held,omitempty"`

	AwaitingSince time.Time `json:"awaiting_since,omitzero"` // while awaiting approval: since when
	// StepAwaited and Awaited are what was spent awaiting approvals, at this step and at all. They count
	// toward no limit but limits.approval.
	StepAwaited Duration  `json:"step_awaited,omitempty"`
	Awaited     Duration  `json:"awaited,omitempty"`
	Approval    *Approval `json:"approval,omitempty"` // of leaving this step

	// Hold says why the gates hold the weight, while they do.
	Hold string `json:"hold,omitempty"`

	Evidence gate.Evidence `json:"evidence"`
	StepSeen gate.Window   `json:"step_seen"`        // what was counted at this step
	Warm     bool          `json:"warm,omitempty"`   // the warm-up is over: latencies count from the next window on
	Cursor   Cursor        `json:"cursor,omitempty"` // behind the evidence: written together, so nothing counts twice
	// Before measures traffic before the first step, by which leading steps are left out.
	Before Traffic `json:"before"`

	Verdicts []gate.Verdict `json:"verdicts,omitempty"` // the gates' latest
	Failure  *Failure       `json:"failure,omitempty"`  // why it was rolled back
	History  []Entry        `json:"history"`            // every transition in a sentence, oldest first
}

// An Approval is a person's word that a step may be left.
type Approval struct {
	By string `json:"by"` // who, for people: "alice"
	// How says how that was established: "user id 1000 of HOST, by its operating system".
	How string    `json:"how"`
	At  time.Time `json:"at"`
}

// Traffic is requests on both arms, and since when they were counted.
type Traffic struct {
	Requests uint64    `json:"requests"`
	Since    time.Time `json:"since,omitzero"`
}

// A Failure says why a rollout was rolled back. Once recorded it stays (S2).
type Failure struct {
	Kind string `json:"kind"`
	Gate string `json:"gate,omitempty"` // the gate's name where Kind is KindGate
	// Rejected is true where the candidate itself was found wanting: it is not tried again
	// unless told to (S9). A cancelled, abandoned or superseded rollout rejects nobody.
	Rejected bool      `json:"rejected"`
	Reason   string    `json:"reason"` // a sentence with the numbers
	At       time.Time `json:"at"`
}

// The kinds of failure. The first five reject the candidate.
const (
	KindGate         = "gate"         // a gate found it worse than the stable revision
	KindCandidate    = "candidate"    // it could not serve
	KindInconclusive = "inconclusive" // no verdict within the policy's limits
	KindBlind        = "blind"        // no request was counted for limits.blind
	KindOperator     = "operator"     // a person took it off
	KindSplit        = "split"        // the router gave it more traffic than was approved
	KindCancelled    = "cancelled"    // whoever asked for the rollout asked for its end
	KindUnapproved   = "unapproved"   // nobody approved it in limits.approval
	KindAbandoned    = "abandoned"    // nobody drove it any more
	KindSuperseded   = "superseded"   // another revision was asked for
)

// rejects reports whether a failure of this kind finds the candidate itself wanting.
func rejects(kind string) bool {
	switch kind {
	case KindGate, KindCandidate, KindInconclusive, KindBlind, KindOperator:
		return true
	}
	return false
}

// An Entry of the history.
type Entry struct {
	At       time.Time `json:"at"`
	Phase    Phase     `json:"phase"`
	Weight   int       `json:"weight"`
	Sentence string    `json:"sentence"`
}

// A Cursor says up to where evidence was read. Only the engine that gave it can read it.
type Cursor json.RawMessage

// MarshalJSON writes the cursor as it is, or null.
func (c Cursor) MarshalJSON() ([]byte, error) { return json.RawMessage(c).MarshalJSON() }

// UnmarshalJSON keeps the bytes.
func (c *Cursor) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(c).UnmarshalJSON(b) }

// A Version names one stored value of a record. Only equality means anything.
type Version string

// What a Store may answer.
var (
	// ErrConflict: somebody else wrote since the version was loaded. Load again.
	ErrConflict = errors.New("the record was changed by somebody else")
	// ErrNotStored: the rollout has ended and the engine has taken the candidate off, but it could
	// not store that. It goes on trying by itself.
	ErrNotStored = errors.New("the rollout has ended, and its end is not stored yet")
	// ErrNotFound: no such endpoint.
	ErrNotFound = errors.New("no such endpoint")
)

// ErrNewer means that a later Tidegate wrote the record. This one may read it, and must not write it.
var ErrNewer = errors.New("the record was written by a later Tidegate: use that or newer")

// Writable returns ErrNewer, with the numbers, where the record must not be written by this
// program: it would lose what it does not know.
func (r Record) Writable() error {
	if r.Schema > Schema {
		return fmt.Errorf("record of schema %d, this program writes %d: %w", r.Schema, Schema, ErrNewer)
	}
	return nil
}

// Lapsed reports whether the rollout is abandoned: nobody wrote for the policy's
// abandoned_after. An engine that sees it feeds Next the event Abandoned.
func Lapsed(r Record, p Policy, now time.Time) bool {
	if r.Staged && r.Epoch == 0 {
		return false
	}
	last := r.Renewed
	if last.Before(r.Began) { // no runner wrote yet
		last = r.Began
	}
	return !r.Phase.Final() && now.Sub(last) > time.Duration(p.Limits.AbandonedAfter)
}

// A Store keeps an endpoint's record and weights as one value, and counts what its users saw.
//
// The engine behind it is an actor too: it feeds Next the events that only it can see
// (Ready, Failed, Abandoned) and saves the result by the same compare-and-swap.
type Store interface {
	// Load returns the record of the endpoint's present or last rollout; the zero Record if
	// there was none; ErrNotFound if there is no such endpoint.
	Load(ctx context.Context, id string) (Record, Version, error)
	// Save writes record and weights in one step, or ErrConflict when v is not the version stored.
	// After a promotion it takes nothing but a person's going back, while the revision before is
	// kept: then that one is stable again. *RefusedError where it cannot.
	Save(ctx context.Context, id string, r Record, v Version) (Version, error)
	// Count returns the windows since c, none of them twice, and the cursor behind them.
	// With an empty cursor it returns no window and a cursor at now.
	Count(ctx context.Context, id string, c Cursor) ([]gate.Window, Cursor, error)
}

// ErrDue means that what was counted since the record's cursor is about to end the rollout: count at once.
var ErrDue = errors.New("what was counted decides")

// A Watcher is a Store that can say when a record changes, so that nobody needs to poll.
type Watcher interface {
	// Changed returns when the stored version is not v, with ErrDue where the store knows that, or with ctx's error.
	Changed(ctx context.Context, id string, v Version) error
}
