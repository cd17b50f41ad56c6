package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/classifier"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/protocol"
)

func open(t testing.TB, file string) *server {
	t.Helper()
	m, err := classifier.Read(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return newServer("penguins", m)
}

// call makes a request and checks that the answer is JSON, and names an error where it is one.
func call(t testing.TB, s *server, method, path, body string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
	text := recorder.Body.String()
	var answer map[string]any
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%s %s %s answers %q: %v", method, path, body, text, err)
	}
	if _, ok := answer["error"].(string); ok != (recorder.Code >= 400) {
		t.Errorf("%s %s %s answers %d with %s", method, path, body, recorder.Code, text)
	}
	if got := recorder.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("%s %s has content type %q", method, path, got)
	}
	if got := recorder.Header().Get(versionHeader); got != s.model.Version {
		t.Errorf("%s %s says version %q, want %q", method, path, got, s.model.Version)
	}
	return recorder.Code, text
}

func TestPathsAnswerAsTheProtocolSays(t *testing.T) {
	s := open(t, "v2.json")
	for _, tt := range []struct {
		method, path string
		status       int
		holds        string
	}{
		{"GET", "/v2", 200, `"name":"penguin-server"`},
		{"GET", "/v2/health/live", 200, `"live":true`},
		{"GET", "/v2/health/ready", 200, `"ready":true`},
		{"GET", "/v2/models/penguins", 200, `{"name":"sex","shape":[-1],"datatype":"BYTES"}`},
		{"GET", "/v2/models/penguins/versions/2", 200, `{"name":"probabilities","shape":[-1,3],"datatype":"FP64"}`},
		{"GET", "/v2/models/penguins/ready", 200, `"ready":true`},
		{"GET", "/v2/models/penguins/versions/2/ready", 200, `"ready":true`},
		{"GET", "/v2/models/walruses", 404, `want \"penguins\"`},
		{"GET", "/v2/models/walruses/ready", 404, `want \"penguins\"`},
		{"GET", "/v2/models/penguins/versions/9/ready", 404, `want \"2\"`},
		{"POST", "/v2/models/walruses/infer", 404, `want \"penguins\"`},
		{"POST", "/v2/health/live", 405, `want GET`},
		{"GET", "/v2/models/penguins/infer", 405, `want POST`},
		{"DELETE", "/v2/models/penguins", 405, `want GET`},
		{"GET", "/", 404, `no such path`},
		{"GET", "/v1/models/penguins", 404, `no such path`},
		{"POST", "/v2/models/penguins/infer/now", 404, `no such path`},
	} {
		status, text := call(t, s, tt.method, tt.path, "")
		if status != tt.status || !strings.Contains(text, tt.holds) {
			t.Errorf("%s %s answers %d %s, want %d with %s", tt.method, tt.path, status, text, tt.status, tt.holds)
		}
	}
}

// gentoo is a complete request; with replaces a part of it.
const gentoo = `{"id": "a1", "inputs": [
	{"name": "bill_length_mm", "shape": [1], "datatype": "FP64", "data": [46.1]},
	{"name": "bill_depth_mm", "shape": [1], "datatype": "FP64", "data": [13.2]},
	{"name": "flipper_length_mm", "shape": [1, 1], "datatype": "FP64", "data": [211]},
	{"name": "body_mass_g", "shape": [1], "datatype": "FP64", "data": [4500]},
	{"name": "island", "shape": [1], "datatype": "BYTES", "data": ["Biscoe"]},
	{"name": "sex", "shape": [1], "datatype": "BYTES", "data": ["female"]}]}`

func with(t testing.TB, old, replacement string) string {
	t.Helper()
	if !strings.Contains(gentoo, old) {
		t.Fatalf("the request does not hold %q", old)
	}
	return strings.Replace(gentoo, old, replacement, 1)
}

