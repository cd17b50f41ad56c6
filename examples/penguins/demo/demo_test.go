package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheStoryIsTrue runs the demo as make demo does, in a work folder of its own: real Terraform,
// engine, model servers and requests. The demo itself checks what its story claims.
func TestTheStoryIsTrue(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute or two")
	}
	picture := filepath.Join(t.TempDir(), "demo.svg")
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	d, err := newDemo(options{dir: filepath.Join(".cache", "demo-test"), rate: 1000, record: picture}, newTeller(out))
	if err != nil {
		t.Fatal(err)
	}
	defer clean(t, d)

	err = d.run(t.Context())
	printed, readErr := os.ReadFile(out.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	if err != nil {
		t.Fatalf("%v\nafter:\n%s", err, printed)
	}
	for _, want := range []string{
		"fails on missing values",
		"$ terraform apply -var model_version=2",
		"Promoted",
		"0 of ",
		"Rolled back",
		`rolled back by gate "errors"`,
		"$ terraform plan -var model_version=3",
		"has rejected this model",
		"$ terraform apply -var model_version=4",
		`rolled back by gate "latency"`,
		"It failed nobody",
		"all among the",
		"v3  Tidegate, this policy        rolled back",
		"v4  Tidegate, this policy        rolled back",
		"Argo Rollouts",
		"Flagger",
		"$ terraform -chdir=pipeline apply",
		shown + ": 10 jobs",
		"test, data, train, evaluate, scan, package, sbom, scan-image, plan-prod, deploy-prod",
		"each pinned to a commit: actions/checkout@",
		`  │ -           exit "$status"` + "\n" + `  │ +           exit 0`,
		"Undone",
		"No changes.",
		d.page,
	} {
		if strings.HasPrefix(want, "v4  Tidegate") && strings.Contains(string(printed), crowdedOut) {
			continue
		}
		if !strings.Contains(string(printed), want) {
			t.Errorf("the story does not say %q:\n%s", want, printed)
		}
	}
	if b, err := os.ReadFile(picture); err != nil || !strings.Contains(string(b), "traffic, rolled back") {
		t.Errorf("the picture does not show the rollback: %v", err)
	}
	if b, err := d.tool.run(t.Context(), d.dir, "plan", "-json", "-input=false", "-detailed-exitcode", "-var", "model_version=2"); err != nil || b.exit != 0 {
		t.Errorf("a plan of what serves ends with exit code %d, %v, want 0, nothing to do:\n%s", b.exit, err, b.text())
	}
	if text, err := os.ReadFile(filepath.Join(d.dir, workflowFile)); err != nil || !strings.Contains(string(text), "Trains the model that users will get.") {
		t.Errorf("the workflow is not there, or a comment of people's is gone: %v\n%s", err, text)
	}
	clean(t, d)
	if exists(d.dir) {
		t.Errorf("%s is still there after cleaning", d.dir)
	}
}

func TestWithoutGitTheChapterOnPipelinesIsLeftOut(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var out strings.Builder
	d := &demo{teller: &teller{out: &out}, project: t.TempDir(), dir: t.TempDir()}
	if err := d.pipeline(t.Context()); err != nil || !strings.Contains(out.String(), "left out: it needs git") {
		t.Errorf("got %v, and it says %q", err, out.String())
	}
	if entries, err := os.ReadDir(d.dir); err != nil || len(entries) > 0 {
		t.Errorf("it made %v, %v", entries, err)
	}
	if got := d.commit(t.Context()); got != noCommit {
		t.Errorf("built from %s", got)
	}
}

// An archive of the sources may be unpacked below some other repository, whose commits are not its own.
func TestSourcesOfNoCommitAreNotTakenForOthers(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"init", "--quiet"}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--allow-empty", "-m", "theirs"}} {
		if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	project := filepath.Join(dir, "tidegate")
	if err := os.Mkdir(project, 0o750); err != nil {
		t.Fatal(err)
	}
	d := &demo{project: project}
	if got := d.commit(t.Context()); got != noCommit {
		t.Errorf("built from %s", got)
	}
}

