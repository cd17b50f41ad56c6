package local_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

type viewer interface {
	View(ctx context.Context, id string, claim bool) (endpoint.Status, rollout.Record, error)
}

func TestViewIsGetAndLoadAtOnceWithAnEngineAndWithout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const id = "local/here/penguins"
	same := func(when string) {
		t.Helper()
		view, ok := l.endpoints().(viewer)
		if !ok {
			t.Fatal("there is no View")
		}
		st, rec, err := view.View(l.ctx(), id, true)
		wantSt, errGet := l.endpoints().Get(l.ctx(), id, true)
		wantRec, _, errLoad := l.endpoints().Load(l.ctx(), id)
		if err != nil || errGet != nil || errLoad != nil {
			t.Fatalf("%s: %v, %v, %v", when, err, errGet, errLoad)
		}
		if !reflect.DeepEqual(st, wantSt) || !reflect.DeepEqual(rec, wantRec) {
			t.Errorf("%s: view %+v, %+v; want %+v, %+v", when, st, rec, wantSt, wantRec)
		}
	}
	l.created("penguins")
	same("without a rollout")
	l.put("v2.json", model{Name: "v2"})
	if _, err := l.endpoints().Update(l.ctx(), l.spec("penguins", "v2.json")); err != nil {
		t.Fatal(err)
	}
	same("in a rollout")
	if _, err := l.engine.Stop(l.ctx()); err != nil {
		t.Fatal(err)
	}
	same("without an engine")
	_, _, err := l.endpoints().(viewer).View(l.ctx(), "local/here/nobody", true)
	if !errors.Is(err, endpoint.ErrNotFound) {
		t.Errorf("of none: %v, want ErrNotFound", err)
	}
}

// Connections are kept, and a daemon that took another's place is found all the same.
func TestClientFindsTheDaemonThatTookAnothersPlace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	for range 3 {
		if _, err := l.endpoints().Get(l.ctx(), "local/here/penguins", true); err != nil {
			t.Fatal(err)
		}
		if _, err := l.open().Stop(l.ctx()); err != nil {
			t.Fatal(err)
		}
		st, err := l.endpoints().Get(l.ctx(), "local/here/penguins", true)
		if err != nil || st.Ready {
			t.Fatalf("without an engine: %+v, %v", st, err)
		}
		l.cluster() // by the same client, which starts another
	}
}
