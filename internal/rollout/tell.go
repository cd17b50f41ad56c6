package rollout

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// tellPatience is how long Tell tries against a store that fails or a record that keeps changing.
const tellPatience = 2 * Lease

// A RefusedError means that what a person said has no meaning for the rollout as it is.
type RefusedError struct {
	Record Record
	Why    string // a sentence
}

func (e *RefusedError) Error() string { return e.Why }

// Tell saves what a person says of a rollout, Approved, Rejected or Cancelled, and returns the record with it. It takes
// nothing over: whoever drives goes on from there. *RefusedError where the rollout is not at a place for it.
func Tell(ctx context.Context, s Store, id string, e Event) (Record, error) {
	switch e.(type) {
	case Approved, Rejected, Cancelled:
	default:
		return Record{}, fmt.Errorf("tell the rollout of %s: %T is not for people to say", id, e)
	}
	ctx, cancel := context.WithTimeout(ctx, tellPatience)
	defer cancel()
	var sent *Record // whose save was not answered
	for delay := firstDelay; ; delay = min(2*delay, Lease/10) {
		r, err := tellOnce(ctx, s, id, e, &sent)
		var refused *RefusedError
		if err == nil || errors.As(err, &refused) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrNewer) {
			return r, err
		}
		if over := sleep(ctx, delay); over != nil {
			return r, fmt.Errorf("tell the rollout of %s: %w", id, err)
		}
	}
}

func tellOnce(ctx context.Context, s Store, id string, e Event, sent **Record) (Record, error) {
	r, v, err := s.Load(ctx, id)
	if err != nil {
		return r, err
	}
	if *sent != nil && said(r, **sent) {
		return r, nil
	}
	if err := r.Writable(); err != nil {
		return r, err
	}
	if why := refusal(r, e); why != "" {
		return r, &RefusedError{Record: r, Why: why}
	}
	p, _ := ParsePolicy(r.Policy) // where it cannot be read, Next says so and rolls back
	next := Next(p, r, e)
	if reflect.DeepEqual(next, r) {
		return r, &RefusedError{Record: r, Why: fmt.Sprintf("It means nothing to a rollout that is %s.", r.Phase)}
	}
	_, err = s.Save(ctx, id, next, v)
	if err == nil {
		return next, nil
	}
	if refused := (*RefusedError)(nil); errors.As(err, &refused) { // for a reason that only the engine knows
		return r, &RefusedError{Record: r, Why: refused.Why}
	}
	if !errors.Is(err, ErrConflict) {
		*sent = &next
	}
	return r, err
}

// said reports whether r has in it what was sent before and not answered.
func said(r, sent Record) bool {
	if r.ID != sent.ID {
		return false
	}
	told := sent.History[len(sent.History)-1] // by Next: whatever changed a record is told
	return slices.ContainsFunc(r.History, func(h Entry) bool { return h.At.Equal(told.At) && h.Sentence == told.Sentence })
}

// refusal says why e has no place in r, or "".
func refusal(r Record, e Event) string {
	_, rejects := e.(Rejected)
	switch {
	case r.Phase == "":
		return "The endpoint never had a rollout."
	case r.Phase == Promoted && rejects:
		return ""
	case r.Phase.Final():
		return fmt.Sprintf("The last rollout is over: %s.", r.Phase)
	}
	if _, approves := e.(Approved); !approves {
		return ""
	}
	switch {
	case r.Phase == AwaitingApproval && r.Approval != nil:
		return fmt.Sprintf("%s approved it already, at %s.", person(r.Approval.By, r.Approval.How), r.Approval.At.Format(time.RFC3339))
	case r.Phase != AwaitingApproval:
		return fmt.Sprintf("Nothing waits for an approval: the rollout is %s at %d%% of traffic.", r.Phase, r.Weight)
	}
	return ""
}
