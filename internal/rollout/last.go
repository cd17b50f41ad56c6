package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// end says the runner's last words after ctx has ended: that the rollout is cancelled, or
// that the weight stays for the next runner. A roll-back that could not be saved yet comes
// first.
func (d *driver) end(ctx context.Context) error {
	words, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	e := d.intent
	if e == nil {
		e = d.farewell(ctx)
	}
	for {
		err := d.say(words, &e)
		if err == nil && d.rec.Phase.Final() {
			return nil
		}
		if err == nil {
			return ctx.Err() // frozen
		}
		if again := d.recover(words, err); again != nil {
			return d.unsaid(ctx, err)
		}
	}
}

// leave stops driving a rollout that waits for an approval, with a *WaitingError. Where somebody was quicker and
// approved, or ended it, the runner stays.
func (d *driver) leave(ctx context.Context) error {
	left := Left{Why: "going on needs an approval", At: d.now()}
	for {
		err := d.parting(ctx, left)
		if err == nil && d.rec.Runner == "" {
			return &WaitingError{Record: d.rec}
		}
		if err == nil {
			return nil
		}
		if err := d.recover(ctx, err); err != nil {
			return err
		}
	}
}

func (d *driver) parting(ctx context.Context, left Left) error {
	if d.stale {
		if err := d.reload(ctx); err != nil {
			return err
		}
		if d.rec.Phase.Final() || !d.rec.waits() || d.rec.Runner == "" { // the answer to having left may have been lost
			return nil
		}
	}
	return d.save(ctx, Next(d.policy, d.rec, left))
}

// say saves e. Where that is a failure whose windows are partly saved by now, they cannot be
// counted onto the record again: the candidate is taken off without them.
func (d *driver) say(ctx context.Context, e *Event) error {
	if d.stale {
		if err := d.reload(ctx); err != nil || d.rec.Phase.Final() {
			return err
		}
	}
	if _, counted := (*e).(Counted); counted && d.intent == nil {
		*e = Cancelled{Why: "it was found wanting, and the runner was told to stop before that was saved", At: d.now()}
	}
	return d.save(ctx, Next(d.policy, d.rec, *e))
}

// farewell is the event by which a runner ends whose ctx has ended.
func (d *driver) farewell(ctx context.Context) Event {
	why := "cancelled by the user"
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.DeadlineExceeded):
		why = "timed out after " + lasting(time.Since(d.began))
	case !errors.Is(cause, context.Canceled):
		why = cause.Error()
	}
	if d.Freeze {
		return Left{Why: why, At: d.now()}
	}
	return Cancelled{Why: why, At: d.now()}
}

// unsaid tells what is left behind where the last words could not be saved.
func (d *driver) unsaid(ctx context.Context, err error) error {
	var held *HeldError
	if errors.Is(err, ErrNotStored) { // it says what is left behind
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	if errors.As(err, &held) || d.Freeze && d.intent == nil {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return fmt.Errorf("%w, and the end of the rollout could not be written, %s: the candidate keeps %d%% of traffic until the engine takes it off, %s after the last sign of a runner",
		ctx.Err(), err.Error(), d.rec.Weight, d.policy.Limits.AbandonedAfter)
}
