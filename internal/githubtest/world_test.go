package githubtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"github.com/google/go-github/v60/github"
)

// A scene is a world with a client, as tests use it.
type scene struct {
	*World
	t *testing.T
}

const repoName = "acme/infra"

// newScene is a world with one repository; what is against the description fails the test when it ends.
func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { s.ServeHTTP(out, r) }))
	t.Cleanup(server.Close)
	w, err := New(t.TempDir(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.World = w
	s.must("repository", object{"full_name": repoName, "files": contents{"main.tf": "a = 1\n", "modules/x/main.tf": "x\n"}})
	t.Cleanup(func() {
		for _, v := range s.taken() {
			t.Errorf("against the description: %+v", v)
		}
	})
	return s
}

func (s *scene) taken() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.violations
	s.violations = nil
	return v
}

// do is a control, as githubhub sends it.
func (s *scene) do(what string, in any) (object, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(b))
	r.SetPathValue("what", what)
	rec := httptest.NewRecorder()
	s.Control(rec, r)
	answer, _ := io.ReadAll(rec.Body)
	if rec.Code != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", what, answer)
	}
	var out object
	_ = json.Unmarshal(answer, &out) // lists are read by their own tests
	return out, nil
}

func (s *scene) must(what string, in any) object {
	s.t.Helper()
	out, err := s.do(what, in)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// push commits one file and returns the sha.
func (s *scene) push(branch, path, text string) string {
	s.t.Helper()
	return s.must("push", object{"repo": repoName, "branch": branch, "message": "Change " + path, "files": contents{path: text}})["SHA"].(string)
}

func (s *scene) open(branch string) int {
	s.t.Helper()
	return int(s.must("open", object{"repo": repoName, "head": branch, "title": "Change " + branch})["Number"].(float64))
}

func (s *scene) token(in object) string {
	s.t.Helper()
	return s.must("token", in)["Secret"].(string)
}

// client is go-github with a token; "": with none.
func (s *scene) client(secret string) *github.Client {
	s.t.Helper()
	c := github.NewClient(nil)
	if secret != "" {
		c = c.WithAuthToken(secret)
	}
	base, err := url.Parse(s.url + "/api/v3/")
	if err != nil {
		s.t.Fatal(err)
	}
	c.BaseURL = base
	return c
}

func (s *scene) workflow() *github.Client { return s.client(s.token(object{"kind": "actions"})) }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
