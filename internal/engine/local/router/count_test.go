package router

import (
	"bufio"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAnswersAreCountedGoodOrBad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		status int
		bad    uint64
	}{
		"200":       {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok")) }, 200, 0},
		"204":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, 204, 0},
		"404":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, 404, 0},
		"429":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, 429, 0},
		"500":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, 500, 1},
		"503":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, 503, 1},
		"no answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 502, 1},
		"no HTTP":   {hijack("SSH-2.0-OpenSSH_9.2\r\n"), 502, 1},
		"uninvited": {hijack("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), 502, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, Table{Stable: stable(serve(t, c.answer))})
			status, body := get(t, r)
			if status != c.status || status == 502 && !strings.HasPrefix(body, `{"error":"the model server at 127.0.0.1:`) {
				t.Errorf("answer is %d %s", status, body)
			}
			wantTotals(t, r, "sha256:stable", 1, c.bad)
		})
	}
}

// hijack is a model server that answers these bytes and hangs up.
func hijack(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(conn, answer)
	}
}

func TestAnAnswerThatDoesNotBeginInTimeIsA504(t *testing.T) {
	t.Parallel()
	ended := make(chan bool, 1)
	r := open(t, Table{Timeout: 20 * time.Millisecond, Stable: stable(serve(t, func(_ http.ResponseWriter, req *http.Request) {
		<-req.Context().Done()
		ended <- true
	}))})
	status, body := get(t, r)
	if status != 504 || !strings.Contains(body, "did not begin an answer within 20ms") {
		t.Errorf("answer is %d %s", status, body)
	}
	<-ended // the model server is told
	wantTotals(t, r, "sha256:stable", 1, 1)
}

func TestAServerThatStopsReadingALongBodyIsA504(t *testing.T) {
	t.Parallel()
	free := make(chan bool)
	r := open(t, Table{Timeout: 50 * time.Millisecond, Stable: stable(serve(t, func(http.ResponseWriter, *http.Request) { <-free }))})
	res, err := http.Post("http://"+r.Addr(), "", io.LimitReader(zeros{}, 64<<20))
	if err == nil {
		defer res.Body.Close()
	}
	if err != nil || res.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("answer is %v, %v", res, err)
	}
	close(free)
	wantTotals(t, r, "sha256:stable", 1, 1)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestASlowClientIsNotASlowModel(t *testing.T) {
	t.Parallel()
	const timeout = 30 * time.Millisecond
	r := open(t, Table{Timeout: timeout, Stable: stable(serve(t, func(w http.ResponseWriter, req *http.Request) {
		io.Copy(w, req.Body)
	}))})
	body, send := io.Pipe()
	go func() {
		for range 4 {
			time.Sleep(timeout) // this is the client being slow, not the test waiting
			io.WriteString(send, "slow ")
		}
		send.Close()
	}()
	res, err := http.Post("http://"+r.Addr(), "", body)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || string(got) != "slow slow slow slow " {
		t.Errorf("answer is %d %q %v", res.StatusCode, got, err)
	}
	wantTotals(t, r, "sha256:stable", 1, 0)
}

func TestAnAnswerThatBreaksOffIsBad(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"of known length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, "the beginn")
		},
		"in chunks": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "the beginn")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, Table{Stable: stable(serve(t, answer))})
			res, err := http.Post("http://"+r.Addr(), "", nil)
			if err == nil {
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			if err == nil {
				t.Error("the client does not learn that the answer is not whole")
			}
			wantTotals(t, r, "sha256:stable", 1, 1)
		})
	}
}

func TestAClientThatLeaves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		beforeAnswer bool
		bad          uint64
	}{
		"before the answer begins is a bad answer": {true, 1},
		"in mid-answer is nobody's fault":          {false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan bool, 1)
			r := open(t, Table{Stable: stable(serve(t, func(w http.ResponseWriter, req *http.Request) {
				io.Copy(io.Discard, req.Body)
				if !c.beforeAnswer {
					w.WriteHeader(http.StatusOK)
					http.NewResponseController(w).Flush()
				}
				arrived <- true
				<-req.Context().Done()
			}))})
			ctx, leave := context.WithCancel(t.Context())
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.Addr(), strings.NewReader("row"))
			go func() {
				<-arrived
				if c.beforeAnswer {
					leave()
				}
			}()
			res, err := http.DefaultClient.Do(req)
			if err == nil {
				leave()
				res.Body.Close()
			}
			wantTotals(t, r, "sha256:stable", 1, c.bad)
		})
	}
}

