package provider

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

// A stage is a root module in a folder of its own, on which real Terraform works with the real
// provider, the real engine and real model servers, each in its process.
type stage struct {
	t    *testing.T
	dir  string
	data string // the engine's, below dir
	env  []string
}

// newStage prepares the folder, and stops whatever was started from it when the test ends.
func newStage(t *testing.T) *stage {
	t.Helper()
	t.Parallel()
	return openStage(t)
}

func openStage(t *testing.T) *stage {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("runs real Terraform: set TF_ACC=1")
	}
	dir, err := os.MkdirTemp("", "tg") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, dir: dir, data: ".tidegate"}
	for _, name := range []string{"HOME", "XDG_CACHE_HOME"} {
		s.env = append(s.env, name+"="+filepath.Join(dir, "home"))
	}
	s.env = append(s.env, "PATH="+bin+":"+os.Getenv("PATH"), "TF_CLI_CONFIG_FILE="+filepath.Join(bin, "terraform.rc"),
		"TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "NO_COLOR=1", "TMPDIR="+os.TempDir(),
		"GORACE=atexit_sleep_ms=0 halt_on_error=1") // else each end of a provider takes a second under -race
	t.Cleanup(func() {
		s.stopEngine()
		if t.Failed() {
			s.showLogs()
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stage) stopEngine() {
	s.t.Helper()
	if _, err := os.Stat(s.dataDir()); err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if out, err := s.engine(ctx, "stop"); err != nil {
		s.t.Errorf("engine stop: %v\n%s", err, out)
	}
}

// engine runs a command of the engine, such as "stop".
func (s *stage) engine(ctx context.Context, args ...string) (string, error) {
	return s.tidegate(ctx, append([]string{"engine"}, args...)...)
}

// tidegate runs the command line, such as "promote", "penguins".
func (s *stage) tidegate(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, os.Args[0], append(args, "--data-dir", s.dataDir())...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *stage) showLogs() {
	logs, _ := filepath.Glob(filepath.Join(s.dataDir(), "*.log"))
	for _, log := range logs {
		if text, err := os.ReadFile(log); err == nil {
			s.t.Logf("%s:\n%s", log, tail(string(text), 4000))
		}
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (s *stage) dataDir() string { return filepath.Join(s.dir, s.data) }

// write makes a file of the root module.
func (s *stage) write(name string, content any) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(fmt.Sprint(content)), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// config writes the configuration.
func (s *stage) config(hcl ...string) {
	s.t.Helper()
	s.write("main.tf", "terraform {\n  required_providers {\n    tidegate = {\n      source = \"tidegatehq/tidegate\"\n    }\n  }\n}\n"+
		strings.Join(hcl, "\n"))
}

// An outcome is what a program said, and how it ended.
type outcome struct {
	t    *testing.T
	code int
	text string
}

func (s *stage) command(args ...string) *exec.Cmd {
	cmd := exec.Command(cmp.Or(os.Getenv("TIDEGATE_TERRAFORM"), "terraform"), args...) // or OpenTofu
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// terraform runs it to its end.
func (s *stage) terraform(args ...string) outcome {
	s.t.Helper()
	cmd := s.command(args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return s.wait(cmd, &out)
}

func (s *stage) wait(cmd *exec.Cmd, out *bytes.Buffer) outcome {
	s.t.Helper()
	stuck := time.AfterFunc(3*time.Minute, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	stuck.Stop()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return outcome{s.t, cmd.ProcessState.ExitCode(), plain(out.String())}
}

var (
	colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	frame  = regexp.MustCompile(`(?m)^[│╷╵] ?`)
)

// plain takes off colours, the frames that Terraform draws, and the line breaks that it adds.
func plain(text string) string {
	text = colour.ReplaceAllString(text, "")
	return strings.Join(strings.Fields(frame.ReplaceAllString(text, "")), " ")
}

func (s *stage) apply(args ...string) outcome {
	s.t.Helper()
	return s.terraform(append([]string{"apply", "-auto-approve", "-input=false", "-no-color"}, args...)...)
}

func (s *stage) destroy() outcome {
	s.t.Helper()
	return s.terraform("destroy", "-auto-approve", "-input=false", "-no-color")
}

// plan exits with 0 for no changes and 2 for some.
func (s *stage) plan(args ...string) outcome {
	s.t.Helper()
	return s.terraform(append([]string{"plan", "-detailed-exitcode", "-input=false", "-no-color"}, args...)...)
}

func (o outcome) ok() outcome {
	o.t.Helper()
	if o.code != 0 {
		o.t.Fatalf("exit code %d:\n%s", o.code, o.text)
	}
	return o
}

func (o outcome) fails() outcome {
	o.t.Helper()
	if o.code != 1 {
		o.t.Fatalf("exit code %d, want 1:\n%s", o.code, o.text)
	}
	return o
}

func (o outcome) changes() outcome {
	o.t.Helper()
	if o.code != 2 {
		o.t.Fatalf("exit code %d, want 2, changes:\n%s", o.code, o.text)
	}
	return o
}

// says wants all the texts, and does not care for blanks and line breaks.
func (o outcome) says(texts ...string) outcome {
	o.t.Helper()
	for _, text := range texts {
		if !strings.Contains(o.text, plain(text)) {
			o.t.Fatalf("want %q in:\n%s", text, o.text)
		}
	}
	return o
}

func (o outcome) neverSays(texts ...string) outcome {
	o.t.Helper()
	for _, text := range texts {
		if strings.Contains(o.text, plain(text)) {
			o.t.Fatalf("do not want %q in:\n%s", text, o.text)
		}
	}
	return o
}

// state returns the attributes of a resource, nil if the state does not hold it.
func (s *stage) state(address string) map[string]any {
	s.t.Helper()
	var st tfjson.State
	s.show(&st)
	if st.Values == nil {
		return nil
	}
	for _, r := range st.Values.RootModule.Resources {
		if r.Address == address {
			if r.Tainted {
				s.t.Errorf("%s is tainted", address)
			}
			return r.AttributeValues
		}
	}
	return nil
}

// planned returns what a saved plan does to a resource, nil for nothing.
func (s *stage) planned(file, address string) *tfjson.Change {
	s.t.Helper()
	var p tfjson.Plan
	s.show(&p, file)
	for _, c := range p.ResourceChanges {
		if c.Address == address {
			return c.Change
		}
	}
	return nil
}

func (s *stage) show(v any, args ...string) {
	s.t.Helper()
	cmd := s.command(append([]string{"show", "-json"}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("terraform show: %v\n%s", err, errs.String())
	}
	if err := json.Unmarshal(out, v); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) text(address, attribute string) string {
	s.t.Helper()
	return fmt.Sprint(s.state(address)[attribute])
}

// open reaches the stage's engine past Terraform.
func (s *stage) open() *local.Engine {
	return local.Open(local.Config{DataDir: s.dataDir(), Command: []string{os.Args[0], "engine", "run"}, Version: "test"})
}

// show writes a value of a state, for comparing.
func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
