package github

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestAskingAgainCostsNoQuotaWhileNothingChanged(t *testing.T) {
	t.Parallel()
	for what, dir := range map[string]string{"in memory": "", "in a folder": t.TempDir()} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.client(t, Config{Token: w.token, CacheDir: dir})
			read := func() PullRequest {
				t.Helper()
				p, err := repository(t, c, "acme/infra").PullRequest(t.Context(), 1)
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			first := read()
			left := w.Quota(w.token)
			if dir != "" { // another run
				c = w.client(t, Config{Token: w.token, CacheDir: dir})
			}
			if again := read(); again != first || w.Quota(w.token) != left || c.Usage().NotModified != 1 {
				t.Errorf("got %+v, quota %d of %d, usage %+v", again, w.Quota(w.token), left, c.Usage())
			}
			w.repo.Retitle(1, "Make it smaller")
			if changed := read(); changed.Title != "Make it smaller" {
				t.Errorf("got %q after it changed", changed.Title)
			}
		})
	}
}

func TestWhatIsKeptIsForTokensThatMaySeeItNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := w.PrivateRepository("acme/secret", githubhub.Files{"a": "b"})
	secret.Push(githubhub.Commit{Branch: "x", Files: githubhub.Files{"a": "c"}})
	secret.Open(githubhub.NewPull{Head: "x"})
	dir := filepath.Join(t.TempDir(), "cache")
	if _, err := repository(t, w.client(t, Config{Token: w.token, CacheDir: dir}), "acme/secret").PullRequest(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is kept: %v", err)
	}
	for _, path := range append(files, dir) {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v: others can read it", path, info.Mode(), err)
		}
		if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), w.token) {
			t.Errorf("the token is in %s", path)
		}
	}
	other := w.Token(githubhub.Token{Kind: githubhub.ActionsToken, Repos: []string{"acme/infra"}})
	_, err = repository(t, w.client(t, Config{Token: other, CacheDir: dir}), "acme/secret").PullRequest(t.Context(), 1)
	wantError(t, err, ErrNotFound)
}

func TestADamagedFolderCostsARequestAndNoMore(t *testing.T) {
	t.Parallel()
	for what, damage := range map[string]func(path string) error{
		"cut":    func(path string) error { return os.Truncate(path, 20) },
		"empty":  func(path string) error { return os.Truncate(path, 0) },
		"null":   func(path string) error { return os.WriteFile(path, []byte("null"), 0o600) },
		"folder": func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".gone") },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "cache")
			cfg := Config{Token: "test-token", CacheDir: dir}
			answer := func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("ETag", `"1"`)
				if req.Header.Get("If-None-Match") != "" {
					t.Error("it asked by what was damaged")
				}
				say(w, 200, map[string]any{"number": 1})
			}
			_, r := serve(t, cfg, answer)
			if _, err := r.PullRequest(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.json"))
			if err != nil || len(files) != 1 {
				t.Fatalf("%v, %v", files, err)
			}
			if err := damage(files[0]); err != nil {
				t.Fatal(err)
			}
			// The same address, and a client that remembers nothing.
			fresh, err := open(Config{APIURL: r.c.api.BaseURL.String(), Token: "test-token", CacheDir: dir}, fast, http.DefaultTransport)
			if err != nil {
				t.Fatal(err)
			}
			if what == "folder" {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := repository(t, fresh, "acme/infra").PullRequest(t.Context(), 1); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOldAnswersAreThrownOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, young := filepath.Join(dir, "old.json"), filepath.Join(dir, "young.json")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now().Add(-staleAfter - time.Hour)
	if err := os.Chtimes(old, at, at); err != nil {
		t.Fatal(err)
	}
	if _, err := openCache(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old one: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young one: %v", err)
	}
}

func TestMemoryHasAnEnd(t *testing.T) {
	t.Parallel()
	c, err := openCache("")
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, cachedLimit)
	for i := range 2 * memoryLimit / cachedLimit {
		c.put(string(rune('a'+i)), kept200{ETag: "x", Body: body})
	}
	c.put("longer", kept200{ETag: "x", Body: make([]byte, cachedLimit+1)})
	sum := 0
	for _, k := range c.kept {
		sum += len(k.Body)
	}
	if sum > memoryLimit || sum != c.bytes || sum < memoryLimit/2 {
		t.Errorf("%d bytes are kept, %d counted, want at most %d", sum, c.bytes, memoryLimit)
	}
	if _, ok := c.get("longer"); ok {
		t.Error("one that is too long is kept")
	}
}

func TestPagesOfAListAreRememberedWithTheirLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open(t, w.token)
	for range 101 {
		check(t, r, CheckRun{Name: "plan", Commit: w.pull.HeadSHA, Conclusion: Success})
	}
	for range 2 {
		runs, err := r.CheckRuns(t.Context(), w.pull.HeadSHA, "plan")
		if err != nil || len(runs) != 101 {
			t.Fatalf("%d check runs, %v", len(runs), err)
		}
	}
	if n := r.c.Usage().NotModified; n != 2 {
		t.Errorf("%d pages were not modified, want 2", n)
	}
}
