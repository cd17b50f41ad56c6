// Github is the server of package githubtest as a program that tests of other modules start by githubhub.
//
//	github                          serve; say the control address on standard output; end with standard input
//	github upload NAME PATH...      what the stand-in of actions/upload-artifact does
//	github download NAME DIRECTORY  what the stand-in of actions/download-artifact does
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/githubtest"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("github: ")
	var err error
	switch {
	case len(os.Args) == 1:
		err = serve()
	case len(os.Args) >= 4 && os.Args[1] == "upload":
		err = githubtest.Upload(os.Getenv, os.Args[2], os.Args[3:])
	case len(os.Args) == 4 && os.Args[1] == "download":
		err = githubtest.Download(os.Getenv, os.Args[2], os.Args[3])
	default:
		err = fmt.Errorf("usage: github | github upload NAME PATH... | github download NAME DIRECTORY")
	}
	if err != nil {
		log.Fatal(err)
	}
}

// worlds are all that this process serves, each at an address of its own.
type worlds struct {
	mu  sync.Mutex
	all map[string]*served
	n   int
}

type served struct {
	*githubtest.World
	server *http.Server
}

func serve() error {
	all := &worlds{all: map[string]*served{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /worlds", all.create)
	mux.HandleFunc("POST /worlds/{id}/close", all.close)
	mux.HandleFunc("POST /worlds/{id}/{what}", all.control)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { // whoever started this holds the other end for as long as it lives
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Printf("http://%s\n", l.Addr())
	server := http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	return server.Serve(l)
}

func (w *worlds) create(out http.ResponseWriter, r *http.Request) {
	var in struct{ Dir string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	url := "http://" + l.Addr().String()
	world, err := githubtest.New(in.Dir, url)
	if err != nil {
		_ = l.Close()
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	s := &served{world, &http.Server{Handler: world, ReadHeaderTimeout: time.Minute}}
	go func() { _ = s.server.Serve(l) }()
	w.mu.Lock()
	w.n++
	id := strconv.Itoa(w.n)
	w.all[id] = s
	w.mu.Unlock()
	_ = json.NewEncoder(out).Encode(map[string]string{"ID": id, "URL": url})
}

func (w *worlds) find(id string) *served {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all[id]
}

func (w *worlds) control(out http.ResponseWriter, r *http.Request) {
	s := w.find(r.PathValue("id"))
	if s == nil {
		http.Error(out, "this world has ended", http.StatusNotFound)
		return
	}
	s.Control(out, r)
}

func (w *worlds) close(out http.ResponseWriter, r *http.Request) {
	s := w.find(r.PathValue("id"))
	if s == nil {
		http.Error(out, "this world has ended", http.StatusNotFound)
		return
	}
	w.mu.Lock()
	delete(w.all, r.PathValue("id"))
	w.mu.Unlock()
	_ = s.server.Close()
	_, _ = out.Write([]byte("null\n"))
}
