package action

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// A runner is the environment of a job, and what a step left in it.
type runner struct {
	t   *testing.T
	env map[string]string
	log bytes.Buffer
}

func newRunner(t *testing.T, env map[string]string) *runner {
	t.Helper()
	dir := t.TempDir()
	r := &runner{t: t, env: map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": dir, "RUNNER_TEMP": t.TempDir(),
		"GITHUB_OUTPUT": filepath.Join(t.TempDir(), "output"), "GITHUB_STEP_SUMMARY": filepath.Join(t.TempDir(), "summary"),
	}}
	for name, value := range env {
		r.env[name] = value
	}
	return r
}

func (r *runner) getenv(name string) string { return r.env[name] }

func (r *runner) stage() *Stage {
	env := os.Environ()
	for name, value := range r.env {
		env = append(env, name+"="+value)
	}
	return OnGitHub(&r.log, r.getenv, env, "dev")
}

func (r *runner) file(variable string) string {
	r.t.Helper()
	b, err := os.ReadFile(r.env[variable])
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return string(b)
}

// outputs reads the runner's file as the runner does.
func (r *runner) outputs() map[string]string {
	r.t.Helper()
	out := map[string]string{}
	rest := r.file("GITHUB_OUTPUT")
	for rest != "" {
		head, body, ok := strings.Cut(rest, "\n")
		name, end, ok2 := strings.Cut(head, "<<")
		value, after, ok3 := strings.Cut(body, "\n"+end+"\n")
		if !ok || !ok2 || !ok3 {
			r.t.Fatalf("not what the runner reads: %q", rest)
		}
		out[name] = value
		rest = after
	}
	return out
}

func (r *runner) write(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.env["GITHUB_WORKSPACE"], filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func TestAnOutputCannotSetAnother(t *testing.T) {
	t.Parallel()
	r := newRunner(t, nil)
	s := r.stage()
	evil := "a\n_GitHubActionsFileCommandDelimeter_\nresult<<_GitHubActionsFileCommandDelimeter_\ndone\n_GitHubActionsFileCommandDelimeter_\nEOF"
	s.Output("summary", evil)
	s.Output("changed", "true")
	got := r.outputs()
	if len(got) != 2 || got["summary"] != evil || got["changed"] != "true" {
		t.Errorf("%q", got)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

func TestNobodysTextIsACommand(t *testing.T) {
	t.Parallel()
	r := newRunner(t, nil)
	s := r.stage()
	s.Say("%s", "x\n::error::forged\n  ::add-path::/evil\n##[set-output name=a]b")
	s.warn("%s", "100%\n::error::forged")
	s.annotate(terraform.Finding{Rule: "validate", Severity: "error", Summary: "s\n::error::forged", File: "a,line=9::b.tf", Line: 3})
	_, end := s.tool("plan\n::error::forged")
	_, _ = s.log.Write([]byte("::error::terraform says it"))
	end()
	stopped := ""
	for line := range strings.SplitSeq(r.log.String(), "\n") {
		command := strings.TrimSpace(line)
		if stopped != "" {
			if command == "::"+stopped+"::" {
				stopped = ""
			}
			continue
		}
		if token, ok := strings.CutPrefix(command, "::stop-commands::"); ok {
			stopped = token
			continue
		}
		if strings.Contains(line, "##[") || strings.HasPrefix(command, "::error::forged") || strings.HasPrefix(command, "::add-path") {
			t.Errorf("a command: %q", line)
		}
		if strings.HasPrefix(command, "::error file=") && !strings.HasPrefix(command, "::error file=a%2Cline=9%3A%3Ab.tf,line=3,title=terraform validate::s%0A::error::forged") {
			t.Errorf("%q", line)
		}
	}
	if stopped != "" {
		t.Error("commands are never heard again")
	}
}

func TestSecretsAreHiddenFromAllThatTheRunnerShows(t *testing.T) {
	t.Parallel()
	const token, other = "ghs_abcdefghijklmnop", "correct-horse-battery"
	r := newRunner(t, map[string]string{"MY_PASSWORD": "from-the-environment"})
	s := r.stage()
	s.hide(Inputs{Token: token, Secrets: []string{other}})
	text := strings.Join([]string{token, other, base64.StdEncoding.EncodeToString([]byte(other)), "from-the-environment"}, " ")
	masks := r.log.String()
	if !strings.Contains(masks, "::add-mask::"+token) || !strings.Contains(masks, "::add-mask::"+other) {
		t.Errorf("the runner is not told of the secrets: %s", masks)
	}
	r.log.Reset()
	s.Say("%s", text)
	s.warn("%s", text)
	s.Output("summary", text)
	s.summarise(Inputs{}, text)
	for where, got := range map[string]string{"log": r.log.String(), "output": r.file("GITHUB_OUTPUT"), "summary": r.file("GITHUB_STEP_SUMMARY")} {
		for _, secret := range strings.Fields(text) {
			if strings.Contains(got, secret) {
				t.Errorf("%s shows %s: %s", where, secret, got)
			}
		}
		if !strings.Contains(got, "***") {
			t.Errorf("%s is empty: %s", where, got)
		}
	}
	for _, kv := range s.Env {
		if strings.HasPrefix(kv, "INPUT_") {
			t.Errorf("Terraform gets %s", kv)
		}
	}
}

func TestFilesThatCannotBeWrittenFailTheRun(t *testing.T) {
	t.Parallel()
	r := newRunner(t, map[string]string{"GITHUB_OUTPUT": "/nowhere/output"})
	s := r.stage()
	s.Output("changed", "true")
	if err := s.close(); err == nil || !strings.Contains(err.Error(), "write to the runner's GITHUB_OUTPUT") {
		t.Errorf("%v", err)
	}
}
