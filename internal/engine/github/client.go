// Package github speaks with GitHub, or a GitHub Enterprise server, for the Action and for pipelines.
//
// A Client holds what is shared: credentials and one way to the server, which asks conditionally (ETag), slows down at
// rate limits instead of failing (for as long as the context lasts, or 15 minutes where it has no deadline), tries safe
// requests again, and counts them. A Repository has the operations, with
// types of this package; those of go-github do not leave it. Every error is an *Error, which says what was being done
// in which repository, which permission it takes and what to do next; errors.Is tells its kind (ErrNotFound, ...).
// Tokens, keys and signed addresses are in none of them.
//
//	c, err := github.Open(github.Config{Token: token, APIURL: os.Getenv("GITHUB_API_URL"), UserAgent: "tidegate/1.2.3"})
//	repo, err := c.Repository("acme/infra")
//	pulls, err := repo.PullRequestsOf(ctx, sha)
package github

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// Config says where GitHub is and who speaks.
type Config struct {
	// APIURL is GITHUB_API_URL; "" is https://api.github.com.
	APIURL string
	// ServerURL is GITHUB_SERVER_URL, for links; "" is derived from APIURL.
	ServerURL string

	// Token or App is who speaks. With neither only public things can be read, and writing is ErrNoToken.
	Token string
	App   *App

	UserAgent string // "tidegate/1.2.3"
	// CacheDir keeps answers for conditional requests between runs, readable by their owner only; "" keeps them in
	// memory. An answer from it is used only if GitHub says, to this very token, that it is still the same.
	CacheDir string
	// Notice is told what people should know while it happens: a wait for a rate limit, a second comment. May be nil.
	Notice func(text string)
}

// An App authenticates as an installation of a GitHub App.
type App struct {
	ID           string // app id or client id
	Installation int64
	PrivateKey   string // PEM, as GitHub gives it
}

// A Client is one way to a GitHub server, safe for use by many at once.
type Client struct {
	api    *gh.Client
	plain  *http.Client // for signed addresses that are not the API's: without credentials
	app    *gh.Client   // speaks as the App itself; nil without one
	server string       // without a slash at its end
	nobody bool         // no token and no App
	// installation is true for a token that GitHub does not tell whose it is.
	installation bool
	settings
	answers
	redact func(string) string

	mu       sync.Mutex
	who      Identity
	asked    bool                   // GitHub was asked who
	comments map[commentPlace]int64 // that this Client wrote
	noted    map[int64]int          // annotations of check runs, as the last answer said

	reads         *shared // of pipelines
	coming, going named   // environments that a run makes, and those of pipelines that it replaces
	turns         turns   // of those who push
}

// Usage is what a Client has asked of GitHub so far.
type Usage struct {
	Requests    int // that were sent, retries included
	NotModified int // of them, answered by 304: these cost no quota
	Retries     int
	Waited      time.Duration // for rate limits
	Remaining   int           // quota left, as the last answer said; -1 if none did
}

// Open checks the configuration. It asks GitHub nothing.
func Open(cfg Config) (*Client, error) {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.ResponseHeaderTimeout = time.Minute // of a server that took a request and says nothing
	return open(cfg, settings{pause: 500 * time.Millisecond, patience: 15 * time.Minute, fresh: time.Minute}, base)
}

