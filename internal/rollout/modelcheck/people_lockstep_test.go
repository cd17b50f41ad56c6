package modelcheck

import (
	"context"
	"errors"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A teller is a world as the real Tell sees it.
type teller struct{ *world }

// speaks says this and that, a while after each other.
func (p teller) speaks(times int) {
	for range times {
		p.mu.Lock()
		pause := p.rng.IntN(800)
		e := rollout.Event(rollout.Approved{By: actors[people]})
		switch p.rng.IntN(12) {
		case 0:
			e = rollout.Rejected{By: actors[people]}
		case 1:
			e = rollout.Cancelled{Why: "cancelled by the user"}
		}
		p.mu.Unlock()
		time.Sleep(time.Duration(pause) * hundredth)
		at := time.Now().UTC()
		switch said := e.(type) {
		case rollout.Approved:
			said.At, e = at, said
		case rollout.Rejected:
			said.At, e = at, said
		case rollout.Cancelled:
			said.At, e = at, said
		}
		_, err := rollout.Tell(context.Background(), listener{p.world, e}, "local/here/penguins", e)
		p.mu.Lock()
		var refused *rollout.RefusedError
		if mid := p.s.person.word != nothing; mid && (err == nil || errors.As(err, &refused)) {
			p.differ("Tell returns %v, and to the model it is not over: %+v", err, p.s.person)
		}
		p.s.person = person{late: p.s.person.late}
		p.mu.Unlock()
	}
}

// A listener is the store of one Tell.
type listener struct {
	*world
	e rollout.Event
}

func (l listener) means() string {
	switch l.e.(type) {
	case rollout.Approved:
		return meanings[approved]
	case rollout.Rejected:
		return meanings[rejected]
	}
	return meanings[cancelled]
}

func (l listener) step(does ...string) bool {
	return l.world.step(l.m.people, func(a action, _ *state) bool {
		for _, d := range does {
			if a.does == d && (a.who == people && (a.on == "" || a.on == l.means()) || a.who == store) {
				return true
			}
		}
		return false
	})
}

func (l listener) Load(ctx context.Context, _ string) (rollout.Record, rollout.Version, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil || l.rng.Float64() < l.faults {
		return rollout.Record{}, "", errRefused
	}
	r, v := *l.m.rec(l.s.stored), l.now()
	if l.step(wasSaid) {
		r.History = l.heard // the model keeps none, and there Tell finds what it said
		return r, v, nil
	}
	l.step(says, saysAgain, wasVain) // where there is none of these, it is refused at once: no Save may follow
	slow := time.Duration(l.rng.IntN(150)) * hundredth
	l.mu.Unlock()
	time.Sleep(slow) // while others write
	l.mu.Lock()
	return r, v, nil
}

// Count is not for people.
func (l listener) Count(context.Context, string, rollout.Cursor) ([]gate.Window, rollout.Cursor, error) {
	l.differ("Tell counts")
	return nil, nil, errRefused
}

func (l listener) Save(_ context.Context, _ string, r rollout.Record, v rollout.Version) (rollout.Version, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	said := l.s.person
	if said.saving == 0 {
		l.differ("Tell saves, and to the model it has nothing to say: %+v", said)
		return "", errRefused
	}
	want := l.m.all[said.saving]
	got := want
	got.rec = r
	if a, b := key(got.bare()), key(want); a != b {
		l.differ("Tell saves\n%s\nand the model\n%s", a, b)
	}
	if fresh := v == l.now(); fresh != said.fresh {
		l.differ("Tell saves onto version %s of %s, and to the model that is fresh: %t", v, l.now(), said.fresh)
	}
	l.heard = r.History // what a later Load shows, if this is carried out
	how := [][]string{{does, refuses}, {does, refuses}, {mutes, ignores}, {refused}, {later}}[l.rng.IntN(5)]
	if !l.step(how...) {
		how = []string{refused}
		l.step(how...)
	}
	switch {
	case how[0] == does && said.fresh:
		return l.now(), nil
	case how[0] == does:
		return "", rollout.ErrConflict
	case how[0] == later:
		time.AfterFunc(time.Duration(1+l.rng.IntN(100))*hundredth, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.step(late)
		})
	}
	return "", errRefused
}
