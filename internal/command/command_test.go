package command_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/cluster"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/command"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

// engine is an engine with a model server that logs a line and serves nothing but readiness.
func engine(t *testing.T) (dir string) {
	t.Helper()
	root := t.TempDir()
	dir = filepath.Join(root, "d")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e := local.Open(local.Config{DataDir: dir, Command: []string{exe, "engine", "run"}, Version: "dev"})
	t.Cleanup(func() {
		if _, err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := e.Clusters().Apply(ctx, cluster.Spec{Name: "here"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "m"), []byte(`{"name": "v1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = e.Endpoints().Create(ctx, endpoint.Spec{Cluster: "here", Name: "penguins", Root: root, Replicas: 1,
		Model:   endpoint.Model{URI: "file://m"},
		Runtime: endpoint.Runtime{Command: []string{"env", exe, "serve-model", "{port}", "{model}"}, Protocol: "http", ReadyPath: "/", StartTimeout: 20 * time.Second},
	}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestStatusLogsAndStopOfARealEngine(t *testing.T) {
	t.Parallel()
	dir := engine(t)
	ctx := context.Background()
	out, _, code := run(ctx, "engine", "status", "--data-dir", dir)
	for _, want := range []string{"running, version dev", "local/here/penguins", "http://127.0.0.1:", "1/1", "none yet"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("status: %d, %s: want %q", code, out, want)
		}
	}
	out, _, _ = run(ctx, "engine", "status", "--data-dir", dir, "--json")
	var st local.Status
	if err := json.Unmarshal([]byte(out), &st); err != nil || len(st.Endpoints) != 1 || !st.Running {
		t.Errorf("status --json: %v: %s", err, out)
	}
	if out, _, code = run(ctx, "engine", "logs", "penguins", "--data-dir", dir); code != 0 || !strings.Contains(out, "a line of the model server") {
		t.Errorf("logs of the endpoint: %d, %s", code, out)
	}
	if out, _, code = run(ctx, "engine", "logs", "--data-dir", dir, "-n", "1"); code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("last line of the engine's log: %d, %s", code, out)
	}
	if _, errs, code := run(ctx, "engine", "logs", "nobody", "--data-dir", dir); code != 1 || !strings.Contains(errs, "local/here/penguins") {
		t.Errorf("logs of nobody: %d, %s: want the choices", code, errs)
	}
	following, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	followed := until{text: "a line of", then: cancel}
	if code := command.Main(following, []string{"engine", "logs", "penguins", "--data-dir", dir, "-f"}, "dev", nil, &followed, io.Discard); code != 0 || strings.Count(followed.String(), "a line of") != 1 {
		t.Errorf("followed logs: %d, %s", code, followed.String())
	}
	if out, _, code := run(ctx, "engine", "stop", "--data-dir", dir); code != 0 || !strings.Contains(out, "has stopped") {
		t.Errorf("stop: %d, %s", code, out)
	}
	if out, _, code := run(ctx, "engine", "stop", "--data-dir", dir); code != 0 || !strings.Contains(out, "No engine runs") {
		t.Errorf("stop again: %d, %s", code, out)
	}
	if out, _, code := run(ctx, "engine", "status", "--data-dir", dir); code != 0 || !strings.Contains(out, "not running") || !strings.Contains(out, "local/here/penguins") {
		t.Errorf("status of a stopped engine: %d, %s", code, out)
	}
}

// An until calls then once text was written to it.
type until struct {
	strings.Builder
	text string
	then func()
}

func (u *until) Write(b []byte) (int, error) {
	n, err := u.Builder.Write(b)
	if strings.Contains(u.String(), u.text) {
		u.then()
	}
	return n, err
}

func TestErrorsAreOneSentenceAndExitWithOne(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"fly"},
		{"engine", "fly"},
		{"engine", "status", "--colour"},
		{"engine", "run", "now"},
		{"engine", "run", "--data-dir", "/dev/null/d"},
		{"engine", "status", "--data-dir", ""},
	} {
		out, errs, code := run(context.Background(), args...)
		if code != 1 || out != "" || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "tidegate: ") {
			t.Errorf("%v: %d, %q, %q", args, code, out, errs)
		}
	}
}

func TestHelpHasExamples(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"engine"}, {"engine", "run"}, {"engine", "status"}, {"engine", "stop"}, {"engine", "logs"}} {
		out, _, code := run(context.Background(), append(args, "--help")...)
		if code != 0 || !strings.Contains(out, "Examples:") {
			t.Errorf("%v: %d, %s", args, code, out)
		}
	}
	if out, _, _ := run(context.Background(), "version"); out != "1.2.3\n" {
		t.Errorf("version: %q", out)
	}
}