func TestJobsAndChangesAreReadFromTheirTexts(t *testing.T) {
	jobs := jobsOf("on:\n  push:\njobs:\n  # One.\n  test:\n    needs: [x]\n    permissions:\n      contents: read\n\n  scan-image:\n    steps: []\n")
	if !slices.Equal(jobs, []string{"test", "scan-image"}) {
		t.Errorf("jobs %q", jobs)
	}
	lines := changesIn("It changed:\n\n  @@ 3 lines are the same @@\n    - uses: a\n  -     exit 1\n  +     exit 0\n\nThe next apply - maybe.")
	if want := []string{"-     exit 1", "+     exit 0"}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

// clean leaves the machine as it was, whatever came of the test.
func clean(t *testing.T, d *demo) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := d.clean(ctx); err != nil {
		t.Error(err)
	}
}

func TestAnInterruptedDemoLeavesNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a quarter of a minute")
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	d, err := newDemo(options{dir: filepath.Join(".cache", "demo-interrupted"), rate: 500}, newTeller(out))
	if err != nil {
		t.Fatal(err)
	}
	defer clean(t, d)
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.do(ctx, false) }()
	printed := ""
	for !strings.Contains(printed, "version 2 answers") { // in mid-rollout
		select {
		case err := <-ended:
			t.Fatalf("the demo ended with %v after:\n%s", err, printed)
		case <-time.After(20 * time.Millisecond):
		}
		b, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		printed = string(b)
	}
	cancel(errInterrupted)
	if err := <-ended; !errors.Is(err, errInterrupted) || err.Error() != errInterrupted.Error() {
		t.Errorf("the demo ended with %v, want only that it was interrupted", err)
	}
	if exists(d.dir) {
		t.Errorf("%s is still there", d.dir)
	}
	if _, err := http.Get(d.url); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("asked at %s somebody answers, or fails otherwise: %v", d.url, err)
	}
}

