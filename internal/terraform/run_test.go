package terraform

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain is also a program that applies and gets killed: see TestAnApplyOutlivesUs.
func TestMain(m *testing.M) {
	if dir := os.Getenv("TIDEGATE_TEST_APPLY"); dir != "" {
		tool, err := Find(context.Background(), os.Getenv("TIDEGATE_TERRAFORM"), nil)
		if err == nil {
			_, err = (&Root{Tool: tool, Dir: dir, Log: os.Stdout}).Apply(context.Background(), "tfplan")
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// waits is a resource whose apply begins (the file "begun" is there) and waits for the file "go".
const waits = `
resource "terraform_data" "waits" {
  input = "x"
  provisioner "local-exec" {
    command = "touch begun; while [ ! -e go ]; do sleep 0.05; done; echo went on"
  }
}
`

// await waits for a condition.
func (s *stage) await(what string, ok func() bool) {
	s.t.Helper()
	ctx := within(s.t)
	for !ok() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("no %s\n%s", what, s.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *stage) exists(name string) bool {
	_, err := os.Stat(filepath.Join(s.Dir, name))
	return err == nil
}

func TestALockedStateIsExplained(t *testing.T) {
	t.Parallel()
	s := newStage(t, waits)
	s.init()
	s.plan()
	applied := make(chan error, 1)
	go func() {
		_, err := s.Apply(within(t), "tfplan")
		applied <- err
	}()
	s.await("apply", func() bool { return s.exists("begun") })
	other := &Root{Tool: s.Tool, Dir: s.Dir}
	_, err := other.Plan(within(t), "other", PlanOptions{})
	var e *Error
	if !errors.As(err, &e) || e.Lock == nil {
		t.Fatalf("a plan of a locked state: %v", err)
	}
	if e.Lock.ID == "" || !strings.Contains(e.Lock.Who, "@") || e.Lock.Operation != "OperationTypeApply" || time.Since(e.Lock.Created) > time.Hour || e.Lock.Created.IsZero() {
		t.Errorf("lock %+v", e.Lock)
	}
	for _, want := range []string{"locked by " + e.Lock.Who, "since ", "for apply", s.Tool.Name + " force-unlock " + e.Lock.ID} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
	if _, err := other.Plan(within(t), "other", PlanOptions{Unlocked: true}); err != nil {
		t.Errorf("a plan without a lock: %v", err)
	}
	s.write("go", "")
	if err := <-applied; err != nil {
		t.Error(err)
	}
}

func TestACanceledApplyLeavesNoLock(t *testing.T) {
	t.Parallel()
	s := newStage(t, waits+`
resource "terraform_data" "after" {
  input = terraform_data.waits.id
}
`)
	s.init()
	s.plan()
	ctx, cancel := context.WithCancel(within(t))
	type result struct {
		Applied
		error
	}
	over := make(chan result, 1)
	go func() {
		a, err := s.Apply(ctx, "tfplan")
		over <- result{a, err}
	}()
	s.await("apply", func() bool { return s.exists("begun") })
	cancel()
	got := <-over
	var e *Error
	if !errors.As(got.error, &e) || !e.Canceled || !errors.Is(got.error, context.Canceled) || !strings.Contains(got.Error(), "canceled") {
		t.Errorf("error %v", got.error)
	}
	if !got.Canceled || len(got.Failed) != 1 || got.Failed[0].Address != "terraform_data.waits" || !slices.Equal(got.Skipped, []string{"terraform_data.after"}) {
		t.Errorf("applied %+v\n%s", got.Applied, s.log)
	}
	if _, err := s.Plan(within(t), "tfplan", PlanOptions{}); err != nil {
		t.Errorf("the next plan: %v", err)
	}
}

// A runner that is killed takes this process with it, and nothing else: Terraform goes on, writes its state, lets go of
// the lock.
func TestAnApplyOutlivesUs(t *testing.T) {
	t.Parallel()
	s := newStage(t, waits)
	s.init()
	s.plan()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TIDEGATE_TEST_APPLY="+s.Dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.await("apply", func() bool { return s.exists("begun") })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	s.write("go", "")
	s.await("end of the apply", func() bool { return s.exists("terraform.tfstate") && !s.exists(".terraform.tfstate.lock.info") })
	if state := s.read("terraform.tfstate"); !strings.Contains(state, `"waits"`) || strings.Contains(state, "tainted") {
		t.Errorf("the state is %s", state)
	}
}

func TestWhatFailedIsToldFromWhatWasNotTried(t *testing.T) {
	t.Parallel()
	s := newStage(t, `
resource "terraform_data" "fine" {}

resource "terraform_data" "fails" {
  for_each = toset(["x y"])
  provisioner "local-exec" {
    command = "echo with $SECRET; exit 3"
  }
}

resource "terraform_data" "after" {
  input = terraform_data.fails["x y"].id
}

output "after" {
  value = terraform_data.after.id
}
`)
	s.init()
	s.env("SECRET=correct-horse-battery")
	s.Scrub.Add("correct-horse-battery")
	s.plan()
	a, err := s.Apply(within(t), "tfplan")
	var e *Error
	if !errors.As(err, &e) || e.Code != 1 || e.Canceled {
		t.Fatalf("error %v", err)
	}
	if len(a.Done) != 1 || a.Done[0].Address != "terraform_data.fine" || a.Done[0].Action != Create {
		t.Errorf("done %+v", a.Done)
	}
	if len(a.Failed) != 1 || a.Failed[0].Address != `terraform_data.fails["x y"]` || !strings.Contains(a.Failed[0].Error.Detail, "exit status 3") || a.Failed[0].Error.Line != 6 {
		t.Errorf("failed %+v", a.Failed)
	}
	if diff := cmp.Diff([]string{"terraform_data.after"}, a.Skipped); diff != "" || a.Canceled || a.Unfinished != nil {
		t.Errorf("skipped %+v, %s", a, diff)
	}
	for _, out := range []string{err.Error(), a.Failed[0].Error.Detail, s.log.String()} {
		if !strings.Contains(out, Mask) || strings.Contains(out, "correct-horse") {
			t.Errorf("not scrubbed: %s", out)
		}
	}
	if !strings.Contains(s.log.String(), "terraform_data.fine: Creat") {
		t.Errorf("the log says %s", s.log)
	}
}

func TestConfigurationThatIsWrongIsFound(t *testing.T) {
	t.Parallel()
	s := newStage(t, "resource \"terraform_data\" \"a\" {\n  input   = 1\n  nothing = var.missing\n}\n\noutput   \"x\" {\n  value = 1\n}\n")
	s.write("fine.tf", "variable \"fine\" {\n  default = 1\n}\n")
	if err := os.Mkdir(filepath.Join(s.Dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("sub/first.tf", "variable   \"a\" {}\n")
	s.init()
	formats, err := s.FormatCheck(within(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range formats {
		got = append(got, strings.Join([]string{f.Rule, f.Severity, f.File, strings.Repeat("|", f.Line)}, " "))
	}
	if diff := cmp.Diff([]string{"fmt warning main.tf ||||||", "fmt warning sub/first.tf |"}, got); diff != "" {
		t.Errorf("fmt (-want +got):\n%s", diff)
	}
	findings, err := s.Validate(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) == 0 || findings[0].File != "main.tf" || findings[0].Line != 3 || findings[0].Column != 3 || findings[0].Severity != "error" || findings[0].Rule != "validate" || findings[0].Summary == "" {
		t.Errorf("validate %+v", findings)
	}
	_, err = s.Plan(within(t), "tfplan", PlanOptions{})
	var e *Error
	if !errors.As(err, &e) || len(e.Diagnostics) == 0 || e.Diagnostics[0].File != "main.tf" || !strings.Contains(err.Error(), "main.tf:3") {
		t.Errorf("plan: %v", err)
	}
}

func TestAllIsWellSaysNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, "variable \"a\" {\n  default = 1\n}\n")
	s.PluginCache = filepath.Join(t.TempDir(), "made", "for", "it")
	s.init()
	formats, err := s.FormatCheck(within(t))
	if err != nil || len(formats) > 0 {
		t.Errorf("fmt %+v, %v", formats, err)
	}
	findings, err := s.Validate(within(t))
	if err != nil || len(findings) > 0 {
		t.Errorf("validate %+v, %v", findings, err)
	}
	changed, err := s.Plan(within(t), "tfplan", PlanOptions{})
	if err != nil || changed {
		t.Errorf("plan: changed %v, %v", changed, err)
	}
	if _, err := os.Stat(s.PluginCache); err != nil {
		t.Error(err)
	}
}

func TestFormatCheckWorksWithoutDiff(t *testing.T) {
	t.Parallel()
	s := newStage(t, "variable   \"a\" {}\n")
	s.Env = []string{"PATH=" + t.TempDir(), "HOME=" + t.TempDir()}
	formats, err := s.FormatCheck(within(t))
	if err != nil || len(formats) != 1 || formats[0].File != "main.tf" {
		t.Errorf("fmt %+v, %v", formats, err)
	}
}

func TestWhatInitSaysIsInTheError(t *testing.T) {
	t.Parallel()
	s := newStage(t, "terraform {\n  backend \"nowhere\" {}\n}\n")
	err := s.Init(within(t))
	var e *Error
	if !errors.As(err, &e) || e.Doing != "init" || !strings.Contains(err.Error(), "nowhere") || strings.ContainsAny(err.Error(), "│╷\x1b") {
		t.Errorf("init: %v", err)
	}
}

func TestARootThatIsNoneIsExplained(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{filepath.Join(dir, "nothing"): "no such folder", dir: "no .tf files", file: "that is a file"} {
		r := &Root{Dir: path, Tool: Tool{Path: "/never/started"}}
		_, planErr := r.Plan(t.Context(), "x", PlanOptions{})
		for _, err := range []error{r.Check(), r.Init(t.Context()), planErr} {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v, want %q", path, err, want)
			}
		}
	}
}

func TestToolIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := func(name, says string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+says+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return file
	}
	tofu := script("tofu", `echo "OpenTofu v1.9.0-beta1"; echo "on linux_amd64"`)
	other := script("other", "echo hello")
	broken := script("broken", "exit 4")
	env := []string{"PATH=relative:" + dir + ":/bin:/usr/bin"}
	for name, test := range map[string]struct {
		tool string
		env  []string
		want Tool
		err  string
	}{
		"whichever is there": {"", env[:1:1], Tool{"tofu", tofu, "1.9.0-beta1"}, ""},
		"by name":            {"tofu", env, Tool{"tofu", tofu, "1.9.0-beta1"}, ""},
		"by path":            {tofu, env, Tool{"tofu", tofu, "1.9.0-beta1"}, ""},
		"not there":          {"terraform", env, Tool{}, "there is no terraform on the PATH"},
		"neither":            {"", []string{"PATH=/nowhere"}, Tool{}, "neither terraform nor tofu"},
		"another program":    {other, env, Tool{}, "neither as Terraform nor as OpenTofu"},
		"that fails":         {broken, env, Tool{}, "exit status 4"},
		"an unknown name":    {"pulumi", env, Tool{}, `want "terraform", "tofu", or a path`},
		"no such path":       {"./nothing", env, Tool{}, "no such file"},
		"a folder":           {dir, env, Tool{}, "a folder"},
	} {
		got, err := Find(within(t), test.tool, test.env)
		if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %+v, %v; want %+v, %q", name, got, err, test.want, test.err)
		}
	}
	if tool, err := theTool(); err != nil || tool.Version == "" || !filepath.IsAbs(tool.Path) {
		t.Errorf("the real one: %+v, %v", tool, err)
	}
}

func TestPlansAreNarrowed(t *testing.T) {
	t.Parallel()
	s := newStage(t, "variable \"v\" {}\nresource \"terraform_data\" \"a\" {\n  input = var.v\n}\nresource \"terraform_data\" \"b\" {}\n")
	s.write("more.tfvars", "v = \"from a file\"\n")
	s.VarFiles = []string{"more.tfvars"}
	s.LockTimeout = 2 * time.Second
	s.init()
	if p := s.plan(PlanOptions{Targets: []string{"terraform_data.a"}}); len(p.Changes) != 1 || p.Changes[0].attribute(t, "input").After.Text != `"from a file"` {
		t.Errorf("a target: %+v", p.Changes)
	}
	s.plan()
	s.apply()
	if p := s.plan(PlanOptions{Replace: []string{"terraform_data.b"}}); p.Counts() != (Counts{Add: 1, Destroy: 1, Replace: 1}) || p.Changes[0].Reason != "replace_by_request" {
		t.Errorf("a replacement: %+v", p.Changes)
	}
	if p := s.plan(PlanOptions{Mode: DestroyAll}); p.Counts() != (Counts{Destroy: 2}) {
		t.Errorf("a destroy: %+v", p.Changes)
	}
	if p := s.plan(PlanOptions{Mode: RefreshOnly}); p.Changed() {
		t.Errorf("a refresh: %+v", p.Changes)
	}
	if _, err := s.Plan(within(t), "x", PlanOptions{Mode: "other"}); err == nil || !strings.Contains(err.Error(), "refresh-only") {
		t.Errorf("an unknown mode: %v", err)
	}
	lineage, err := s.Lineage(within(t))
	if err != nil || len(lineage) != 36 {
		t.Errorf("lineage %q, %v", lineage, err)
	}
	if inFile, _, err := inside(filepath.Join(s.Dir, "tfplan")); err != nil || inFile != lineage {
		t.Errorf("lineage in the plan file %q, %v; want %q", inFile, err, lineage)
	}
	if _, err := s.ReadPlan(within(t), "main.tf", nil); err == nil {
		t.Error("a file that is no plan is no error")
	}
}

func TestARunThatWasCanceledBeforeIsNotStarted(t *testing.T) {
	t.Parallel()
	s := newStage(t, waits)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Init(ctx); !errors.Is(err, context.Canceled) || s.exists(".terraform") {
		t.Errorf("init: %v", err)
	}
	if runtime.GOOS == "linux" {
		if _, err := (&Root{Tool: Tool{Path: "/nowhere"}, Dir: s.Dir}).FormatCheck(t.Context()); err == nil || !strings.Contains(err.Error(), "start /nowhere") {
			t.Errorf("a tool that is gone: %v", err)
		}
	}
}

// A tool that dies in the middle leaves behind what nobody can know the end of.
func TestWhatWasCutOffIsUnfinished(t *testing.T) {
	t.Parallel()
	s := newStage(t, "resource \"terraform_data\" \"a\" {}\n")
	tool := filepath.Join(t.TempDir(), "terraform")
	event := func(kind, hook, address string) string {
		return `{"@level":"info","@message":"m","type":"` + kind + `","` + hook + `":{"resource":{"addr":"` + address + `"},"action":"create","elapsed_seconds":7}}`
	}
	script := "#!/bin/sh\ncat <<'EOT'\n" + strings.Join([]string{
		event("planned_change", "change", "a.done"), event("planned_change", "change", "a.begun"), event("planned_change", "change", "a.waits"),
		event("apply_start", "hook", "a.done"), event("apply_start", "hook", "a.begun"), event("apply_complete", "hook", "a.done"), "no JSON", `{"@message":1}`,
	}, "\n") + "\nEOT\nkill -9 $$\n"
	if err := os.WriteFile(tool, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	s.Tool.Path = tool
	a, err := s.Apply(within(t), "tfplan")
	want := Applied{
		Done:       []AppliedChange{{Address: "a.done", Action: Create, Seconds: 7}},
		Unfinished: []string{"a.begun"}, Skipped: []string{"a.waits"},
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != -1 || !strings.Contains(err.Error(), "was killed") || !strings.Contains(err.Error(), "no JSON") {
		t.Errorf("error %v", err)
	}
}
