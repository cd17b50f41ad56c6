package action

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/sethvargo/go-githubactions"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/terraform"
)

// A Stage is where a run runs: a job on GitHub, a terminal, another CI.
type Stage struct {
	// Version of this program, for GitHub's logs.
	Version string
	// Dir is what roots are relative to, absolute.
	Dir string
	// Env is the environment that Terraform gets.
	Env []string

	act    *githubactions.Action // nil outside of GitHub
	github func(s *Stage, e event, token string) (forge, error)
	getenv func(string) string
	log    io.Writer
	errLog io.Writer // errors; on GitHub they are annotations
	scrub  *terraform.Scrubber
	mu     sync.Mutex
	errs   []error // of the runner's files
}

// OnGitHub is a job of GitHub's runner: it speaks workflow commands to w.
func OnGitHub(w io.Writer, getenv func(string) string, env []string, version string) *Stage {
	s := newStage(w, getenv, env, version)
	s.Dir = getenv("GITHUB_WORKSPACE")
	// Commands go through the scrubber too: an annotation is as public as a log.
	s.act = githubactions.New(githubactions.WithWriter(s.log), githubactions.WithGetenv(getenv))
	return s
}

// OnTerminal is anywhere else. Roots and files are relative to dir.
func OnTerminal(w, errs io.Writer, getenv func(string) string, env []string, dir, version string) *Stage {
	s := newStage(w, getenv, env, version)
	s.Dir = dir
	s.errLog = &quiet{w: errs, scrub: s.scrub}
	return s
}

func newStage(w io.Writer, getenv func(string) string, env []string, version string) *Stage {
	s := &Stage{Version: version, Env: toolEnv(env), getenv: getenv, scrub: terraform.NewScrubber(), github: openForge}
	s.scrub.Add(terraform.SecretEnv(env)...)
	s.log = &quiet{w: w, scrub: s.scrub}
	return s
}

// toolEnv is the environment without what is ours alone: Terraform and its providers need neither the key nor the
// inputs, and what they do not have they cannot leak.
func toolEnv(env []string) []string {
	var out []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "INPUT_") || name == "TIDEGATE_KEY" || name == "TIDEGATE_SECRETS" {
			continue
		}
		out = append(out, kv)
	}
	return out
}

// quiet scrubs whole writes and never fails its writer: a runner that stopped reading is no reason to panic, which
// is what the commands' library does.
type quiet struct {
	w     io.Writer
	scrub *terraform.Scrubber
}

func (q *quiet) Write(p []byte) (int, error) {
	_, _ = io.WriteString(q.w, q.scrub.String(string(p)))
	return len(p), nil
}

func (s *Stage) input(name string) string { return s.act.GetInput(name) }

// hide makes the run forget its secrets before anything is said.
func (s *Stage) hide(in Inputs) {
	secrets := append([]string{in.Key, in.Token}, in.Secrets...)
	s.scrub.Add(secrets...)
	if s.act == nil {
		return
	}
	for _, secret := range secrets {
		// Not through the scrubber, which would hide what is to be hidden.
		if secret = strings.TrimSpace(secret); secret != "" {
			s.mask(secret)
		}
	}
}

// mask tells the runner of a secret: what other steps print is hidden as well.
func (s *Stage) mask(secret string) {
	q, ok := s.log.(*quiet)
	if !ok {
		return
	}
	for line := range strings.SplitSeq(secret, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			cmd := githubactions.Command{Name: "add-mask", Message: line}
			_, _ = fmt.Fprintln(q.w, cmd.String())
		}
	}
}

// Say prints a line.
func (s *Stage) Say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s.act == nil {
		_, _ = fmt.Fprintln(s.log, text)
		return
	}
	// A line of ours may hold a name of theirs; at its beginning "::" would be a command.
	for line := range strings.SplitSeq(text, "\n") {
		_, _ = fmt.Fprintln(s.log, harmless(line))
	}
}

// harmless is a line that the runner does not take for a command. It takes "::" at the beginning and "##[" anywhere.
func harmless(line string) string {
	if trimmed := strings.TrimLeft(line, " \t\r\v\f\u00a0\ufeff"); strings.HasPrefix(trimmed, "::") {
		line = "\u200b" + trimmed
	}
	return strings.ReplaceAll(line, "##[", "#\u200b#[")
}