func TestCleanLeavesAFolderAloneThatTheDemoDidNotMake(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := &demo{teller: newTeller(os.Stdout), dir: dir}
	if err := d.clean(t.Context()); err == nil || !strings.Contains(err.Error(), "the demo did not make it") {
		t.Errorf("got %v, want a refusal", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestTheWorkFolderIsBelowTheProject(t *testing.T) {
	for _, dir := range []string{"", ".", "..", "../demo", "/tmp/demo", ".cache/../.."} {
		if _, err := newDemo(options{dir: dir}, newTeller(os.Stdout)); err == nil || !strings.Contains(err.Error(), "below") {
			t.Errorf("work folder %q: got %v, want a refusal", dir, err)
		}
	}
}

// script writes a program that stands for Terraform.
func script(t *testing.T, text string) terraform {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return terraform{path: path, config: "config"}
}

func TestRunKeepsExitCodeAndDiagnostics(t *testing.T) {
	tool := script(t, `cat <<'END'
not JSON
{"type":"version"}
{"type":"diagnostic","diagnostic":{"severity":"warning","summary":"Endpoint \"penguins\" has rejected this model","detail":"why"}}
{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Rollout was rolled back by gate \"errors\"","detail":"8 of 160"}}
END
echo oops >&2
exit 1
`)
	got, err := tool.run(t.Context(), t.TempDir(), "apply")
	if err != nil {
		t.Fatal(err)
	}
	found, ok := got.find("error", `by gate "errors"`)
	if got.exit != 1 || got.errors != "oops\n" || !ok || found.Detail != "8 of 160" {
		t.Errorf("got %+v", got)
	}
	if _, ok := got.find("error", "has rejected"); ok {
		t.Error("a warning was taken for an error")
	}
	if text := got.text(); !strings.Contains(text, "8 of 160") || !strings.Contains(text, "oops") {
		t.Errorf("the text leaves something out: %q", text)
	}
}

func TestRunHidesTheCallersTerraformSettings(t *testing.T) {
	t.Setenv("TF_DATA_DIR", "/elsewhere")
	t.Setenv("TIDEGATE_DATA_DIR", "/elsewhere")
	env := script(t, "").environment()
	if !slices.Contains(env, "TF_CLI_CONFIG_FILE=config") || strings.Contains(strings.Join(env, "\n"), "/elsewhere") {
		t.Errorf("the environment is %q", env)
	}
}

func TestAnInterruptedRunEndsByItself(t *testing.T) {
	// It ends only because it is sent SIGINT, which it takes its time to follow.
	tool := script(t, `trap 'echo stopping >&2; exit 1' INT; touch started; while :; do sleep 0.05; done`)
	ctx, cancel := context.WithCancelCause(t.Context())
	dir := t.TempDir()
	done := make(chan error, 1)
	go func() {
		_, err := tool.run(ctx, dir, "apply")
		done <- err
	}()
	for {
		if _, err := os.Stat(filepath.Join(dir, "started")); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel(errInterrupted)
	if err := <-done; err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("got %v, want that it was interrupted", err)
	}
}

func TestARecordReadsFromTerraformsOutputs(t *testing.T) {
	text := `{"rollout":{"sensitive":false,"type":["object",{}],"value":{"endpoint":"local/here/penguins","phase":"rolled back",
		"weight":0,"gates":[{"name":"errors","sentence":"s"}],
		"failure":{"kind":"gate","gate":"errors","rejected":true,"reason":"r","at":"2026-01-01T00:00:09Z"},
		"history":[{"at":"2026-01-01T00:00:00Z","phase":"preparing","weight":0,"sentence":"a"},
			{"at":"2026-01-01T00:00:01Z","phase":"preparing","weight":0,"sentence":"b"},
			{"at":"2026-01-01T00:00:02Z","phase":"observing","weight":5,"sentence":"c"},
			{"at":"2026-01-01T00:00:09Z","phase":"rolled back","weight":0,"sentence":"d"}]}}}`
	var outputs struct{ Rollout outputValue[record] }
	if err := json.Unmarshal([]byte(text), &outputs); err != nil {
		t.Fatal(err)
	}
	r := outputs.Rollout.Value
	if r.Phase != "rolled back" || r.Failure == nil || !r.Failure.Rejected || r.took() != 9*time.Second {
		t.Errorf("got %+v", r)
	}
	var said []string
	for _, e := range r.changes() {
		said = append(said, e.Sentence)
	}
	if strings.Join(said, "") != "acd" {
		t.Errorf("the weight changed at %q, want a, c and d", said)
	}
}

func TestALogGetsWholeLinesAndNoEscapes(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	teller := newTeller(out)
	teller.say(good("Promoted"), plain(" at once"))
	teller.show(3*time.Second, "terraform apply")
	b, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if want := "Promoted at once\n  ...   3 s  terraform apply\n"; string(b) != want {
		t.Errorf("got %q, want %q", b, want)
	}
	if len(teller.lines) != 1 {
		t.Errorf("kept %d lines for the picture, want the one that was said", len(teller.lines))
	}
}

func TestATerminalsLastLineShowsWhatGoesOnAndGivesWay(t *testing.T) {
	var out strings.Builder
	t.Setenv("NO_COLOR", "")
	teller := &teller{out: &out, terminal: true, began: time.Now()}
	teller.show(3*time.Second, "terraform apply")
	teller.say(good("Promoted"), plain(" at once"))
	teller.close()
	if want := "\r\x1b[K  ...   3 s  terraform apply\r\x1b[K\x1b[32mPromoted\x1b[0m at once\n\r\x1b[K"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestWrapBreaksBetweenWords(t *testing.T) {
	got := wrap("one two  three fourteen", 9)
	if want := []string{"one two", "three", "fourteen"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := wrap("", 9); len(got) != 1 || got[0] != "" {
		t.Errorf("an empty paragraph became %q", got)
	}
}

func TestNumbersReadWell(t *testing.T) {
	if got := percent(0.9968); got != "99.7%" {
		t.Errorf("0.9968 is written %q, want 99.7%%: nearly all is not all", got)
	}
}
