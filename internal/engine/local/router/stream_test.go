package router

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestStreamsArriveChunkByChunk(t *testing.T) {
	t.Parallel()
	next := make(chan bool)
	r := open(t, Table{Stable: stable(serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n", i)
			http.NewResponseController(w).Flush()
			<-next // not before the client has read it
		}
	}))})
	res, err := http.Get("http://" + r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	for i := range 3 {
		if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("chunk %d is %q, %v", i, line, err)
		}
		next <- true
	}
	if _, err := lines.ReadByte(); err != io.EOF {
		t.Errorf("after the last chunk: %v", err)
	}
	wantTotals(t, r, "sha256:stable", 1, 0)
}

func TestAnUpgradedConnectionTalksBothWays(t *testing.T) {
	t.Parallel()
	addr := serve(t, func(w http.ResponseWriter, req *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", req.Header.Get("Upgrade"))
		io.Copy(conn, rw)
	})
	r := open(t, Table{Stable: stable(addr)})
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answer is %v, %v", res, err)
	}
	for _, word := range []string{"hello\n", "again\n"} {
		io.WriteString(conn, word)
		if got, err := in.ReadString('\n'); err != nil || got != word {
			t.Fatalf("echo is %q, %v", got, err)
		}
	}
	if busy, _ := r.busy([]string{addr}); len(busy) != 1 {
		t.Error("a replica with an open connection passes for idle")
	}
	conn.Close()
	wantTotals(t, r, "sha256:stable", 1, 0)
}

func TestAHugeBodyPassesBothWays(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	r := open(t, Table{Stable: stable(serve(t, func(w http.ResponseWriter, req *http.Request) {
		http.NewResponseController(w).EnableFullDuplex() // it answers while it still reads
		io.Copy(w, req.Body)
	}))})
	sent := sha256.New()
	body := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{1}), size), sent)
	res, err := http.Post("http://"+r.Addr(), "application/octet-stream", body)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got := sha256.New()
	n, err := io.Copy(got, res.Body)
	if err != nil || n != size || string(got.Sum(nil)) != string(sent.Sum(nil)) {
		t.Errorf("%d of %d bytes came back, %v", n, size, err)
	}
	wantTotals(t, r, "sha256:stable", 1, 0)
}

func TestTrailersAndCompressedAnswersPassAsTheyAre(t *testing.T) {
	t.Parallel()
	r := open(t, Table{Stable: stable(serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, "not really gzip")
		w.Header().Set("X-Sum", "42")
	}))})
	req, _ := http.NewRequest(http.MethodGet, "http://"+r.Addr(), strings.NewReader(""))
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != "not really gzip" || res.Trailer.Get("X-Sum") != "42" {
		t.Errorf("answer is %q with trailers %v, %v", body, res.Trailer, err)
	}
}

func TestAnAnswerMayComeBeforeTheBodyWasRead(t *testing.T) {
	t.Parallel()
	const n = 100
	r := open(t, Table{Stable: stable(serve(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "who are you?", http.StatusUnauthorized)
	}))})
	for range n {
		res, err := http.Post("http://"+r.Addr(), "", io.LimitReader(rand.NewChaCha8([32]byte{1}), 100<<10))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusUnauthorized || string(body) != "who are you?\n" {
			t.Fatalf("answer is %d %q, %v", res.StatusCode, body, err)
		}
	}
	wantTotals(t, r, "sha256:stable", n, 0)
}

func TestAnUnreadBodyCostsNoConnection(t *testing.T) {
	t.Parallel()
	hasty := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "no thanks") })
	for name, table := range map[string]Table{"no model server": {}, "a hasty model server": {Stable: stable(hasty)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, table)
			conn, err := net.Dial("tcp", r.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			for i := range 3 {
				fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n%s", strings.Repeat("x", 5000))
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatalf("answer %d on the connection: %v", i+1, err)
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.Close {
					t.Fatalf("answer %d: %v, closes the connection: %t", i+1, err, res.Close)
				}
			}
		})
	}
}
