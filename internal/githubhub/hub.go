// Package githubhub gives a test a GitHub of its own, and runs workflows against it.
//
// The server is the program internal/githubtest/cmd/github, a Go module of its own since the check of every request
// and answer against GitHub's description is heavy. This package, of the standard library only, builds it once,
// starts it once for all tests of a package, and speaks its control API over HTTP. Every hub is a world of its own:
// its own address, accounts, repositories, tokens, faults and log.
//
//	hub := githubhub.Start(t)
//	repo := hub.Repository("acme/infra", githubhub.Files{"main.tf": "..."})
//	repo.Push(githubhub.Commit{Branch: "bigger", Files: githubhub.Files{"main.tf": "..."}})
//	pull := repo.Open(githubhub.NewPull{Head: "bigger", Title: "Make it bigger"})
//	token := hub.Token(githubhub.Token{Kind: githubhub.ActionsToken, Permissions: githubhub.Permissions{"pull_requests": "write"}})
//	... a client with hub.APIURL and token ...
//	sha := repo.Merge(pull.Number, githubhub.Squash)
//
// What it has besides: environments with secrets that a test can read (Secrets), variables, plans that drop protections
// (SetPlan), protected branches (Protect) and rulesets (AddRuleset) that refuse pushes and merges, teams, people and their
// roles, tags, tokens with permissions or scopes, outages that start in the middle (Fail) and commits that somebody else
// pushes in between (PushBefore).
//
// A request that GitHub's description does not know, or an answer of the server that it forbids, fails the test when
// it ends; a test that sends such on purpose says so by TakeViolations.
package githubhub

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// A Hub is a GitHub that a test has for itself.
type Hub struct {
	// ServerURL is GITHUB_SERVER_URL, without a slash at its end: "http://127.0.0.1:PORT".
	ServerURL string
	// APIURL is GITHUB_API_URL, as GitHub Enterprise has it: ServerURL + "/api/v3".
	APIURL string

	t       testing.TB
	program program
	control string // where this world is told what to do
}

// Files are contents by path, with slashes. They may be any bytes: in JSON, which would change what is no UTF-8, they are
// Base64.
type Files map[string]string

// MarshalJSON is for the control API.
func (f Files) MarshalJSON() ([]byte, error) {
	contents := map[string][]byte{}
	for path, text := range f {
		contents[path] = []byte(text)
	}
	return json.Marshal(contents)
}

// UnmarshalJSON is for the control API.
func (f *Files) UnmarshalJSON(b []byte) error {
	var contents map[string][]byte
	if err := json.Unmarshal(b, &contents); err != nil {
		return err
	}
	*f = Files{}
	for path, text := range contents {
		(*f)[path] = string(text)
	}
	return nil
}

// Start gives the test a hub, which ends with the test. It skips the test if what the server is built of can not be
// fetched, and for nothing else.
func Start(t testing.TB) *Hub {
	t.Helper()
	p := start(t)
	dir := t.TempDir() // before the cleanup below, so that it is removed after it
	h := &Hub{t: t, program: p, control: p.control}
	var world struct{ ID, URL string }
	h.call("worlds", map[string]string{"dir": dir}, &world)
	h.ServerURL, h.APIURL = world.URL, world.URL+"/api/v3"
	h.control = p.control + "/worlds/" + world.ID
	t.Cleanup(func() {
		for _, v := range h.TakeViolations() {
			t.Errorf("against GitHub's description: %s", v)
		}
		h.call("close", nil, nil)
	})
	return h
}

// For is the same hub for a subtest: what fails, fails that one.
func (h *Hub) For(t testing.TB) *Hub {
	other := *h
	other.t = t
	return &other
}

// call has the server do something. What goes wrong fails the test.
func (h *Hub) call(what string, in, out any) {
	h.t.Helper()
	if err := h.try(what, in, out); err != nil {
		h.t.Fatalf("the GitHub of this test: %s: %v", what, err)
	}
}

// try is call for what is allowed to fail.
func (h *Hub) try(what string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.control+"/"+what, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", bytes.TrimSpace(answer))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
