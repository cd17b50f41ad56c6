package github

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestManyWhoReadTheSameAtOnceAskOnce(t *testing.T) {
	t.Parallel()
	s, r := newShared(time.Hour), &Repository{owner: "acme", name: "fraud"}
	var asked atomic.Int32
	begun, answer := make(chan struct{}), make(chan struct{})
	ask := func() (int, error) {
		if asked.Add(1) == 1 {
			close(begun)
		}
		<-answer
		return 7, nil
	}
	var all sync.WaitGroup
	read := func() {
		if v, err := share(t.Context(), s, r, "tree main", ask); v != 7 || err != nil {
			t.Errorf("got %d, %v", v, err)
		}
	}
	all.Go(read)
	<-begun
	for range 9 {
		all.Go(read)
	}
	close(answer)
	all.Wait()
	read() // a moment later
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	for i, other := range []*Repository{{owner: "acme", name: "fraud2"}, {owner: "ACME", name: "Fraud"}} {
		if _, err := share(t.Context(), s, other, "tree main", ask); err != nil || asked.Load() != 2 {
			t.Errorf("%d: asked %d times in all, %v", i, asked.Load(), err)
		}
	}
	if _, err := share(t.Context(), s, r, "tree release", ask); err != nil || asked.Load() != 3 {
		t.Errorf("another branch is another read: asked %d times, %v", asked.Load(), err)
	}
}

func TestAWriteForgetsWhatWasReadOfItsRepositoryOnly(t *testing.T) {
	t.Parallel()
	s := newShared(time.Hour)
	written, other := &Repository{owner: "acme", name: "fraud"}, &Repository{owner: "acme", name: "fraud2"}
	asked := 0
	ask := func() (int, error) { asked++; return asked, nil }
	for _, step := range []struct {
		of   *Repository
		want int
	}{{written, 1}, {other, 2}, {written, 1}} {
		if v, err := share(t.Context(), s, step.of, "tree", ask); v != step.want || err != nil {
			t.Fatalf("read %d, %v, want %d", v, err, step.want)
		}
	}
	s.forget(written)
	if v, _ := share(t.Context(), s, written, "tree", ask); v != 3 {
		t.Errorf("read %d of before the write", v)
	}
	if v, _ := share(t.Context(), s, other, "tree", ask); v != 2 {
		t.Errorf("the other repository was asked again: %d", v)
	}
}

func TestAReadThatWasUnderWayDuringAWriteIsNotKept(t *testing.T) {
	t.Parallel()
	s, r := newShared(time.Hour), &Repository{owner: "acme", name: "fraud"}
	v, err := share(t.Context(), s, r, "tree", func() (string, error) {
		s.forget(r)
		return "old", nil
	})
	if v != "old" || err != nil {
		t.Fatalf("got %q, %v", v, err)
	}
	if v, _ := share(t.Context(), s, r, "tree", func() (string, error) { return "new", nil }); v != "new" {
		t.Errorf("got %q", v)
	}
}

func TestWhatWasReadGetsOld(t *testing.T) {
	t.Parallel()
	s, r := newShared(time.Nanosecond), &Repository{owner: "acme", name: "fraud"}
	asked := 0
	for range 2 {
		if _, err := share(t.Context(), s, r, "tree", func() (int, error) { asked++; return asked, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}

func TestAnErrorIsForThoseWhoWaitAndIsNotKept(t *testing.T) {
	t.Parallel()
	s, r := newShared(time.Hour), &Repository{owner: "acme", name: "fraud"}
	broken := errors.New("broken")
	if _, err := share(t.Context(), s, r, "tree", func() (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if v, err := share(t.Context(), s, r, "tree", func() (int, error) { return 1, nil }); v != 1 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
}

func TestOneWhoGivesUpDoesNotTakeTheOthersAlong(t *testing.T) {
	t.Parallel()
	s, r := newShared(time.Hour), &Repository{owner: "acme", name: "fraud"}
	impatient, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_, err := share(impatient, s, r, "tree", func() (int, error) {
			close(begun)
			<-impatient.Done()
			return 0, impatient.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	<-begun
	all.Go(func() {
		if v, err := share(t.Context(), s, r, "tree", func() (int, error) { return 1, nil }); v != 1 || err != nil {
			t.Errorf("the patient one got %d, %v", v, err)
		}
	})
	gone, gaveUp := context.WithCancel(t.Context())
	gaveUp()
	if _, err := share(gone, s, r, "tree", func() (int, error) { return 2, nil }); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	cancel()
	all.Wait()
}
