package modelcheck

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A world is a store whose state is the model's. The real Run works on it, and each of its calls
// has to be a step of the model that leads to the very record that Run saves.
type world struct {
	differ func(format string, args ...any) // is told where Run and model do
	rng    *rand.Rand
	faults float64 // the share of calls that fail in some way

	mu      sync.Mutex
	m       *model
	s       state
	version int
	done    map[string]int // steps by what they do
	heard   []rollout.Entry
}

// A client is a world as one runner sees it.
type client struct {
	*world
	i      int
	freeze bool
	leaves bool
	ctx    context.Context // the runner's, which tells a call that comes after its end
}

// hundredth is the lockstep's tick: all that Run waits for is a multiple of it.
const hundredth = 10 * time.Millisecond

func newWorld(mutant mutant, seed uint64, differ func(string, ...any)) *world {
	rng := rand.New(rand.NewPCG(seed, 0))
	b := bounds{clock: math.MaxUint16 - 10, windows: 16, epochs: 1000, late: 2, people: 2, leaves: true}
	b.approvals = [2]bool{rng.IntN(3) == 0, rng.IntN(3) == 0}
	m := newModel(b)
	m.unit = hundredth
	m.mutant = mutant
	w := &world{differ: differ, rng: rng, m: m, s: m.first(), done: map[string]int{}}
	w.faults = w.rng.Float64() * .7
	return w
}

// step takes the first step of the model that is wanted, and reports whether there was one.
func (w *world) step(from func(*state, emit), wanted func(action, *state) bool) bool {
	w.s.clock = uint16(time.Since(midnight) / hundredth)
	before, found := w.s, false
	from(&before, func(a action, next state, wrong string) {
		if found || !wanted(a, &next) {
			return
		}
		found = true
		if next.stored != before.stored || a.does == does || a.does == mutes || a.does == late {
			w.version++
		}
		if wrong == "" {
			wrong = w.m.checkState(&next)
		}
		if wrong != "" {
			w.differ("%s: %s", a, wrong)
		}
		w.done[a.does]++
		w.s = next
	})
	return found
}

func (c client) step(does ...string) bool {
	return c.world.step(func(s *state, to emit) { c.m.runner(s, c.i, to) }, func(a action, _ *state) bool {
		for _, d := range does {
			if a.does == d {
				return true
			}
		}
		return false
	})
}

// must reports an error unless the model can take such a step.
func (c client) must(call string, does ...string) {
	if !c.step(does...) {
		c.differ("%s of %s at position %d (stale %t, fresh %t) is no step of the model: want one of %q",
			call, names[c.i], c.s.run[c.i].at, c.s.run[c.i].stale, c.s.run[c.i].fresh, does)
	}
}

// call begins a call of Run, and reports whether it shall fail. A call that goes on although
// the runner was told to stop is about its last words.
func (c client) call(ctx context.Context) (fails bool) {
	if ctx.Err() != nil {
		return true
	}
	at := c.s.run[c.i].at
	if c.ctx.Err() != nil && (at == turning || at == holding || at == saving || at == parting || at == parted) {
		end := cancels
		if c.freeze {
			end = freezes
		}
		c.must("the end", end)
	}
	return c.rng.Float64() < c.faults
}

func (c client) Load(ctx context.Context, _ string) (rollout.Record, rollout.Version, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fails := c.call(ctx)
	r := c.s.run[c.i]
	switch {
	case fails:
		if r.at == turning && r.stale {
			c.step(blind)
		}
		return rollout.Record{}, "", errRefused
	case r.at == loaded:
		c.must("waiting", waits)
		fallthrough
	case r.at == away:
		c.must("load", loads, adopts, isDone)
	default:
		c.must("reload", reloads, isDone, isHeld, hasLeft)
	}
	return *c.m.rec(c.s.stored), c.now(), nil
}

func (w *world) now() rollout.Version { return rollout.Version(strconv.Itoa(w.version)) }

func (c client) Count(ctx context.Context, _ string, from rollout.Cursor) ([]gate.Window, rollout.Cursor, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.call(ctx) {
		if ctx.Err() == nil { // else the runner stops, and does not take it for a lack of evidence
			c.must("a count that fails", cannot)
		}
		return nil, nil, errRefused
	}
	saw := "no request more"
	if all := c.s.kinds(); c.rng.IntN(5) > 0 && c.s.seen < c.m.bounds.windows && behind(from) != beginning {
		saw = kinds[all[min(c.rng.IntN(20), 2)%len(all)]]
		if len(all) > 1 && c.rng.IntN(5) > 0 {
			saw = kinds[good]
		}
	}
	found := c.world.step(func(s *state, to emit) { c.m.runner(s, c.i, to) }, func(a action, _ *state) bool {
		return a.does == counts && a.on == saw
	})
	e := c.s.run[c.i].event
	if !found || e.from != behind(from) {
		c.differ("a count of %s from %s is no step of the model, which is at position %d and counts from %d", names[c.i], from, c.s.run[c.i].at, e.from)
		return nil, nil, errRefused
	}
	d := decision{event: e}
	if e.from != beginning {
		d.seen = c.s.log >> (2 * e.from)
	}
	return windows(d), cursorAt(e.to), nil
}

