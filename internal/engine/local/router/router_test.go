package router

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
)

// open returns a router that is closed with the test.
func open(t testing.TB, table Table) *Router {
	t.Helper()
	r, err := Listen("127.0.0.1:0", prometheus.Labels{"cluster": "here", "endpoint": "penguins"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	r.Set(table)
	return r
}

// serve returns the address of a model server that is real, but for the model.
func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// says is a model server that answers its name.
func says(t testing.TB, name string) string {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
}

// nobody returns an address that refuses connections.
func nobody(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}

func get(t testing.TB, r *Router) (int, string) {
	t.Helper()
	res, err := http.Get("http://" + r.Addr() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// settle waits until every request that was sent is counted.
func settle(t testing.TB, r *Router) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := r.Idle(ctx, r.addrs()); err != nil {
		t.Fatal(err)
	}
}

func wantTotals(t testing.TB, r *Router, revision string, requests, bad uint64) {
	t.Helper()
	settle(t, r)
	if got, want := r.Totals(revision), (gate.Arm{Requests: requests, Bad: bad}); got.Requests != want.Requests || got.Bad != want.Bad {
		t.Errorf("%s answered %+v, want %+v", revision, got, want)
	}
}

func stable(addrs ...string) Arm    { return Arm{Revision: "sha256:stable", Addrs: addrs} }
func candidate(addrs ...string) Arm { return Arm{Revision: "sha256:candidate", Addrs: addrs} }

func TestAnswers503UntilThereIsAModelServer(t *testing.T) {
	t.Parallel()
	r := open(t, Table{})
	if status, body := get(t, r); status != 503 || body != `{"error":"no model server of this endpoint is ready"}`+"\n" {
		t.Errorf("without a table: %d %s", status, body)
	}
	r.Set(Table{Stable: stable()})
	if status, _ := get(t, r); status != 503 {
		t.Errorf("without a replica: %d", status)
	}
	wantTotals(t, r, "sha256:stable", 1, 1)
	r.Set(Table{Stable: stable(says(t, "hello"))})
	if status, body := get(t, r); status != 200 || body != "hello" {
		t.Errorf("with a replica: %d %s", status, body)
	}
	wantTotals(t, r, "sha256:stable", 2, 1)
}

func TestARequestPassesUnchanged(t *testing.T) {
	t.Parallel()
	var seen *http.Request
	var sent string
	r := open(t, Table{Stable: stable(serve(t, func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		seen, sent = req, string(body)
	}))})
	const uri = "/v2//models/a%2Fb/infer/?x=1;y=%zz&x=2"
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: models.acme.io\r\nContent-Length: 5\r\nX-Forwarded-For: 6.6.6.6\r\n"+
		"Connection: close, X-Hop\r\nX-Hop: 1\r\nX-Tag: a\r\nX-Tag: b\r\n\r\nhello", uri)
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Fatalf("%s %v", answer, err)
	}
	for what, pair := range map[string][2]string{
		"method":            {seen.Method, "POST"},
		"URI":               {seen.RequestURI, uri},
		"host":              {seen.Host, "models.acme.io"},
		"body":              {sent, "hello"},
		"header":            {strings.Join(seen.Header["X-Tag"], ","), "a,b"},
		"hop-by-hop header": {seen.Header.Get("X-Hop"), ""},
		"X-Forwarded-For":   {seen.Header.Get("X-Forwarded-For"), "127.0.0.1"},
		"X-Forwarded-Host":  {seen.Header.Get("X-Forwarded-Host"), "models.acme.io"},
		"Accept-Encoding":   {seen.Header.Get("Accept-Encoding"), ""},
		"User-Agent":        {seen.Header.Get("User-Agent"), ""},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
}

func TestATakenPortIsAnErrorThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_, err = Listen(l.Addr().String(), nil)
	if err == nil || !strings.Contains(err.Error(), "another program uses port "+port) || !strings.Contains(err.Error(), "lsof -nP -iTCP:"+port) {
		t.Errorf("error is %v", err)
	}
}

func TestCloseWaitsForRequestsThenDropsThem(t *testing.T) {
	t.Parallel()
	arrived, goOn := make(chan bool, 2), make(chan bool)
	r, err := Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Set(Table{Stable: stable(serve(t, func(w http.ResponseWriter, req *http.Request) {
		arrived <- true
		select {
		case <-goOn:
			io.WriteString(w, "done")
		case <-req.Context().Done():
		}
	}))})
	answers := make(chan string, 2)
	ask := func() {
		res, err := http.Get("http://" + r.Addr())
		if err != nil {
			answers <- "dropped"
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		answers <- string(body)
	}
	go ask()
	go ask()
	<-arrived
	<-arrived
	ctx, cancel := context.WithCancel(context.Background())
	closed := make(chan error)
	go func() { closed <- r.Close(ctx) }()
	goOn <- true
	if got := <-answers; got != "done" {
		t.Errorf("a request that ended in time was %q", got)
	}
	cancel()
	if err := <-closed; err == nil || !strings.Contains(err.Error(), "dropped") {
		t.Errorf("Close says %v", err)
	}
	if got := <-answers; got == "done" {
		t.Error("a request that nobody ended was answered")
	}
	if _, err := net.Dial("tcp", r.Addr()); err == nil {
		t.Error("a closed router still listens")
	}
}
