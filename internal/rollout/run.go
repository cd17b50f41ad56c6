package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// Lease is how long a runner that does not write is taken to be alive.
const Lease = 5 * time.Second

const (
	// callLimit bounds one call to the store, so that one that hangs is noticed like one that fails.
	callLimit = Lease
	// lastWords is how long a runner that was told to stop tries to say so, claimGrace how long it waits before for the
	// answer of whether it drives: with what else its process has to do, it shall be gone within 2 s.
	lastWords  = 1200 * time.Millisecond
	claimGrace = 300 * time.Millisecond
)

// Options of a Run.
type Options struct {
	Runner   string        // who drives, for people: "terraform on HOST (pid 4711)"
	Interval time.Duration // a window, at most half a Lease; 1 s when 0
	// Freeze leaves the weight as it is when ctx ends, for the next runner; else the rollout
	// is cancelled and the weight 0.
	Freeze bool
	// LeaveAtApproval ends the Run with a *WaitingError where an approval is needed, instead of waiting for it. The
	// next runner has to come within the policy's abandoned_after.
	LeaveAtApproval bool
	Progress        func(Record) // called after each saved change; may be nil
}

// A RolledBackError is the end of a rollout that did not promote. Where the end of a context
// was the reason, it wraps the context's error.
type RolledBackError struct {
	Record Record
	cause  error
}

func (e *RolledBackError) Error() string {
	if e.Record.Failure == nil {
		return "The rollout was rolled back, and its record does not say why."
	}
	return e.Record.Failure.Reason
}

// Unwrap returns the error of the context that ended the rollout, or nil.
func (e *RolledBackError) Unwrap() error { return e.cause }

// A HeldError means that another runner drives the rollout.
type HeldError struct {
	Runner string
	Took   time.Time // since when it drives; zero if that is not known
	Since  time.Time // when it last wrote
}

func (e *HeldError) Error() string {
	since := ""
	if !e.Took.IsZero() {
		since = " since " + e.Took.Format(time.RFC3339)
	}
	return fmt.Sprintf("the rollout is driven by %s%s, which last wrote at %s", e.Runner, since, e.Since.Format(time.RFC3339))
}

func held(r Record) error { return &HeldError{Runner: r.Runner, Took: r.Took, Since: r.Renewed} }

// A WaitingError means that the rollout waits for an approval, and that this runner left it there.
type WaitingError struct{ Record Record }

func (e *WaitingError) Error() string {
	return fmt.Sprintf("the rollout waits for an approval at %d%% of traffic", e.Record.Weight)
}

// Run drives the endpoint's rollout to its end and returns the final record, with a
// *RolledBackError where it was not promoted, *HeldError where another runner is alive, or
// ctx's error. A stale lease is taken over. An endpoint that has no rollout under way is
// done at once.
func Run(ctx context.Context, s Store, id string, o Options) (Record, error) {
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.Interval < 0 || o.Interval > Lease/2 {
		return Record{}, fmt.Errorf("drive the rollout of %s: interval %s: want at most %s, half the lease", id, o.Interval, Lease/2)
	}
	if o.Runner == "" {
		return Record{}, fmt.Errorf("drive the rollout of %s: the runner has no name: others have to be told who drives", id)
	}
	d := &driver{store: s, id: id, Options: o, began: time.Now()}
	err := d.claim(ctx)
	if err == nil {
		err = d.drive(ctx)
	}
	var waiting *WaitingError
	if err != nil && ctx.Err() != nil && d.claimed && !errors.As(err, &waiting) {
		err = d.end(ctx)
	}
	return d.rec, d.outcome(ctx, err)
}

// outcome puts the end of a Run into its error.
func (d *driver) outcome(ctx context.Context, err error) error {
	var held *HeldError
	var waiting *WaitingError
	switch {
	case errors.As(err, &held) && ctx.Err() == nil:
		return held
	case errors.As(err, &waiting):
		return waiting
	case err != nil:
		return fmt.Errorf("drive the rollout of %s: %w", d.id, err)
	case d.rec.Phase != RolledBack:
		return nil
	}
	rolledBack := &RolledBackError{Record: d.rec}
	if d.rec.Failure != nil && d.rec.Failure.Kind == KindCancelled {
		rolledBack.cause = ctx.Err()
	}
	return rolledBack
}

// A driver is a Run: what it knows of the stored record, and what it still has to write.
type driver struct {
	Options
	store  Store
	id     string
	policy Policy
	began  time.Time

	rec     Record // as last loaded or saved
	v       Version
	stale   bool // a save failed: what is stored now, maybe even what was to be saved, has to be loaded
	claimed bool // rec.Epoch is this runner's

	// intent is an event that rolls back and is not saved yet. It is not decided again:
	// whatever is counted later, it happened (S2). But a count goes with the cursor that it was
	// counted from: see reload.
	intent  Event
	turned  time.Time     // when the last turn began
	failing time.Time     // since when the store fails; zero while it does not
	delay   time.Duration // until the next try
}

