package local_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A usage is what a process holds.
type usage struct{ descriptors, threads, kilobytes int }

var fields = regexp.MustCompile(`(Threads|VmRSS):\s+(\d+)`)

func usageOf(t *testing.T, pid int) (u usage) {
	t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	u.descriptors = len(fds)
	for _, m := range fields.FindAllStringSubmatch(string(status), -1) {
		n, _ := strconv.Atoi(m[2]) // digits only
		if m[1] == "Threads" {
			u.threads = n
		} else {
			u.kilobytes = n
		}
	}
	return u
}

// goroutines of the daemon, by its metrics.
func (l *lab) goroutines() int {
	l.t.Helper()
	st, err := l.engine.Status(l.ctx())
	if err != nil {
		l.t.Fatal(err)
	}
	resp, err := http.Get(st.Page + "/metrics")
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "go_goroutines "); ok {
			v, _ := strconv.Atoi(n)
			return v
		}
	}
	l.t.Fatal("the metrics do not tell the number of goroutines")
	return 0
}

// nonsense is one request that nobody should send.
func nonsense() string {
	post := func(method, path, body string) string {
		return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body)
	}
	const penguins = "/v1/endpoints/here/penguins"
	switch rand.IntN(16) {
	case 0:
		return post("POST", penguins+"/abort", fmt.Sprintf(`{"call":"%d"}`, rand.Uint64()))
	case 1:
		return post("PUT", penguins+"/record", fmt.Sprintf(`{"record":{"schema":2,"phase":"promoted","weight":100,"approved":100},"version":"%d"}`, rand.IntN(50)))
	case 2:
		return post("POST", penguins+"/count", `{"cursor":{"boot":"x","cut":18446744073709551615}}`)
	case 3:
		return post("POST", penguins, strings.Repeat("[", rand.IntN(2000)))
	case 4:
		return post("PUT", penguins, fmt.Sprintf(`{"spec":{"cluster":"here","name":"penguins","replicas":%d}}`, rand.Int64()))
	case 5:
		return post("GET", fmt.Sprintf("/v1/endpoints/here/%d/record", rand.Uint64()), "")
	case 6:
		return post("DELETE", fmt.Sprintf("/v1/clusters/%x", rand.Uint64()), "")
	case 7:
		return post("POST", fmt.Sprintf("/v1/endpoints/here/%d/abort", rand.Uint64()), `{"call":"`+strings.Repeat("c", 500)+`"}`)
	}
	return post("BREW", "/"+strings.Repeat("../", rand.IntN(50)), "{}")
}

// As much nonsense is sent in a second, by all, where the machine can do it, and for as long.
const (
	floodRate = 10_000
	floodTime = 5 * time.Second
)

// flood sends nonsense by one connection after another, many requests at once in each, until done is closed.
func flood(socket string, done <-chan struct{}, sent *atomic.Int64) {
	began := time.Now()
	for {
		select {
		case <-done:
			return
		default:
		}
		c, err := net.Dial("unix", socket)
		if err != nil {
			time.Sleep(time.Millisecond) // its queue is full
			continue
		}
		for sent.Load() > int64(time.Since(began).Seconds()*floodRate) {
			time.Sleep(time.Millisecond)
		}
		const batch = 200
		var all strings.Builder
		for range batch {
			all.WriteString(nonsense())
		}
		switch rand.IntN(8) {
		case 0:
			all.WriteString(strings.Repeat("\x00\xff", 100)) // not HTTP at all
		case 1:
			_, _ = io.WriteString(c, all.String()) // and gone
			_ = c.Close()
			sent.Add(batch)
			continue
		}
		go func() { _, _ = io.WriteString(c, all.String()) }()
		in := bufio.NewReader(c)
		for range batch {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				break
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			sent.Add(1)
		}
		_ = c.Close()
	}
}

func TestFloodOfNonsenseAtTheSocketDisturbsNoRollout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	st := easily(t, l, model{Name: "v2"})
	pid := l.pid()
	before, goroutines := usageOf(t, pid), l.goroutines()
	done := make(chan struct{})
	var sent atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { flood(filepath.Join(l.data, "engine.sock"), done, &sent) })
	}
	tr := startTraffic(t, st.URL, 4)
	began := time.Now()
	time.AfterFunc(floodTime, func() { close(done) })
	r, err := rollout.Run(l.ctx(), l.endpoints(), id, quick)
	if spent := time.Since(began); spent < time.Second {
		t.Errorf("the rollout took %s: too short to be disturbed", spent)
	}
	all.Wait()
	t.Logf("%d requests of nonsense, %d a second", sent.Load(), sent.Load()/int64(floodTime.Seconds()))
	if sent.Load() < 1000 {
		t.Errorf("%d requests of nonsense: this test does not do what it says", sent.Load())
	}
	if err != nil || r.Phase != rollout.Promoted {
		t.Errorf("%s, %v: want it promoted", r.Phase, err)
	}
	tr.noneDropped(t)
	if l.pid() != pid {
		t.Error("the engine was started anew")
	}
	client.CloseIdleConnections()
	eventually(t, "goroutines and descriptors are what they were", func() bool {
		now := usageOf(t, pid)
		return now.descriptors <= before.descriptors+10 && l.goroutines() <= goroutines+20
	})
	if now := usageOf(t, pid); now.kilobytes > before.kilobytes+150<<10 && !local.Raced {
		t.Errorf("%d MiB in memory, %d before", now.kilobytes>>10, before.kilobytes>>10)
	}
}
