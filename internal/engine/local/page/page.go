// Package page is the engine's page: what every endpoint serves, and how far its rollout is.
//
// It is read-only and needs nothing from elsewhere: one template, a style sheet, a script of
// a few lines that a stream of events keeps up to date, and no page at all that is not this
// machine's own. Without the script it is a page that one reloads.
package page

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A Snapshot is the engine at one moment.
type Snapshot struct {
	Version   string // of the engine
	DataDir   string
	Endpoints []Endpoint
}

// An Endpoint is one of the engine's, with its present or last rollout.
type Endpoint struct {
	ID      string // "local/CLUSTER/NAME"
	URL     string
	Ready   bool
	Problem string // why not, in a sentence

	Stable, Candidate Revision // Candidate is zero where there is none
	Weight            int      // the candidate's percent

	Record                  rollout.Record // zero: there was no rollout
	Rejected                []endpoint.Rejection
	Previous                *endpoint.Previous // nil: none is kept
	ReplicasReady, Replicas int                // of the stable revision
}

// A Revision is what an arm runs, and what it answered since the engine began.
type Revision struct {
	Digest, Model string // "sha256:..."
	Requests, Bad uint64
}

//go:embed page.html
var source string

//go:embed static
var static embed.FS

var page = template.Must(template.New("page").Parse(source))

// A site is the page with what it shows.
type site struct {
	snapshot func() Snapshot
	changes  func(ctx context.Context) bool
	zone     *time.Location
	pause    time.Duration // between two events, at least
	beat     time.Duration // between two looks at the counts
}

// New returns the engine's page and its event stream, /metrics and /healthz. changes blocks
// until something else than a count changed, and returns false when ctx ended; returning
// false before that tells every stream to end.
func New(snapshot func() Snapshot, changes func(ctx context.Context) bool, metrics http.Handler) http.Handler {
	s := &site{snapshot: snapshot, changes: changes, zone: time.Local, pause: 500 * time.Millisecond, beat: time.Second}
	return s.handler(metrics)
}

func (s *site) handler(metrics http.Handler) http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", s.page)
	mux.HandleFunc("/events", s.events)
	mux.Handle("/static/", http.StripPrefix("/static/", http.FileServerFS(files)))
	mux.Handle("/metrics", metrics)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("ok\n")) //nolint:errcheck // whoever asked has left, then
	})
	return guard(mux)
}

// policy lets the page load its own files and talk to its own engine, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard refuses what does not come to look, and what does not come from this machine: a
// foreign site may give its own name our address, and read us with its visitors' browsers.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if !loopback(r.Host) {
			http.Error(w, "This page answers only to this machine's own names, such as localhost and 127.0.0.1.", http.StatusForbidden)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "This page is read-only: use GET or HEAD.", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback reports whether a Host header names this machine and nothing else.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

func (s *site) page(w http.ResponseWriter, _ *http.Request) {
	body, err := s.render("page")
	if err != nil {
		http.Error(w, "The page cannot be made; the engine's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(body) //nolint:errcheck // whoever asked has left, then
}

// render makes the page, or the part of it that changes ("engine").
func (s *site) render(name string) ([]byte, error) {
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, name, view(s.snapshot(), s.zone)); err != nil {
		slog.Error("the page cannot be made", "part", name, "error", err)
		return nil, err
	}
	return b.Bytes(), nil
}
