package router

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A replica that counts what it does, and what reached it after it was drained.
type worker struct {
	addr          string
	busy          atomic.Int32
	drained, late atomic.Bool
}

func newWorker(t *testing.T) *worker {
	w := &worker{}
	w.addr = serve(t, func(rw http.ResponseWriter, req *http.Request) {
		w.busy.Add(1)
		defer w.busy.Add(-1)
		if w.drained.Load() {
			w.late.Store(true)
		}
		io.Copy(rw, req.Body)
	})
	return w
}

func TestNoRequestIsDroppedAndADrainedReplicaIsIdle(t *testing.T) {
	t.Parallel()
	const flips, clients = 1000, 8
	slots := [2]*worker{newWorker(t), newWorker(t)}
	revision := func(i int) Arm {
		return Arm{Revision: "sha256:" + strconv.Itoa(i), Addrs: []string{slots[i%2].addr}}
	}
	r := open(t, Table{Stable: revision(0)})
	var stop atomic.Bool
	answered := make(chan bool)
	var traffic sync.WaitGroup
	for range clients {
		traffic.Go(func() {
			for !stop.Load() {
				res, err := http.Post("http://"+r.Addr(), "", strings.NewReader("row"))
				if err != nil {
					t.Errorf("dropped: %v", err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode != http.StatusOK || string(body) != "row" {
					t.Errorf("answer is %d %s, %v", res.StatusCode, body, err)
					return
				}
				select {
				case answered <- true:
				default:
				}
			}
		})
	}
	for i := 1; i <= flips && !t.Failed(); i++ {
		select {
		case <-answered: // traffic goes on
		case <-time.After(10 * time.Second):
			t.Fatal("no request is answered")
		}
		next, last := slots[i%2], slots[(i-1)%2]
		next.drained.Store(false)
		r.Set(Table{Stable: revision(i - 1), Candidate: revision(i), Weight: 50})
		r.Set(Table{Stable: revision(i)}) // promoted
		if err := r.Idle(t.Context(), []string{last.addr}); err != nil {
			t.Fatal(err)
		}
		last.drained.Store(true)
		// The handler may still be returning after its answer was read to the end.
		for last.busy.Load() != 0 {
			time.Sleep(time.Microsecond)
		}
	}
	stop.Store(true)
	traffic.Wait()
	if slots[0].late.Load() || slots[1].late.Load() {
		t.Error("a request reached a drained replica")
	}
}

func TestIdleNamesWhatIsBusyWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	arrived, free := make(chan bool), make(chan bool)
	slow := serve(t, func(http.ResponseWriter, *http.Request) { arrived <- true; <-free })
	r := open(t, Table{Stable: stable(slow)})
	done := make(chan bool)
	go func() { get(t, r); close(done) }()
	<-arrived
	r.Set(Table{Stable: stable(says(t, "next"))})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err := r.Idle(ctx, []string{slow, "127.0.0.1:1"})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), slow) || strings.Contains(err.Error(), "127.0.0.1:1:") {
		t.Errorf("Idle says %v", err)
	}
	idle := make(chan error)
	go func() { idle <- r.Idle(t.Context(), []string{slow}) }()
	free <- true
	if err := <-idle; err != nil {
		t.Error(err)
	}
	<-done
}

func TestUnusedReplicasAreForgotten(t *testing.T) {
	t.Parallel()
	r := open(t, Table{})
	for range 100 {
		r.Set(Table{Stable: stable(nobody(t))})
	}
	if n := len(r.addrs()); n != 1 {
		t.Errorf("%d replicas are kept", n)
	}
}