func TestAClientThatLeavesInMidRequestIsNotCounted(t *testing.T) {
	t.Parallel()
	arrived := make(chan bool, 1)
	r := open(t, Table{Stable: stable(serve(t, func(_ http.ResponseWriter, req *http.Request) {
		arrived <- true
		io.Copy(io.Discard, req.Body)
	}))})
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nonly this")
	<-arrived
	conn.(*net.TCPConn).CloseWrite()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusBadRequest {
		t.Errorf("answer is %v, %v", res, err)
	}
	conn.Close()
	wantTotals(t, r, "sha256:stable", 0, 0)
}

func TestARefusedRequestGoesToTheNextReplica(t *testing.T) {
	t.Parallel()
	r := open(t, Table{Stable: stable(nobody(t), serve(t, func(w http.ResponseWriter, req *http.Request) { io.Copy(w, req.Body) }), nobody(t))})
	for range 10 {
		res, err := http.Post("http://"+r.Addr(), "", strings.NewReader("the body"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || string(body) != "the body" {
			t.Errorf("answer is %d %q", res.StatusCode, body)
		}
	}
	wantTotals(t, r, "sha256:stable", 10, 0)
}

func TestADeadCandidateCostsUsersNothing(t *testing.T) {
	t.Parallel()
	for name, dead := range map[string]Arm{
		"it refuses":       candidate(nobody(t), nobody(t)),
		"it has no server": candidate(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, Table{Stable: stable(says(t, "s")), Candidate: dead, Weight: 100})
			for range 10 {
				if status, body := get(t, r); status != 200 || body != "s" {
					t.Errorf("answer is %d %q", status, body)
				}
			}
			wantTotals(t, r, "sha256:candidate", 10, 10)
			wantTotals(t, r, "sha256:stable", 0, 0)
		})
	}
}

func TestADeadStableIsA502AndNotTheCandidatesWork(t *testing.T) {
	t.Parallel()
	r := open(t, Table{Stable: stable(nobody(t)), Candidate: candidate(says(t, "c"))})
	if status, body := get(t, r); status != 502 || !strings.Contains(body, "connection refused") {
		t.Errorf("answer is %d %q", status, body)
	}
	wantTotals(t, r, "sha256:stable", 1, 1)
	wantTotals(t, r, "sha256:candidate", 0, 0)
}

func TestCountsAreConsistentWindowsUnderTrafficAndSet(t *testing.T) {
	t.Parallel()
	const clients, each = 8, 200
	flaky := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200 + 300*rand.IntN(2)) })
	table := Table{Stable: stable(flaky), Candidate: candidate(flaky), Weight: 50}
	r := open(t, table)
	stop := make(chan bool)
	var watchers, traffic sync.WaitGroup
	watchers.Go(func() {
		for last := r.Totals("sha256:stable"); ; {
			now := r.Totals("sha256:stable")
			if now.Requests < last.Requests || now.Bad < last.Bad || now.Bad-last.Bad > now.Requests-last.Requests {
				t.Errorf("the window from %+v to %+v is impossible", last, now)
			}
			last = now
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	watchers.Go(func() {
		for {
			table.Weight = rand.IntN(101)
			r.Set(table)
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range clients {
		traffic.Go(func() {
			for range each {
				get(t, r)
			}
		})
	}
	traffic.Wait()
	close(stop)
	watchers.Wait()
	settle(t, r)
	if s, c := r.Totals("sha256:stable"), r.Totals("sha256:candidate"); s.Requests+c.Requests != clients*each || s.Bad == 0 || c.Bad == 0 {
		t.Errorf("of %d requests, stable answered %+v and the candidate %+v", clients*each, s, c)
	}
}
