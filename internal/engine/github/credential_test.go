package github

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubhub"
)

func TestAnAppWritesAsItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.App("acme-plans")
	c := w.client(t, Config{App: &App{ID: fmt.Sprint(app.ID), Installation: app.Installation, PrivateKey: app.PrivateKey}})
	r := repository(t, c, "acme/infra")

	who, err := c.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Identity{Login: "acme-plans[bot]", AppID: app.ID, AppSlug: "acme-plans"}, who); d != "" {
		t.Error(d)
	}
	if run := check(t, r, CheckRun{Name: "plan", Commit: w.pull.HeadSHA}); run.AppID != app.ID {
		t.Errorf("written by app %d, want %d", run.AppID, app.ID)
	}
	first := write(t, r, w.sticky("one"))
	if second := write(t, repository(t, w.client(t, Config{App: &App{ID: fmt.Sprint(app.ID), Installation: app.Installation, PrivateKey: app.PrivateKey}}), "acme/infra"), w.sticky("two")); second.ID != first.ID {
		t.Errorf("another run wrote another comment: %+v", second)
	}
	if n := w.Count()["apps/create-installation-access-token"]; n != 2 {
		t.Errorf("%d tokens were asked for, want one a client", n)
	}
}

func TestAnInstallationsTokenIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	given := 0
	lives := []time.Duration{renewBefore - time.Second, time.Hour} // the first ends soon
	_, r := serve(t, Config{App: &App{ID: "12", Installation: 34, PrivateKey: pemOf(t, rsaKey(t))}}, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost {
			given++
			say(w, 201, map[string]any{"token": fmt.Sprintf("installation-%d", given), "expires_at": time.Now().Add(lives[given-1])})
			return
		}
		if got, want := req.Header.Get("Authorization"), fmt.Sprintf("Bearer installation-%d", given); got != want {
			t.Errorf("asked with %q, want %q", got, want)
		}
		say(w, 200, map[string]any{"number": 1})
	})
	for i, want := range []int{1, 2, 2, 2} {
		if _, err := r.PullRequest(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if given != want {
			t.Errorf("%d tokens after request %d, want %d", given, i+1, want)
		}
	}
}

func rsaKey(t *testing.T) any {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pemOf(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestAWrongKeyOrInstallationSaysWhereToLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	app := w.App("acme-plans")
	id := fmt.Sprint(app.ID)
	for what, c := range map[string]struct {
		app   App
		kind  error
		words []string
	}{
		"key":          {App{ID: id, Installation: app.Installation, PrivateKey: pemOf(t, rsaKey(t))}, ErrToken, []string{"401", "private key", "clock"}},
		"app":          {App{ID: "4711", Installation: app.Installation, PrivateKey: app.PrivateKey}, ErrToken, []string{"App 4711"}},
		"installation": {App{ID: id, Installation: 4711, PrivateKey: app.PrivateKey}, ErrNotFound, []string{"installation 4711", "last part of its page"}},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := repository(t, w.client(t, Config{App: &c.app}), "acme/infra").PullRequest(within(t, time.Minute), 1)
			wantError(t, err, c.kind, append(c.words, "read pull request #1 in acme/infra", "get a token of installation")...)
		})
	}
}

func withoutLine(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(slices.Delete(lines, n, n+1), "\n")
}

func TestKeysThatAreNoneAreRefusedAndNotPrinted(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := pemOf(t, rsaKey(t))
	for why, app := range map[string]App{
		"not PEM":    {ID: "1", Installation: 2, PrivateKey: "c2VjcmV0LWtleS1ieXRlcw=="},
		"line break": {ID: "1", Installation: 2, PrivateKey: strings.ReplaceAll(good, "\n", `\n`)},
		"cut off":    {ID: "1", Installation: 2, PrivateKey: withoutLine(good, 5)},
		"no RSA key": {ID: "1", Installation: 2, PrivateKey: pemOf(t, curve)},
		"number of":  {ID: "1", PrivateKey: good},
		"App's id":   {Installation: 2, PrivateKey: good},
	} {
		_, err := Open(Config{App: &app})
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want %q", err, why)
			continue
		}
		if strings.Contains(err.Error(), "c2VjcmV0") || strings.Contains(err.Error(), "MII") {
			t.Errorf("the key is in %v", err)
		}
	}
}

func TestOpenRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for why, cfg := range map[string]Config{
		"want one of them":    {Token: "x", App: &App{}},
		"is not one":          {APIURL: "github.example.com"},
		`"ftp://example.com"`: {APIURL: "ftp://example.com"},
		"line break":          {Token: "ghs_abc\n"},
		"folder for answers":  {CacheDir: "/dev/null/cache"},
	} {
		_, err := Open(cfg)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want %q", err, why)
		}
		if err != nil && strings.Contains(err.Error(), "ghs_abc") {
			t.Errorf("the token is in %v", err)
		}
	}
	if _, err := Open(Config{APIURL: "https://user:hunter2@example.com"}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want it refused and not printed", err)
	}
}

func TestNamesOfRepositoriesAreChecked(t *testing.T) {
	t.Parallel()
	c, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "infra", "acme/", "/infra", "acme/infra/x", "acme/..", "acme/.", "a b/c", "acme/in?fra", "acme/%2e", "../infra"} {
		if _, err := c.Repository(name); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	for _, name := range []string{"acme/infra", "Acme-1/in.fra_-x", "a/.github", "under_score/x"} {
		if _, err := c.Repository(name); err != nil {
			t.Error(err)
		}
	}
}

func TestAnExpiredTokenSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.open(t, w.token)
	w.Revoke(w.token)
	_, err := r.WriteComment(within(t, time.Minute), w.sticky("x"))
	wantError(t, err, ErrToken, "401", "Bad credentials", "expired", "127.0.0.1")
	_, err = r.CheckRuns(within(t, time.Minute), w.pull.HeadSHA, "x")
	wantError(t, err, ErrToken)
}

func TestWithoutATokenPublicThingsAreReadAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PrivateRepository("acme/secret", githubhub.Files{"a": "b"})
	c := w.client(t, Config{})
	r := repository(t, c, "acme/infra")
	if p, err := r.PullRequest(t.Context(), 1); err != nil || p.Number != 1 {
		t.Fatalf("got %+v, %v", p, err)
	}
	w.ForgetRequests()
	_, err := r.WriteComment(t.Context(), w.sticky("x"))
	wantError(t, err, ErrNoToken, "comment on pull request #1", "GITHUB_TOKEN")
	_, err = r.CreateCheckRun(t.Context(), CheckRun{Name: "x", Commit: w.pull.HeadSHA})
	wantError(t, err, ErrNoToken)
	_, err = r.CreateDeployment(t.Context(), Deployment{Commit: w.pull.HeadSHA})
	wantError(t, err, ErrNoToken)
	wantError(t, r.SetDeploymentStatus(t.Context(), 1, DeploymentStatus{}), ErrNoToken)
	_, err = r.DownloadArtifact(t.Context(), Artifact{ID: 1}, 1)
	wantError(t, err, ErrNoToken)
	_, err = c.Identity(t.Context())
	wantError(t, err, ErrNoToken)
	if n := len(w.Requests()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
	_, err = repository(t, c, "acme/secret").PullRequest(t.Context(), 1)
	wantError(t, err, ErrNotFound, "No token was given", "acme/secret")
}

func TestWhatATokenMayNotSeeIsToldAsSuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PrivateRepository("acme/secret", githubhub.Files{"a": "b"})
	token := w.Token(githubhub.Token{Kind: githubhub.ActionsToken, Repos: []string{"acme/infra"}})
	_, err := repository(t, w.client(t, Config{Token: token}), "acme/secret").PullRequest(t.Context(), 1)
	wantError(t, err, ErrNotFound, "token may not see", `"pull-requests: read"`)
	_, err = w.open(t, token).PullRequest(t.Context(), 4711)
	wantError(t, err, ErrNotFound, "read pull request #4711")
}

func TestTheTokenGoesToTheAPIAndNowhereElse(t *testing.T) {
	t.Parallel()
	var stolen []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		stolen = append(stolen, req.Header.Get("Authorization"))
		say(w, 200, map[string]any{"number": 1})
	}))
	t.Cleanup(other.Close)
	_, r := serve(t, Config{Token: "the-token-itself"}, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer the-token-itself" {
			t.Errorf("the API was asked with %q", req.Header.Get("Authorization"))
		}
		http.Redirect(w, req, other.URL+"/elsewhere", http.StatusFound)
	})
	if _, err := r.PullRequest(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := r.DownloadArtifact(t.Context(), Artifact{ID: 1}, 1000); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"", ""}, stolen); d != "" {
		t.Error(d)
	}
}