// fail says an error where people look for one.
func (s *Stage) fail(err error) {
	text := s.scrub.String(err.Error())
	if s.act == nil {
		_, _ = fmt.Fprintln(s.errLog, "tidegate: "+s.scrub.String(withoutEcho(err)))
		return
	}
	s.act.Errorf("%s", text)
}

// withoutEcho is an error for somebody who has just read what init printed: its words are not said again. Others
// print less than they say in the end, or nothing.
func withoutEcho(err error) string {
	var e *terraform.Error
	if !errors.As(err, &e) || e.Doing != "init" || e.Said == "" || e.Lock != nil {
		return err.Error()
	}
	return strings.Replace(err.Error(), e.Error(), fmt.Sprintf("%s, as it says above (exit code %d)", e.Brief(), e.Code), 1)
}

func (s *Stage) warn(format string, args ...any) {
	if s.act == nil {
		s.Say("warning: "+format, args...)
		return
	}
	s.act.Warningf(format, args...)
}

// alarm is an error with a title of its own.
func (s *Stage) alarm(title, text string) {
	if s.act == nil {
		s.fail(errors.New(text))
		return
	}
	s.act.WithFieldsMap(map[string]string{"title": title}).Errorf("%s", text)
}

func (s *Stage) notice(format string, args ...any) {
	if s.act == nil {
		s.Say(format, args...)
		return
	}
	s.act.Noticef(format, args...)
}

// annotate shows a finding on its file, which is relative to the repository.
func (s *Stage) annotate(f terraform.Finding) {
	text := f.Summary
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	if s.act == nil {
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		s.Say("%s: %s: %s", f.Severity, at, text)
		return
	}
	fields := map[string]string{"title": "terraform " + f.Rule}
	if f.File != "" {
		fields["file"] = f.File
	}
	for name, n := range map[string]int{"line": f.Line, "endLine": f.EndLine, "col": f.Column, "endColumn": f.EndColumn} {
		if n > 0 {
			fields[name] = fmt.Sprint(n)
		}
	}
	a := s.act.WithFieldsMap(fields)
	if f.Severity == "error" {
		a.Errorf("%s", text)
		return
	}
	a.Warningf("%s", text)
}

// tool is where Terraform speaks. On GitHub its words are a group in which no command is heard; end closes it.
func (s *Stage) tool(title string) (w io.Writer, end func()) {
	if s.act == nil {
		return s.log, func() {}
	}
	s.act.Group(title)
	token := rand.Text()
	_, _ = fmt.Fprintf(s.log, "::stop-commands::%s\n", token)
	return s.log, func() {
		_, _ = fmt.Fprintf(s.log, "\n::%s::\n", token)
		s.act.EndGroup()
	}
}

// Output sets an output of the step.
func (s *Stage) Output(name, value string) {
	if s.act == nil {
		return
	}
	// The library ends each value with a word that everybody knows: a value with it could set other outputs.
	end := rand.Text()
	s.appendTo("GITHUB_OUTPUT", fmt.Sprintf("%s<<%s\n%s\n%s\n", name, end, s.scrub.String(value), end))
}

// summarise shows a report: in the job's summary, or on the terminal, or in a file.
func (s *Stage) summarise(in Inputs, markdown string) {
	markdown = s.scrub.String(markdown)
	if s.act != nil {
		s.appendTo("GITHUB_STEP_SUMMARY", markdown+"\n")
	}
	if in.Summary != "" {
		if err := os.WriteFile(in.Summary, []byte(markdown), 0o600); err != nil {
			s.trouble(fmt.Errorf("write the report: %w", err))
		}
	}
}

func (s *Stage) appendTo(variable, text string) {
	path := s.getenv(variable)
	if path == "" {
		return // a runner that has no such file
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = io.Copy(f, bytes.NewBufferString(text))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		s.trouble(fmt.Errorf("write to the runner's %s: %w", variable, err))
	}
}

func (s *Stage) trouble(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// close returns what went wrong on the way.
func (s *Stage) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}
