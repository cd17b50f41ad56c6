package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
)

// socket is a client of the bare API.
func (l *lab) socket() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(l.data, "engine.sock"))
	}}}
}

// postAndVanish sends a create whose client dies without a word when ctx ends.
func (l *lab) postAndVanish(ctx context.Context, s endpoint.Spec) error {
	b, err := json.Marshal(map[string]any{"spec": s, "owner": "first", "call": "1"})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine/v1/endpoints/"+s.Cluster+"/"+s.Name, bytes.NewReader(b))
	if err != nil {
		return err
	}
	resp, err := l.socket().Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func TestNonsenseIsRefusedAndSurvived(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.created("penguins")
	deep := strings.Repeat("[", 100_000)
	for _, c := range []struct {
		method, path, body string
		code               int
	}{
		{"GET", "/", "", 400},
		{"GET", "/v2/version", "", 400},
		{"PATCH", "/v1/clusters/here", "", 400},
		{"PUT", "/v1/clusters/here", "", 400},
		{"PUT", "/v1/clusters/here", "null", 400},
		{"PUT", "/v1/clusters/here", `{"name":"there"}`, 400},
		{"PUT", "/v1/clusters/here", `{"name":"here","colour":"red"}`, 400},
		{"PUT", "/v1/clusters/here", `{"name":"here"} {}`, 400},
		{"PUT", "/v1/clusters/..", `{"name":".."}`, 400},
		{"PUT", "/v1/clusters/a%2Fb", `{"name":"a/b"}`, 400},
		{"GET", "/v1/clusters/nowhere", "", 404},
		{"POST", "/v1/endpoints/here/x", deep, 400},
		{"POST", "/v1/endpoints/here/x", `{"spec":{"cluster":"here","name":"x"},"owner":"o","call":"c"}`, 400},
		{"POST", "/v1/endpoints/here/penguins", strings.Repeat(" ", 9<<20) + "{}", 400},
		{"GET", "/v1/endpoints/here/%2e%2e", "", 404},
		{"GET", "/v1/endpoints/a%2Fb/c", "", 400},
		{"PUT", "/v1/endpoints/here/penguins/record", `{"record":{},"version":"1"}`, 409},
		{"PUT", "/v1/endpoints/here/penguins/record", `{"record":[]}`, 400},
		{"POST", "/v1/endpoints/here/penguins/count", `{"cursor":"nonsense"}`, 400},
		{"GET", "/v1/endpoints/here/penguins/changes?after=nonsense", "", 200},
		{"DELETE", "/v1/endpoints/here/nobody", "", 204},
	} {
		req, err := http.NewRequest(c.method, "http://engine"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := l.socket().Do(req)
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
			continue
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != c.code {
			t.Errorf("%s %s: %s %s, %v: want %d", c.method, c.path, resp.Status, b, err, c.code)
		}
		var said struct{ Error string }
		if c.code >= 400 && (json.Unmarshal(b, &said) != nil || said.Error == "") {
			t.Errorf("%s %s: %s: want a sentence", c.method, c.path, b)
		}
	}
	if got, err := l.endpoints().Get(l.ctx(), id, true); err != nil || !got.Ready {
		t.Errorf("%+v, %v", got, err)
	}
}
