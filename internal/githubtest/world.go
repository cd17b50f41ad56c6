// Package githubtest is a GitHub for tests: real git repositories behind GitHub's API, every request and answer of which
// is checked against GitHub's own description.
//
// What it has: repositories, forks and smart HTTP; pull requests that are merged as GitHub merges; comments; check runs;
// deployments; workflow runs with artifacts; tokens of persons, apps and workflows with permissions; conditional
// requests, quotas and faults; environments, secrets that it can open, variables, protected branches and rulesets. What it
// is not: it runs no workflows (act does), sends no webhooks (Payload builds what a runner would get), has no GraphQL, and
// takes by git's own push what a branch's rules forbid.
//
// A World is all of it, behind one handler: GitHub Enterprise's paths, so that API, web and git share an address.
// Tests of other modules drive it over HTTP, by package githubhub.
package githubtest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest/description"
)

// A World is a GitHub.
type World struct {
	dir string // of the repositories
	url string // where it is served, without a slash at its end
	api *description.Description
	mux *http.ServeMux

	mu         sync.Mutex // of all below
	last       int64      // id given out
	accounts   map[string]*account
	apps       map[string]*app
	tokens     map[string]*token
	repos      map[string]*repository // by full name in lower case
	faults     []*fault
	meanwhiles []*meanwhile
	log        []Request
	violations []Violation
	downloads  map[string]*artifact // by the secret of a signed address
	teams      []*team
	plan       string // of private repositories
}

// New makes an empty world whose repositories are kept in dir. Its handler is to be served at url.
func New(dir, url string) (*World, error) {
	api, err := description.Load()
	if err != nil {
		return nil, fmt.Errorf("load GitHub's description: %w", err)
	}
	w := &World{
		dir: dir, url: url, api: api, mux: http.NewServeMux(), last: 1000,
		accounts: map[string]*account{}, apps: map[string]*app{}, tokens: map[string]*token{},
		repos: map[string]*repository{}, downloads: map[string]*artifact{}, plan: planFull,
	}
	w.mux.Handle("/api/v3/", http.StripPrefix("/api/v3", http.HandlerFunc(w.serveAPI)))
	w.mux.HandleFunc("PUT /_runner/{owner}/{repo}/runs/{run}/artifacts/{name}", w.serveUpload)
	w.mux.HandleFunc("GET /_runner/{owner}/{repo}/runs/{run}/artifacts/{name}", w.serveRunnerDownload)
	w.mux.HandleFunc("GET /_blob/{secret}", w.serveBlob)
	w.mux.HandleFunc("/{owner}/{repo}/", w.serveGit)
	return w, nil
}

// ServeHTTP serves API, git and the runner's interface.
func (w *World) ServeHTTP(out http.ResponseWriter, r *http.Request) { w.mux.ServeHTTP(out, r) }

// id gives a number out that nothing else has.
func (w *World) id() int64 {
	w.last++
	return w.last
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// A repository with all that belongs to it.
type repository struct {
	id        int64
	owner     *account
	name      string
	private   bool
	branch    string // the default one
	parent    *repository
	created   time.Time
	pushed    time.Time
	git       gitRepository
	protected map[string]*protection // by branch
	roles     map[string]string      // of accounts, by lower case login; see role
	archived  bool
	release   string // the tag of the latest one
	gone      bool   // it was deleted

	environments []*environment
	rulesets     []*ruleset // an organisation's too
	secrets      secrets
	variables    values

	number      int // the last of pulls
	pulls       []*pull
	checks      []*checkRun
	suites      map[string]int64 // by app and commit
	deployments []*deployment
	runs        []*run
	workflowIDs map[string]int64 // by the path of the file
	subject     subject
	artifacts   []*artifact
}

func (r *repository) fullName() string { return r.owner.login + "/" + r.name }

// find returns a repository by its full name, nil if there is none.
func (w *World) find(fullName string) *repository { return w.repos[strings.ToLower(fullName)] }

// add puts a new repository into the world.
func (w *World) add(fullName string, private bool) (*repository, error) {
	owner, name, ok := strings.Cut(fullName, "/")
	if !ok || owner == "" || name == "" || strings.ContainsAny(fullName, " \\:\x00") || strings.Contains(fullName, "..") ||
		strings.Contains(name, "/") || strings.HasPrefix(owner, "_") || owner == "api" {
		return nil, fmt.Errorf("repository %q: want OWNER/NAME", fullName)
	}
	if w.find(fullName) != nil {
		return nil, fmt.Errorf("repository %s is there already", fullName)
	}
	r := &repository{
		id: w.id(), owner: w.account(owner), name: name, private: private, branch: "main", created: now(), pushed: now(),
		protected: map[string]*protection{}, roles: map[string]string{}, suites: map[string]int64{},
		secrets: newSecrets(w.id()), variables: values{}, workflowIDs: map[string]int64{},
	}
	r.git.Dir = filepath.Join(w.dir, strings.ToLower(owner), strings.ToLower(name)+".git")
	w.repos[strings.ToLower(fullName)] = r
	return r, nil
}