func TestInferRefusesNonsenseWithA4xxThatNamesIt(t *testing.T) {
	s := open(t, "v2.json")
	for name, tt := range map[string]struct {
		body   string
		status int
		holds  string
	}{
		"complete":          {gentoo, 200, `"id":"a1"`},
		"missing sex":       {with(t, `["female"]`, `[null]`), 200, `"data":["Gentoo"]`},
		"missing mass":      {with(t, `[4500]`, `[null]`), 200, `"data":["Gentoo"]`},
		"one output":        {with(t, `"id"`, `"outputs": [{"name": "species"}], "id"`), 200, `"outputs":[{"name":"species"`},
		"parameters":        {with(t, `"id"`, `"parameters": {"a": 1}, "id"`), 200, `Gentoo`},
		"nothing":           {``, 400, `no inference request`},
		"no JSON":           {`penguin`, 400, `no inference request`},
		"half":              {gentoo[:100], 400, `no inference request`},
		"two bodies":        {gentoo + gentoo, 400, `no inference request`},
		"null":              {`null`, 400, `no inputs`},
		"a list":            {`[]`, 400, `no inference request`},
		"a number":          {`17`, 400, `no inference request`},
		"empty":             {`{}`, 400, `no inputs`},
		"empty inputs":      {`{"inputs": []}`, 400, `no inputs`},
		"null input":        {`{"inputs": [null]}`, 400, `shape []`},
		"inputs an object":  {`{"inputs": {}}`, 400, `no inference request`},
		"left out":          {`{"inputs": [{"name": "sex", "shape": [1], "datatype": "BYTES", "data": ["male"]}]}`, 400, `no input \"bill_length_mm\"`},
		"unknown input":     {with(t, `"name": "sex"`, `"name": "age"`), 400, `\"age\"`},
		"twice":             {with(t, `"name": "bill_depth_mm"`, `"name": "bill_length_mm"`), 400, `twice`},
		"no shape":          {with(t, `"shape": [1], `, ``), 400, `shape []`},
		"deep shape":        {with(t, `"shape": [1, 1]`, `"shape": [1, 1, 1]`), 400, `shape [1 1 1]`},
		"negative shape":    {with(t, `"shape": [1]`, `"shape": [-1]`), 400, `-1 rows`},
		"zero shape":        {with(t, `"shape": [1]`, `"shape": [0]`), 400, `0 rows`},
		"huge shape":        {with(t, `"shape": [1]`, `"shape": [1000000000000]`), 400, `want 1 to 1000`},
		"overflowing shape": {with(t, `"shape": [1]`, `"shape": [1e300]`), 400, `no inference request`},
		"unequal shapes":    {with(t, `"shape": [1, 1]`, `"shape": [2, 1]`), 400, `want as many`},
		"short data":        {with(t, `[46.1]`, `[]`), 400, `0 values`},
		"long data":         {with(t, `[46.1]`, `[46.1, 3]`), 400, `2 values`},
		"nested data":       {with(t, `[46.1]`, `[[46.1]]`), 400, `flat array`},
		"no data":           {with(t, `, "data": [46.1]`, ``), 400, `flat array`},
		"null data":         {with(t, `[46.1]`, `null`), 400, `0 values`},
		"text for a number": {with(t, `[46.1]`, `["46.1"]`), 400, `flat array`},
		"number for text":   {with(t, `["female"]`, `[1]`), 400, `flat array`},
		"wrong datatype":    {with(t, `"FP64"`, `"INT64"`), 400, `want \"FP64\"`},
		"unknown word":      {with(t, `["female"]`, `["both"]`), 400, `want one of`},
		"unknown island":    {with(t, `["Biscoe"]`, `["Capri"]`), 400, `want one of`},
		"huge number":       {with(t, `[46.1]`, `[1e308]`), 400, `no measurement`},
		"beyond a float":    {with(t, `[46.1]`, `[1e999]`), 400, `flat array`},
		"unknown output":    {with(t, `"id"`, `"outputs": [{"name": "age"}], "id"`), 400, `no output`},
		"too large":         {with(t, `"a1"`, `"`+strings.Repeat("a", maxBody)+`"`), 413, `bytes`},
	} {
		status, text := call(t, s, "POST", "/v2/models/penguins/infer", tt.body)
		if status != tt.status || !strings.Contains(text, tt.holds) {
			t.Errorf("%s answers %d %s, want %d with %s", name, status, text, tt.status, tt.holds)
		}
	}
}

