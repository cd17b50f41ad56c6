package crashtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
)

// A model file tells the model server what to do.
type model struct {
	Version string `json:"version"`
	Broken  bool   `json:"broken"` // every other request fails
}

// serveModel is a real model server that speaks the Open Inference Protocol v2: tg-model PORT MODEL. It writes down each
// request that it answers before it does, so that its own death takes nothing from the books.
func serveModel(args []string) int {
	text, err := os.ReadFile(args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot load the model:", err)
		return 1
	}
	var m model
	if err := json.Unmarshal(text, &m); err != nil {
		fmt.Fprintln(os.Stderr, "cannot load the model:", err)
		return 1
	}
	books, err := os.OpenFile(answersOf(filepath.Dir(os.Getenv("HOME")), m.Version), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var n atomic.Uint64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/", func(http.ResponseWriter, *http.Request) {}) // ready
	mux.HandleFunc("POST /v2/models/{name}/infer", func(w http.ResponseWriter, _ *http.Request) {
		if _, err := books.WriteString("."); err != nil {
			panic(err)
		}
		if m.Broken && n.Add(1)%2 == 0 {
			http.Error(w, `{"error":"a row with a missing value"}`, http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, `{"model_version":%q,"outputs":[]}`, m.Version)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+args[0], mux))
	return 1
}

// answersOf is the file with a byte for each request that a version's model servers got.
func answersOf(root, version string) string { return filepath.Join(root, "answers-"+version) }

func (s *stage) answered(version string) uint64 {
	info, err := os.Stat(answersOf(s.dir, version))
	if err != nil {
		return 0
	}
	return uint64(info.Size())
}
