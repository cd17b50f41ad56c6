package githubtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"strings"
	"time"
)

// An account is a person, a bot or whoever owns repositories.
type account struct {
	id    int64
	login string
	kind  string // "User", "Bot" or "Organization"
}

// account returns the account of a login, which comes into being by being named.
func (w *World) account(login string) *account {
	key := strings.ToLower(login)
	if a := w.accounts[key]; a != nil {
		return a
	}
	a := &account{id: w.id(), login: login, kind: "User"}
	if strings.HasSuffix(login, "[bot]") {
		a.kind = "Bot"
	}
	w.accounts[key] = a
	return a
}

func (a *account) email() string {
	return fmt.Sprintf("%d+%s@users.noreply.github.com", a.id, a.login)
}

// An app is a GitHub App. It is installed on every repository.
type app struct {
	id, installation int64
	slug, name       string
	owner            *account
	bot              *account
	key              *rsa.PrivateKey // nil for GitHub's own
	created          time.Time
}

const (
	actionsSlug = "github-actions"
	actionsID   = 15368
)

// app returns the app of a slug, which comes into being by being named. Its key is made when it is asked for.
func (w *World) app(slug string) *app {
	if a := w.apps[slug]; a != nil {
		return a
	}
	a := &app{id: w.id(), installation: w.id(), slug: slug, name: slug, created: now(),
		owner: w.account("acme"), bot: w.account(slug + "[bot]")}
	if slug == actionsSlug {
		a.id, a.name, a.owner = actionsID, "GitHub Actions", w.account("github")
	}
	w.apps[slug] = a
	return a
}

func (a *app) privateKey() (string, error) {
	if a.key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return "", err
		}
		a.key = key
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a.key)})), nil
}

// A token is what somebody authenticates with.
type token struct {
	secret      string
	kind        string // "actions", "app" or "personal"
	app         *app   // of the first two
	who         *account
	permissions map[string]string // nil: all
	classic     bool              // a personal one that has scopes in place of permissions
	scopes      []string
	repos       map[string]bool // by lower case full name; nil: all
	expires     time.Time
	revoked     bool
	quota       quota
}

const (
	kindActions  = "actions"
	kindApp      = "app"
	kindPersonal = "personal"
)

var prefixes = map[string]string{kindActions: "ghs_", kindApp: "ghs_", kindPersonal: "github_pat_"}

// Kinds of permissions and what they are called, as far as an operation here asks for them.
var permissionNames = map[string]bool{
	"actions": true, "checks": true, "contents": true, "deployments": true, "issues": true, "metadata": true,
	"pull_requests": true, "statuses": true, "administration": true, "environments": true, "secrets": true,
	"workflows": true, "members": true, "actions_variables": true,
	"organization_administration": true,
}

// neverOfWorkflows are permissions that the token of a workflow's job cannot have, whatever the workflow asks for.
var neverOfWorkflows = map[string]bool{
	"administration": true, "environments": true, "secrets": true, "workflows": true, "members": true, "actions_variables": true,
	"organization_administration": true,
}

// newToken makes a token, or says which of its words is none.
func (w *World) newToken(kind, slug, user string, permissions map[string]string, repos []string) (*token, error) {
	for name, level := range permissions {
		if !permissionNames[name] {
			return nil, fmt.Errorf("permission %q is none of GitHub's names (pull_requests, contents, checks, ...)", name)
		}
		if level != "read" && level != "write" {
			return nil, fmt.Errorf("permission %s is %q: want read or write", name, level)
		}
	}
	t := &token{kind: kind, permissions: maps.Clone(permissions), expires: now().Add(time.Hour)}
	switch kind {
	case kindActions:
		t.app = w.app(actionsSlug)
		t.who = t.app.bot
		t.quota = newQuota(1000)
	case kindApp:
		if slug == "" {
			slug = "acme-plans"
		}
		t.app = w.app(slug)
		t.who = t.app.bot
		t.quota = newQuota(5000)
	case kindPersonal:
		if user == "" {
			user = "octocat"
		}
		t.who = w.account(user)
		t.quota = newQuota(5000)
	default:
		return nil, fmt.Errorf("token of kind %q: want actions, app or personal", kind)
	}
	if repos != nil {
		t.repos = map[string]bool{}
		for _, name := range repos {
			if w.find(name) == nil {
				return nil, fmt.Errorf("token for %s, which is no repository", name)
			}
			t.repos[strings.ToLower(name)] = true
		}
	}
	t.secret = prefixes[kind] + secret()
	w.tokens[t.secret] = t
	return t, nil
}

func secret() string {
	b := make([]byte, 18)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// reaches says whether the token has access to a repository at all.
func (t *token) reaches(r *repository) bool {
	return t.repos == nil || t.repos[strings.ToLower(r.fullName())]
}

// may says whether the token has a permission to read or write.
func (t *token) may(permission, level string) bool {
	if t.kind == kindActions && neverOfWorkflows[permission] {
		return false
	}
	if t.permissions == nil || permission == "metadata" && level == "read" {
		return true
	}
	has := t.permissions[permission]
	return has == "write" || has == level
}

// A quota is the primary rate limit of a token.
type quota struct {
	limit, remaining int
	reset            time.Time
}

func newQuota(n int) quota { return quota{n, n, now().Add(time.Hour)} }

// spend takes one request off, and says whether there was one left.
func (q *quota) spend(at time.Time) bool {
	if !at.Before(q.reset) {
		*q = newQuota(q.limit)
	}
	if q.remaining == 0 {
		return false
	}
	q.remaining--
	return true
}
