package router

import (
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// getAs asks as a client; "" is nobody that is known.
func getAs(t testing.TB, r *Router, client string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+r.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if client != "" {
		req.Header.Set("X-Client", client)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return string(body)
}

func TestClientsAreCountedWithStickyRouting(t *testing.T) {
	t.Parallel()
	failing := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("X-Client") == "3" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	r := open(t, Table{Stable: stable(failing), Candidate: candidate(failing), Weight: 50, StickyHeader: "X-Client"})
	r.Clients().Begin()
	for range 3 {
		for i := range 20 {
			getAs(t, r, strconv.Itoa(i))
		}
	}
	getAs(t, r, "")
	settle(t, r)
	c, s := r.Clients().Window(time.Now())
	if c.Requests+s.Requests != 61 || c.Failing+s.Failing != 1 || c.New+s.New != 21 || c.New == 0 || s.New == 0 {
		t.Errorf("candidate %+v, stable %+v: want 20 clients with 3 requests each and a stranger, one of them failing", c, s)
	}
}

func TestADeadCandidatesClientsAreItsOwn(t *testing.T) {
	t.Parallel()
	r := open(t, Table{Stable: stable(says(t, "s")), Candidate: candidate(nobody(t)), Weight: 100, StickyHeader: "X-Client"})
	r.Clients().Begin()
	if body := getAs(t, r, "ada"); body != "s" {
		t.Errorf("answer is %q", body)
	}
	settle(t, r)
	c, s := r.Clients().Window(time.Now())
	if c.Requests != 1 || c.Failing != 1 || s.Requests != 0 || r.Misrouted() != 0 {
		t.Errorf("candidate %+v, stable %+v, %d misrouted: want one failure of the candidate", c, s, r.Misrouted())
	}
}

func TestNoClientIsMisroutedWhileTheWeightChanges(t *testing.T) {
	t.Parallel()
	table := Table{Stable: stable(says(t, "s")), Candidate: candidate(says(t, "c")), StickyHeader: "X-Client"}
	r := open(t, table)
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			next := table
			for j := range 200 {
				if j%3 == 0 {
					next.Weight = rand.IntN(101)
					r.Set(next)
				}
				getAs(t, r, strconv.Itoa(i*200+j))
			}
		})
	}
	clients.Wait()
	settle(t, r)
	if n := r.Misrouted(); n != 0 {
		t.Errorf("%d requests were misrouted", n)
	}
}

func TestAWrongSplitIsNoticed(t *testing.T) {
	t.Parallel()
	r := open(t, Table{Stable: stable(says(t, "s")), Candidate: candidate(says(t, "c")), Weight: 5, StickyHeader: "X-Client"})
	wrong := *r.table.Load()
	wrong.share = .5
	r.table.Store(&wrong)
	for i := range 100 {
		getAs(t, r, strconv.Itoa(i))
	}
	getAs(t, r, "")
	settle(t, r)
	if n := r.Misrouted(); !within(int(n), 100, .45) || n == 0 {
		t.Errorf("%d of 100 clients between 5%% and 50%% were noticed", n)
	}
}

func TestAnAnswerThatComesAfterAChangeOfWeightIsAStray(t *testing.T) {
	t.Parallel()
	arrived, goOn := make(chan bool), make(chan bool)
	table := Table{StickyHeader: "X-Client", Candidate: candidate(), Stable: stable(serve(t, func(w http.ResponseWriter, req *http.Request) {
		arrived <- true
		<-goOn
		if req.Header.Get("X-Client") == "bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))}
	r := open(t, table)
	r.Clients().Begin()
	var all sync.WaitGroup
	for _, client := range []string{"good", "bad"} {
		all.Go(func() { getAs(t, r, client) })
		<-arrived
	}
	split := r.table.Load().split
	table.Timeout = time.Minute
	r.Set(table)
	if r.table.Load().split != split {
		t.Error("another timeout is another split")
	}
	table.Weight = 1
	r.Set(table)
	close(goOn)
	all.Wait()
	settle(t, r)
	_, s := r.Clients().Window(time.Now())
	if r.Strays() != 2 || s.Requests != 1 || s.Failing != 1 {
		t.Errorf("%d strays, stable %+v: want 2, and only the failure told", r.Strays(), s)
	}
}

func TestARefusedRequestKeepsItsArm(t *testing.T) {
	t.Parallel()
	const n = 400
	r := open(t, Table{Stable: stable(says(t, "s")), Candidate: candidate(nobody(t), says(t, "c")), Weight: 30})
	for range n {
		get(t, r)
	}
	settle(t, r)
	if c := r.Totals("sha256:candidate"); !within(int(c.Requests), n, .3) || c.Bad != 0 {
		t.Errorf("the candidate answered %d of %d, %d badly: want 30%%, from the replica that is there", c.Requests, n, c.Bad)
	}
}
