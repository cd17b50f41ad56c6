package rollout

import (
	"context"
	"fmt"
	"time"
)

// Lease is how long a runner that does not write is taken to be alive.
const Lease = 5 * time.Second

// Options of a Run.
type Options struct {
	Runner   string        // who drives, for people: "terraform on HOST (pid 4711)"
	Interval time.Duration // a window; 1 s when 0
	// Freeze leaves the weight as it is when ctx ends, for the next runner; else the rollout
	// is cancelled and the weight 0.
	Freeze   bool
	Progress func(Record) // called after each saved change; may be nil
}

// A RolledBackError is the end of a rollout that did not promote.
type RolledBackError struct{ Record Record }

func (e *RolledBackError) Error() string { return e.Record.Failure.Reason }

// A HeldError: another runner drives the rollout.
type HeldError struct {
	Runner string
	Since  time.Time // when it last wrote
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("the rollout is driven by %s, which last wrote at %s", e.Runner, e.Since.Format(time.RFC3339))
}

// Run drives the endpoint's rollout to its end and returns the final record, with a
// *RolledBackError where it was not promoted, *HeldError where another runner is alive, or
// ctx's error. A stale lease is taken over.
func Run(ctx context.Context, s Store, id string, o Options) (Record, error) { panic("contract only") }

// Begin returns the record of a new rollout: preparing, weight 0.
func Begin(candidate, stable string, p Policy, at time.Time) Record { panic("contract only") }

// An Effect is what Next asks of whoever applies its record.
type Effect string

// Next decides. It returns the record after e, and what else is to be done. An event that
// means nothing in the record's phase returns it unchanged.
func Next(p Policy, r Record, e Event) (Record, []Effect) { panic("contract only") }
