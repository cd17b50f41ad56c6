package page

import (
	"bufio"
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

var update = flag.Bool("update", false, "write the golden files")

// fixed is a site whose snapshot never changes.
func fixed(s Snapshot) *site {
	return &site{
		snapshot: func() Snapshot { return s },
		changes:  func(ctx context.Context) bool { <-ctx.Done(); return false },
		zone:     time.UTC, pause: time.Millisecond, beat: time.Second,
	}
}

func (s *site) ask(method, host, path string) *httptest.ResponseRecorder {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "up 1\n") })
	req := httptest.NewRequest(method, path, nil)
	req.Host = host
	w := httptest.NewRecorder()
	s.handler(metrics).ServeHTTP(w, req)
	return w
}

func TestThePageIsAsItWasLookedAt(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]Snapshot{"page": all(), "empty": {Version: "0.1.0", DataDir: "/srv/models/.tidegate"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := fixed(s).ask(http.MethodGet, "localhost", "/")
			if got := w.Header().Get("Content-Type"); w.Code != 200 || got != "text/html; charset=utf-8" {
				t.Errorf("answer is %d %s", w.Code, got)
			}
			file := "testdata/" + name + ".golden.html"
			if *update {
				if err := os.WriteFile(file, w.Body.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), w.Body.String()); diff != "" {
				t.Errorf("look at it, then run go test with -update (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingThatIsShownIsRunOrLoaded(t *testing.T) {
	t.Parallel()
	const evil = `"><script src=//evil.example></script><img src=x onerror=alert(1)>'`
	e := busy()
	e.ID, e.URL, e.Problem = "local/"+evil+"/"+evil, "javascript:alert(1)", evil
	e.Stable.Digest, e.Stable.Model, e.Candidate.Digest = evil, evil, evil
	e.Record.Runner, e.Record.Policy = evil, []byte(`{"steps":"`+"</script>"+`"}`)
	e.Record.Failure = &rollout.Failure{Reason: evil}
	e.Record.Verdicts = []gate.Verdict{{Gate: evil, Outcome: gate.Outcome(evil), Sentence: evil}}
	e.Record.History = []rollout.Entry{{Sentence: evil, Phase: evil}}
	e.Rejected = []endpoint.Rejection{{Revision: evil, Model: evil, Gate: evil, Reason: evil}}
	s := fixed(Snapshot{Version: evil, DataDir: evil, Endpoints: []Endpoint{e}})
	got := s.ask(http.MethodGet, "localhost", "/").Body.String()
	if n := strings.Count(got, "<script"); n != 1 {
		t.Errorf("%d scripts, want only the page's own", n)
	}
	for _, bad := range []string{"<img src=x", `href="javascript:`} {
		if strings.Contains(got, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	if !strings.Contains(got, "&lt;script src=//evil.example&gt;") {
		t.Error("the name is not shown at all")
	}
	policy := s.ask(http.MethodGet, "localhost", "/").Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("Content-Security-Policy is %s", policy)
	}
}

func TestThePageNeedsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	s := fixed(all())
	for _, path := range []string{"/", "/static/page.css", "/static/page.js", "/static/icon.svg"} {
		w := s.ask(http.MethodGet, "localhost", path)
		body := strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", "")
		body = strings.ReplaceAll(body, "http://127.0.0.1:", "")
		if w.Code != 200 || strings.Contains(body, "http://") || strings.Contains(body, "https://") || strings.Contains(body, "style=") {
			t.Errorf("%s: %d, or it names another host, or a style that the policy forbids", path, w.Code)
		}
	}
}

func TestOnlyThisMachinesNamesAreAnswered(t *testing.T) {
	t.Parallel()
	s := fixed(all())
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "LOCALHOST.": 200, "tidegate.localhost:80": 200,
		"127.0.0.1:8080": 200, "127.1.2.3": 200, "[::1]:8080": 200, "[::1]": 200,
		"evil.example": 403, "evil.example:8080": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example": 403,
		"notlocalhost": 403, "192.168.1.2:8080": 403, "0.0.0.0": 403, "": 403,
	} {
		for _, path := range []string{"/", "/metrics", "/events", "/healthz"} {
			method := http.MethodHead // a stream would not end
			if got := s.ask(method, host, path).Code; got != want {
				t.Errorf("%s at host %q: %d, want %d", path, host, got, want)
			}
		}
	}
}

func TestThePageOnlyLooks(t *testing.T) {
	t.Parallel()
	s := fixed(all())
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		if w := s.ask(method, "localhost", "/"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
	for path, want := range map[string]string{"/healthz": "ok\n", "/metrics": "up 1\n"} {
		if w := s.ask(http.MethodGet, "localhost", path); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/nothing", "/static/../page.go", "/events/more"} {
		if w := s.ask(http.MethodGet, "localhost", path); w.Code == 200 {
			t.Errorf("%s is there", path)
		}
	}
}

// follow returns the events of a stream, each as the HTML that it brings.
func follow(t *testing.T, s *site) <-chan string {
	server := httptest.NewServer(s.handler(http.NotFoundHandler()))
	ctx, leave := context.WithCancel(context.Background())
	t.Cleanup(func() { leave(); server.Close() })
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("content type is %s", got)
	}
	events := make(chan string)
	go func() {
		defer close(events)
		defer res.Body.Close()
		var event strings.Builder
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			line, data := strings.CutPrefix(lines.Text(), "data: ")
			switch {
			case data:
				event.WriteString(line + "\n")
			case line == "" && event.Len() > 0:
				events <- event.String()
				event.Reset()
			}
		}
	}()
	return events
}

func TestTheStreamBringsEachChange(t *testing.T) {
	t.Parallel()
	snapshots, changed := make(chan Snapshot, 1), make(chan bool)
	now := all()
	s := fixed(now)
	s.beat = time.Hour
	s.snapshot = func() Snapshot {
		select {
		case now = <-snapshots:
		default:
		}
		return now
	}
	s.changes = func(ctx context.Context) bool {
		select {
		case goOn := <-changed:
			return goOn
		case <-ctx.Done():
			return false
		}
	}
	events := follow(t, s)
	if first := <-events; !strings.Contains(first, `id="local/here/penguins"`) || !strings.Contains(first, "Step 2 of 4 at 25%") {
		t.Errorf("the first event is %s", first)
	}
	changed <- true // but nothing that shows: no event
	next := all()
	next.Endpoints = next.Endpoints[:1]
	next.Endpoints[0].Record.Step, next.Endpoints[0].Record.Weight = 2, 50
	snapshots <- next
	changed <- true
	if second := <-events; !strings.Contains(second, "Step 3 of 4 at 50%") || strings.Contains(second, "whales") {
		t.Errorf("the second event is %s", second)
	}
	changed <- false // the engine ends
	if last, more := <-events; more {
		t.Errorf("after its end the stream brings %s", last)
	}
}

func TestTheStreamBringsCountsWithoutAChange(t *testing.T) {
	t.Parallel()
	n := uint64(0)
	s := fixed(Snapshot{})
	s.beat = time.Millisecond
	s.snapshot = func() Snapshot {
		n++
		return Snapshot{Endpoints: []Endpoint{{ID: "local/here/a", Stable: Revision{Requests: n}}}}
	}
	events := follow(t, s)
	for range 3 {
		if event := <-events; !strings.Contains(event, `id="local/here/a"`) {
			t.Errorf("event is %s", event)
		}
	}
}

func TestTheStreamPausesBetweenChanges(t *testing.T) {
	t.Parallel()
	s := fixed(Snapshot{})
	s.pause = 20 * time.Millisecond
	s.changes = func(context.Context) bool { return true } // all the time
	looks := 0
	s.snapshot = func() Snapshot { looks++; return Snapshot{Version: strings.Repeat("x", looks)} }
	began := time.Now()
	events := follow(t, s)
	for range 5 {
		<-events
	}
	if took := time.Since(began); took < 4*s.pause {
		t.Errorf("5 events in %s, with pauses of %s", took, s.pause)
	}
}
