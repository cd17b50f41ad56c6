package githubtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/bare"
)

func TestTokensMayWhatTheirPermissionsSay(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.must("repository", object{"full_name": "acme/secret", "private": true})
	s.push("change", "b.tf", "b\n")
	s.open("change")
	comment := func(c *github.Client) int {
		_, _, err := c.Issues.CreateComment(t.Context(), "acme", "infra", 1, &github.IssueComment{Body: github.String("x")})
		return status(t, err)
	}
	read := func(c *github.Client, name string) int {
		_, _, err := c.Git.GetRef(t.Context(), "acme", name, "heads/main")
		return status(t, err)
	}
	cases := []struct {
		name                     string
		token                    object
		comment, public, private int
	}{
		{"all", object{"kind": "actions"}, 200, 200, 200},
		{"issues", object{"kind": "actions", "permissions": object{"issues": "write"}}, 200, 200, 403},
		{"pull requests", object{"kind": "app", "permissions": object{"pull_requests": "write", "contents": "read"}}, 200, 200, 200},
		{"read only", object{"kind": "actions", "permissions": object{"pull_requests": "read", "contents": "read"}}, 403, 200, 200},
		{"none", object{"kind": "actions", "permissions": object{}}, 403, 200, 403},
		{"another repository's", object{"kind": "actions", "repos": []string{"acme/secret"}}, 403, 200, 200},
		{"this repository's", object{"kind": "actions", "repos": []string{repoName}}, 200, 200, 404},
	}
	for _, k := range cases {
		c := s.client(s.token(k.token))
		if got := []int{comment(c), read(c, "infra"), read(c, "secret")}; got[0] != k.comment || got[1] != k.public || got[2] != k.private {
			t.Errorf("%s: %v, want %v", k.name, got, []int{k.comment, k.public, k.private})
		}
	}
	nobody := s.client("")
	if got := []int{comment(nobody), read(nobody, "infra"), read(nobody, "secret")}; got[0] != 401 || got[1] != 200 || got[2] != 404 {
		t.Errorf("without a token: %v", got)
	}
	gone := s.token(object{"kind": "actions"})
	s.must("revoke", object{"secret": gone})
	if got := read(s.client(gone), "infra"); got != 401 {
		t.Errorf("a revoked token reads a public repository: %d", got)
	}
	if _, _, err := s.client(s.token(object{"kind": "actions"})).Users.Get(t.Context(), ""); status(t, err) != 403 {
		t.Errorf("a workflow's token is a user: %v", err)
	}
	for _, name := range []string{"", "hubot"} { // oneself, and by name
		if u, _, err := s.client(s.token(object{"kind": "personal", "user": "hubot"})).Users.Get(t.Context(), name); err != nil || u.GetLogin() != "hubot" {
			t.Errorf("%v, %v", u, err)
		}
	}
}

