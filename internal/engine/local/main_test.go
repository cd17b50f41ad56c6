package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/command"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// versionVar is how a test tells the daemon which version to be.
const versionVar = "TIDEGATE_ENGINE_TEST_VERSION"

// TestMain makes the test binary the daemon and the model server too: real processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "engine":
			os.Exit(command.Main(context.Background(), os.Args[1:], version(), os.Stdin, os.Stdout, os.Stderr))
		case "serve-model":
			if err := serveModel(os.Args[2], os.Args[3]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(3)
			}
		}
	}
	os.Exit(m.Run())
}

func version() string {
	if v := os.Getenv(versionVar); v != "" {
		return v
	}
	return "dev"
}

// A model is what the test's model server reads: how it is to behave.
type model struct {
	Name     string        `json:"name"`
	Every    int           `json:"every,omitempty"`    // each such request fails
	Dislikes string        `json:"dislikes,omitempty"` // clients whose key ends like that: all of theirs fail
	Exit     bool          `json:"exit,omitempty"`     // at once
	Never    bool          `json:"never,omitempty"`    // ready
	Delay    time.Duration `json:"delay,omitempty"`    // before it is ready
	NeedOK   bool          `json:"need,omitempty"`     // it is ready only where GREETING is not "bad"
	Slow     time.Duration `json:"slow,omitempty"`     // for each answer
	Varies   bool          `json:"varies,omitempty"`   // the answers take Slow on average
	Prints   string        `json:"prints,omitempty"`   // the variable that it prints before it exits
	Answers  int           `json:"answers,omitempty"`  // more bytes that each answer has
	Chatty   bool          `json:"chatty,omitempty"`   // it prints a kilobyte for each request
}

// serveModel speaks the Open Inference Protocol v2, as far as readiness and one answer.
func serveModel(port, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var m model
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if m.Prints != "" {
		fmt.Println("the variable is", os.Getenv(m.Prints))
	}
	if m.Exit {
		return fmt.Errorf("model %s does not load", m.Name)
	}
	began := time.Now()
	var served atomic.Uint64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/", func(w http.ResponseWriter, _ *http.Request) {
		bad := m.NeedOK && os.Getenv("GREETING") == "bad"
		if m.Never || bad || time.Since(began) < m.Delay {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("POST /v2/", func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		time.Sleep(m.takes())
		if m.Chatty {
			fmt.Println(strings.Repeat("x", 1000))
		}
		disliked := m.Dislikes != "" && strings.HasSuffix(req.Header.Get("X-Client"), m.Dislikes)
		if n := served.Add(1); disliked || m.Every > 0 && n%uint64(m.Every) == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_ = json.NewEncoder(w).Encode(answer{Model: m.Name, Greeting: os.Getenv("GREETING"), PID: os.Getpid()})
		_, _ = io.CopyN(w, zeros{}, int64(m.Answers))
	})
	mux.HandleFunc("POST /exit", func(http.ResponseWriter, *http.Request) { os.Exit(9) })
	return http.ListenAndServe("127.0.0.1:"+port, mux)
}

// takes is how long an answer takes.
func (m model) takes() time.Duration {
	if !m.Varies {
		return m.Slow
	}
	return m.Slow/2 + time.Duration(rand.ExpFloat64()*float64(m.Slow/2))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type answer struct {
	Model    string `json:"model"`
	Greeting string `json:"greeting"`
	PID      int    `json:"pid"`
}

// A lab is a data directory with its engine, and a root module's folder with models.
type lab struct {
	t      *testing.T
	root   string
	data   string
	engine *local.Engine
}

func newLab(t *testing.T) *lab {
	t.Helper()
	root := shortDir(t)
	return newLabAt(t, root, filepath.Join(root, "d"))
}

// shortDir is a temporary folder whose path leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg") //nolint:usetesting // t.TempDir's holds the test's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func newLabAt(t *testing.T, root, data string) *lab {
	t.Helper()
	l := &lab{t: t, root: root, data: data}
	l.engine = l.open()
	t.Cleanup(func() {
		if _, err := l.open().Stop(context.Background()); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
		b, _ := os.ReadFile(filepath.Join(data, "start.log"))
		if strings.Contains(string(b), "DATA RACE") || strings.Contains(string(b), "panic:") {
			t.Errorf("the daemon printed:\n%s", b)
		}
		if t.Failed() {
			b, _ := os.ReadFile(filepath.Join(data, "daemon.log"))
			t.Logf("the end of daemon.log:\n%s", b[max(0, len(b)-4000):])
		}
	})
	return l
}

// open is another client of the same engine.
func (l *lab) open() *local.Engine {
	return local.Open(local.Config{DataDir: l.data, Version: "dev", Command: []string{self(), "engine", "run"}})
}

// openAs is a client of a release; the daemon that it starts is of the same.
func (l *lab) openAs(release string) *local.Engine {
	return local.Open(local.Config{DataDir: l.data, Version: release,
		Command: []string{"env", versionVar + "=" + release, self(), "engine", "run"}})
}

func self() string {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return exe
}

func (l *lab) endpoints() endpoint.Engine { return l.engine.Endpoints() }

func (l *lab) cluster() {
	l.t.Helper()
	if _, err := l.engine.Clusters().Apply(l.ctx(), cluster.Spec{Name: "here"}); err != nil {
		l.t.Fatal(err)
	}
}

// ctx ends before the test's own time is up, so that a failure says where.
func (l *lab) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	l.t.Cleanup(cancel)
	return ctx
}

// put writes a model file.
func (l *lab) put(file string, m model) {
	l.t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.root, file), b, 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// spec is an endpoint that serves a model of its own name's file.
func (l *lab) spec(name, file string) endpoint.Spec {
	return endpoint.Spec{
		Cluster: "here", Name: name, Root: l.root,
		Model: endpoint.Model{URI: "file://" + file},
		Runtime: endpoint.Runtime{
			// Through env, so that the test binary is not copied for each test.
			Command: []string{"env", self(), "serve-model", "{port}", "{model}"}, Protocol: "v2", StartTimeout: 15 * time.Second,
		},
		Replicas: 1,
		Routing:  endpoint.Routing{Timeout: 10 * time.Second},
		Rollout:  endpoint.Rollout{Policy: quickPolicy().JSON(), OnCancel: "rollback"},
	}
}

// quickPolicy is the default with less patience, which keeps nothing after a promotion.
func quickPolicy() rollout.Policy {
	p := rollout.DefaultPolicy()
	p.Steps = []rollout.Step{{Weight: 25}, {Weight: 50}}
	p.SkipLeading = false
	p.Limits.StepMinimum = rollout.Duration(time.Second)
	p.Limits.Bake = rollout.Duration(time.Second)
	p.Limits.KeepPrevious = new(rollout.Duration)
	return p
}

// created makes an endpoint of a good model.
func (l *lab) created(name string) endpoint.Status {
	l.t.Helper()
	l.cluster()
	l.put(name+".json", model{Name: "v1"})
	st, err := l.endpoints().Create(l.ctx(), l.spec(name, name+".json"), "maker")
	if err != nil {
		l.t.Fatal(err)
	}
	return st
}
