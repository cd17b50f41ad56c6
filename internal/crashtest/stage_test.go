package crashtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

// A stage is a root module in a folder of its own, on which real Terraform works with the program under test.
type stage struct {
	t     *testing.T
	dir   string
	env   []string
	users users
	watch *watch
	url   string // of the endpoint

	mu   sync.Mutex
	said []string // what happened and what each terraform said, for a failure
}

// possible skips a test that cannot run here.
func possible(t *testing.T) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("runs real Terraform: set TF_ACC=1")
	}
	if runtime.GOOS != "linux" {
		t.Skip("finds the processes of a stage in /proc")
	}
}

// stages are so many at a time: more would only wait for each other.
var stages = make(chan struct{}, atOnce)

func newStage(t *testing.T) *stage {
	t.Helper()
	possible(t)
	stages <- struct{}{}
	t.Cleanup(func() { <-stages })
	if err := built(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "tg") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, dir: dir}
	for _, name := range []string{"HOME", "XDG_CACHE_HOME"} {
		s.env = append(s.env, name+"="+filepath.Join(dir, "home"))
	}
	s.env = append(s.env, "PATH="+bin+":"+os.Getenv("PATH"), "TF_CLI_CONFIG_FILE="+filepath.Join(bin, "terraform.rc"),
		"TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "NO_COLOR=1", "TMPDIR="+os.TempDir(), failpoints+"="+s.points(),
		"GORACE=atexit_sleep_ms=0 halt_on_error=1") // else each end of a provider takes a second under -race
	for _, d := range []string{armedDir, firedDir} {
		if err := os.MkdirAll(filepath.Join(s.points(), d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.write("models/v1.json", `{"version": "v1"}`)
	s.write("models/v2.json", `{"version": "v2"}`)
	s.write("models/v3.json", `{"version": "v3"}`)
	s.write("models/broken.json", `{"version": "broken", "broken": true}`)
	t.Cleanup(s.close)
	return s
}

// close ends what is left, and shows what was said where the test failed.
func (s *stage) close() {
	if s.watch != nil {
		s.watch.stop()
	}
	s.users.stop()
	s.disarm()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := s.engine().Stop(ctx); err != nil {
		s.t.Errorf("stop the engine: %v", err)
	}
	printed, _ := os.ReadFile(filepath.Join(s.data(), "start.log"))
	if text := string(printed); strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
		s.t.Errorf("the engine printed:\n%s", text)
	}
	s.nothingRuns()
	if s.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(s.data(), "daemon.log"))
		s.t.Logf("what Terraform said:\n%s\n\ndaemon.log:\n%s", strings.Join(s.said, "\n"), log[max(0, len(log)-6000):])
	}
	if err := os.RemoveAll(s.dir); err != nil {
		s.t.Error(err)
	}
}

func (s *stage) data() string { return filepath.Join(s.dir, ".tidegate") }

// engine reaches the stage's engine past Terraform. It starts none.
func (s *stage) engine() *local.Engine {
	return local.Open(local.Config{DataDir: s.data(), Version: "test"})
}

// nothingRuns wants no process of the stage: no model server without an engine, no provider without its Terraform.
func (s *stage) nothingRuns() {
	s.t.Helper()
	var left []process
	for until := time.Now().Add(40 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if left = s.running(); len(left) == 0 {
			return
		}
	}
	s.t.Errorf("processes are left: %+v", left)
}

// A process that was started for the stage.
type process struct {
	pid, parent int
	args        string
}

// running finds them: they have the stage's folder in their environment.
func (s *stage) running() (found []process) {
	all, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range all {
		env, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(env, []byte("HOME="+s.dir+"/home\x00")) {
			continue
		}
		dir := filepath.Dir(path)
		var p process
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err == nil {
			_, err = fmt.Sscanf(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " %1s %d", new(string), &p.parent)
		}
		args, ended := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || ended != nil || len(args) == 0 {
			continue
		}
		p.pid, _ = strconv.Atoi(filepath.Base(dir))
		p.args = strings.ReplaceAll(string(args), "\x00", " ")
		found = append(found, p)
	}
	return found
}

// note keeps what happened, for a failure.
func (s *stage) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func (s *stage) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// An outcome is what Terraform said, and how it ended.
type outcome struct {
	code int
	text string
}

var frame = regexp.MustCompile(`(?m)^[│╷╵] ?`)

func (o outcome) says(text string) bool { return strings.Contains(o.text, text) }

// terraform runs it to its end. meanwhile may do something to it.
func (s *stage) terraform(meanwhile func(*exec.Cmd), args ...string) outcome {
	s.t.Helper()
	return s.run(meanwhile, cmp.Or(os.Getenv("TIDEGATE_TERRAFORM"), "terraform"), append(args, "-input=false", "-no-color")...)
}

func (s *stage) run(meanwhile func(*exec.Cmd), name string, args ...string) outcome {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	began := time.Now().Format("15:04:05.000")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 10 * time.Second // for a provider that outlives it and holds the pipe
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	if meanwhile != nil {
		go meanwhile(cmd)
	}
	stuck := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		s.t.Fatal(err)
	}
	o := outcome{cmd.ProcessState.ExitCode(), strings.Join(strings.Fields(frame.ReplaceAllString(out.String(), "")), " ")}
	s.note("%s, begun %s: exit code %d: %s", filepath.Base(name)+" "+strings.Join(args, " "), began, o.code, o.text[max(0, len(o.text)-800):])
	return o
}