func TestNoErrorHoldsATokenOrASignedAddress(t *testing.T) {
	t.Parallel()
	const secret, signature = "ghs_averysecrettoken", "sig=verysigned"
	var store *httptest.Server
	status := 400
	_, r := serve(t, Config{Token: secret}, func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/zip") {
			http.Redirect(w, req, store.URL+"/blob?"+signature, http.StatusFound)
			return
		}
		w.Header().Set("Location", "http://127.0.0.1:1/"+secret+"?"+signature)
		say(w, status, map[string]any{"message": "you sent " + req.Header.Get("Authorization"), "errors": []string{secret}})
	})
	store = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { say(w, 403, message(signature)) }))
	ctx := within(t, time.Minute)
	for _, status = range []int{301, 307, 400, 401, 403, 404, 409, 410, 422, 429, 451, 500, 502} {
		if status == 429 {
			continue // waits
		}
		_, err1 := r.PullRequest(ctx, 1)
		_, err2 := r.WriteComment(ctx, Sticky{Number: 1, Marker: "m", Body: "m"})
		err3 := r.SetDeploymentStatus(ctx, 1, DeploymentStatus{State: Succeeded})
		for _, err := range []error{err1, err2, err3} {
			wantClean(t, err, secret, signature)
		}
	}
	_, err := r.DownloadArtifact(ctx, Artifact{ID: 1}, 1000)
	wantClean(t, err, secret, signature)
	store.Close()
	_, err = r.DownloadArtifact(ctx, Artifact{ID: 1}, 1000)
	wantClean(t, err, secret, signature)
}

func wantClean(t *testing.T, err error, secrets ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	for _, s := range secrets {
		if strings.Contains(fmt.Sprintf("%v %+v %s", err, err, err.Error()), s) {
			t.Errorf("%q is in %v", s, err)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\r\x1b") {
		t.Errorf("%q is not one line", err)
	}
}

func TestGitHubsWordsAreOneLineWithoutControlCharacters(t *testing.T) {
	t.Parallel()
	_, r := serve(t, Config{Token: "test-token"}, func(w http.ResponseWriter, _ *http.Request) {
		say(w, 422, message("no\n::error::pwned\r\n\x1b[31m"+strings.Repeat("x", 1000)))
	})
	_, err := r.PullRequest(t.Context(), 1)
	wantClean(t, err)
	if !strings.Contains(err.Error(), "no ::error::pwned [31mxxx") || len(err.Error()) > 700 {
		t.Errorf("got %d bytes: %v", len(err.Error()), err)
	}
}

func TestTheIdentityOfATokenIsLearntFromWhatItWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client(t, Config{Token: w.token})
	if _, err := c.Identity(t.Context()); !errors.Is(err, ErrUnknownIdentity) || len(w.Requests()) != 0 {
		t.Errorf("got %v after %d requests", err, len(w.Requests()))
	}
	r := repository(t, c, "acme/infra")
	write(t, r, w.sticky("x"))
	if who, err := c.Identity(t.Context()); err != nil || who != (Identity{Login: "github-actions[bot]", AppSlug: "github-actions"}) {
		t.Errorf("after a comment: %+v, %v", who, err)
	}
	check(t, r, CheckRun{Name: "plan", Commit: w.pull.HeadSHA})
	if who, err := c.Identity(t.Context()); err != nil || who.AppID != githubhub.ActionsApp {
		t.Errorf("after a check run: %+v, %v", who, err)
	}
	person := w.client(t, Config{Token: w.Token(githubhub.Token{Kind: githubhub.PersonalToken, User: "hubot"})})
	for range 2 {
		if who, err := person.Identity(t.Context()); err != nil || who != (Identity{Login: "hubot"}) {
			t.Errorf("a person: %+v, %v", who, err)
		}
	}
	if n := w.Count()["users/get-authenticated"]; n != 1 {
		t.Errorf("asked %d times", n)
	}
}