// drive takes turns until the rollout is over.
func (d *driver) drive(ctx context.Context) error {
	for !d.rec.Phase.Final() {
		err := d.turn(ctx)
		if err == nil {
			d.failing, d.delay = time.Time{}, 0
			if d.rec.Phase.Final() {
				return nil
			}
			if d.LeaveAtApproval && d.rec.waits() {
				err = d.leave(ctx)
			} else {
				err = d.pause(ctx)
			}
		}
		if err := d.recover(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

// turn counts, decides and saves, once.
func (d *driver) turn(ctx context.Context) error {
	d.turned = time.Now()
	if d.stale {
		if err := d.reload(ctx); err != nil {
			// Nobody counts meanwhile, and that the candidate keeps its traffic then has its
			// limit too, from what was last known.
			d.decide(Unseen{Why: err.Error(), At: d.now()})
			return err
		}
		if d.rec.Phase.Final() {
			return nil
		}
	}
	e := d.intent
	if e == nil {
		e = d.count(ctx)
	}
	if err := ctx.Err(); err != nil {
		return err // not counting because of it is no lack of evidence
	}
	return d.save(ctx, d.decide(e))
}

// pause waits for the next turn. It begins at once where the engine said that the candidate
// can serve, that the rollout is over, or that what was counted decides, and where a person approved.
func (d *driver) pause(ctx context.Context) error {
	until := d.turned.Add(d.Interval)
	watcher, ok := d.store.(Watcher)
	for ok && time.Now().Before(until) {
		call, cancel := context.WithDeadline(ctx, until)
		err := watcher.Changed(call, d.id, d.v)
		cancel()
		if errors.Is(err, ErrDue) {
			return nil
		}
		if err != nil {
			break // the time is up, or the watcher failed: then the time is waited for
		}
		before, waited, awaited := d.v, d.rec.Ready.IsZero(), d.rec.waits()
		if err := d.reload(ctx); err != nil {
			d.stale = true
			return err
		}
		if d.rec.Phase.Final() || waited && !d.rec.Ready.IsZero() || awaited && !d.rec.waits() {
			return nil
		}
		if d.v == before {
			break // a Watcher that cries wolf shall not make this a busy loop
		}
	}
	return sleep(ctx, time.Until(until))
}

// count asks what users saw since the cursor. After a conflict or a lost answer the same
// cursor is asked again: what was counted and not saved is counted again then, and only once.
func (d *driver) count(ctx context.Context) Event {
	call, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	windows, cursor, err := d.store.Count(call, d.id, d.rec.Cursor)
	if err != nil {
		return Unseen{Why: err.Error(), At: d.now()}
	}
	return Counted{Windows: windows, Cursor: cursor, At: d.now()}
}

func (d *driver) decide(e Event) Record {
	next := Next(d.policy, d.rec, e)
	if d.intent == nil && next.Phase == RolledBack {
		d.intent = e
	}
	return next
}

func (d *driver) save(ctx context.Context, next Record) error {
	call, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	v, err := d.store.Save(call, d.id, next, d.v)
	if err != nil {
		d.stale = true
		return err
	}
	d.keep(next, v)
	d.intent = nil
	return nil
}

// reload learns what is stored after somebody else wrote, or after a save whose answer was lost.
func (d *driver) reload(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	r, v, err := d.store.Load(call, d.id)
	switch {
	case err != nil:
		return err
	case r.ID != d.rec.ID:
		// Another rollout has begun, so this one is over, however it ended.
		d.rec = Next(d.policy, d.rec, Superseded{Why: "another rollout has begun", At: d.now()})
		return nil
	case r.Epoch != d.rec.Epoch && !r.Phase.Final():
		return held(r)
	case r.Writable() != nil:
		return r.Writable()
	}
	// A save that was given up may be carried out after all, and with it windows that the intent
	// holds too. They would count twice: they are counted again from where the record stands now.
	if _, ok := d.intent.(Counted); ok && !bytes.Equal(r.Cursor, d.rec.Cursor) {
		d.intent = nil
	}
	if v != d.v {
		d.keep(r, v)
	}
	d.stale = false
	return nil
}

func (d *driver) keep(r Record, v Version) {
	d.rec, d.v, d.stale = r, v, false
	if d.Progress != nil {
		d.Progress(r)
	}
}

// recover returns the errors that end a Run, and waits where another try may help.
func (d *driver) recover(ctx context.Context, err error) error {
	var held *HeldError
	var waiting *WaitingError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !errors.As(err, &waiting):
		return ctx.Err()
	case errors.As(err, &held), errors.As(err, &waiting), errors.Is(err, ErrNotFound), errors.Is(err, ErrNewer):
		return err
	}
	if d.failing.IsZero() {
		d.failing = time.Now()
	}
	// Who has given the candidate traffic does not give up: the record is the only way to
	// take it off. Else the caller had better know.
	spent := time.Since(d.failing)
	if errors.Is(err, ErrNotStored) && (!d.claimed || spent > Lease) {
		return err // the engine has taken the candidate off, and does the rest by itself
	}
	if (!d.claimed || d.rec.Weight == 0) && spent > d.patience() {
		if d.rec.Weight > 0 && !d.rec.Phase.Final() {
			err = fmt.Errorf("%w (the candidate keeps %d%% of traffic until a runner can take over, or the engine takes it off)", err, d.rec.Weight)
		}
		return fmt.Errorf("the store has failed for %s: %w", lasting(spent), err)
	}
	if errors.Is(err, ErrConflict) && d.delay == 0 {
		d.delay = firstDelay
		return nil // somebody wrote, and is done: try at once
	}
	d.delay = min(max(2*d.delay, firstDelay), d.Interval)
	return sleep(ctx, d.delay)
}

const firstDelay = 20 * time.Millisecond

// patience is how long a store may fail while the candidate has no traffic.
func (d *driver) patience() time.Duration {
	if d.claimed {
		return time.Duration(d.policy.Limits.Blind)
	}
	return Lease
}

// now is the wall clock when this Run began, and what has really passed since: a clock that is set
// meanwhile makes no step longer or shorter. What goes into a record has no use for the monotonic part.
func (d *driver) now() time.Time { return d.began.Add(time.Since(d.began)).UTC().Round(0) }

// sleep waits, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