func open(cfg Config, s settings, base http.RoundTripper) (*Client, error) {
	api, server, err := addresses(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Token != "" && cfg.App != nil {
		return nil, errors.New("open GitHub: a token and an App are given; want one of them")
	}
	if strings.ContainsFunc(cfg.Token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, errors.New("open GitHub: the token has a blank, a line break or a character in it that no token has")
	}
	kept, err := openCache(cfg.CacheDir)
	if err != nil {
		return nil, err
	}
	s.meter, s.notice = &meter{usage: Usage{Remaining: -1}}, cfg.Notice
	if s.notice == nil {
		s.notice = func(string) {}
	}
	c := &Client{
		plain: &http.Client{Transport: base}, server: server, settings: s,
		nobody: cfg.Token == "" && cfg.App == nil, installation: cfg.App != nil || strings.HasPrefix(cfg.Token, "ghs_"),
		comments: map[commentPlace]int64{}, noted: map[int64]int{}, reads: newShared(s.fresh),
	}
	speak := func(who credential) *gh.Client {
		out := gh.NewClient(&http.Client{Transport: newTransport(base, api, who, kept, s)})
		out.BaseURL, out.UserAgent = api, cmp.Or(cfg.UserAgent, "tidegate")
		return out
	}
	if cfg.App == nil {
		c.api = speak(tokenCredential(cfg.Token))
		c.redact = func(text string) string { return withhold(text, cfg.Token) }
		return c, nil
	}
	i, err := newInstallation(*cfg.App, speak)
	if err != nil {
		return nil, err
	}
	c.api, c.app, c.redact = speak(i), i.app, i.redact
	return c, nil
}

// withhold takes a secret out of a text. No token is shorter than 8 bytes.
func withhold(text, secret string) string {
	if len(secret) < 8 {
		return text
	}
	return strings.ReplaceAll(text, secret, "***")
}

// Usage says what was asked so far.
func (c *Client) Usage() Usage { return c.meter.read() }

// addresses are those of the API, with a slash at its end, and of the pages, without.
func addresses(cfg Config) (*url.URL, string, error) {
	raw := cfg.APIURL
	if raw == "" {
		raw = "https://api.github.com"
	}
	api, err := url.Parse(strings.TrimRight(raw, "/") + "/")
	if err == nil && api.User != nil {
		return nil, "", fmt.Errorf("open GitHub: the API's address at %s has a name or a password in it: give the token by itself", api.Host)
	}
	if err != nil || api.Host == "" || (api.Scheme != "https" && api.Scheme != "http") {
		return nil, "", fmt.Errorf("open GitHub: the API's address %q is not one: want https://api.github.com or https://HOST/api/v3", raw)
	}
	server := strings.TrimRight(cfg.ServerURL, "/")
	if server == "" {
		server = api.Scheme + "://" + strings.TrimPrefix(api.Host, "api.")
	}
	return api, server, nil
}

// A Repository of a Client.
type Repository struct {
	c           *Client
	owner, name string
}

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]*)/[A-Za-z0-9._-]+$`)

// Repository names one: "owner/name". It asks GitHub nothing.
func (c *Client) Repository(fullName string) (*Repository, error) {
	owner, name, _ := strings.Cut(fullName, "/")
	if !repositoryName.MatchString(fullName) || name == "." || name == ".." {
		return nil, fmt.Errorf("repository %q: want OWNER/NAME, such as acme/infra", fullName)
	}
	return &Repository{c: c, owner: owner, name: name}, nil
}

// String is "owner/name".
func (r *Repository) String() string { return r.owner + "/" + r.name }

// RunURL is the page of a workflow run; attempt 0 is its last.
func (r *Repository) RunURL(run int64, attempt int) string {
	if attempt == 0 {
		return fmt.Sprintf("%s/%s/actions/runs/%d", r.c.server, r, run)
	}
	return fmt.Sprintf("%s/%s/actions/runs/%d/attempts/%d", r.c.server, r, run, attempt)
}

// JobURL is the page of a job, by its numeric id, which is that of its check run too.
func (r *Repository) JobURL(run, job int64) string {
	return fmt.Sprintf("%s/%s/actions/runs/%d/job/%d", r.c.server, r, run, job)
}

// CommitURL is the page of a commit.
func (r *Repository) CommitURL(sha string) string {
	return fmt.Sprintf("%s/%s/commit/%s", r.c.server, r, url.PathEscape(sha))
}

// PullURL is the page of a pull request.
func (r *Repository) PullURL(number int) string {
	return fmt.Sprintf("%s/%s/pull/%d", r.c.server, r, number)
}