func TestInferAnswersForManyBirdsAtOnce(t *testing.T) {
	s := open(t, "v2.json")
	rows, err := data.Load()
	if err != nil {
		t.Fatal(err)
	}
	birds := make([]data.Bird, len(rows))
	for i, row := range rows {
		birds[i] = row.Bird
	}
	inputs, err := protocol.Tensors(birds)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(protocol.Request{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	status, text := call(t, s, "POST", "/v2/models/penguins/versions/2/infer", string(body))
	var response protocol.Response
	if err := json.Unmarshal([]byte(text), &response); err != nil || status != 200 {
		t.Fatalf("got %d %s, %v", status, text, err)
	}
	var species []string
	if err := json.Unmarshal(response.Outputs[0].Data, &species); err != nil || len(species) != len(rows) {
		t.Fatalf("got %d species, %v, want %d", len(species), err, len(rows))
	}
	right := 0
	for i := range rows {
		if species[i] == rows[i].Species {
			right++
		}
	}
	if response.ModelVersion != "2" || right < 338 {
		t.Errorf("version %s was right about %d of %d, want version 2 and at least 338", response.ModelVersion, right, len(rows))
	}
}

func TestVersionThreeAnswers500ForAnIncompleteBirdOnly(t *testing.T) {
	s := open(t, "v3.json")
	if status, text := call(t, s, "POST", "/v2/models/penguins/infer", gentoo); status != 200 {
		t.Errorf("a complete bird gets %d %s", status, text)
	}
	for _, body := range []string{with(t, `["female"]`, `[null]`), with(t, `[4500]`, `[null]`)} {
		status, text := call(t, s, "POST", "/v2/models/penguins/infer", body)
		if status != 500 || !strings.Contains(text, "model version 3 has nothing to put in its place") {
			t.Errorf("an incomplete bird gets %d %s, want 500 with the reason", status, text)
		}
	}
}

func TestTheServerFinishesWhatItBeganWhenItIsStopped(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	addr := free(t)
	done := make(chan error, 1)
	go func() { done <- run(ctx, addr, filepath.Join("testdata", "v2.json"), "penguins") }()
	waitReady(t, addr)

	// A request whose body comes only after the server was told to stop. That it asks for the body shows that the
	// request is in its hands: a connection that it has not accepted yet would be refused instead.
	body, rest := io.Pipe()
	answered, asked := make(chan int, 1), make(chan struct{})
	traced := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(asked) }})
	request, err := http.NewRequestWithContext(traced, http.MethodPost, "http://"+addr+"/v2/models/penguins/infer", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Expect", "100-continue")
	go func() {
		client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
		response, err := client.Do(request)
		if err != nil {
			answered <- 0
			return
		}
		defer response.Body.Close()
		answered <- response.StatusCode
	}()
	<-asked
	stop()
	if _, err := rest.Write([]byte(gentoo)); err != nil {
		t.Fatal(err)
	}
	rest.Close()
	if status := <-answered; status != 200 {
		t.Errorf("the request in flight got %d, want 200", status)
	}
	if err := <-done; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := filepath.Join(t.TempDir(), "model.json")
	if err := os.WriteFile(broken, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join("testdata", "v2.json")
	for _, tt := range []struct{ addr, path, holds string }{
		{"127.0.0.1:0", "", "MODEL_PATH"},
		{"127.0.0.1:0", "nowhere.json", "nowhere.json"},
		{"127.0.0.1:0", broken, "want a version"},
		{taken.Addr().String(), good, "listen on " + taken.Addr().String()},
		{"127.0.0.1:penguin", good, "listen on 127.0.0.1:penguin"},
	} {
		err := run(context.Background(), tt.addr, tt.path, "penguins")
		if err == nil || !strings.Contains(err.Error(), tt.holds) {
			t.Errorf("run on %s with %q: got %v, want an error with %q", tt.addr, tt.path, err, tt.holds)
		}
	}
}

func FuzzInferNeverPanicsNorBlamesItself(f *testing.F) {
	s := open(f, "v2.json")
	f.Add([]byte(gentoo))
	f.Add([]byte(`{"inputs":[{"name":"sex","shape":[2],"datatype":"BYTES","data":[null,"male"]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/v2/models/penguins/infer", bytes.NewReader(body)))
		if recorder.Code >= 500 {
			t.Errorf("%q answers %d %s", body, recorder.Code, recorder.Body)
		}
	})
}

// free returns an address that nobody listens on now.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func waitReady(t *testing.T, addr string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		response, err := http.Get("http://" + addr + "/v2/health/ready")
		if err == nil {
			response.Body.Close()
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("nobody answers at %s", addr)
}