func (c client) Save(ctx context.Context, _ string, r rollout.Record, v rollout.Version) (rollout.Version, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fails := c.call(ctx)
	if r.Runner == "" && c.s.run[c.i].at == turning {
		c.must("leaving", parts)
	}
	c.must("save", claims, saves, lastWords)
	mine := c.s.run[c.i]
	want := c.m.all[mine.saving]
	got := want
	got.rec = r
	if a, b := key(got.bare()), key(want); a != b {
		c.differ("%s saves\n%s\nand the model\n%s", names[c.i], a, b)
	}
	if fresh := v == c.now(); fresh != mine.fresh {
		c.differ("%s saves onto version %s of %s, and to the model that is fresh: %t", names[c.i], v, c.now(), mine.fresh)
	}
	if !fails {
		c.must("an answer", does, refuses)
		if mine.fresh {
			return c.now(), nil
		}
		return "", rollout.ErrConflict
	}
	switch c.rng.IntN(4) {
	case 0:
		c.must("a lost answer", mutes, ignores)
	case 1:
		c.mu.Unlock()
		<-ctx.Done() // nobody answers
		c.mu.Lock()
		c.must("no answer", refused)
	case 2:
		if c.step(later) {
			time.AfterFunc(time.Duration(1+c.rng.IntN(1+c.rng.IntN(200)))*hundredth, c.carryOut)
			break
		}
		fallthrough
	default:
		c.must("an error", refused)
	}
	return "", errRefused
}

// carryOut carries out a late write, if it still can be.
func (c client) carryOut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world.step(func(s *state, to emit) { c.m.latecomer(s, c.i, to) }, func(action, *state) bool { return true })
}

// engine takes a step of the engine after a while.
func (w *world) engine(after int, does string) {
	time.AfterFunc(time.Duration(after)*hundredth, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.step(w.m.engine, func(a action, _ *state) bool { return a.does == does })
	})
}

// runs is the life of one runner after another under one name.
func (c client) runs(lives int) {
	for range lives {
		ctx, cancel := context.WithCancel(context.Background())
		c.mu.Lock()
		c.ctx, c.freeze, c.leaves = ctx, c.rng.IntN(2) == 0, c.rng.IntN(3) == 0
		pause, life := c.rng.IntN(800), 1+c.rng.IntN(4000)
		c.mu.Unlock()
		time.Sleep(time.Duration(pause) * hundredth)
		stop := time.AfterFunc(time.Duration(life)*hundredth, func() {
			c.mu.Lock() // so that no call sees the runner's end and not its own
			defer c.mu.Unlock()
			cancel()
		})
		r, err := rollout.Run(ctx, c, "local/here/penguins", rollout.Options{Runner: names[c.i], Freeze: c.freeze, LeaveAtApproval: c.leaves})
		c.mu.Lock()
		var rolledBack *rollout.RolledBackError
		if over := err == nil || errors.As(err, &rolledBack); over && r.Phase.Final() && r.ID == c.m.rec(c.s.stored).ID && r.Phase != c.m.rec(c.s.stored).Phase {
			c.differ("%s returned %q (%v), and %q is stored", names[c.i], r.Phase, err, c.m.rec(c.s.stored).Phase)
		}
		c.s.run[c.i] = runner{}
		c.mu.Unlock()
		stop.Stop()
		cancel()
	}
}

// play lets two runners live by the schedule of a seed, and returns the steps that were taken.
func play(t *testing.T, mutant mutant, seed uint64, differ func(string, ...any)) (done map[string]int) {
	synctest.Test(t, func(*testing.T) {
		w := newWorld(mutant, seed, differ)
		w.engine(w.rng.IntN(400), isReady)
		if w.rng.IntN(5) == 0 {
			w.engine(w.rng.IntN(3000), fails)
		}
		var both sync.WaitGroup
		both.Go(func() { teller{w}.speaks(8) })
		for i := range names {
			both.Go(func() { client{world: w, i: i}.runs(3) })
		}
		both.Wait()
		synctest.Wait()
		done = w.done
	})
	return done
}

func TestRunTakesNoStepThatTheModelDoesNot(t *testing.T) {
	schedules := uint64(4000)
	if brief() {
		schedules = 400
	}
	all := map[string]int{}
	for seed := range schedules {
		for does, n := range play(t, mutant{}, seed, t.Errorf) {
			all[does] += n
		}
		if t.Failed() {
			t.Fatalf("schedule %d", seed)
		}
	}
	t.Logf("%d schedules: %v", schedules, all)
	for _, does := range []string{says, saysAgain, wasSaid, wasVain, parts, hasLeft, loads, waits, adopts, claims, counts, cannot, blind, saves, does, mutes, refuses, ignores, refused,
		later, late, reloads, isDone, isHeld, cancels, freezes, lastWords, isReady, fails} {
		if all[does] == 0 {
			t.Errorf("no schedule has a step %q: the claim is emptier than it looks", does)
		}
	}
}

// TestTheLockstepNoticesAModelThatIsNotRun tests the lockstep.
func TestTheLockstepNoticesAModelThatIsNotRun(t *testing.T) {
	for name, other := range map[string]mutant{
		"no epoch check":                   {noEpochCheck: true},
		"no reload after an error":         {noReload: true},
		"a count is saved on a later base": {countsAgain: true},
		"words that are saved blindly":     {tellsBlindly: true},
	} {
		t.Run(name, func(t *testing.T) {
			const most = 20_000
			noticed := false
			for seed := uint64(0); !noticed; seed++ {
				if seed == most {
					t.Fatalf("not noticed in %d schedules", most)
				}
				play(t, other, seed, func(string, ...any) { noticed = true })
				if noticed {
					t.Logf("noticed in schedule %d", seed)
				}
			}
		})
	}
}