func TestAppGetsATokenByItsKey(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	app := s.must("app", object{"slug": "acme-plans"})
	block, _ := pem.Decode([]byte(app["PrivateKey"].(string)))
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	id := int64(app["ID"].(float64))
	c := s.client(jwt(t, key, id, time.Now().Add(9*time.Minute)))
	self, _, err := c.Apps.Get(t.Context(), "")
	if err != nil || self.GetSlug() != "acme-plans" || self.GetID() != id {
		t.Fatalf("%v, %v", self, err)
	}
	at, _, err := c.Apps.FindRepositoryInstallation(t.Context(), "acme", "infra")
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := c.Apps.CreateInstallationToken(t.Context(), at.GetID(), &github.InstallationTokenOptions{
		Repositories: []string{"infra"}, Permissions: &github.InstallationPermissions{Checks: github.String("write")},
	})
	if err != nil {
		t.Fatal(err)
	}
	k, _, err := s.client(made.GetToken()).Checks.CreateCheckRun(t.Context(), "acme", "infra", github.CreateCheckRunOptions{Name: "plan", HeadSHA: s.push("main", "x", "x")})
	if err != nil || k.GetApp().GetID() != id {
		t.Errorf("%v, %v", k, err)
	}
	if _, _, err := c.Checks.CreateCheckRun(t.Context(), "acme", "infra", github.CreateCheckRunOptions{Name: "plan", HeadSHA: s.push("main", "x", "y")}); status(t, err) != 401 {
		t.Errorf("a check run by the app's JWT: %v", err)
	}
	other, _ := rsa.GenerateKey(rand.Reader, 2048)
	for what, bad := range map[string]string{
		"another key":  jwt(t, other, id, time.Now().Add(time.Minute)),
		"expired":      jwt(t, key, id, time.Now().Add(-time.Minute)),
		"for too long": jwt(t, key, id, time.Now().Add(time.Hour)),
		"another app":  jwt(t, key, id+1, time.Now().Add(time.Minute)),
	} {
		if _, _, err := s.client(bad).Apps.Get(t.Context(), ""); status(t, err) != 401 {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func jwt(t *testing.T, key *rsa.PrivateKey, issuer int64, expires time.Time) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"iat":%d,"exp":%d,"iss":"%d"}`, time.Now().Unix()-5, expires.Unix(), issuer))
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

func TestGitOverHTTPAsksForATokenToo(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.must("repository", object{"full_name": "acme/secret", "private": true})
	git := func(dir, token string, args ...string) error {
		if token != "" {
			basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))
			args = append([]string{"-c", "http.extraHeader=Authorization: Basic " + basic}, args...)
		}
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = append(bare.Env(), "GIT_ASKPASS=/bin/false")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	writer := s.token(object{"kind": "actions", "permissions": object{"contents": "write"}})
	reader := s.token(object{"kind": "actions", "permissions": object{"contents": "read"}})
	dir := t.TempDir()
	if err := git(dir, "", "clone", "-q", s.url+"/acme/secret.git", "no"); err == nil {
		t.Error("a private repository was cloned without a token")
	}
	if err := git(dir, reader, "clone", "-q", s.url+"/acme/secret.git", "yes"); err != nil {
		t.Error(err)
	}
	if err := git(dir, "", "clone", "-q", s.url+"/acme/infra.git", "infra"); err != nil {
		t.Fatal(err)
	}
	infra := filepath.Join(dir, "infra")
	s.push("change", "b.tf", "b\n")
	number := s.open("change")
	large := strings.Repeat("0123456789abcdef\n", 1<<17) // 2 MiB: git sends it in chunks
	if err := os.WriteFile(filepath.Join(infra, "new.tf"), []byte(large), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"fetch", "-q", "origin", "change"}, {"checkout", "-q", "-b", "change", "FETCH_HEAD"}, {"add", "."}, {"-c", "core.compression=0", "commit", "-q", "-m", "New"}} {
		if err := git(infra, "", args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := git(infra, reader, "push", "-q", "origin", "change"); err == nil {
		t.Error("pushed with a token that may read")
	}
	if err := git(infra, writer, "-c", "core.compression=0", "push", "-q", "origin", "change"); err != nil {
		t.Fatal(err)
	}
	p, _, err := s.workflow().PullRequests.Get(t.Context(), "acme", "infra", number)
	if err != nil || p.GetCommits() != 2 {
		t.Errorf("the pull request has %d commits after the push: %v", p.GetCommits(), err)
	}
}

func TestFaultsQuotasAndConditionalRequests(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.push("change", "b.tf", "b\n")
	s.open("change")
	secret := s.token(object{"kind": "actions"})
	c := s.client(secret)
	comment := func() error {
		_, _, err := c.Issues.CreateComment(t.Context(), "acme", "infra", 1, &github.IssueComment{Body: github.String("x")})
		return err
	}
	comments := func() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.find(repoName).pull(1).comments) }

	s.must("fault", Fault{Operation: "issues/*", Skip: 1, Times: 1, Status: 502})
	if first, second, third := status(t, comment()), status(t, comment()), status(t, comment()); first != 200 || second != 502 || third != 200 || comments() != 2 {
		t.Errorf("%d, %d, %d; %d comments", first, second, third, comments())
	}
	s.must("fault", Fault{Operation: "issues/create-comment", Times: 1, Drop: true, Applied: true})
	if err := comment(); err == nil || comments() != 3 {
		t.Errorf("%v; %d comments: want one that the client does not know of", err, comments())
	}
	s.must("fault", Fault{Operation: "pulls/get", Times: 1, Cut: true})
	if _, _, err := c.PullRequests.Get(t.Context(), "acme", "infra", 1); err == nil {
		t.Error("half of an answer was taken for one")
	}
	s.must("fault", Fault{Times: 1, Secondary: true, RetryAfter: 7 * time.Second})
	err := comment()
	limited, ok := err.(*github.AbuseRateLimitError) //nolint:errorlint // as go-github returns it
	if !ok || limited.GetRetryAfter() != 7*time.Second {
		t.Errorf("%v", err)
	}
	s.must("heal", nil)
	c = s.client(secret) // go-github's would wait for what it was told
	get := func(etag string) *http.Response {
		req, _ := c.NewRequest("GET", "repos/acme/infra/pulls/1", nil)
		if etag != "" {
			req.Header.Set("If-None-Match", etag)
		}
		res, err := c.BareDo(t.Context(), req)
		if res == nil {
			t.Fatal(err)
		}
		return res.Response
	}
	s.must("quota", object{"secret": secret, "remaining": 2, "reset_seconds": 60})
	first := get("")
	again := get(first.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified || again.Header.Get("X-RateLimit-Remaining") != "1" {
		t.Errorf("%d, %s left: want 304 for nothing", again.StatusCode, again.Header.Get("X-RateLimit-Remaining"))
	}
	if err := comment(); err != nil {
		t.Error(err)
	}
	if _, ok := comment().(*github.RateLimitError); !ok { //nolint:errorlint // as go-github returns it
		t.Error("the quota is used up, and that was not said")
	}
}
