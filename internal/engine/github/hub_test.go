package github

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

// A world is a hub with a repository, a pull request and a client that writes as GitHub Actions.
type world struct {
	*githubhub.Hub
	repo  *githubhub.Repository
	pull  githubhub.Pull
	token string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	hub := githubhub.Start(t)
	repo := hub.Repository("acme/infra", githubhub.Files{"main.tf": "# one\n"})
	repo.Push(githubhub.Commit{Branch: "bigger", Files: githubhub.Files{"main.tf": "# two\n"}})
	return &world{
		Hub: hub, repo: repo, pull: repo.Open(githubhub.NewPull{Head: "bigger", Title: "Make it bigger"}),
		token: hub.Token(githubhub.Token{Kind: githubhub.ActionsToken}),
	}
}

// fast is what tests have no time for.
var fast = settings{pause: time.Millisecond, patience: 30 * time.Second}

// client is a new client, which remembers nothing.
func (w *world) client(t *testing.T, cfg Config) *Client {
	t.Helper()
	cfg.APIURL = w.APIURL
	if cfg.UserAgent == "" {
		cfg.UserAgent = "tidegate/test"
	}
	c, err := open(cfg, fast, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open is the repository as a token sees it.
func (w *world) open(t *testing.T, token string) *Repository {
	t.Helper()
	return repository(t, w.client(t, Config{Token: token}), "acme/infra")
}

func repository(t *testing.T, c *Client, name string) *Repository {
	t.Helper()
	r, err := c.Repository(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// notices collects what people are told.
type notices struct {
	mu   sync.Mutex
	told []string
}

func (n *notices) tell(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = append(n.told, text)
}

func (n *notices) text() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.told, "\n")
}

// short contexts, so that a client that waits for what never comes fails its test.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// wantError checks kind and text of an error.
func wantError(t *testing.T, err, kind error, parts ...string) *Error {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got %v, want an error of kind %q", err, kind)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q:\n%v", part, err)
		}
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	return e
}

// answering is a client of a server that a test wrote down.
func answering(t *testing.T, h http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := open(Config{APIURL: server.URL + "/api/v3", Token: "ghp_0123456789abcdef"}, fast, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
