package githubtest

import (
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Names of fields in what GitHub once sent, of the npm packages @octokit/webhooks-examples 7.6.1 (those that all recorded
// payloads of an event have) and @octokit/fixtures 23.1.2, both MIT.
//
//go:embed testdata/recorded.txt
var recorded string

// otherwise says what recorded answers have and these do not: owners here are no organisations, what a token may is not
// told, and two fields are closing down.
func otherwise(field string) bool {
	first, _, _ := strings.Cut(field, ".")
	return first == "organization" || first == "permissions" || field == "temp_clone_token" || field == "use_squash_pr_title_as_default"
}

// fields collects the names in a JSON value, by their paths.
func fields(at string, v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			path := strings.TrimPrefix(at+"."+name, ".")
			into[path] = true
			fields(path, x, into)
		}
	case []any:
		if len(v) > 0 {
			fields(at+"[]", v[0], into)
		}
	}
}

func TestAnswersAndPayloadsHaveTheFieldsOfRecordedOnes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.push("change", "b.tf", "b\n")
	number := s.open("change")
	token := s.token(object{"kind": "personal"})
	api := func(method, path, body string) any {
		req, err := http.NewRequestWithContext(t.Context(), method, s.url+"/api/v3"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "token "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	payload := func(name string) any {
		return s.must("payload", object{"repo": repoName, "name": name, "number": number, "inputs": object{"a": "b"}})
	}
	ours := map[string]any{
		"payload pull_request": payload("pull_request"), "payload push": payload("push"),
		"payload workflow_dispatch": payload("workflow_dispatch"), "repos/get": api("GET", "/repos/acme/infra", ""),
		"repos/get-content":                    api("GET", "/repos/acme/infra/contents/", ""),
		"repos/create-or-update-file-contents": api("PUT", "/repos/acme/infra/contents/new", `{"message": "m", "content": "eA=="}`),
		"error 422":                            api("POST", "/repos/acme/infra/issues/1/comments", `{"body": ""}`),
	}
	for section := range strings.SplitSeq(strings.TrimPrefix(recorded, "# "), "\n# ") {
		name, list, _ := strings.Cut(section, "\n")
		if ours[name] == nil {
			t.Errorf("nothing to compare %s with", name)
			continue
		}
		have := map[string]bool{}
		fields("", ours[name], have)
		for field := range strings.FieldsSeq(list) {
			if !have[field] && !otherwise(field) {
				t.Errorf("%s: no %s", name, field)
			}
		}
	}
}
