package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// tellPatience is how long Tell tries against a store that fails or a record that keeps changing.
const tellPatience = 2 * Lease

// A RefusedError means that what a person said has no meaning for the rollout as it is. Nothing was changed.
type RefusedError struct {
	Record Record
	Why    string // a sentence
}

func (e *RefusedError) Error() string { return e.Why }

// Tell saves what a person says of a rollout, Approved, Rejected or Cancelled, and returns the record with it. It takes
// nothing over: whoever drives goes on from there. *RefusedError where the rollout is not at a place for it. What is
// said is said of the rollout, and an approval of the step, that is there when Tell begins, and of no other.
func Tell(ctx context.Context, s Store, id string, e Event) (Record, error) {
	if err := sayable(e); err != nil {
		return Record{}, fmt.Errorf("tell the rollout of %s: %w", id, err)
	}
	ctx, cancel := context.WithTimeout(ctx, tellPatience)
	defer cancel()
	t := telling{store: s, id: id, event: e}
	for delay := firstDelay; ; delay = min(2*delay, Lease/10) {
		r, err := t.try(ctx)
		var refused *RefusedError
		switch {
		case err == nil || errors.As(err, &refused):
			return r, err
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrNewer):
			return r, fmt.Errorf("tell the rollout of %s: %w", id, err)
		}
		if over := sleep(ctx, delay); over != nil {
			return r, fmt.Errorf("tell the rollout of %s: %w", id, t.unknown(err))
		}
	}
}

// sayable refuses what is not a person's to say, and what nobody said.
func sayable(e Event) error {
	var by string
	switch e := e.(type) {
	case Approved:
		by = e.By
	case Rejected:
		by = e.By
	case Cancelled:
		return nil
	default:
		return fmt.Errorf("%T is not for people to say", e)
	}
	if words(by) == "" {
		return errors.New("who says it has no name: the record has to tell")
	}
	return nil
}

// A telling is a Tell: what it knows of the stored record.
type telling struct {
	store Store
	id    string
	event Event

	first *Record // as it was when the person spoke
	sent  *Record // whose save was not answered
}

func (t *telling) try(ctx context.Context) (Record, error) {
	call, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	r, v, err := t.store.Load(call, t.id)
	if err != nil {
		return r, err
	}
	if t.sent != nil && said(r, *t.sent) {
		return r, t.failed(r)
	}
	if err := r.Writable(); err != nil {
		return r, err
	}
	if t.first == nil {
		t.first = &r
	}
	if why := t.refusal(r); why != "" {
		return r, &RefusedError{Record: r, Why: why}
	}
	p, _ := ParsePolicy(r.Policy) // where it cannot be read, Next says so and rolls back
	next := Next(p, r, t.event)
	save, cancelSave := context.WithTimeout(ctx, callLimit)
	defer cancelSave()
	_, err = t.store.Save(save, t.id, next, v)
	if err == nil {
		return next, t.failed(next)
	}
	if refused := (*RefusedError)(nil); errors.As(err, &refused) { // for a reason that only the engine knows
		return r, &RefusedError{Record: r, Why: refused.Why}
	}
	if !errors.Is(err, ErrConflict) {
		t.sent = &next
	}
	return r, err
}

// failed is the end of a rollout that a person approved, and that could not be judged.
func (t *telling) failed(r Record) error {
	if _, approves := t.event.(Approved); approves && r.Phase == RolledBack {
		return &RefusedError{Record: r, Why: r.Failure.Reason}
	}
	return nil
}

// unknown adds to the reason why Tell gave up what may have come of its last try.
func (t *telling) unknown(err error) error {
	if t.sent == nil {
		return fmt.Errorf("%w: nothing was changed", err)
	}
	return fmt.Errorf("%w: it was sent and not answered, and may be saved all the same: look at the rollout before saying it again", err)
}

// said reports whether r has in it what was sent before and not answered.
func said(r, sent Record) bool {
	if r.ID != sent.ID {
		return false
	}
	told := sent.History[len(sent.History)-1] // by Next: whatever changed a record is told
	return slices.ContainsFunc(r.History, func(h Entry) bool { return h.At.Equal(told.At) && h.Sentence == told.Sentence })
}

// refusal says why what was said has no place in r, or "".
func (t *telling) refusal(r Record) string {
	_, approves := t.event.(Approved)
	_, rejects := t.event.(Rejected)
	switch {
	case r.Phase == "":
		return "The endpoint never had a rollout."
	case r.ID != t.first.ID:
		return "Another rollout has begun meanwhile."
	case r.Phase == Promoted && rejects:
		return ""
	case r.Phase.Final():
		return fmt.Sprintf("The last rollout is over: %s.", r.Phase)
	case !approves:
		return ""
	case r.Step != t.first.Step:
		return fmt.Sprintf("The rollout went on meanwhile: it is %s at %d%% of traffic.", r.Phase, r.Weight)
	case r.Phase == AwaitingApproval && r.Approval != nil:
		return fmt.Sprintf("%s approved it already, at %s.", person(r.Approval.By, r.Approval.How), r.Approval.At.Format(time.RFC3339))
	case r.Phase != AwaitingApproval:
		return fmt.Sprintf("Nothing waits for an approval: the rollout is %s at %d%% of traffic.", r.Phase, r.Weight)
	}
	return ""
}
