package rollout

import (
	"context"
	"errors"
	"slices"
	"time"
)

// poll is how often the store is asked for a sign of another runner.
const poll = Lease / 20

// A claim is a taking over whose answer was lost: what is stored tells whether it was saved. That may be late, when the
// next one is on its way.
type claim struct {
	id    string
	epoch uint64
	at    int64 // nanoseconds: a time that was stored and read again may differ in more than that
}

// claim makes this runner the one that drives, where no other is alive, or finds that the
// rollout is over.
func (d *driver) claim(ctx context.Context) error {
	var idle time.Time // when a runner that gives no sign any more last wrote
	var lost []claim
	for {
		err := d.tryClaim(ctx, &idle, &lost)
		if err == nil && (d.claimed || d.rec.Phase.Final()) {
			d.failing, d.delay = time.Time{}, 0
			return nil
		}
		if err := d.recover(ctx, err); err != nil {
			return err
		}
	}
}

func (d *driver) tryClaim(ctx context.Context, idle *time.Time, lost *[]claim) error {
	if err := d.load(ctx); err != nil || d.rec.Phase.Final() {
		return err
	}
	if d.adopt(*lost) {
		return nil
	}
	// A lease that has run out is taken over at once. One that has not, or that comes from a
	// clock ahead of this one, is watched: only a write shows that its runner lives.
	if d.rec.Runner != "" && d.now().Sub(d.rec.Renewed) < Lease && !d.rec.Renewed.Equal(*idle) {
		*idle = d.rec.Renewed
		return d.watch(ctx, *lost)
	}
	at := d.now()
	next := Next(d.policy, d.rec, TakenOver{Runner: d.Runner, At: at})
	// Told to stop in this very moment, the runner has to know whether it drives: if it does, it has last words to say.
	call, cancel := outliving(ctx, claimGrace)
	defer cancel()
	err := d.save(call, next)
	if err != nil && !errors.Is(err, ErrConflict) {
		*lost = append(*lost, claim{next.ID, next.Epoch, at.UnixNano()})
	}
	d.claimed = err == nil
	return err
}

// outliving returns a context that ends some time after ctx.
func outliving(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return later, func() { stop(); cancel() }
}

// load reads the record and its policy before the rollout is this runner's.
func (d *driver) load(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	r, v, err := d.store.Load(call, d.id)
	if err != nil {
		return err
	}
	d.rec, d.v, d.stale = r, v, false
	if r.Phase.Final() {
		return nil
	}
	// Where the policy cannot be read, Next says so and rolls back.
	d.policy, _ = ParsePolicy(r.Policy)
	return r.Writable()
}

// adopt drives the rollout where the record is one of the claims whose answers were lost, and reports whether it is.
func (d *driver) adopt(lost []claim) bool {
	if d.rec.Runner != d.Runner || !slices.Contains(lost, claim{d.rec.ID, d.rec.Epoch, d.rec.Renewed.UnixNano()}) {
		return false
	}
	d.claimed = true
	d.keep(d.rec, d.v)
	return true
}

// watch waits for another runner's next write while its lease runs, a lease at most, and returns a *HeldError where it
// comes.
func (d *driver) watch(ctx context.Context, lost []claim) error {
	seen, until := d.rec, time.Now().Add(Lease)
	if out := seen.Renewed.Add(Lease); out.Before(until) {
		until = out // a lease that has run out is not watched
	}
	for time.Now().Before(until) {
		if err := sleep(ctx, min(poll, time.Until(until))); err != nil {
			return err
		}
		if err := d.load(ctx); err != nil {
			return err
		}
		if d.rec.Phase.Final() || d.rec.Runner == "" || d.rec.ID != seen.ID || d.adopt(lost) {
			return nil // over, free, or this runner's own
		}
		if d.rec.Epoch != seen.Epoch || !d.rec.Renewed.Equal(seen.Renewed) {
			return held(d.rec)
		}
	}
	return nil
}
