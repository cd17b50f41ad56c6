package command_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

// A stepOf is a step of a workflow that promotes on the lab's data, as a process of its own.
type stepOf struct {
	*running
	output, summary string
}

// step starts the Action in the root infra, whose tidegate.json says where the lab's data is.
func (l *lab) step(inputs map[string]string) *stepOf {
	l.t.Helper()
	infra := filepath.Join(l.root, "infra")
	if err := os.MkdirAll(infra, 0o700); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(infra, "tidegate.json"), []byte(`{"local": {"data_dir": "../d"}}`), 0o600); err != nil {
		l.t.Fatal(err)
	}
	files := l.t.TempDir()
	s := &stepOf{output: filepath.Join(files, "output"), summary: filepath.Join(files, "summary")}
	cmd := exec.Command(self(l.t), "action")
	cmd.Dir = l.root
	cmd.Env = append(os.Environ(), "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE="+l.root, "GITHUB_ACTOR=octocat", "GITHUB_RUN_ID=42",
		"GITHUB_OUTPUT="+s.output, "GITHUB_STEP_SUMMARY="+s.summary, "INPUT_MODE=promote", "INPUT_ROOT=infra", "INPUT_TOKEN=a-token-that-is-not-needed")
	for name, value := range inputs {
		cmd.Env = append(cmd.Env, "INPUT_"+name+"="+value)
	}
	s.running = &running{t: l.t, Cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &s.out, &s.out
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // the exit code is asked for
		close(s.ended)
	}()
	l.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended, or shall
		<-s.ended
	})
	return s
}

// expect waits for its end: with this exit code, these outputs, and these words in its log.
func (s *stepOf) expect(code int, result, promoted string, said ...string) string {
	s.t.Helper()
	got := s.code()
	outputs := s.outputs()
	if got != code || outputs["result"] != result || outputs["promoted"] != promoted {
		s.t.Errorf("exit code %d, outputs %q; want %d, %q and promoted %s\n%s", got, outputs, code, result, promoted, s.out.String())
	}
	contains(s.t, s.out.String(), said...)
	return outputs["summary"]
}

func (s *stepOf) outputs() map[string]string {
	s.t.Helper()
	f, err := os.Open(s.output)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, end, ok := strings.Cut(lines.Text(), "<<")
		if !ok {
			s.t.Fatalf("not what the runner reads: %q", lines.Text())
		}
		var value []string
		for lines.Scan() && lines.Text() != end {
			value = append(value, lines.Text())
		}
		out[name] = strings.Join(value, "\n")
	}
	return out
}

func (s *stepOf) page() string {
	s.t.Helper()
	b, err := os.ReadFile(s.summary)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

func TestActionPromotesWhatIsStagedAndFailsByTheGateThatClosed(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	// A deploy that changed nothing has nothing to promote, whether or not the endpoint is named.
	l.step(nil).expect(0, "done", "[]", "Nothing is staged in root infra: there is nothing to promote.")
	l.step(map[string]string{"ENDPOINT": "[]"}).expect(0, "done", "[]", "there is nothing to promote")
	l.step(map[string]string{"ENDPOINT": "penguins"}).expect(0, "done", "[]", "Nothing is staged on "+id+", which never had a rollout.")

	l.traffic()
	l.stage(model{Name: "v2"})
	good := l.step(nil)
	summary := good.expect(0, "done", `["`+id+`"]`, "Promote "+id, "tidegate promote, by octocat on ", " 0% → 25% ", "25% → 50% ", "50% → 100% ", "Promoted: revision ")
	contains(t, summary, "Promoted: revision ")
	contains(t, good.page(), "[!TIP]", "**1 endpoint promoted**", "█████░░░░░░░░░░░░░░░ 25%", "████████████████████ 100%", "<td><code>errors</code></td><td>pass</td>")
	l.step(map[string]string{"ENDPOINT": id}).expect(0, "done", "[]", "promoted already")

	l.stage(model{Name: "v3", Every: 2})
	bad := l.step(map[string]string{"ENDPOINT": `[{"root": "infra", "endpoint": "` + id + `", "model": "file://v3"}]`})
	bad.expect(2, "rolled back", "[]", "::error title=local/here/penguins was rolled back::Not promoted: ", "The revision is rejected")
	contains(t, bad.page(), "[!CAUTION]", "**0 of 1 endpoint promoted**", "<td><code>errors</code></td><td><b>fail</b></td>")

	// What was rolled back is no success of whoever names it; nothing else is staged.
	l.step(map[string]string{"ENDPOINT": "penguins"}).expect(4, "refused", "[]", "its last rollout was rolled back")
	l.step(nil).expect(0, "done", "[]", "there is nothing to promote")
}

func TestActionStopsAtTheFirstEndpointThatIsNotPromoted(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	seals := l.spec
	seals.Name = "seals"
	if _, err := l.engine.Endpoints().Create(l.last, seals, "test"); err != nil {
		t.Fatal(err)
	}
	l.traffic()
	l.stage(model{Name: "v2", Every: 2})
	l.put("v3", model{Name: "v3"})
	seals.Model.URI = "file://v3"
	if _, err := l.engine.Endpoints().Update(l.last, seals); err != nil {
		t.Fatal(err)
	}
	l.step(map[string]string{"ENDPOINT": "penguins\nwalruses"}).expect(1, "failed", "[]", `endpoint "walruses"`, "want one of "+id)
	if r := l.record(); r.Epoch != 0 || r.Weight != 0 {
		t.Fatalf("a wrong name, and %s at %d%% was driven by %q", r.Phase, r.Weight, r.Runner)
	}
	all := l.step(nil)
	summary := all.expect(2, "rolled back", "[]", "::error title=local/here/penguins was rolled back::", "Left as it is: local/here/seals.")
	contains(t, summary, "\nLeft as it is: local/here/seals.")
	contains(t, all.page(), "**0 of 2 endpoints promoted**", "Left as it is: <code>local/here/seals</code>")
	r, _, err := l.engine.Endpoints().Load(l.last, "local/here/seals")
	if err != nil || !r.Staged || r.Epoch != 0 || r.Weight != 0 || r.Phase.Final() {
		t.Errorf("%v: the other endpoint is %s at %d%%", err, r.Phase, r.Weight)
	}
}

func TestCancelledJobEndsThePromotionAsItIsTold(t *testing.T) {
	t.Parallel()
	l := newLab(t, slowly)
	l.traffic()
	l.stage(model{Name: "v2"})
	cancel := func(s *stepOf) {
		t.Helper()
		l.until("it drives the candidate's traffic", func(r rollout.Record) bool { return r.Weight > 0 && s.drives(r) })
		began := time.Now()
		s.signal(syscall.SIGINT) // as the runner of a cancelled job does
		s.code()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %s to end, and the runner kills after some seconds", took)
		}
	}
	frozen := l.step(map[string]string{"ON_CANCEL": "freeze"})
	cancel(frozen)
	frozen.expect(3, "held", "[]", "::error title=local/here/penguins is frozen::Frozen at 25%25 of traffic")
	l.step(map[string]string{"ON_CANCEL": "freeze", "TIMEOUT": "2s"}).expect(3, "held", "[]", "is frozen")
	back := l.step(map[string]string{"ENDPOINT": "penguins"})
	cancel(back)
	back.expect(2, "rolled back", "[]", "told to stop by SIGINT", "The revision is not rejected")
}
