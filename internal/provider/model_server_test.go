package provider

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// A behaviour is what a model file tells the model server of the tests to do.
type behaviour struct {
	Version string  `json:"version"`
	Fail    float64 `json:"fail"`   // share of requests that get a 500
	Start   string  `json:"start"`  // "", "exit", "hang", "wait", "wrong port", "spam"
	Die     uint64  `json:"die"`    // exit at this request
	Freeze  uint64  `json:"freeze"` // answer nothing from this request on
	Pause   string  `json:"pause"`  // before each answer, "40ms"
}

func (b behaviour) String() string {
	text, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// serveModel is a real model server that speaks the Open Inference Protocol v2:
// tg-model PORT MODEL.
func serveModel(args []string) int {
	port, path := args[0], args[1]
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "model.json")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot load the model:", err)
		return 1
	}
	var b behaviour
	if err := json.Unmarshal(text, &b); err != nil {
		fmt.Fprintln(os.Stderr, "cannot load the model:", err)
		return 1
	}
	switch b.Start {
	case "exit":
		fmt.Fprintln(os.Stderr, "out of cheese")
		return 3
	case "hang":
		time.Sleep(time.Hour)
	case "wait":
		waitFor("go")
	case "spam":
		for line := strings.Repeat("x", 1023) + "\n"; ; {
			fmt.Print(line)
		}
	case "wrong port":
		port = "0"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stderr, http.Serve(listener, b.handler()))
	return 1
}

// waitFor says in the root module that it was started, and waits for a file there. It finds it
// by HOME, which is below it.
func waitFor(name string) {
	root := filepath.Dir(os.Getenv("HOME"))
	if err := os.WriteFile(filepath.Join(root, "started"), nil, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	for !exists(filepath.Join(root, name)) {
		time.Sleep(10 * time.Millisecond)
	}
}

func (b behaviour) handler() http.Handler {
	var n atomic.Uint64
	pause, err := time.ParseDuration(cmp.Or(b.Pause, "0s"))
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	ok := func(http.ResponseWriter, *http.Request) {}
	mux.HandleFunc("GET /v2/health/ready", ok)
	mux.HandleFunc("GET /v2/models/{name}/ready", ok)
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /env", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, os.Getenv(r.URL.Query().Get("name")))
	})
	mux.HandleFunc("POST /v2/models/{name}/infer", func(w http.ResponseWriter, r *http.Request) {
		i := n.Add(1)
		if b.Die > 0 && i >= b.Die {
			os.Exit(7)
		}
		if b.Freeze > 0 && i >= b.Freeze {
			<-r.Context().Done()
			return
		}
		time.Sleep(pause)
		// Of many requests exactly this share fails, with no luck in it.
		if uint64(float64(i)*b.Fail) != uint64(float64(i-1)*b.Fail) {
			http.Error(w, `{"error":"a row with a missing value"}`, http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"model_name":%q,"model_version":%q,"outputs":[]}`, r.PathValue("name"), b.Version)
	})
	return mux
}
